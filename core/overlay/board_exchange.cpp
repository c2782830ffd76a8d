// SPDX-License-Identifier: Apache-2.0
#include "overlay/board_exchange.h"

#include "base/assert.h"
#include "overlay/reconcile.h"

#include <algorithm>
#include <utility>

namespace starling::overlay {

namespace {

/// Guess: longer than a round trip. Of two Digests that cross within it, only the lower node's is answered;
/// otherwise both sides would send everything.
constexpr Duration kCrossing = std::chrono::seconds(3);
/// A part of the board of so many heads is summarised rather than divided. Guess: 32 heads of devices are
/// 4 KiB, as much as the hashes of 16 parts with the longest keys.
constexpr std::size_t kSmallPart = 32;
/// The largest Ranges message: 17 keys of 202 bytes and 16 hashes, and a little.
constexpr std::size_t kRangesBytes = 3'800;
/// Messages about ranges that a neighbour may send for one question of ours: 8,192 heads are 256 small parts.
constexpr unsigned kCredit = 256;
/// Hashing heads costs time, which is accounted for as if so many bytes were sent for each. Guess: a megabyte
/// a second of allowance is 131,072 heads, of 120 bytes, or 30 ms.
constexpr std::size_t kBytesPerHashedHead = 8;
/// An eighth of link's queue: leaves room for whatever else is sent meanwhile. One notice more may go over
/// it.
constexpr std::size_t kBatchBytes = 512 * 1024;
/// Guess: with 4 neighbours or fewer each is compared every round, and a board of many does not wake them
/// all.
constexpr std::size_t kDigestsPerRound = 4;
/// Guess: catching up with 4,096 devices' certificates and receipts is 6 MiB and passes at once; a neighbour
/// that asks again and again gets 1 MiB/s.
constexpr std::uint32_t kAllowanceBurst = 16 * 1024 * 1024;
constexpr std::uint32_t kAllowancePerSecond = 1024 * 1024;
/// Boards that stay different, with nothing to be done about it, are summarised every 16 rounds at last.
constexpr unsigned kMaxDoublings = 5;
/// Boards that stay equal are compared every eight rounds at last: with five neighbours 2 B/s instead of 14.
/// Guess: what spreads changes the board of some neighbour, which then compares soon; what nobody around has,
/// may come four minutes later.
constexpr unsigned kMaxCalm = 4;

} // namespace

BoardExchange::BoardExchange(const NodeId& self, const Config& config, const Mediator& mediator)
    : m_self(self)
    , m_config(config)
    , m_mediator(mediator)
{
}

const std::vector<Head>& BoardExchange::heads()
{
    if (!m_heads) {
        m_heads = m_mediator.heads();
        STARLING_ASSERT(std::is_sorted(m_heads->begin(), m_heads->end(),
                                       [](const Head& a, const Head& b) { return a.key < b.key; }));
    }
    return *m_heads;
}

const Digest& BoardExchange::digest()
{
    if (!m_digest)
        m_digest = digestOf(heads());
    return *m_digest;
}

void BoardExchange::boardChanged()
{
    m_digest.reset();
    m_heads.reset();
    for (auto& [neighbor, peer] : m_peers)
        peer.calm = 0;
}

void BoardExchange::addNeighbor(NeighborId neighbor, const NodeId& node, bool isRestricted, Instant now)
{
    const Allowance allowance(kAllowanceBurst, kAllowancePerSecond, now);
    m_peers.emplace(neighbor, Peer(node < m_self, isRestricted, allowance));
}

bool BoardExchange::mayHave(const Peer& peer, const NoticeKey& key) const
{
    return !peer.isRestricted || m_mediator.urgentRange().contains(key);
}

void BoardExchange::compare(NeighborId neighbor, Instant now, Postbox& postbox)
{
    if (const auto peer = m_peers.find(neighbor); peer != m_peers.end())
        sendDigest(*peer, now, postbox);
}

void BoardExchange::removeNeighbor(NeighborId neighbor)
{
    m_peers.erase(neighbor);
}

void BoardExchange::settled(NeighborId neighbor, const NoticeKey& key)
{
    if (const auto peer = m_peers.find(neighbor); peer != m_peers.end() && peer->second.talk)
        peer->second.talk->due.erase(key);
}

void BoardExchange::sendDigest(Peers::value_type& peer, Instant now, Postbox& postbox)
{
    // Silence says that the boards are equal.
    if (peer.second.digestSent)
        peer.second.calm = peer.second.isDisputed ? 0 : peer.second.calm + 1;
    peer.second.isDisputed = false;
    postbox.send(peer.first, DigestMessage{digest()});
    peer.second.digestSent = now;
    peer.second.compared = now;
    peer.second.credit = kCredit;
    peer.second.forgetOffers();
}

Digest BoardExchange::urgentDigest()
{
    return digestOf(within(heads(), m_mediator.urgentRange()));
}

void BoardExchange::standingSent(NeighborId neighbor, Instant now)
{
    if (const auto peer = m_peers.find(neighbor); peer != m_peers.end()) {
        peer->second.standingSent = now;
        peer->second.credit = kCredit;
    }
}

void BoardExchange::onUrgent(NeighborId from, const Digest& theirs, Instant now, Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end() || !found->second.allowance.isOpen(now) || urgentDigest() == theirs)
        return;
    const Peer& peer = found->second;
    const bool isCrossing = peer.standingSent && now - *peer.standingSent < kCrossing;
    if (isCrossing && !peer.isLower)
        return;
    sendSummaries(*found, m_mediator.urgentRange(), postbox);
}

