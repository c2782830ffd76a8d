// SPDX-License-Identifier: Apache-2.0
/// One link, from the first HELLO to its end: handshake frames, both halves of the message channel,
/// keepalive. Which session an endpoint has, and when one takes another's place, is decided in link.cpp.
///
///     Connecting ── HELLO-ACK to our token, or any frame with both tokens ──> Up
///     HalfOpen ──── any frame with both tokens ─────────────────────────────> Up
///
/// Only a Connecting or Up session has a timer: a stranger who sends HELLOs costs one bounded table entry
/// each.
#pragma once

#include "link/incoming.h"
#include "link/outgoing.h"

namespace starling::link {

class Session
{
public:
    enum class State : std::uint8_t {
        Connecting, ///< we send HELLOs; the other side's token may be known from its own HELLO
        HalfOpen, ///< we answered a HELLO; nothing proves yet that its sender is where it says
        Up,
    };
    /// What all sessions of a node share.
    struct Shared
    {
        NodeId self;
        Config config;
        Stats stats;
        std::vector<Output> outputs;
    };

    Session(LinkId id, const Endpoint& remote, Token own, State state, Shared& shared);

    LinkId id() const { return m_id; }
    State state() const { return m_state; }
    /// Whether frames with this pair of tokens are this session's.
    bool isBetween(Token own, Token peer) const
    {
        return m_own == own && m_peer == peer && m_peer != Token{};
    }
    Token own() const { return m_own; }
    Token peer() const { return m_peer; } ///< 0 while unknown
    LinkInfo info() const;

    void setPeer(Token peer, const NodeId& node);
    void sendHello(Instant now);
    void sendHelloAck(Instant now);
    void sendBye(Instant now);

    /// A HalfOpen session whose address is one that we want to reach becomes a Connecting one.
    void beginConnecting(Instant firstHello);
    void setNextHello(Instant at) { m_nextHello = at; }
    enum class Proof : std::uint8_t { Needed, Given }; ///< whether the other side may still be half-open
    void comeUp(Proof proof, Instant now);

    /// Fails with TooLarge (nothing happened) or Busy (the link is to be closed).
    Status send(Bytes message, Instant now);
    /// A frame with both tokens on a link that is up. Why the link ends, if it does.
    std::optional<Errc> onFrame(const Body& body, Instant now);
    /// Whether `timer` is the one that is armed; it is not any more.
    bool takeTimer(const Timer& timer);
    /// What is due on a link that is up. Why the link ends, if it does.
    std::optional<Errc> onDeadline(Instant now);
    Instant deadline() const;
    /// Schedules a timer if none is armed for the deadline or before: later deadlines wait for the earlier
    /// timer.
    void arm(Instant now);

private:
    void sendFrame(Token to, const Body& body, Instant now);
    void sendPing(Instant now);
    void transmit(Instant now);
    bool isAwaitingAnswer() const { return m_isProofDue || m_outgoing.hasInFlight(); }
    std::optional<Errc> onData(const Data& data, Instant now);
    void onAck(const Ack& ack, Instant now);
    void onPong(const Pong& pong, Instant now);

    LinkId m_id;
    Endpoint m_remote;
    Token m_own;
    Token m_peer{};
    NodeId m_node;
    State m_state;
    Shared* m_shared;
    Incoming m_incoming;
    Outgoing m_outgoing;
    Instant m_nextHello;
    Instant m_lastSent, m_lastReceived;
    Instant m_retransmitFrom; ///< last send or answer from which the retransmission timeout counts
    bool m_isProofDue = false; ///< we came up by a HELLO-ACK, and the other side has not spoken since
    std::uint64_t m_pings = 0;
    std::optional<Instant> m_pingSent; ///< of the last PING, while it is unanswered
    std::optional<Instant> m_armed; ///< when the armed timer expires
    std::uint64_t m_generation = 0;
};

} // namespace starling::link
