// SPDX-License-Identifier: Apache-2.0
#include "agent/unix_signals.h"
#include "console_window.h"
#include "demo.h"
#include "demo_view.h"
#include "figure2_networks.h"
#include "verdict.h"

#include <CLI/CLI.hpp>
#include <QCoreApplication>
#include <QTemporaryDir>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace starling;
using namespace starling::demo;

constexpr int kInterrupted = 130; ///< as shells report an end by SIGINT

void showHowToGoOn(const support::Fleet& fleet, const std::filesystem::path& programs,
                   const std::filesystem::path& workspace)
{
    std::string pids;
    for (std::size_t i = 0; i < fleet.size(); ++i)
        pids += " " + std::to_string(fleet.pid(i));
    std::fprintf(stderr,
                 "\nThe fleet goes on. Look at it:\n  %s --agent %s status\n  %s --agent %s device "
                 "list\nStop it and remove it:\n  kill%s; rm -r %s\n",
                 (programs / "starling").c_str(), fleet.socket(0).c_str(), (programs / "starling").c_str(),
                 fleet.socket(fleet.size() - 1).c_str(), pids.c_str(), workspace.c_str());
}

/// Where its agents are: in the networks of Figure 2, or on loopback.
std::unique_ptr<lab::Figure2Networks> makeNetworks(const Options& options, View& view)
{
    std::string obstacle = options.loopbackBecause;
    if (obstacle.empty()) {
        if (auto networks = lab::Figure2Networks::create()) {
            view.say("in the networks of the paper's Figure 2, agent 1 being node 1: "
                     + (*networks)->description());
            view.say("the firewall lets in UDP to node 3's port alone, and nothing of node 4 out");
            return std::move(*networks);
        } else {
            obstacle = toString(networks.error());
        }
    }
    view.say("on loopback, not in the networks of Figure 2: " + obstacle);
    return nullptr;
}

/// Says what the firewall counted, and returns what should not be.
std::string tellCrossings(const lab::Figure2Networks& networks, View& view)
{
    const auto counted = networks.settledCrossings();
    if (!counted)
        return toString(counted.error());
    view.say("through the firewall: " + std::to_string(counted->cameIn) + " packets in, of them "
             + std::to_string(counted->openedPort) + " to node 3's port; " + std::to_string(counted->wentOut)
             + " out, of them " + std::to_string(counted->links) + " from it; of node 4 and to it "
             + std::to_string(counted->nodeFour));
    return counted->fault();
}

int run(Options options, ConsoleWindow& console)
{
    // Before anything can start a thread, which would not have them blocked.
    agent::UnixSignals signals;
    if (auto opened = signals.open(); !opened)
        std::fprintf(stderr, "starling-demo: %s\n", toString(opened.error()).c_str());
    View view(options.json ? View::Where::StandardError : View::Where::StandardOutput);
    QTemporaryDir workspace;
    if (!workspace.isValid()) {
        std::fprintf(stderr, "starling-demo: no temporary directory: %s\n",
                     qPrintable(workspace.errorString()));
        return 1;
    }
    const std::filesystem::path directory = workspace.path().toStdString();
    const auto networks = makeNetworks(options, view);
    options.isFigure2 = networks != nullptr;
    support::FleetPlan plan;
    plan.directory = directory;
    plan.programs = options.programs;
    plan.agents = options.agents;
    plan.spares = 1;
    if (networks)
        networks->place(plan);
    auto fleet = support::Fleet::create(std::move(plan));
    if (!fleet) {
        std::fprintf(stderr, "starling-demo: %s\n", toString(fleet.error()).c_str());
        return 1;
    }
    // Ended by Ctrl+C or a SIGTERM, the demo takes its agents and its files with it.
    QObject::connect(&signals, &agent::UnixSignals::terminate, &signals, [&] {
        for (std::size_t i = 0; i < (*fleet)->size(); ++i)
            (*fleet)->kill(i);
        workspace.remove();
        std::fputs("\nstarling-demo: stopped; its agents and files are gone\n", stderr);
        std::_Exit(kInterrupted);
    });
    if (options.console)
        options.observed = [&console](const auto& socket) { return console.open(socket); };
    auto outcome = runDemo(options, **fleet, directory, view);
    if (!outcome) {
        std::fprintf(stderr, "starling-demo: %s\n", toString(outcome.error()).c_str());
        for (std::size_t i = 0; options.keep && i < (*fleet)->size(); ++i)
            std::fprintf(stderr, "  log of agent %zu: %s\n", i + 1, (*fleet)->log(i).c_str());
        workspace.setAutoRemove(!options.keep);
        return 1;
    }
    if (networks)
        outcome->firewall = tellCrossings(*networks, view);
    if (options.json)
        std::printf("%s\n", jsonLine(*outcome).c_str());
    else
        std::printf("\n%s\n%s in %.1f s\n", table(*outcome).c_str(),
                    outcome->isGood() ? "All of it holds:" : "NOT all of it holds:", outcome->seconds);
    std::fflush(stdout);
    console.wait();
    if (options.keep) {
        workspace.setAutoRemove(false);
        showHowToGoOn(**fleet, options.programs, directory);
        (*fleet)->letGo();
    }
    return outcome->isGood() ? 0 : 1;
}

