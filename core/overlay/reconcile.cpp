// SPDX-License-Identifier: Apache-2.0
#include "overlay/reconcile.h"

#include "crypto/sha256.h"

#include <algorithm>

namespace starling::overlay {

namespace {

/// Version, kind, two of the longest keys, a flag and a count (message.h).
constexpr std::size_t kOverhead = 2 + 2 * (2 + kMaxNameBytes) + 1 + 4;

std::vector<Head>::const_iterator firstFrom(const std::vector<Head>& heads, const NoticeKey& key)
{
    return std::lower_bound(heads.begin(), heads.end(), key,
                            [](const Head& head, const NoticeKey& bound) { return head.key < bound; });
}

} // namespace

Digest digestOf(const std::vector<Head>& heads)
{
    crypto::Sha256 hash;
    for (const Head& head : heads) {
        ByteWriter writer;
        write(writer, head);
        hash.update(writer.take());
    }
    return hash.finish();
}

SummaryMessage summarize(const std::vector<Head>& heads, const NoticeKey& from, std::size_t maxBytes)
{
    SummaryMessage summary;
    summary.from = from;
    std::size_t size = kOverhead;
    for (auto head = firstFrom(heads, from); head != heads.end(); ++head) {
        size += encodedSize(*head);
        if (!summary.heads.empty() && (size > maxBytes || summary.heads.size() == kMaxHeads)) {
            summary.to = head->key;
            break;
        }
        summary.heads.push_back(*head);
    }
    return summary;
}

Difference compare(const std::vector<Head>& ours, const SummaryMessage& theirs)
{
    Difference difference;
    auto mine = firstFrom(ours, theirs.from);
    const auto end = theirs.to ? firstFrom(ours, *theirs.to) : ours.end();
    for (const Head& head : theirs.heads) {
        for (; mine < end && mine->key < head.key; ++mine)
            difference.newerHere.push_back(mine->key);
        if (mine >= end || head.key < mine->key) {
            difference.newerThere.push_back(head.key);
            continue;
        }
        const bool isContested = head.rank == mine->rank && head.id != mine->id;
        if (head.rank < mine->rank || isContested)
            difference.newerHere.push_back(mine->key);
        if (mine->rank < head.rank || isContested)
            difference.newerThere.push_back(head.key);
        ++mine;
    }
    for (; mine < end; ++mine)
        difference.newerHere.push_back(mine->key);
    return difference;
}

std::vector<RequestMessage> requestsFor(const std::vector<NoticeKey>& keys, std::size_t maxBytes)
{
    std::vector<RequestMessage> requests;
    std::size_t size = 0;
    for (const NoticeKey& key : keys) {
        size += encodedSize(key);
        if (requests.empty() || size > maxBytes || requests.back().keys.size() == kMaxKeys) {
            requests.emplace_back();
            size = kOverhead + encodedSize(key);
        }
        requests.back().keys.push_back(key);
    }
    return requests;
}

} // namespace starling::overlay
