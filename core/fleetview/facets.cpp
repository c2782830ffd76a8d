// SPDX-License-Identifier: Apache-2.0
#include "fleetview/facets.h"

#include "fleetview/places.h"

#include <algorithm>

namespace starling::fleetview {

namespace {

using Counts = std::map<std::string, std::size_t, NaturalOrder>;

void sortByCount(Facet& facet)
{
    std::stable_sort(facet.values.begin(), facet.values.end(),
                     [](const FacetValue& a, const FacetValue& b) { return a.devices > b.devices; });
    for (std::size_t i = kMaxFacetValues; i < facet.values.size(); ++i)
        facet.others += facet.values[i].devices;
    if (facet.values.size() > kMaxFacetValues)
        facet.values.resize(kMaxFacetValues);
}

Facet facetOf(std::string field, const Counts& counts)
{
    Facet facet{std::move(field), {}, 0};
    for (const auto& [value, count] : counts)
        facet.values.push_back({value, count});
    sortByCount(facet);
    return facet;
}

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

/// The digits at `at`, without leading zeros.
std::string_view numberAt(std::string_view text, std::size_t at)
{
    std::size_t end = at;
    while (end < text.size() && isDigit(text[end]))
        ++end;
    while (at + 1 < end && text[at] == '0')
        ++at;
    return text.substr(at, end - at);
}

} // namespace

bool NaturalOrder::operator()(std::string_view a, std::string_view b) const
{
    std::size_t i = 0, j = 0;
    while (i < a.size() && j < b.size()) {
        if (isDigit(a[i]) && isDigit(b[j])) {
            const std::string_view left = numberAt(a, i), right = numberAt(b, j);
            if (left.size() != right.size() || left != right)
                return std::pair(left.size(), left) < std::pair(right.size(), right);
            i = static_cast<std::size_t>(left.data() - a.data()) + left.size();
            j = static_cast<std::size_t>(right.data() - b.data()) + right.size();
        } else if (a[i] != b[j]) {
            return a[i] < b[j];
        } else {
            ++i;
            ++j;
        }
    }
    // Equal but for leading zeros: still an order.
    return std::pair(a.size() - i, a) < std::pair(b.size() - j, b);
}

std::string_view groupView(const Device& device, const std::string& field, std::string& buffer)
{
    if (field.empty())
        return {};
    if (field == "state")
        return standingName(device.standing);
    if (field != "version")
        return device.label(field);
    const trust::ReceiptEntry* entry = device.decisiveEntry();
    buffer = entry == nullptr ? std::string() : trust::toString(entry->revision);
    return buffer;
}

std::string groupValue(const Device& device, const std::string& field)
{
    std::string buffer;
    return std::string(groupView(device, field, buffer));
}

namespace {

struct LabelsCount
{
    const Labels* labels = nullptr;
    std::size_t devices = 0;
};

/// How many devices have which labels: a fleet has fewer of these than of devices.
std::vector<LabelsCount> countLabels(const std::vector<DevicePtr>& devices)
{
    std::vector<LabelsCount> counts;
    PerLabels<std::size_t> places;
    for (const DevicePtr& device : devices) {
        const std::size_t place = places.of(device->labels, [&] {
            counts.push_back({&device->labels, 0});
            return counts.size() - 1;
        });
        ++counts[place].devices;
    }
    return counts;
}

} // namespace

std::vector<Facet> facetsOf(const std::vector<DevicePtr>& devices)
{
    std::array<std::size_t, kStandings> standings{};
    std::map<trust::Revision, std::size_t> revisions;
    for (const DevicePtr& device : devices) {
        ++standings[static_cast<std::size_t>(device->standing)];
        if (const trust::ReceiptEntry* const entry = device->decisiveEntry())
            ++revisions[entry->revision];
    }
    Counts versions;
    for (const auto& [revision, count] : revisions)
        versions[trust::toString(revision)] = count;
    std::map<std::string, Counts> labels;
    for (const LabelsCount& each : countLabels(devices))
        for (const auto& [name, value] : *each.labels)
            if (!isCoordinate(name)) // of which nobody picks one
                labels[name][value] += each.devices;
    std::vector<Facet> facets;
    Facet states{"state", {}, 0};
    for (const Standing standing : kAllStandings)
        if (const std::size_t count = standings[static_cast<std::size_t>(standing)]; count > 0)
            states.values.push_back({std::string(standingName(standing)), count});
    facets.push_back(std::move(states));
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

std::vector<std::string> fieldsOf(const std::vector<DevicePtr>& devices)
{
    if (devices.empty())
        return {};
    const bool hasVersion = std::any_of(devices.begin(), devices.end(), [](const DevicePtr& device) {
        return device->decisiveEntry() != nullptr;
    });
    std::map<std::string, std::size_t> labels;
    for (const LabelsCount& each : countLabels(devices))
        for (const auto& [name, value] : *each.labels)
            labels[name] += each.devices;
    std::vector<std::pair<std::size_t, std::string>> used;
    for (const auto& [name, count] : labels)
        if (!isCoordinate(name))
            used.emplace_back(count, name);
    std::stable_sort(used.begin(), used.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::string> fields{"state"};
    if (hasVersion)
        fields.emplace_back("version");
    const std::size_t others = std::size_t{2} - fields.size();
    for (const auto& [count, name] : used)
        if (fields.size() + others < kMaxFacets)
            fields.push_back(name);
    return fields;
}

} // namespace starling::fleetview
