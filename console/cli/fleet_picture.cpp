// SPDX-License-Identifier: Apache-2.0
#include "fleet_picture.h"

#include "ask_agent.h"
#include "model/intake.h"

namespace starling::cli {

fleetview::PicturePtr pictureOf(const control::DevicesReply& devices, const control::UpdatesReply& updates)
{
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    fleetview::Fleet fleet(now);
    fleet.take(console::reportsOf(devices.devices), console::releasesOf(updates.updates), now);
    return fleet.picture(now);
}

Result<SeenFleet> pictureOfFleet(const CommandLine& line)
{
    const auto devices = askAgent<control::DevicesReply>(line, control::DevicesRequest{});
    if (!devices)
        return tl::unexpected<Error>(devices.error());
    const auto known = askAgent<control::UpdatesReply>(line, control::UpdatesRequest{});
    if (!known)
        return tl::unexpected<Error>(known.error());
    return SeenFleet{pictureOf(*devices, *known), devices->isObserver};
}

} // namespace starling::cli
