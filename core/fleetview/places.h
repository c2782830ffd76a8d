// SPDX-License-Identifier: Apache-2.0
/// Where in the world devices are, by the coordinates in their certificates, else by those of their sites: a
/// bubble for each place, and one for places that would cover each other. Pure.
#pragma once

#include "fleetview/facets.h"
#include "fleetview/sites.h"

#include <set>

namespace starling::fleetview {

/// Labels of a certificate, in degrees: "52.52" and "-8.61".
constexpr std::string_view kLatitude = "lat", kLongitude = "lon";
bool isCoordinate(std::string_view label);

/// By its certificate; where that does not tell, by `sites` and its label "site". Nothing: neither tells.
std::optional<Coordinates> coordinatesOf(const Device& device, const Sites& sites);

/// Devices that are at one and the same spot.
struct Spot
{
    Coordinates at;
    std::size_t devices = 0;
    std::array<std::size_t, kStandings> standings{};
    std::map<std::uint32_t, std::size_t> groups; ///< devices, by the index of their group
};
/// What of a picture can be drawn on any part of the world: counted once, for zooming and moving.
struct Spots
{
    std::vector<Spot> spots;
    std::vector<std::string> groups; ///< names, in NaturalOrder
    std::size_t placed = 0, unplaced = 0; ///< devices
    std::set<std::string> sitesMissing; ///< sites of those that are not placed, at most kMaxMissing
    static constexpr std::size_t kMaxMissing = 12; ///< guess: a tooltip that is read
};
Spots spotsOf(const Picture& picture, const std::string& field, const Sites& sites);

struct Bubble
{
    std::string name; ///< the group of most of its devices; empty: without one
    std::size_t others = 0; ///< further groups
    double x = 0, y = 0, radius = 0;
    std::size_t devices = 0;
    std::array<std::size_t, kStandings> standings{};
    std::vector<std::string> groups; ///< by name, at most kMaxGroups
    Coordinates at; ///< of the place of most of its devices
    static constexpr std::size_t kMaxGroups = 12; ///< guess: a tooltip that is read
};

struct PlacesPlan
{
    /// The part of the world that is drawn: plate carrée, north up.
    static constexpr double kNorth = 84, kSouth = -58;
    double left = 0, top = 0, width = 0, height = 0; ///< of the land; beyond the picture's edges if zoomed
    double scale = 1; ///< px for a degree
    std::vector<Bubble> bubbles; ///< the largest first; what is painted later is above
    std::size_t placed = 0, unplaced = 0; ///< devices
    std::set<std::string> sitesMissing; ///< as of Spots
    std::optional<std::size_t> bubbleAt(double x, double y) const;
};

/// Which part of the world a picture shows.
struct PlacesFrame
{
    static constexpr double kMaxZoom = 256; ///< guess: a degree on 700 px, which tells a city's sites apart
    double zoom = 1; ///< 1: all of it
    Coordinates centre{(PlacesPlan::kNorth + PlacesPlan::kSouth) / 2, 0};
    bool operator==(const PlacesFrame&) const = default;
};
/// `frame` with its zoom between 1 and kMaxZoom, moved so that no more lies beyond the world's edges than
/// has to.
PlacesFrame within(const PlacesFrame& frame, int width, int height);
/// `frame` zoomed by `factor`, so that what is at (x, y) stays there.
PlacesFrame zoomed(const PlacesFrame& frame, double factor, double x, double y, int width, int height);
/// `frame` after its picture was dragged by so many px.
PlacesFrame dragged(const PlacesFrame& frame, double right, double down, int width, int height);

PlacesPlan planPlaces(const Spots& spots, int width, int height, const PlacesFrame& frame = {});
/// Both at once.
PlacesPlan planPlaces(const Picture& picture, const std::string& field, int width, int height,
                      const Sites& sites = {}, const PlacesFrame& frame = {});

} // namespace starling::fleetview
