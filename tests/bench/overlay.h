// SPDX-License-Identifier: Apache-2.0
/// What an overlay of many real processes in one network namespace does, ours and Serf's alike. Bytes are
/// counted on the interface, as IP packets.
#pragma once

#include "bench.h"

#include <functional>
#include <map>
#include <optional>

namespace starling::bench {

/// What came of one run; what was not measured is empty.
struct OverlayRun
{
    double formationSeconds = 0; ///< from the last launch until everybody knew of the first notice
    std::vector<double> lastMs; ///< for each notice: from its origin to the last node
    std::size_t missed = 0; ///< nodes that had not heard of a notice in time, over all notices
    double bytesPerNotice = 0; ///< sent per node, without what is sent while nothing happens
    double idleBytesPerSecond = 0; ///< sent per node
    double cpuPercent = 0; ///< of one processor, per node, while idle
    std::optional<double> crashKnownSeconds; ///< by all of its neighbours
};

/// How much of it is measured.
struct OverlayPlan
{
    std::size_t nodes = 100;
    std::size_t notices = 100;
    /// Before what counts: who is new looks around more (overlay::MembershipConfig::youth).
    std::chrono::seconds settling{200};
    std::chrono::seconds idle{600};
    bool hasCrash = true;
    std::string network = "wan"; ///< profile, as agent.conf has it
};

Result<OverlayRun> runAgents(const Bench& bench, const OverlayPlan& plan);
/// Serf's user events, LAN profile, with a payload as large as a notice. NotFound if it is not installed.
Result<OverlayRun> runSerf(const Bench& bench, const OverlayPlan& plan);

/// All that the loopback interface of this namespace has carried, as IP packets.
double loopbackBytes();

/// The half that runs in the namespace: prints the figures' lines.
Status measureOverlayInside(const Bench& bench, const std::string& figure);

} // namespace starling::bench
