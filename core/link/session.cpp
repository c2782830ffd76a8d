// SPDX-License-Identifier: Apache-2.0
#include "link/session.h"

#include <algorithm>

namespace starling::link {

namespace {
/// Guess: with the shortest timeouts 6 s of silence, which three lost datagrams in ten do not explain.
constexpr unsigned kSuspiciousTimeouts = 7;
/// Guess: at 10 % loss, one probe in 150 is answered later.
constexpr unsigned kSilentTimeouts = 3;
} // namespace

Session::Session(LinkId id, Token own, const Peer& peer, Channel channel, Shared& shared, Instant now)
    : m_id(id)
    , m_own(own)
    , m_peer(peer)
    , m_channel(std::move(channel))
    , m_shared(&shared)
    , m_incoming(shared.config.maxMessageBytes)
    , m_outgoing(shared.config)
    , m_lastSent(now)
    , m_lastReceived(now)
    , m_retransmitFrom(now)
{
}

LinkInfo Session::info() const
{
    return {m_id, m_peer.node, m_peer.endpoint, true, m_outgoing.roundTrip()};
}

void Session::sendFrame(const Frame& frame, Instant now)
{
    m_lastSent = now;
    m_shared->send(m_peer.endpoint, m_channel.seal(m_peer.token, frame, now));
}

void Session::sendBye(Instant now)
{
    sendFrame(Bye{}, now);
}

void Session::sendPing(Instant now)
{
    m_pingSent = now;
    sendFrame(Ping{++m_pings}, now);
}

void Session::probe(Instant now)
{
    if (isAwaitingAnswer())
        return; // what is under way finds out
    m_isProbing = true;
    m_retransmitFrom = now;
    sendPing(now);
}

void Session::sendConfirmation(Instant now)
{
    sendFrame(Pong{0}, now);
}

Status Session::send(Bytes message, Instant now)
{
    if (auto status = m_outgoing.push(std::move(message)); !status)
        return status;
    ++m_shared->stats.messagesOut;
    transmit(now);
    return {};
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

std::optional<Errc> Session::onSealed(const Sealed& sealed, Instant now)
{
    const auto bytes = m_channel.open(sealed, now);
    if (!bytes) {
        ++(bytes.error().code == Errc::Refused ? m_shared->stats.replayed : m_shared->stats.malformed);
        return std::nullopt;
    }
    return onFrame(*bytes, now);
}

std::optional<Errc> Session::onFrame(ByteView bytes, Instant now)
{
    m_lastReceived = now;
    m_timeouts = 0;
    m_isSuspect = false;
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
        sendFrame(Pong{ping->number}, now);
    else if (const auto* pong = std::get_if<Pong>(&*frame))
        onPong(*pong, now);
    else if (std::holds_alternative<Bye>(*frame))
        return Errc::Cancelled;
    return std::nullopt;
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

void Session::onPong(const Pong& pong, Instant now)
{
    if (!m_pingSent || pong.number != m_pings)
        return;
    m_outgoing.addSample(now - *m_pingSent);
    m_pingSent.reset();
}

std::optional<Errc> Session::onDeadline(Instant now)
{
    if (now >= m_lastReceived + m_shared->config.idleTimeout)
        return Errc::Timeout;
    if (isAwaitingAnswer() && now >= m_retransmitFrom + m_outgoing.retransmitTimeout()) {
        if (!m_outgoing.onTimeout())
            return Errc::Timeout;
        ++m_timeouts;
        if (m_isProbing && !m_outgoing.hasInFlight() && m_timeouts > m_shared->config.maxProbes)
            return Errc::Timeout;
        m_isSuspect = m_timeouts >= kSuspiciousTimeouts;
        if (m_timeouts == kSilentTimeouts && !std::exchange(m_isSilent, true))
            m_shared->outputs.push_back(LinkSilence{m_id, true});
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
    const Config& config = m_shared->config;
    // The side with the higher id waits a little longer: the other's PING and its own PONG then serve both
    // directions.
    const Duration patience = m_shared->self > m_peer.node ? config.keepalive / 8 : Duration{};
    // While it is silent the probes ask; after them only the binding must be kept.
    const Instant quietSince =
        isAwaitingAnswer() || m_isSuspect ? m_lastSent : std::min(m_lastSent, m_lastReceived);
    return quietSince + config.keepalive + patience;
}

Instant Session::deadline() const
{
    Instant nearest = std::min(m_lastReceived + m_shared->config.idleTimeout, keepaliveDue());
    if (isAwaitingAnswer())
        nearest = std::min(nearest, m_retransmitFrom + m_outgoing.retransmitTimeout());
    return nearest;
}

} // namespace starling::link
