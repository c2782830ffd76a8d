// SPDX-License-Identifier: Apache-2.0
/// One word after the other into a hash, quickly. Nobody has to find it hard to make two alike.
#pragma once

#include <cstdint>

namespace starling::sim {

/// Odd, half of its bits set: SplitMix64's.
inline constexpr std::uint64_t kMultiplier = 0xbf58476d1ce4e5b9;

inline std::uint64_t mixed(std::uint64_t hash, std::uint64_t word)
{
    hash = (hash ^ word) * kMultiplier;
    return hash ^ (hash >> 32);
}

} // namespace starling::sim
