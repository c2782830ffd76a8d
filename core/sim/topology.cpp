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

/// performance.md, "Choose neighbours by latency".
constexpr std::size_t kCandidates = 30;
constexpr std::size_t kNearest = 2;

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

std::vector<std::vector<NodeIndex>> nearestGraph(std::size_t count, const Network& network,
                                                 RandomSource& random)
{
    std::vector<std::vector<NodeIndex>> graph(count);
    const auto join = [&](NodeIndex a, NodeIndex b) {
        if (a != b && !isAmong(graph[a], b) && !isAmong(graph[b], a))
            graph[a].push_back(b);
    };
    std::vector<NodeIndex> order(count);
    std::iota(order.begin(), order.end(), NodeIndex{0});
    order = sample(std::move(order), count, random);
    for (std::size_t i = 0; i < count; ++i)
        join(order[i], order[(i + 1) % count]);
    for (NodeIndex node = 0; node < count; ++node) {
        std::vector<std::pair<Duration, NodeIndex>> candidates;
        for (std::size_t i = 0; i < kCandidates; ++i) {
            const auto other = static_cast<NodeIndex>(random.below(count));
            candidates.emplace_back(network.latency(node, other), other);
        }
        std::sort(candidates.begin(), candidates.end());
        for (std::size_t i = 0, joined = 0; i < candidates.size() && joined < kNearest; ++i) {
            const NodeIndex other = candidates[i].second;
            if (other == node || (i > 0 && candidates[i - 1].second == other))
                continue;
            join(node, other);
            ++joined;
        }
    }
    return graph;
}

} // namespace starling::sim
