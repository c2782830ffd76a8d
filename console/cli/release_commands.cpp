// SPDX-License-Identifier: Apache-2.0
#include "admin/release_work.h"
#include "key_commands.h"
#include "node/disk.h"
#include "note.h"
#include "passphrase.h"
#include "progress.h"
#include "report.h"

namespace starling::cli {

namespace fs = std::filesystem;

namespace {

struct CreateOptions
{
    std::string payload, uri, output, label, method = "script", run, check, rollback;
    std::uint64_t epoch = 0, version = 0;
    std::optional<std::uint64_t> created;
    std::uint32_t timeout = release::DeployPlan{}.timeoutSeconds;
    std::vector<std::string> requirements;
    bool force = false;
};

std::string describeDeployment(const release::DeployPlan& plan)
{
    std::string text = std::string(release::methodName(plan.method));
    if (!plan.run.empty())
        text += " " + plan.run;
    if (!plan.check.empty())
        text += ", then check with " + plan.check;
    if (!plan.rollback.empty())
        text += ", undone by " + plan.rollback;
    return text;
}

void describe(const CommandLine& line, const release::TorrentFile& torrent)
{
    const release::UpdateInfo& update = torrent.info.update;
    say(line,
        plain("Release     " + update.uri.text() + " version " + trust::toString(update.revision)
              + (update.label.empty() ? "" : " (" + update.label + ")")));
    say(line,
        plain("Payload     " + torrent.info.name + ", " + std::to_string(torrent.info.files.size())
              + " file(s), " + toString(ByteCount{torrent.info.payloadBytes()})));
    say(line, "Info-hash   " + torrent.infoHash.hex());
    say(line, plain("Deployment  " + describeDeployment(update.deploy)));
    for (const auto& [name, value] : update.requirements)
        say(line, plain("Requires    " + name + "=" + value));
    if (torrent.signatures.empty())
        say(line, "Signed by   nobody yet");
    for (const auto& [key, signature] : torrent.signatures)
        say(line, "Signed by   " + key.hex());
}

Result<release::UpdateInfo> interpret(const CreateOptions& options)
{
    auto uri = ResourceUri::parse(options.uri);
    if (!uri)
        return fail(std::move(uri.error()), "--uri");
    release::UpdateInfo update{*uri, {options.epoch, options.version}, options.label, options.created, {},
                               {}};
    update.deploy.method = release::methodNamed(options.method).value_or(release::Method::None);
    update.deploy.run = options.run;
    update.deploy.check = options.check;
    update.deploy.rollback = options.rollback;
    update.deploy.timeoutSeconds = options.timeout;
    if (update.deploy.method != release::Method::None && options.run.empty())
        return fail(Errc::Usage, "--run names the script or manifest to deploy with; or give --deploy none");
    for (const std::string& requirement : options.requirements) {
        const auto equals = requirement.find('=');
        if (equals == 0 || equals == std::string::npos)
            return fail(Errc::Usage, "--require is name=value, not '" + requirement + "'");
        update.requirements[requirement.substr(0, equals)] = requirement.substr(equals + 1);
    }
    return update;
}

Result<Exit> createRelease(const CommandLine& line, const CreateOptions& options)
{
    auto update = interpret(options);
    if (!update)
        return fail(std::move(update.error()), "release create");
    auto maker = console::ReleaseMaker::open(options.payload, std::move(*update));
    if (!maker)
        return tl::unexpected<Error>(maker.error());
    const std::string output = options.output.empty() ? maker->name() + ".torrent" : options.output;
    if (auto replaceable = options.force ? Status() : console::requireReplaceable(output); !replaceable)
        return fail(replaceable.error().code,
                    replaceable.error().context
                        + "; write to another file with -o, or replace it with --force");
    auto torrent = [&] {
        Progress progress(line, "Hashing", maker->payloadBytes());
        return maker->hash([&](std::uint64_t done) -> Status {
            progress.update(done);
            return {};
        });
    }();
    if (!torrent)
        return tl::unexpected<Error>(torrent.error());
    if (auto written = node::writeFile(output, torrent->serialize(), node::FileMode::Public); !written)
        return tl::unexpected<Error>(written.error());
    if (line.json) {
        QJsonObject object = cli::jsonOf(*torrent);
        object.insert(QStringLiteral("file"), toQString(output));
        printJson(object);
    }
    describe(line, *torrent);
    say(line,
        plain("Written     " + output + "  (sign it: starling release sign " + output
              + " --key KEY --root root.envelope)"));
    return Exit::Ok;
}

struct SignOptions
{
    std::string file, root;
    std::vector<std::string> keys;
    PassphraseSource passphrase;
};

Result<Exit> signRelease(const CommandLine& line, const SignOptions& options)
{
    auto torrent = console::readRelease(options.file);
    if (!torrent)
        return fail(std::move(torrent.error()), "release sign");
    auto trust = readRoot(options.root);
    if (!trust)
        return fail(std::move(trust.error()), "release sign");
    // Shown before a passphrase is asked for: what is signed is what is read here.
    describe(line, *torrent);
    const trust::Scope* scope = trust->root().scopeFor(torrent->info.update.uri);
    std::string with;
    for (const std::string& file : options.keys) {
        auto key = openKey(file, options.passphrase);
        if (!key)
            return tl::unexpected<Error>(key.error());
        if (auto done = console::signRelease(*torrent, *trust, *key); !done)
            return fail(done.error().code, done.error().context + "; nothing was written");
        with += "key " + key->id().hex() + ", ";
    }
    if (auto written = node::writeFile(options.file, torrent->serialize(), node::FileMode::Public); !written)
        return tl::unexpected<Error>(written.error());
    note(line, console::Act::ReleaseSigned,
         torrent->info.update.uri.text() + " " + trust::toString(torrent->info.update.revision),
         with + "info-hash " + torrent->infoHash.hex());
    const bool isEnough = release::verifyRelease(*torrent, *trust).has_value();
    if (line.json) {
        QJsonObject object = cli::jsonOf(*torrent);
        object.insert(QStringLiteral("threshold_reached"), isEnough);
        printJson(object);
    }
    say(line,
        "Signed      " + options.file + " with " + std::to_string(torrent->signatures.size()) + " of "
            + std::to_string(scope->role.threshold) + " signature(s) that are needed");
    return isEnough ? Exit::Ok : Exit::Partial;
}

struct VerifyOptions
{
    std::string file, root, payload;
};

Result<Exit> verifyReleaseFile(const CommandLine& line, const VerifyOptions& options)
{
    auto torrent = console::readRelease(options.file);
    if (!torrent)
        return fail(std::move(torrent.error()), "release verify");
    auto trust = readRoot(options.root);
    if (!trust)
        return fail(std::move(trust.error()), "release verify");
    auto verified = release::verifyRelease(*torrent, *trust);
    if (!verified)
        return fail(std::move(verified.error()), options.file);
    if (!options.payload.empty()) {
        Progress progress(line, "Verifying", torrent->info.payloadBytes());
        const auto read =
            console::verifyPayload(*torrent, options.payload, [&](std::uint64_t done) -> Status {
                progress.update(done);
                return {};
            });
        if (!read)
            return tl::unexpected<Error>(read.error());
    }
    if (line.json)
        printJson(cli::jsonOf(*torrent));
    describe(line, *torrent);
    say(line,
        options.payload.empty() ? "Good        the signatures reach the threshold of the scope"
                                : "Good        the signatures reach the threshold of the scope, and the "
                                  "payload is what was signed");
    return Exit::Ok;
}

Result<Exit> showRelease(const CommandLine& line, const std::string& file)
{
    auto torrent = console::readRelease(file);
    if (!torrent)
        return fail(std::move(torrent.error()), "release show");
    if (line.json)
        printJson(cli::jsonOf(*torrent));
    describe(line, *torrent);
    say(line,
        "Notice      " + std::to_string(torrent->notice().size())
            + " bytes on the overlay; nothing here was verified");
    return Exit::Ok;
}

void addCreate(CLI::App& group, CommandLine& line)
{
    auto options = std::make_shared<CreateOptions>();
    CLI::App* create = addCommand(
        group, line, "create", "Make a release from a file or directory",
        "  starling release create ./gateway-2.4.1 --uri fw/gateway --version 241 --run install.sh --check "
        "health.sh\n"
        "  starling release create site.pp --uri fw/site --version 3 --deploy puppet --run site.pp",
        [&line, options] { return createRelease(line, *options); });
    create->add_option("PAYLOAD", options->payload, "File or directory")->required();
    create->add_option("--uri", options->uri, "Resource URI, e.g. fw/gateway/rootfs")->required();
    create->add_option("--version", options->version, "Must be higher than any before of this URI")
        ->required()
        ->check(CLI::Range(std::uint64_t{1}, trust::Revision::kMaxVersion));
    create->add_option("--epoch", options->epoch, "The scope's epoch, as the root document says")
        ->capture_default_str();
    create->add_option("--label", options->label, "Version for people, e.g. 2.4.1");
    create->add_option("--deploy", options->method, "How devices deploy it")
        ->check(CLI::IsMember({"script", "puppet", "none"}))
        ->capture_default_str();
    create->add_option("--run", options->run, "Script or manifest in the payload that puts it in place");
    create->add_option("--check", options->check,
                       "Script in the payload that checks the device's health afterwards");
    create->add_option(
        "--rollback", options->rollback,
        "Script in the payload that undoes it; without one the release before is deployed again");
    create->add_option("--deploy-timeout", options->timeout, "Seconds for each of the scripts")
        ->check(CLI::Range(1u, 86'400u))
        ->capture_default_str();
    create->add_option("--require", options->requirements, "name=value labels that a device must have");
    create->add_option(
        "--created", options->created,
        "Seconds since 1970; left out unless given, so that the same input gives the same bytes");
    create->add_option("-o,--output", options->output,
                       "The torrent-file++ to write (default: PAYLOAD's name and .torrent)");
    create->add_flag("--force", options->force, "Replace the file that is there, also a signed one");
}

} // namespace

void addReleaseCommands(CLI::App& app, CommandLine& line)
{
    CLI::App* group = app.add_subcommand("release", "Releases: a payload and its signed torrent-file++")
                          ->require_subcommand(1)
                          ->fallthrough();
    addCreate(*group, line);

    auto sign = std::make_shared<SignOptions>();
    CLI::App* signing = addCommand(*group, line, "sign", "Add signatures to a release",
                                   "  starling release sign gateway-2.4.1.torrent --key "
                                   "fleet/keys/release-1.key --root fleet/root.envelope",
                                   [&line, sign] { return signRelease(line, *sign); });
    signing->add_option("FILE", sign->file, "The torrent-file++; signatures accumulate in it")->required();
    signing->add_option("--key", sign->keys, "Key file; may be given several times")->required();
    signing->add_option("--root", sign->root, "The fleet's root.envelope")->required();
    sign->passphrase.addToOpening(*signing);

    auto verify = std::make_shared<VerifyOptions>();
    CLI::App* verifying = addCommand(*group, line, "verify", "Verify a release as a device would",
                                     "  starling release verify gateway-2.4.1.torrent --root "
                                     "fleet/root.envelope --payload ./gateway-2.4.1",
                                     [&line, verify] { return verifyReleaseFile(line, *verify); });
    verifying->add_option("FILE", verify->file, "The torrent-file++")->required();
    verifying->add_option("--root", verify->root, "The fleet's root.envelope")->required();
    verifying->add_option("--payload", verify->payload, "Compare this payload, too");

    auto file = std::make_shared<std::string>();
    CLI::App* show = addCommand(*group, line, "show", "Show what a torrent-file++ says, without verifying it",
                                "  starling release show gateway-2.4.1.torrent",
                                [&line, file] { return showRelease(line, *file); });
    show->add_option("FILE", *file, "The torrent-file++")->required();
    addWithdrawCommand(*group, line);
}

} // namespace starling::cli
