// SPDX-License-Identifier: Apache-2.0
#include "link/session.h"

#include <algorithm>

namespace starling::link {

Session::Session(LinkId id, const Endpoint& remote, Token own, State state, Shared& shared)
    : m_id(id)
    , m_remote(remote)
    , m_own(own)
    , m_state(state)
    , m_shared(&shared)
    , m_incoming(shared.config.maxMessageBytes)
    , m_outgoing(shared.config)
{
}

LinkInfo Session::info() const
{
    return {m_id, m_node, m_remote, m_state == State::Up, m_outgoing.roundTrip()};
}

void Session::setPeer(Token peer, const NodeId& node)
{
    m_peer = peer;
    m_node = node;
}

void Session::sendFrame(Token to, const Body& body, Instant now)
{
    Bytes bytes = serialize({to, m_own, body});
    ++m_shared->stats.datagramsOut;
    m_shared->stats.bytesOut += bytes.size();
    m_lastSent = now;
    m_shared->outputs.push_back(SendDatagram{m_remote, std::move(bytes)});
}

void Session::sendHello(Instant now)
{
    sendFrame(Token{}, Hello{m_shared->self}, now);
}

void Session::sendHelloAck(Instant now)
{
    sendFrame(m_peer, HelloAck{m_shared->self}, now);
}

void Session::sendBye(Instant now)
{
    if (m_peer != Token{})
        sendFrame(m_peer, Bye{Bye::Reason::Closed}, now);
}

void Session::sendPing(Instant now)
{
    m_pingSent = now;
    sendFrame(m_peer, Ping{++m_pings}, now);
}

void Session::beginConnecting(Instant firstHello)
{
    m_state = State::Connecting;
    m_nextHello = firstHello;
}

void Session::comeUp(Proof proof, Instant now)
{
    m_state = State::Up;
    m_lastReceived = now;
    m_retransmitFrom = now;
    m_shared->outputs.push_back(LinkUp{m_id, m_node, m_remote});
    if (proof == Proof::Given)
        return;
    m_isProofDue = true;
    sendPing(now);
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
        sendFrame(m_peer, *data, now);
    }
    m_shared->stats.retransmissions += m_outgoing.retransmissions() - before;
}

std::optional<Errc> Session::onFrame(const Body& body, Instant now)
{
    m_lastReceived = now;
    if (m_isProofDue) {
        m_isProofDue = false;
        m_outgoing.onAnswer();
    }
    if (const auto* data = std::get_if<Data>(&body))
        return onData(*data, now);
    if (const auto* ack = std::get_if<Ack>(&body))
        onAck(*ack, now);
    else if (const auto* ping = std::get_if<Ping>(&body))
        sendFrame(m_peer, Pong{ping->number}, now);
    else if (const auto* pong = std::get_if<Pong>(&body))
        onPong(*pong, now);
    else if (const auto* bye = std::get_if<Bye>(&body))
        return bye->reason == Bye::Reason::Unknown ? Errc::Unreachable : Errc::Cancelled;
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
        sendFrame(m_peer, m_incoming.takeAck(), now);
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

bool Session::takeTimer(const Timer& timer)
{
    if (!m_armed || timer.generation != m_generation)
        return false;
    m_armed.reset();
    return true;
}

std::optional<Errc> Session::onDeadline(Instant now)
{
    if (now >= m_lastReceived + m_shared->config.idleTimeout)
        return Errc::Timeout;
    if (isAwaitingAnswer() && now >= m_retransmitFrom + m_outgoing.retransmitTimeout()) {
        if (!m_outgoing.onTimeout())
            return Errc::Timeout;
        m_retransmitFrom = now;
        if (m_isProofDue)
            sendPing(now);
        transmit(now);
    }
    if (now >= deadline())
        sendPing(now); // nothing else can be due: the keepalive
    return std::nullopt;
}

Instant Session::deadline() const
{
    if (m_state == State::Connecting)
        return m_nextHello;
    const Config& config = m_shared->config;
    // The side with the higher id waits a little longer: the other's PING and its own PONG then serve both
    // directions.
    const Duration patience = m_shared->self > m_node ? config.keepalive / 8 : Duration{};
    Instant nearest = std::min(m_lastReceived + config.idleTimeout, m_lastSent + config.keepalive + patience);
    if (isAwaitingAnswer())
        nearest = std::min(nearest, m_retransmitFrom + m_outgoing.retransmitTimeout());
    return nearest;
}

void Session::arm(Instant now)
{
    if (m_state == State::HalfOpen)
        return;
    const Instant at = deadline();
    if (m_armed && *m_armed <= at)
        return;
    m_armed = at;
    m_shared->outputs.push_back(ScheduleTimer{std::max(at - now, Duration{}), Timer{m_id, ++m_generation}});
}

} // namespace starling::link
