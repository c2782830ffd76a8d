// SPDX-License-Identifier: Apache-2.0
/// The receiving half of a link: puts fragments in order, joins them into messages, and knows what to
/// acknowledge. Memory is bounded by one message under way and as many bytes again of fragments that came
/// early.
#pragma once

#include "link/frame.h"

#include <map>

namespace starling::link {

class Incoming
{
public:
    explicit Incoming(std::size_t maxMessageBytes);

    /// Takes a fragment; the messages that it completes, in the order in which they were sent. A fragment
    /// that came before, or too early to be kept, completes nothing. Fails with TooLarge if a message grows
    /// over the limit.
    Result<std::vector<Bytes>> take(const Data& data);
    /// Whether the sender should hear from us now: it asked, something is missing or came twice, or enough
    /// arrived.
    bool isAckDue() const { return m_isAckDue; }
    /// Whether a message has come in part.
    bool isInMiddle() const { return !m_partial.empty() || !m_early.empty(); }
    /// What arrived so far; nothing is due afterwards.
    Ack takeAck();

private:
    struct Piece
    {
        Bytes bytes;
        bool isLast = false;
    };
    Status append(ByteView bytes, bool isLast, std::vector<Bytes>& complete);

    std::size_t m_maxMessageBytes;
    std::uint64_t m_next = 0;
    std::uint64_t m_echo = 0;
    std::map<std::uint64_t, Piece> m_early;
    std::size_t m_earlyBytes = 0;
    Bytes m_partial;
    std::size_t m_unacknowledged = 0;
    bool m_isAckDue = false;
};

} // namespace starling::link
