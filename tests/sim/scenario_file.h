// SPDX-License-Identifier: Apache-2.0
/// Reading scenarios from files, which the pure room does not do.
#pragma once

#include "sim/scenario.h"

#include <filesystem>

namespace starling::sim {

/// Fails with Io, or as parseScenario does.
Result<Scenario> readScenario(const std::filesystem::path& path);

} // namespace starling::sim
