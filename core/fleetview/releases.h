// SPDX-License-Identifier: Apache-2.0
/// Which releases there are, by what devices and the agent tell. Pure.
#pragma once

#include "fleetview/fleet.h"

namespace starling::fleetview {

using NewestRevisions = std::map<ResourceUri, trust::Revision>;

/// Of each resource, by notices that are known and by receipts: a device verifies a notice before its receipt
/// names it.
NewestRevisions newestRevisions(const std::vector<KnownRelease>& known,
                                const std::vector<DevicePtr>& devices);

/// By URI, newest first.
std::vector<Release> releasesOf(const std::vector<KnownRelease>& known, const std::vector<DevicePtr>& devices,
                                const NewestRevisions& newest);

} // namespace starling::fleetview
