// SPDX-License-Identifier: Apache-2.0
#include "fleetview/facets.h"

#include <algorithm>

namespace starling::fleetview {

namespace {

void sortByCount(Facet& facet)
{
    std::stable_sort(facet.values.begin(), facet.values.end(),
                     [](const FacetValue& a, const FacetValue& b) { return a.devices > b.devices; });
    for (std::size_t i = kMaxFacetValues; i < facet.values.size(); ++i)
        facet.others += facet.values[i].devices;
    if (facet.values.size() > kMaxFacetValues)
        facet.values.resize(kMaxFacetValues);
}

Facet facetOf(std::string field, const std::map<std::string, std::size_t>& counts)
{
    Facet facet{std::move(field), {}, 0};
    for (const auto& [value, count] : counts)
        facet.values.push_back({value, count});
    sortByCount(facet);
    return facet;
}

} // namespace

std::string groupValue(const Device& device, const std::string& field)
{
    if (field == "state")
        return std::string(standingName(device.standing));
    if (field == "version") {
        const trust::ReceiptEntry* entry = device.decisiveEntry();
        return entry == nullptr ? std::string() : trust::toString(entry->revision);
    }
    return device.label(field);
}

std::vector<Facet> facetsOf(const std::vector<DevicePtr>& devices)
{
    std::array<std::size_t, kStandings> standings{};
    std::map<std::string, std::size_t> versions;
    std::map<std::string, std::map<std::string, std::size_t>> labels;
    for (const DevicePtr& device : devices) {
        ++standings[static_cast<std::size_t>(device->standing)];
        ++versions[groupValue(*device, "version")];
        for (const auto& [name, value] : device->labels)
            ++labels[name][value];
    }
    std::vector<Facet> facets;
    Facet states{"state", {}, 0};
    for (const Standing standing : kAllStandings)
        if (const std::size_t count = standings[static_cast<std::size_t>(standing)]; count > 0)
            states.values.push_back({std::string(standingName(standing)), count});
    facets.push_back(std::move(states));
    versions.erase("");
    facets.push_back(facetOf("version", versions));
    std::vector<std::pair<std::size_t, std::string>> used;
    for (const auto& [name, counts] : labels) {
        std::size_t sum = 0;
        for (const auto& [value, count] : counts)
            sum += count;
        used.emplace_back(sum, name);
    }
    std::stable_sort(used.begin(), used.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (const auto& [count, name] : used)
        if (facets.size() < kMaxFacets)
            facets.push_back(facetOf(name, labels[name]));
    std::erase_if(facets, [](const Facet& facet) { return facet.values.empty(); });
    return facets;
}

} // namespace starling::fleetview
