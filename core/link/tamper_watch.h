// SPDX-License-Identifier: Apache-2.0
/// Notices when more of what comes to links is forged, altered or repeated than chance explains: somebody may
/// be on the way. It does no harm to what links carry, but somebody should know. Pure.
#pragma once

#include "base/time.h"
#include "link/link_info.h"

#include <optional>
#include <string>

namespace starling::link {

class TamperWatch
{
public:
    /// Looked at together. Guess: a line that repeats or damages now and then stays below the bounds.
    static constexpr Duration kWindow = std::chrono::minutes(1);
    static constexpr std::uint64_t kLeast = 10; ///< datagrams; guess: below it is chance, or a scan
    static constexpr std::uint64_t kShare = 50; ///< one in so many; guess
    static constexpr Duration kPause = std::chrono::hours(1); ///< between two warnings; guess

    /// `stats` as they are `now`. What is to be said, if anything.
    std::optional<std::string> look(const Stats& stats, Instant now);

private:
    std::optional<Instant> m_since, m_warned;
    std::uint64_t m_arrived = 0, m_malformed = 0, m_replayed = 0; ///< when the window began
};

} // namespace starling::link
