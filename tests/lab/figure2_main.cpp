// SPDX-License-Identifier: Apache-2.0
/// Plays Figure 2 and prints each step as it happens.
#include "figure2.h"
#include "link/link.h"

#include <CLI/CLI.hpp>
#include <QCoreApplication>
#include <QTemporaryDir>

#include <csignal>
#include <cstdio>

using namespace starling;
using namespace starling::lab;

namespace {

/// As ctest is told.
constexpr int kCannotPlay = 77;

volatile std::sig_atomic_t isStopped = 0;

/// In seconds: a NAT that forgets sooner needs another one, once its patience is measured.
constexpr unsigned kUsualKeepalive =
    static_cast<unsigned>(std::chrono::duration_cast<std::chrono::seconds>(link::Config().keepalive).count());

struct Options
{
    unsigned pushAt = 1;
    unsigned idleSeconds = 0;
    unsigned natSeconds = Figure2Networks::kNatSeconds;
    bool keep = false;
};

Status play(Figure2& figure, const Options& options)
{
    if (auto joined = figure.join(); !joined)
        return joined;
    if (auto spread = figure.spread(options.pushAt); !spread)
        return spread;
    if (auto refused = figure.refuseWhatDoesNotMatch(options.pushAt); !refused)
        return refused;
    if (options.natSeconds <= kUsualKeepalive)
        if (auto measured = figure.awaitMeasurement(); !measured)
            return measured;
    if (options.idleSeconds > 0)
        if (auto idled = figure.idle(std::chrono::seconds(options.idleSeconds)); !idled)
            return idled;
    if (auto spread = figure.spread(options.pushAt); !spread)
        return spread;
    return figure.judge();
}

void keepGoing(Figure2& figure, const std::filesystem::path& programs)
{
    std::printf("\nThe agents go on until this program is interrupted. To look at them:\n");
    for (unsigned node = 1; node <= kFigure2Nodes; ++node)
        std::printf("  node %u: %s --agent %s status\n", node, (programs / "starling").c_str(),
                    figure.fleet().socket(Figure2Networks::agentOf(node)).c_str());
    std::fflush(stdout);
    figure.linger();
}

int run(const Options& options)
{
    if (!enterLab().empty()) {
        std::fprintf(stderr, "figure2: SKIPPED: %s\n", enterLab().c_str());
        return kCannotPlay;
    }
    const QTemporaryDir workspace;
    if (!workspace.isValid()) {
        std::fprintf(stderr, "figure2: %s\n", qUtf8Printable(workspace.errorString()));
        return 1;
    }
    const std::filesystem::path programs =
        std::filesystem::path(QCoreApplication::applicationDirPath().toStdString()).parent_path() / "bin";
    auto figure = Figure2::create({.directory = workspace.path().toStdString(),
                                   .programs = programs,
                                   .say =
                                       [](const std::string& line) {
                                           std::printf("%s\n", line.c_str());
                                           std::fflush(stdout);
                                       },
                                   .isInterrupted = [] { return isStopped != 0; },
                                   .natSeconds = options.natSeconds});
    const Status played = figure ? play(**figure, options) : Status(tl::unexpected<Error>(figure.error()));
    if (!played) {
        if (played.error().code == Errc::Cancelled)
            std::fprintf(stderr, "figure2: interrupted\n");
        else
            std::fprintf(stderr, "figure2: does NOT hold: %s\n", toString(played.error()).c_str());
        return 1;
    }
    std::printf("All of it holds.\n");
    if (options.keep)
        keepGoing(**figure, programs);
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app(
        "Plays Figure 2 with real agents in network namespaces of its own: node 1 public, node 2 "
        "behind a NAT, nodes 3 and 4 behind a firewall with one opened UDP port, that of node 3's "
        "links. Steps: a the nodes join, b an update is pushed and verified (2b: or refused), c its notice "
        "spreads, d its payload crosses NAT and firewall, e node 3 and node 4 give it to each other, f all "
        "are healthy.",
        "tests/lab/figure2");
    app.footer("Exit status: 0 all of it holds, 1 something does not, 2 usage, 77 it cannot be played here "
               "(no network namespaces, or ip or nft missing).");
    Options options;
    app.add_option("--push-at", options.pushAt,
                   "At which node updates are pushed: 1 to 4; of 4 the payload has no way out but node 3")
        ->check(CLI::Range(1u, kFigure2Nodes))
        ->capture_default_str();
    app.add_option("--idle", options.idleSeconds,
                   "Seconds of silence between the pushes; the NAT must not forget meanwhile")
        ->check(CLI::Range(0u, 3'600u))
        ->capture_default_str();
    app.add_option("--forget", options.natSeconds,
                   "Seconds of silence after which the NAT forgets; up to 17, and node 2 measures it first, "
                   "which takes some minutes")
        ->check(CLI::Range(6u, 300u))
        ->capture_default_str();
    app.add_flag("--keep", options.keep, "Go on until interrupted, and say how to look at the agents");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    enterLab(); // before there are threads
    const QCoreApplication application(argc, argv);
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
        std::signal(number, [](int) { isStopped = 1; });
    return run(options);
}
