// SPDX-License-Identifier: Apache-2.0
#include "fleetview/waves.h"

#include <algorithm>

namespace starling::fleetview {

namespace {

struct Tally
{
    std::size_t healthy = 0, trouble = 0;
};

void count(Tally& tally, Standing standing, bool isGained)
{
    std::size_t* const which = standing == Standing::Healthy ? &tally.healthy
        : isTrouble(standing)                                ? &tally.trouble
                                                             : nullptr;
    if (which != nullptr)
        *which += isGained ? 1 : static_cast<std::size_t>(-1);
}

void append(Wave& wave, UtcTime at, const Tally& tally)
{
    const WavePoint point{at, tally.healthy, tally.trouble};
    if (!wave.points.empty() && wave.points.back().at == at)
        wave.points.back() = point;
    else
        wave.points.push_back(point);
}

/// Which row a group is drawn in.
std::map<std::string, std::size_t> rowsOf(const Picture& picture, const std::string& field, Waves& waves)
{
    struct Sum
    {
        std::size_t devices = 0, healthy = 0, trouble = 0;
    };
    std::map<std::string, Sum, NaturalOrder> sums;
    for (const DevicePtr& device : picture.devices) {
        Sum& sum = sums[field.empty() ? std::string() : groupValue(*device, field)];
        ++sum.devices;
        sum.healthy += device->standing == Standing::Healthy ? 1 : 0;
        sum.trouble += isTrouble(device->standing) ? 1 : 0;
    }
    std::vector<std::pair<std::string, Sum>> order(sums.begin(), sums.end());
    if (order.size() > kMaxWaves) {
        std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
            return std::pair(a.second.trouble, a.second.devices - a.second.healthy)
                > std::pair(b.second.trouble, b.second.devices - b.second.healthy);
        });
        waves.merged = order.size() - (kMaxWaves - 1);
    }
    std::map<std::string, std::size_t> rows;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::size_t row = std::min(i, kMaxWaves - 1);
        if (row == waves.rows.size())
            waves.rows.push_back({waves.merged > 0 && row == kMaxWaves - 1 ? "" : order[i].first, 0, {}});
        waves.rows[row].devices += order[i].second.devices;
        rows[order[i].first] = row;
    }
    return rows;
}

} // namespace

Waves wavesOf(const Picture& picture, const std::string& field)
{
    Waves waves;
    waves.from = picture.since;
    waves.to = std::max(picture.at, picture.since);
    const auto rows = rowsOf(picture, field, waves);
    std::vector<std::size_t> rowOf;
    rowOf.reserve(picture.devices.size());
    for (const DevicePtr& device : picture.devices)
        rowOf.push_back(rows.at(field.empty() ? std::string() : groupValue(*device, field)));
    std::vector<Tally> tallies(waves.rows.size());
    std::vector<std::optional<Standing>> standings(picture.devices.size());
    for (const Step& step : *picture.steps) {
        if (step.at > picture.at)
            break; // recorded after what the picture shows
        const auto index = picture.indexOf(step.node);
        if (!index)
            continue;
        const std::size_t row = rowOf[*index];
        if (standings[*index])
            count(tallies[row], *standings[*index], false);
        standings[*index] = step.standing;
        count(tallies[row], step.standing, true);
        append(waves.rows[row], step.at, tallies[row]);
    }
    return waves;
}

} // namespace starling::fleetview
