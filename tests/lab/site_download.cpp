// SPDX-License-Identifier: Apache-2.0
#include "site_download.h"

#include "noise_file.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace starling::lab {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kOrigin = 0;
/// A port for each: behind one NAT no two may use the same (internet.h).
constexpr std::uint16_t kFirstPort = 7'891;
constexpr const char* kUri = "fw/site";
constexpr std::uint64_t kVersion = 1;
constexpr auto kJoinLimit = 60s; // most of it for busy machines
constexpr auto kPatience = 5min;

template <class T> Status put(Result<T> made, T& place)
{
    if (!made)
        return tl::unexpected<Error>(made.error());
    place = std::move(*made);
    return {};
}

} // namespace

Result<std::unique_ptr<SiteDownload>> SiteDownload::create(SitePlan plan)
{
    std::unique_ptr<SiteDownload> made(new SiteDownload(std::move(plan)));
    if (auto networks = made->makeNetworks(); !networks)
        return tl::unexpected<Error>(networks.error());
    if (auto started = made->startFleet(); !started)
        return tl::unexpected<Error>(started.error());
    const auto isReady = [&] {
        for (std::size_t device = 1; device < made->m_hosts.size(); ++device)
            if (!made->isJoined(device))
                return false;
        return true;
    };
    if (!support::waitUntil(isReady, kJoinLimit))
        return fail(Errc::Timeout, "not all devices got their links");
    return made;
}

Status SiteDownload::makeNetworks()
{
    if (auto made = put(Internet::create(), m_internet); !made)
        return made;
    m_hosts.resize(1 + m_plan.devices);
    if (auto made = put(m_internet->addPublicHost("origin", 1), m_hosts[kOrigin]); !made)
        return made;
    if (auto made = put(m_internet->addSite("site", Edge::PortFilteringNat), m_site); !made)
        return made;
    for (std::size_t device = 1; device < m_hosts.size(); ++device)
        if (auto made = put(m_internet->addHost(m_site, "device " + std::to_string(device)), m_hosts[device]);
            !made)
            return made;
    if (auto limited = m_internet->limit(m_site, m_plan.megabits); !limited)
        return limited;
    return m_site.edge->nft("table ip uplink {\n"
                            "counter came_in { }\ncounter went_out { }\n"
                            "chain passed { type filter hook forward priority filter + 10;\n"
                            "iifname \"out\" counter name came_in\n"
                            "oifname \"out\" counter name went_out\n}\n}\n");
}

Status SiteDownload::startFleet()
{
    support::FleetPlan plan;
    plan.directory = m_plan.directory;
    plan.programs = m_plan.programs;
    plan.agents = m_hosts.size();
    // The rest they hear from each other.
    plan.neighbors = [](std::size_t agent) {
        return agent == kOrigin ? std::vector<std::size_t>() : std::vector<std::size_t>{kOrigin};
    };
    plan.listen = [this](std::size_t agent) {
        Endpoint endpoint = m_hosts[agent].addresses.front();
        endpoint.port = static_cast<std::uint16_t>(kFirstPort + agent);
        return endpoint;
    };
    plan.prepare = [this](std::size_t agent, QProcess& process) { m_hosts[agent].network->prepare(process); };
    auto fleet = support::Fleet::create(std::move(plan));
    if (!fleet)
        return tl::unexpected<Error>(fleet.error());
    m_fleet = std::move(*fleet);
    if (auto set = m_fleet->configure(kOrigin, {{"nat.rendezvous", "true"}}); !set)
        return set;
    return m_fleet->startAll();
}

bool SiteDownload::isJoined(std::size_t device) const
{
    const auto reply = m_fleet->ask<control::PeersReply>(device, control::PeersRequest{});
    if (!reply)
        return false;
    const NodeId& origin = m_fleet->node(kOrigin);
    const auto isOrigin = [&](const control::PeerLine& line) { return line.node == origin; };
    return std::any_of(reply->peers.begin(), reply->peers.end(), isOrigin)
        && !std::all_of(reply->peers.begin(), reply->peers.end(), isOrigin);
}

