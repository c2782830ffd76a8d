// SPDX-License-Identifier: Apache-2.0
#include "bench.h"
#include "crypto/signing.h"
#include "heap.h"
#include "sim/simulation.h"

#include <ctime>

namespace starling::bench {

namespace {

using namespace std::chrono_literals;

struct Speed
{
    double eventsPerSecond = 0; ///< of the processor
    double timesRealTime = 0;
};

/// Of the events alone, without making the fleet.
Speed speedOf(const sim::Scenario& scenario)
{
    const sim::FleetHeap heap(scenario.nodes);
    sim::Simulation simulation(scenario, 1);
    const std::clock_t begin = std::clock();
    simulation.runToEnd();
    const double seconds =
        std::max(static_cast<double>(std::clock() - begin), 1.0) / static_cast<double>(CLOCKS_PER_SEC);
    return {static_cast<double>(simulation.events()) / seconds,
            std::chrono::duration<double>(simulation.now()).count() / seconds};
}

void addPublication(sim::Scenario& scenario, Duration at)
{
    scenario.timeline.push_back(
        {sim::Action::What::Publish, at, sim::NodeIndex{0}, {}, 0, {}, "publish node 0"});
}

/// A fleet that does what agents do: every node verifies everything, and issues receipts.
sim::Scenario smallFleet(bool isQuick)
{
    sim::Scenario scenario;
    scenario.nodes = isQuick ? 20 : 50;
    scenario.duration = isQuick ? Duration(2min) : Duration(1h);
    addPublication(scenario, 10s);
    return scenario;
}

/// Links and overlay alone: links come up, boards are compared, one release goes round.
sim::Scenario largeFleet(std::uint32_t nodes)
{
    sim::Scenario scenario;
    scenario.nodes = nodes;
    scenario.duration = 40s;
    scenario.links = sim::Scenario::Links::Model;
    scenario.hasCertificates = scenario.issuesReceipts = false;
    scenario.verification = sim::Scenario::Verification::Shared;
    addPublication(scenario, 20s);
    return scenario;
}

} // namespace

Status measureSimulator(const Bench& bench, Report& report)
{
    constexpr double kGoalEvents = 1e6; // a second, on one processor
    constexpr double kGoalTimes = 1'000; // real time, at 50 nodes
    const std::uint32_t many = bench.isQuick ? 500 : 100'000;
    const auto large = speedOf(largeFleet(many)); // first: a large fleet is scattered by what was freed before
    const auto small = speedOf(smallFleet(bench.isQuick));
    report.add({"sim-speed",
                "50 nodes, times real time",
                small.timesRealTime,
                "x",
                "",
                {},
                Holds::AtLeast,
                kGoalTimes});
    report.add({"sim-speed",
                "50 nodes, each verifies",
                small.eventsPerSecond,
                "events/s",
                "",
                {},
                Holds::AtLeast,
                kGoalEvents});
    report.add({"sim-speed",
                std::to_string(many) + " nodes",
                large.eventsPerSecond,
                "events/s",
                "",
                {},
                Holds::AtLeast,
                kGoalEvents});
    return {};
}

} // namespace starling::bench
