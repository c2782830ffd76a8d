// SPDX-License-Identifier: Apache-2.0
/// The half of the rate limits' measurement that runs in a network namespace of its own.
#pragma once

#include "bench.h"

namespace starling::bench {

/// Rate that leaves one agent towards another on the interface between them, in Mbit/s, where `key`
/// ("upload_limit" of the sender, or "download_limit" of the receiver) is 1 Mbit/s. Wants to be root of a
/// network namespace that nothing else uses.
Result<double> megabitsPerSecondWithLimit(const Bench& bench, const std::string& key);

} // namespace starling::bench
