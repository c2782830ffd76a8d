// SPDX-License-Identifier: Apache-2.0
/// Devices added up on their way to an observer: hints that nobody has verified. Bounded in rows, in bytes
/// and in how much they count, so that no branch of a tree costs more than another, and none can say more
/// than a number. Pure.
#pragma once

#include "base/time.h"
#include "overlay/receipts.h"

#include <map>
#include <vector>

namespace starling::overlay {

/// Guess: four releases in four phases at thirty sites.
constexpr std::size_t kMaxTallyRows = 512;
/// Of what is sent, usual rows of 60 bytes; guess: at most this every five seconds from each branch.
constexpr std::size_t kMaxTallyBytes = 32 * 1024;
/// No sum counts further. Guess: a hundred times the largest fleet that is designed for (performance.md).
constexpr std::uint32_t kMaxCounted = 100'000'000;
constexpr std::size_t kMaxUriBytes = 200; ///< ResourceUri::kMaxBytes
constexpr std::size_t kMaxSiteBytes = 64; ///< of a label's value

struct Tally
{
    std::uint32_t devices = 0;
    /// Each device counts once for each of its releases.
    std::map<TallyKey, std::uint32_t> counts;
    std::uint32_t folded = 0; ///< what counts had no room for
    std::uint8_t height = 0; ///< links to the farthest device in it
    bool operator==(const Tally&) const = default;
};

/// Adds, and stops at kMaxCounted. The height is the larger one.
void add(Tally& to, const Tally& from);
/// One device.
Tally tallyOfDevice(const std::vector<TallyKey>& keys);
/// No row counts more than there are devices, nothing more than kMaxCounted.
void clamp(Tally& tally);
/// Within kMaxTallyRows and kMaxTallyBytes: sites with the smallest numbers are put together first, and what
/// is still too much is only counted.
void bound(Tally& tally);
/// Of one row in a message.
std::size_t encodedSize(const TallyKey& key);

/// What an observer is told in sums.
struct Hints
{
    Tally tally;
    Duration age{}; ///< of the oldest part of it
};

} // namespace starling::overlay
