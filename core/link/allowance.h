// SPDX-License-Identifier: Apache-2.0
/// How many bytes may go out: a budget that fills with time. Pure.
#pragma once

#include "base/time.h"

#include <algorithm>
#include <cstdint>

namespace starling::link {

class Allowance
{
public:
    /// `burst` bytes at once, and as many again over time as `perSecond` says.
    Allowance(std::uint64_t perSecond, std::uint64_t burst, Instant now)
        : m_perSecond(static_cast<double>(perSecond))
        , m_burst(static_cast<double>(burst))
        , m_budget(m_burst)
        , m_since(now)
    {
    }
    /// Whether `bytes` may go now; if so, they are counted.
    bool take(std::size_t bytes, Instant now)
    {
        const double seconds = std::chrono::duration<double>(now - m_since).count();
        m_budget = std::min(m_burst, m_budget + seconds * m_perSecond);
        m_since = now;
        if (m_budget < static_cast<double>(bytes))
            return false;
        m_budget -= static_cast<double>(bytes);
        return true;
    }

private:
    double m_perSecond, m_burst, m_budget;
    Instant m_since;
};

} // namespace starling::link
