// SPDX-License-Identifier: Apache-2.0
#include "command_line.h"
#include "crypto/signing.h"
#include "report.h"

#include <QCoreApplication>

#include <algorithm>
#include <csignal>
#include <string_view>

int main(int argc, char** argv)
{
    using namespace starling;
    using namespace starling::cli;
    // A reader that goes away (| head) is an error to report, not a reason to vanish.
    std::signal(SIGPIPE, SIG_IGN);
    QCoreApplication application(argc, argv);
    CommandLine line;
    CLI::App app(
        "starling makes, signs, verifies and pushes signed software updates, and shows how they spread.",
        "starling");
    app.require_subcommand(1);
    app.set_help_all_flag("--help-all", "Help of every command");
    app.add_flag("--json", line.json, "One line of JSON on standard output; messages stay on standard error");
    app.add_flag("-q,--quiet", line.quiet, "No progress, no remarks");
    app.add_option("--agent", line.agent, "Control socket of the agent to talk to")->capture_default_str();
    app.add_option("--timeout", line.timeoutSeconds, "Seconds to wait for an answer or a goal")
        ->check(CLI::Range(0.0, 1e6));
    app.footer(
        "Exit status: 0 ok, 1 failure, 2 usage, 3 nothing to do, 4 partial, 5 refused, 6 bad signature,\n"
        "7 unreachable, 8 timeout.");
    addFleetCommands(app, line);
    addKeyCommands(app, line);
    addReleaseCommands(app, line);
    addRequestCommands(app, line);
    addPushCommand(app, line);
    addAgentCommands(app, line);
    addDeviceCommands(app, line);
    addWhyCommand(app, line);
    addRolloutCommands(app, line);
    addMapCommands(app, line);
    addAuditCommands(app, line);
    addRootCommands(app, line);
    addNetCommands(app, line);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (app.exit(error) == 0)
            return 0;
        // The flags of a line that does not parse are not set.
        line.json = std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
        if (line.json)
            printErrorJson({Errc::Usage, error.what()});
        return static_cast<int>(Exit::Usage);
    }
    if (auto ready = crypto::initialize(); !ready) {
        reportError(line, ready.error());
        return static_cast<int>(Exit::Failure);
    }
    const Result<Exit> ended = line.run();
    if (ended)
        return static_cast<int>(*ended);
    reportError(line, ended.error());
    return static_cast<int>(exitFor(ended.error().code));
}
