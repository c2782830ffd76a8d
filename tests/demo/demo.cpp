// SPDX-License-Identifier: Apache-2.0
#include "demo.h"

#include "demo_view.h"
#include "node/disk.h"
#include "release/torrent_file.h"

#include <QElapsedTimer>

#include <algorithm>
#include <csignal>

namespace starling::demo {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using support::Fleet;

namespace {

constexpr std::chrono::milliseconds kSpreadLimit = 5min;
constexpr const char* kUri = "fw/demo/starling";
/// The agent that is pushed to gives one copy in this time, and the others give little until it is stopped:
/// so that there is a time when they hold one copy between them and none of them holds all of it.
constexpr std::uint64_t kOriginSeconds = 6;
constexpr std::uint64_t kOthersShare = 32;
constexpr std::uint64_t kLeastRate = 512 * 1024;

/// Which pieces the agents in `lines` hold together; complete ones count for all.
bool holdOneCopy(const std::vector<std::optional<control::UpdateLine>>& lines)
{
    Bytes united;
    for (const auto& line : lines) {
        if (!line)
            continue;
        if (line->phase > trust::Phase::Downloading)
            return true;
        if (united.size() < line->pieces.size())
            united.resize(line->pieces.size());
        for (std::size_t i = 0; i < line->pieces.size(); ++i)
            united[i] |= line->pieces[i];
    }
    // The last byte ends in spare bits; whether its pieces are there shows once an agent has them all.
    if (united.empty())
        return false;
    for (std::size_t i = 0; i + 1 < united.size(); ++i)
        if (united[i] != std::byte{0xff})
            return false;
    return true;
}

enum class Giving : std::uint8_t { OriginGives, OthersGive };

Status setRates(Fleet& fleet, std::uint64_t payloadBytes, Giving giving)
{
    const std::uint64_t origin = std::max(kLeastRate, payloadBytes / kOriginSeconds);
    const std::uint64_t others =
        giving == Giving::OthersGive ? origin : std::max(kLeastRate, origin) / kOthersShare;
    for (std::size_t i = 0; i < fleet.size(); ++i) {
        const std::uint64_t rate = i == 0 ? origin : others;
        if (auto set = fleet.configure(i, {{"swarm.upload_limit", std::to_string(rate / 1024) + " KiB/s"}});
            !set)
            return set;
        fleet.reload(i);
    }
    return {};
}

class Spread
{
public:
    Spread(Fleet& fleet, View& view, std::uint64_t payloadBytes, std::uint64_t version)
        : m_fleet(fleet)
        , m_view(view)
        , m_payloadBytes(payloadBytes)
        , m_version(version)
    {
    }

    /// Until all agents but the origin have concluded this version; the origin is stopped on the way.
    Status run()
    {
        const bool done = support::waitUntil([this] { return isOver(); }, kSpreadLimit);
        m_view.closeTable();
        if (m_error)
            return tl::unexpected<Error>(*m_error);
        if (!done)
            return fail(Errc::Timeout,
                        "version " + std::to_string(m_version) + " did not reach every agent in time");
        if (m_fleet.isRunning(kOrigin))
            return fail(Errc::Timeout,
                        "the agent that was pushed to could not be stopped before the others were done");
        return {};
    }

private:
    bool isOver()
    {
        std::vector<View::Row> rows;
        std::vector<std::optional<control::UpdateLine>> others;
        bool isOriginDone = !m_fleet.isRunning(kOrigin);
        std::size_t concluded = 0;
        for (std::size_t i = 0; i < m_fleet.size(); ++i) {
            View::Row row{"agent " + std::to_string(i + 1), m_fleet.isRunning(i), std::nullopt};
            if (row.isRunning) {
                auto reply = m_fleet.ask<control::UpdatesReply>(i, control::UpdatesRequest{});
                if (!reply) {
                    m_error = reply.error();
                    return true;
                }
                for (control::UpdateLine& line : reply->updates)
                    if (line.uri.text() == kUri && line.revision.version == m_version)
                        row.update = std::move(line);
            }
            const bool isConcluded = row.update && row.update->phase >= trust::Phase::Healthy;
            if (i == kOrigin) {
                isOriginDone = isOriginDone || isConcluded;
            } else {
                others.push_back(row.update);
                concluded += isConcluded ? 1 : 0;
            }
            rows.push_back(std::move(row));
        }
        m_view.show(rows);
        if (m_fleet.isRunning(kOrigin) && isOriginDone && holdOneCopy(others)) {
            m_view.say("the others hold one complete copy between them: agent " + std::to_string(kOrigin + 1)
                       + " is stopped");
            if (auto stopped = m_fleet.stop(kOrigin); !stopped)
                m_error = stopped.error();
            else if (auto set = setRates(m_fleet, m_payloadBytes, Giving::OthersGive); !set)
                m_error = set.error();
        }
        return m_error || (concluded + 1 == m_fleet.size() && !m_fleet.isRunning(kOrigin));
    }