bool SiteDownload::hasIt(std::size_t device) const
{
    const auto updates = m_fleet->ask<control::UpdatesReply>(device, control::UpdatesRequest{});
    return updates && std::any_of(updates->updates.begin(), updates->updates.end(), [](const auto& line) {
               return line.revision.version == kVersion && line.phase > trust::Phase::Downloading;
           });
}

bool SiteDownload::isOver() const
{
    for (std::size_t device = 1; device < m_hosts.size(); ++device)
        if (device != m_lost && !hasIt(device))
            return false;
    return true;
}

void SiteDownload::loseFirst(std::uint64_t bytes)
{
    for (std::size_t device = 1; device < m_hosts.size() && m_lost == 0; ++device)
        if (fromOrigin(device) >= bytes)
            m_lost = device;
    if (m_lost != 0)
        m_fleet->kill(m_lost);
}

std::uint64_t SiteDownload::fromOrigin(std::size_t device) const
{
    std::uint64_t bytes = 0;
    const auto status = m_fleet->ask<control::StatusReply>(device, control::StatusRequest{});
    if (status)
        for (const control::TrafficLine& line : status->traffic)
            bytes += line.node == m_fleet->node(kOrigin) ? line.bytesFrom : 0;
    return bytes;
}

/// In and out.
Result<std::pair<std::uint64_t, std::uint64_t>> SiteDownload::crossed() const
{
    const auto output = m_site.edge->run(
        QStringLiteral("nft"), {QStringLiteral("-j"), QStringLiteral("list"), QStringLiteral("counters")});
    if (!output)
        return tl::unexpected<Error>(output.error());
    std::map<QString, std::uint64_t> bytes;
    const QJsonArray listed =
        QJsonDocument::fromJson(*output).object().value(QLatin1String("nftables")).toArray();
    for (const QJsonValue& item : listed) {
        const QJsonObject counter = item.toObject().value(QLatin1String("counter")).toObject();
        if (!counter.isEmpty())
            bytes[counter.value(QLatin1String("name")).toString()] =
                static_cast<std::uint64_t>(counter.value(QLatin1String("bytes")).toDouble());
    }
    if (bytes.size() != 2)
        return fail(Errc::Malformed, "counters from nft");
    return std::pair(bytes[QStringLiteral("came_in")], bytes[QStringLiteral("went_out")]);
}

Result<SiteOutcome> SiteDownload::play()
{
    const fs::path payload = m_plan.directory / "payload.img";
    const std::uint64_t size = m_plan.mebibytes * 1024 * 1024;
    if (auto written = writeNoise(payload, size, kVersion); !written)
        return tl::unexpected<Error>(written.error());
    const auto torrent =
        m_fleet->makeRelease(payload, kUri, kVersion, {QStringLiteral("--deploy"), QStringLiteral("none")});
    if (!torrent)
        return tl::unexpected<Error>(torrent.error());
    const auto before = crossed();
    if (!before)
        return tl::unexpected<Error>(before.error());
    QElapsedTimer clock;
    clock.start();
    const auto pushed = m_fleet->starling(
        {QStringLiteral("--agent"), QString::fromStdString(m_fleet->socket(kOrigin).string()),
         QStringLiteral("push"), QString::fromStdString(torrent->string()), QStringLiteral("--in-place"),
         QString::fromStdString(payload.string())});
    if (pushed.exitCode != 0)
        return fail(Errc::Refused, pushed.errors.toStdString());
    const auto isDone = [&] {
        if (m_plan.losesFirst && m_lost == 0)
            loseFirst(size / 8);
        return isOver();
    };
    if (!support::waitUntil(isDone, kPatience))
        return fail(Errc::Timeout, "not all devices get all of it");
    SiteOutcome outcome;
    outcome.seconds = static_cast<double>(clock.elapsed()) / 1'000;
    const auto after = crossed();
    if (!after)
        return tl::unexpected<Error>(after.error());
    outcome.cameIn = after->first - before->first;
    outcome.wentOut = after->second - before->second;
    outcome.times = static_cast<double>(outcome.cameIn) / static_cast<double>(size);
    for (std::size_t device = 1; device < m_hosts.size(); ++device)
        outcome.fromOrigin.push_back(device == m_lost ? 0 : fromOrigin(device));
    return outcome;
}

} // namespace starling::lab
