// SPDX-License-Identifier: Apache-2.0
/// How far and how quickly a notice comes among the neighbours that memberships have found.
#pragma once

#include "membership_network.h"

namespace starling::overlay::testing {

/// When each node would have a notice of `origin` that everybody passes on at once.
inline std::vector<std::optional<Duration>> flood(const MembershipNetwork& network, std::size_t origin)
{
    std::vector<std::optional<Duration>> reached(network.nodes.size());
    std::set<std::pair<Duration, std::size_t>> next{{Duration{}, origin}};
    while (!next.empty()) {
        const auto [at, index] = *next.begin();
        next.erase(next.begin());
        if (reached[index] || !network.isUp(index))
            continue;
        reached[index] = at;
        for (const NeighborId link : network.nodes[index].neighbors) {
            const std::size_t other = network.nodes[index].links.at(link).first;
            if (!reached[other])
                next.emplace(at + network.latency(index, other), other);
        }
    }
    return reached;
}

inline std::size_t reachedFrom(const MembershipNetwork& network, std::size_t origin)
{
    const auto reached = flood(network, origin);
    return static_cast<std::size_t>(
        std::count_if(reached.begin(), reached.end(), [](const auto& at) { return at.has_value(); }));
}

} // namespace starling::overlay::testing
