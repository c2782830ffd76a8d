// SPDX-License-Identifier: Apache-2.0
#include "link/session.h"

#include <algorithm>

namespace starling::link {

namespace {
/// Guess: with the shortest timeouts 6 s of silence, which three lost datagrams in ten do not explain.
constexpr unsigned kSuspiciousTimeouts = 7;
/// Guess: at 10 % loss, one probe in 150 is answered later.
constexpr unsigned kSilentTimeouts = 3;
/// So long nothing has come by the better way before what comes by another one counts. Guess: longer than
/// what was sent before a link left that way is under way.
constexpr Duration kQuiet = std::chrono::seconds(1);
/// Guess: some of the other side's timeouts, and before it gives up (Config::maxRetries).
constexpr Duration kRemainderPatience = std::chrono::seconds(1);
/// Sizes of datagrams differ by multiples of this: the kernel joins equal ones. Guess: 0.5 % of a large one.
constexpr std::size_t kUnreliableStep = 8;
/// Guess: what may be lost waits so long for a relay that refused.
constexpr Duration kHeldBack = std::chrono::seconds(1);
} // namespace

Session::Session(LinkId id, Token own, const Peer& peer, Channel channel, Shared& shared, Instant now)
    : m_id(id)
    , m_own(own)
    , m_peer(peer)
    , m_channel(std::move(channel))
    , m_shared(&shared)
    , m_incoming(shared.config.maxMessageBytes)
    , m_outgoing(shared.config)
    , m_paths(shared.random)
    , m_punch(shared.self < peer.credential.node)
    , m_since(now)
    , m_wasOnDetour(isDetour(peer.endpoint))
    , m_unreliable(shared.config.unreliablePerSecond, shared.config.unreliableBurst, now)
    , m_lastSent(now)
    , m_lastReceived(now)
    , m_lastCurrent(now)
    , m_retransmitFrom(now)
{
    m_paths.setWay(wayOf(peer.endpoint));
    if (isMakeshift())
        m_punch.begin(now);
}

LinkInfo Session::info() const
{
    LinkInfo info{m_id, node(), m_peer.endpoint, true, m_outgoing.roundTrip()};
    const Way way = wayOf(m_peer.endpoint);
    info.kind = way == Way::Detour ? LinkInfo::Kind::Relayed
        : way == Way::Stream       ? LinkInfo::Kind::Tcp
        : m_wasOnDetour            ? LinkInfo::Kind::Punched
                                   : LinkInfo::Kind::Direct;
    info.since = m_since;
    info.notAfter = m_peer.credential.notAfter;
    info.isRestricted = m_peer.credential.isExpired;
    info.punches = m_punch.rounds();
    info.theirCandidates = m_punch.named();
    return info;
}

void Session::sendFrame(const Endpoint& to, const Frame& frame, Instant now)
{
    m_lastSent = now;
    m_shared->send(to, m_channel.seal(m_peer.token, frame, now));
}

void Session::sendBye(Instant now)
{
    sendFrame(Bye{}, now);
}

void Session::sendPing(Instant now)
{
    m_pingSent = now;
    sendFrame(Ping{++m_pings, takeTelling()}, now);
}

void Session::probe(Instant now)
{
    if (isAwaitingAnswer())
        return; // what is under way finds out
    m_isProbing = true;
    m_retransmitFrom = now;
    sendPing(now);
}

void Session::onAddressChange(Instant now)
{
    m_hasMoved = true;
    if (!isAwaitingAnswer())
        return probe(now);
    sendPing(now); // what is under way may be repeated much later
}

void Session::sendConfirmation(Instant now)
{
    sendFrame(Pong{0, takeTelling()}, now);
}

Status Session::send(Bytes message, Instant now)
{
    if (auto status = m_outgoing.push(std::move(message)); !status)
        return status;
    ++m_shared->stats.messagesOut;
    transmit(now);
    return {};
}

void Session::sendUnreliable(ByteView bytes, bool isMessage, Instant now)
{
    const bool isHeld = m_heldUntil && now < *m_heldUntil && isOnDetour();
    if (bytes.size() > maxUnreliableBytes(m_shared->config) || m_isSilent || isHeld
        || !m_unreliable.take(bytes.size() + kUnreliableOverheadBytes + kSealedOverheadBytes, now)) {
        ++m_shared->stats.unreliableDropped;
        return;
    }
    ++m_shared->stats.unreliableOut;
    // Two parts of a packet of odd size go as one then, with those of the next ones (node/send_queue.h).
    const std::size_t left = maxUnreliableBytes(m_shared->config) - bytes.size();
    const std::size_t padding = isMessage ? 0 : left % kUnreliableStep;
    sendFrame(Unreliable{bytes, isMessage, static_cast<std::uint8_t>(padding)}, now);
}

void Session::transmit(Instant now)
{
    const bool wasWaiting = isAwaitingAnswer();
    const std::uint64_t before = m_outgoing.retransmissions();
    while (const auto data = m_outgoing.next(now)) {
        if (!wasWaiting)
            m_retransmitFrom = now;
        sendFrame(*data, now);
    }
    m_shared->stats.retransmissions += m_outgoing.retransmissions() - before;
}

std::optional<Errc> Session::onSealed(const Sealed& sealed, const Endpoint& from, Instant now)
{
    const auto bytes = m_channel.open(sealed, now);
    const bool isCurrent = from == m_peer.endpoint, isTooLate = isLate(from, now);
    if (!bytes) {
        const bool isReplayed = bytes.error().code == Errc::Refused;
        ++(isReplayed ? m_shared->stats.replayed : m_shared->stats.malformed);
        if (isReplayed && isCurrent && m_paths.isWatching() && m_channel.isAuthentic(sealed))
            m_paths.onCurrent(sealed.counter);
        return std::nullopt;
    }
    if (isCurrent) {
        m_paths.onCurrent(sealed.counter);
        m_lastCurrent = now;
    } else if (!isTooLate)
        m_paths.onOther(from, sealed.counter, sealed.header.size() + sealed.frame.size(), now);
    const auto end = onFrame(*bytes, from, now);
    if (!isCurrent && !isTooLate && !end)
        sendChallenges(now);
    return end;
}

/// What still comes by the detour or stream that this link has left is no sign that the other side has moved
/// back, unless nothing comes on the better way.
bool Session::isLate(const Endpoint& from, Instant now) const
{
    return wayOf(from) > wayOf(m_peer.endpoint) && !m_isSilent && now - m_lastCurrent < kQuiet;
}

/// UDP may be blocked from now on. One side looks, or each would follow to another way; if the one that
/// called has nothing to say, and notices later, the other one does. Who is elsewhere itself looks at once:
/// the other side has noticed nothing.
void Session::seekAnotherWay()
{
    if (isMakeshift() || (!m_isCaller && !m_isSuspect && !m_hasMoved))
        return;
    m_shared->lost.push_back(m_id);
    if (m_isCaller && !m_wasOnDetour) // otherwise no TCP would get in there
        m_shared->wishes.push_back({m_id, m_peer.endpoint});
}

std::optional<Errc> Session::onFrame(ByteView bytes, const Endpoint& from, Instant now)
{
    m_lastReceived = now;
    m_timeouts = 0;
    m_isSuspect = false;
    m_hasMoved = false;
    if (std::exchange(m_isSilent, false))
        m_shared->outputs.push_back(LinkSilence{m_id, false});
    if (std::exchange(m_isProbing, false))
        m_outgoing.onAnswer();
    const auto frame = parseFrame(bytes);
    if (!frame) {
        ++m_shared->stats.malformed;
        return std::nullopt;
    }
    if (const auto* data = std::get_if<Data>(&*frame))
        return onData(*data, now);
    if (const auto* ack = std::get_if<Ack>(&*frame))
        onAck(*ack, now);
    else if (const auto* ping = std::get_if<Ping>(&*frame))
        onPing(*ping, from, now);
    else if (const auto* pong = std::get_if<Pong>(&*frame))
        onPong(*pong, from, now);
    else if (const auto* unreliable = std::get_if<Unreliable>(&*frame))
        onUnreliable(*unreliable);
    else if (const auto* challenge = std::get_if<PathChallenge>(&*frame))
        onChallenge(*challenge, from, now);
    else if (const auto* response = std::get_if<PathResponse>(&*frame))
        m_paths.onResponse(from, *response, now);
    else if (std::holds_alternative<Bye>(*frame))
        return Errc::Cancelled;
    else
        onOtherFrame(*frame, now);
    return std::nullopt;
}

void Session::onOtherFrame(const Frame& frame, Instant now)
{
    using What = Errand::What;
    if (const auto* candidates = std::get_if<Candidates>(&frame)) {
        Candidates theirs = *candidates;
        if (m_shared->forecast) // each of our guesses would come from another port itself
            theirs.forecast.reset();
        return perform(m_punch.onCandidates(theirs, m_shared->candidates, now), now);
    }
    if (const auto* go = std::get_if<Go>(&frame))
        return m_punch.onGo(*go, now);
    if (isOnDetour())
        return; // nothing goes through two relays
    if (const auto* forward = std::get_if<Forward>(&frame))
        // An expired device has links of its own, and none through others.
        m_peer.credential.isExpired
            ? sendFrame(NotForwarded{forward->node, NotForwarded::Reason::NoLink}, now)
            : leave(What::Carry, forward->node, forward->datagram);
    else if (const auto* forwarded = std::get_if<Forwarded>(&frame))
        leave(What::Arrived, forwarded->node, forwarded->datagram);
    else if (const auto* seek = std::get_if<Seek>(&frame); seek && !m_peer.credential.isExpired)
        leave(What::Seek, seek->node);
    else if (const auto* seen = std::get_if<Seen>(&frame))
        leave(What::Seen, seen->node);
    else if (const auto* refusal = std::get_if<NotForwarded>(&frame))
        leave(What::Refused, refusal->node, {}, refusal->reason);
}

void Session::leave(Errand::What what, std::uint64_t tag, ByteView datagram, NotForwarded::Reason reason)
{
    m_shared->errands.push_back({what, m_id, node(), NodeTag{tag}, reason, {}, toBytes(datagram)});
}

void Session::perform(const Punch::Deed& deed, Instant now)
{
    for (Frame frame : deed.say) {
        if (auto* candidates = std::get_if<Candidates>(&frame))
            candidates->forecast = m_shared->forecast;
        sendFrame(frame, now);
    }
    for (const Endpoint& endpoint : deed.check)
        check(endpoint, now);
    if (deed.isVolley && m_called
        && std::find(deed.check.begin(), deed.check.end(), *m_called) == deed.check.end())
        check(*m_called, now);
    if (isOnDetour())
        for (const Endpoint& endpoint : deed.call)
            m_shared->wishes.push_back({m_id, endpoint});
}

void Session::holdBack(Instant now)
{
    m_heldUntil = now + kHeldBack;
}

void Session::onCandidatesChange(Instant now)
{
    m_punch.hurry(now);
}

/// Where we see the other side, if it is still to be told. What comes by a detour shows nothing, nor does a
/// stream: NATs have other ports for it.
std::optional<Endpoint> Session::takeTelling()
{
    if (m_tellings == 0 || isMakeshift())
        return std::nullopt;
    --m_tellings;
    return m_peer.endpoint;
}

void Session::onTold(const std::optional<Endpoint>& seen, const Endpoint& from)
{
    if (!seen || wayOf(from) != Way::Udp || wayOf(*seen) != Way::Udp || m_seen == seen)
        return;
    m_seen = seen;
    m_shared->outputs.push_back(AddressSeen{m_id, *seen});
}

void Session::onPing(const Ping& ping, const Endpoint& from, Instant now)
{
    onTold(ping.seen, from);
    sendFrame(Pong{ping.number, takeTelling()}, now);
}

std::optional<Errc> Session::onData(const Data& data, Instant now)
{
    auto messages = m_incoming.take(data);
    if (!messages) {
        ++m_shared->stats.malformed;
        return messages.error().code;
    }
    if (m_incoming.isAckDue())
        sendFrame(m_incoming.takeAck(), now);
    for (Bytes& message : *messages) {
        ++m_shared->stats.messagesIn;
        m_shared->outputs.push_back(MessageReceived{m_id, std::move(message)});
    }
    return std::nullopt;
}

void Session::onUnreliable(const Unreliable& unreliable)
{
    ++m_shared->stats.unreliableIn;
    Bytes bytes = toBytes(unreliable.payload);
    if (unreliable.isMessage)
        m_shared->outputs.emplace_back(MessageReceived{m_id, std::move(bytes)});
    else
        m_shared->outputs.emplace_back(UnreliableReceived{m_id, std::move(bytes)});
}

void Session::onAck(const Ack& ack, Instant now)
{
    const std::size_t before = m_outgoing.queuedBytes();
    if (!m_outgoing.onAck(ack, now)) {
        ++m_shared->stats.malformed;
        return;
    }
    if (m_outgoing.queuedBytes() < before)
        m_retransmitFrom = now; // RFC 6298 section 5.3
    transmit(now);
}

void Session::onPong(const Pong& pong, const Endpoint& from, Instant now)
{
    onTold(pong.seen, from);
    if (!m_pingSent || pong.number != m_pings)
        return;
    m_outgoing.addSample(now - *m_pingSent);
    m_pingSent.reset();
}

void Session::onChallenge(const PathChallenge& challenge, const Endpoint& from, Instant now)
{
    // Where it came from, also if that is not the address in use: when both sides move at once, neither can
    // answer where the other one was.
    if (from == m_peer.endpoint || m_paths.mayRespond(from))
        sendFrame(from, PathResponse{challenge.nonce}, now);
}

void Session::sendChallenges(Instant now)
{
    const auto asks = m_paths.takeDue(now, m_outgoing.firstTimeout());
    for (const Paths::Ask& ask : asks)
        sendFrame(ask.to, ask.challenge, now);
    if (!asks.empty())
        sendPing(now); // is answered from the address in use, if the other side is still there
}

std::optional<Paths::Proven> Session::moved(Instant now) const
{
    return m_paths.proven(now, m_outgoing.firstTimeout());
}

void Session::follow(const Paths::Proven& path, Instant now)
{
    const bool wasMakeshift = isMakeshift();
    m_paths.follow(path.endpoint);
    m_peer.endpoint = path.endpoint;
    m_lastCurrent = now;
    m_wasOnDetour = m_wasOnDetour || isOnDetour();
    m_called.reset();
    m_paths.setWay(wayOf(path.endpoint));
    if (isMakeshift())
        m_seen.reset(); // what it saw on the other way is no more; the same there again is news
    m_tellings = kTellings;
    if (!isMakeshift())
        m_punch.stop();
    else if (!wasMakeshift)
        m_punch.begin(now);
    m_pingSent.reset(); // it went the old way
    m_outgoing.restart(path.roundTrip);
    sendFrame(m_incoming.takeAck(), now); // those of late went the old way, too
    if (!isMakeshift())
        sendPing(now); // where it is now the other side may not know
    transmit(now);
}

std::optional<Errc> Session::onDeadline(Instant now)
{
    if (now >= m_lastReceived + m_shared->config.idleTimeout)
        return Errc::Timeout;
    sendChallenges(now);
    perform(m_punch.onDue(m_shared->candidates, now), now);
    if (const auto due = remainderDue(); due && now >= *due)
        sendPing(now);
    if (isAwaitingAnswer() && now >= m_retransmitFrom + m_outgoing.retransmitTimeout()) {
        if (!m_outgoing.onTimeout())
            return Errc::Timeout;
        ++m_timeouts;
        if (m_isProbing && !m_outgoing.hasInFlight() && m_timeouts > m_shared->config.maxProbes)
            return Errc::Timeout;
        m_isSuspect = m_timeouts >= kSuspiciousTimeouts;
        if (m_timeouts == kSilentTimeouts && !std::exchange(m_isSilent, true))
            m_shared->outputs.push_back(LinkSilence{m_id, true});
        if (m_isSilent)
            seekAnotherWay();
        m_retransmitFrom = now;
        if (m_isSuspect)
            m_isProbing = false;
        if (m_isProbing)
            sendPing(now);
        transmit(now);
    }
    if (now >= keepaliveDue()) {
        if (!m_isSuspect && !isAwaitingAnswer()) {
            m_isProbing = true;
            m_retransmitFrom = now;
        }
        sendPing(now);
    }
    return std::nullopt;
}

Instant Session::keepaliveDue() const
{
    // On a detour it is the relay's link that keeps the binding.
    const Duration every =
        wayOf(m_peer.endpoint) == Way::Udp ? m_shared->keepalive : m_shared->config.keepalive;
    // The side with the higher id waits a little longer: the other's PING and its own PONG then serve both
    // directions.
    const Duration patience = m_shared->self > node() ? every / 8 : Duration{};
    // While it is silent the probes ask; after them only the binding must be kept.
    const Instant quietSince =
        isAwaitingAnswer() || m_isSuspect ? m_lastSent : std::min(m_lastSent, m_lastReceived);
    return quietSince + every + patience;
}

std::optional<Instant> Session::remainderDue() const
{
    if (!m_incoming.isInMiddle() || isAwaitingAnswer())
        return std::nullopt;
    return std::max(m_lastReceived, m_lastSent) + kRemainderPatience;
}

Instant Session::deadline() const
{
    Instant nearest = std::min(m_lastReceived + m_shared->config.idleTimeout, keepaliveDue());
    if (isAwaitingAnswer())
        nearest = std::min(nearest, m_retransmitFrom + m_outgoing.retransmitTimeout());
    for (const auto& due : {m_paths.due(m_outgoing.firstTimeout()), remainderDue(), m_punch.due()})
        if (due)
            nearest = std::min(nearest, *due);
    return nearest;
}

} // namespace starling::link
