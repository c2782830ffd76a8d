// SPDX-License-Identifier: Apache-2.0
#include "fleetview/rows.h"

#include <algorithm>

namespace starling::fleetview {

namespace {

std::string_view textKey(const Device& device, SortBy by)
{
    const trust::ReceiptEntry* entry = device.decisiveEntry();
    if (by == SortBy::Name)
        return device.name;
    if (by == SortBy::Site)
        return device.label("site");
    if (by == SortBy::Resource && entry != nullptr)
        return entry->uri.text();
    return {};
}

/// Larger is further down.
std::pair<std::uint64_t, std::uint64_t> numberKey(const Device& device, SortBy by)
{
    const trust::ReceiptEntry* entry = device.decisiveEntry();
    if (by == SortBy::Standing)
        return {static_cast<std::uint64_t>(device.standing), 0};
    if (by == SortBy::Heard)
        return {device.heardAt ? static_cast<std::uint64_t>(device.heardAt->time_since_epoch().count()) : 0,
                0};
    if (entry == nullptr)
        return {};
    if (by == SortBy::Version)
        return {entry->revision.epoch, entry->revision.version};
    return {static_cast<std::uint64_t>(entry->phase), entry->code};
}

} // namespace

std::vector<DevicePtr> selectRows(const Picture& picture, const Query& query, SortBy by, SortOrder order)
{
    struct Row
    {
        std::pair<std::uint64_t, std::uint64_t> number;
        std::string_view text;
        std::uint32_t index = 0;
    };
    const bool isText = by == SortBy::Name || by == SortBy::Site || by == SortBy::Resource;
    std::vector<Row> rows;
    for (std::size_t i = 0; i < picture.devices.size(); ++i) {
        const Device& device = *picture.devices[i];
        if (!query.matches(device))
            continue;
        rows.push_back({isText ? std::pair<std::uint64_t, std::uint64_t>() : numberKey(device, by),
                        isText ? textKey(device, by) : std::string_view(), static_cast<std::uint32_t>(i)});
    }
    const auto isBefore = [&](const Row& a, const Row& b) {
        if (const int text = a.text.compare(b.text); text != 0)
            return order == SortOrder::Ascending ? text < 0 : text > 0;
        if (a.number != b.number)
            return order == SortOrder::Ascending ? a.number < b.number : a.number > b.number;
        return a.index < b.index;
    };
    std::sort(rows.begin(), rows.end(), isBefore);
    std::vector<DevicePtr> selected;
    selected.reserve(rows.size());
    for (const Row& row : rows)
        selected.push_back(picture.devices[row.index]);
    return selected;
}

} // namespace starling::fleetview
