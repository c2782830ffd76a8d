// SPDX-License-Identifier: Apache-2.0
/// An agent behind a symmetric NAT whose router, Debian's miniupnpd, maps ports: others behind such NATs
/// reach it without a relay, and nothing of the mapping is left when it stops.
#include "fleet.h"
#include "internet.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <csignal>
#include <fstream>

using namespace starling;
using namespace starling::lab;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kOpen = 0, kMapped = 1, kOther = 2, kUnmapped = 3;
constexpr std::uint16_t kPort = 7'891;
/// Most of it for busy machines, and for a router that answered too late: it is asked again after a minute.
constexpr auto kLimit = 100s;
/// Of nobody here, and none of those that miniupnpd takes for private.
const Endpoint kOutside = Endpoint::ipv4(25, 0, 0, 1, 0);

QString routerProgram()
{
    return QStandardPaths::findExecutable(QStringLiteral("miniupnpd"), {QStringLiteral("/usr/sbin")});
}

} // namespace

class TestPortMapping : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_directory;
    std::unique_ptr<Internet> m_internet;
    std::vector<Internet::Site> m_sites; ///< of the agents from kMapped on
    std::vector<Internet::Host> m_hosts;
    std::unique_ptr<QProcess> m_router;
    std::unique_ptr<support::Fleet> m_fleet;

    static void expect(const Status& status)
    {
        QVERIFY2(status, status ? "" : toString(status.error()).c_str());
    }

    Status makeNetworks()
    {
        auto internet = Internet::create();
        if (!internet)
            return tl::unexpected<Error>(internet.error());
        m_internet = std::move(*internet);
        auto host = m_internet->addPublicHost("open", 1);
        if (!host)
            return tl::unexpected<Error>(host.error());
        m_hosts.push_back(std::move(*host));
        for (const std::size_t agent : {kMapped, kOther, kUnmapped}) {
            const std::string name = std::to_string(agent);
            auto site = m_internet->addSite("edge " + name, Edge::SymmetricNat);
            if (!site)
                return tl::unexpected<Error>(site.error());
            m_sites.push_back(std::move(*site));
            auto inside = m_internet->addHost(m_sites.back(), "host " + name);
            if (!inside)
                return tl::unexpected<Error>(inside.error());
            m_hosts.push_back(std::move(*inside));
        }
        return m_internet->renumber(m_sites.front(), kOutside);
    }

    const Network& edge() const { return *m_sites.front().edge; }

    void stopRouter()
    {
        if (!m_router)
            return;
        m_router->kill();
        m_router->waitForFinished();
        m_router.reset();
    }
    /// With no mapping yet. `protocols` are lines of its configuration.
    Status startRouter(const std::string& protocols)
    {
        stopRouter();
        if (auto set = edge().nft("table inet mapped {}\ndelete table inet mapped\n"
                                  "table inet mapped {\n"
                                  "chain passed {}\nchain ports {}\nchain sources {}\n"
                                  "chain f { type filter hook forward priority -10; jump passed; }\n"
                                  "chain d { type nat hook prerouting priority -110; jump ports; }\n"
                                  "chain s { type nat hook postrouting priority 90; jump sources; }\n"
                                  "}\n");
            !set)
            return set;
        const std::string file = m_directory->path().toStdString() + "/miniupnpd.conf";
        std::ofstream(file) << "ext_ifname=out\nlistening_ip=in\nhttp_port=0\nsecure_mode=yes\n"
                            << protocols
                            << "upnp_table_name=mapped\nupnp_nat_table_name=mapped\n"
                               "upnp_forward_chain=passed\nupnp_nat_chain=ports\n"
                               "upnp_nat_postrouting_chain=sources\n"
                               "uuid=00000000-0000-4000-8000-000000000001\n"
                               "allow 1024-65535 0.0.0.0/0 1024-65535\n";
        auto started = edge().start(routerProgram(),
                                    {QStringLiteral("-d"), QStringLiteral("-f"), QString::fromStdString(file),
                                     QStringLiteral("-P"), m_directory->filePath(QStringLiteral("pid"))});
        if (!started)
            return tl::unexpected<Error>(started.error());
        m_router = std::move(*started);
        return {};
    }
    /// Its socket for that is open.
    void waitForRouter(const QByteArray& port) const
    {
        const auto isOpen = [&] {
            const auto sockets = edge().run(QStringLiteral("cat"),
                                            {QStringLiteral("/proc/%1/net/udp").arg(m_router->processId())});
            return sockets.value_or(QByteArray()).contains(":" + port + " ");
        };
        QVERIFY(support::waitUntil(isOpen, kLimit));
    }
    static constexpr const char* kPcpPort = "14E7"; ///< 5351
    static constexpr const char* kSsdpPort = "076C"; ///< 1900
    /// What the router passes on, in its own words.
    QByteArray rules() const
    {
        const auto said = edge().run(QStringLiteral("nft"),
                                     {QStringLiteral("list"), QStringLiteral("chain"), QStringLiteral("inet"),
                                      QStringLiteral("mapped"), QStringLiteral("ports")});
        return said.value_or(QByteArray());
    }
    bool isPassedOn() const { return rules().count("dnat ip to") == 2; } // UDP and TCP

    Status makeFleet()
    {
        support::FleetPlan plan;
        plan.directory = m_directory->path().toStdString();
        plan.programs = std::filesystem::path(STARLING_BINARY_DIR) / "bin";
        plan.agents = m_hosts.size();
        plan.listen = [this](std::size_t i) {
            Endpoint endpoint = m_hosts[i].addresses[0];
            endpoint.port = kPort;
            return endpoint;
        };
        plan.neighbors = [](std::size_t i) {
            return i == kOpen ? std::vector<std::size_t>() : std::vector<std::size_t>{kOpen};
        };
        plan.prepare = [this](std::size_t i, QProcess& process) { m_hosts[i].network->prepare(process); };
        auto fleet = support::Fleet::create(std::move(plan));
        if (!fleet)
            return tl::unexpected<Error>(fleet.error());
        m_fleet = std::move(*fleet);
        if (auto set = m_fleet->configure(kOpen, {{"nat.rendezvous", "true"}}); !set)
            return set;
        return m_fleet->configure(kMapped, {{"nat.port_mapping", "auto"}});
    }

    std::optional<control::PeerLine> peer(std::size_t of, std::size_t other) const
    {
        const auto reply = m_fleet->ask<control::PeersReply>(of, control::PeersRequest{});
        if (!reply)
            return std::nullopt;
        const auto found = std::find_if(reply->peers.begin(), reply->peers.end(),
                                        [&](const auto& line) { return line.node == m_fleet->node(other); });
        return found == reply->peers.end() ? std::nullopt : std::optional(*found);
    }
    nat::PortMapState state() const
    {
        const auto reply = m_fleet->ask<control::PeersReply>(kMapped, control::PeersRequest{});
        return reply ? reply->portMapping : nat::PortMapState();
    }
    bool isHeld() const
    {
        const auto now = state();
        return now.kind == nat::PortMapState::Kind::Held && now.isTold;
    }
    /// `starling COMMAND` at an agent.
    QByteArray said(std::size_t by, const QStringList& command) const
    {
        return m_fleet
            ->starling(
                QStringList{QStringLiteral("--agent"), QString::fromStdString(m_fleet->socket(by).string())}
                + command)
            .output;
    }
    static Endpoint outside()
    {
        Endpoint endpoint = kOutside;
        endpoint.port = kPort;
        return endpoint;
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (!enterLab().empty())
            QSKIP(enterLab().c_str());
        if (routerProgram().isEmpty())
            QSKIP("miniupnpd is not installed (package miniupnpd-nftables)");
        m_directory = std::make_unique<QTemporaryDir>();
        QVERIFY(m_directory->isValid());
        expect(makeNetworks());
        if (!QTest::currentTestFailed())
            expect(edge().nft("insert rule ip edge forward ct status dnat accept\n"));
        if (!QTest::currentTestFailed()) // miniupnpd does not say where its news shall go
            expect(edge().ip("route add 224.0.0.0/4 dev in\n"));
        if (!QTest::currentTestFailed())
            expect(startRouter("enable_natpmp=yes\nenable_upnp=no\n"));
        if (!QTest::currentTestFailed())
            waitForRouter(kPcpPort);
        if (!QTest::currentTestFailed())
            expect(makeFleet());
    }

    void cleanupTestCase()
    {
        m_fleet.reset();
        stopRouter();
        m_hosts.clear();
        m_sites.clear();
    }

    void hasItsPortMappedByPcp()
    {
        expect(m_fleet->start(kOpen));
        expect(m_fleet->start(kMapped));
        QVERIFY(support::waitUntil([&] { return isHeld(); }, kLimit));
        const auto now = state();
        QVERIFY(now.mapping->method == nat::PortMapMethod::Pcp && now.mapping->hasTcp);
        QCOMPARE(toString(now.mapping->external), toString(outside()));
        QVERIFY2(isPassedOn(), rules().constData());
    }

    void isReachedWithoutARelayThroughTwoSymmetricNats()
    {
        expect(m_fleet->start(kOther));
        expect(m_fleet->start(kUnmapped));
        // Direct if the other one called, punched if the two were on their way by a relay by then.
        const bool isReached = support::waitUntil(
            [&] {
                const auto line = peer(kOther, kMapped);
                return line && line->kind != "relayed" && line->kind != "tcp";
            },
            kLimit);
        QVERIFY2(isReached, said(kOther, {QStringLiteral("peers")}).constData());
        QCOMPARE(toString(peer(kOther, kMapped)->endpoint), toString(outside()));
        QVERIFY(peer(kOther, kMapped)->whyNotBetter.empty());
        // Without it: as ever.
        QVERIFY(support::waitUntil(
            [&] { return peer(kOther, kUnmapped) && peer(kOther, kUnmapped)->kind == "relayed"; }, kLimit));
    }

    void saysWhatHolds()
    {
        const QByteArray status = said(kMapped, {QStringLiteral("--json"), QStringLiteral("status")});
        const QJsonObject mapping =
            QJsonDocument::fromJson(status)[QStringLiteral("port_mapping")].toObject();
        QVERIFY2(mapping[QStringLiteral("state")].toString() == QStringLiteral("held"), status.constData());
        QCOMPARE(mapping[QStringLiteral("protocol")].toString(), QStringLiteral("PCP"));
        QCOMPARE(mapping[QStringLiteral("external")].toString().toStdString(), toString(outside()));
        QCOMPARE(mapping[QStringLiteral("lease_s")].toInt(), 1'200);
    }

    void comesBackWhenTheRouterWasRestarted()
    {
        expect(startRouter("enable_natpmp=yes\nenable_upnp=no\n"));
        QVERIFY(!isPassedOn());
        // When its own address changes, and at this signal, it says that it is new; not when it starts.
        waitForRouter(kPcpPort);
        QVERIFY(::kill(static_cast<pid_t>(m_router->processId()), SIGUSR1) == 0);
        QVERIFY2(support::waitUntil([&] { return isPassedOn(); }, kLimit), rules().constData());
    }

    void deletesTheMappingWhenItStops()
    {
        expect(m_fleet->stop(kMapped));
        // Whether it waits for the router's answer or not, it has asked.
        QVERIFY2(support::waitUntil([&] { return !rules().contains("dnat"); }, kLimit), rules().constData());
    }

    void asksByUpnpWhereThatIsAll()
    {
        expect(startRouter("enable_natpmp=no\nenable_upnp=yes\n"));
        waitForRouter(kSsdpPort);
        expect(m_fleet->start(kMapped));
        QVERIFY2(support::waitUntil([&] { return isHeld(); }, kLimit), state().trouble.c_str());
        QVERIFY(state().mapping->method == nat::PortMapMethod::Upnp && state().mapping->hasTcp);
        QVERIFY2(isPassedOn(), rules().constData());
        expect(m_fleet->stop(kMapped));
        QVERIFY2(support::waitUntil([&] { return !rules().contains("dnat"); }, kLimit), rules().constData());
    }
};

int main(int argc, char** argv)
{
    enterLab(); // before there are threads
    const QCoreApplication application(argc, argv);
    TestPortMapping test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_port_mapping.moc"
