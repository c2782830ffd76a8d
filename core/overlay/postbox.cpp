// SPDX-License-Identifier: Apache-2.0
#include "overlay/postbox.h"

#include <algorithm>

namespace starling::overlay {

Postbox::Postbox(std::vector<Output>& outputs, Neighbors& stats, const Config& config)
    : m_outputs(outputs)
    , m_stats(stats)
    , m_maxMessageBytes(std::min(config.maxMessageBytes, kMaxMessageBytes))
{
}

void Postbox::post(NeighborId to, Bytes bytes, Delivery delivery)
{
    m_outputs.emplace_back(SendMessage{to, std::move(bytes), delivery});
}

std::size_t Postbox::send(NeighborId to, const Message& message, Delivery delivery)
{
    Bytes bytes = serialize(message);
    const std::size_t size = bytes.size();
    post(to, std::move(bytes), delivery);
    return size;
}

std::size_t Postbox::sendNotice(NeighborId to, ByteView notice, bool isBeside)
{
    Bytes bytes = serialize(NoticeMessage{notice, isBeside});
    const std::size_t size = bytes.size();
    const auto stats = m_stats.find(to);
    if (size > m_maxMessageBytes || stats == m_stats.end())
        return 0;
    ++stats->second.noticesOut;
    post(to, std::move(bytes), Delivery::Assured);
    return size;
}

Allowance::Allowance(std::uint32_t burst, std::uint32_t perSecond, Instant now)
    : m_burst(burst)
    , m_perSecond(perSecond)
    , m_left(burst)
    , m_refilled(now)
{
}

bool Allowance::isOpen(Instant now)
{
    // Whole seconds only, and the rest of a second is kept: no rounding can add up.
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - m_refilled);
    if (seconds.count() > 0) {
        m_refilled += seconds;
        const std::int64_t missing = m_burst - m_left;
        m_left = seconds.count() > missing / m_perSecond ? std::int64_t{m_burst}
                                                         : m_left + seconds.count() * m_perSecond;
    }
    return m_left > 0;
}

void Allowance::spend(std::size_t bytes)
{
    m_left -= static_cast<std::int64_t>(bytes);
}

} // namespace starling::overlay
