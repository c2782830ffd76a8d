// SPDX-License-Identifier: Apache-2.0
#include "sim/trace.h"

#include "sim/mixing.h"

namespace starling::sim {

void Trace::add(Instant at, const Event& event)
{
    if (m_used == m_words.size()) {
        m_before = digest();
        m_used = 0;
    }
    const std::array<std::uint64_t, kWords> words{
        static_cast<std::uint64_t>(at.time_since_epoch().count()),
        static_cast<std::uint64_t>(event.what) << 56 | event.node,
        event.from,
        event.content.isEmpty() ? mixed(mixed(event.life, event.first), event.second) : event.content.hash(),
    };
    for (const std::uint64_t word : words)
        m_words[m_used++] = littleEndian(word);
    ++m_count;
}

Digest Trace::digest() const
{
    crypto::Sha256 hash;
    hash.update(m_before.bytes());
    hash.update(std::as_bytes(std::span(m_words).first(m_used)));
    return hash.finish();
}

} // namespace starling::sim
