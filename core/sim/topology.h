// SPDX-License-Identifier: Apache-2.0
/// Who has whom in its configuration. Pure.
#pragma once

#include "base/random.h"
#include "sim/event_queue.h"

namespace starling::sim {

/// Whom each node of `count` connects to: rings through all nodes in random orders, and for an odd degree a
/// random matching, so that the graph is connected and nearly everybody has `degree` neighbours. Of a pair of
/// neighbours always one has the other configured, every second time both.
std::vector<std::vector<NodeIndex>> randomGraph(std::size_t count, unsigned degree, RandomSource& random);

/// Up to `count` different ones of `candidates`, in random order.
std::vector<NodeIndex> sample(std::vector<NodeIndex> candidates, std::size_t count, RandomSource& random);

} // namespace starling::sim
