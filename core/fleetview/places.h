// SPDX-License-Identifier: Apache-2.0
/// Where in the world devices are, by the coordinates in their certificates: a bubble for each place, and one
/// for places that would cover each other. Pure.
#pragma once

#include "fleetview/facets.h"

namespace starling::fleetview {

/// Labels of a certificate, in degrees: "52.52" and "-8.61".
constexpr std::string_view kLatitude = "lat", kLongitude = "lon";
bool isCoordinate(std::string_view label);

struct Coordinates
{
    double latitude = 0, longitude = 0;
};
/// Nothing if a label is missing, or is no number of degrees.
std::optional<Coordinates> coordinatesOf(const Device& device);

struct Bubble
{
    std::string name; ///< the group of most of its devices; empty: without one
    std::size_t others = 0; ///< further groups
    double x = 0, y = 0, radius = 0;
    std::size_t devices = 0;
    std::array<std::size_t, kStandings> standings{};
    std::vector<std::string> groups; ///< by name, at most kMaxGroups
    static constexpr std::size_t kMaxGroups = 12; ///< guess: a tooltip that is read
};

struct PlacesPlan
{
    /// The part of the world that is drawn: plate carrée, north up.
    static constexpr double kNorth = 84, kSouth = -58;
    double left = 0, top = 0, width = 0, height = 0; ///< of the land within the picture
    std::vector<Bubble> bubbles; ///< the largest first; what is painted later is above
    std::size_t placed = 0, unplaced = 0; ///< devices
    std::optional<std::size_t> bubbleAt(double x, double y) const;
};

PlacesPlan planPlaces(const Picture& picture, const std::string& field, int width, int height);

} // namespace starling::fleetview
