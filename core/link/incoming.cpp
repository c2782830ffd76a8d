// SPDX-License-Identifier: Apache-2.0
#include "link/incoming.h"

#include <algorithm>

namespace starling::link {

namespace {
// Guess: few enough to keep a window of 64 moving, and an eighth of the datagrams that one ACK each would
// cost. No timer is needed for the rest: the sender marks the last fragment of each burst.
constexpr std::size_t kFragmentsPerAck = 8;
} // namespace

Incoming::Incoming(std::size_t maxMessageBytes)
    : m_maxMessageBytes(maxMessageBytes)
{
}

Status Incoming::append(ByteView bytes, bool isLast, std::vector<Bytes>& complete)
{
    if (bytes.size() > m_maxMessageBytes - m_partial.size())
        return fail(Errc::TooLarge, "message of more than " + std::to_string(m_maxMessageBytes) + " bytes");
    starling::append(m_partial, bytes);
    ++m_next;
    if (isLast) {
        complete.push_back(std::move(m_partial));
        m_partial = Bytes();
    }
    return {};
}

Result<std::vector<Bytes>> Incoming::take(const Data& data)
{
    std::vector<Bytes> complete;
    if (data.sequence < m_next || m_early.contains(data.sequence)) {
        m_echo = std::max(m_echo, data.transmission);
        m_isAckDue = true; // the acknowledgement was lost, or late
        return complete;
    }
    if (data.sequence - m_next >= kReceiveWindow)
        return complete;
    const bool isEarly = data.sequence != m_next;
    if (isEarly && data.payload.size() > m_maxMessageBytes - m_earlyBytes)
        return complete; // neither kept nor acknowledged: it will come again
    m_echo = std::max(m_echo, data.transmission);
    if (isEarly) {
        m_earlyBytes += data.payload.size();
        m_early.emplace(data.sequence, Piece{toBytes(data.payload), data.isLast});
        m_isAckDue = true;
        return complete;
    }
    if (auto status = append(data.payload, data.isLast, complete); !status)
        return fail(std::move(status.error()), "link");
    for (auto it = m_early.begin(); it != m_early.end() && it->first == m_next; it = m_early.erase(it)) {
        m_earlyBytes -= it->second.bytes.size();
        if (auto status = append(it->second.bytes, it->second.isLast, complete); !status)
            return fail(std::move(status.error()), "link");
    }
    ++m_unacknowledged;
    if (data.wantsAck || !m_early.empty() || m_unacknowledged >= kFragmentsPerAck)
        m_isAckDue = true;
    return complete;
}

Ack Incoming::takeAck()
{
    Ack ack;
    ack.next = m_next;
    ack.echo = m_echo;
    for (const auto& [sequence, piece] : m_early)
        ack.beyond[sequence - m_next - 1] = true;
    m_unacknowledged = 0;
    m_isAckDue = false;
    return ack;
}

} // namespace starling::link
