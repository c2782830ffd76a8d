// SPDX-License-Identifier: Apache-2.0
/// How often strangers are answered: a bucket of tokens for each source, and one for all. Sources are easily
/// forged, and whoever is answered may be a victim: the bound for each is what a victim can get. Pure.
#pragma once

#include "base/endpoint.h"
#include "base/time.h"

#include <map>

namespace starling::nat {

/// Tokens that come back with time.
struct TokenBucket
{
    double tokens = 0;
    Instant since; ///< when there were so many

    /// Those that are there now, `burst` at most.
    double at(Instant now, double perSecond, double burst) const;
};

class SourceBounds
{
public:
    /// Guesses. One behaviour discovery asks some twenty times, retransmissions included, and a site's
    /// devices share one address.
    struct Config
    {
        double perSecond = 20, burst = 60; ///< for an IPv4 address, or an IPv6 network of 64 bits
        double perSecondInAll = 500, burstInAll = 1'000; ///< answers of 100 bytes: 50 kB/s
        std::size_t maxSources = 4'096; ///< those who ask slowly are forgotten first
    };

    explicit SourceBounds(Config config);
    /// Whether a question of this source may be answered, and counts it if so.
    bool admits(const Endpoint& from, Instant now);
    std::size_t sources() const { return m_sources.size(); }

private:
    using Source = std::array<std::uint8_t, 16>;
    static Source sourceOf(const Endpoint& from);
    void forgetIdle(Instant now);

    Config m_config;
    std::map<Source, TokenBucket> m_sources;
    TokenBucket m_all;
};

} // namespace starling::nat
