// SPDX-License-Identifier: Apache-2.0
#include "control/client.h"
#include "node/disk.h"
#include "node/payload_files.h"
#include "observe_command.h"
#include "progress.h"
#include "report.h"

#include <QDeadlineTimer>
#include <QJsonArray>

namespace starling::cli {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

struct PushOptions
{
    std::string file, payload, inPlace;
    unsigned waitFor = 0;
};

/// How long agents may take before --wait gives up. Guess: a large payload over a slow line.
constexpr std::chrono::milliseconds kWaitDefault = 30min;
/// An agent that verifies a large payload in place answers after that. Guess: 1 TiB at 1 GiB/s.
constexpr std::chrono::milliseconds kPublishLimit = 20min;

Result<control::PushReply> send(const CommandLine& line, control::Client& agent,
                                const release::TorrentFile& torrent, const std::string& payload)
{
    const auto directory = node::locatePayload(payload, torrent.info);
    if (!directory)
        return tl::unexpected<Error>(directory.error());
    Progress progress(line, "Sending", torrent.info.payloadBytes());
    std::uint64_t sent = 0;
    const auto read = node::readContents(*directory, torrent.info.name, torrent.info.isSingleFile,
                                         torrent.info.files, [&](ByteView portion) -> Status {
                                             auto taken = agent.ask<control::PushReply>(
                                                 control::PushChunk{toBytes(portion)}, 60s);
                                             if (!taken)
                                                 return tl::unexpected<Error>(taken.error());
                                             sent += portion.size();
                                             progress.update(sent);
                                             return {};
                                         });
    if (!read)
        return tl::unexpected<Error>(read.error());
    return agent.ask<control::PushReply>(control::PushEnd{}, kPublishLimit);
}

struct Standing
{
    unsigned healthy = 0, troubled = 0, underWay = 0;
};

Standing standingOf(const control::DevicesReply& devices, const release::TorrentFile& torrent)
{
    Standing standing;
    for (const control::DeviceLine& device : devices.devices)
        for (const trust::ReceiptEntry& entry : device.receipt.entries) {
            if (entry.uri != torrent.info.update.uri || entry.infoHash != torrent.infoHash)
                continue;
            if (entry.phase == trust::Phase::Healthy)
                ++standing.healthy;
            else if (entry.phase == trust::Phase::Failed || entry.phase == trust::Phase::RolledBack)
                ++standing.troubled;
            else
                ++standing.underWay;
        }
    return standing;
}

std::string describe(const Standing& standing)
{
    std::string text = "healthy " + std::to_string(standing.healthy);
    if (standing.underWay > 0)
        text += " | under way " + std::to_string(standing.underWay);
    if (standing.troubled > 0)
        text += " | failed " + std::to_string(standing.troubled);
    return text;
}

/// Until `wanted` devices say healthy, each by a receipt that the agent verified.
Result<Exit> waitForHealthy(const CommandLine& line, control::Client& agent,
                            const release::TorrentFile& torrent, unsigned wanted)
{
    if (auto watching = agent.ask<control::WatchReply>(control::WatchRequest{}); !watching)
        return tl::unexpected<Error>(watching.error());
    QDeadlineTimer deadline(line.timeout(kWaitDefault).count());
    Progress progress(line, "Spreading", wanted);
    Standing standing;
    for (;;) {
        auto devices = agent.ask<control::DevicesReply>(control::DevicesRequest{});
        if (!devices)
            return tl::unexpected<Error>(devices.error());
        standing = standingOf(*devices, torrent);
        progress.update(standing.healthy, describe(standing));
        if (standing.healthy >= wanted || deadline.hasExpired())
            break;
        if (auto event = agent.nextEvent(std::min<std::chrono::milliseconds>(
                deadline.remainingTimeAsDuration() < 1s ? 200ms : 1s, 1s));
            !event)
            return tl::unexpected<Error>(event.error());
    }
    if (line.json)
        printJson({{QStringLiteral("info_hash"), toQString(torrent.infoHash.hex())},
                   {QStringLiteral("healthy"), static_cast<qint64>(standing.healthy)},
                   {QStringLiteral("failed"), static_cast<qint64>(standing.troubled)},
                   {QStringLiteral("under_way"), static_cast<qint64>(standing.underWay)},
                   {QStringLiteral("wanted"), static_cast<qint64>(wanted)}});
    say(line, "Result      " + describe(standing) + " of " + std::to_string(wanted));
    if (standing.healthy >= wanted)
        return Exit::Ok;
    return standing.healthy + standing.troubled > 0 ? Exit::Partial : Exit::Timeout;
}

/// Before anything is pushed: of the others only an observer hears.
Status requireObserver(control::Client& agent)
{
    const auto devices = agent.ask<control::DevicesReply>(control::DevicesRequest{});
    if (!devices)
        return tl::unexpected<Error>(devices.error());
    if (!devices->isObserver)
        return fail(Errc::Usage, "push --wait: " + std::string(kNoObserver) + ". Nothing was pushed");
    return {};
}

Result<Exit> push(const CommandLine& line, const PushOptions& options)
{
    auto bytes = node::readFile(options.file, control::kMaxFrameBytes - 64 * 1024);
    if (!bytes)
        return fail(std::move(bytes.error()), "release");
    auto torrent = release::TorrentFile::parse(*bytes);
    if (!torrent)
        return fail(std::move(torrent.error()), options.file);
    auto agent = control::Client::connect(toQString(line.agent));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    if (options.waitFor > 1)
        if (auto observes = requireObserver(*agent); !observes)
            return tl::unexpected<Error>(observes.error());
    std::error_code error;
    const std::string inPlace =
        options.inPlace.empty() ? std::string() : fs::absolute(options.inPlace, error).string();
    auto reply = agent->ask<control::PushReply>(control::PushRequest{*bytes, inPlace},
                                                inPlace.empty() ? 30s : kPublishLimit);
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    if (reply->answer == control::PushReply::Answer::SendPayload) {
        reply = send(line, *agent, *torrent, options.payload);
        if (!reply)
            return tl::unexpected<Error>(reply.error());
    }
    const bool isNew = reply->answer != control::PushReply::Answer::NothingToDo;
    const std::string what =
        torrent->info.update.uri.text() + " version " + trust::toString(torrent->info.update.revision);
    say(line,
        plain(isNew ? "Published   " + what
                    : "Nothing to do: the agent holds " + what + " and its payload already"));
    if (options.waitFor > 0)
        return waitForHealthy(line, *agent, *torrent, options.waitFor);
    if (line.json)
        printJson({{QStringLiteral("info_hash"), toQString(torrent->infoHash.hex())},
                   {QStringLiteral("published"), isNew},
                   {QStringLiteral("bytes_sent"), jsonNumber(reply->receivedBytes)}});
    return isNew ? Exit::Ok : Exit::NothingToDo;
}

} // namespace

void addPushCommand(CLI::App& app, CommandLine& line)
{
    auto options = std::make_shared<PushOptions>();
    CLI::App* command =
        addCommand(app, line, "push", "Hand a signed release to an agent, which spreads it",
                   "  starling push gateway-2.4.1.torrent --payload ./gateway-2.4.1 --wait 4\n"
                   "  starling push gateway-2.4.1.torrent --in-place /srv/releases/gateway-2.4.1",
                   [&line, options] { return push(line, *options); });
    command->add_option("FILE", options->file, "The signed torrent-file++")->required();
    auto* source = command->add_option_group("payload");
    source->add_option("--payload", options->payload, "File or directory to send to the agent");
    source->add_option("--in-place", options->inPlace,
                       "File or directory that the agent can read where it lies, and must not change");
    source->require_option(1);
    command->add_option("--wait", options->waitFor,
                        "Wait until that many devices are healthy (4: some but not all, 8: none in time)");
}

} // namespace starling::cli
