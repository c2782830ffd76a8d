// SPDX-License-Identifier: Apache-2.0
/// Randomness as something injected, so that the same seed gives the same trace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace starling {

/// Where random numbers come from. The agent injects crypto::SystemRandom, simulations a SeededRandom.
class RandomSource
{
public:
    virtual ~RandomSource() = default;
    /// Fills `out` with uniformly random bytes.
    virtual void fill(std::span<std::byte> out) = 0;

    std::uint64_t u64();
    /// Uniform in [0, bound); `bound` must not be 0.
    std::uint64_t below(std::uint64_t bound);
};

/// SplitMix64 (Steele, Lea, Flood 2014): reproducible, and not for secrets.
class SeededRandom final : public RandomSource
{
public:
    explicit SeededRandom(std::uint64_t seed)
        : m_state(seed)
    {
    }
    void fill(std::span<std::byte> out) override;

private:
    std::uint64_t m_state;
};

} // namespace starling
