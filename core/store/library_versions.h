// SPDX-License-Identifier: Apache-2.0
/// Which libraries this room runs on, for whoever looks for the cause of a trouble.
#pragma once

#include <string>
#include <vector>

namespace starling::store {

/// "SQLite 3.40.1": as they are now, which may be others than it was built with.
std::vector<std::string> libraryVersions();

} // namespace starling::store
