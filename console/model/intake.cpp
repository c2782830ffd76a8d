// SPDX-License-Identifier: Apache-2.0
#include "model/intake.h"

namespace starling::console {

std::vector<fleetview::Report> reportsOf(std::vector<control::DeviceLine> devices)
{
    std::vector<fleetview::Report> reports;
    reports.reserve(devices.size());
    for (control::DeviceLine& device : devices)
        reports.push_back(
            {device.node, std::move(device.name), std::move(device.labels), std::move(device.receipt)});
    return reports;
}

std::vector<fleetview::KnownRelease> releasesOf(const std::vector<control::UpdateLine>& updates)
{
    std::vector<fleetview::KnownRelease> releases;
    for (const control::UpdateLine& update : updates) {
        const auto since = std::chrono::floor<std::chrono::seconds>(
            std::chrono::microseconds(static_cast<std::int64_t>(update.knownSinceMicros)));
        releases.push_back({update.uri, update.revision, update.infoHash, update.label, update.totalBytes,
                            update.knownSinceMicros == 0 ? std::nullopt : std::optional(UtcTime(since)),
                            update.code == static_cast<std::uint16_t>(Errc::Withdrawn)});
    }
    return releases;
}

std::optional<fleetview::Hints> hintsOf(const control::HintsReply& reply)
{
    if (!reply.isSummed)
        return std::nullopt;
    fleetview::Hints hints{reply.devices, reply.folded, reply.ageSeconds, {}};
    for (const control::HintLine& line : reply.lines)
        hints.hints.push_back({line.uri, line.revision, line.phase, line.site, line.devices});
    return hints;
}

} // namespace starling::console
