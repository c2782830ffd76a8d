// SPDX-License-Identifier: Apache-2.0
#include "node/send_queue.h"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/udp.h>

namespace starling::node {

namespace {
constexpr std::size_t kMaxWaiting = 64; // the kernel joins no more (UDP_MAX_SEGMENTS)
constexpr std::size_t kMaxJoinedBytes = 60'000; // a datagram of UDP has at most 65,507
} // namespace

void SendQueue::add(const Endpoint& address, ByteView datagram)
{
    m_waiting.push_back({address, m_bytes.size(), datagram.size()});
    append(m_bytes, datagram);
    if (m_waiting.size() >= kMaxWaiting)
        return flush();
    if (std::exchange(m_isFlushQueued, true))
        return;
    QMetaObject::invokeMethod(
        &m_turn,
        [this] {
            m_isFlushQueued = false;
            flush();
        },
        Qt::QueuedConnection);
}

std::size_t SendQueue::runFrom(std::size_t first) const
{
    const Waiting& head = m_waiting[first];
    std::size_t count = 1, bytes = head.size;
    while (m_joins && head.size > 0 && first + count < m_waiting.size()) {
        const Waiting& next = m_waiting[first + count];
        if (next.address != head.address || next.size > head.size || next.size == 0
            || bytes + next.size > kMaxJoinedBytes)
            break;
        bytes += next.size;
        ++count;
        if (next.size < head.size)
            break; // only the last one may be shorter
    }
    return count;
}

void SendQueue::flush()
{
    for (std::size_t first = 0; first < m_waiting.size();) {
        const std::size_t count = runFrom(first);
        const Waiting& head = m_waiting[first];
        const Waiting& last = m_waiting[first + count - 1];
        const ByteView bytes = ByteView(m_bytes).subspan(head.begin, last.begin + last.size - head.begin);
        const std::uint16_t size = count > 1 ? static_cast<std::uint16_t>(head.size) : 0;
        if (!m_send(head.address, bytes, size) && count > 1)
            m_joins = false; // from now on each goes alone, and these do now
        else
            first += count;
    }
    m_waiting.clear();
    m_bytes.clear();
}

void SendQueue::tellSize(cmsghdr& part, std::uint16_t size)
{
    part.cmsg_level = SOL_UDP;
    part.cmsg_type = UDP_SEGMENT;
    part.cmsg_len = CMSG_LEN(sizeof size);
    std::memcpy(CMSG_DATA(&part), &size, sizeof size);
}

bool SendQueue::sendJoined(int descriptor, const msghdr& header, bool isSeveral)
{
    while (::sendmsg(descriptor, &header, 0) < 0) {
        if (errno == EINTR)
            continue;
        // Of a way that is full, they are lost; otherwise the kernel or the interface joins nothing.
        return !isSeveral || errno == EAGAIN || errno == ENOBUFS;
    }
    return true;
}

} // namespace starling::node
