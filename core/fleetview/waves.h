// SPDX-License-Identifier: Apache-2.0
/// How devices became healthy over time, group by group, as far as this console has seen. Pure.
#pragma once

#include "fleetview/facets.h"

namespace starling::fleetview {

/// From `at` until the next point, so many devices of the group stood so.
struct WavePoint
{
    UtcTime at;
    std::size_t healthy = 0, trouble = 0;
    bool operator==(const WavePoint&) const = default;
};

struct Wave
{
    std::string name; ///< of the group; empty: without one
    std::size_t devices = 0; ///< now
    std::array<std::size_t, kStandings> standings{}; ///< of these
    std::vector<WavePoint> points; ///< the first one at Picture::since
};

constexpr std::size_t kMaxWaves = 10; ///< rows of the picture: the worst ten, and the others as one
/// By name; if there are more than kMaxWaves, those with most trouble, then with most that are not healthy.
struct Waves
{
    std::vector<Wave> rows;
    std::size_t merged = 0; ///< groups in the last row, which has no name then; 0: none
    UtcTime from, to;
};
Waves wavesOf(const Picture& picture, const std::string& field);

} // namespace starling::fleetview
