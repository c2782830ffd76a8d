// SPDX-License-Identifier: Apache-2.0
/// What other commands need of sums.
#pragma once

#include "command_line.h"
#include "fleetview/hints.h"

namespace starling::cli {

/// What the agent was told in sums; nothing if receipts come to it by themselves, or if it does not say.
std::optional<fleetview::Hints> hintsFor(const CommandLine& line);

} // namespace starling::cli
