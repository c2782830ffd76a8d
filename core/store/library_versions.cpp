// SPDX-License-Identifier: Apache-2.0
#include "store/library_versions.h"

#include <sqlite3.h>

namespace starling::store {

std::vector<std::string> libraryVersions()
{
    return {std::string("SQLite ") + sqlite3_libversion()};
}

} // namespace starling::store