    Fleet& m_fleet;
    View& m_view;
    static constexpr std::size_t kOrigin = 0;
    std::uint64_t m_payloadBytes;
    std::uint64_t m_version;
    std::optional<Error> m_error;
};

/// Healthy in `version`, by receipts that agent `witness` verified.
std::size_t healthyReceipts(Fleet& fleet, std::size_t witness, std::uint64_t version)
{
    const auto devices = fleet.ask<control::DevicesReply>(witness, control::DevicesRequest{});
    std::size_t healthy = 0;
    if (devices)
        for (const control::DeviceLine& device : devices->devices)
            for (const trust::ReceiptEntry& entry : device.receipt.entries)
                healthy += entry.uri.text() == kUri && entry.revision.version == version
                        && entry.phase == trust::Phase::Healthy
                    ? 1
                    : 0;
    return healthy;
}

Result<fs::path> spreadVersion(Fleet& fleet, const fs::path& payload, View& view, std::uint64_t version)
{
    std::uint64_t payloadBytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(payload))
        payloadBytes += entry.is_regular_file() ? entry.file_size() : 0;
    if (auto set = setRates(fleet, payloadBytes, Giving::OriginGives); !set)
        return tl::unexpected<Error>(set.error());
    view.say("release " + std::to_string(version) + ": hashing and signing " + payload.filename().string());
    auto torrent = fleet.makeRelease(payload, kUri, version,
                                     {QStringLiteral("--run"), QStringLiteral("install.sh"),
                                      QStringLiteral("--check"), QStringLiteral("check.sh")});
    if (!torrent)
        return torrent;
    view.say("release " + std::to_string(version)
             + ": pushed into agent 1, which spreads it by gossip and BitTorrent");
    const support::CommandResult pushed =
        fleet.starling({QStringLiteral("--quiet"), QStringLiteral("--agent"),
                        QString::fromStdString(fleet.socket(0).string()), QStringLiteral("push"),
                        QString::fromStdString(torrent->string()), QStringLiteral("--payload"),
                        QString::fromStdString(payload.string())});
    if (pushed.exitCode != 0)
        return fail(Errc::Refused, "push: " + pushed.errors.trimmed().toStdString());
    if (auto spread = Spread(fleet, view, payloadBytes, version).run(); !spread)
        return tl::unexpected<Error>(spread.error());
    view.say("agent 1 is started again");
    if (auto started = fleet.start(0); !started)
        return tl::unexpected<Error>(started.error());
    const std::size_t witness = fleet.size() - 1;
    if (!support::waitUntil([&] { return healthyReceipts(fleet, witness, version) == fleet.size(); }, 2min))
        return fail(Errc::Timeout,
                    std::to_string(healthyReceipts(fleet, witness, version)) + " of "
                        + std::to_string(fleet.size()) + " devices say healthy in version "
                        + std::to_string(version));
    view.say("release " + std::to_string(version) + ": healthy on all " + std::to_string(fleet.size())
             + " by their own signed receipts");
    return torrent;
}

Status fillIn(Fleet& fleet, std::uint64_t version, const fs::path& torrentFile, const fs::path& payload,
              std::vector<AgentResult>& results)
{
    const std::size_t witness = fleet.size() - 1;
    const auto devices = fleet.ask<control::DevicesReply>(witness, control::DevicesRequest{});
    if (!devices)
        return tl::unexpected<Error>(devices.error());
    const auto bytes = node::readFile(torrentFile, 4 * 1024 * 1024);
    const auto torrent = bytes ? release::TorrentFile::parse(*bytes)
                               : Result<release::TorrentFile>(tl::unexpected<Error>(bytes.error()));
    if (!torrent)
        return tl::unexpected<Error>(torrent.error());
    const auto signedHash = hashTree(payload, torrent->info.files);
    for (std::size_t i = 0; i < fleet.size(); ++i) {
        AgentResult& result = results[i];
        for (const control::DeviceLine& device : devices->devices)
            if (device.node == fleet.node(i))
                for (const trust::ReceiptEntry& entry : device.receipt.entries)
                    if (entry.uri.text() == kUri) {
                        result.name = device.name;
                        result.phase = entry.phase;
                        result.version = entry.revision.version;
                    }
        const auto installed =
            hashTree(fleet.deviceRoot(i) / "opt/starling/releases" / ("0-" + std::to_string(version)),
                     torrent->info.files);
        result.signedSha256 = signedHash.value_or("");
        result.installedSha256 = installed ? *installed : shortName(installed.error().code);
        const auto status = fleet.ask<control::StatusReply>(i, control::StatusRequest{});
        if (!status)
            return tl::unexpected<Error>(status.error());
        for (const control::TrafficLine& line : status->traffic) {
            (line.node == fleet.node(0) ? result.bytesFromOrigin : result.bytesFromPeers) += line.bytesFrom;
            for (std::size_t other = 0; other < fleet.size(); ++other)
                if (fleet.node(other) == line.node)
                    result.bytesFrom["agent " + std::to_string(other + 1)] += line.bytesFrom;
        }
    }
    return {};
}

/// All but the last are admitted by their request files; the last one joins by a token of one that it can
/// reach.
Status enrolAndStart(const Options& options, Fleet& fleet, View& view)
{
    const std::size_t last = fleet.size() - 1;
    const std::size_t issuer = options.isFigure2 ? last - 1 : 0; // nothing of node 4 goes out
    view.say("the devices make their keys; agents 1 to " + std::to_string(last)
             + " are admitted by request files, and started"
             + (options.isFigure2 ? ": agent 1 knows only agent 3, agent 2 only agent 1, agent 3 none"
                                  : " in a line: each knows only the one before it"));
    for (std::size_t i = 0; i < last; ++i)
        if (auto enrolled = fleet.enrolByFile(i); !enrolled)
            return fail(enrolled.error(), "agent " + std::to_string(i + 1));
    for (std::size_t i = 0; i < last; ++i)
        if (auto started = fleet.start(i); !started)
            return started;
    view.say("agent " + std::to_string(last + 1) + " has nothing but a join token of agent "
             + std::to_string(issuer + 1) + ": it asks over the join channel, and is admitted");
    return fleet.joinByToken(last, issuer);
}

} // namespace

