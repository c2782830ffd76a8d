// SPDX-License-Identifier: Apache-2.0
/// Anti-entropy: makes the boards of neighbours equal, whatever was missed. Pure.
///
///     one side                         the other
///     Digest             ──────────►   equal: silence
///                        ◄──────────   Ranges: hashes over 16 parts of a large board, or
///     Ranges, Summary    ──────────►   within the parts that differ, and so on; until a part is small:
///                        ◄──────────   Summary: its heads
///     newer notices, Request ──────►
///                        ◄──────────   the notices asked for
///
/// So two boards of n notices that differ in d of them cost O(d log n), and equal ones a Digest. The urgent
/// part of the board (Mediator::urgentRange()) is compared before the rest when a link comes up, by the hash
/// in Standing.
///
/// Neighbours whose boards were equal again and again are compared less and less often, until ours changes.
///
/// Where many notices are due, they go in batches, each followed by More and continued at an empty Request.
#pragma once

#include "overlay/postbox.h"

#include <set>

namespace starling::overlay {

class BoardExchange
{
public:
    /// All of them must outlive it.
    BoardExchange(const NodeId& self, const Config& config, const Mediator& mediator);

    /// With one that is restricted, only the urgent part is exchanged, and no Digest.
    void addNeighbor(NeighborId neighbor, const NodeId& node, bool isRestricted, Instant now);
    /// Sends `neighbor` our Digest.
    void compare(NeighborId neighbor, Instant now, Postbox& postbox);
    void removeNeighbor(NeighborId neighbor);
    /// The board holds another notice than before: to be called before anything else after such a change.
    void boardChanged();
    /// `neighbor` was sent, or has shown that it holds, what is at `key`: it need not be sent again.
    void settled(NeighborId neighbor, const NoticeKey& key);

    /// The hash over our urgent part, for Standing.
    Digest urgentDigest();
    /// `neighbor` was sent a Standing.
    void standingSent(NeighborId neighbor, Instant now);
    /// What `from` has said of its urgent part.
    void onUrgent(NeighborId from, const Digest& theirs, Instant now, Postbox& postbox);
    void onDigest(NeighborId from, const DigestMessage& message, Instant now, Postbox& postbox);
    void onSummary(NeighborId from, const SummaryMessage& message, Instant now, Postbox& postbox);
    void onRanges(NeighborId from, const RangesMessage& message, Instant now, Postbox& postbox);
    void onRequest(NeighborId from, const RequestMessage& message, Instant now, Postbox& postbox);
    void onMore(NeighborId from, Postbox& postbox);
    /// The turn of the next few neighbours whose time has come to be sent our Digest; call every
    /// Config::antiEntropy.
    void round(Instant now, Postbox& postbox);
    void prefetch() const { m_peers.prefetch(); }

private:
    /// What two boards that differ have to settle.
    struct Talk
    {
        /// Theirs and ours when we last answered a Digest.
        std::optional<std::pair<Digest, Digest>> answered;
        Instant answeredAt;
        unsigned repeats = 0; ///< of an answer that changed nothing
        std::set<NoticeKey> due; ///< notices to be sent to it, those that verify others first
        std::set<NoticeKey> offered; ///< were due since our boards were last compared: once is enough
        std::optional<Instant> waitingSince; ///< for its word to go on
    };
    struct Peer
    {
        Peer(bool itIsLower, bool itIsRestricted, const Allowance& itsAllowance)
            : isLower(itIsLower)
            , isRestricted(itIsRestricted)
            , allowance(itsAllowance)
        {
        }
        bool isLower = false; ///< node id than ours
        bool isRestricted = false;
        bool isDisputed = false; ///< it had something to say since our last Digest
        std::optional<Instant> digestSent;
        std::optional<Instant> standingSent;
        std::optional<Instant> compared; ///< when our boards were last compared, whoever asked
        unsigned calm = 0; ///< comparisons in a row after which there was nothing to say
        unsigned credit = 0; ///< Summary and Ranges messages to which what we sent entitles it
        Allowance allowance;
        std::unique_ptr<Talk> talk; ///< only while there is one

        Talk& talking()
        {
            if (!talk)
                talk = std::make_unique<Talk>();
            return *talk;
        }
        bool isWaiting() const { return talk && talk->waitingSince; }
        void forgetOffers()
        {
            if (talk)
                talk->offered.clear();
        }
        /// Our boards were equal.
        void settle()
        {
            forgetOffers();
            if (talk)
                talk->answered.reset();
            if (talk && talk->due.empty() && !talk->waitingSince)
                talk.reset();
        }
    };
    using Peers = PerNeighbor<Peer>;

    bool mayHave(const Peer& peer, const NoticeKey& key) const;
    const Digest& digest();
    const std::vector<Head>& heads();
    void sendDigest(Peers::value_type& peer, Instant now, Postbox& postbox);
    Duration pause(const Peer& peer) const;
    bool mayAnswer(Peer& peer, const Digest& theirs, Instant now);
    void sendSummaries(Peers::value_type& peer, const KeyRange& range, Postbox& postbox);
    void sendPart(Peers::value_type& peer, const KeyRange& range, Postbox& postbox);
    void sendDue(Peers::value_type& peer, Instant now, Postbox& postbox);

    const NodeId& m_self;
    const Config& m_config;
    const Mediator& m_mediator;
    Peers m_peers;
    std::optional<NeighborId> m_lastTurn;
    std::optional<Digest> m_digest; ///< of the board as it is
    std::optional<std::vector<Head>> m_heads; ///< the board as it is, kept only while there is use for it
};

} // namespace starling::overlay
