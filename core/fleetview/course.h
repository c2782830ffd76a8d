// SPDX-License-Identifier: Apache-2.0
/// How far a device is with a release, phase by phase: what its receipts said, and when this console saw
/// them. A phase that a device passed between two receipts was reached at an unknown time; nothing is
/// guessed. Pure.
#pragma once

#include "fleetview/fleet.h"

namespace starling::fleetview {

struct Leg
{
    enum class State : std::uint8_t {
        Done, ///< the device is further
        Now,
        Ahead,
    };
    trust::Phase phase = trust::Phase::Announced;
    State state = State::Ahead;
    /// When this console saw the device begin it; nothing: not seen, or there before this console.
    std::optional<UtcTime> at;
    bool operator==(const Leg&) const = default;
};
std::string_view legStateName(Leg::State state); ///< "done", "now", "ahead": in JSON

/// The way of what `entry` of the device's receipt tells of. Of a release that failed or is rolled back: what
/// was seen of its way, then the end; nothing is ahead of a release that has ended.
std::vector<Leg> courseOf(const Device& device, const trust::ReceiptEntry& entry);

} // namespace starling::fleetview
