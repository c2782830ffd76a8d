// SPDX-License-Identifier: Apache-2.0
/// What other commands need of observers.
#pragma once

#include "trust/subscription.h"

#include <string_view>

namespace starling::cli {

/// What to do where only an observer knows the answer.
constexpr std::string_view kNoObserver = "this agent collects no receipts, and knows of itself alone; "
                                         "entitle it with starling fleet observe --key "
                                         "(a key of the observe role), or ask an agent that does";

/// From today on; whoever signs last means it, also where that ends earlier.
trust::Subscription subscriptionFor(const NodeId& observer, std::optional<ResourceUri> scope, unsigned days);

} // namespace starling::cli
