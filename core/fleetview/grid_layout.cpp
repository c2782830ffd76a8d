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
    std::map<std::string, std::vector<std::uint32_t>, NaturalOrder> members;
    for (std::size_t i = 0; i < devices.size(); ++i)
        members[field.empty() ? std::string() : groupValue(*devices[i], field)].push_back(
            static_cast<std::uint32_t>(i));
    GridPlan plan;
    plan.heading = kHeading;
    plan.order.reserve(devices.size());
    const auto add = [&](const std::string& name, const std::vector<std::uint32_t>& indices) {
        GridGroup group{name, 0, 0, plan.order.size(), indices.size(), {}};
        for (const std::uint32_t index : indices)
            ++group.standings[static_cast<std::size_t>(devices[index]->standing)];
        plan.order.insert(plan.order.end(), indices.begin(), indices.end());
        plan.groups.push_back(std::move(group));
    };
    for (const auto& [name, indices] : members)
        if (!name.empty())
            add(name, indices);
    if (const auto nameless = members.find(""); nameless != members.end())
        add("", nameless->second);
    for (const CellSize& size : kSizes) {
        place(plan, size, std::max(width, kSizes.back().width));
        if (plan.height <= height)
            break;
    }
    return plan;
}

} // namespace starling::fleetview
