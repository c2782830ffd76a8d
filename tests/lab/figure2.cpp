// SPDX-License-Identifier: Apache-2.0
#include "figure2.h"

#include "node/disk.h"
#include "release/torrent_file.h"

#include <algorithm>

namespace starling::lab {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using trust::Phase;

namespace {

constexpr const char* kUri = "fw/figure2";
constexpr std::size_t kDataBytes = 1024 * 1024; // 64 blocks of BitTorrent
constexpr std::size_t kMaxFileBytes = 4 * kDataBytes;
constexpr std::size_t kMaxLogBytes = 64 * 1024 * 1024;
constexpr std::size_t kLogTail = 1'500;
constexpr std::chrono::milliseconds kJoinLimit = 60s; // most of it for busy machines
constexpr std::chrono::milliseconds kSpreadLimit = 2min; // with room for slow builds and busy machines
constexpr std::chrono::milliseconds kMeasureLimit = 20min; // a quarter of an hour (nat/lifetime_probe.h)

constexpr const char* kInstall = R"sh(#!/bin/sh
set -e
cp "$STARLING_PAYLOAD/data" "$STARLING_ROOT/data.part"
mv "$STARLING_ROOT/data.part" "$STARLING_ROOT/data"
)sh";
constexpr const char* kCheck = R"sh(#!/bin/sh
cmp "$STARLING_PAYLOAD/data" "$STARLING_ROOT/data"
)sh";

QString q(const fs::path& path)
{
    return QString::fromStdString(path.string());
}

std::string nodeName(unsigned node)
{
    return "node " + std::to_string(node);
}

/// Different in every version, and no two pieces alike.
std::string dataOf(std::uint64_t version)
{
    std::string data;
    for (unsigned line = 0; data.size() < kDataBytes; ++line)
        data += "version " + std::to_string(version) + ", line " + std::to_string(line) + "\n";
    return data;
}

Status writeText(const fs::path& file, const std::string& text)
{
    return node::writeFile(file, viewOf(text), node::FileMode::Public);
}

} // namespace

Figure2::Figure2(Plan plan)
    : m_plan(std::move(plan))
{
    m_clock.start();
}

Result<std::unique_ptr<Figure2>> Figure2::create(Plan plan)
{
    std::unique_ptr<Figure2> figure(new Figure2(std::move(plan)));
    auto networks = Figure2Networks::create(plan.natSeconds);
    if (!networks)
        return tl::unexpected<Error>(networks.error());
    figure->m_networks = std::move(*networks);
    if (auto made = figure->makeFleet(); !made)
        return tl::unexpected<Error>(made.error());
    return figure;
}

Status Figure2::makeFleet()
{
    support::FleetPlan plan;
    plan.directory = m_plan.directory;
    plan.programs = m_plan.programs;
    m_networks->place(plan);
    auto fleet = support::Fleet::create(std::move(plan));
    if (!fleet)
        return tl::unexpected<Error>(fleet.error());
    m_fleet = std::move(*fleet);
    return {};
}

void Figure2::say(char step, const std::string& text) const
{
    if (!m_plan.say)
        return;
    std::array<char, 32> start{};
    std::snprintf(start.data(), start.size(), "%6.1f s  %c  ", static_cast<double>(m_clock.elapsed()) / 1'000,
                  step);
    m_plan.say(start.data() + text);
}

Status Figure2::wait(const std::function<bool()>& isDone, std::chrono::milliseconds limit,
                     const std::string& what) const
{
    const auto isInterrupted = [this] { return m_plan.isInterrupted && m_plan.isInterrupted(); };
    const bool isOver = support::waitUntil([&] { return isInterrupted() || isDone(); }, limit);
    if (isInterrupted())
        return fail(Errc::Cancelled, what);
    return isOver ? Status() : Status(fail(Errc::Timeout, what));
}

void Figure2::sayLogs() const
{
    for (unsigned node = 1; node <= kFigure2Nodes; ++node) {
        const auto log = node::readFile(m_fleet->log(agentOf(node)), kMaxLogBytes);
        const std::string text = log ? toText(*log) : toString(log.error());
        say('!', nodeName(node) + ": " + text.substr(text.size() - std::min(text.size(), kLogTail)));
    }
}

void Figure2::linger()
{
    while (wait([] { return false; }, 1h, "waiting").error().code != Errc::Cancelled) { }
}

