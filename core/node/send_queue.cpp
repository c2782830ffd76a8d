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
    while (head.size > 0 && first + count < m_waiting.size()) {
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
    const ByteView all = m_bytes;
    for (std::size_t first = 0; first < m_waiting.size();) {
        const Waiting& head = m_waiting[first];
        const std::size_t next = first + runFrom(first);
        const Waiting& last = m_waiting[next - 1];
        const bool isSeveral = next - first > 1;
        const ByteView bytes = all.subspan(head.begin, last.begin + last.size - head.begin);
        // Not where the kernel or the interface joins nothing, nor on a way that is too narrow or gone.
        if (!m_send(head.address, bytes, isSeveral ? static_cast<std::uint16_t>(head.size) : 0) && isSeveral)
            for (std::size_t i = first; i < next; ++i)
                m_send(head.address, all.subspan(m_waiting[i].begin, m_waiting[i].size), 0);
        first = next;
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
        // Of a way that is full they are lost; otherwise each may be tried.
        return !isSeveral || errno == EAGAIN || errno == ENOBUFS;
    }
    return true;
}

} // namespace starling::node
