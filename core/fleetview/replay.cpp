// SPDX-License-Identifier: Apache-2.0
#include "fleetview/replay.h"

#include "fleetview/releases.h"

#include <algorithm>

namespace starling::fleetview {

namespace {

bool isBeforeStep(UtcTime at, const Step& step)
{
    return at < step.at;
}

/// What it had said by then, the newest of each resource.
std::vector<trust::ReceiptEntry> entriesAt(const Device& device, UtcTime at)
{
    std::map<ResourceUri, trust::ReceiptEntry> newest;
    for (const Change& change : device.history)
        if (change.at <= at)
            newest.insert_or_assign(change.entry.uri, change.entry);
    std::vector<trust::ReceiptEntry> entries;
    for (auto& [uri, entry] : newest)
        entries.push_back(std::move(entry));
    return entries;
}

DevicePtr deviceAt(const DevicePtr& live, Standing standing, UtcTime since, UtcTime at)
{
    const bool hasChanged = standing != live->standing
        || std::any_of(live->history.begin(), live->history.end(),
                       [at](const Change& change) { return change.at > at; });
    if (!hasChanged)
        return live;
    auto device = std::make_shared<Device>(*live);
    device->standing = standing;
    device->receipt.entries = entriesAt(*live, at);
    device->receipt.alarms.clear();
    device->receipt.paths.clear();
    std::erase_if(device->history, [at](const Change& change) { return change.at > at; });
    device->heardAt.reset();
    if (!device->history.empty() && device->history.back().at > since)
        device->heardAt = device->history.back().at;
    return device;
}

/// The entry that made it stand there: the worst, as the releases were known.
void findDecisive(DevicePtr& device, const NewestRevisions& newest)
{
    std::size_t decisive = 0;
    Standing worst = Standing::Healthy;
    for (std::size_t i = 0; i < device->receipt.entries.size(); ++i) {
        const trust::ReceiptEntry& entry = device->receipt.entries[i];
        const Standing standing = standingOf(*device, entry, newest.at(entry.uri));
        if (i > 0 && standing <= worst)
            continue;
        worst = standing;
        decisive = i;
    }
    if (decisive == device->decisive)
        return;
    auto changed = std::make_shared<Device>(*device);
    changed->decisive = decisive;
    device = std::move(changed);
}

} // namespace

PicturePtr pictureAt(const PicturePtr& live, UtcTime at)
{
    if (at >= live->at)
        return live;
    at = std::max(at, live->since);
    std::vector<std::optional<Standing>> standings(live->devices.size());
    for (const Step& step : *live->steps) {
        if (step.at > at)
            break;
        if (const auto index = live->indexOf(step.node))
            standings[*index] = step.standing;
    }
    auto picture = std::make_shared<Picture>();
    for (std::size_t i = 0; i < standings.size(); ++i) {
        if (!standings[i])
            continue;
        picture->devices.push_back(deviceAt(live->devices[i], *standings[i], live->since, at));
        ++picture->standings[static_cast<std::size_t>(*standings[i])];
    }
    std::vector<KnownRelease> known;
    for (const Release& release : live->releases)
        if (release.known && release.known->knownSince.value_or(live->since) <= at)
            known.push_back(*release.known);
    const NewestRevisions newest = newestRevisions(known, picture->devices);
    for (DevicePtr& device : picture->devices)
        findDecisive(device, newest);
    picture->releases = releasesOf(known, picture->devices, newest);
    picture->steps = live->steps;
    picture->since = live->since;
    picture->at = at;
    return picture;
}

std::optional<UtcTime> changeBefore(const Picture& live, UtcTime at)
{
    const auto& steps = *live.steps;
    const auto first = std::lower_bound(steps.begin(), steps.end(), at,
                                        [](const Step& step, UtcTime time) { return step.at < time; });
    return first == steps.begin() ? std::nullopt : std::optional(std::prev(first)->at);
}

std::optional<UtcTime> changeAfter(const Picture& live, UtcTime at)
{
    const auto& steps = *live.steps;
    const auto next = std::upper_bound(steps.begin(), steps.end(), at, isBeforeStep);
    return next == steps.end() ? std::nullopt : std::optional(next->at);
}

} // namespace starling::fleetview
