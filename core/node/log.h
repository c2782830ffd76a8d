// SPDX-License-Identifier: Apache-2.0
/// Logging categories of the agent; switch them by QT_LOGGING_RULES, e.g. "starling.overlay.debug=true".
#pragma once

#include "base/result.h"
#include "update/life_cycle.h"

#include <QLoggingCategory>

namespace starling::node {

Q_DECLARE_LOGGING_CATEGORY(lcNode)
Q_DECLARE_LOGGING_CATEGORY(lcOverlay)
Q_DECLARE_LOGGING_CATEGORY(lcSwarm)
Q_DECLARE_LOGGING_CATEGORY(lcUpdate)

/// For streaming into a log line.
QString forLog(const Error& error);
QString forLog(std::string_view text);
/// "fw/gateway 241".
QString forLog(const update::Record& record);

} // namespace starling::node
