// SPDX-License-Identifier: Apache-2.0
/// Datagrams that are sent at the end of a turn of the event loop, where the kernel can, several as one
/// (UDP_SEGMENT; udp(7)): payload comes in thousands a second, and each way through the kernel costs more
/// than sealing a datagram.
#pragma once

#include "base/endpoint.h"

#include <QObject>
#include <cstdint>
#include <functional>
#include <sys/socket.h>
#include <vector>

namespace starling::node {

class SendQueue
{
public:
    /// Sends `bytes`, which are datagrams of `size` each but the last, which may be shorter. `address` is
    /// what add() was told. False if several cannot go as one here.
    using Send = std::function<bool(const Endpoint& address, ByteView bytes, std::uint16_t size)>;

    explicit SendQueue(Send send)
        : m_send(std::move(send))
    {
    }

    /// Goes out at the end of this turn, or before if there is much. Those to one address stay in order.
    void add(const Endpoint& address, ByteView datagram);
    /// Sends now what waits.
    void flush();

    /// Room for what tells the kernel the size.
    static constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(std::uint16_t));
    static void tellSize(cmsghdr& part, std::uint16_t size);
    /// Sends a message whose last part of control says the size. False as Send.
    static bool sendJoined(int descriptor, const msghdr& header, bool isSeveral);

private:
    struct Waiting
    {
        Endpoint address;
        std::size_t begin = 0, size = 0; ///< in m_bytes
    };
    /// How many of those that wait, from `first` on, go as one.
    std::size_t runFrom(std::size_t first) const;

    Send m_send;
    Bytes m_bytes; ///< of all that waits
    std::vector<Waiting> m_waiting;
    bool m_isFlushQueued = false;
    QObject m_turn; ///< ends what is queued with this
};

} // namespace starling::node