/// Everything in `range`, in as many messages as that takes.
void BoardExchange::sendSummaries(Peers::value_type& peer, const KeyRange& range, Postbox& postbox)
{
    KeyRange rest = range;
    for (;;) {
        const SummaryMessage summary = summarize(heads(), rest.from, m_config.maxMessageBytes, range.to);
        peer.second.allowance.spend(postbox.send(peer.first, summary));
        if (summary.to == range.to)
            return;
        rest.from = *summary.to;
    }
}

void BoardExchange::sendPart(Peers::value_type& peer, const KeyRange& range, Postbox& postbox)
{
    const std::size_t count = within(heads(), range).size();
    if (count <= kSmallPart || m_config.maxMessageBytes < kRangesBytes)
        return sendSummaries(peer, range, postbox);
    peer.second.allowance.spend(count * kBytesPerHashedHead);
    peer.second.allowance.spend(postbox.send(peer.first, divide(heads(), range)));
}

// The same two boards again: the last exchange could not make them equal (one side refuses what the other
// holds), so the next try waits longer and longer. Any change of either board starts anew.
bool BoardExchange::mayAnswer(Peer& peer, const Digest& theirs, Instant now)
{
    if (!peer.allowance.isOpen(now))
        return false;
    const auto pair = std::pair(theirs, digest());
    Talk& talk = peer.talking();
    if (talk.answered != pair) {
        talk.answered = pair;
        talk.answeredAt = now;
        talk.repeats = 0;
        return true;
    }
    if (now - talk.answeredAt < m_config.antiEntropy / 2 * (1u << std::min(talk.repeats, kMaxDoublings)))
        return false;
    talk.answeredAt = now;
    ++talk.repeats;
    return true;
}

void BoardExchange::onDigest(NeighborId from, const DigestMessage& message, Instant now, Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end())
        return;
    Peer& peer = found->second;
    peer.compared = now;
    if (message.hash == digest()) {
        peer.settle();
        ++peer.calm;
        return;
    }
    peer.calm = 0;
    const bool isCrossing = peer.digestSent && now - *peer.digestSent < kCrossing;
    if (isCrossing && !peer.isLower)
        return;
    if (!mayAnswer(peer, message.hash, now))
        return;
    peer.credit = kCredit;
    peer.forgetOffers();
    sendPart(*found, {}, postbox);
}

void BoardExchange::onRanges(NeighborId from, const RangesMessage& message, Instant now, Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end() || found->second.credit == 0 || !found->second.allowance.isOpen(now))
        return;
    Peer& peer = found->second;
    --peer.credit;
    peer.isDisputed = true;
    const KeyRange whole{message.parts.front().from, message.to};
    peer.allowance.spend(within(heads(), whole).size() * kBytesPerHashedHead);
    // Parts side by side of which we hold little are one Summary: where we hold nothing at all, that is one
    // for everything.
    std::optional<KeyRange> small;
    std::size_t held = 0;
    const auto sendSmall = [&] {
        if (small)
            sendSummaries(*found, *std::exchange(small, std::nullopt), postbox);
    };
    for (const KeyRange& part : differingParts(heads(), message)) {
        const std::size_t count = within(heads(), part).size();
        const bool goesOn = small && small->to == part.from && held + count <= kSmallPart;
        if (!goesOn)
            sendSmall();
        if (count > kSmallPart) {
            sendPart(*found, part, postbox);
        } else if (goesOn) {
            small->to = part.to;
            held += count;
        } else {
            small = part;
            held = count;
        }
    }
    sendSmall();
}

