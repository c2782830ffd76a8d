// SPDX-License-Identifier: Apache-2.0
/// The lenses of the map for screen readers: tables with a row for each group and a column for each standing.
#pragma once

namespace starling::window {

/// Once in a program: every widget that is a GroupTable is told of as one from then on.
void installMapAccessibility();

} // namespace starling::window
