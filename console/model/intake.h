// SPDX-License-Identifier: Apache-2.0
/// An agent's answers as the fleet view takes them: the one way in, for the command line and the window.
#pragma once

#include "control/messages.h"
#include "fleetview/fleet.h"
#include "fleetview/hints.h"

namespace starling::console {

std::vector<fleetview::Report> reportsOf(std::vector<control::DeviceLine> devices);
std::vector<fleetview::KnownRelease> releasesOf(const std::vector<control::UpdateLine>& updates);
/// Nothing from an agent to which receipts come by themselves.
std::optional<fleetview::Hints> hintsOf(const control::HintsReply& reply);

} // namespace starling::console
