// SPDX-License-Identifier: Apache-2.0
/// Where each device's cell lies on the map's grid: grouped, in an order that does not depend on what the
/// devices do, so that none moves by itself. Pure: the same devices and width give the same plan.
#pragma once

#include "fleetview/facets.h"

namespace starling::fleetview {

struct GridGroup
{
    std::string name; ///< the value of the field; empty: without one, which comes last
    int top = 0, height = 0; ///< pixels; the heading stands in the first `heading` of them
    std::size_t first = 0, count = 0; ///< of `GridPlan::order`
    std::array<std::size_t, kStandings> standings{};
};

struct GridPlan
{
    int cellWidth = 0, cellHeight = 0; ///< with the gap to the next one
    int gap = 0;
    int columns = 1;
    int heading = 0;
    int width = 0, height = 0;
    std::vector<GridGroup> groups; ///< by name
    std::vector<std::uint32_t> order; ///< indices of the devices, group after group, by NodeId within

    bool hasCards() const { return cellWidth > kCardWidth / 2; }
    /// Left and top of the cell at `place` of `order`.
    std::pair<int, int> cellAt(std::size_t place) const;
    /// The place whose cell covers the point; nothing between cells.
    std::optional<std::size_t> placeAt(int x, int y) const;

    static constexpr int kCardWidth = 168, kCardHeight = 76;
};

/// Cells are as large as fit into `width` by `height`; at the smallest size (3 pixels) the plan may be
/// higher. An empty `field` makes one group.
GridPlan planGrid(const std::vector<DevicePtr>& devices, const std::string& field, int width, int height);

} // namespace starling::fleetview
