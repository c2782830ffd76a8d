// SPDX-License-Identifier: Apache-2.0
#include "payload_pair.h"

#include "noise_file.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace starling::lab {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMiddle = 0, kFrom = 1, kTo = 2, kAgents = 3;
/// Three ports: behind one NAT no two may use the same (internet.h).
constexpr std::uint16_t kFirstPort = 7'891;
constexpr std::uint16_t kPlainPort = 7'000;
constexpr const char* kUri = "fw/transfer";
/// Most of it for busy machines, where a round of challenges may fail, and the next ones come ever later.
constexpr auto kLinkLimit = 150s;
constexpr auto kPunchTime = 4s; // two rounds of challenges (link/punch.h)
constexpr auto kPatience = 5min;

double millisecondsSince(std::uint64_t wallMicros)
{
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(now - std::chrono::microseconds(wallMicros)).count();
}

} // namespace

Result<std::unique_ptr<PayloadPair>> PayloadPair::create(PayloadPlan plan, const Pair& pair)
{
    std::unique_ptr<PayloadPair> made(new PayloadPair(std::move(plan), pair));
    auto hosts = made->m_networks.add(pair);
    if (!hosts)
        return tl::unexpected<Error>(hosts.error());
    made->m_hosts = std::move(*hosts);
    for (const Internet::Host* host : {&made->m_hosts.from, &made->m_hosts.to})
        if (auto shaped = made->shape(*host->network); !shaped)
            return tl::unexpected<Error>(shaped.error());
    if (auto started = made->startFleet(pair); !started)
        return tl::unexpected<Error>(started.error());
    if (auto linked = made->waitForLink(); !linked)
        return fail(std::move(linked.error()), nameOf(pair));
    return made;
}

/// What arrives is lost at random; what leaves waits for its turn.
Status PayloadPair::shape(const Network& host) const
{
    // What the kernel sends as one would be lost as one; a line loses packets.
    if (m_plan.lossPermille > 0 || m_plan.megabits > 0) {
        const QStringList apart{QStringLiteral("link"), QStringLiteral("set"),          QStringLiteral("dev"),
                                QStringLiteral("out"),  QStringLiteral("gso_max_segs"), QStringLiteral("1")};
        if (auto set = host.run(QStringLiteral("ip"), apart); !set)
            return tl::unexpected<Error>(set.error());
    }
    if (m_plan.lossPermille > 0) {
        const QByteArray rule =
            "iifname \"out\" numgen random mod 1000 < " + QByteArray::number(m_plan.lossPermille) + " drop\n";
        if (auto set = host.nft("table inet shape {\nchain input {\ntype filter hook input priority 0\n"
                                + rule + "}\n}\n");
            !set)
            return set;
    }
    if (m_plan.megabits == 0)
        return {};
    const auto set = host.run(QStringLiteral("tc"),
                              {QStringLiteral("qdisc"), QStringLiteral("add"), QStringLiteral("dev"),
                               QStringLiteral("out"), QStringLiteral("root"), QStringLiteral("tbf"),
                               QStringLiteral("rate"), QStringLiteral("%1mbit").arg(m_plan.megabits),
                               QStringLiteral("burst"), QStringLiteral("64kb"), QStringLiteral("latency"),
                               QStringLiteral("50ms")});
    return set ? Status() : Status(tl::unexpected<Error>(set.error()));
}

Status PayloadPair::startFleet(const Pair& pair)
{
    const std::array<const Internet::Host*, kAgents> hosts{m_hosts.middle, &m_hosts.from, &m_hosts.to};
    support::FleetPlan plan;
    plan.directory = m_plan.directory / (nameOf(pair.from) + "-" + nameOf(pair.to));
    plan.programs = m_plan.programs;
    plan.agents = kAgents;
    plan.neighbors = [](std::size_t agent) {
        return agent == kMiddle ? std::vector<std::size_t>() : std::vector<std::size_t>{kMiddle};
    };
    plan.listen = [hosts](std::size_t agent) {
        Endpoint endpoint = hosts[agent]->addresses.front();
        endpoint.port = static_cast<std::uint16_t>(kFirstPort + agent);
        return endpoint;
    };
    plan.prepare = [hosts](std::size_t agent, QProcess& process) { hosts[agent]->network->prepare(process); };
    std::error_code error;
    fs::create_directories(plan.directory, error);
    auto fleet = support::Fleet::create(std::move(plan));
    if (!fleet)
        return tl::unexpected<Error>(fleet.error());
    m_fleet = std::move(*fleet);
    for (std::size_t agent = 0; agent < kAgents; ++agent)
        if (auto set = m_fleet->configure(agent,
                                          {agent == kMiddle ? std::pair("nat.rendezvous", "true")
                                                            : std::pair("agent.labels", "wants=payload")});
            !set)
            return set;
    return m_fleet->startAll();
}

std::optional<control::PeerLine> PayloadPair::link() const
{
    const auto reply = m_fleet->ask<control::PeersReply>(kTo, control::PeersRequest{});
    if (reply)
        for (const control::PeerLine& line : reply->peers)
            if (line.node == m_fleet->node(kFrom))
                return line;
    return std::nullopt;
}

