// SPDX-License-Identifier: Apache-2.0
/// How two boards are compared: functions over their heads. Pure.
#pragma once

#include "overlay/message.h"

#include <span>

namespace starling::overlay {

/// Those of `heads`, which are sorted, whose keys are in `range`.
std::span<const Head> within(const std::vector<Head>& heads, const KeyRange& range);

/// SHA-256 over the heads in the order of their keys, each as in a message (message.h, HEAD).
Digest digestOf(std::span<const Head> heads);
RangeHash hashOf(std::span<const Head> heads);

/// As many of `heads` from `from` on as fit `maxBytes` and kMaxHeads, at least one; `to` tells where they
/// end: where the range does, if not earlier.
SummaryMessage summarize(const std::vector<Head>& heads, const NoticeKey& from, std::size_t maxBytes,
                         const std::optional<NoticeKey>& rangeEnd = std::nullopt);

/// The heads in `range`, of which there are two at least, in up to kMaxParts parts of equal count.
RangesMessage divide(const std::vector<Head>& heads, const KeyRange& range);

/// The parts of `theirs` in which our heads are others, in order.
std::vector<KeyRange> differingParts(const std::vector<Head>& ours, const RangesMessage& theirs);

/// What two boards have to tell each other. Heads of equal rank and different id are in both lists: no
/// exchange can decide between them, but each side sees that somebody signed two contents for one revision.
struct Difference
{
    std::vector<NoticeKey> newerHere; ///< or absent there
    std::vector<NoticeKey> newerThere; ///< or absent here
};
/// Compares within the range that `theirs` covers. Both are sorted by key.
Difference compare(const std::vector<Head>& ours, const SummaryMessage& theirs);

/// `keys` in as few requests as fit `maxBytes` and kMaxKeys each; none for no keys.
std::vector<RequestMessage> requestsFor(const std::vector<NoticeKey>& keys, std::size_t maxBytes);

} // namespace starling::overlay
