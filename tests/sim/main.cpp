// SPDX-License-Identifier: Apache-2.0
/// starling-sim: runs a scenario and says what came of it.
#include "crypto/signing.h"
#include "heap.h"
#include "report.h"
#include "scenario_file.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace starling;
using namespace starling::sim;
using Clock = std::chrono::steady_clock;

/// Between two looks at the clock.
constexpr std::uint64_t kEventsAtATime = 20'000;

double secondsSince(Clock::time_point begin)
{
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// How far it is and how long it will take, on standard error, once it takes more than a second.
class Progress
{
public:
    void show(const Simulation& simulation, Duration whole)
    {
        const double elapsed = secondsSince(m_begin);
        if (elapsed < 1 || secondsSince(m_shown) < 0.5)
            return;
        m_shown = Clock::now();
        m_isShown = true;
        const double share =
            static_cast<double>(simulation.now().count()) / static_cast<double>(whole.count());
        std::fprintf(stderr, "\r%5.1f %%  %llu events  %.1f s, %.0f s left \033[K", 100 * share,
                     static_cast<unsigned long long>(simulation.events()), elapsed,
                     share > 0 ? elapsed / share - elapsed : 0);
        if (::isatty(STDERR_FILENO) == 0)
            std::fputc('\n', stderr);
    }
    ~Progress()
    {
        if (m_isShown && ::isatty(STDERR_FILENO) != 0)
            std::fputs("\r\033[K", stderr);
    }

private:
    Clock::time_point m_begin = Clock::now();
    Clock::time_point m_shown = m_begin;
    bool m_isShown = false;
};

int simulate(Run& run, const Scenario& scenario, bool isJson)
{
    const auto begin = Clock::now();
    const FleetHeap heap(scenario.nodes);
    Simulation simulation(scenario, run.seed);
    run.setupSeconds = secondsSince(begin);
    const auto started = Clock::now();
    const std::clock_t cpu = std::clock();
    {
        Progress progress;
        while (simulation.run(kEventsAtATime))
            progress.show(simulation, scenario.duration);
    }
    run.wallSeconds = secondsSince(started);
    run.cpuSeconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
    run.verification = scenario.verification;
    run.links = scenario.links;
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    run.peakResidentBytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024; // getrusage(2): in KiB
    run.outcome = simulation.outcome();
    std::fputs((isJson ? jsonLine(run) : table(run)).c_str(), stdout);
    return run.outcome.holds() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("Simulates a fleet in virtual time: the protocols that agents ship, over a network that "
                 "loses, delays and "
                 "cuts off.\nExit status: 0 if all expectations of the scenario hold, 1 if not, 2 usage.",
                 "starling-sim");
    Run run;
    std::optional<std::uint32_t> nodes;
    bool isJson = false;
    app.add_option("SCENARIO", run.scenario, "The file that says what happens; tests/sim/scenarios has some")
        ->required();
    app.add_option("--seed", run.seed, "The same seed gives the same run")->capture_default_str();
    app.add_option("--nodes", nodes, "So many, whatever the scenario says");
    app.add_flag("--json", isJson, "One line of JSON instead of a table");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (auto ready = crypto::initialize(); !ready) {
        std::fprintf(stderr, "starling-sim: %s\n", toString(ready.error()).c_str());
        return 2;
    }
    auto scenario = readScenario(run.scenario);
    if (scenario && nodes) {
        scenario->nodes = *nodes;
        if (auto valid = validate(*scenario); !valid)
            scenario = fail(std::move(valid.error()), "--nodes");
    }
    if (!scenario) {
        std::fprintf(stderr, "starling-sim: %s\n", toString(scenario.error()).c_str());
        return 2;
    }
    run.repeat = "starling-sim " + run.scenario + " --seed " + std::to_string(run.seed)
        + (nodes ? " --nodes " + std::to_string(*nodes) : "");
    return simulate(run, *scenario, isJson);
}
