// SPDX-License-Identifier: Apache-2.0
/// Anti-entropy: makes the boards of neighbours equal, whatever was missed. Pure.
///
///     one side                         the other
///     Digest             ──────────►   equal: silence
///                        ◄──────────   Summary: all heads, in ranges
///     newer notices, Request ──────►
///                        ◄──────────   the notices asked for
///
/// Where many notices are due, they go in batches, each followed by More and continued at an empty Request.
#pragma once

#include "overlay/postbox.h"

#include <set>

namespace starling::overlay {

class BoardExchange
{
public:
    BoardExchange(const NodeId& self, const Config& config, const Mediator& mediator);

    void addNeighbor(NeighborId neighbor, const NodeId& node, Instant now, Postbox& postbox);
    void removeNeighbor(NeighborId neighbor);
    /// The board holds another notice than before: to be called before anything else after such a change.
    void boardChanged();
    /// `neighbor` was sent, or has shown that it holds, what is at `key`: it need not be sent again.
    void settled(NeighborId neighbor, const NoticeKey& key);

    void onDigest(NeighborId from, const DigestMessage& message, Instant now, Postbox& postbox);
    void onSummary(NeighborId from, const SummaryMessage& message, Instant now, Postbox& postbox);
    void onRequest(NeighborId from, const RequestMessage& message, Instant now, Postbox& postbox);
    void onMore(NeighborId from, Postbox& postbox);
    /// The turn of the next few neighbours to be sent our Digest; call every Config::antiEntropy.
    void round(Instant now, Postbox& postbox);

private:
    struct Peer
    {
        Peer(const NodeId& itsNode, const Allowance& itsAllowance)
            : node(itsNode)
            , allowance(itsAllowance)
        {
        }
        NodeId node;
        std::optional<Instant> digestSent;
        std::optional<Instant> compared; ///< when our boards were last compared, whoever asked
        std::size_t summariesDue = 0; ///< Summary messages that our last Digest entitles it to
        NoticeKey summaryFrom; ///< where the next Summary for it goes on
        /// Theirs and ours at the last Summary of a whole board.
        std::optional<std::pair<Digest, Digest>> answered;
        Instant answeredAt;
        unsigned repeats = 0; ///< of a Summary that changed nothing
        std::set<NoticeKey> due; ///< notices to be sent to it, those that verify others first
        std::optional<Instant> waitingSince; ///< for its word to go on
        Allowance allowance;
    };
    using Peers = std::map<NeighborId, Peer>;

    const Digest& digest();
    const std::vector<Head>& heads();
    void sendDigest(Peers::value_type& peer, Instant now, Postbox& postbox);
    bool mayAnswer(Peer& peer, const Digest& theirs, Instant now);
    void sendDue(Peers::value_type& peer, Instant now, Postbox& postbox);

    NodeId m_self;
    Config m_config;
    const Mediator& m_mediator;
    Peers m_peers;
    std::optional<NeighborId> m_lastTurn;
    std::optional<Digest> m_digest; ///< of the board as it is
    std::optional<std::vector<Head>> m_heads; ///< the board as it is, kept only while there is use for it
};

} // namespace starling::overlay
