// SPDX-License-Identifier: Apache-2.0
/// Property: what was accepted is on the earth, and written out again reads the same.
#include "base/assert.h"
#include "fleetview/sites.h"
#include "fuzz.h"

#include <array>
#include <charconv>
#include <cmath>

namespace {

std::string degrees(double value)
{
    std::array<char, 400> text{}; // the shortest that reads the same; fixed, since that is what is read
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
    return {text.data(), end};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace starling::fleetview;
    const auto sites = parseSites({reinterpret_cast<const char*>(data), size}, "f");
    if (!sites) {
        STARLING_ASSERT(sites.error().code == starling::Errc::ConfigInvalid);
        STARLING_ASSERT(sites.error().context.starts_with("f:"));
        return 0;
    }
    STARLING_ASSERT(sites->size() <= SitesLimits::kMaxSites);
    std::string text;
    for (const auto& [name, at] : *sites) {
        STARLING_ASSERT(!name.empty() && name.size() <= SitesLimits::kMaxName);
        STARLING_ASSERT(std::abs(at.latitude) <= 90 && std::abs(at.longitude) <= 180);
        text += name + " = " + degrees(at.latitude) + " " + degrees(at.longitude) + "\n";
    }
    if (text.size() > SitesLimits::kMaxBytes)
        return 0; // blanks and a digit more for each
    const auto again = parseSites(text, "f");
    STARLING_ASSERT(again && *again == *sites);
    return 0;
}

std::vector<starling::Bytes> seeds()
{
    return {starling::toBytes("# where they are\n\nberlin = 52.52 13.40\r\n  a = b =  -8\t 115.2\n"),
            starling::toBytes("Gr\xc3\xbc\xc3\x9f"
                              "e = 0 -0\nx=90 -180\n"),
            starling::toBytes("north = 90.5 0\n")};
}
