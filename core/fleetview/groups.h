// SPDX-License-Identifier: Apache-2.0
/// Devices by the value of a field: what every lens of the map begins with. Pure.
#pragma once

#include "fleetview/facets.h"

namespace starling::fleetview {

struct Groups
{
    struct Group
    {
        std::string name; ///< the value; empty: of devices without one
        std::size_t devices = 0;
        std::array<std::size_t, kStandings> standings{};
        std::size_t count(Standing standing) const { return standings[static_cast<std::size_t>(standing)]; }
        std::size_t trouble() const;
    };
    std::vector<Group> groups; ///< in NaturalOrder
    std::vector<std::uint32_t> groupOf; ///< of each device, an index of `groups`
};

/// An empty `field` makes one group of all.
Groups groupsBy(const std::vector<DevicePtr>& devices, const std::string& field);

} // namespace starling::fleetview