bool Figure2::isLinked(unsigned node, unsigned other) const
{
    const auto status = m_fleet->ask<control::StatusReply>(agentOf(node), control::StatusRequest{});
    return status && std::any_of(status->links.begin(), status->links.end(), [&](const auto& link) {
               return link.isUp && link.node == m_fleet->node(agentOf(other));
           });
}

Status Figure2::join()
{
    say('a', m_networks->description());
    say('a', "the firewall lets in UDP to node 3's port alone, and nothing of node 4 out");
    for (unsigned node = 1; node <= kFigure2Nodes; ++node)
        if (auto started = m_fleet->start(agentOf(node)); !started)
            return fail(started.error(), nodeName(node));
    const std::array<std::pair<unsigned, unsigned>, 3> wanted{{{2, 1}, {1, 3}, {4, 3}}};
    const std::array<const char*, 3> how{"node 2 is linked to node 1, through the NAT",
                                         "node 1 is linked to node 3, through the opened port",
                                         "node 4 is linked to node 3, on the inside"};
    std::array<bool, 3> isUp{};
    auto joined = wait(
        [&] {
            for (std::size_t i = 0; i < wanted.size(); ++i) {
                if (!isUp[i] && isLinked(wanted[i].first, wanted[i].second)) {
                    isUp[i] = true;
                    say('a', how[i]);
                }
            }
            return std::all_of(isUp.begin(), isUp.end(), [](bool up) { return up; });
        },
        kJoinLimit, "not all of them got their links");
    if (!joined)
        sayLogs();
    return joined;
}

Result<Figure2::Release> Figure2::makeRelease(const std::string& name, bool isSigned)
{
    Release release;
    release.version = ++m_version;
    release.payload = m_plan.directory / (name + "-" + std::to_string(release.version));
    std::error_code error;
    fs::create_directories(release.payload, error);
    const std::array<std::pair<const char*, std::string>, 3> files{
        {{"data", dataOf(release.version)}, {"install.sh", kInstall}, {"check.sh", kCheck}}};
    for (const auto& [file, text] : files)
        if (auto written = writeText(release.payload / file, text); !written)
            return tl::unexpected<Error>(written.error());
    const QStringList deploy{QStringLiteral("--run"), QStringLiteral("install.sh"), QStringLiteral("--check"),
                             QStringLiteral("check.sh")};
    if (isSigned) {
        auto torrent = m_fleet->makeRelease(release.payload, kUri, release.version, deploy);
        if (!torrent)
            return tl::unexpected<Error>(torrent.error());
        release.torrent = *torrent;
        return release;
    }
    release.torrent = release.payload.string() + ".torrent";
    auto created = support::mustRun(m_fleet->program("starling"),
                                    QStringList{QStringLiteral("--quiet"), QStringLiteral("release"),
                                                QStringLiteral("create"), q(release.payload),
                                                QStringLiteral("--uri"), QString::fromLatin1(kUri),
                                                QStringLiteral("--version"), QString::number(release.version),
                                                QStringLiteral("-o"), q(release.torrent)}
                                        + deploy);
    if (!created)
        return tl::unexpected<Error>(created.error());
    return release;
}

support::CommandResult Figure2::push(unsigned node, const Release& release) const
{
    return m_fleet->starling({QStringLiteral("--quiet"), QStringLiteral("--agent"),
                              q(m_fleet->socket(agentOf(node))), QStringLiteral("push"), q(release.torrent),
                              QStringLiteral("--payload"), q(release.payload)});
}

void Figure2::note(unsigned node, unsigned origin, Phase phase, Seen& seen)
{
    if (!seen.isKnown)
        say('c', nodeName(node) + " has the notice");
    const bool isNew = !seen.isKnown || seen.phase != phase;
    // The firewall's inside gives to itself: node 4 has it from node 3, or node 3 from node 4.
    const char fetching = node == (origin == 4 ? 3u : 4u) ? 'e' : 'd';
    if (isNew && phase == Phase::Downloading)
        say(fetching, nodeName(node) + " fetches the payload");
    if (phase >= Phase::Verifying && (!seen.isKnown || seen.phase < Phase::Verifying) && node != origin)
        say(fetching, nodeName(node) + " has all of the payload");
    if (isNew && phase == Phase::Healthy)
        say('f', nodeName(node) + " has installed it, checked it, and is healthy");
    seen = {phase, true};
}

