// SPDX-License-Identifier: Apache-2.0
#include "nat/source_bounds.h"

#include <algorithm>

namespace starling::nat {

double TokenBucket::at(Instant now, double perSecond, double burst) const
{
    const double seconds = std::chrono::duration<double>(std::max(now - since, Duration{})).count();
    return std::min(burst, tokens + seconds * perSecond);
}

SourceBounds::SourceBounds(Config config)
    : m_config(config)
    , m_all{config.burstInAll, Instant{}}
{
}

SourceBounds::Source SourceBounds::sourceOf(const Endpoint& from)
{
    Source source = from.address;
    if (!from.isIpv4()) // a host of IPv6 has 2^64 addresses to choose from
        std::fill(source.begin() + 8, source.end(), std::uint8_t(0));
    return source;
}

void SourceBounds::forgetIdle(Instant now)
{
    std::erase_if(m_sources, [&](const auto& entry) {
        return entry.second.at(now, m_config.perSecond, m_config.burst) >= m_config.burst;
    });
}

bool SourceBounds::admits(const Endpoint& from, Instant now)
{
    const double inAll = m_all.at(now, m_config.perSecondInAll, m_config.burstInAll);
    if (inAll < 1)
        return false;
    const Source source = sourceOf(from);
    auto known = m_sources.find(source);
    if (known == m_sources.end()) {
        if (m_sources.size() >= m_config.maxSources)
            forgetIdle(now);
        if (m_sources.size() >= m_config.maxSources)
            return false;
        known = m_sources.emplace(source, TokenBucket{m_config.burst, now}).first;
    }
    const double own = known->second.at(now, m_config.perSecond, m_config.burst);
    if (own < 1)
        return false;
    known->second = {own - 1, now};
    m_all = {inAll - 1, now};
    return true;
}

} // namespace starling::nat
