// SPDX-License-Identifier: Apache-2.0
#include "heap.h"

#include <cstdlib>
#include <malloc.h>
#include <sys/mman.h>

namespace starling::sim {

namespace {

constexpr std::uintptr_t kHugePage = 2 * 1024 * 1024;
/// Measured: 5 KiB without membership; with it the rest comes as it always does.
constexpr std::uint64_t kBytesPerNode = 8 * 1024;
/// Less than any node has, so that what the process holds stays what its nodes do.
constexpr std::uint64_t kTakenPerNode = 4 * 1024;
/// A fleet that fits the processor's cache, or nearly so, gains nothing.
constexpr std::uint64_t kWorthwhile = 32 * kHugePage;

} // namespace

FleetHeap::FleetHeap(std::uint32_t nodes)
{
    const std::uint64_t bytes = nodes * kBytesPerNode;
    if (bytes < kWorthwhile)
        return;
    // mallopt(3): what is freed is kept, and large blocks, too, are cut from the heap.
    constexpr int kNever = -1, kNone = 0, kDefaultMappings = 65'536;
    ::mallopt(M_TRIM_THRESHOLD, kNever);
    ::mallopt(M_MMAP_MAX, kNone);
    void* const room = std::malloc(bytes);
    ::mallopt(M_MMAP_MAX, kDefaultMappings);
    if (room == nullptr)
        return;
    const std::uintptr_t begin = (reinterpret_cast<std::uintptr_t>(room) + kHugePage - 1) & ~(kHugePage - 1);
    // Without huge pages, or on a kernel that takes no memory beforehand, it works as well.
    static_cast<void>(::madvise(reinterpret_cast<void*>(begin), bytes - kHugePage, MADV_HUGEPAGE));
    static_cast<void>(::madvise(reinterpret_cast<void*>(begin), nodes * kTakenPerNode, MADV_POPULATE_WRITE));
    std::free(room);
}

FleetHeap::~FleetHeap()
{
    ::malloc_trim(0);
}

} // namespace starling::sim