bool Figure2::isHealthyEverywhere(const Release& release, unsigned origin, Journal& journal,
                                  std::optional<Error>& trouble)
{
    std::size_t healthy = 0;
    for (unsigned node = 1; node <= kFigure2Nodes; ++node) {
        const auto updates = m_fleet->ask<control::UpdatesReply>(agentOf(node), control::UpdatesRequest{});
        if (!updates) {
            trouble = updates.error();
            return true;
        }
        for (const control::UpdateLine& line : updates->updates) {
            if (line.uri.text() != kUri || line.revision.version != release.version)
                continue;
            note(node, origin, line.phase, journal[node - 1]);
            healthy += line.phase == Phase::Healthy ? 1 : 0;
            if (line.phase > Phase::Healthy)
                trouble = Error{Errc::DeployFailed, nodeName(node) + ": " + line.detail};
        }
    }
    return trouble || healthy == kFigure2Nodes;
}

Status Figure2::spread(unsigned node)
{
    auto release = makeRelease("good", true);
    if (!release)
        return tl::unexpected<Error>(release.error());
    const std::string name = "version " + std::to_string(release->version);
    const auto pushed = push(node, *release);
    if (pushed.exitCode != 0)
        return fail(Errc::Refused, nodeName(node) + ": " + pushed.errors.trimmed().toStdString());
    say('b', name + " was pushed at node " + std::to_string(node) + ", whose agent verified it");
    Journal journal{};
    std::optional<Error> trouble;
    auto healthy = wait([&] { return isHealthyEverywhere(*release, node, journal, trouble); }, kSpreadLimit,
                        name + " is not healthy on all four");
    if (trouble)
        healthy = tl::unexpected<Error>(*trouble);
    if (!healthy) {
        sayLogs();
        return healthy;
    }
    if (auto inspected = inspect(*release); !inspected)
        return inspected;
    return tellSources(*release);
}

Status Figure2::inspect(const Release& release)
{
    const std::string wanted = dataOf(release.version);
    for (unsigned node = 1; node <= kFigure2Nodes; ++node) {
        const auto installed = node::readFile(m_fleet->deviceRoot(agentOf(node)) / "data", kMaxFileBytes);
        if (!installed || toText(*installed) != wanted)
            return fail(Errc::PayloadMismatch, nodeName(node) + " installed something else");
        const auto updates = m_fleet->ask<control::UpdatesReply>(agentOf(node), control::UpdatesRequest{});
        if (!updates)
            return tl::unexpected<Error>(updates.error());
        for (const control::UpdateLine& line : updates->updates)
            if (std::find(m_refused.begin(), m_refused.end(), line.revision.version) != m_refused.end())
                return fail(Errc::Refused, nodeName(node) + " knows what was refused");
    }
    say('f',
        "version " + std::to_string(release.version) + " is healthy on all four, byte for byte"
            + (m_refused.empty() ? "" : "; nobody knows what was refused"));
    return {};
}

Status Figure2::tellSources(const Release& release)
{
    const auto bytes = node::readFile(release.torrent, kMaxFileBytes);
    const auto torrent = bytes ? release::TorrentFile::parse(*bytes)
                               : Result<release::TorrentFile>(tl::unexpected<Error>(bytes.error()));
    if (!torrent)
        return tl::unexpected<Error>(torrent.error());
    for (unsigned node = 1; node <= kFigure2Nodes; ++node) {
        const auto status = m_fleet->ask<control::StatusReply>(agentOf(node), control::StatusRequest{});
        if (!status)
            return tl::unexpected<Error>(status.error());
        std::string sources;
        std::uint64_t relayed = 0;
        for (const control::TrafficLine& line : status->traffic) {
            if (line.payload != torrent->infoHash || line.bytesFrom + line.bytesTo == 0)
                continue;
            for (unsigned other = 1; other <= kFigure2Nodes; ++other) {
                if (m_fleet->node(agentOf(other)) != line.node)
                    continue;
                // The firewall's counters leave no other way.
                const bool isRelayed = (node == 4 && other != 3) || (node != 3 && other == 4);
                relayed += isRelayed ? line.bytesFrom : 0;
                if (line.bytesFrom > 0)
                    sources += (sources.empty() ? "" : ", ") + std::to_string(line.bytesFrom / 1024)
                        + " KiB from " + nodeName(other) + (isRelayed ? " by way of node 3" : "");
            }
        }
        if (!sources.empty())
            say('f', nodeName(node) + " had its payload: " + sources);
        if (node == 4 && relayed > kDataBytes / 16)
            return fail(Errc::Refused, "node 4 fetched through node 3 what node 3 has itself");
    }
    return {};
}

