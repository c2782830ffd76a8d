// SPDX-License-Identifier: Apache-2.0
#include "overlay/broadcast.h"

#include <algorithm>

namespace starling::overlay {

namespace {

/// Notices remembered as seen. Guess: more than spread within the time that telling of them takes.
constexpr std::size_t kMaxSeen = 4'096;
/// Notices that a single neighbour may make us wait for. Guess: eight messages of them.
constexpr std::size_t kMaxToldByOne = 2'048;
constexpr std::size_t kMaxTellers = 8; ///< remembered for each missing notice; guess
/// Guess: an honest neighbour whose board moved on breaks a promise now and then.
constexpr unsigned kMaxBroken = 16;
/// A duplicate of something older comes from comparing boards, and says nothing about the tree. Guess: longer
/// than a notice needs to reach everybody.
constexpr Duration kPruneWindow = std::chrono::seconds(5);
/// What one neighbour may make us send by grafting: as much as by comparing boards (board_exchange.cpp).
constexpr std::uint64_t kAllowanceBurst = 16 * 1024 * 1024;
constexpr std::uint64_t kAllowancePerSecond = 1024 * 1024;

} // namespace

Broadcast::Broadcast(const Config& config)
    : m_config(config)
{
}

void Broadcast::addNeighbor(NeighborId neighbor, Instant now)
{
    m_peers.emplace(neighbor, Peer{true, 0, 0, {}, Allowance(kAllowanceBurst, kAllowancePerSecond, now)});
}

void Broadcast::removeNeighbor(NeighborId neighbor)
{
    m_peers.erase(neighbor);
    for (auto it = m_missing.begin(); it != m_missing.end();) {
        const auto missing = it++;
        std::erase(missing->second.tellers, neighbor);
        if (missing->second.asked == neighbor)
            missing->second.asked.reset();
        if (missing->second.tellers.empty() && !missing->second.asked)
            forget(missing);
    }
}

bool Broadcast::isEager(NeighborId neighbor) const
{
    const auto peer = m_peers.find(neighbor);
    return peer != m_peers.end() && peer->second.isEager;
}

void Broadcast::forget(std::map<NoticeTag, Missing>::iterator missing)
{
    if (const auto first = m_peers.find(missing->second.first); first != m_peers.end())
        --first->second.told;
    m_due.erase({missing->second.due, missing->first});
    m_missing.erase(missing);
}

void Broadcast::setDue(const NoticeTag& tag, Missing& missing, Instant due)
{
    m_due.erase({missing.due, tag});
    missing.due = due;
    m_due.emplace(due, tag);
}

void Broadcast::remember(const NoticeTag& tag, Instant now)
{
    if (const auto missing = m_missing.find(tag); missing != m_missing.end())
        forget(missing);
    if (!m_seen.emplace(tag, now).second)
        return;
    m_seenOrder.push_back(tag);
    if (m_seenOrder.size() > kMaxSeen) {
        m_seen.erase(m_seenOrder.front());
        m_seenOrder.pop_front();
    }
}

std::optional<Instant> Broadcast::seenAt(const NoticeTag& tag) const
{
    const auto seen = m_seen.find(tag);
    return seen == m_seen.end() ? std::nullopt : std::optional(seen->second);
}

std::vector<NeighborId> Broadcast::spread(const NoticeKey& key, ByteView notice,
                                          std::optional<NeighborId> from, Instant now, Postbox& postbox)
{
    const NoticeTag tag = tagOf(notice);
    remember(tag, now);
    std::vector<NeighborId> sentTo;
    for (auto& [neighbor, peer] : m_peers) {
        if (neighbor == from) {
            peer.isEager = true; // it was the quickest
            peer.broken = 0;
        } else if (peer.isEager) {
            if (postbox.sendNotice(neighbor, notice) > 0)
                sentTo.push_back(neighbor);
        } else if (peer.untold.size() < kMaxItems) { // what is not told is found by comparing boards
            peer.untold.push_back({key, tag});
            if (!m_nextTelling)
                m_nextTelling = now + m_config.tellDelay;
        }
    }
    return sentTo;
}

void Broadcast::hear(NeighborId from, ByteView notice, Instant now)
{
    remember(tagOf(notice), now);
    if (const auto peer = m_peers.find(from); peer != m_peers.end())
        peer->second.broken = 0;
}

void Broadcast::onDuplicate(NeighborId from, ByteView notice, Instant now, Postbox& postbox)
{
    const auto peer = m_peers.find(from);
    if (peer == m_peers.end())
        return;
    const NoticeTag tag = tagOf(notice);
    const auto seen = seenAt(tag);
    remember(tag, now);
    if (!seen || now - *seen > kPruneWindow)
        return;
    // Said again, even if we said it before: the other side may have grafted since.
    peer->second.isEager = false;
    postbox.send(from, PruneMessage());
}

void Broadcast::onPrune(NeighborId from)
{
    if (const auto peer = m_peers.find(from); peer != m_peers.end())
        peer->second.isEager = false;
}

void Broadcast::onIHave(NeighborId from, const IHaveMessage& message, Instant now)
{
    const auto peer = m_peers.find(from);
    if (peer == m_peers.end() || peer->second.broken >= kMaxBroken)
        return;
    for (const IHaveMessage::Item& item : message.items) {
        if (m_seen.contains(item.tag))
            continue;
        const auto known = m_missing.find(item.tag);
        if (known == m_missing.end()) {
            if (peer->second.told >= kMaxToldByOne)
                return;
            ++peer->second.told;
            Missing& missing = m_missing[item.tag];
            missing.key = item.key;
            missing.tellers = {from};
            missing.first = from;
            setDue(item.tag, missing, now + m_config.graftTimeout);
            continue;
        }
        auto& tellers = known->second.tellers;
        if (tellers.size() < kMaxTellers && known->second.asked != from
            && std::find(tellers.begin(), tellers.end(), from) == tellers.end())
            tellers.push_back(from);
    }
}

void Broadcast::onGraft(NeighborId from, const GraftMessage& message, Instant now, const Mediator& mediator,
                        Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end())
        return;
    Peer& peer = found->second;
    peer.isEager = true;
    for (const NoticeKey& key : message.keys) {
        if (!peer.allowance.isOpen(now))
            return;
        const Bytes notice = mediator.notice(key);
        if (!notice.empty())
            peer.allowance.spend(postbox.sendNotice(from, notice));
    }
}

