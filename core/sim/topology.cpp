// SPDX-License-Identifier: Apache-2.0
#include "sim/topology.h"

#include <algorithm>
#include <numeric>

namespace starling::sim {

namespace {

bool isAmong(const std::vector<NodeIndex>& nodes, NodeIndex node)
{
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

} // namespace

std::vector<NodeIndex> sample(std::vector<NodeIndex> candidates, std::size_t count, RandomSource& random)
{
    count = std::min(count, candidates.size());
    // The first steps of a Fisher-Yates shuffle.
    for (std::size_t i = 0; i < count; ++i)
        std::swap(candidates[i], candidates[i + random.below(candidates.size() - i)]);
    candidates.resize(count);
    return candidates;
}

std::vector<bool> reachable(NodeIndex start, const std::vector<std::vector<NodeIndex>>& graph,
                            const std::function<bool(NodeIndex)>& isOpen)
{
    std::vector<std::vector<NodeIndex>> both = graph;
    for (NodeIndex a = 0; a < graph.size(); ++a)
        for (const NodeIndex b : graph[a])
            both[b].push_back(a);
    std::vector<bool> isReached(graph.size());
    std::vector<NodeIndex> next{start};
    isReached[start] = true;
    while (!next.empty()) {
        const NodeIndex node = next.back();
        next.pop_back();
        for (const NodeIndex other : both[node]) {
            if (isReached[other] || !isOpen(other))
                continue;
            isReached[other] = true;
            next.push_back(other);
        }
    }
    return isReached;
}

std::vector<std::vector<NodeIndex>> randomGraph(std::size_t count, unsigned degree, RandomSource& random)
{
    std::vector<std::vector<NodeIndex>> graph(count);
    const auto join = [&](NodeIndex a, NodeIndex b) {
        if (a == b || isAmong(graph[a], b) || isAmong(graph[b], a))
            return;
        graph[a].push_back(b);
        if (random.below(2) == 0)
            graph[b].push_back(a);
    };
    std::vector<NodeIndex> all(count);
    std::iota(all.begin(), all.end(), NodeIndex{0});
    for (unsigned ends = 0; ends < degree; ends += 2) {
        const auto order = sample(all, count, random);
        // A ring gives every node two ends; every second step of it, one.
        const std::size_t step = ends + 2 <= degree ? 1 : 2;
        for (std::size_t i = 0; i < count; i += step)
            join(order[i], order[(i + 1) % count]);
    }
    return graph;
}

} // namespace starling::sim
