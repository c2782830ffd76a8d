// SPDX-License-Identifier: Apache-2.0
/// Who would take a release that is not pushed yet, and how large a step that is. Pure.
#pragma once

#include "fleetview/fleet.h"

namespace starling::fleetview {

enum class Prospect : std::uint8_t {
    Takes, ///< it has an older version or none
    Held, ///< its certificate lacks a label that the release requires, or has another value there; or it is a
          ///< console's
    Newer, ///< it tells of this version, or a later one, already
};

/// One device, and why it will not take the release; empty if it will.
struct Outlook
{
    DevicePtr device;
    Prospect prospect = Prospect::Takes;
    std::string why;
};

struct Forecast
{
    std::vector<Outlook> devices; ///< in the order of the picture
    std::size_t takes = 0, held = 0, newer = 0;
};

/// By the labels of the devices' certificates and by their receipts. A device itself goes by the labels of
/// its own configuration, so that this is a forecast and no promise.
Forecast forecastOf(const Picture& picture, const ResourceUri& uri, const trust::Revision& revision,
                    const std::map<std::string, std::string>& requirements);

/// The newest revision of `uri` that is known, by notices or by receipts.
std::optional<trust::Revision> newestOf(const Picture& picture, const ResourceUri& uri);

/// What somebody has to do before a push, the larger its part of the fleet is.
enum class Confirmation : std::uint8_t {
    Press, ///< a button
    TypeCount, ///< the number of devices
    TypeAll, ///< the version and the number of devices
};
/// Press: up to 3 devices (guess: a bench), or up to 20 that are at most 5 % (console specification);
/// TypeCount: up to half of all; TypeAll: more.
Confirmation confirmationFor(std::size_t takes, std::size_t devices);

} // namespace starling::fleetview
