// SPDX-License-Identifier: Apache-2.0
/// The database file of a state directory: found or made, verified, and brought to the layout of this
/// version.
#pragma once

#include "store/database.h"

namespace starling::store {

/// Opens `directory`/state.db. A file that is there is never taken for a fresh one, however damaged:
/// forgetting the floors would let everything old in. Fails with StateNewer, StateCorrupt, DiskFull or Io.
Result<Database> openState(const std::filesystem::path& directory);

} // namespace starling::store
