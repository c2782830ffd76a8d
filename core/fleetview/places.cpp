// SPDX-License-Identifier: Apache-2.0
#include "fleetview/places.h"

#include "fleetview/groups.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace starling::fleetview {

namespace {

constexpr double kLeastRadius = 10, kMostRadius = 34; ///< px
constexpr double kWide = 360, kHigh = PlacesPlan::kNorth - PlacesPlan::kSouth; ///< degrees
constexpr double kTouch = 0.9; ///< of the sum of radii: closer bubbles become one

/// A spot in the picture, or several that would cover each other.
struct Blob
{
    Spot spot;
    double x = 0, y = 0;

    void take(const Spot& other)
    {
        for (std::size_t i = 0; i < kStandings; ++i)
            spot.standings[i] += other.standings[i];
        for (const auto& [group, count] : other.groups)
            spot.groups[group] += count;
        spot.devices += other.devices;
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

Bubble bubbleOf(const Blob& blob, const std::vector<std::string>& groups, std::size_t most)
{
    Bubble bubble;
    bubble.x = blob.x;
    bubble.y = blob.y;
    bubble.radius = radiusOf(blob.spot.devices, most);
    bubble.devices = blob.spot.devices;
    bubble.at = blob.spot.at;
    bubble.standings = blob.spot.standings;
    std::size_t largest = 0;
    for (const auto& [group, count] : blob.spot.groups) {
        if (count > largest) {
            largest = count;
            bubble.name = groups[group];
        }
        if (bubble.groups.size() < Bubble::kMaxGroups)
            bubble.groups.push_back(groups[group]);
    }
    bubble.others = blob.spot.groups.empty() ? 0 : blob.spot.groups.size() - 1;
    return bubble;
}

/// Blobs by where they are: those that a spot may touch are in its square and the eight around.
class Squares
{
public:
    void add(double x, double y, std::size_t blob) { m_blobs[{at(x), at(y)}].push_back(blob); }
    template <class Use> void near(double x, double y, Use use) const
    {
        for (int i = at(x) - 1; i <= at(x) + 1; ++i)
            for (int j = at(y) - 1; j <= at(y) + 1; ++j)
                if (const auto found = m_blobs.find({i, j}); found != m_blobs.end())
                    for (const std::size_t blob : found->second)
                        use(blob);
    }

private:
    static int at(double px) { return static_cast<int>(std::floor(px / (2 * kTouch * kMostRadius))); }
    std::map<std::pair<int, int>, std::vector<std::size_t>> m_blobs;
};

/// A spot that an earlier, larger one touches goes into it, which stays where it is.
std::vector<Blob> merged(std::vector<Blob> blobs, std::size_t most)
{
    std::stable_sort(blobs.begin(), blobs.end(),
                     [](const Blob& a, const Blob& b) { return a.spot.devices > b.spot.devices; });
    std::vector<Blob> kept;
    std::vector<double> radii; // as they are drawn
    Squares squares;
    for (Blob& blob : blobs) {
        const double radius = radiusOf(blob.spot.devices, most);
        std::size_t into = kept.size();
        squares.near(blob.x, blob.y, [&](std::size_t other) {
            const double right = blob.x - kept[other].x, down = blob.y - kept[other].y;
            const double reach = kTouch * (radius + radii[other]);
            if (other < into && right * right + down * down < reach * reach)
                into = other;
        });
        if (into < kept.size()) {
            kept[into].take(blob.spot);
            radii[into] = radiusOf(std::min(kept[into].spot.devices, most), most);
            continue;
        }
        squares.add(blob.x, blob.y, kept.size());
        radii.push_back(radius);
        kept.push_back(std::move(blob));
    }
    return kept;
}

struct CoordinatesHash
{
    std::size_t operator()(const Coordinates& at) const
    {
        return std::hash<double>()(at.latitude) * 31 + std::hash<double>()(at.longitude);
    }
};

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

Spots spotsOf(const Picture& picture, const std::string& field, const Sites& sites)
{
    Spots found;
    const Groups groups = groupsBy(picture.devices, field);
    for (const Groups::Group& group : groups.groups)
        found.groups.push_back(group.name);
    std::unordered_map<Coordinates, std::size_t, CoordinatesHash> known;
    PerLabels<std::optional<std::size_t>> byLabels;
    const auto spotOf = [&](const Device& device) -> std::optional<std::size_t> {
        static const std::string kSite("site");
        const auto at = coordinatesOf(device, sites);
        if (!at) {
            if (found.sitesMissing.size() < Spots::kMaxMissing && !device.label(kSite).empty())
                found.sitesMissing.insert(device.label(kSite));
            return std::nullopt;
        }
        const auto [spot, isNew] = known.try_emplace(*at, found.spots.size());
        if (isNew)
            found.spots.emplace_back().at = *at;
        return spot->second;
    };
    for (std::size_t i = 0; i < picture.devices.size(); ++i) {
        const Device& device = *picture.devices[i];
        const auto spot = byLabels.of(device.labels, [&] { return spotOf(device); });
        ++(spot ? found.placed : found.unplaced);
        if (!spot)
            continue;
        Spot& counted = found.spots[*spot];
        ++counted.devices;
        ++counted.standings[static_cast<std::size_t>(device.standing)];
        ++counted.groups[groups.groupOf[i]];
    }
    // In an order that does not depend on which devices there are.
    std::sort(found.spots.begin(), found.spots.end(), [](const Spot& a, const Spot& b) {
        return std::pair(a.at.latitude, a.at.longitude) < std::pair(b.at.latitude, b.at.longitude);
    });
    return found;
}

PlacesPlan planPlaces(const Spots& spots, int width, int height, const PlacesFrame& frame)
{
    PlacesPlan plan;
    const PlacesFrame shown = within(frame, width, height);
    const double scale = scaleOf(shown.zoom, width, height);
    plan.scale = scale;
    plan.width = kWide * scale;
    plan.height = kHigh * scale;
    plan.left = width / 2.0 - (shown.centre.longitude + 180) * scale;
    plan.top = height / 2.0 - (PlacesPlan::kNorth - shown.centre.latitude) * scale;
    plan.placed = spots.placed;
    plan.unplaced = spots.unplaced;
    plan.sitesMissing = spots.sitesMissing;
    std::vector<Blob> blobs;
    std::size_t most = 1;
    for (const Spot& spot : spots.spots) {
        most = std::max(most, spot.devices);
        const double south =
            PlacesPlan::kNorth - std::clamp(spot.at.latitude, PlacesPlan::kSouth, PlacesPlan::kNorth);
        blobs.push_back({spot, plan.left + (spot.at.longitude + 180) * scale, plan.top + south * scale});
    }
    for (const Blob& blob : merged(std::move(blobs), most))
        plan.bubbles.push_back(bubbleOf(blob, spots.groups, std::max(most, blob.spot.devices)));
    return plan;
}

PlacesPlan planPlaces(const Picture& picture, const std::string& field, int width, int height,
                      const Sites& sites, const PlacesFrame& frame)
{
    return planPlaces(spotsOf(picture, field, sites), width, height, frame);
}

} // namespace starling::fleetview
