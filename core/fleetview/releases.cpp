// SPDX-License-Identifier: Apache-2.0
#include "fleetview/releases.h"

#include <algorithm>

namespace starling::fleetview {

NewestRevisions newestRevisions(const std::vector<KnownRelease>& known, const std::vector<DevicePtr>& devices)
{
    NewestRevisions newest;
    for (const KnownRelease& release : known)
        newest[release.uri] = std::max(newest[release.uri], release.revision);
    for (const DevicePtr& device : devices)
        for (const trust::ReceiptEntry& entry : device->receipt.entries)
            newest[entry.uri] = std::max(newest[entry.uri], entry.revision);
    return newest;
}

std::vector<Release> releasesOf(const std::vector<KnownRelease>& known, const std::vector<DevicePtr>& devices,
                                const NewestRevisions& newest)
{
    std::map<std::tuple<ResourceUri, trust::Revision, InfoHash>, Release> found;
    const auto at = [&](const ResourceUri& uri, const trust::Revision& revision,
                        const InfoHash& hash) -> Release& {
        return found
            .try_emplace({uri, revision, hash},
                         Release{uri, revision, hash, std::nullopt, newest.at(uri) == revision, {}})
            .first->second;
    };
    for (const KnownRelease& release : known)
        at(release.uri, release.revision, release.infoHash).known = release;
    for (const DevicePtr& device : devices)
        for (const trust::ReceiptEntry& entry : device->receipt.entries) {
            const Standing standing = standingOf(*device, entry, entry.revision);
            ++at(entry.uri, entry.revision, entry.infoHash).standings[static_cast<std::size_t>(standing)];
        }
    std::vector<Release> releases;
    for (auto& [key, release] : found)
        releases.push_back(std::move(release));
    std::stable_sort(releases.begin(), releases.end(), [](const Release& a, const Release& b) {
        return a.uri != b.uri ? a.uri < b.uri : a.revision > b.revision;
    });
    return releases;
}

} // namespace starling::fleetview
