// SPDX-License-Identifier: Apache-2.0
/// The fleet as the window would show it, for commands that tell of it.
#pragma once

#include "command_line.h"
#include "control/messages.h"
#include "fleetview/fleet.h"
#include "observe_command.h"

namespace starling::cli {

struct SeenDevices
{
    std::vector<control::DeviceLine> lines; ///< by NodeId
    bool isObserver = false; ///< or the agent knows of itself alone
    std::uint64_t leftOut = 0; ///< there is no room for them here; about
};
/// All devices that the agent tells of that the command line names, in as many questions as it takes; how far
/// it is stands on standard error after a second. Says if some are left out. Unreachable, Timeout.
Result<SeenDevices> askDevices(const CommandLine& line);

/// Where each device stands, by these answers, now.
fleetview::PicturePtr pictureOf(std::vector<control::DeviceLine> devices,
                                const control::UpdatesReply& updates);

struct SeenFleet
{
    fleetview::PicturePtr picture;
    bool isObserver = false; ///< or the agent knows of itself alone
};
/// Asks the agent that the command line names. Unreachable, Timeout.
Result<SeenFleet> pictureOfFleet(const CommandLine& line);

} // namespace starling::cli
