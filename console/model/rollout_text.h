// SPDX-License-Identifier: Apache-2.0
/// fleetview::Rollout in words, as JSON and as CSV, the same in the window and on the command line. Text of
/// others is not made harmless in words.
#pragma once

#include "fleetview/rollout.h"

#include <QJsonObject>
#include <QString>

namespace starling::console {

QString courseWord(fleetview::Course course); ///< "On track", …
/// "6 to 11 min"; empty where nothing can be said.
QString remainingText(const fleetview::Rollout& rollout);
/// Why, of so many devices: phase, code and detail.
QString reasonText(const fleetview::RolloutReason& reason);

/// "payload came to 12 devices since their start: 4 GiB site, 20 MiB direct"; empty if none says.
QString pathsText(const fleetview::RolloutReport& report);

QJsonObject jsonOf(const fleetview::Rollout& rollout);
/// With reasons and all stragglers; times as ISO 8601 in UTC.
QJsonObject jsonOf(const fleetview::RolloutReport& report, UtcTime at);
/// A line for each straggler (RFC 4180), with a first line of titles.
QByteArray csvOf(const fleetview::RolloutReport& report);

} // namespace starling::console
