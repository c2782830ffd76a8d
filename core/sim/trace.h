// SPDX-License-Identifier: Apache-2.0
/// The fingerprint of a run: SHA-256 over every event that happened, in order, in blocks of which each hashes
/// the one before. Two runs of the same scenario and seed have the same one. Pure.
///
///     at u64 (ns) | what u8, node u56 | from u64 | hash of the bytes or of the timer's numbers u64
#pragma once

#include "crypto/sha256.h"
#include "sim/event_queue.h"

namespace starling::sim {

class Trace
{
public:
    void add(Instant at, const Event& event);
    std::uint64_t events() const { return m_count; }
    /// Of all events so far.
    Digest digest() const;

private:
    static constexpr std::size_t kWords = 4;
    static constexpr std::size_t kBuffered = 128; ///< events hashed at a time
    Digest m_before; ///< of the full blocks
    std::array<std::uint64_t, kWords * kBuffered> m_words{};
    std::size_t m_used = 0;
    std::uint64_t m_count = 0;
};

} // namespace starling::sim
