// SPDX-License-Identifier: Apache-2.0
#include "fleetview/pick.h"

#include "fleetview/releases.h"

namespace starling::fleetview {

PicturePtr pick(const PicturePtr& picture, const Query& query)
{
    if (query.matchesAll())
        return picture;
    auto picked = std::make_shared<Picture>();
    for (const DevicePtr& device : picture->devices) {
        if (!query.matches(*device))
            continue;
        picked->devices.push_back(device);
        ++picked->standings[static_cast<std::size_t>(device->standing)];
        for (const auto& [name, count] : device->receipt.alarms)
            picked->alarms[name] += count;
        for (const auto& [name, bytes] : device->receipt.paths)
            picked->paths[name] += bytes;
    }
    std::vector<KnownRelease> known;
    for (const Release& release : picture->releases)
        if (release.known)
            known.push_back(*release.known);
    picked->releases = releasesOf(known, picked->devices, newestRevisions(known, picture->devices));
    picked->steps = picture->steps;
    picked->since = picture->since;
    picked->at = picture->at;
    return picked;
}

} // namespace starling::fleetview
