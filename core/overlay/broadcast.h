// SPDX-License-Identifier: Apache-2.0
/// Which neighbours a notice is pushed to, and which are only told of it: Plumtree (Leitão, Pereira,
/// Rodrigues: "Epidemic Broadcast Trees", SRDS 2007). Eager links make up a tree, along which notices are
/// pushed; over the others, neighbours tell each other of them at once, and ask for one that does not come
/// along the tree. Pure.
///
///     Notice, held already    ──►  Prune        "only tell me"
///     IHave, no place in it   ──►  Graft        "send me these, and push from now on"
///     IHave, and no notice    ──►  Graft, once  "send me these"
///
/// Modifications: A link begins lazy, and becomes part of the tree when it is asked for a notice. Whoever has
/// no place in the tree (it is new, or has lost an eager link) asks the first that tells, at once; so a first
/// notice costs a round trip more at every step, but nobody has it twice. If another would have sent it
/// sooner, that one takes the place in the tree. All others wait a while for the tree, longer where it was in
/// vain of late that they did not, and ask for this one notice. It goes on from there marked as having come
/// beside the tree, as does what comes by comparing boards: copies of it say nothing about the tree, which
/// stays as it was, for a datagram was lost. Only who had to ask kMaxAsked times in a row looks for another
/// place. A neighbour that told of notices and did not send them when asked is asked last, and after
/// kMaxBroken times not at all, until it sends one.
#pragma once

#include "overlay/postbox.h"
#include "overlay/seen_notices.h"

#include <set>

namespace starling::overlay {

class Broadcast
{
public:
    explicit Broadcast(const Config& config);

    /// Of two neighbours that have a notice along the tree, one `tellsLater` than the other.
    void addNeighbor(NeighborId neighbor, std::optional<Duration> roundTrip, bool tellsLater, Instant now);
    void removeNeighbor(NeighborId neighbor);

    /// A notice that is news, from a neighbour or our own: pushes it to eager neighbours, and tells the
    /// others, soon if there are many notices. Returns to whom it was sent.
    std::vector<NeighborId> spread(const NoticeKey& key, const NoticeMessage& message,
                                   std::optional<NeighborId> from, Instant now, Postbox& postbox);
    /// A notice that is news and is not to be spread.
    void hear(NeighborId from, ByteView notice, Instant now);
    /// A notice that was no news.
    void onDuplicate(NeighborId from, const NoticeMessage& message, Instant now, Postbox& postbox);
    void onIHave(NeighborId from, const IHaveMessage& message, Instant now);
    /// Answers with what `notice` gives for each key.
    void onGraft(NeighborId from, const GraftMessage& message, Instant now, const Mediator& mediator,
                 Postbox& postbox);
    void onPrune(NeighborId from);

    /// When tell() and ask() have something to do.
    std::optional<Instant> nextTelling() const { return m_nextTelling; }
    std::optional<Instant> nextAsking() const
    {
        return m_due.empty() ? std::nullopt : std::optional(m_due.begin()->first);
    }
    /// Tells lazy neighbours what became news since the last time.
    void tell(Instant now, Postbox& postbox);
    /// Asks for what was told of and did not come.
    void ask(Instant now, Postbox& postbox);

    bool isEager(NeighborId neighbor) const;
    void prefetch() const { m_peers.prefetch(); }

private:
    struct Peer
    {
        std::optional<Duration> roundTrip;
        bool isEager = false;
        unsigned broken = 0; ///< notices that it told of and did not send, since it last sent one
        std::size_t told = 0; ///< entries of m_missing that it was the first to tell of
        bool tellsLater = false; ///< we do
        std::vector<IHaveMessage::Item> untold;
        std::optional<Instant> tellAt;
        Allowance allowance;
    };
    struct Teller
    {
        NeighborId neighbor{};
        Instant at;
    };
    struct Missing
    {
        NoticeKey key;
        std::vector<Teller> tellers; ///< not asked yet
        std::optional<NeighborId> asked; ///< and not answered yet
        NeighborId first{}; ///< whose limit it counts against
        Instant since; ///< when that one told
        Instant due;
        bool isOnce = false; ///< asked so
    };
    bool isInTree() const;
    Duration patience() const;
    void onFirst(const Missing& awaited, NeighborId from, bool isBeside);
    void learnPatience(bool isInVain);
    static bool hasTold(const Missing& missing, NeighborId neighbor);
    void preferQuicker(const Missing& missing, NeighborId from, Instant now, Postbox& postbox);
    void setTelling(Peer& peer, Duration delay, Instant now);
    void findNextTelling();
    void untell(Peer& peer, const NoticeTag& tag);
    void setDue(const NoticeTag& tag, Missing& missing, Instant due);
    void forget(std::map<NoticeTag, Missing>::iterator missing);
    void remember(const NoticeTag& tag, Instant now);
    void becomeLazy(NeighborId neighbor, Postbox& postbox);
    std::vector<Teller>::iterator mostTrusted(std::vector<Teller>& tellers);

    const Config& m_config;
    PerNeighbor<Peer> m_peers;
    std::map<NoticeTag, Missing> m_missing;
    std::set<std::pair<Instant, NoticeTag>> m_due; ///< of m_missing
    SeenNotices m_seen;
    std::optional<Instant> m_lastTold;
    std::optional<Instant> m_nextTelling; ///< the soonest Peer::tellAt
    bool m_isSevered = true; ///< an eager link is gone since the last notice, or none has come yet
    unsigned m_asked = 0; ///< notices in a row that had to be asked for, and did not come along the tree
    Duration m_patience;
};

} // namespace starling::overlay
