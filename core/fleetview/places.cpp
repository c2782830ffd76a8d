// SPDX-License-Identifier: Apache-2.0
#include "fleetview/places.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace starling::fleetview {

namespace {

constexpr double kLeastRadius = 10, kMostRadius = 34; ///< px
constexpr double kTouch = 0.9; ///< of the sum of radii: closer bubbles become one

std::optional<double> degreesOf(const std::string& text, double most)
{
    double degrees = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), degrees, std::chars_format::fixed);
    // Not infinite, and not NaN either.
    if (error != std::errc() || end != text.data() + text.size() || !(std::abs(degrees) <= most))
        return std::nullopt;
    return degrees;
}

/// Devices at one spot.
struct Spot
{
    double x = 0, y = 0;
    std::size_t devices = 0;
    std::array<std::size_t, kStandings> standings{};
    std::map<std::string, std::size_t, NaturalOrder> groups;

    void take(const Spot& other)
    {
        for (std::size_t i = 0; i < kStandings; ++i)
            standings[i] += other.standings[i];
        for (const auto& [name, count] : other.groups)
            groups[name] += count;
        devices += other.devices;
    }
};

double radiusOf(std::size_t devices, std::size_t most)
{
    return kLeastRadius
        + (kMostRadius - kLeastRadius) * std::sqrt(static_cast<double>(devices) / static_cast<double>(most));
}

Bubble bubbleOf(const Spot& spot, std::size_t most)
{
    Bubble bubble;
    bubble.x = spot.x;
    bubble.y = spot.y;
    bubble.radius = radiusOf(spot.devices, most);
    bubble.devices = spot.devices;
    bubble.standings = spot.standings;
    std::size_t largest = 0;
    for (const auto& [name, count] : spot.groups) {
        if (count > largest) {
            largest = count;
            bubble.name = name;
        }
        if (bubble.groups.size() < Bubble::kMaxGroups)
            bubble.groups.push_back(name);
    }
    bubble.others = spot.groups.empty() ? 0 : spot.groups.size() - 1;
    return bubble;
}

/// A bubble that an earlier, larger one touches goes into it, which stays where it is.
std::vector<Spot> merged(std::vector<Spot> spots, std::size_t most)
{
    std::stable_sort(spots.begin(), spots.end(),
                     [](const Spot& a, const Spot& b) { return a.devices > b.devices; });
    std::vector<Spot> kept;
    for (const Spot& spot : spots) {
        const auto near = std::find_if(kept.begin(), kept.end(), [&](const Spot& other) {
            return std::hypot(spot.x - other.x, spot.y - other.y)
                < kTouch * (radiusOf(spot.devices, most) + radiusOf(other.devices, most));
        });
        if (near == kept.end())
            kept.push_back(spot);
        else
            near->take(spot);
    }
    return kept;
}

} // namespace

bool isCoordinate(std::string_view label)
{
    return label == kLatitude || label == kLongitude;
}

std::optional<Coordinates> coordinatesOf(const Device& device)
{
    static const std::string kLat(kLatitude), kLon(kLongitude);
    const auto latitude = degreesOf(device.label(kLat), 90), longitude = degreesOf(device.label(kLon), 180);
    if (!latitude || !longitude)
        return std::nullopt;
    return Coordinates{*latitude, *longitude};
}

std::optional<std::size_t> PlacesPlan::bubbleAt(double x, double y) const
{
    for (std::size_t i = bubbles.size(); i > 0; --i)
        if (std::hypot(x - bubbles[i - 1].x, y - bubbles[i - 1].y) <= bubbles[i - 1].radius)
            return i - 1;
    return std::nullopt;
}

PlacesPlan planPlaces(const Picture& picture, const std::string& field, int width, int height)
{
    PlacesPlan plan;
    constexpr double kWide = 360, kHigh = PlacesPlan::kNorth - PlacesPlan::kSouth;
    const double scale = std::max(0.1, std::min(width / kWide, height / kHigh));
    plan.width = kWide * scale;
    plan.height = kHigh * scale;
    plan.left = (width - plan.width) / 2;
    plan.top = (height - plan.height) / 2;
    std::map<std::pair<double, double>, Spot> found;
    std::string buffer;
    for (const DevicePtr& device : picture.devices) {
        const auto at = coordinatesOf(*device);
        if (!at) {
            ++plan.unplaced;
            continue;
        }
        ++plan.placed;
        Spot& spot = found[{at->latitude, at->longitude}];
        spot.x = plan.left + (at->longitude + 180) * scale;
        spot.y = plan.top
            + (PlacesPlan::kNorth - std::clamp(at->latitude, PlacesPlan::kSouth, PlacesPlan::kNorth)) * scale;
        ++spot.devices;
        ++spot.standings[static_cast<std::size_t>(device->standing)];
        ++spot.groups[std::string(groupView(*device, field, buffer))];
    }
    std::vector<Spot> spots;
    std::size_t most = 1;
    for (auto& [at, spot] : found) {
        most = std::max(most, spot.devices);
        spots.push_back(std::move(spot));
    }
    for (const Spot& spot : merged(std::move(spots), most))
        plan.bubbles.push_back(bubbleOf(spot, std::max(most, spot.devices)));
    return plan;
}

} // namespace starling::fleetview
