// SPDX-License-Identifier: Apache-2.0
/// The words of a scenario: times, shares, counts, and the actions of its timeline. Internal to this room;
/// the grammar is at the top of scenario.h. All fail with ConfigInvalid.
#pragma once

#include "sim/scenario.h"

namespace starling::sim {

/// Separated by blanks.
std::vector<std::string_view> wordsOf(std::string_view text);
/// "250ms", "10s", "1.5m", "1h": at most a year.
Result<Duration> parseTime(std::string_view text);
/// "30%", "0.5%"; at most 100%.
Result<Share> parseShare(std::string_view text);
/// Decimal, at most `most`.
Result<std::uint32_t> parseCount(std::string_view text, std::uint32_t most);
/// Appends the actions of one line.
Status parseActions(Duration at, std::string_view text, std::vector<Action>& to);

} // namespace starling::sim
