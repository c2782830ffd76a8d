// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include "base/assert.h"

#include <array>

namespace starling {

std::uint64_t RandomSource::u64()
{
    std::array<std::byte, 8> bytes{};
    fill(bytes);
    std::uint64_t value = 0;
    for (const std::byte b : bytes)
        value = value << 8 | std::to_integer<std::uint64_t>(b);
    return value;
}

std::uint64_t RandomSource::below(std::uint64_t bound)
{
    STARLING_ASSERT(bound > 0);
    // Rejection keeps it uniform: values from the incomplete last copy of [0, bound) are drawn again.
    const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    std::uint64_t value = u64();
    while (value >= limit)
        value = u64();
    return value % bound;
}

void SeededRandom::fill(std::span<std::byte> out)
{
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (i % 8 == 0) {
            m_state += 0x9e3779b97f4a7c15;
            word = m_state;
            word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
            word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
            word ^= word >> 31;
        }
        out[i] = static_cast<std::byte>(word >> (8 * (i % 8)));
    }
}

} // namespace starling