/// Why it is to be on loopback; otherwise this process is in a lab from now on.
std::string loopbackReason(const Options& options, bool isWanted)
{
    if (isWanted)
        return "--loopback";
    if (options.agents != lab::kFigure2Nodes)
        return "they have room for " + std::to_string(lab::kFigure2Nodes) + " agents";
    if (options.keep)
        return "with --keep the agents go on when the demo, and its networks with it, has ended";
    return lab::enterLab();
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("Makes a fleet of agents on this machine, spreads two signed releases through it, attacks "
                 "it, and shows what became of it.",
                 "demo");
    Options options;
    std::string bytes = "64 MiB";
    std::vector<std::string> attack;
    bool loopback = false;
    app.add_option("--payload", options.payload,
                   "File or directory to put into the releases instead of generated data")
        ->check(CLI::ExistingPath);
    app.add_option("--agents", options.agents, "How many agents")
        ->check(CLI::Range(std::size_t{2}, std::size_t{64}))
        ->capture_default_str();
    app.add_flag("--json", options.json, "One final line of JSON on standard output");
    app.add_flag("--keep", options.keep, "Leave the fleet running, and say how to look at it and stop it");
    app.add_flag("--console", options.console,
                 "Open the desktop console on the fleet, which goes on until that is closed");
    app.add_flag("--loopback", loopback, "On loopback, and not in the networks of Figure 2");
    app.add_option("--data-bytes", bytes, "How much data to generate")->capture_default_str();
    app.add_option("--attack", attack)->group(""); // the attacker's own process: OLD NEW HOME ENDPOINT…
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    const auto size = parseByteCount(bytes);
    if (!size) {
        std::fprintf(stderr, "demo: %s\n", size.error().context.c_str());
        return 2;
    }
    options.dataBytes = *size;
    std::error_code error;
    options.programs = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    // Both before there are threads, and the window stays in the network where the display is.
    ConsoleWindow console;
    if (options.console)
        if (auto prepared = console.prepare(options.programs / "starling-console"); !prepared) {
            std::fprintf(stderr, "starling-demo: %s\n", toString(prepared.error()).c_str());
            return 1;
        }
    if (attack.empty())
        options.loopbackBecause = loopbackReason(options, loopback);
    const QCoreApplication application(argc, argv);
    if (auto ready = crypto::initialize(); !ready)
        return 1;
    if (attack.size() >= 4)
        return runAttacker(attack[2], {attack.begin() + 3, attack.end()}, attack[0], attack[1]);
    return run(options, console);
}
