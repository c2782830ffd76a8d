// SPDX-License-Identifier: Apache-2.0
/// How a query that is being typed may go on: fields, then the values that devices have. Pure.
#pragma once

#include "fleetview/facets.h"

#include <string>
#include <string_view>
#include <vector>

namespace starling::fleetview {

constexpr std::size_t kMaxCompletions = 12; ///< guess: a list that is read without scrolling

/// Whole queries that begin with all of `typed` but its last word, which they complete, whatever its case;
/// none that is `typed` itself. Fields in the order of query.h, then labels; values as in `facets`.
std::vector<std::string> completionsOf(const std::vector<Facet>& facets, std::string_view typed);

} // namespace starling::fleetview
