// SPDX-License-Identifier: Apache-2.0
/// What leaves the overlay during one call, and how much one neighbour may have of it. Pure.
#pragma once

#include "overlay/message.h"

namespace starling::overlay {

/// Collects the outputs of one call and counts the notices among them.
class Postbox
{
public:
    Postbox(std::vector<Output>& outputs, Neighbors& stats, const Config& config);

    /// Returns the number of bytes sent.
    std::size_t send(NeighborId to, const Message& message, Delivery delivery = Delivery::Assured);
    /// Sends a notice to one neighbour; returns the number of bytes, 0 if it is larger than a message may be.
    /// `isBeside`: NoticeMessage has it.
    std::size_t sendNotice(NeighborId to, ByteView notice, bool isBeside);
    void put(Output output) { m_outputs.push_back(std::move(output)); }

private:
    void post(NeighborId to, Bytes bytes, Delivery delivery);

    std::vector<Output>& m_outputs;
    Neighbors& m_stats;
    std::size_t m_maxMessageBytes;
};

/// A token bucket in bytes: bounds what one neighbour can make us send by asking.
class Allowance
{
public:
    /// `burst` bytes at once, then `perSecond`.
    Allowance(std::uint32_t burst, std::uint32_t perSecond, Instant now);
    /// Whether anything is left; if so, a whole answer may be sent, even one larger than what is left.
    bool isOpen(Instant now);
    void spend(std::size_t bytes);

private:
    std::uint32_t m_burst;
    std::uint32_t m_perSecond;
    std::int64_t m_left; ///< may go below 0
    Instant m_refilled;
};

} // namespace starling::overlay
