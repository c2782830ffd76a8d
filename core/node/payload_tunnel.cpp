// SPDX-License-Identifier: Apache-2.0
#include "node/payload_tunnel.h"

#include "link/frame.h"
#include "link/link.h"
#include "link/packet.h"
#include "node/log.h"

namespace starling::node {

namespace {
/// nat.md: with less, uTP was measured at a tenth of the speed. Packages raise net.core.rmem_max.
constexpr std::size_t kEnoughBuffer = 1024 * 1024;
} // namespace

PayloadTunnel::PayloadTunnel(const TimerQueue& timers, Sender send)
    : m_timers(timers)
    , m_send(std::move(send))
{
    m_tick.setTimerType(Qt::PreciseTimer);
    m_tick.setInterval(std::chrono::duration_cast<std::chrono::milliseconds>(tunnel::Recovery::kTick));
    QObject::connect(&m_tick, &QTimer::timeout, &m_tick, [this] {
        if (m_tunnel->isWaiting())
            perform(m_tunnel->onTick(m_timers.now()));
        else
            m_tick.stop();
    });
}

Result<std::unique_ptr<PayloadTunnel>> PayloadTunnel::open(const Endpoint& swarm, const TimerQueue& timers,
                                                           Sender send)
{
    std::unique_ptr<PayloadTunnel> made(new PayloadTunnel(timers, std::move(send)));
    auto socket = SwarmSocket::open(
        swarm, [tunnel = made.get()](const Endpoint& to, ByteView packet) { tunnel->carry(to, packet); });
    if (!socket)
        return tl::unexpected<Error>(socket.error());
    made->m_socket = std::move(*socket);
    tunnel::Config config;
    config.port = made->m_socket->port();
    config.maxDatagramBytes =
        link::Config().datagramBytes - link::kSealedOverheadBytes - link::kUnreliableOverheadBytes;
    made->m_tunnel.emplace(config, made->m_random);
    if (made->m_socket->receiveBuffer() < kEnoughBuffer)
        qCInfo(lcSwarm, "a receive buffer of %zu bytes makes payload slow: raise net.core.rmem_max",
               made->m_socket->receiveBuffer());
    return made;
}

std::optional<Endpoint> PayloadTunnel::addressOf(const NodeId& node)
{
    return m_tunnel->addressOf(node, m_timers.now());
}

bool PayloadTunnel::isInUse(const NodeId& node) const
{
    return m_tunnel->isInUse(node, m_timers.now());
}

void PayloadTunnel::carry(const Endpoint& to, ByteView packet)
{
    perform(m_tunnel->fromSwarm(to, packet, m_timers.now()));
}

void PayloadTunnel::received(const NodeId& from, ByteView datagram)
{
    perform(m_tunnel->fromLink(from, datagram, m_timers.now()));
}

void PayloadTunnel::perform(const tunnel::Tunnel::Outputs& outputs)
{
    for (const tunnel::Tunnel::Output& output : outputs)
        if (const auto* datagram = std::get_if<tunnel::Tunnel::ToLink>(&output))
            m_send(datagram->node, datagram->datagram);
        else if (const auto* packet = std::get_if<tunnel::Tunnel::ToSwarm>(&output))
            m_socket->send(packet->from, packet->packet);
    if (!m_tick.isActive() && m_tunnel->isWaiting())
        m_tick.start();
}

void PayloadTunnel::endAll()
{
    perform(m_tunnel->endAll());
}

void PayloadTunnel::peerGone(const NodeId& node)
{
    perform(m_tunnel->peerGone(node));
}

} // namespace starling::node
