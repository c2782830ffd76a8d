// SPDX-License-Identifier: Apache-2.0
/// fleetview::Why in words, the same in the window and on the command line. Translated; text of others is not
/// made harmless here, which depends on where it is shown.
#pragma once

#include "fleetview/why.h"

#include <QString>
#include <QStringList>

namespace starling::console {

/// "state – because – proof – next" of one resource.
struct WhyText
{
    QString resource, state, because, proof, next;
};

QString stateWord(fleetview::Standing standing); ///< "Healthy", "No release", …
std::vector<WhyText> whyTextOf(const fleetview::Why& why, UtcTime now);
/// What else its receipt tells: the root that it holds if others hold a newer one, what it refused, and
/// by which kinds of links payload came.
QStringList whyRemarksOf(const fleetview::Why& why);
/// "announced", "rolling back", …
QString phaseText(trust::Phase phase);
/// What an error code says.
QString codeText(Errc code);
/// "12 s", "3 min", "5 h", "2 d".
QString spanText(std::chrono::seconds span);

} // namespace starling::console
