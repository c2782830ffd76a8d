// SPDX-License-Identifier: Apache-2.0
/// Which devices a table shows, in which order: made away from the user interface, since 100,000 take a
/// while. Pure.
#pragma once

#include "fleetview/query.h"

namespace starling::fleetview {

enum class SortBy : std::uint8_t { Standing, Name, Site, Resource, Version, Phase, Heard };
enum class SortOrder : std::uint8_t { Ascending, Descending };

/// Devices that match, sorted; equal ones by NodeId.
std::vector<DevicePtr> selectRows(const Picture& picture, const Query& query, SortBy by, SortOrder order);

} // namespace starling::fleetview
