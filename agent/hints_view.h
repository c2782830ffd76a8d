// SPDX-License-Identifier: Apache-2.0
/// What a control socket tells of the sums that an observer was told: `starling status` and others.
#pragma once

#include "control/messages.h"
#include "node/node.h"

namespace starling::agent {

/// Others have made these sums: what is no release, no phase or no text is left out, and counted.
control::HintsReply hintsOf(const std::optional<overlay::Hints>& hints);
/// Refused if receipts come by themselves, or if the agent observes nothing.
control::Reply fetch(node::Node& node, const control::FetchRequest& request);

} // namespace starling::agent
