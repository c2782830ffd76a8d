// SPDX-License-Identifier: Apache-2.0
/// Who has whom in its configuration. Pure.
#pragma once

#include "base/random.h"
#include "sim/network.h"

#include <functional>

namespace starling::sim {

/// Whom each node of `count` connects to: rings through all nodes in random orders, and for an odd degree a
/// random matching, so that the graph is connected and nearly everybody has `degree` neighbours. Of a pair of
/// neighbours always one has the other configured, every second time both.
std::vector<std::vector<NodeIndex>> randomGraph(std::size_t count, unsigned degree, RandomSource& random);

/// The same by latency: each node connects to the two nearest of 30 others, and to the next one of a ring in
/// random order, which also keeps the graph connected. About six neighbours each.
std::vector<std::vector<NodeIndex>> nearestGraph(std::size_t count, const Network& network,
                                                 RandomSource& random);

/// Which nodes can be reached from `start` over neighbours, whoever of two configured the other, through
/// nodes of which `isOpen` says so; `start` is one of them.
std::vector<bool> reachable(NodeIndex start, const std::vector<std::vector<NodeIndex>>& graph,
                            const std::function<bool(NodeIndex)>& isOpen);

/// Up to `count` different ones of `candidates`, in random order.
std::vector<NodeIndex> sample(std::vector<NodeIndex> candidates, std::size_t count, RandomSource& random);

} // namespace starling::sim
