// SPDX-License-Identifier: Apache-2.0
/// What this console saw of the fleet at an earlier moment, from the steps and the history that a picture
/// keeps. Pure.
#pragma once

#include "fleetview/fleet.h"

namespace starling::fleetview {

/// The picture as of `at`, between live.since and live.at. Devices stand where they stood, with what they had
/// said by then; those that this console had not heard of are left out, and those that are gone meanwhile,
/// too. Names and labels are today's, alarms and what came which way are left out: nobody recorded them.
/// Shares with `live` the steps, and the devices that have not changed.
PicturePtr pictureAt(const PicturePtr& live, UtcTime at);

/// The moments in which standings changed before and after `at`.
std::optional<UtcTime> changeBefore(const Picture& live, UtcTime at);
std::optional<UtcTime> changeAfter(const Picture& live, UtcTime at);

} // namespace starling::fleetview