Status Figure2::expectRefused(unsigned node, const Release& release, Errc code)
{
    m_refused.push_back(release.version);
    const auto pushed = push(node, release);
    if (pushed.exitCode == 0)
        return fail(Errc::Refused, nodeName(node) + " took what does not match");
    if (!pushed.errors.contains(QByteArray::fromStdString(codeName(code))))
        return fail(Errc::Refused, "not " + codeName(code) + " but " + pushed.errors.trimmed().toStdString());
    std::error_code error;
    const fs::path incoming = m_fleet->state(agentOf(node)) / "incoming";
    if (fs::exists(incoming, error) && !fs::is_empty(incoming, error))
        return fail(Errc::Refused, nodeName(node) + " keeps something of it");
    say('b',
        nodeName(node) + " refused it and kept nothing: " + codeName(code) + " "
            + std::string(shortName(code)));
    return {};
}

Status Figure2::refuseWhatDoesNotMatch(unsigned node)
{
    const auto tampered = makeRelease("tampered", true);
    if (!tampered)
        return tl::unexpected<Error>(tampered.error());
    std::string data = dataOf(tampered->version);
    data.back() = '.';
    if (auto written = writeText(tampered->payload / "data", data); !written)
        return written;
    say('b', "(2b) a signed release whose payload has another last byte is pushed at " + nodeName(node));
    if (auto refused = expectRefused(node, *tampered, Errc::PayloadMismatch); !refused)
        return refused;
    const auto unsignedOne = makeRelease("unsigned", false);
    if (!unsignedOne)
        return tl::unexpected<Error>(unsignedOne.error());
    say('b', "(2b) an update file that nobody signed is pushed at " + nodeName(node));
    return expectRefused(node, *unsignedOne, Errc::Unsigned);
}

Status Figure2::awaitMeasurement()
{
    say('-', "node 2 measures how long its NAT keeps a binding, which takes some minutes");
    std::string found;
    const auto isMeasured = [&] {
        const auto log = node::readFile(m_fleet->log(agentOf(2)), kMaxLogBytes);
        const std::string text = log ? toText(*log) : std::string();
        const std::size_t at = text.find("a binding is kept through");
        const std::size_t end = text.find('\n', at);
        if (at != text.npos && end != text.npos)
            found = text.substr(at, end - at);
        return !found.empty();
    };
    if (auto measured = wait(isMeasured, kMeasureLimit, "node 2 has not measured it"); !measured)
        return measured;
    say('-', "node 2: " + found);
    return {};
}

Status Figure2::idle(std::chrono::seconds time)
{
    const auto before = m_networks->natBindings();
    if (!before)
        return tl::unexpected<Error>(before.error());
    say('-',
        "nothing happens for " + std::to_string(time.count()) + " s"
            + (m_networks->natObstacle().empty()
                   ? "; the NAT forgets what is silent for " + std::to_string(m_networks->natSeconds()) + " s"
                   : "; the NAT's timeouts cannot be set here: " + m_networks->natObstacle()));
    if (auto idled = wait([] { return false; }, time, "idle"); idled.error().code == Errc::Cancelled)
        return idled;
    const auto after = m_networks->natBindings();
    if (!after)
        return tl::unexpected<Error>(after.error());
    if (*after != *before || *before == 0)
        return fail(Errc::Timeout,
                    "the NAT has made " + std::to_string(*after - *before)
                        + " new bindings for node 2's link to node 1");
    if (!isLinked(2, 1))
        return fail(Errc::Unreachable, "node 2 has lost its link to node 1");
    say('-', "node 2's link to node 1 is up, by the NAT's first binding: the keepalives held it");
    return {};
}

Status Figure2::judge()
{
    const auto counted = m_networks->settledCrossings();
    if (!counted)
        return tl::unexpected<Error>(counted.error());
    const auto number = [](std::uint64_t packets) { return std::to_string(packets); };
    say('=',
        "packets through the firewall: in " + number(counted->cameIn) + ", of them "
            + number(counted->openedPort) + " to the opened UDP port; out " + number(counted->wentOut)
            + ", of them " + number(counted->links) + " of node 3's links");
    say('=',
        "of node 4 and to it: " + number(counted->nodeFour) + "; kept out " + number(counted->keptOut)
            + ", kept in " + number(counted->keptIn));
    if (const std::string fault = counted->fault(); !fault.empty())
        return fail(Errc::Refused, fault);
    return {};
}

} // namespace starling::lab
