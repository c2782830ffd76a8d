// SPDX-License-Identifier: Apache-2.0
/// The file that says where sites are, for the map: read by the command line and the window alike.
#pragma once

#include "fleetview/sites.h"

#include <filesystem>

namespace starling::console {

/// ConfigInvalid as fleetview::parseSites says; NotFound, TooLarge or Io, each naming the file.
Result<fleetview::Sites> readSites(const std::filesystem::path& file);

} // namespace starling::console