void Broadcast::tell(Postbox& postbox)
{
    m_nextTelling.reset();
    for (auto& [neighbor, peer] : m_peers) {
        if (!peer.untold.empty())
            postbox.send(neighbor, IHaveMessage{std::exchange(peer.untold, {})});
    }
}

std::vector<NeighborId>::iterator Broadcast::mostTrusted(std::vector<NeighborId>& tellers)
{
    return std::min_element(tellers.begin(), tellers.end(), [this](NeighborId a, NeighborId b) {
        return m_peers.at(a).broken < m_peers.at(b).broken;
    });
}

void Broadcast::ask(Instant now, Postbox& postbox)
{
    std::map<NeighborId, GraftMessage> grafts;
    while (!m_due.empty() && m_due.begin()->first <= now) {
        const auto current = m_missing.find(m_due.begin()->second);
        Missing& missing = current->second;
        if (missing.asked) {
            ++m_peers.at(*missing.asked).broken;
            missing.asked.reset();
        }
        if (missing.tellers.empty()) {
            forget(current); // comparing boards will find it, if it is still anywhere
            continue;
        }
        setDue(current->first, missing, now + m_config.graftRetry);
        const auto teller = mostTrusted(missing.tellers);
        GraftMessage& graft = grafts[*teller];
        if (graft.keys.size() == kMaxItems)
            continue; // the rest of a flood waits for its turn
        graft.keys.push_back(missing.key);
        missing.asked = *teller;
        missing.tellers.erase(teller);
    }
    for (auto& [neighbor, graft] : grafts) {
        m_peers.at(neighbor).isEager = true;
        postbox.send(neighbor, graft);
    }
}

} // namespace starling::overlay
