// SPDX-License-Identifier: Apache-2.0
/// One link that is up: both halves of the message channel, sealed, and its keepalive. Which session an
/// endpoint has, and when one takes another's place, is decided in link.cpp; how it comes to be, in
/// handshake.h.
#pragma once

#include "link/alarm.h"
#include "link/allowance.h"
#include "link/authenticator.h"
#include "link/channel.h"
#include "link/incoming.h"
#include "link/outgoing.h"
#include "link/paths.h"
#include "link/punch.h"

namespace starling::link {

class Session
{
public:
    static constexpr unsigned kTellings =
        3; ///< PINGs and PONGs after a beginning or a move; guess: one arrives
    static std::size_t maxUnreliableBytes(const Config& config)
    {
        return config.datagramBytes - kSealedOverheadBytes - kUnreliableOverheadBytes;
    }

    /// What a handshake found out.
    struct Peer
    {
        Endpoint endpoint;
        Credential credential;
        Token token{}; ///< the one that it chose
    };

    Session(LinkId id, Token own, const Peer& peer, Channel channel, Shared& shared, Instant now);

    LinkId id() const { return m_id; }
    Token own() const { return m_own; }
    const Peer& peer() const { return m_peer; }
    const NodeId& node() const { return m_peer.credential.node; }
    LinkInfo info() const;

    /// A frame as it is, without waiting for an answer.
    void say(const Frame& frame, Instant now) { sendFrame(m_peer.endpoint, frame, now); }
    /// Its relay carries no more for now: what may be lost is not sent for a while.
    void holdBack(Instant now);
    /// Our own candidates are others.
    void onCandidatesChange(Instant now);
    void sendBye(Instant now);
    void sendPing(Instant now);
    /// A PING that is repeated until it is answered.
    void probe(Instant now);
    /// The way to the other side may be another one: PINGs now, until there is an answer.
    void onAddressChange(Instant now);
    /// An unasked PONG: the other side's FINISH came, and it need not send it again.
    void sendConfirmation(Instant now);

    /// Fails with TooLarge (nothing happened) or Busy (the link is to be closed).
    Status send(Bytes message, Instant now);
    /// Sends it now, or never.
    void sendUnreliable(ByteView bytes, bool isMessage, Instant now);
    /// A datagram for our token. Why the link ends, if it does.
    std::optional<Errc> onSealed(const Sealed& sealed, const Endpoint& from, Instant now);
    /// What was in one.
    std::optional<Errc> onFrame(ByteView bytes, const Endpoint& from, Instant now);
    /// One measured round trip.
    void addSample(Duration roundTrip) { m_outgoing.addSample(roundTrip); }
    bool takeTimer(const Timer& timer) { return m_alarm.take(timer); }
    /// What is due. Why the link ends, if it does.
    std::optional<Errc> onDeadline(Instant now);
    Instant deadline() const;
    void arm(Instant now) { m_alarm.arm(m_id, deadline(), now, *m_shared); }
    /// A challenge to an address where the other side may be.
    void check(const Endpoint& to, Instant now) { sendFrame(to, m_paths.check(to, now), now); }
    /// The stream of this link goes to `remote`: over UDP it may be reached there as well.
    void setCalled(const Endpoint& remote) { m_called = remote; }
    /// Where the other side has proved to be now, if it moved; follow() or stayAwayFrom() is to be called.
    std::optional<Paths::Proven> moved(Instant now) const;
    void follow(const Paths::Proven& path, Instant now);
    void stayAwayFrom(const Endpoint& endpoint) { m_paths.forget(endpoint); }
    /// Whether the other side has been silent for longer than losses explain: it may have restarted.
    bool isSuspect() const { return m_isSuspect; }
    /// Whether it is on UDP, and some timeouts have passed without a word.
    bool isLost() const { return m_isSilent && !isMakeshift(); }
    /// This side began the handshake: where the other one is, it lets others in.
    void setCaller() { m_isCaller = true; }

private:
    void sendFrame(const Frame& frame, Instant now) { sendFrame(m_peer.endpoint, frame, now); }
    void sendFrame(const Endpoint& to, const Frame& frame, Instant now);
    void sendChallenges(Instant now);
    void seekAnotherWay();
    bool isLate(const Endpoint& from, Instant now) const;
    void transmit(Instant now);
    Instant keepaliveDue() const;
    /// When to ask for the rest of a message that came in part. If the other side's NAT forgot it, what it
    /// says next comes from elsewhere; if ours did, what we say shows where we are.
    std::optional<Instant> remainderDue() const;
    bool isAwaitingAnswer() const { return m_isProbing || m_outgoing.hasInFlight(); }
    std::optional<Errc> onData(const Data& data, Instant now);
    void onAck(const Ack& ack, Instant now);
    void onUnreliable(const Unreliable& unreliable);
    void onPing(const Ping& ping, const Endpoint& from, Instant now);
    void onPong(const Pong& pong, const Endpoint& from, Instant now);
    void onTold(const std::optional<Endpoint>& seen, const Endpoint& from);
    /// Those that concern other links, or leaving a detour or a stream.
    void onOtherFrame(const Frame& frame, Instant now);
    void leave(Errand::What what, std::uint64_t tag, ByteView datagram = {},
               NotForwarded::Reason reason = {});
    void perform(const Punch::Deed& deed, Instant now);
    std::optional<Endpoint> takeTelling();
    bool isOnDetour() const { return isDetour(m_peer.endpoint); }
    /// Whether a better way is looked for.
    bool isMakeshift() const { return wayOf(m_peer.endpoint) != Way::Udp; }
    void onChallenge(const PathChallenge& challenge, const Endpoint& from, Instant now);

    LinkId m_id;
    Token m_own;
    Peer m_peer;
    Channel m_channel;
    Shared* m_shared;
    Incoming m_incoming;
    Outgoing m_outgoing;
    Paths m_paths;
    Punch m_punch;
    Instant m_since; ///< it was up
    bool m_wasOnDetour = false;
    std::optional<Endpoint> m_called; ///< on a stream of ours: where it leads
    std::optional<Instant> m_heldUntil;
    unsigned m_tellings = kTellings; ///< times that the other side will be told where we see it
    std::optional<Endpoint> m_seen; ///< where the other side said that we are
    Allowance m_unreliable;
    Alarm m_alarm;
    Instant m_lastSent, m_lastReceived;
    Instant m_lastCurrent; ///< something came from the address in use
    Instant m_retransmitFrom; ///< last send or answer from which the retransmission timeout counts
    unsigned m_timeouts = 0; ///< in a row, without hearing anything
    bool m_isProbing = false; ///< a keepalive waits for its answer, and is repeated like data
    bool m_isSuspect = false;
    bool m_isSilent = false; ///< as was said last
    bool m_hasMoved = false; ///< this side, since it heard the other one
    bool m_isCaller = false;
    std::uint64_t m_pings = 0;
    std::optional<Instant> m_pingSent; ///< of the last PING, while it is unanswered
};

} // namespace starling::link
