// SPDX-License-Identifier: Apache-2.0
/// Agents that nobody can reach from outside, and a rendezvous: how they are linked, in the words of
/// `starling peers`, and whom the rendezvous sees, in those of `starling sessions`.
#include "fleet.h"
#include "internet.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <array>
#include <fstream>

using namespace starling;
using namespace starling::lab;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kRendezvous = 0, kCounting = 4;
constexpr std::uint16_t kPort = 7'891;
constexpr auto kLimit = 40s; // most of it for busy machines

} // namespace

class TestReach : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_directory;
    std::unique_ptr<Internet> m_internet;
    std::vector<Internet::Site> m_sites;
    std::vector<Internet::Host> m_hosts;
    std::unique_ptr<QProcess> m_stun; ///< where the rendezvous is
    std::unique_ptr<support::Fleet> m_fleet;

    static void expect(const Status& status)
    {
        QVERIFY2(status, status ? "" : toString(status.error()).c_str());
    }

    /// A public host, two behind NATs that can be punched, one behind a symmetric one, and one behind one
    /// that counts its ports up.
    Status makeNetworks()
    {
        auto internet = Internet::create();
        if (!internet)
            return tl::unexpected<Error>(internet.error());
        m_internet = std::move(*internet);
        auto host = m_internet->addPublicHost("rendezvous", 1);
        if (!host)
            return tl::unexpected<Error>(host.error());
        m_hosts.push_back(std::move(*host));
        for (const Edge edge :
             {Edge::PortFilteringNat, Edge::PortFilteringNat, Edge::SymmetricNat, Edge::CountingNat}) {
            const std::string number = std::to_string(m_hosts.size());
            auto site = m_internet->addSite("edge " + number, edge);
            if (!site)
                return tl::unexpected<Error>(site.error());
            m_sites.push_back(std::move(*site));
            auto inside = m_internet->addHost(m_sites.back(), "host " + number);
            if (!inside)
                return tl::unexpected<Error>(inside.error());
            m_hosts.push_back(std::move(*inside));
        }
        return {};
    }

    Endpoint listenOf(std::size_t i) const
    {
        Endpoint endpoint = m_hosts[i].addresses[0];
        endpoint.port = kPort;
        return endpoint;
    }

    /// Another place at which others are seen: where it listens.
    Result<std::string> startStun()
    {
        Endpoint address = m_hosts[kRendezvous].addresses[0];
        address.port = 0;
        auto started = m_hosts[kRendezvous].network->start(
            QStringLiteral(STARLING_BINARY_DIR "/tests/starling-lab-stun"),
            {QStringLiteral("serve"), QString::fromStdString(toString(address))});
        if (!started)
            return tl::unexpected<Error>(started.error());
        m_stun = std::move(*started);
        QByteArray said;
        while (!said.contains("ready") && m_stun->waitForReadyRead(10'000))
            said += m_stun->readAllStandardOutput();
        const auto line = said.left(said.indexOf('\n'));
        if (!line.startsWith("primary "))
            return fail(Errc::Io, "starling-lab-stun said: " + said.toStdString());
        return line.mid(8).toStdString();
    }

    Status makeFleet()
    {
        support::FleetPlan plan;
        plan.directory = m_directory->path().toStdString();
        plan.programs = std::filesystem::path(STARLING_BINARY_DIR) / "bin";
        plan.agents = m_hosts.size();
        plan.prepare = [this](std::size_t i, QProcess& process) { m_hosts[i].network->prepare(process); };
        plan.listen = [this](std::size_t i) { return listenOf(i); };
        plan.neighbors = [](std::size_t i) {
            return i == kRendezvous ? std::vector<std::size_t>() : std::vector<std::size_t>{kRendezvous};
        };
        auto fleet = support::Fleet::create(std::move(plan));
        if (!fleet)
            return tl::unexpected<Error>(fleet.error());
        m_fleet = std::move(*fleet);
        if (auto set = m_fleet->configure(kRendezvous, {{"nat.rendezvous", "true"}}); !set)
            return set;
        const auto stun = startStun();
        if (!stun)
            return tl::unexpected<Error>(stun.error());
        if (auto set = m_fleet->configure(kCounting, {{"nat.stun", *stun}}); !set)
            return set;
        return m_fleet->startAll();
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
    bool isLinked(std::size_t of, std::size_t other, const char* kind) const
    {
        const auto line = peer(of, other);
        return line && line->kind == kind;
    }
    /// A link without a relay; both may have called at the same moment.
    bool hasWay(std::size_t of, std::size_t other) const
    {
        return isLinked(of, other, "punched") || isLinked(of, other, "direct");
    }
    Status push(std::size_t at, std::uint64_t version) const
    {
        const std::filesystem::path payload =
            m_directory->path().toStdString() + "/payload" + std::to_string(version);
        std::ofstream(payload) << "of version " << version;
        const auto torrent = m_fleet->makeRelease(payload, "fw/reach", version,
                                                  {QStringLiteral("--deploy"), QStringLiteral("none")});
        if (!torrent)
            return tl::unexpected<Error>(torrent.error());
        const auto pushed = m_fleet->starling(
            {QStringLiteral("--agent"), QString::fromStdString(m_fleet->socket(at).string()),
             QStringLiteral("push"), QString::fromStdString(torrent->string()), QStringLiteral("--payload"),
             QString::fromStdString(payload.string())});
        return pushed.exitCode == 0 ? Status() : fail(Errc::Refused, pushed.errors.toStdString());
    }
    bool hasUpdate(std::size_t of, std::uint64_t version) const
    {
        const auto reply = m_fleet->ask<control::UpdatesReply>(of, control::UpdatesRequest{});
        return reply && std::any_of(reply->updates.begin(), reply->updates.end(), [&](const auto& line) {
                   return line.revision.version == version && line.phase > trust::Phase::Downloading;
               });
    }
    std::optional<control::SessionLine> session(std::size_t of) const
    {
        const auto reply = m_fleet->ask<control::SessionsReply>(kRendezvous, control::SessionsRequest{});
        if (!reply || !reply->isRendezvous)
            return std::nullopt;
        const auto found = std::find_if(reply->sessions.begin(), reply->sessions.end(),
                                        [&](const auto& line) { return line.node == m_fleet->node(of); });
        return found == reply->sessions.end() ? std::nullopt : std::optional(*found);
    }

    /// What is marked for it waits for all that was marked before, and what comes later overtakes it. It is
    /// so slow that two full datagrams within 20 ms cannot pass without one of them waiting.
    static void makeSlowLane(const Network& network, const char* device)
    {
        const auto tc = [&](const char* words) {
            QStringList arguments = QString::fromLatin1(words).split(QLatin1Char(' '));
            arguments.replaceInStrings(QStringLiteral("DEVICE"), QString::fromLatin1(device));
            const auto done = network.run(QStringLiteral("tc"), arguments);
            QVERIFY2(done, done ? "" : toString(done.error()).c_str());
        };
        tc("qdisc add dev DEVICE root handle 1: htb default 1");
        tc("class add dev DEVICE parent 1: classid 1:1 htb rate 10gbit quantum 60000");
        tc("class add dev DEVICE parent 1: classid 1:3 htb rate 500kbit burst 2000 cburst 2000");
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (!enterLab().empty())
            QSKIP(enterLab().c_str());
        m_directory = std::make_unique<QTemporaryDir>();
        QVERIFY(m_directory->isValid());
        expect(makeNetworks());
        if (!QTest::currentTestFailed())
            expect(makeFleet());
    }

    void cleanupTestCase()
    {
        m_fleet.reset();
        if (m_stun) {
            m_stun->kill();
            m_stun->waitForFinished();
        }
        m_hosts.clear();
        m_sites.clear();
    }

    void opensTheWayBetweenTwoNats()
    {
        QVERIFY(support::waitUntil([&] { return isLinked(1, 2, "punched") && isLinked(2, 1, "punched"); },
                                   kLimit));
        const auto line = peer(1, 2);
        Endpoint outside = m_sites[1].outside;
        outside.port = kPort;
        QCOMPARE(toString(line->endpoint), toString(outside));
        QVERIFY(line->whyNotBetter.empty());
        QVERIFY(isLinked(1, kRendezvous, "direct"));
    }

    /// Nobody has asked: what the NAT forgets must be known before it has.
    void measuresHowLongItsNatKeepsABinding()
    {
        const auto measures = [&](std::size_t i) {
            std::ifstream log(m_fleet->log(i));
            const std::string said{std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()};
            return said.find("measuring how long a binding is kept") != said.npos;
        };
        QVERIFY(support::waitUntil([&] { return measures(1) && measures(2); }, kLimit));
        QVERIFY(!measures(0)); // on the public network
    }

    void relaysWhereANatLetsNobodyIn()
    {
        QVERIFY(support::waitUntil([&] { return isLinked(1, 3, "relayed") && isLinked(3, 1, "relayed"); },
                                   kLimit));
        QVERIFY(support::waitUntil([&] { return peer(3, 1) && !peer(3, 1)->whyNotBetter.empty(); }, kLimit));
        QVERIFY(peer(1, 3)->relay == m_fleet->node(kRendezvous));
        QVERIFY(peer(1, 3)->endpoint == Endpoint());
    }

    void guessesThePortOfANatThatCounts()
    {
        for (const std::size_t other : {1, 2})
            QVERIFY(support::waitUntil(
                [&] {
                    return isLinked(kCounting, other, "punched") && isLinked(other, kCounting, "punched");
                },
                kLimit));
        QVERIFY(peer(1, kCounting)->endpoint.address == m_sites[kCounting - 1].outside.address);
        // Of two that give each destination another port, neither knows the other's.
        QVERIFY(support::waitUntil([&] { return isLinked(kCounting, 3, "relayed"); }, kLimit));
        const auto said = m_fleet->starling({QStringLiteral("--agent"),
                                             QString::fromStdString(m_fleet->socket(kCounting).string()),
                                             QStringLiteral("net"), QStringLiteral("check")});
        QVERIFY2(said.output.contains("predicted: ") && said.output.contains(", counted up by 1"),
                 said.output.constData());
        QVERIFY2(said.output.contains("Binding     being measured"), said.output.constData());
    }

    void showsWhoIsLinkedToTheRendezvous()
    {
        QVERIFY(support::waitUntil(
            [&] {
                const auto first = session(1);
                return first && first->mapping == nat::Mapping::EndpointIndependent && session(2)
                    && session(3);
            },
            kLimit));
        const auto first = session(1);
        Endpoint outside = m_sites[0].outside;
        outside.port = kPort;
        QCOMPARE(toString(first->external), toString(outside));
        QVERIFY(first->internal == std::vector<Endpoint>{listenOf(1)});
        // Others are none.
        const auto reply = m_fleet->ask<control::SessionsReply>(1, control::SessionsRequest{});
        QVERIFY(reply && !reply->isRendezvous && reply->sessions.empty());
        const auto said = m_fleet->starling({QStringLiteral("--agent"),
                                             QString::fromStdString(m_fleet->socket(kRendezvous).string()),
                                             QStringLiteral("sessions")});
        QVERIFY(said.output.contains(toString(outside).c_str()));
    }

    void noticesWhoLeavesAndWhoComesFromElsewhere()
    {
        expect(m_fleet->stop(2));
        QVERIFY(support::waitUntil([&] { return !session(2); }, kLimit));
        // Another port inside, and so another one outside.
        Endpoint moved = listenOf(2);
        moved.port = 9'000;
        expect(m_fleet->configure(2, {{"agent.listen", toString(moved)}}));
        expect(m_fleet->start(2));
        QVERIFY(support::waitUntil([&] { return session(2) && session(2)->external.port == 9'000; }, kLimit));
    }

    /// The provider gives the site another address, and the NAT forgets all bindings.
    void comesBackWhenItsNatHasAnotherAddress()
    {
        const auto isPunched = [&] { return hasWay(1, 2) && hasWay(2, 1); };
        QVERIFY(support::waitUntil(isPunched, kLimit));
        const Endpoint outside = Endpoint::ipv4(203, 0, 113, 240, 0);
        expect(m_internet->renumber(m_sites[1], outside));
        QElapsedTimer timer;
        timer.start();
        const auto isThere = [&](std::size_t other) {
            const auto line = peer(other, 2);
            return line && line->kind != "relayed" && line->endpoint.address == outside.address;
        };
        QVERIFY(
            support::waitUntil([&] { return isThere(kRendezvous) && isThere(1) && isPunched(); }, kLimit));
        qInfo("back at another address after %lld ms", static_cast<long long>(timer.elapsed()));
        QVERIFY(timer.elapsed() <= 30'000); // a keepalive, and what comes after it
        QVERIFY(session(2) && session(2)->external.address == outside.address);
    }

    void goesOnWithoutItsRendezvous()
    {
        m_fleet->kill(kRendezvous);
        expect(push(1, 1));
        for (const std::size_t other : {std::size_t(2), kCounting})
            QVERIFY(support::waitUntil([&] { return hasUpdate(other, 1); }, kLimit));
    }

    /// By the descriptors that it remembers: nobody is there whom its configuration names.
    void findsOthersWithoutItsRendezvous()
    {
        expect(m_fleet->stop(2));
        expect(m_fleet->start(2));
        QVERIFY(support::waitUntil([&] { return hasWay(2, 1) && hasWay(1, 2); }, kLimit));
        expect(push(1, 2));
        QVERIFY(support::waitUntil([&] { return hasUpdate(2, 2); }, kLimit));
    }

    /// Somebody on the way of every datagram to and from one device, links', STUN's and BitTorrent's alike.
    void bringsUpdatesPastAnAttackerOnTheWay()
    {
        const Network& edge = *m_sites[0].edge;
        // What the kernel sends as one would count as one.
        const auto apart = m_hosts[1].network->run(QStringLiteral("ip"),
                                                   {QStringLiteral("link"), QStringLiteral("set"),
                                                    QStringLiteral("dev"), QStringLiteral("out"),
                                                    QStringLiteral("gso_max_segs"), QStringLiteral("1")});
        QVERIFY(apart);
        makeSlowLane(edge, "in");
        makeSlowLane(edge, "out");
        expect(edge.nft("table ip attack {\ncounter dropped {}\ncounter altered {}\ncounter repeated {}\n"
                        "counter delayed {}\n"
                        "chain forward { type filter hook forward priority filter + 10;\n"
                        "meta l4proto udp numgen inc mod 10 0 counter name dropped drop\n"
                        "meta l4proto udp numgen inc mod 10 3 counter name altered @th,256,8 set 0x5a\n"
                        "meta l4proto udp numgen inc mod 10 8 counter name delayed meta priority set 1:3\n"
                        "iifname \"out\" meta l4proto udp numgen inc mod 10 6 counter name repeated dup to "
                        + addressText(m_hosts[1].addresses[0]) + " device \"in\"\n}\n}\n"));
        const std::filesystem::path payload = m_directory->path().toStdString() + "/attacked";
        std::filesystem::create_directories(payload);
        const std::string data = [] {
            std::string bytes(2'000'000, ' ');
            for (std::size_t i = 0; i < bytes.size(); ++i)
                bytes[i] = static_cast<char>(i * i >> 7);
            return bytes;
        }();
        std::ofstream(payload / "data") << data;
        std::ofstream(payload / "install.sh") << "cp data \"$STARLING_ROOT/data\"\n";
        const auto torrent = m_fleet->makeRelease(payload, "fw/attacked", 1,
                                                  {QStringLiteral("--run"), QStringLiteral("install.sh")});
        QVERIFY2(torrent, torrent ? "" : toString(torrent.error()).c_str());
        const auto pushed =
            m_fleet->starling({QStringLiteral("--agent"), QString::fromStdString(m_fleet->socket(1).string()),
                               QStringLiteral("push"), QString::fromStdString(torrent->string()),
                               QStringLiteral("--payload"), QString::fromStdString(payload.string())});
        QVERIFY2(pushed.exitCode == 0, pushed.errors.constData());
        const auto installed = [&](std::size_t i) {
            std::ifstream file(m_fleet->deviceRoot(i) / "data");
            return std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        };
        for (const std::size_t other : {std::size_t(1), std::size_t(2), kCounting}) {
            QVERIFY(support::waitUntil([&] { return installed(other).size() >= data.size(); }, kLimit));
            QVERIFY(installed(other) == data);
        }
        const auto counters =
            edge.run(QStringLiteral("nft"),
                     {QStringLiteral("list"), QStringLiteral("counters"), QStringLiteral("table"),
                      QStringLiteral("ip"), QStringLiteral("attack")});
        QVERIFY(counters && counters->count("packets ") == 4);
        QVERIFY2(!counters->contains("packets 0 "), counters->constData());
        // Outwards, where the payload goes: a tenth of 2 MB through a lane that takes over 3 s for it.
        const auto lane = edge.run(QStringLiteral("tc"),
                                   {QStringLiteral("-s"), QStringLiteral("class"), QStringLiteral("show"),
                                    QStringLiteral("dev"), QStringLiteral("out"), QStringLiteral("classid"),
                                    QStringLiteral("1:3")});
        QVERIFY2(lane && lane->contains("overlimits ") && !lane->contains("overlimits 0 "),
                 lane ? lane->constData() : "");
        std::ifstream log(m_fleet->log(1));
        const std::string said{std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()};
        QVERIFY2(said.find("somebody may be on the way") != said.npos, said.c_str());
    }
};

int main(int argc, char** argv)
{
    enterLab(); // before there are threads
    const QCoreApplication application(argc, argv);
    TestReach test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_reach.moc"
