// SPDX-License-Identifier: Apache-2.0
/// The measuring program, run again in a network namespace of its own: nothing else is on its interfaces.
#pragma once

#include "bench.h"

#include <QByteArray>

namespace starling::bench {

struct Inside
{
    QByteArray output; ///< what it said on standard output
    std::string skipped; ///< why there is nothing to be measured here; else empty
};

/// Fails as it failed, or with Io if it took longer than `limit`.
Result<Inside> runInside(const Bench& bench, const std::string& key, std::chrono::milliseconds limit);

} // namespace starling::bench
