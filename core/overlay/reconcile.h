// SPDX-License-Identifier: Apache-2.0
/// How two boards are compared: functions over their heads. Pure.
#pragma once

#include "overlay/message.h"

namespace starling::overlay {

/// SHA-256 over the heads in the order of their keys, each as in a message (message.h, HEAD).
Digest digestOf(const std::vector<Head>& heads);

/// As many of `heads` from `from` on as fit `maxBytes` and kMaxHeads, at least one; `to` tells where they
/// end.
SummaryMessage summarize(const std::vector<Head>& heads, const NoticeKey& from, std::size_t maxBytes);

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
