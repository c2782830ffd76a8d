// SPDX-License-Identifier: Apache-2.0
#include "fleetview/course.h"

#include <algorithm>

namespace starling::fleetview {

using trust::Phase;

namespace {

/// A release that goes well (core/update's life cycle).
constexpr std::array kWay{Phase::Announced, Phase::Accepted,  Phase::Downloading, Phase::Verifying,
                          Phase::Staged,    Phase::Deploying, Phase::Checking,    Phase::Healthy};

bool isOfSame(const trust::ReceiptEntry& a, const trust::ReceiptEntry& b)
{
    return a.uri == b.uri && a.revision == b.revision && a.infoHash == b.infoHash;
}

/// Looked for from the end: a payload that was wrong is fetched again.
const Change* lastChangeTo(Phase phase, const Device& device, const trust::ReceiptEntry& entry)
{
    const auto found =
        std::find_if(device.history.rbegin(), device.history.rend(), [&](const Change& change) {
            return change.entry.phase == phase && isOfSame(change.entry, entry);
        });
    return found == device.history.rend() ? nullptr : &*found;
}

std::optional<UtcTime> timeOf(const Change* change, const Device& device)
{
    const bool wasThereBefore = change != nullptr && change->at <= device.firstSeen;
    return change != nullptr && !wasThereBefore ? std::optional(change->at) : std::nullopt;
}

} // namespace

std::string_view legStateName(Leg::State state)
{
    switch (state) {
    case Leg::State::Done:
        return "done";
    case Leg::State::Now:
        return "now";
    case Leg::State::Ahead:
        return "ahead";
    }
    return "";
}

std::vector<Leg> courseOf(const Device& device, const trust::ReceiptEntry& entry)
{
    std::vector<Leg> legs;
    const auto add = [&](Phase phase, Leg::State state) {
        const Change* const seen = state == Leg::State::Ahead ? nullptr : lastChangeTo(phase, device, entry);
        legs.push_back({phase, state, timeOf(seen, device)});
    };
    if (entry.phase <= Phase::Checking || entry.phase == Phase::Healthy) {
        const auto now = std::find(kWay.begin(), kWay.end(), entry.phase);
        for (auto phase = kWay.begin(); phase != kWay.end(); ++phase)
            add(*phase, phase < now ? Leg::State::Done : phase == now ? Leg::State::Now : Leg::State::Ahead);
        return legs;
    }
    for (const Phase phase : kWay)
        if (lastChangeTo(phase, device, entry) != nullptr)
            add(phase, Leg::State::Done);
    const bool wasRolledBack = entry.phase == Phase::RolledBack;
    if (wasRolledBack && lastChangeTo(Phase::RollingBack, device, entry) != nullptr)
        add(Phase::RollingBack, Leg::State::Done);
    add(entry.phase, Leg::State::Now);
    if (entry.phase == Phase::RollingBack)
        add(Phase::RolledBack, Leg::State::Ahead);
    return legs;
}

} // namespace starling::fleetview
