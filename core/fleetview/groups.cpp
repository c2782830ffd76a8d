// SPDX-License-Identifier: Apache-2.0
#include "fleetview/groups.h"

#include <algorithm>
#include <unordered_map>

namespace starling::fleetview {

namespace {

/// Finds by a view: a device's value is not copied to look for it.
struct ViewHash
{
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

} // namespace

std::size_t Groups::Group::trouble() const
{
    std::size_t sum = 0;
    for (const Standing standing : kAllStandings)
        sum += isTrouble(standing) ? count(standing) : 0;
    return sum;
}

Groups groupsBy(const std::vector<DevicePtr>& devices, const std::string& field)
{
    Groups found;
    std::unordered_map<std::string, std::uint32_t, ViewHash, std::equal_to<>> known;
    found.groupOf.reserve(devices.size());
    std::string buffer;
    const auto groupNamed = [&](const Device& device) {
        const std::string_view name = groupView(device, field, buffer);
        auto at = known.find(name);
        if (at == known.end()) {
            at = known.emplace(name, static_cast<std::uint32_t>(found.groups.size())).first;
            found.groups.push_back({at->first, 0, {}});
        }
        return at->second;
    };
    PerLabels<std::uint32_t> byLabels;
    const bool isLabel = field != "state" && field != "version";
    for (const DevicePtr& device : devices) {
        const std::uint32_t at =
            isLabel ? byLabels.of(device->labels, [&] { return groupNamed(*device); }) : groupNamed(*device);
        Groups::Group& group = found.groups[at];
        ++group.devices;
        ++group.standings[static_cast<std::size_t>(device->standing)];
        found.groupOf.push_back(at);
    }
    // Sorted as people read once they are all known.
    std::vector<std::uint32_t> order(found.groups.size()), rank(found.groups.size());
    for (std::uint32_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return NaturalOrder()(found.groups[a].name, found.groups[b].name);
    });
    std::vector<Groups::Group> sorted;
    for (std::uint32_t i = 0; i < order.size(); ++i) {
        rank[order[i]] = i;
        sorted.push_back(std::move(found.groups[order[i]]));
    }
    found.groups = std::move(sorted);
    for (std::uint32_t& group : found.groupOf)
        group = rank[group];
    return found;
}

} // namespace starling::fleetview
