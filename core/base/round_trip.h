// SPDX-License-Identifier: Apache-2.0
/// How long an answer takes: smoothed, with its variation (RFC 6298 section 2). Pure.
#pragma once

#include "base/time.h"

#include <optional>

namespace starling {

class RoundTrip
{
public:
    /// One that was measured; alpha = 1/8 and beta = 1/4 (section 2.3).
    void add(Duration sample)
    {
        if (!m_smoothed) {
            m_smoothed = sample;
            m_variation = sample / 2;
            return;
        }
        const Duration error = *m_smoothed > sample ? *m_smoothed - sample : sample - *m_smoothed;
        m_variation = (3 * m_variation + error) / 4;
        m_smoothed = (7 * *m_smoothed + sample) / 8;
    }
    /// Nothing before the first sample.
    std::optional<Duration> smoothed() const { return m_smoothed; }
    /// How long to wait for an answer before it counts as lost, without bounds.
    std::optional<Duration> patience() const
    {
        return m_smoothed ? std::optional(*m_smoothed + 4 * m_variation) : std::nullopt;
    }

private:
    std::optional<Duration> m_smoothed;
    Duration m_variation{};
};

} // namespace starling
