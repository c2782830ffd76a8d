// SPDX-License-Identifier: Apache-2.0
/// What is news between two snapshots and worth a word, as the preferences want it.
#pragma once

#include "feed.h"
#include "preferences.h"

namespace starling::window {

/// One line each, worst first, at most three; empty if nothing is news. Nothing is news to a console that has
/// just opened.
QStringList newsOf(const SnapshotPtr& before, const Snapshot& now, const Preferences& preferences);

} // namespace starling::window