Status PayloadPair::waitForLink()
{
    if (!support::waitUntil([&] { return link().has_value(); }, kLinkLimit))
        return fail(Errc::Timeout, "the two have no link");
    const auto isBetter = [&] {
        const auto line = link();
        return line && line->kind != "relayed";
    };
    const bool isIt = support::waitUntil(isBetter, m_plan.isBetterExpected ? kLinkLimit : kPunchTime);
    if (m_plan.isBetterExpected && !isIt)
        return fail(Errc::Timeout, "the link of the two stays on its detour");
    return {};
}

std::optional<control::UpdateLine> PayloadPair::update() const
{
    auto updates = m_fleet->ask<control::UpdatesReply>(kTo, control::UpdatesRequest{});
    if (updates)
        for (control::UpdateLine& line : updates->updates)
            if (line.revision.version == m_version)
                return std::move(line);
    return std::nullopt;
}

bool PayloadPair::cameFromFirst(const InfoHash& payload) const
{
    const auto status = m_fleet->ask<control::StatusReply>(kTo, control::StatusRequest{});
    return status && std::any_of(status->traffic.begin(), status->traffic.end(), [&](const auto& line) {
               return line.payload == payload && line.node == m_fleet->node(kFrom) && line.bytesFrom > 0;
           });
}

Result<PayloadOutcome> PayloadPair::play()
{
    ++m_version;
    const fs::path payload = m_plan.directory / ("payload-" + std::to_string(m_version) + ".img");
    if (auto written = writeNoise(payload, m_plan.mebibytes * 1024 * 1024, m_version); !written)
        return tl::unexpected<Error>(written.error());
    const auto torrent = m_fleet->makeRelease(payload, kUri, m_version,
                                              {QStringLiteral("--deploy"), QStringLiteral("none"),
                                               QStringLiteral("--require"), QStringLiteral("wants=payload")});
    if (!torrent)
        return tl::unexpected<Error>(torrent.error());
    m_torrent = *torrent;
    const auto pushed =
        m_fleet->starling({QStringLiteral("--agent"), QString::fromStdString(m_fleet->socket(kFrom).string()),
                           QStringLiteral("push"), QString::fromStdString(torrent->string()),
                           QStringLiteral("--in-place"), QString::fromStdString(payload.string())});
    if (pushed.exitCode != 0)
        return fail(Errc::Refused, pushed.errors.toStdString());
    PayloadOutcome outcome;
    const auto watch = [&] {
        const auto line = update();
        if (!line || line->phase < trust::Phase::Downloading)
            return false;
        const bool isAllThere = line->phase > trust::Phase::Downloading;
        if (outcome.firstByteMs == 0 && (line->doneBytes > 0 || isAllThere))
            outcome.firstByteMs = millisecondsSince(line->knownSinceMicros);
        if (isAllThere)
            outcome.seconds = millisecondsSince(line->knownSinceMicros) / 1'000;
        return isAllThere;
    };
    if (!support::waitUntil(watch, kPatience))
        return fail(Errc::Timeout, "the second agent does not get all of it");
    outcome.megabits = static_cast<double>(m_plan.mebibytes) * 8.388608 / outcome.seconds;
    const auto line = update();
    const auto way = link();
    if (!line || !way || !cameFromFirst(line->infoHash))
        return fail(Errc::Unreachable, "the payload did not come from the first agent");
    outcome.path = way->kind;
    for (const control::PathLine& path : way->payload)
        outcome.bytesByPath += path.kind == way->kind ? path.in : 0;
    outcome.isInside = way->endpoint == m_fleet->endpoint(kFrom);
    return outcome;
}

Result<double> PayloadPair::playPlain()
{
    const QString program =
        QString::fromStdString((m_plan.programs / "../tests/starling-lab-plain").string());
    const auto q = [](const std::string& text) { return QString::fromStdString(text); };
    if (!m_plainAt) {
        const auto reached = PairNetworks::letIn(m_pair, m_hosts, kPlainPort);
        if (!reached)
            return tl::unexpected<Error>(reached.error());
        m_plainAt = *reached;
    }
    Endpoint local = m_hosts.from.addresses.front();
    local.port = kPlainPort;
    auto seed = m_hosts.from.network->start(
        program,
        {QStringLiteral("seed"), q(m_torrent.string()), q(m_plan.directory.string()), q(toString(local))});
    if (!seed)
        return tl::unexpected<Error>(seed.error());
    if (!(*seed)->waitForReadyRead(60'000))
        return fail(Errc::Timeout, "starling-lab-plain does not get ready");
    const fs::path directory = m_plan.directory / ("plain-" + std::to_string(m_version));
    std::error_code error;
    fs::create_directories(directory, error);
    local = m_hosts.to.addresses.front();
    local.port = kPlainPort;
    const auto said =
        m_hosts.to.network->run(program,
                                {QStringLiteral("get"), q(m_torrent.string()), q(directory.string()),
                                 q(toString(local)), q(toString(*m_plainAt))},
                                {}, kPatience);
    (*seed)->kill();
    (*seed)->waitForFinished();
    fs::remove_all(directory, error);
    if (!said)
        return tl::unexpected<Error>(said.error());
    return static_cast<double>(m_plan.mebibytes) * 8.388608 / said->trimmed().toDouble();
}

} // namespace starling::lab
