// SPDX-License-Identifier: Apache-2.0
/// Simulated fleets of the scenarios in tests/sim/scenarios: how quickly a release reaches the last node, in
/// how many copies, and what the simulation costs.
#include "bench.h"
#include "heap.h"
#include "scenario_file.h"
#include "sim/simulation.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <unistd.h>

namespace starling::bench {

namespace {

using namespace std::chrono_literals;

/// How releases reached everybody.
struct Times
{
    double p99 = 0, last = 0; ///< ms
    double redundancy = 0; ///< superfluous copies for each that was taken
};

struct Spread
{
    Times named; ///< the last one that a node published which the scenario names
    Times any; ///< medians of those that came from any node, if there are some
    Times newest;
    double firstRedundancy = 0;
    double wallSeconds = 0; ///< until the last one was everywhere
    double reachedPercent = 0; ///< of honest nodes that are up, at the end
    double eventsPerSecond = 0; ///< of the processor, over the whole run
    double kibPerNode = 0;
};

std::uint64_t residentBytes()
{
    std::uint64_t whole = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> whole >> resident; // proc(5): in pages
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double milliseconds(Duration time)
{
    return std::chrono::duration<double, std::milli>(time).count();
}

Result<sim::Scenario> scenarioNamed(const std::string& name, bool isQuick)
{
    constexpr std::uint32_t kQuickNodes = 500;
    auto scenario = sim::readScenario(STARLING_SOURCE_DIR "/tests/sim/scenarios/" + name + ".ini");
    if (scenario && isQuick)
        scenario->nodes = std::min(scenario->nodes, kQuickNodes);
    return scenario;
}

Times timesOf(const sim::Spread& release)
{
    return {milliseconds(release.p99.value_or(Duration{})), milliseconds(release.last.value_or(Duration{})),
            release.redundancy};
}

double medianOf(const std::vector<Times>& all, double Times::*what)
{
    std::vector<double> values;
    for (const Times& times : all)
        values.push_back(times.*what);
    return values.empty() ? 0 : median(std::move(values));
}

Spread spreadIn(const sim::Scenario& scenario)
{
    Spread spread;
    std::vector<Duration> published;
    std::vector<bool> isNamed;
    for (const sim::Action& action : scenario.timeline)
        if (action.what == sim::Action::What::Publish) {
            published.push_back(action.at);
            isNamed.push_back(action.node.has_value());
        }
    const std::uint64_t memoryBefore = residentBytes();
    const sim::FleetHeap heap(scenario.nodes);
    sim::Simulation simulation(scenario, 1);
    const std::clock_t begin = std::clock();
    const auto runUntil = [&](Duration time) { simulation.runFor(time - simulation.now()); };
    runUntil(published.back() - 1ns);
    const auto wall = std::chrono::steady_clock::now();
    runUntil(published.back() + 1s);
    spread.wallSeconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count();
    runUntil(scenario.duration);
    const double cpuSeconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    const sim::Outcome end = simulation.outcome();
    spread.firstRedundancy = end.releases.front().redundancy;
    std::vector<Times> any;
    for (std::size_t i = 0; i < end.releases.size(); ++i)
        if (isNamed[i])
            spread.named = timesOf(end.releases[i]);
        else
            any.push_back(timesOf(end.releases[i]));
    spread.any = {medianOf(any, &Times::p99), medianOf(any, &Times::last), medianOf(any, &Times::redundancy)};
    spread.newest = timesOf(end.releases.back());
    spread.reachedPercent = 100 * end.delivered;
    spread.eventsPerSecond = static_cast<double>(end.events) / std::max(cpuSeconds, 1e-6);
    spread.kibPerNode = static_cast<double>(residentBytes() - memoryBefore) / 1024 / scenario.nodes;
    return spread;
}

struct Size
{
    const char* figure;
    const char* scenario;
    double p99, last; ///< goals, ms
};

Status measureSize(const Bench& bench, Report& report, const Size& size)
{
    const auto scenario = scenarioNamed(size.scenario, bench.isQuick);
    if (!scenario)
        return tl::unexpected<Error>(scenario.error());
    const Spread spread = spreadIn(*scenario);
    const auto add = [&](const char* of, double value, const char* unit, double goal,
                         Holds holds = Holds::AtMost) {
        report.add({size.figure, of, value, unit, "", {}, holds, goal});
    };
    add("99 % reached", spread.named.p99, "ms", size.p99);
    add("last reached", spread.named.last, "ms", size.last);
    add("superfluous copies, settled", spread.named.redundancy, "per node", 0.05);
    add("99 % reached, from any node", spread.any.p99, "ms", size.p99);
    add("last reached, from any node", spread.any.last, "ms", size.last);
    add("superfluous copies, from any node", spread.any.redundancy, "per node", 0.05);
    add("superfluous copies, first notice", spread.firstRedundancy, "per node", 0.5);
    add("memory", spread.kibPerNode, "KiB per node", 8);
    add("speed", spread.eventsPerSecond, "events/s", 1e6, Holds::AtLeast);
    add("wall time of the last notice", spread.wallSeconds, "s", 60);
    return {};
}

} // namespace

Status measureSim10k(const Bench& bench, Report& report)
{
    return measureSize(bench, report, {"sim-10k", "10k", 150, 200});
}

Status measureSim100k(const Bench& bench, Report& report)
{
    return measureSize(bench, report, {"sim-100k", "100k", 180, 250});
}

Status measureSim1m(const Bench& bench, Report& report)
{
    return measureSize(bench, report, {"sim-1m", "1m", 210, 300});
}

/// Beside the same fleet without loss.
Status measureSimLoss(const Bench& bench, Report& report)
{
    constexpr double kMost = 2; // times: performance.md, goal 6
    auto clean = scenarioNamed("10k", bench.isQuick);
    if (!clean)
        return tl::unexpected<Error>(clean.error());
    const double without = spreadIn(*clean).any.last;
    for (const std::string name : {"loss_1", "loss_10"}) {
        const auto scenario = scenarioNamed(name, bench.isQuick);
        if (!scenario)
            return tl::unexpected<Error>(scenario.error());
        const Spread spread = spreadIn(*scenario);
        const std::string of = name == "loss_1" ? "1 %" : "10 %";
        report.add({"sim-loss", of + ": last reached", spread.any.last, "ms", "no loss", without,
                    Holds::AtMost, kMost * without});
        report.add({"sim-loss", of + ": reached", spread.reachedPercent, "%", "", {}, Holds::AtLeast, 100});
    }
    return {};
}

Status measureSimMassCrash(const Bench& bench, Report& report)
{
    const auto scenario = scenarioNamed("mass_crash", bench.isQuick);
    if (!scenario)
        return tl::unexpected<Error>(scenario.error());
    const Spread spread = spreadIn(*scenario);
    report.add({"sim-mass-crash",
                "reached of the survivors of 80 %",
                spread.reachedPercent,
                "%",
                "",
                {},
                Holds::AtLeast,
                99.9});
    return {};
}

/// The scenario ends a minute after its last release.
Status measureSimHostile(const Bench& bench, Report& report)
{
    const auto scenario = scenarioNamed("hostile", bench.isQuick);
    if (!scenario)
        return tl::unexpected<Error>(scenario.error());
    const Spread spread = spreadIn(*scenario);
    constexpr double kWithin = 60'000; // ms: performance.md, goal 9
    report.add({"sim-hostile",
                "reached of the honest 80 %",
                spread.reachedPercent,
                "%",
                "",
                {},
                Holds::AtLeast,
                99.9});
    report.add({"sim-hostile", "last reached", spread.newest.last, "ms", "", {}, Holds::AtMost, kWithin});
    return {};
}

} // namespace starling::bench
