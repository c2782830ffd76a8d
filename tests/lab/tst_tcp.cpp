// SPDX-License-Identifier: Apache-2.0
/// Agents in networks that block UDP, one of which lets nothing out but a proxy (Debian's tinyproxy): they
/// are linked over TCP, updates reach them, and they say why it is no better; and when UDP works again, it is
/// used.
#include "fleet.h"
#include "internet.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <fstream>

using namespace starling;
using namespace starling::lab;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kOpen = 0, kBlocked = 1, kPunched = 2, kProxied = 3;
constexpr std::uint16_t kPort = 7'891, kProxyPort = 8'888;
constexpr auto kLimit = 90s; // most of it for busy machines
/// Half a second is usual. A proxy that does not listen yet is tried again after half a second, doubled, and
/// machines are busy.
constexpr auto kLinkLimit = 8s;

QString proxyProgram()
{
    return QStandardPaths::findExecutable(QStringLiteral("tinyproxy"),
                                          {QStringLiteral("/usr/bin"), QStringLiteral("/usr/sbin")});
}

} // namespace

class TestTcp : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_directory;
    std::unique_ptr<Internet> m_internet;
    std::map<std::size_t, Internet::Site> m_sites; ///< by the agent behind it
    std::vector<Internet::Host> m_hosts;
    std::unique_ptr<QProcess> m_proxy;
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
        for (const std::size_t agent : {kBlocked, kPunched, kProxied}) {
            const std::string name = std::to_string(agent);
            auto site = m_internet->addSite("edge " + name, Edge::PortFilteringNat);
            if (!site)
                return tl::unexpected<Error>(site.error());
            auto inside = m_internet->addHost(*site, "host " + name);
            if (!inside)
                return tl::unexpected<Error>(inside.error());
            m_sites.emplace(agent, std::move(*site));
            m_hosts.push_back(std::move(*inside));
        }
        if (auto blocks =
                m_sites.at(kBlocked).edge->nft("insert rule ip edge forward meta l4proto udp drop\n");
            !blocks)
            return blocks;
        // Nothing is forwarded: what goes out goes by way of a program at the edge.
        return m_sites.at(kProxied).edge->nft("insert rule ip edge forward drop\n");
    }

    Endpoint proxyEndpoint() const
    {
        Endpoint endpoint = m_hosts[kProxied].addresses[0];
        endpoint.address[15] = 1;
        endpoint.port = kProxyPort;
        return endpoint;
    }

    void stopProxy()
    {
        if (!m_proxy)
            return;
        m_proxy->kill();
        m_proxy->waitForFinished();
        m_proxy.reset();
    }
    /// That lets out to this port alone; `more` is for its configuration.
    Status startProxy(std::uint16_t port, const std::string& more = {})
    {
        stopProxy();
        const std::string file = m_directory->path().toStdString() + "/tinyproxy.conf";
        Endpoint address = proxyEndpoint();
        address.port = 0;
        std::string at = toString(address);
        at.resize(at.rfind(':'));
        std::ofstream(file) << "Port " << kProxyPort << "\nListen " << at
                            << "\nTimeout 600\nMaxClients 20\nConnectPort " << port << "\n"
                            << more;
        auto started = m_sites.at(kProxied).edge->start(
            proxyProgram(), {QStringLiteral("-d"), QStringLiteral("-c"), QString::fromStdString(file)});
        if (!started)
            return tl::unexpected<Error>(started.error());
        m_proxy = std::move(*started);
        return {};
    }

    Endpoint listenOf(std::size_t i) const
    {
        Endpoint endpoint = m_hosts[i].addresses[0];
        endpoint.port = kPort;
        return endpoint;
    }

    Status makeFleet()
    {
        support::FleetPlan plan;
        plan.directory = m_directory->path().toStdString();
        plan.programs = std::filesystem::path(STARLING_BINARY_DIR) / "bin";
        plan.agents = m_hosts.size();
        plan.listen = [this](std::size_t i) { return listenOf(i); };
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
        if (auto set =
                m_fleet->configure(kProxied, {{"network.proxy", "http://" + toString(proxyEndpoint())}});
            !set)
            return set;
        return m_fleet->start(kOpen);
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
    bool isEvery(std::size_t of, std::size_t other, const char* kind) const
    {
        return isLinked(of, other, kind) && isLinked(other, of, kind);
    }
    support::CommandResult starling(std::size_t i, QStringList arguments) const
    {
        arguments.prepend(QString::fromStdString(m_fleet->socket(i).string()));
        arguments.prepend(QStringLiteral("--agent"));
        return m_fleet->starling(arguments);
    }
    /// How long that takes.
    std::chrono::milliseconds timeOf(const std::function<bool()>& isDone) const
    {
        QElapsedTimer timer;
        timer.start();
        return support::waitUntil(isDone, kLimit) ? std::chrono::milliseconds(timer.elapsed()) : kLimit;
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (!enterLab().empty())
            QSKIP(enterLab().c_str());
        if (proxyProgram().isEmpty())
            QSKIP("not installed: tinyproxy");
        m_directory = std::make_unique<QTemporaryDir>();
        QVERIFY(m_directory->isValid());
        expect(makeNetworks());
        if (!QTest::currentTestFailed())
            expect(makeFleet());
    }

    void cleanupTestCase()
    {
        m_fleet.reset();
        stopProxy();
        m_hosts.clear();
        m_sites.clear();
    }

    void linksOverTcpWhereUdpIsBlocked()
    {
        expect(m_fleet->start(kBlocked));
        const auto took = timeOf([&] { return isEvery(kBlocked, kOpen, "tcp"); });
        qInfo("a link over TCP took %lld ms", static_cast<long long>(took.count()));
        QVERIFY(took <= kLinkLimit);
        QCOMPARE(toString(peer(kBlocked, kOpen)->endpoint), toString(listenOf(kOpen)));
        QVERIFY(peer(kBlocked, kOpen)->whyNotBetter.starts_with("UDP brought no answer"));
        const auto said = starling(kBlocked, {QStringLiteral("peers")});
        QVERIFY2(said.output.contains("  TCP  203.0.113."), said.output.constData());
    }

    void relaysByACommonNeighbourOverTcp()
    {
        expect(m_fleet->start(kPunched));
        QVERIFY(support::waitUntil([&] { return isEvery(kPunched, kOpen, "direct"); }, kLimit));
        const auto took = timeOf([&] { return isEvery(kBlocked, kPunched, "relayed"); });
        qInfo("a relayed link took %lld ms from the start of the other agent",
              static_cast<long long>(took.count()));
        QVERIFY(took < kLimit);
        QVERIFY(peer(kBlocked, kPunched)->relay == m_fleet->node(kOpen));
    }

    void saysWhatTheProxyForbids()
    {
        expect(startProxy(443));
        expect(m_fleet->start(kProxied));
        // Nobody is linked to it, so that there is nobody to be asked how it is seen; the agent's log says
        // why.
        const auto isSaid = [&] {
            std::ifstream log(m_fleet->log(kProxied));
            const std::string text{std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()};
            return text.find("STAR-NET-003 refused: the proxy said 403") != text.npos;
        };
        QVERIFY(support::waitUntil(isSaid, kLimit));
        const auto peers = m_fleet->ask<control::PeersReply>(kProxied, control::PeersRequest{});
        QVERIFY(peers && peers->peers.empty());
    }

    void linksThroughAProxy()
    {
        expect(m_fleet->stop(kProxied));
        expect(startProxy(kPort));
        expect(m_fleet->start(kProxied));
        const auto took = timeOf([&] { return isEvery(kProxied, kOpen, "tcp"); });
        qInfo("a link through the proxy took %lld ms", static_cast<long long>(took.count()));
        QVERIFY(took <= kLinkLimit);
    }

    /// What it says, and shows, must not have the password.
    void logsInAtAProxy()
    {
        const std::string proxy = toString(proxyEndpoint());
        const auto logIn = [&](const std::string& login) {
            expect(m_fleet->stop(kProxied));
            expect(m_fleet->configure(kProxied, {{"network.proxy", "http://" + login + proxy}}));
            expect(m_fleet->start(kProxied));
        };
        const auto logOf = [&] {
            std::ifstream log(m_fleet->log(kProxied));
            return std::string{std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()};
        };
        expect(m_fleet->stop(kProxied));
        expect(startProxy(kPort, "BasicAuth agent password9\n"));
        expect(m_fleet->start(kProxied));
        QVERIFY(support::waitUntil(
            [&] { return logOf().find("set proxy = http://USER:") != std::string::npos; }, kLimit));
        logIn("agent:hunter2@");
        QVERIFY(support::waitUntil(
            [&] { return logOf().find("does not take the login that is set") != std::string::npos; },
            kLimit));
        logIn("agent:p%61ssword9@");
        QVERIFY(support::waitUntil([&] { return isEvery(kProxied, kOpen, "tcp"); }, kLimit));
        QByteArray shown = QByteArray::fromStdString(logOf());
        for (const auto& words :
             {QStringList{QStringLiteral("net"), QStringLiteral("check")},
              QStringList{QStringLiteral("--json"), QStringLiteral("net"), QStringLiteral("check")},
              QStringList{QStringLiteral("status")},
              QStringList{QStringLiteral("--json"), QStringLiteral("peers")}})
            shown += starling(kProxied, words).output;
        QVERIFY(shown.contains("http://" + QByteArray::fromStdString(proxy)));
        for (const char* secret : {"hunter2", "password9", "p%61ssword9", "agent:", "YWdlbnQ6"})
            QVERIFY2(!shown.contains(secret), secret);
    }

    void updatesReachEverybody()
    {
        const std::filesystem::path payload = m_directory->path().toStdString() + "/payload";
        std::filesystem::create_directories(payload);
        std::ofstream(payload / "data") << std::string(3'000'000, 'x');
        std::ofstream(payload / "install.sh") << "cp data \"$STARLING_ROOT/data\"\n";
        const auto torrent = m_fleet->makeRelease(payload, "fw/tcp", 1,
                                                  {QStringLiteral("--run"), QStringLiteral("install.sh")});
        QVERIFY2(torrent, torrent ? "" : toString(torrent.error()).c_str());
        const auto pushed = starling(kPunched,
                                     {QStringLiteral("push"), QString::fromStdString(torrent->string()),
                                      QStringLiteral("--payload"), QString::fromStdString(payload.string())});
        QVERIFY2(pushed.exitCode == 0, pushed.errors.constData());
        const auto isInstalled = [&](std::size_t i) {
            std::error_code error;
            return std::filesystem::file_size(m_fleet->deviceRoot(i) / "data", error) == 3'000'000 && !error;
        };
        const auto took =
            timeOf([&] { return isInstalled(kOpen) && isInstalled(kBlocked) && isInstalled(kProxied); });
        qInfo("3 MB were installed on all after %lld ms", static_cast<long long>(took.count()));
        QVERIFY(took < kLimit);
    }

    void saysThatUdpIsBlocked()
    {
        // Both at once: where nobody answers it takes its time.
        const auto ask = [&](std::size_t i) {
            auto process = std::make_unique<QProcess>();
            process->start(m_fleet->program("starling"),
                           {QStringLiteral("--json"), QStringLiteral("--agent"),
                            QString::fromStdString(m_fleet->socket(i).string()), QStringLiteral("net"),
                            QStringLiteral("check")});
            return process;
        };
        const auto blocked = ask(kBlocked), proxied = ask(kProxied);
        for (QProcess* process : {blocked.get(), proxied.get()}) {
            QVERIFY(process->waitForFinished(120'000));
            QCOMPARE(process->exitCode(), 7);
            const QJsonObject said = QJsonDocument::fromJson(process->readAllStandardOutput()).object();
            QCOMPARE(said[QStringLiteral("prospect")].toString(), QStringLiteral("blocked"));
            QCOMPARE(said[QStringLiteral("udp_blocked")].toBool(), true);
            QVERIFY(said[QStringLiteral("tcp_links")].toInt() >= 1);
            const auto proxy = said[QStringLiteral("proxy")];
            QCOMPARE(proxy.isNull(), process == blocked.get());
            QVERIFY(said[QStringLiteral("proxy_trouble")].isNull());
        }
    }

    void goesOverToUdpWhenThatWorksAgain()
    {
        // Rounds come ever more seldom: of a link that has just come up.
        expect(m_fleet->stop(kBlocked));
        expect(m_fleet->start(kBlocked));
        QVERIFY(support::waitUntil([&] { return isEvery(kBlocked, kOpen, "tcp"); }, kLimit));
        expect(m_sites.at(kBlocked).edge->nft("flush chain ip edge forward\n"
                                              "add rule ip edge forward ct state established,related accept\n"
                                              "add rule ip edge forward iifname \"in\" accept\n"));
        const auto took = timeOf([&] { return isEvery(kBlocked, kOpen, "direct"); });
        qInfo("the link went over to UDP after %lld ms", static_cast<long long>(took.count()));
        QVERIFY(took < kLimit);
        QVERIFY(peer(kBlocked, kOpen)->whyNotBetter.empty());
    }

    /// The link was up, and nothing says that it is not but silence. Whoever called notices when it has
    /// something to say; the rendezvous relays to those to whom the link was direct or punched.
    void goesOverToTcpWhenUdpIsBlockedInMidLife()
    {
        QVERIFY(support::waitUntil([&] { return isEvery(kPunched, kOpen, "direct"); }, kLimit));
        expect(m_sites.at(kPunched).edge->nft("insert rule ip edge forward meta l4proto udp drop\n"));
        const std::filesystem::path payload = m_directory->path().toStdString() + "/later";
        std::ofstream(payload) << "later";
        const auto torrent = m_fleet->makeRelease(payload, "fw/later", 1,
                                                  {QStringLiteral("--deploy"), QStringLiteral("none")});
        QVERIFY2(torrent, torrent ? "" : toString(torrent.error()).c_str());
        const auto pushed = starling(kPunched,
                                     {QStringLiteral("push"), QString::fromStdString(torrent->string()),
                                      QStringLiteral("--payload"), QString::fromStdString(payload.string())});
        QVERIFY2(pushed.exitCode == 0, pushed.errors.constData());
        const auto took = timeOf([&] { return isEvery(kPunched, kOpen, "tcp"); });
        qInfo("the link went over to TCP after %lld ms", static_cast<long long>(took.count()));
        const auto arrived = timeOf([&] {
            const auto updates = m_fleet->ask<control::UpdatesReply>(kOpen, control::UpdatesRequest{});
            return updates
                && std::any_of(updates->updates.begin(), updates->updates.end(), [](const auto& line) {
                       return line.uri.text() == "fw/later" && line.phase > trust::Phase::Downloading;
                   });
        });
        qInfo("and the update was there %lld ms later", static_cast<long long>(arrived.count()));
        QVERIFY(took <= 10s && arrived < kLimit);
        const auto relayed = timeOf([&] { return isEvery(kPunched, kBlocked, "relayed"); });
        qInfo("the link between two NATs went over to the relay %lld ms after that",
              static_cast<long long>(relayed.count()));
        QVERIFY(relayed <= 30s); // a keepalive, and what comes after it
    }
};

int main(int argc, char** argv)
{
    enterLab(); // before there are threads
    const QCoreApplication application(argc, argv);
    TestTcp test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_tcp.moc"
