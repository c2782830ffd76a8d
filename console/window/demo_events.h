// SPDX-License-Identifier: Apache-2.0
/// What an agent would tell as events, of a fleet that is simulated: receipts, what the observer's own device
/// does, notices that it refused, its links. Times are the fleet's.
#pragma once

#include "feed.h"
#include "sim/demo_fleet.h"

namespace starling::window {

class DemoEvents
{
public:
    /// Receipts that were verified, at the fleet's time `at`, in ms since 1970.
    void take(const std::vector<board::DeviceReceipt>& receipts, const NodeId& observer, qint64 at);
    /// What else happened to the observer since the last call.
    void look(sim::DemoFleet& fleet, qint64 at);
    /// The newest, as FeedWorker keeps them; the same until something happens.
    EventsPtr events();

private:
    void add(qint64 at, control::Event event);
    std::deque<SeenEvent> m_new; ///< not in m_told yet
    EventsPtr m_told;
    std::set<NodeId> m_links;
};

} // namespace starling::window
