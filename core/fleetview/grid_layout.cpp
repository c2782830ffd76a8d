// SPDX-License-Identifier: Apache-2.0
#include "fleetview/grid_layout.h"

#include "fleetview/groups.h"

#include <algorithm>

namespace starling::fleetview {

namespace {

struct CellSize
{
    int width, height, gap;
};

/// Cards with words, then ever smaller squares (level of detail of the console specification).
constexpr std::array<CellSize, 8> kSizes{{{GridPlan::kCardWidth, GridPlan::kCardHeight, 10},
                                          {30, 30, 4},
                                          {22, 22, 3},
                                          {15, 15, 2},
                                          {10, 10, 2},
                                          {7, 7, 1},
                                          {4, 4, 1},
                                          {3, 3, 0}}};
constexpr int kHeading = 26; ///< a line of text with room around it
constexpr int kSpace = 10; ///< below a group

void place(GridPlan& plan, const CellSize& size, int width)
{
    plan.cellWidth = size.width;
    plan.cellHeight = size.height;
    plan.gap = size.gap;
    plan.columns = std::max(1, width / size.width);
    plan.width = width;
    int top = 0;
    for (GridGroup& group : plan.groups) {
        const auto columns = static_cast<std::size_t>(plan.columns);
        const auto rows = static_cast<int>((group.count + columns - 1) / columns);
        group.top = top;
        group.height = plan.heading + rows * size.height + kSpace;
        top += group.height;
    }
    plan.height = top;
}

} // namespace

std::pair<int, int> GridPlan::cellAt(std::size_t place) const
{
    const auto after = std::upper_bound(groups.begin(), groups.end(), place,
                                        [](std::size_t at, const GridGroup& g) { return at < g.first; });
    const GridGroup& group = *std::prev(after);
    const auto within = static_cast<int>(place - group.first);
    return {within % columns * cellWidth, group.top + heading + within / columns * cellHeight};
}

std::optional<std::size_t> GridPlan::placeAt(int x, int y) const
{
    if (x < 0 || x >= columns * cellWidth || x % cellWidth >= cellWidth - gap)
        return std::nullopt;
    for (const GridGroup& group : groups) {
        const int inside = y - group.top - heading;
        if (inside < 0 || y >= group.top + group.height || inside % cellHeight >= cellHeight - gap)
            continue;
        const auto within = static_cast<std::size_t>(inside / cellHeight * columns + x / cellWidth);
        if (within < group.count)
            return group.first + within;
    }
    return std::nullopt;
}

GridPlan planGrid(const std::vector<DevicePtr>& devices, const std::string& field, int width, int height)
{
    const Groups found = groupsBy(devices, field);
    GridPlan plan;
    plan.heading = kHeading;
    std::vector<std::size_t> next(found.groups.size()); // where each group's next device goes
    const auto add = [&](std::size_t at) {
        const Groups::Group& group = found.groups[at];
        const std::size_t first =
            plan.groups.empty() ? 0 : plan.groups.back().first + plan.groups.back().count;
        next[at] = first;
        plan.groups.push_back({group.name, 0, 0, first, group.devices, group.standings});
    };
    for (const bool isNameless : {false, true}) // which comes last
        for (std::size_t i = 0; i < found.groups.size(); ++i)
            if (found.groups[i].name.empty() == isNameless)
                add(i);
    plan.order.resize(devices.size());
    for (std::size_t i = 0; i < devices.size(); ++i)
        plan.order[next[found.groupOf[i]]++] = static_cast<std::uint32_t>(i);
    for (const CellSize& size : kSizes) {
        place(plan, size, std::max(width, kSizes.back().width));
        if (plan.height <= height)
            break;
    }
    return plan;
}

} // namespace starling::fleetview
