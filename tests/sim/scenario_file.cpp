// SPDX-License-Identifier: Apache-2.0
#include "scenario_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace starling::sim {

Result<Scenario> readScenario(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    // A directory opens, but cannot be read.
    if (!file || !(text << file.rdbuf()))
        return fail(Errc::Io, path.string() + ": " + std::strerror(errno));
    return parseScenario(text.str(), path.string());
}

} // namespace starling::sim
