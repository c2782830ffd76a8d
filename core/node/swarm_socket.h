// SPDX-License-Identifier: Apache-2.0
/// One UDP socket that speaks to libtorrent on loopback from as many addresses as there are peers, all on one
/// port: Linux takes the whole of 127.0.0.0/8 for its own, and lets a datagram's sender choose
/// (IP_PKTINFO, ip(7)).
#pragma once

#include "node/send_queue.h"

#include <QSocketNotifier>

#include <functional>
#include <memory>

namespace starling::node {

class SwarmSocket
{
public:
    /// Called for each datagram that libtorrent sent to one of our addresses.
    using Receiver = std::function<void(const Endpoint& to, ByteView datagram)>;

    /// `swarm` is where libtorrent speaks; what comes from elsewhere is dropped. Fails with Io.
    static Result<std::unique_ptr<SwarmSocket>> open(const Endpoint& swarm, Receiver receiver);
    ~SwarmSocket();
    SwarmSocket(const SwarmSocket&) = delete;
    SwarmSocket& operator=(const SwarmSocket&) = delete;

    std::uint16_t port() const { return m_port; }
    /// At the end of this turn of the event loop. Lost if there is no room: uTP sends it again.
    void send(const Endpoint& from, ByteView datagram);
    /// What the kernel gave of the buffer that was asked for, in bytes.
    std::size_t receiveBuffer() const { return m_receiveBuffer; }

private:
    struct Batch;
    SwarmSocket(int descriptor, const Endpoint& swarm, Receiver receiver);
    Status prepare();
    void receive();
    /// One datagram, or several as one; false as SendQueue::Send.
    bool sendNow(const Endpoint& from, ByteView bytes, std::uint16_t size);

    const int m_descriptor;
    const Endpoint m_swarm;
    const Receiver m_receiver;
    std::uint16_t m_port = 0;
    std::size_t m_receiveBuffer = 0;
    std::unique_ptr<Batch> m_batch;
    SendQueue m_queue;
    QSocketNotifier m_notifier;
};

} // namespace starling::node