Result<Outcome> runDemo(const Options& options, Fleet& fleet, const fs::path& workspace, View& view)
{
    QElapsedTimer elapsed;
    elapsed.start();
    Outcome outcome;
    outcome.version = 2;
    outcome.isFigure2 = options.isFigure2;
    outcome.agents.resize(fleet.size());
    std::vector<fs::path> payloads, torrents;
    for (const std::uint64_t version : {1u, 2u}) {
        auto payload = makePayload(options, workspace, version);
        if (!payload)
            return fail(std::move(payload.error()), "payload");
        payloads.push_back(*payload);
    }
    if (auto enrolled = enrolAndStart(options, fleet, view); !enrolled)
        return tl::unexpected<Error>(enrolled.error());
    // Where the administrator looks.
    const std::size_t witness = fleet.size() - 1;
    view.say("agent " + std::to_string(witness + 1) + " is entitled to collect the receipts of all");
    if (auto observed = fleet.observe(witness); !observed)
        return fail(observed.error(), "observe");
    if (options.observed)
        if (auto seen = options.observed(fleet.socket(witness)); !seen)
            return tl::unexpected<Error>(seen.error());
    for (const std::uint64_t version : {1u, 2u}) {
        auto torrent = spreadVersion(fleet, payloads[version - 1], view, version);
        if (!torrent)
            return tl::unexpected<Error>(torrent.error());
        torrents.push_back(*torrent);
    }
    view.say("attack: a device that was broken into sends release 1 again, and a tampered release, to every "
             "agent"
             + std::string(options.isFigure2 ? ", from a place in its own network" : ""));
    if (auto attacked = attackAll(options, fleet, torrents[0], torrents[1], outcome.agents); !attacked)
        return tl::unexpected<Error>(attacked.error());
    if (auto filled = fillIn(fleet, outcome.version, torrents[1], payloads[1], outcome.agents); !filled)
        return tl::unexpected<Error>(filled.error());
    outcome.seconds = static_cast<double>(elapsed.elapsed()) / 1000;
    return outcome;
}

} // namespace starling::demo
