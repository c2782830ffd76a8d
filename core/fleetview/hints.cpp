// SPDX-License-Identifier: Apache-2.0
#include "fleetview/hints.h"

#include <algorithm>

namespace starling::fleetview {

namespace {

void increase(HintedPhases& phases, const Hint& hint, std::uint64_t most)
{
    if (hint.devices == 0)
        return;
    std::uint64_t& devices = phases[hint.phase];
    devices += std::min(hint.devices, most - devices);
}

} // namespace

HintedPhases hintedPhases(const Hints& hints, const ResourceUri& uri, const trust::Revision& revision)
{
    HintedPhases phases;
    for (const Hint& hint : hints.hints)
        if (hint.uri == uri && hint.revision == revision)
            increase(phases, hint, hints.devices);
    return phases;
}

std::vector<HintedRelease> hintedReleases(const Hints& hints)
{
    std::map<std::pair<ResourceUri, trust::Revision>, HintedPhases> found;
    for (const Hint& hint : hints.hints)
        increase(found[{hint.uri, hint.revision}], hint, hints.devices);
    std::vector<HintedRelease> releases;
    for (auto& [release, phases] : found)
        releases.push_back({release.first, release.second, std::move(phases)});
    std::stable_sort(releases.begin(), releases.end(), [](const HintedRelease& a, const HintedRelease& b) {
        return a.uri == b.uri ? b.revision < a.revision : a.uri < b.uri;
    });
    return releases;
}

std::uint64_t hintedDevices(const Hints& hints, const trust::ReceiptAsk& ask)
{
    // A device has one row for each resource that it tells of: without one that is asked for, it is counted
    // for the resource that most tell of.
    std::map<ResourceUri, std::uint64_t> devices;
    for (const Hint& hint : hints.hints) {
        const bool isMeant = (!ask.uri || hint.uri == *ask.uri)
            && (!ask.revision || hint.revision == *ask.revision) && (!ask.phase || hint.phase == *ask.phase)
            && (!ask.site || hint.site == ask.site);
        std::uint64_t& sum = devices[hint.uri];
        if (isMeant)
            sum += std::min(hint.devices, hints.devices - sum);
    }
    std::uint64_t most = 0;
    for (const auto& [uri, sum] : devices)
        most = std::max(most, sum);
    return most;
}

std::uint64_t aboutSo(std::uint64_t devices)
{
    std::uint64_t unit = 1;
    while (devices / unit >= 100)
        unit *= 10;
    const std::uint64_t half = unit / 2;
    return devices > UINT64_MAX - half ? devices / unit * unit : (devices + half) / unit * unit;
}

} // namespace starling::fleetview
