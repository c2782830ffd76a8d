// SPDX-License-Identifier: Apache-2.0
/// Which counters came already: exact for the newest 2,048, and everything older counts as having come.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace starling::link {

class ReplayWindow
{
public:
    static constexpr std::uint64_t kSize = 2'048; ///< trust.md; 64 in flight and much reordering

    bool isFresh(std::uint64_t counter) const
    {
        if (counter >= m_end)
            return counter != kReserved;
        return m_end - counter <= kSize && (word(counter) >> (counter % kBits) & 1) == 0;
    }
    /// Of a fresh one.
    void note(std::uint64_t counter)
    {
        if (counter >= m_end)
            moveTo(counter + 1);
        word(counter) |= std::uint64_t(1) << (counter % kBits);
    }

private:
    static constexpr std::uint64_t kReserved = ~std::uint64_t(0); ///< Noise keeps it for making new keys
    static constexpr std::uint64_t kBits = 64;
    /// One word more than the window, so that the word of the newest is not that of the oldest.
    static constexpr std::uint64_t kWords = kSize / kBits + 1;

    std::uint64_t& word(std::uint64_t counter) { return m_words[counter / kBits % kWords]; }
    const std::uint64_t& word(std::uint64_t counter) const { return m_words[counter / kBits % kWords]; }
    void moveTo(std::uint64_t end)
    {
        // The word of m_end - 1 is in use; those after it are stale up to the word of end - 1.
        const std::uint64_t from = m_end == 0 ? 0 : (m_end - 1) / kBits + 1;
        const std::uint64_t to = (end - 1) / kBits;
        for (std::uint64_t i = 0; from + i <= to && i < kWords; ++i)
            m_words[(from + i) % kWords] = 0;
        m_end = end;
    }

    std::uint64_t m_end = 0; ///< one after the newest
    std::array<std::uint64_t, kWords> m_words{};
};

} // namespace starling::link
