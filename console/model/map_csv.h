// SPDX-License-Identifier: Apache-2.0
/// The map as comma-separated values: what all of its lenses show, device by device.
#pragma once

#include "fleetview/places.h"

#include <QByteArray>

namespace starling::console {

/// RFC 4180, a heading and a line for each device: where it stands and by what, the value of `field` it is
/// grouped by, whether it holds the latest release, where it is.
QByteArray mapCsv(const fleetview::Picture& picture, const std::string& field, const fleetview::Sites& sites);

} // namespace starling::console
