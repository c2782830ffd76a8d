// SPDX-License-Identifier: Apache-2.0
/// The grid for screen readers: a table with a row for each group and a column for each standing.
#pragma once

namespace starling::window {

/// Once in a program: GridViews are told of by it from then on.
void installGridAccessibility();

} // namespace starling::window
