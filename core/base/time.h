// SPDX-License-Identifier: Apache-2.0
/// Time as values. Nothing here reads a clock: whoever needs `now` is given it.
#pragma once

#include <chrono>

namespace starling {

using Duration = std::chrono::nanoseconds;

/// The tag of our monotonic time line; deliberately without now().
struct MonotonicClock
{
    using rep = Duration::rep;
    using period = Duration::period;
    using duration = Duration;
    using time_point = std::chrono::time_point<MonotonicClock>;
    static constexpr bool is_steady = true;
};

/// A point on the monotonic time line: for timers and intervals, never shown or stored.
using Instant = MonotonicClock::time_point;

/// A point on the calendar: for what people and documents say, never for timers.
using UtcTime = std::chrono::sys_seconds;

} // namespace starling
