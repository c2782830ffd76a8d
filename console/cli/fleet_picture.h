// SPDX-License-Identifier: Apache-2.0
/// The fleet as the window would show it, for commands that tell of it.
#pragma once

#include "command_line.h"
#include "control/messages.h"
#include "fleetview/fleet.h"
#include "observe_command.h"

namespace starling::cli {

/// Where each device stands, by these answers, now.
fleetview::PicturePtr pictureOf(const control::DevicesReply& devices, const control::UpdatesReply& updates);

struct SeenFleet
{
    fleetview::PicturePtr picture;
    bool isObserver = false; ///< or the agent knows of itself alone
};
/// Asks the agent that the command line names. Unreachable, Timeout.
Result<SeenFleet> pictureOfFleet(const CommandLine& line);

} // namespace starling::cli
