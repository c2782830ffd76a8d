// SPDX-License-Identifier: Apache-2.0
/// Carries uTP between one libtorrent session and links: the socket on loopback and the tunnel behind it.
#pragma once

#include "crypto/signing.h"
#include "node/swarm_socket.h"
#include "node/timer_queue.h"
#include "tunnel/tunnel.h"

#include <QTimer>

namespace starling::node {

class PayloadTunnel
{
public:
    /// Where a datagram for the link to `to` goes.
    using Sender = std::function<void(const NodeId& to, ByteView datagram)>;

    /// `swarm` is where the session speaks uTP; `timers` must outlive it. Fails with Io.
    static Result<std::unique_ptr<PayloadTunnel>> open(const Endpoint& swarm, const TimerQueue& timers,
                                                       Sender send);

    /// Where libtorrent finds `node`; nothing if there are too many peers.
    std::optional<Endpoint> addressOf(const NodeId& node);
    bool isInUse(const NodeId& node) const;
    /// What a link brought.
    void received(const NodeId& from, ByteView datagram);
    /// The session goes: tells all peers.
    void endAll();
    /// The last link to `node` is down: tells the session.
    void peerGone(const NodeId& node);
    const tunnel::Stats& stats() const { return m_tunnel->stats(); }

private:
    PayloadTunnel(const TimerQueue& timers, Sender send);
    void carry(const Endpoint& to, ByteView packet);
    void perform(const tunnel::Tunnel::Outputs& outputs);

    const TimerQueue& m_timers;
    const Sender m_send;
    crypto::SystemRandom m_random;
    std::unique_ptr<SwarmSocket> m_socket;
    std::optional<tunnel::Tunnel> m_tunnel; ///< from open() on
    QTimer m_tick; ///< runs while something is under way
};

} // namespace starling::node
