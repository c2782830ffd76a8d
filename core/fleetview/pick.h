// SPDX-License-Identifier: Apache-2.0
/// Some devices of a picture as a picture. Pure.
#pragma once

#include "fleetview/query.h"

namespace starling::fleetview {

/// The devices that match, counted anew; releases are newest by what all devices say. Shares the steps.
PicturePtr pick(const PicturePtr& picture, const Query& query);

} // namespace starling::fleetview
