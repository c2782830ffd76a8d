// SPDX-License-Identifier: Apache-2.0
/// Running scenarios in tests.
#pragma once

#include "crypto/signing.h"
#include "scenario_file.h"
#include "sim/simulation.h"

#include <QtTest>

namespace starling::sim {

/// That text is a scenario.
inline Scenario scenarioOf(std::string_view text)
{
    auto scenario = parseScenario(text, "test.ini");
    if (!scenario)
        qFatal("%s", scenario.error().context.c_str());
    return std::move(*scenario);
}

/// One of tests/sim/scenarios.
inline Scenario scenarioNamed(const std::string& name)
{
    auto scenario = readScenario(STARLING_SOURCE_DIR "/tests/sim/scenarios/" + name + ".ini");
    if (!scenario)
        qFatal("%s", scenario.error().context.c_str());
    return std::move(*scenario);
}

/// What does not hold, and how to see it again; empty if all does.
inline std::string failures(const Outcome& outcome, const std::string& name, std::uint64_t seed)
{
    std::string text;
    for (const Judgement& judgement : outcome.judgements)
        if (!judgement.holds)
            text += judgement.expectation + ": " + judgement.found + "\n";
    for (const std::string& mishap : outcome.mishaps)
        text += mishap + "\n";
    if (!text.empty())
        text += "starling-sim tests/sim/scenarios/" + name + ".ini --seed " + std::to_string(seed);
    return text;
}

inline Outcome outcomeOf(const Scenario& scenario, std::uint64_t seed = 1)
{
    Simulation simulation(scenario, seed);
    simulation.runToEnd();
    return simulation.outcome();
}

} // namespace starling::sim
