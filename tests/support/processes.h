// SPDX-License-Identifier: Apache-2.0
/// What Linux says of a process (proc(5)), and free ports.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <vector>

namespace starling::support {

struct ProcessUse
{
    std::uint64_t residentBytes = 0, peakResidentBytes = 0; ///< VmRSS, VmHWM
    std::uint64_t privateBytes = 0; ///< Private_Clean + Private_Dirty of smaps_rollup
    std::uint64_t privateDirtyBytes = 0;
    double cpuSeconds = 0; ///< user and system
};
/// NotFound if there is no such process.
Result<ProcessUse> processUse(std::int64_t pid);

/// `count` ports that are free for UDP and TCP at every address of this machine, all different, and that no
/// other program which asks here is given while this one runs.
std::vector<std::uint16_t> freePorts(std::size_t count);

} // namespace starling::support
