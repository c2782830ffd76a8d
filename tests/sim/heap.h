// SPDX-License-Identifier: Apache-2.0
/// Where a program keeps thousands of simulated nodes.
#pragma once

#include <cstdint>

namespace starling::sim {

/// Has the C library take as much address space as a fleet of simulated nodes needs at once, and the kernel
/// back it by huge pages, if it may: an event looks at some places far apart, and finding the page of each
/// takes as long as reading it. Most of the memory is taken at once, so that the time of events is theirs. To
/// be made before the nodes, and to go after them: then memory is given back. Changes nothing but time.
class FleetHeap
{
public:
    explicit FleetHeap(std::uint32_t nodes);
    ~FleetHeap();
    FleetHeap(const FleetHeap&) = delete;
    FleetHeap& operator=(const FleetHeap&) = delete;
};

} // namespace starling::sim
