// SPDX-License-Identifier: Apache-2.0
/// What becomes of receipts while their observer wants sums (collection.h).
#include "overlay/collection.h"

#include <algorithm>

namespace starling::overlay {

namespace {

bool isMatch(const Ask& ask, const TallyKey& key)
{
    return (!ask.uri || *ask.uri == key.uri)
        && (!ask.revision || *ask.revision == std::pair(key.epoch, key.version))
        && (!ask.phase || *ask.phase == key.phase) && (!ask.site || ask.site == key.site);
}

} // namespace

/// What the newest pulse says about sums.
void Collection::heed(Ways::value_type& way, const PulseInfo& info, Instant now)
{
    Way& to = way.second;
    const bool wantedSums = std::exchange(to.wantsSums, info.wantsSums);
    const std::optional<Ask> last = std::exchange(to.ask, info.wantsSums ? info.ask : std::nullopt);
    const bool isOtherAsk = (last ? last->number : 0) != (to.ask ? to.ask->number : 0);
    if (isOtherAsk)
        to.answered.clear();
    if (!to.wantsSums) {
        if (!wantedSums)
            return;
        to.sums.clear();
        if (!to.own.isDelivered)
            enqueueOwn(way, now);
        return;
    }
    if (!wantedSums) {
        to.waiting.clear(); // the devices have them
        countOwn(way, now);
    }
    to.sums.pulsed(now, m_config);
    const bool isAskedAgain = isOtherAsk && to.ask && to.ask->device == m_self;
    if (!to.own.isDelivered ? isOtherAsk || !wantedSums : isAskedAgain)
        enqueueOwn(way, now);
}

void Collection::countOwn(Ways::value_type& way, Instant now)
{
    if (!way.second.wantsSums || !m_own)
        return;
    const auto keys = m_mediator.tallyOf(way.first, m_own->receipt);
    way.second.sums.setOwn(keys ? std::optional(tallyOfDevice(*keys)) : std::nullopt, now, m_config);
}

bool Collection::isAskedFor(const Ways::value_type& way, const NodeId& device, const Bytes& receipt) const
{
    const std::optional<Ask>& ask = way.second.ask;
    if (!ask || (ask->device && *ask->device != device))
        return false;
    const auto keys = m_mediator.tallyOf(way.first, receipt);
    if (!keys)
        return false;
    if (!ask->uri && !ask->revision && !ask->phase && !ask->site)
        return true;
    return std::any_of(keys->begin(), keys->end(), [&](const TallyKey& key) { return isMatch(*ask, key); });
}

/// A device that repeats itself is counted once.
bool Collection::letsThrough(Ways::value_type& way, const NodeId& device, const Bytes& receipt) const
{
    Way& here = way.second;
    if (!isAskedFor(way, device, receipt))
        return false;
    if (!here.answered.contains(device) && here.answered.size() >= here.ask->limit)
        return false;
    here.answered.insert(device);
    return true;
}

void Collection::onSums(NeighborId from, const SumsMessage& message, Instant now)
{
    const auto peer = m_peers.find(from);
    const auto way = m_ways.find(message.observer);
    if (peer == m_peers.end() || way == m_ways.end() || !way->second.wantsSums)
        return;
    // What comes too often is not lost for good: what counts is said again.
    if (!peer->second.sums.isOpen(now))
        return;
    peer->second.sums.spend(1);
    way->second.sums.setChild(from, message.tally, now, m_config);
}

void Collection::tellSums(Ways::value_type& way, Instant now, Postbox& postbox) const
{
    Way& here = way.second;
    const auto due = here.sums.nextWork();
    if (!due || *due > now)
        return;
    // The parent of the sums stays while it is nearer: every one that moves is missing or counted twice for a
    // moment. An observer that has not pulsed for long is told nothing.
    std::optional<NeighborId> parent = here.parent;
    if (const auto held = here.sums.parent() ? here.heard.find(*here.sums.parent()) : here.heard.end();
        held != here.heard.end() && held->second.number == here.number && held->second.hops < here.hops)
        parent = held->first;
    if (now - here.pulsed >= m_config.sumsAge)
        parent.reset();
    here.sums.work(way.first, parent, now, m_config, postbox);
}

std::optional<Hints> Collection::hints(Instant now) const
{
    const auto own = m_ways.find(m_self);
    if (own == m_ways.end() || !own->second.wantsSums)
        return std::nullopt;
    return own->second.sums.total(now);
}

} // namespace starling::overlay