void BoardExchange::onSummary(NeighborId from, const SummaryMessage& message, Instant now, Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end() || found->second.credit == 0)
        return;
    Peer& peer = found->second;
    --peer.credit;
    peer.isDisputed = true;
    const Difference difference = overlay::compare(heads(), message);
    for (const NoticeKey& key : difference.newerHere)
        if (mayHave(peer, key) && peer.talking().offered.insert(key).second)
            peer.talking().due.insert(key);
    std::vector<NoticeKey> wanted = difference.newerThere;
    std::erase_if(wanted, [&](const NoticeKey& key) { return !mayHave(peer, key); });
    for (const RequestMessage& request : requestsFor(wanted, m_config.maxMessageBytes))
        peer.allowance.spend(postbox.send(from, request));
    sendDue(*found, now, postbox);
}

void BoardExchange::onRequest(NeighborId from, const RequestMessage& message, Instant now, Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end())
        return;
    Peer& peer = found->second;
    if (message.keys.empty() && peer.talk)
        peer.talk->waitingSince.reset();
    // Only what we hold becomes due: the list cannot grow beyond the board.
    for (const NoticeKey& key : message.keys) {
        const auto held = std::lower_bound(heads().begin(), heads().end(), key,
                                           [](const Head& head, const NoticeKey& k) { return head.key < k; });
        if (held != heads().end() && held->key == key && mayHave(peer, key))
            peer.talking().due.insert(key);
    }
    sendDue(*found, now, postbox);
}

void BoardExchange::onMore(NeighborId from, Postbox& postbox)
{
    if (m_peers.contains(from))
        postbox.send(from, RequestMessage());
}

void BoardExchange::sendDue(Peers::value_type& neighbor, Instant now, Postbox& postbox)
{
    auto& [id, peer] = neighbor;
    if (!peer.talk || peer.talk->waitingSince)
        return;
    Talk& talk = *peer.talk;
    std::size_t batch = 0;
    while (!talk.due.empty() && batch < kBatchBytes && peer.allowance.isOpen(now)) {
        const NoticeKey key = talk.due.extract(talk.due.begin()).value();
        const Bytes notice = m_mediator.notice(key);
        if (notice.empty())
            continue;
        const std::size_t sent = postbox.sendNotice(id, notice, true);
        peer.allowance.spend(sent);
        batch += sent;
    }
    if (talk.due.empty())
        return;
    talk.waitingSince = now;
    // Without allowance the next round goes on; the neighbour's word would only bring us back here at once.
    if (peer.allowance.isOpen(now))
        postbox.send(id, MoreMessage{static_cast<std::uint32_t>(talk.due.size())});
}

/// Since our boards were last compared, at least. Half a round: rounds vary, and none is to be left out.
Duration BoardExchange::pause(const Peer& peer) const
{
    return m_config.antiEntropy / 2 * (1u << std::min(peer.calm, kMaxCalm));
}

void BoardExchange::round(Instant now, Postbox& postbox)
{
    for (auto& peer : m_peers) {
        if (peer.second.isWaiting() && now - *peer.second.talk->waitingSince >= m_config.antiEntropy / 2) {
            peer.second.talk->waitingSince.reset();
            sendDue(peer, now, postbox);
        }
    }
    auto next = m_lastTurn ? m_peers.upper_bound(*m_lastTurn) : m_peers.begin();
    std::size_t digests = 0;
    for (std::size_t i = 0; i < m_peers.size() && digests < kDigestsPerRound; ++i, ++next) {
        if (next == m_peers.end())
            next = m_peers.begin();
        m_lastTurn = next->first;
        if (next->second.isRestricted)
            continue;
        if (next->second.compared && now - *next->second.compared < pause(next->second))
            continue;
        sendDigest(*next, now, postbox);
        ++digests;
    }
    m_heads.reset();
}

} // namespace starling::overlay
