// SPDX-License-Identifier: Apache-2.0
/// fleetview::Hints in words and as JSON, the same in the window and on the command line. They say of
/// themselves that nobody has verified them.
#pragma once

#include "fleetview/hints.h"

#include <QJsonObject>
#include <QString>

namespace starling::console {

/// "hint, not verified: about 12000 devices"
QString hintHeadline(const fleetview::Hints& hints);
/// "about 9900 healthy, about 40 failed"; "none" of nothing.
QString hintedPhasesText(const fleetview::HintedPhases& phases);
/// Always with `"verified": false`.
QJsonObject jsonOf(const fleetview::Hints& hints);

} // namespace starling::console
