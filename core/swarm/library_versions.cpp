// SPDX-License-Identifier: Apache-2.0
#include "swarm/library_versions.h"

#include <libtorrent/version.hpp>

namespace starling::swarm {

std::vector<std::string> libraryVersions()
{
    return {std::string("libtorrent ") + lt::version()};
}

} // namespace starling::swarm
