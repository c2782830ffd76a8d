// SPDX-License-Identifier: Apache-2.0
#include "link/tamper_watch.h"

namespace starling::link {

std::optional<std::string> TamperWatch::look(const Stats& stats, Instant now)
{
    if (!m_since || now - *m_since >= kWindow) {
        m_since = now;
        m_arrived = stats.datagramsIn;
        m_malformed = stats.malformed;
        m_replayed = stats.replayed;
        return std::nullopt;
    }
    const std::uint64_t arrived = stats.datagramsIn - m_arrived;
    const std::uint64_t malformed = stats.malformed - m_malformed, replayed = stats.replayed - m_replayed;
    const std::uint64_t bad = malformed + replayed;
    if (bad < kLeast || bad * kShare < arrived || (m_warned && now - *m_warned < kPause))
        return std::nullopt;
    m_warned = now;
    return "of " + std::to_string(arrived) + " datagrams of the last minute " + std::to_string(malformed)
        + " were forged or altered, and " + std::to_string(replayed)
        + " had come before: somebody may be on the way. Links drop them; nothing of it is believed";
}

} // namespace starling::link
