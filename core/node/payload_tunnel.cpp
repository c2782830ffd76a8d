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
    made->m_tunnel.emplace(config);
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
    const auto carried = m_tunnel->fromSwarm(to, packet, m_timers.now());
    for (std::size_t i = 0; carried && i < carried->count; ++i)
        m_send(carried->node, carried->datagrams[i]);
}

void PayloadTunnel::received(const NodeId& from, ByteView datagram)
{
    const auto carried = m_tunnel->fromLink(from, datagram, m_timers.now());
    if (const auto* packet = std::get_if<tunnel::Tunnel::ToSwarm>(&carried))
        m_socket->send(packet->from, packet->packet);
    else if (const auto* resets = std::get_if<tunnel::Tunnel::Resets>(&carried))
        send(from, *resets);
}

void PayloadTunnel::send(const NodeId& to, const tunnel::Tunnel::Resets& resets)
{
    for (const Bytes& reset : resets)
        m_send(to, reset);
}

void PayloadTunnel::endAll()
{
    for (const auto& [node, resets] : m_tunnel->endAll())
        send(node, resets);
}

void PayloadTunnel::peerGone(const NodeId& node)
{
    const auto [address, resets] = m_tunnel->peerGone(node);
    for (const Bytes& reset : resets)
        m_socket->send(address, reset);
}

} // namespace starling::node
