// SPDX-License-Identifier: Apache-2.0
#include "admin/sites_file.h"

#include "node/disk.h"

namespace starling::console {

Result<fleetview::Sites> readSites(const std::filesystem::path& file)
{
    const auto bytes = node::readFile(file, fleetview::SitesLimits::kMaxBytes);
    if (!bytes)
        return tl::unexpected<Error>(bytes.error());
    return fleetview::parseSites({reinterpret_cast<const char*>(bytes->data()), bytes->size()},
                                 file.string());
}

} // namespace starling::console
