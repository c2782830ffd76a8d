// SPDX-License-Identifier: Apache-2.0
/// Where sites are, by a file that whoever looks at the map keeps: for devices
/// whose certificates do not say it. Pure: no file is read here.
#pragma once

#include "base/result.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace starling::fleetview {

struct Coordinates
{
    double latitude = 0, longitude = 0; ///< degrees, north and east positive
    bool operator==(const Coordinates&) const = default;
};
/// Decimal numbers of degrees, "52.52" and "-8.61"; nothing for anything else.
std::optional<Coordinates> coordinatesOf(std::string_view latitude, std::string_view longitude);

/// By the value of the devices' label "site".
using Sites = std::map<std::string, Coordinates>;

struct SitesLimits
{
    static constexpr std::size_t kMaxBytes = 1024 * 1024;
    static constexpr std::size_t kMaxSites = 10'000; ///< guess: 1 MiB has room for a few times as many
    static constexpr std::size_t kMaxName = 64; ///< bytes; no label of a certificate has more
};

/// A site in each line, `NAME = LATITUDE LONGITUDE`; empty lines and lines that begin with `#` say nothing.
/// NAME is what stands before the last `=`, without the blanks around it. Lines end with LF or CR LF. Fails
/// with ConfigInvalid, "FILE:LINE: reason": no `=`, no name, a name twice, no two numbers of degrees, a
/// control character, bytes that are not UTF-8, a limit.
Result<Sites> parseSites(std::string_view text, const std::string& fileName);

} // namespace starling::fleetview
