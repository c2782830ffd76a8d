// SPDX-License-Identifier: Apache-2.0
/// The one clock of the calendar, for what documents say of time. Timers have TimerQueue's.
#pragma once

#include "base/time.h"

namespace starling::node {

inline UtcTime wallClock()
{
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

} // namespace starling::node
