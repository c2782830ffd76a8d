// SPDX-License-Identifier: Apache-2.0
/// The command line's vocabulary: global options, how a command is declared, exit codes.
#pragma once

#include "base/result.h"

#include <CLI/CLI.hpp>
#include <QJsonObject>
#include <chrono>
#include <functional>
#include <string>

namespace starling::cli {

/// Documented in starling(1); scripts rely on them.
enum class Exit : int {
    Ok = 0,
    Failure = 1,
    Usage = 2,
    NothingToDo = 3,
    Partial = 4,
    Refused = 5,
    BadSignature = 6,
    Unreachable = 7,
    Timeout = 8,
};

/// The exit code that an error ends with.
Exit exitFor(Errc code);

/// Options that every command has, and what the chosen command does.
struct CommandLine
{
    bool json = false;
    bool quiet = false;
    std::string agent = "/run/starling/agent.sock"; ///< control socket; node::AgentConfig::control's default
    double timeoutSeconds = 0; ///< 0: the command's own default
    std::function<Result<Exit>()> run; ///< set by the command that was parsed

    std::chrono::milliseconds timeout(std::chrono::milliseconds fallback) const;
    bool showsProgress() const; ///< a terminal is watching, and nobody asked for quiet
};

/// Declares a subcommand: what it does in a line, examples for its --help, and what runs. Options are added
/// to the result.
CLI::App* addCommand(CLI::App& parent, CommandLine& line, const std::string& name, const std::string& help,
                     const std::string& examples, std::function<Result<Exit>()> run);

/// Prints `object` as one line of JSON with "schema":"starling/1" (resources/docs/json.md).
void printJson(QJsonObject object);

/// "name=value" items of --label. Fails with Usage.
Result<std::map<std::string, std::string>> parseLabels(const std::vector<std::string>& items);

void addFleetCommands(CLI::App& app, CommandLine& line);
void addKeyCommands(CLI::App& app, CommandLine& line);
void addReleaseCommands(CLI::App& app, CommandLine& line);
void addPushCommand(CLI::App& app, CommandLine& line);
void addRequestCommands(CLI::App& app, CommandLine& line);
/// `device deny`, into the group of device commands.
void addDenyCommand(CLI::App& group, CommandLine& line);
/// `device fetch`, into the same group.
void addFetchCommand(CLI::App& group, CommandLine& line);
/// `release withdraw`, into the group of release commands.
void addWithdrawCommand(CLI::App& group, CommandLine& line);
void addObserveCommand(CLI::App& group, CommandLine& line);
void addNetCommands(CLI::App& app, CommandLine& line);
void addRootCommands(CLI::App& app, CommandLine& line);
void addAgentCommands(CLI::App& app, CommandLine& line);
/// After addAgentCommands(), to whose group `device` they belong.
void addDeviceCommands(CLI::App& app, CommandLine& line);
void addMapCommands(CLI::App& app, CommandLine& line);
void addRolloutCommands(CLI::App& app, CommandLine& line);
void addAuditCommands(CLI::App& app, CommandLine& line);
void addWhyCommand(CLI::App& app, CommandLine& line);

} // namespace starling::cli
