// SPDX-License-Identifier: Apache-2.0
#include "overlay/broadcast.h"

#include <algorithm>

namespace starling::overlay {

namespace {

/// Notices that a single neighbour may make us wait for. Guess: eight messages of them.
constexpr std::size_t kMaxToldByOne = 2'048;
constexpr std::size_t kMaxTellers = 8; ///< remembered for each missing notice; guess
/// Guess: an honest neighbour whose board moved on breaks a promise now and then.
constexpr unsigned kMaxBroken = 16;
/// Notices in a row that are asked for once, and have not come along the tree; then it has no branch to us.
/// Guess: one may have been lost.
constexpr unsigned kMaxAsked = 2;
constexpr int kMorePatience = 2; ///< after something was asked for in vain; guess
constexpr int kPatienceLasts = 32; ///< notices until that is forgotten by two thirds; guess
/// What was asked for is worth it if it is this much sooner than along the tree; guess: a step.
constexpr Duration kWorthwhile = std::chrono::milliseconds(20);
/// A duplicate of something older comes from comparing boards, and says nothing about the tree. Guess: longer
/// than a notice needs to reach everybody.
constexpr Duration kPruneWindow = std::chrono::seconds(5);
/// What one neighbour may make us send by grafting: as much as by comparing boards (board_exchange.cpp).
constexpr std::uint32_t kAllowanceBurst = 16 * 1024 * 1024;
constexpr std::uint32_t kAllowancePerSecond = 1024 * 1024;

} // namespace

Broadcast::Broadcast(const Config& config)
    : m_config(config)
    , m_patience(config.graftLeast)
{
}

void Broadcast::addNeighbor(NeighborId neighbor, std::optional<Duration> roundTrip, bool tellsLater,
                            Instant now)
{
    const Allowance allowance(kAllowanceBurst, kAllowancePerSecond, now);
    m_peers.emplace(neighbor, Peer{roundTrip, false, 0, 0, tellsLater, {}, {}, allowance});
}

void Broadcast::removeNeighbor(NeighborId neighbor)
{
    m_isSevered = m_isSevered || isEager(neighbor);
    m_peers.erase(neighbor);
    findNextTelling();
    for (auto it = m_missing.begin(); it != m_missing.end();) {
        const auto missing = it++;
        std::erase_if(missing->second.tellers,
                      [neighbor](const Teller& teller) { return teller.neighbor == neighbor; });
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

/// Whether notices can be expected to come without asking.
bool Broadcast::isInTree() const
{
    return !m_isSevered
        && std::any_of(m_peers.begin(), m_peers.end(), [](const auto& peer) { return peer.second.isEager; });
}

/// How long what somebody told of may still come along the tree.
Duration Broadcast::patience() const
{
    return isInTree() ? m_patience : Duration();
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
    if (!m_seen.contains(tag))
        m_seen.add(tag, now);
}

void Broadcast::becomeLazy(NeighborId neighbor, Postbox& postbox)
{
    const auto peer = m_peers.find(neighbor);
    if (peer == m_peers.end())
        return;
    peer->second.isEager = false;
    postbox.send(neighbor, PruneMessage());
}

std::vector<NeighborId> Broadcast::spread(const NoticeKey& key, const NoticeMessage& message,
                                          std::optional<NeighborId> from, Instant now, Postbox& postbox)
{
    const NoticeTag tag = tagOf(message.bytes);
    Missing awaited;
    if (const auto missing = m_missing.find(tag); missing != m_missing.end())
        awaited = std::move(missing->second);
    // Without a place in the tree, whoever brings something is one, and for what is our own everybody.
    const bool wasInTree = isInTree();
    const bool isBeside = message.isBeside && wasInTree;
    if (from)
        onFirst(awaited, *from, message.isBeside);
    if (from && message.isBeside && !wasInTree && awaited.asked != from)
        postbox.send(*from, GraftMessage());
    const bool isAsUsual = from && !awaited.asked && wasInTree;
    remember(tag, now);
    SeenNotices::Seen& seen = *m_seen.find(tag);
    seen.isBeside = isBeside;
    seen.isAsked = awaited.asked && awaited.asked == from && awaited.isOnce;
    std::vector<NeighborId> sentTo;
    for (auto& [neighbor, peer] : m_peers) {
        if (neighbor == from)
            continue;
        peer.isEager = peer.isEager || (!from && !wasInTree);
        if (peer.isEager) {
            if (postbox.sendNotice(neighbor, message.bytes, isBeside) > 0)
                sentTo.push_back(neighbor);
        } else if (!hasTold(awaited, neighbor)
                   && peer.untold.size() < kMaxItems) { // what is not told is found by comparing boards
            peer.untold.push_back({key, tag});
            setTelling(peer, isAsUsual && peer.tellsLater ? m_config.tellDelay : Duration{}, now);
        }
    }
    m_isSevered = m_isSevered && sentTo.empty() && !from;
    tell(now, postbox);
    if (from && awaited.asked == from && !awaited.isOnce)
        preferQuicker(awaited, *from, now, postbox);
    return sentTo;
}

void Broadcast::setTelling(Peer& peer, Duration delay, Instant now)
{
    const Instant soonest = m_lastTold ? std::max(now, *m_lastTold + m_config.tellDelay) : now;
    const Instant due = std::max(soonest, now + delay);
    peer.tellAt = std::min(due, peer.tellAt.value_or(due));
    m_nextTelling = std::min(*peer.tellAt, m_nextTelling.value_or(*peer.tellAt));
}

void Broadcast::findNextTelling()
{
    m_nextTelling.reset();
    for (const auto& [neighbor, peer] : m_peers)
        if (peer.tellAt && (!m_nextTelling || *peer.tellAt < *m_nextTelling))
            m_nextTelling = peer.tellAt;
}

bool Broadcast::hasTold(const Missing& missing, NeighborId neighbor)
{
    return missing.asked == neighbor
        || std::any_of(missing.tellers.begin(), missing.tellers.end(),
                       [neighbor](const Teller& teller) { return teller.neighbor == neighbor; });
}

/// What is news has come from `from`.
void Broadcast::onFirst(const Missing& awaited, NeighborId from, bool isBeside)
{
    const auto peer = m_peers.find(from);
    if (peer == m_peers.end())
        return;
    peer->second.broken = 0;
    if (isBeside && isInTree())
        return;
    peer->second.isEager = true;
    m_asked = 0;
    learnPatience(awaited.asked && awaited.asked != from);
}

/// How long to wait for the tree: longer after something came along it all the same, before what was asked
/// for or not long after.
void Broadcast::learnPatience(bool isInVain)
{
    const Duration more = m_patience * kMorePatience;
    const Duration less = m_patience * (kPatienceLasts - 1) / kPatienceLasts;
    m_patience = std::clamp(isInVain ? more : less, m_config.graftLeast, m_config.graftTimeout);
}

/// What was asked for came from `from`, perhaps later than others would have sent it.
void Broadcast::preferQuicker(const Missing& missing, NeighborId from, Instant now, Postbox& postbox)
{
    Instant soonest = now;
    auto best = m_peers.end();
    for (const Teller& teller : missing.tellers) {
        const auto peer = m_peers.find(teller.neighbor);
        if (!peer->second.roundTrip || teller.at + *peer->second.roundTrip >= soonest)
            continue;
        soonest = teller.at + *peer->second.roundTrip;
        best = peer;
    }
    if (best == m_peers.end())
        return;
    best->second.isEager = true;
    postbox.send(best->first, GraftMessage());
    becomeLazy(from, postbox);
}

void Broadcast::hear(NeighborId from, ByteView notice, Instant now)
{
    remember(tagOf(notice), now);
    if (const auto peer = m_peers.find(from); peer != m_peers.end())
        peer->second.broken = 0;
}

/// It has that notice.
void Broadcast::untell(Peer& peer, const NoticeTag& tag)
{
    std::erase_if(peer.untold, [&](const IHaveMessage::Item& item) { return item.tag == tag; });
}

void Broadcast::onDuplicate(NeighborId from, const NoticeMessage& message, Instant now, Postbox& postbox)
{
    const auto peer = m_peers.find(from);
    if (peer == m_peers.end())
        return;
    const NoticeTag tag = tagOf(message.bytes);
    SeenNotices::Seen* const seen = m_seen.find(tag);
    const bool isRecent = seen != nullptr && now - seen->at <= kPruneWindow;
    untell(peer->second, tag);
    if (seen == nullptr)
        remember(tag, now);
    if (!isRecent || message.isBeside)
        return;
    if (!seen->isBeside)
        return becomeLazy(from, postbox);
    // The tree has brought it, too.
    seen->isBeside = false;
    peer->second.isEager = true;
    m_asked = 0;
    if (seen->isAsked)
        learnPatience(now - seen->at < kWorthwhile);
}

void Broadcast::onPrune(NeighborId from)
{
    const auto peer = m_peers.find(from);
    if (peer != m_peers.end())
        peer->second.isEager = false;
}

void Broadcast::onIHave(NeighborId from, const IHaveMessage& message, Instant now)
{
    const auto peer = m_peers.find(from);
    if (peer == m_peers.end() || peer->second.broken >= kMaxBroken)
        return;
    for (const IHaveMessage::Item& item : message.items) {
        if (m_seen.contains(item.tag)) {
            untell(peer->second, item.tag);
            continue;
        }
        const auto known = m_missing.find(item.tag);
        if (known == m_missing.end()) {
            if (peer->second.told >= kMaxToldByOne)
                return;
            ++peer->second.told;
            Missing& missing = m_missing[item.tag];
            missing.key = item.key;
            missing.tellers = {{from, now}};
            missing.first = from;
            missing.since = now;
            setDue(item.tag, missing, now + patience());
            continue;
        }
        auto& tellers = known->second.tellers;
        if (tellers.size() < kMaxTellers && known->second.asked != from
            && std::none_of(tellers.begin(), tellers.end(),
                            [from](const Teller& teller) { return teller.neighbor == from; }))
            tellers.push_back({from, now});
    }
}

void Broadcast::onGraft(NeighborId from, const GraftMessage& message, Instant now, const Mediator& mediator,
                        Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end())
        return;
    Peer& peer = found->second;
    peer.isEager = peer.isEager || !message.isOnce;
    for (const NoticeKey& key : message.keys) {
        if (!peer.allowance.isOpen(now))
            return;
        const Bytes notice = mediator.notice(key);
        if (!notice.empty())
            peer.allowance.spend(postbox.sendNotice(from, notice, message.isOnce));
    }
}

void Broadcast::tell(Instant now, Postbox& postbox)
{
    if (!m_nextTelling || *m_nextTelling > now)
        return;
    for (auto& [neighbor, peer] : m_peers) {
        if (!peer.tellAt || *peer.tellAt > now)
            continue;
        peer.tellAt.reset();
        if (peer.untold.empty())
            continue;
        m_lastTold = now;
        postbox.send(neighbor, IHaveMessage{std::exchange(peer.untold, {})}, Delivery::Once);
    }
    findNextTelling();
}

std::vector<Broadcast::Teller>::iterator Broadcast::mostTrusted(std::vector<Teller>& tellers)
{
    return std::min_element(tellers.begin(), tellers.end(), [this](const Teller& a, const Teller& b) {
        return m_peers.at(a.neighbor).broken < m_peers.at(b.neighbor).broken;
    });
}

void Broadcast::ask(Instant now, Postbox& postbox)
{
    std::map<NeighborId, GraftMessage> grafts;
    const bool isOnce = isInTree() && m_asked < kMaxAsked;
    if (!m_due.empty() && m_due.begin()->first <= now)
        m_asked = isOnce ? m_asked + 1 : 0;
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
        GraftMessage& graft = grafts[teller->neighbor];
        if (graft.keys.size() == kMaxItems)
            continue; // the rest of a flood waits for its turn
        graft.keys.push_back(missing.key);
        missing.asked = teller->neighbor;
        missing.isOnce = isOnce;
        missing.tellers.erase(teller);
    }
    for (auto& [neighbor, graft] : grafts) {
        Peer& peer = m_peers.at(neighbor);
        peer.isEager = peer.isEager || !isOnce;
        graft.isOnce = isOnce;
        postbox.send(neighbor, graft);
    }
}

} // namespace starling::overlay
