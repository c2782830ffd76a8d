// SPDX-License-Identifier: Apache-2.0
#include "fleet_picture.h"

#include "ask_agent.h"
#include "model/device_reader.h"
#include "model/intake.h"
#include "progress.h"

namespace starling::cli {

namespace {

constexpr qint64 kSilentFor = 1'000; ///< ms in which nobody wonders

std::string soFar(std::uint64_t read, std::uint64_t total)
{
    return std::to_string(read) + " of " + std::to_string(total);
}

} // namespace

Result<SeenDevices> askDevices(const CommandLine& line)
{
    auto agent = control::Client::connect(toQString(line.agent), line.timeout(std::chrono::seconds(5)));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    QElapsedTimer since;
    since.start();
    std::optional<Progress> progress;
    console::DeviceBook book;
    const auto watch = [&](std::uint64_t read, std::uint64_t total) -> Status {
        const qint64 elapsed = since.elapsed();
        if (line.timeoutSeconds > 0 && elapsed > line.timeout({}).count())
            return fail(Errc::Timeout, soFar(read, total) + " devices were read in time");
        if (elapsed > kSilentFor) {
            if (!progress)
                progress.emplace(line, "Reading devices", total);
            progress->update(read, soFar(read, total));
        }
        return {};
    };
    if (auto read = book.update(*agent, line.timeout(std::chrono::seconds(10)), watch); !read)
        return tl::unexpected<Error>(read.error());
    SeenDevices seen{{}, book.isObserver(), book.leftOut()};
    seen.lines = book.release();
    if (seen.leftOut > 0)
        remark(line,
               "Note: the agent tells of about " + std::to_string(seen.leftOut)
                   + " more devices; a command has room for " + std::to_string(seen.lines.size()) + ".");
    return seen;
}

fleetview::PicturePtr pictureOf(std::vector<control::DeviceLine> devices,
                                const control::UpdatesReply& updates)
{
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    fleetview::Fleet fleet(now);
    fleet.take(console::reportsOf(std::move(devices)), console::releasesOf(updates.updates), now);
    return fleet.picture(now);
}

Result<SeenFleet> pictureOfFleet(const CommandLine& line)
{
    auto devices = askDevices(line);
    if (!devices)
        return tl::unexpected<Error>(devices.error());
    const auto known = askAgent<control::UpdatesReply>(line, control::UpdatesRequest{});
    if (!known)
        return tl::unexpected<Error>(known.error());
    return SeenFleet{pictureOf(std::move(devices->lines), *known), devices->isObserver};
}

} // namespace starling::cli
