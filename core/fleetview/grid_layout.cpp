// SPDX-License-Identifier: Apache-2.0
#include "fleetview/grid_layout.h"

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
    struct Members
    {
        std::vector<std::uint32_t> indices;
        std::array<std::size_t, kStandings> standings{};
    };
    // Found by plain order, which is quick, and sorted as people read once they are all known.
    std::map<std::string, Members, std::less<>> found;
    std::string buffer;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const std::string_view name = groupView(*devices[i], field, buffer);
        auto at = found.find(name);
        if (at == found.end())
            at = found.emplace(name, Members()).first;
        at->second.indices.push_back(static_cast<std::uint32_t>(i));
        ++at->second.standings[static_cast<std::size_t>(devices[i]->standing)];
    }
    std::vector<const std::pair<const std::string, Members>*> groups;
    for (const auto& group : found)
        groups.push_back(&group);
    std::sort(groups.begin(), groups.end(), [](const auto* a, const auto* b) {
        if (a->first.empty() != b->first.empty())
            return b->first.empty();
        return NaturalOrder()(a->first, b->first);
    });
    GridPlan plan;
    plan.heading = kHeading;
    plan.order.reserve(devices.size());
    for (const auto* group : groups) {
        const Members& members = group->second;
        plan.groups.push_back(
            {group->first, 0, 0, plan.order.size(), members.indices.size(), members.standings});
        plan.order.insert(plan.order.end(), members.indices.begin(), members.indices.end());
    }
    for (const CellSize& size : kSizes) {
        place(plan, size, std::max(width, kSizes.back().width));
        if (plan.height <= height)
            break;
    }
    return plan;
}

} // namespace starling::fleetview
