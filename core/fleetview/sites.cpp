// SPDX-License-Identifier: Apache-2.0
#include "fleetview/sites.h"

#include "bencode/bencode.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace starling::fleetview {

namespace {

constexpr std::string_view kBlank = " \t";

std::string_view trimmed(std::string_view text)
{
    text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
    return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

/// What stands before the first `end`, which leaves `text` with it.
std::string_view takeUntil(std::string_view& text, std::string_view ends)
{
    const std::size_t end = std::min(text.find_first_of(ends), text.size());
    const std::string_view taken = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return taken;
}

std::optional<double> degreesOf(std::string_view text, double most)
{
    double degrees = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), degrees, std::chars_format::fixed);
    // Not infinite, and not NaN either.
    if (error != std::errc() || end != text.data() + text.size() || !(std::abs(degrees) <= most))
        return std::nullopt;
    return degrees;
}

/// Into `sites`; the reason why not.
std::optional<std::string> takeLine(Sites& sites, std::string_view line)
{
    std::string printable(line);
    std::replace(printable.begin(), printable.end(), '\t', ' ');
    if (!bencode::isPlainText(printable))
        return "not UTF-8 text without control characters";
    const std::size_t equals = line.rfind('=');
    if (equals == line.npos)
        return "expected: NAME = LATITUDE LONGITUDE";
    const std::string name(trimmed(line.substr(0, equals)));
    if (name.empty() || name.size() > SitesLimits::kMaxName)
        return "a name has 1 to " + std::to_string(SitesLimits::kMaxName) + " bytes";
    std::string_view degrees = trimmed(line.substr(equals + 1));
    const std::string_view latitude = takeUntil(degrees, kBlank);
    const auto at = coordinatesOf(latitude, trimmed(degrees));
    if (!at)
        return "expected two numbers of degrees after '=', as 52.52 -8.61";
    if (sites.size() == SitesLimits::kMaxSites)
        return "more than " + std::to_string(SitesLimits::kMaxSites) + " sites";
    if (!sites.emplace(name, *at).second)
        return "'" + name + "' stands here twice";
    return std::nullopt;
}

} // namespace

std::optional<Coordinates> coordinatesOf(std::string_view latitude, std::string_view longitude)
{
    const auto north = degreesOf(latitude, 90), east = degreesOf(longitude, 180);
    if (!north || !east)
        return std::nullopt;
    return Coordinates{*north, *east};
}

Result<Sites> parseSites(std::string_view text, const std::string& fileName)
{
    if (text.size() > SitesLimits::kMaxBytes)
        return fail(Errc::ConfigInvalid,
                    fileName + ":1: more than " + std::to_string(SitesLimits::kMaxBytes) + " bytes");
    Sites sites;
    for (unsigned number = 1; !text.empty(); ++number) {
        std::string_view line = takeUntil(text, "\n");
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        line = trimmed(line);
        if (line.empty() || line.starts_with('#'))
            continue;
        if (const auto reason = takeLine(sites, line))
            return fail(Errc::ConfigInvalid, fileName + ":" + std::to_string(number) + ": " + *reason);
    }
    return sites;
}

} // namespace starling::fleetview
