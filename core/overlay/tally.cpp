// SPDX-License-Identifier: Apache-2.0
#include "overlay/tally.h"

#include <algorithm>

namespace starling::overlay {

namespace {

using Rows = std::vector<std::pair<TallyKey, std::uint32_t>>;

void increase(std::uint32_t& to, std::uint32_t by)
{
    to = by > kMaxCounted - std::min(to, kMaxCounted) ? kMaxCounted : to + by;
}

std::size_t bytesOf(const std::map<TallyKey, std::uint32_t>& counts)
{
    std::size_t bytes = 0;
    for (const auto& [key, count] : counts)
        bytes += encodedSize(key);
    return bytes;
}

bool isWithin(const Tally& tally, std::size_t rows, std::size_t bytes)
{
    return tally.counts.size() <= rows && bytesOf(tally.counts) <= bytes;
}

/// The largest first, as many as there is room for; the rest is returned.
Rows keepLargest(Tally& tally, std::size_t maxRows, std::size_t maxBytes)
{
    Rows rows(tally.counts.begin(), tally.counts.end());
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    std::size_t kept = 0;
    std::size_t bytes = 0;
    while (kept < rows.size() && kept < maxRows && bytes + encodedSize(rows[kept].first) <= maxBytes)
        bytes += encodedSize(rows[kept++].first);
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(kept);
    tally.counts = {rows.begin(), end};
    rows.erase(rows.begin(), end);
    return rows;
}

} // namespace

std::size_t encodedSize(const TallyKey& key)
{
    return 1 + key.uri.size() + 8 + 8 + 1 + 1 + (key.site ? key.site->size() : 0) + 4;
}

void add(Tally& to, const Tally& from)
{
    increase(to.devices, from.devices);
    increase(to.folded, from.folded);
    for (const auto& [key, count] : from.counts)
        increase(to.counts[key], count);
    to.height = std::max(to.height, from.height);
}

Tally tallyOfDevice(const std::vector<TallyKey>& keys)
{
    Tally tally;
    tally.devices = 1;
    for (const TallyKey& key : keys)
        tally.counts[key] = 1;
    return tally;
}

void clamp(Tally& tally)
{
    tally.devices = std::min(tally.devices, kMaxCounted);
    tally.folded = std::min(tally.folded, kMaxCounted);
    for (auto row = tally.counts.begin(); row != tally.counts.end();) {
        const auto current = row++;
        current->second = std::min(current->second, tally.devices);
        if (current->second == 0)
            tally.counts.erase(current);
    }
}

void bound(Tally& tally)
{
    if (isWithin(tally, kMaxTallyRows, kMaxTallyBytes))
        return;
    // Half of the room for sites that keep a row of their own, half for those that share one.
    for (auto& [key, count] : keepLargest(tally, kMaxTallyRows / 2, kMaxTallyBytes / 2)) {
        key.site.reset();
        increase(tally.counts[key], count);
    }
    if (isWithin(tally, kMaxTallyRows, kMaxTallyBytes))
        return;
    for (const auto& [key, count] : keepLargest(tally, kMaxTallyRows, kMaxTallyBytes))
        increase(tally.folded, count);
}

} // namespace starling::overlay
