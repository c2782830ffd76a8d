// SPDX-License-Identifier: Apache-2.0
/// How the outcome of a simulation is shown: as a table, or as one line of JSON. README.md here describes it.
#pragma once

#include "sim/simulation.h"

namespace starling::sim {

struct Run
{
    std::string scenario; ///< its file
    std::uint64_t seed = 1;
    Scenario::Verification verification{};
    Scenario::Links links{};
    std::string repeat; ///< the command that does it again
    double wallSeconds = 0; ///< of the events alone, without making the fleet
    double cpuSeconds = 0; ///< of the same
    double setupSeconds = 0;
    std::uint64_t peakResidentBytes = 0; ///< of the whole process
    Outcome outcome;
};

std::string jsonLine(const Run& run);
std::string table(const Run& run);

} // namespace starling::sim
