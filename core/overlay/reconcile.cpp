// SPDX-License-Identifier: Apache-2.0
#include "overlay/reconcile.h"

#include "base/assert.h"
#include "crypto/sha256.h"

#include <algorithm>

namespace starling::overlay {

namespace {

/// Version, kind, two of the longest keys, a flag and a count (message.h).
constexpr std::size_t kOverhead = 2 + 2 * (2 + kMaxNameBytes) + 1 + 4;

constexpr std::size_t kFewHeads = 32; ///< guess: 4 KiB of devices' heads

std::vector<Head>::const_iterator firstFrom(const std::vector<Head>& heads, const NoticeKey& key)
{
    return std::lower_bound(heads.begin(), heads.end(), key,
                            [](const Head& head, const NoticeKey& bound) { return head.key < bound; });
}

} // namespace

std::span<const Head> within(const std::vector<Head>& heads, const KeyRange& range)
{
    const auto begin = firstFrom(heads, range.from);
    const auto end = range.to ? firstFrom(heads, *range.to) : heads.end();
    return begin < end ? std::span(begin, end) : std::span<const Head>();
}

NoticeTag tagOf(ByteView notice)
{
    const Digest digest = crypto::sha256(notice);
    NoticeTag tag{};
    std::copy_n(digest.bytes().begin(), tag.size(), tag.begin());
    return tag;
}

Digest digestOf(std::span<const Head> heads)
{
    // Most boards and parts of them are small: what hashes in pieces costs more than hashing them.
    if (heads.size() <= kFewHeads) {
        ByteWriter writer;
        for (const Head& head : heads)
            write(writer, head);
        return crypto::sha256(writer.take());
    }
    crypto::Sha256 hash;
    for (const Head& head : heads) {
        ByteWriter writer;
        write(writer, head);
        hash.update(writer.take());
    }
    return hash.finish();
}

RangeHash hashOf(std::span<const Head> heads)
{
    const Digest digest = digestOf(heads);
    RangeHash hash{};
    std::copy_n(digest.bytes().begin(), hash.size(), hash.begin());
    return hash;
}

SummaryMessage summarize(const std::vector<Head>& heads, const NoticeKey& from, std::size_t maxBytes,
                         const std::optional<NoticeKey>& rangeEnd)
{
    SummaryMessage summary;
    summary.from = from;
    summary.to = rangeEnd;
    std::size_t size = kOverhead;
    for (const Head& head : within(heads, {from, rangeEnd})) {
        size += encodedSize(head);
        if (!summary.heads.empty() && (size > maxBytes || summary.heads.size() == kMaxHeads)) {
            summary.to = head.key;
            break;
        }
        summary.heads.push_back(head);
    }
    return summary;
}

RangesMessage divide(const std::vector<Head>& heads, const KeyRange& range)
{
    const std::span<const Head> all = within(heads, range);
    STARLING_ASSERT(all.size() >= 2);
    const std::size_t count = std::min(all.size(), kMaxParts);
    RangesMessage message;
    message.to = range.to;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t begin = all.size() * i / count;
        const std::size_t end = all.size() * (i + 1) / count;
        const NoticeKey& from = i == 0 ? range.from : all[begin].key;
        message.parts.push_back({from, hashOf(all.subspan(begin, end - begin))});
    }
    return message;
}

std::vector<KeyRange> differingParts(const std::vector<Head>& ours, const RangesMessage& theirs)
{
    std::vector<KeyRange> differing;
    for (std::size_t i = 0; i < theirs.parts.size(); ++i) {
        const bool isLast = i + 1 == theirs.parts.size();
        KeyRange part{theirs.parts[i].from, isLast ? theirs.to : std::optional(theirs.parts[i + 1].from)};
        if (hashOf(within(ours, part)) != theirs.parts[i].hash)
            differing.push_back(std::move(part));
    }
    return differing;
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
