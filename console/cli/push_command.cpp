// SPDX-License-Identifier: Apache-2.0
#include "admin/pushing.h"
#include "model/device_reader.h"
#include "note.h"
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

std::string describe(const console::Spread& standing)
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
    console::Spread standing;
    console::DeviceBook book;
    for (;;) {
        const auto read = book.update(agent, 10s, [&](std::uint64_t, std::uint64_t) -> Status {
            return deadline.hasExpired() ? Status(fail(Errc::Timeout, "while devices were read")) : Status();
        });
        if (!read)
            return tl::unexpected<Error>(read.error());
        standing = console::spreadOf(book.devices(), torrent);
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
    const auto status = agent.ask<control::StatusReply>(control::StatusRequest{});
    if (!status)
        return tl::unexpected<Error>(status.error());
    if (!status->isObserver)
        return fail(Errc::Usage, "push --wait: " + std::string(kNoObserver) + ". Nothing was pushed");
    return {};
}

Result<Exit> push(const CommandLine& line, const PushOptions& options)
{
    const auto torrent = console::readRelease(options.file);
    if (!torrent)
        return tl::unexpected<Error>(torrent.error());
    auto agent = control::Client::connect(toQString(line.agent));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    if (options.waitFor > 1)
        if (auto observes = requireObserver(*agent); !observes)
            return tl::unexpected<Error>(observes.error());
    std::error_code error;
    const std::string inPlace =
        options.inPlace.empty() ? std::string() : fs::absolute(options.inPlace, error).string();
    const auto pushed = [&] {
        Progress progress(line, "Sending", torrent->info.payloadBytes());
        return console::push(*agent, *torrent, {options.payload, inPlace}, [&](std::uint64_t sent) -> Status {
            progress.update(sent);
            return {};
        });
    }();
    const bool isNew = pushed && pushed->isNew;
    if (isNew || !pushed)
        note(line, console::Act::ReleasePushed,
             torrent->info.update.uri.text() + " " + trust::toString(torrent->info.update.revision),
             "info-hash " + torrent->infoHash.hex() + ", agent " + line.agent,
             pushed ? std::nullopt : std::optional(pushed.error().code));
    if (!pushed)
        return tl::unexpected<Error>(pushed.error());
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
                   {QStringLiteral("bytes_sent"), jsonNumber(pushed->sentBytes)}});
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
