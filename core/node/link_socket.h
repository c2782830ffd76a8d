// SPDX-License-Identifier: Apache-2.0
/// The UDP socket of the links: what a turn of the event loop has to send goes in one go (send_queue.h), and
/// what the kernel joined on its way in is taken apart again (UDP_GRO; udp(7)).
#pragma once

#include "node/send_queue.h"

#include <QSocketNotifier>
#include <functional>
#include <memory>

namespace starling::node {

class LinkSocket
{
public:
    using Receiver = std::function<void(const Endpoint& from, ByteView datagram)>;

    explicit LinkSocket(Receiver receiver);
    ~LinkSocket();
    LinkSocket(const LinkSocket&) = delete;
    LinkSocket& operator=(const LinkSocket&) = delete;

    /// [::] is for IPv4, too. Fails with PortInUse or Io. To be called once.
    Status bind(const Endpoint& listen);
    Endpoint localEndpoint() const { return m_local; }
    /// Sent at the end of this turn of the event loop, or before if there is much. What the network does not
    /// take is lost.
    void send(const Endpoint& to, ByteView datagram);
    /// Sends what waits for the end of the turn now.
    void flush() { m_queue.flush(); }

private:
    struct Buffers;
    /// One datagram, or several as one; false as SendQueue::Send.
    bool sendNow(const Endpoint& to, ByteView bytes, std::uint16_t size);
    void receive();
    bool receiveBatch();
    Status prepare(const Endpoint& listen);

    const Receiver m_receiver;
    int m_descriptor = -1;
    std::unique_ptr<QSocketNotifier> m_notifier;
    Endpoint m_local;
    bool m_isIpv4 = true; ///< the socket's family
    std::unique_ptr<Buffers> m_buffers;
    SendQueue m_queue;
};

} // namespace starling::node
