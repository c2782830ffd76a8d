// SPDX-License-Identifier: Apache-2.0
#include "fleetview/places.h"

#include <algorithm>
#include <cmath>

namespace starling::fleetview {

namespace {

constexpr double kLeastRadius = 10, kMostRadius = 34; ///< px
constexpr double kWide = 360, kHigh = PlacesPlan::kNorth - PlacesPlan::kSouth; ///< degrees
constexpr double kTouch = 0.9; ///< of the sum of radii: closer bubbles become one

/// Devices at one spot.
struct Spot
{
    Coordinates at;
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

/// px for a degree
double scaleOf(double zoom, int width, int height)
{
    return std::max(0.1, std::min(width / kWide, height / kHigh)) * zoom;
}

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
    bubble.at = spot.at;
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

std::optional<Coordinates> coordinatesOf(const Device& device, const Sites& sites)
{
    static const std::string kLat(kLatitude), kLon(kLongitude), kSite("site");
    if (const auto certified = coordinatesOf(device.label(kLat), device.label(kLon)))
        return certified;
    const auto site = sites.find(device.label(kSite));
    return site == sites.end() ? std::nullopt : std::optional(site->second);
}

std::optional<std::size_t> PlacesPlan::bubbleAt(double x, double y) const
{
    for (std::size_t i = bubbles.size(); i > 0; --i)
        if (std::hypot(x - bubbles[i - 1].x, y - bubbles[i - 1].y) <= bubbles[i - 1].radius)
            return i - 1;
    return std::nullopt;
}

PlacesFrame within(const PlacesFrame& frame, int width, int height)
{
    PlacesFrame moved = frame;
    moved.zoom = std::clamp(frame.zoom, 1.0, PlacesFrame::kMaxZoom);
    const double scale = scaleOf(moved.zoom, width, height);
    const auto held = [](double centre, double least, double most, double span) {
        return span >= most - least ? (least + most) / 2
                                    : std::clamp(centre, least + span / 2, most - span / 2);
    };
    moved.centre.longitude = held(frame.centre.longitude, -180, 180, width / scale);
    moved.centre.latitude =
        held(frame.centre.latitude, PlacesPlan::kSouth, PlacesPlan::kNorth, height / scale);
    return moved;
}

PlacesFrame zoomed(const PlacesFrame& frame, double factor, double x, double y, int width, int height)
{
    const double before = scaleOf(frame.zoom, width, height);
    PlacesFrame closer = frame;
    closer.zoom = std::clamp(frame.zoom * factor, 1.0, PlacesFrame::kMaxZoom);
    const double after = scaleOf(closer.zoom, width, height);
    closer.centre.longitude += (x - width / 2.0) * (1 / before - 1 / after);
    closer.centre.latitude -= (y - height / 2.0) * (1 / before - 1 / after);
    return within(closer, width, height);
}

PlacesFrame dragged(const PlacesFrame& frame, double right, double down, int width, int height)
{
    const double scale = scaleOf(frame.zoom, width, height);
    PlacesFrame moved = frame;
    moved.centre.longitude -= right / scale;
    moved.centre.latitude += down / scale;
    return within(moved, width, height);
}

PlacesPlan planPlaces(const Picture& picture, const std::string& field, int width, int height,
                      const Sites& sites, const PlacesFrame& frame)
{
    PlacesPlan plan;
    const PlacesFrame shown = within(frame, width, height);
    const double scale = scaleOf(shown.zoom, width, height);
    plan.scale = scale;
    plan.width = kWide * scale;
    plan.height = kHigh * scale;
    plan.left = width / 2.0 - (shown.centre.longitude + 180) * scale;
    plan.top = height / 2.0 - (PlacesPlan::kNorth - shown.centre.latitude) * scale;
    std::map<std::pair<double, double>, Spot> found;
    std::string buffer;
    static const std::string kSite("site");
    for (const DevicePtr& device : picture.devices) {
        const auto at = coordinatesOf(*device, sites);
        if (!at) {
            ++plan.unplaced;
            if (plan.sitesMissing.size() < PlacesPlan::kMaxMissing && !device->label(kSite).empty())
                plan.sitesMissing.insert(device->label(kSite));
            continue;
        }
        ++plan.placed;
        Spot& spot = found[{at->latitude, at->longitude}];
        spot.at = *at;
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
