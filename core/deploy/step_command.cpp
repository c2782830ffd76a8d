// SPDX-License-Identifier: Apache-2.0
#include "deploy/step_command.h"

#include "deploy/output_tail.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <unistd.h>

namespace starling::deploy {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxInterpreterLine = 256; // as Linux: BINPRM_BUF_SIZE
constexpr std::string_view kElfMagic = "\x7f"
                                       "ELF";

/// Names in messages come from the release: made harmless to show.
std::string inQuotes(const fs::path& path)
{
    return "'" + cleanText(path.string()) + "'";
}

/// The absolute path of the script or manifest, inside the payload.
Result<fs::path> payloadFile(const Step& step)
{
    const fs::path name = step.script;
    if (name.empty())
        return fail(Errc::DeployMissing, "the release names no script");
    if (name.is_absolute() || std::find(name.begin(), name.end(), "..") != name.end())
        return fail(Errc::DeployMissing, inQuotes(name) + " is not a path inside the payload");

    std::error_code error;
    const fs::path payload = fs::canonical(step.payload, error);
    if (error)
        return fail(Errc::DeployMissing, "payload " + inQuotes(step.payload) + ": " + error.message());
    const fs::path file = fs::canonical(payload / name, error);
    if (error)
        return fail(Errc::DeployMissing, inQuotes(name) + ": " + error.message());
    const auto [end, rest] = std::mismatch(payload.begin(), payload.end(), file.begin(), file.end());
    if (end != payload.end() || rest == file.end())
        return fail(Errc::DeployMissing, inQuotes(name) + " leads out of the payload");
    if (!fs::is_regular_file(file, error))
        return fail(Errc::DeployMissing, inQuotes(name) + " is not a file");
    return file;
}

bool isProgram(const fs::path& path)
{
    std::error_code error;
    return fs::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

/// The words before the script's own path: interpreter and, as Linux reads it, at most one argument.
Result<std::vector<std::string>> interpreterOf(const fs::path& script, const std::string& name)
{
    std::ifstream in(script, std::ios::binary);
    std::array<char, kMaxInterpreterLine> start{};
    in.read(start.data(), start.size());
    if (in.bad() || !in.is_open())
        return fail(Errc::DeployMissing, inQuotes(name) + " cannot be read");
    std::string_view line(start.data(), static_cast<std::size_t>(in.gcount()));
    if (line.starts_with(kElfMagic))
        return fail(Errc::DeployMissing, inQuotes(name) + " is a compiled program, not a script");
    if (!line.starts_with("#!"))
        return std::vector<std::string>{"/bin/sh"};

    if (line.find('\n') == std::string_view::npos && line.size() == kMaxInterpreterLine)
        return fail(Errc::DeployMissing, inQuotes(name) + ": its #! line is longer than 256 bytes");
    line = line.substr(2, line.find('\n') == std::string_view::npos ? line.npos : line.find('\n') - 2);
    constexpr std::string_view kBlank = " \t";
    line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    line = line.substr(0, line.find_last_not_of(kBlank) + 1);
    const std::string_view program = line.substr(0, line.find_first_of(kBlank));
    std::string_view argument = line.substr(program.size());
    argument.remove_prefix(std::min(argument.find_first_not_of(kBlank), argument.size()));
    if (!fs::path(program).is_absolute() || !isProgram(program))
        return fail(Errc::DeployMissing,
                    inQuotes(name) + ": its interpreter " + inQuotes(program) + " is not there");
    std::vector<std::string> words{std::string(program)};
    if (!argument.empty())
        words.emplace_back(argument);
    return words;
}

Result<std::string> findProgram(const std::string& name)
{
    if (name.find('/') != std::string::npos) {
        if (fs::path(name).is_absolute() && isProgram(name))
            return name;
        return fail(Errc::DeployMissing, "tool " + inQuotes(name) + " is not there");
    }
    for (std::string_view rest = kSearchPath; !rest.empty();) {
        const std::string_view directory = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
        const fs::path candidate = fs::path(directory) / name;
        if (isProgram(candidate))
            return candidate.string();
    }
    return fail(Errc::DeployMissing, "tool " + inQuotes(name) + " is not installed");
}

using Variables = std::vector<std::pair<std::string, std::string>>;

Variables stepVariables(const Step& step)
{
    return {{"root", step.deviceRoot.string()},
            {"payload", step.payload.string()},
            {"uri", step.uri.text()},
            {"version", std::to_string(step.revision.version)},
            {"epoch", std::to_string(step.revision.epoch)},
            {"step", std::string(stepName(step.kind))}};
}

std::vector<std::string> environmentOf(const Step& step)
{
    // HOME is the device root: no dot file of whoever runs the agent takes part, and tools that insist on a
    // home find a directory.
    std::vector<std::string> environment{"PATH=" + std::string(kSearchPath), "LANG=C.UTF-8",
                                         "HOME=" + step.deviceRoot.string()};
    for (auto [name, value] : stepVariables(step)) {
        std::transform(name.begin(), name.end(), name.begin(),
                       [](char c) { return static_cast<char>(c - 'a' + 'A'); });
        environment.push_back("STARLING_" + name + "=" + value);
    }
    return environment;
}

/// Every directory that Puppet 7 would make for itself is named, for run as anybody but root it fails on
/// those it does not find under HOME; and the device's own /etc/puppet has no part in a release.
std::vector<std::string> puppetArguments(const std::string& puppet, const Step& step,
                                         const fs::path& manifest, const fs::path& privateDirectory)
{
    std::vector<std::string> arguments{puppet, "apply", "--detailed-exitcodes", "--color=false"};
    arguments.insert(arguments.end(), {"--modulepath", (step.payload / "modules").string()});
    for (const char* directory : {"confdir", "codedir", "vardir", "rundir", "logdir", "ssldir", "publicdir"})
        arguments.insert(arguments.end(),
                         {std::string("--") + directory, (privateDirectory / directory).string()});
    arguments.push_back(manifest.string());
    return arguments;
}

} // namespace

bool isPuppetRun(const Step& step)
{
    return step.method == release::Method::Puppet && step.kind == StepKind::Install;
}

Result<Command> commandFor(const Step& step, const Config& config, const fs::path& privateDirectory)
{
    auto file = payloadFile(step);
    if (!file)
        return tl::unexpected(std::move(file.error()));

    Command command;
    command.directory = step.payload;
    command.environment = environmentOf(step);
    if (isPuppetRun(step)) {
        auto puppet = findProgram(config.puppet);
        if (!puppet)
            return tl::unexpected(std::move(puppet.error()));
        command.arguments = puppetArguments(*puppet, step, *file, privateDirectory);
        // Facter turns FACTER_x into the fact x: a manifest reads $facts['starling_root'].
        for (const auto& [name, value] : stepVariables(step))
            command.environment.push_back("FACTER_starling_" + name + "=" + value);
        return command;
    }
    auto interpreter = interpreterOf(*file, step.script);
    if (!interpreter)
        return tl::unexpected(std::move(interpreter.error()));
    command.arguments = std::move(*interpreter);
    command.arguments.push_back(file->string());
    return command;
}

} // namespace starling::deploy
