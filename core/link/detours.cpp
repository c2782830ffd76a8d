// SPDX-License-Identifier: Apache-2.0
#include "link/detours.h"

#include <algorithm>
#include <utility>

namespace starling::link {

namespace {

std::uint64_t numberOf(NodeTag tag)
{
    return static_cast<std::uint64_t>(tag);
}

} // namespace

Detours::Detours(Shared& shared, LinkTable& table)
    : m_shared(shared)
    , m_table(table)
{
}

Relay& Detours::relay(Instant now)
{
    if (!m_relay)
        m_relay.emplace(m_shared.config.relay, now);
    return *m_relay;
}

/// The link to this node that is no detour.
LinkTable::Iterator Detours::direct(NodeTag node)
{
    return std::find_if(m_table.slots().begin(), m_table.slots().end(), [&](const auto& entry) {
        return entry.second.link && !isDetour(entry.first) && tagOf(entry.second.link->node()) == node;
    });
}

bool Detours::isNeeded(const Endpoint& from, const NodeId& node)
{
    if (!mayLeadTo(from, node))
        return false;
    const auto slot = isDetour(from) ? direct(tagOf(node)) : m_table.slots().end();
    return slot == m_table.slots().end() || slot->second.link->isSuspect();
}

std::optional<NodeId> Detours::relayOf(const Endpoint& detour) const
{
    if (!isDetour(detour))
        return std::nullopt;
    for (const auto& [endpoint, slot] : std::as_const(m_table).slots())
        if (slot.link && !isDetour(endpoint) && leadsThrough(detour, slot.link->node()))
            return slot.link->node();
    return std::nullopt;
}

// --- Searches

void Detours::arm(Search& search, Duration delay)
{
    search.generation = ++m_shared.timerGeneration;
    m_shared.outputs.push_back(ScheduleTimer{delay, Timer{search.timer, search.generation}});
}

void Detours::seek(const NodeId& node, const Endpoint& to, unsigned tries, Instant)
{
    const auto found = m_searches.find(node);
    if (found != m_searches.end()) {
        found->second.targets.insert(to);
        return;
    }
    const auto& slots = m_table.slots();
    const bool isLinked = std::any_of(slots.begin(), slots.end(), [&](const auto& entry) {
        return entry.second.link && entry.second.link->node() == node;
    });
    if (isLinked || m_searches.size() == kMaxSearches)
        return;
    Search& search = m_searches[node];
    search.node = node;
    search.timer = m_table.newId();
    search.tries = tries;
    search.targets.insert(to);
    arm(search, kPatience);
}

bool Detours::onTimer(const Timer& timer, Instant now)
{
    const auto found = std::find_if(m_searches.begin(), m_searches.end(),
                                    [&](const auto& one) { return one.second.timer == timer.link; });
    if (found == m_searches.end())
        return false;
    Search& search = found->second;
    if (search.generation != timer.generation || search.detour)
        return true;
    if (search.asked == kAsks)
        end(found, m_ended);
    else
        ask(search, now);
    return true;
}

void Detours::ask(Search& search, Instant now)
{
    ++search.asked;
    for (auto& [endpoint, slot] : m_table.slots())
        if (slot.link && !isDetour(endpoint)) {
            slot.link->say(Seek{numberOf(tagOf(search.node))}, now);
            slot.link->arm(now);
        }
    arm(search, kAnswerTime);
}

/// Neighbours are asked each time that such a link has waited in vain: their own may be lost, and come back
/// by another way.
void Detours::rescue(Instant now)
{
    if (m_shared.lost.empty())
        return;
    std::erase_if(m_lost, [this](const auto& entry) {
        const auto slot = m_table.findUp(entry.second);
        return slot == m_table.slots().end() || !slot->second.link->isLost();
    });
    for (const LinkId id : std::exchange(m_shared.lost, {})) {
        const auto lost = m_table.findUp(id);
        if (lost == m_table.slots().end() || m_lost.size() >= kMaxLost)
            continue;
        const NodeTag tag = tagOf(lost->second.link->node());
        m_lost.insert_or_assign(tag, id);
        for (auto& [endpoint, slot] : m_table.slots())
            if (slot.link && !isDetour(endpoint) && slot.link->id() != id) {
                slot.link->say(Seek{numberOf(tag)}, now);
                slot.link->arm(now);
            }
    }
}

void Detours::onSeen(const Errand& errand, Instant now)
{
    if (const auto lost = m_lost.find(errand.tag); lost != m_lost.end()) {
        const auto slot = m_table.findUp(lost->second);
        if (slot != m_table.slots().end() && slot->second.link->isLost()) {
            slot->second.link->check(detourTo(errand.tag, errand.node), now);
            slot->second.link->arm(now);
        }
    }
    const auto found = std::find_if(m_searches.begin(), m_searches.end(),
                                    [&](const auto& one) { return tagOf(one.first) == errand.tag; });
    if (found == m_searches.end() || found->second.asked == 0)
        return;
    Search& search = found->second;
    const auto isKnown = std::find(search.relays.begin(), search.relays.end(), errand.node);
    if (isKnown != search.relays.end() || search.relays.size() == kMaxRelays)
        return;
    search.relays.push_back(errand.node);
    if (!search.detour)
        tryNext(found, now);
}

void Detours::tryNext(Searches::iterator found, Instant now)
{
    Search& search = found->second;
    search.detour.reset();
    if (search.tried == search.relays.size()) {
        if (search.asked == kAsks)
            return end(found, m_ended);
        return ask(search, now);
    }
    search.detour = detourTo(tagOf(search.node), search.relays[search.tried++]);
    const auto slot = m_table.obtain(*search.detour);
    LinkTable::Slot& s = slot->second;
    if (s.link || s.attempt)
        return; // the other side was quicker
    s.isTarget = true;
    s.tries = std::max(search.tries, 1u);
    m_table.startAttempt(slot, s.answer ? now + m_shared.config.reconnectMin : now, now);
}

void Detours::end(Searches::iterator search, std::vector<Output>& outputs)
{
    for (const Endpoint& endpoint : search->second.failed)
        outputs.emplace_back(LinkFailed{endpoint});
    m_searches.erase(search);
}

/// There is a link to `node` now: attempts to reach it elsewhere are needed no longer.
void Detours::succeed(const NodeId& node, const Endpoint& at)
{
    const auto found = m_searches.find(node);
    if (found == m_searches.end())
        return;
    std::set<Endpoint> ways = found->second.targets;
    if (found->second.detour)
        ways.insert(*found->second.detour);
    ways.erase(at);
    m_searches.erase(found);
    for (const Endpoint& way : ways) {
        const auto slot = m_table.find(way);
        // A handshake that the other side has answered may be up there already, and is ended.
        const bool isIdle = slot != m_table.slots().end() && !slot->second.link && slot->second.attempt
            && slot->second.attempt->state() == Attempt::State::Greeting;
        if (!isIdle || !slot->second.isTarget || slot->second.tries == 0)
            continue;
        m_table.dropAttempt(slot->second);
        slot->second.isTarget = false;
        slot->second.attempts = 0;
        m_table.dropIfEmpty(slot);
    }
}

/// Whether it is to be kept from whoever tried, for now or for good.
bool Detours::onFailed(const Endpoint& endpoint, Instant now, std::vector<Output>& outputs)
{
    for (auto search = m_searches.begin(); search != m_searches.end(); ++search) {
        if (search->second.detour == endpoint) {
            tryNext(search, now);
            outputs.insert(outputs.end(), m_ended.begin(), m_ended.end());
            m_ended.clear();
            return true;
        }
        if (search->second.targets.erase(endpoint) != 0) {
            search->second.failed.push_back(endpoint);
            return true;
        }
    }
    return isDetour(endpoint);
}

void Detours::review(std::vector<Output>& outputs, Instant now)
{
    if (m_searches.empty() && m_ended.empty())
        return;
    std::vector<Output> kept = std::exchange(m_ended, {});
    for (Output& output : std::exchange(outputs, {})) {
        if (const auto* up = std::get_if<LinkUp>(&output))
            succeed(up->node, up->endpoint);
        if (const auto* failed = std::get_if<LinkFailed>(&output);
            failed && onFailed(failed->endpoint, now, kept))
            continue;
        kept.push_back(std::move(output));
    }
    // What the searches did meanwhile comes after it.
    kept.insert(kept.end(), std::make_move_iterator(outputs.begin()), std::make_move_iterator(outputs.end()));
    outputs = std::move(kept);
}

// --- Datagrams

std::vector<Detours::Arrived> Detours::work(Instant now)
{
    rescue(now);
    std::vector<Arrived> arrived;
    while (!m_shared.errands.empty()) {
        Errand errand = std::move(m_shared.errands.front());
        m_shared.errands.pop_front();
        switch (errand.what) {
        case Errand::What::Arrived:
            arrived.push_back({detourTo(errand.tag, errand.node), std::move(errand.datagram)});
            break;
        case Errand::What::Dispatch:
            dispatch(errand, now);
            break;
        case Errand::What::Carry:
            carry(errand, now);
            break;
        case Errand::What::Seek:
            if (const auto slot = direct(errand.tag), back = m_table.findUp(errand.link);
                slot != m_table.slots().end() && back != m_table.slots().end())
                back->second.link->say(Seen{numberOf(errand.tag)}, now);
            break;
        case Errand::What::Seen:
            onSeen(errand, now);
            break;
        case Errand::What::Refused:
            onRefused(errand, now);
            break;
        }
    }
    return arrived;
}

/// One of our own datagrams sets out on its detour.
void Detours::dispatch(const Errand& errand, Instant now)
{
    for (auto& [endpoint, slot] : m_table.slots()) {
        if (!slot.link || isDetour(endpoint) || !leadsThrough(errand.to, slot.link->node()))
            continue;
        slot.link->say(Forward{numberOf(targetOf(errand.to)), errand.datagram}, now);
        return slot.link->arm(now);
    }
    // The relay has gone. What went through it ends by its timeouts; whoever is there may be found again.
}

void Detours::carry(const Errand& errand, Instant now)
{
    const auto back = m_table.findUp(errand.link);
    if (back == m_table.slots().end())
        return;
    const auto refuse = [&](NotForwarded::Reason reason) {
        back->second.link->say(NotForwarded{numberOf(errand.tag), reason}, now);
    };
    const auto slot = direct(errand.tag);
    if (slot == m_table.slots().end() || slot == back)
        return refuse(NotForwarded::Reason::NoLink);
    switch (relay(now).judge(errand.node, slot->second.link->node(), errand.datagram.size(), now)) {
    case Relay::Verdict::Carry:
        slot->second.link->say(Forwarded{numberOf(tagOf(errand.node)), errand.datagram}, now);
        return slot->second.link->arm(now);
    case Relay::Verdict::Drop:
        return;
    case Relay::Verdict::Refuse:
        return refuse(NotForwarded::Reason::Quota);
    }
}

void Detours::onRefused(const Errand& errand, Instant now)
{
    const auto slot = m_table.find(detourTo(errand.tag, errand.node));
    if (slot == m_table.slots().end())
        return;
    LinkTable::Slot& s = slot->second;
    if (s.link && errand.reason == NotForwarded::Reason::Quota)
        return s.link->holdBack(now);
    if (errand.reason != NotForwarded::Reason::NoLink)
        return;
    if (s.link)
        m_table.endLink(slot, Errc::Unreachable, now);
    else if (s.attempt)
        m_table.giveUp(slot);
}

} // namespace starling::link
