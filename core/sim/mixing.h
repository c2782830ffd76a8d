// SPDX-License-Identifier: Apache-2.0
/// Words for hashes that are the same on every machine, and one after the other into a quick hash. Nobody has
/// to find it hard to make two alike.
#pragma once

#include <bit>
#include <cstdint>

namespace starling::sim {

/// Odd, half of its bits set: SplitMix64's.
inline constexpr std::uint64_t kMultiplier = 0xbf58476d1ce4e5b9;

/// The word whose bytes lie in memory as those of `word` do on a little-endian machine.
inline std::uint64_t littleEndian(std::uint64_t word)
{
    if constexpr (std::endian::native == std::endian::little)
        return word;
    std::uint64_t turned = 0;
    for (int i = 0; i < 8; ++i)
        turned = turned << 8 | (word >> (8 * i) & 0xff);
    return turned;
}

inline std::uint64_t mixed(std::uint64_t hash, std::uint64_t word)
{
    hash = (hash ^ word) * kMultiplier;
    return hash ^ (hash >> 32);
}

} // namespace starling::sim
