// SPDX-License-Identifier: Apache-2.0
/// What link::Links is to the overlay, without its datagrams: messages go from node to node by the queue of
/// events, in order and once each. A tenth of the events, no cipher, and no certificates. Pure.
///
/// It keeps link's times: a link is up at who answers after one and a half round trips, at who greeted after
/// two; a lost message comes after a retransmission timeout of two round trips (what follows it waits), and a
/// link whose messages nobody takes ends after link::Config::maxRetries of them. An idle one ends when a
/// keepalive and its probes have been missed, which costs events only when a side is gone. It has no
/// bandwidth, and no bytes but those of messages.
#pragma once

#include "base/prefetch.h"
#include "link/link.h"
#include "sim/network.h"

#include <array>

namespace starling::sim {

struct World;

class ModelLinks
{
public:
    /// Of node `self`, for one of its lives.
    ModelLinks(World& world, NodeIndex self);
    /// The node goes down without a word: the others will miss its keepalives.
    void crash();

    /// Connect, Close, Probe and SendMessage, as link::Links takes them.
    void handle(const link::Input& input, std::vector<link::Output>& outputs);
    /// Of link::SendMessage, without a copy.
    void send(link::LinkId link, Bytes message, bool isOnce, std::vector<link::Output>& outputs);
    /// Greet, Finish, Confirm, Goodbye, Resend, Suspect or Idle.
    void handle(const Event& event, std::vector<link::Output>& outputs);
    /// The link that a Message event comes by, if it may be taken; otherwise its sender has it back, and
    /// tries again.
    std::optional<link::LinkId> take(Event& event);
    /// For a Message event to a node that is down.
    static void giveBack(World& world, Event& event);
    /// Some nodes have just been cut off from others: links to them are going to end.
    void noteCut();

    /// Of links that are up.
    std::vector<link::LinkInfo> links() const;
    /// Brings what is known of `peer` into the processor's cache (prefetch.h).
    void prefetch(NodeIndex peer) const
    {
        if (const std::size_t place = placeOf(peer); place < m_slots.size())
            starling::prefetch(&m_slots[place], sizeof(Slot));
    }

private:
    /// Messages that could not be delivered yet.
    struct Stalled
    {
        std::vector<std::pair<std::uint64_t, Content>> messages; ///< by sequence
        std::size_t bytes = 0;
        unsigned tries = 0;
    };
    /// All about one other node; there is at most one link between two. As large as a cache line.
    struct Slot
    {
        NodeIndex peer = 0;
        std::uint32_t number = 0; ///< of the link
        std::uint64_t attempt = 0; ///< the session that greeting is to bring; 0: not greeting
        std::uint64_t session = 0; ///< of the link; 0: none
        std::uint64_t sequence = 0; ///< of the last message sent
        Instant lastArrival; ///< of what was sent: order is kept
        std::unique_ptr<Stalled> stalled;
        unsigned tries = 0, attempts = 0; ///< as link::Links has them
        bool isTarget = false;
        bool isSilent = false; ///< as was said last

        link::LinkId id() const { return link::LinkId{number}; }
    };
    using Outputs = std::vector<link::Output>;

    static ModelLinks* of(World& world, NodeIndex node);
    /// Of the slot of `peer`; m_slots.size() if there is none.
    std::size_t placeOf(NodeIndex peer) const
    {
        for (std::size_t i = 0; i < m_slots.size(); ++i)
            if ((i < kNear ? m_peers[i] : m_slots[i].peer) == peer)
                return i;
        return m_slots.size();
    }
    void setNumber(Slot& slot);
    Slot* find(NodeIndex peer);
    Slot* find(link::LinkId link);
    Slot& findOrAdd(NodeIndex peer);
    /// What the other side has about us, if it is up.
    Slot* counterpart(const Slot& slot) const;
    bool isLost(const Slot& slot) const;
    void drop(NodeIndex peer);

    void connect(const link::Connect& input);
    void startAttempt(Slot& slot, Duration delay);
    void greet(Slot& slot, Outputs& outputs);
    void onFinish(const Event& event, Outputs& outputs);
    void confirm(Slot& slot);
    void bringUp(Slot& slot, std::uint64_t session, Outputs& outputs);
    void sayGoodbye(Slot& slot);
    void endLink(Slot& slot, Errc reason, Outputs& outputs);
    void suspect(NodeIndex who, NodeIndex whom, std::uint64_t session);
    void onSuspect(Slot& slot, Outputs& outputs);
    void onIdle(Slot& slot, Outputs& outputs);
    void probe(Slot& slot);
    void forgetStalled(Slot& slot);
    void stall(Slot& slot, std::uint64_t sequence, Content message);
    void resend(Slot& slot, Outputs& outputs);
    void sendOnce(Slot& slot, Content message);
    void transmit(Slot& slot, std::uint64_t sequence, Content message);

    std::optional<Duration> tripOf(NodeIndex from, NodeIndex to);
    Duration retransmitTimeout(NodeIndex peer, unsigned tries) const;
    Duration backoff(unsigned attempts);
    void push(Duration delay, Event::What what, NodeIndex to, NodeIndex from, std::uint64_t session);

    World& m_world;
    NodeIndex m_self;
    std::uint32_t m_lastId = 0;
    /// Slot::peer and Slot::number of the first slots, which may be all there are: one cache line to look
    /// through.
    static constexpr std::size_t kNear = 8;
    std::array<NodeIndex, kNear> m_peers{};
    std::array<std::uint32_t, kNear> m_numbers{};
    std::vector<Slot> m_slots; ///< a handful
};

} // namespace starling::sim
