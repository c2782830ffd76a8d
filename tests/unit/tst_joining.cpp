// SPDX-License-Identifier: Apache-2.0
/// Devices that are let into a fleet by an agent of it, over real sockets in this process.
#include "enrol/certificate.h"
#include "enrol/fingerprint.h"
#include "node/joiner.h"
#include "node_fixture.h"

#include <QSignalSpy>
#include <QTcpServer>
#include <QTcpSocket>
#include <QUdpSocket>

using namespace starling;
using namespace starling::node;
using namespace starling::node::fixture;
using namespace std::chrono_literals;

namespace {

/// A device that has nothing yet but its configuration.
class Newcomer
{
public:
    explicit Newcomer(const std::string& name = "newcomer")
    {
        config.state = m_home / "state";
        config.listen = Endpoint::ipv4(127, 0, 0, 1, 0);
        config.key = m_home / "device.key";
        config.certificate = m_home / "device.admit";
        config.root = m_home / "root.envelope";
        config.deviceRoot = m_home / "root";
        config.deviceName = name;
        fs::create_directory(config.deviceRoot);
    }
    void giveToken(const std::string& line)
    {
        config.tokenFile = m_home / "join.token";
        QVERIFY(writeFile(config.tokenFile, viewOf(line + "\n"), FileMode::Private).has_value());
    }
    void giveRoot()
    {
        QVERIFY(writeFile(config.root, samples::trustSet().chain().front(), FileMode::Public).has_value());
    }
    bool has(const std::string& file) { return fs::exists(m_home / file); }

    AgentConfig config;

private:
    Directory m_home;
};

/// An address at which UDP is swallowed, and TCP gets through to an agent.
class UdpBlocked
{
public:
    explicit UdpBlocked(const Endpoint& agent)
    {
        // A port of TCP is not always free for UDP, too.
        constexpr int kTries = 20;
        for (int i = 0; i < kTries && m_silence.state() != QAbstractSocket::BoundState; ++i) {
            m_server.close();
            QVERIFY(m_server.listen(QHostAddress::LocalHost));
            m_silence.bind(QHostAddress::LocalHost, m_server.serverPort());
        }
        QVERIFY(m_silence.state() == QAbstractSocket::BoundState);
        QObject::connect(&m_server, &QTcpServer::newConnection, [this, agent] {
            while (QTcpSocket* device = m_server.nextPendingConnection()) {
                auto* there = new QTcpSocket(device);
                there->connectToHost(QHostAddress::LocalHost, agent.port);
                pass(device, there);
                pass(there, device);
                ++connections;
            }
        });
    }
    Endpoint endpoint() const { return Endpoint::ipv4(127, 0, 0, 1, m_server.serverPort()); }
    bool hasSwallowed() const { return m_silence.hasPendingDatagrams(); }

    int connections = 0;

private:
    static void pass(QTcpSocket* from, QTcpSocket* to)
    {
        QObject::connect(from, &QTcpSocket::readyRead, to, [from, to] { to->write(from->readAll()); });
        QObject::connect(from, &QTcpSocket::disconnected, to, &QTcpSocket::disconnectFromHost);
    }
    QTcpServer m_server;
    QUdpSocket m_silence;
};

bool isLinked(const Node& node)
{
    const auto links = node.links();
    return std::ranges::any_of(links, &link::LinkInfo::isUp);
}

/// Any signal of being let in within `limit`.
bool isAdmitted(Joiner& joiner, int limitMs = 60'000)
{
    QSignalSpy spy(&joiner, &Joiner::admitted);
    return spy.wait(limitMs);
}

} // namespace

class TestJoining : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }

    void init()
    {
        m_device = std::make_unique<Device>(50);
        restart();
    }

    void cleanup()
    {
        m_node.reset();
        m_device.reset();
    }

    void aTokenAloneIsEnoughForAnAgentWithAnAdmitKey()
    {
        giveAdmitKey(11);
        Newcomer newcomer;
        newcomer.giveToken(token());
        QVERIFY(Joiner::isNeeded(newcomer.config));
        auto joiner = Joiner::start(newcomer.config);
        QVERIFY2(joiner.has_value(), joiner ? "" : toString(joiner.error()).c_str());
        QVERIFY(isAdmitted(**joiner));
        QVERIFY(!Joiner::isNeeded(newcomer.config));
        QVERIFY(newcomer.has("root.envelope") && newcomer.has("device.key"));
        QVERIFY(fs::status(newcomer.config.key).permissions()
                == (fs::perms::owner_read | fs::perms::owner_write));
        const NodeId id = (*joiner)->request().node;
        joiner->reset();
        // It is a device like any other now, and makes a link to the one that let it in.
        newcomer.config.neighbors = {m_node->listenEndpoint()};
        auto node = Node::start({newcomer.config, {}, {}});
        QVERIFY2(node.has_value(), node ? "" : toString(node.error()).c_str());
        QTRY_VERIFY(std::ranges::any_of(
            m_node->links(), [&](const link::LinkInfo& link) { return link.isUp && link.node == id; }));
    }

    void aConsoleNeedsATokenThatWasMadeForOne()
    {
        giveAdmitKey(11);
        Newcomer newcomer("desk");
        newcomer.config.labels = {{"role", "console"}};
        newcomer.giveToken(token());
        auto joiner = Joiner::start(newcomer.config);
        QVERIFY2(joiner.has_value(), joiner ? "" : toString(joiner.error()).c_str());
        QTRY_VERIFY((*joiner)->waitingFor().find("its token is good") != std::string::npos);
        const auto waiting = m_node->joinOffice().pending(m_node->now());
        QCOMPARE(waiting.size(), std::size_t{1});
        QVERIFY(waiting.begin()->second.request.isForConsole());
        // Somebody may let it in all the same.
        QCOMPARE(code(m_node->joinOffice().admit(certificateFor(waiting.begin()->second.request, 11),
                                                 m_node->now())),
                 0);
        QVERIFY(isAdmitted(**joiner));

        Newcomer other("other desk");
        other.config.labels = {{"role", "console"}};
        const auto made =
            m_node->joinOffice().createToken(m_node->listenEndpoint(), 1h, enrol::TokenUse::Console);
        other.giveToken(made->line());
        auto second = Joiner::start(other.config);
        QVERIFY(second.has_value());
        QVERIFY(isAdmitted(**second));
        // Any other role is a label like any other.
        Newcomer gateway("gateway");
        gateway.config.labels = {{"role", "gateway"}};
        gateway.giveToken(token());
        auto third = Joiner::start(gateway.config);
        QVERIFY(third.has_value());
        QVERIFY(isAdmitted(**third));
    }

    void withoutAnAdmitKeyItWaitsForSomebody()
    {
        Newcomer newcomer("gateway-7");
        newcomer.giveToken(token());
        auto joiner = Joiner::start(newcomer.config);
        QVERIFY(joiner.has_value());
        QTRY_COMPARE(m_node->joinOffice().pending(m_node->now()).size(), std::size_t{1});
        const auto pending = m_node->joinOffice().pending(m_node->now()).begin()->second;
        QVERIFY(pending.hasGoodToken);
        QCOMPARE(pending.request.name, std::string("gateway-7"));
        const std::string words = enrol::fingerprintOf((*joiner)->request().node);
        QVERIFY2((*joiner)->waitingFor().ends_with("words " + words), (*joiner)->waitingFor().c_str());
        QTRY_VERIFY((*joiner)->waitingFor().find("its token is good") != std::string::npos);
        // Refused: signed by no admit key; and for somebody who does not wait.
        QCOMPARE(code(m_node->joinOffice().admit(certificateFor(pending.request, 21), m_node->now())),
                 code(Errc::WrongScope));
        trust::JoinRequest other = pending.request;
        other.node = samples::nodeOf(99);
        QCOMPARE(code(m_node->joinOffice().admit(certificateFor(other, 11), m_node->now())),
                 code(Errc::NotFound));
        // And one of this device that says something else than it asks for: of an earlier life, say.
        other = pending.request;
        other.labels = {{"site", "elsewhere"}};
        QCOMPARE(code(m_node->joinOffice().admit(certificateFor(other, 11), m_node->now())),
                 code(Errc::NotFound));
        QCOMPARE(code(m_node->joinOffice().admit(certificateFor(pending.request, 11), m_node->now())), 0);
        QVERIFY(m_node->joinOffice().pending(m_node->now()).empty());
        QVERIFY(isAdmitted(**joiner));
    }

    void theCertificateWaitsAlsoWhileTheAgentIsRestarted()
    {
        Newcomer newcomer;
        newcomer.giveToken(token());
        auto joiner = Joiner::start(newcomer.config);
        QVERIFY(joiner.has_value());
        QTRY_COMPARE(m_node->joinOffice().pending(m_node->now()).size(), std::size_t{1});
        const auto request = m_node->joinOffice().pending(m_node->now()).begin()->second.request;
        QCOMPARE(code(m_node->joinOffice().admit(certificateFor(request, 11), m_node->now())), 0);
        m_device->config.listen = m_node->listenEndpoint();
        restart();
        QVERIFY(isAdmitted(**joiner));
    }

    void oneTokenLetsInOneDevice()
    {
        giveAdmitKey(11);
        const std::string line = token();
        Newcomer first, second("second");
        first.giveToken(line);
        auto joiner = Joiner::start(first.config);
        QVERIFY(joiner.has_value() && isAdmitted(**joiner));
        second.giveToken(line);
        auto refused = Joiner::start(second.config);
        QVERIFY(refused.has_value());
        QTRY_VERIFY_WITH_TIMEOUT(
            (*refused)->waitingFor().find("refused: another device has joined with this token")
                != std::string::npos,
            60'000);
        QVERIFY(m_node->joinOffice().pending(m_node->now()).empty());
        QVERIFY(!second.has("device.admit"));
    }

    void withoutATokenItAsksItsContact()
    {
        Newcomer newcomer;
        newcomer.config.contact =
            JoinContact{m_node->listenEndpoint(), crypto::LinkKeyPair::of(samples::key(50)).publicKey()};
        QCOMPARE(code(Joiner::start(newcomer.config)),
                 code(Errc::NotFound)); // without a root it knows no fleet
        newcomer.giveRoot();
        auto joiner = Joiner::start(newcomer.config);
        QVERIFY(joiner.has_value());
        QTRY_COMPARE(m_node->joinOffice().pending(m_node->now()).size(), std::size_t{1});
        const auto& pending = m_node->joinOffice().pending(m_node->now()).begin()->second;
        QVERIFY(!pending.hasGoodToken);
        QCOMPARE(code(m_node->joinOffice().admit(certificateFor(pending.request, 11), m_node->now())), 0);
        QVERIFY(isAdmitted(**joiner));
    }

    void itVerifiesItsCertificateByTheRootOfToday()
    {
        Newcomer newcomer;
        newcomer.giveRoot();
        newcomer.giveToken(token());
        auto joiner = Joiner::start(newcomer.config);
        QVERIFY(joiner.has_value());
        JoinOffice& office = m_node->joinOffice();
        QTRY_COMPARE(office.pending(m_node->now()).size(), std::size_t{1});
        const auto request = office.pending(m_node->now()).begin()->second.request;
        QCOMPARE(code(office.admit(certificateFor(request, 12), m_node->now())), 0);
        // Before it has asked again, 14 takes the place of 12: that certificate is not handed out any more.
        publishRoots({11, 14});
        QTRY_COMPARE(office.pending(m_node->now()).size(), std::size_t{1});
        const auto walked = [&] {
            const auto store = store::Store::open(newcomer.config.state);
            return store ? store->rootChain().value().size() : 0;
        };
        QTRY_COMPARE_WITH_TIMEOUT(walked(), std::size_t{3}, 60'000);
        QVERIFY2(!newcomer.has("device.admit"), (*joiner)->waitingFor().c_str());
        // It goes on from there when it is started again.
        joiner->reset();
        joiner = Joiner::start(newcomer.config);
        QVERIFY(joiner.has_value());
        QCOMPARE(code(office.admit(certificateFor(request, 12), m_node->now())), code(Errc::UnknownKey));
        QCOMPARE(code(office.admit(certificateFor(request, 14), m_node->now())), 0);
        QVERIFY2(isAdmitted(**joiner), (*joiner)->waitingFor().c_str());
        joiner->reset();
        newcomer.config.neighbors = {m_node->listenEndpoint()};
        auto node = Node::start({newcomer.config, {}, {}});
        QVERIFY2(node.has_value(), node ? "" : toString(node.error()).c_str());
        QCOMPARE((*node)->board().trust().root().number, std::uint64_t{3});
        QTRY_VERIFY(isLinked(**node));
    }

    void aCertificateThatWasLostOnItsWayFromAnObserverIsSentAgain()
    {
        m_device->config.listen = m_node->listenEndpoint();
        Device elsewhere(51);
        elsewhere.observe();
        elsewhere.config.neighbors = {m_node->listenEndpoint()};
        auto observer = elsewhere.start();
        QVERIFY2(observer.has_value(), observer ? "" : toString(observer.error()).c_str());
        Newcomer newcomer;
        newcomer.giveToken(token());
        auto joiner = Joiner::start(newcomer.config);
        QVERIFY(joiner.has_value());
        QTRY_COMPARE_WITH_TIMEOUT((*observer)->waitingElsewhere().size(), std::size_t{1}, 60'000);
        const auto waiting = (*observer)->waitingElsewhere().front();
        QVERIFY(waiting.gate == m_node->self() && waiting.device == (*joiner)->request().node);
        // The gate goes, and the observer's word with it.
        m_node.reset();
        const auto request = trust::openJoinRequest(waiting.request, samples::trustSet().fleet());
        trust::JoinRequest other = *request;
        other.name = "another";
        QCOMPARE(code((*observer)->admit(certificateFor(other, 11))), code(Errc::NotFound));
        QCOMPARE(code((*observer)->admit(certificateFor(*request, 21))), code(Errc::WrongScope));
        QCOMPARE(code((*observer)->admit(certificateFor(*request, 11))), 0);
        QVERIFY((*observer)->waitingElsewhere().empty());
        joiner->reset(); // begun anew, it asks often
        m_device->config.neighbors = {(*observer)->listenEndpoint()};
        restart();
        QTRY_VERIFY_WITH_TIMEOUT(isLinked(*m_node), 60'000);
        joiner = Joiner::start(newcomer.config);
        QVERIFY(joiner.has_value());
        QVERIFY2(isAdmitted(**joiner), (*joiner)->waitingFor().c_str());
    }

    void whereUdpIsBlockedItJoinsOverTcp()
    {
        giveAdmitKey(11);
        const UdpBlocked network(m_node->listenEndpoint());
        Newcomer newcomer;
        newcomer.giveToken(token(network.endpoint()));
        auto joiner = Joiner::start(newcomer.config);
        QVERIFY(joiner.has_value());
        QVERIFY2(isAdmitted(**joiner), (*joiner)->waitingFor().c_str());
        QVERIFY(network.hasSwallowed());
        QVERIFY((*joiner)->waitingFor().find(" over TCP (") != std::string::npos);
        // Root and certificate came on the way that was found, without asking on the other one again.
        QCOMPARE(network.connections, 1);
    }

    void saysOfItsProxyWhatIsWrongWithIt()
    {
        QTcpServer nobody;
        QVERIFY(nobody.listen(QHostAddress::LocalHost));
        const std::uint16_t port = nobody.serverPort();
        nobody.close();
        const UdpBlocked network(m_node->listenEndpoint());
        Newcomer newcomer;
        newcomer.giveToken(token(network.endpoint()));
        newcomer.config.proxy = ProxyAddress{"127.0.0.1", port};
        auto joiner = Joiner::start(newcomer.config);
        QVERIFY(joiner.has_value());
        QTRY_VERIFY_WITH_TIMEOUT((*joiner)->waitingFor().find("; the proxy: ") != std::string::npos, 60'000);
        QCOMPARE(network.connections, 0);
    }

    void refusesATokenOfAnotherFleet()
    {
        auto other = enrol::JoinToken::parse(token());
        QVERIFY(other.has_value());
        other->fleet = FleetId();
        Newcomer newcomer;
        newcomer.giveRoot();
        newcomer.giveToken(other->line());
        QCOMPARE(code(Joiner::start(newcomer.config)), code(Errc::WrongFleet));
        // Without a root of its own it asks, and gets no answer: for that fleet there is nobody here.
        Newcomer trusting;
        trusting.giveToken(other->line());
        auto joiner = Joiner::start(trusting.config);
        QVERIFY(joiner.has_value());
        QVERIFY(!isAdmitted(**joiner, 300));
        QVERIFY((*joiner)->waitingFor().find("no answer yet") != std::string::npos);
        QVERIFY(m_node->joinOffice().pending(m_node->now()).empty());
    }

    void refusesTokenFilesThatAreNoneOrOpenToAll()
    {
        Newcomer newcomer;
        newcomer.giveToken("starling1-typo");
        QCOMPARE(code(Joiner::start(newcomer.config)), code(Errc::ConfigInvalid));
        newcomer.giveToken(token());
        fs::permissions(newcomer.config.tokenFile, fs::perms(0644));
        QCOMPARE(code(Joiner::start(newcomer.config)), code(Errc::KeyUnreadable));
        QVERIFY(!newcomer.has("device.key"));
    }

    void tokensNameAReachableAddressAndLiveForADayAtMost()
    {
        JoinOffice& office = m_node->joinOffice();
        QCOMPARE(code(office.createToken(m_node->listenEndpoint(), 25h)), code(Errc::Usage));
        QCOMPARE(code(office.createToken(m_node->listenEndpoint(), 0s)), code(Errc::Usage));
        QCOMPARE(code(office.createToken(Endpoint::ipv4(0, 0, 0, 0, 7'891), 1h)), code(Errc::Usage));
        const auto token = office.createToken(m_node->listenEndpoint(), 24h);
        QVERIFY(token.has_value());
        QVERIFY(token->issuer == m_node->self() && token->fleet == samples::trustSet().fleet());
        QVERIFY(fs::status(m_device->config.state / "enrolment").permissions()
                == (fs::perms::owner_read | fs::perms::owner_write));
    }

    void refusesAnAdmitKeyThatMayNotAdmit()
    {
        m_node.reset();
        writeAdmitKey(21);
        QCOMPARE(code(m_device->start()), code(Errc::WrongScope));
    }

private:
    void restart()
    {
        m_node.reset();
        auto node = m_device->start();
        QVERIFY2(node.has_value(), node ? "" : toString(node.error()).c_str());
        m_node = std::move(*node);
    }
    void writeAdmitKey(unsigned char number)
    {
        m_device->config.admitKey = *m_device / "admit.key";
        QVERIFY(
            writeFile(m_device->config.admitKey, crypto::plainKey(samples::key(number)), FileMode::Private)
                .has_value());
    }
    void giveAdmitKey(unsigned char number)
    {
        writeAdmitKey(number);
        restart();
    }
    /// Two, together longer than one answer; by the last of them these keys admit devices.
    void publishRoots(std::initializer_list<unsigned char> admit)
    {
        trust::RootDocument root = samples::rootDocument();
        for (root.number = 2; root.number <= 3; ++root.number) {
            root.previous = trust::Envelope::parse(m_node->board().trust().chain().back())->payloadHash();
            if (root.number == 3)
                root.admit.keys.clear();
            for (const unsigned char number : admit)
                root.admit.keys.insert(samples::key(number).id());
            const Bytes envelope = samples::signRoot(root, samples::trustSet().fleet(), {1, 2});
            QVERIFY(envelope.size() > enrol::kAnchorPartBytes / 2);
            const auto published = m_node->publishNotice(release::noticeOf(trust::Kind::Root, envelope));
            QVERIFY2(published.has_value(), published ? "" : toString(published.error()).c_str());
        }
    }
    std::string token() { return token(m_node->listenEndpoint()); }
    std::string token(const Endpoint& reachedAt)
    {
        const auto made = m_node->joinOffice().createToken(reachedAt, 1h);
        return made ? made->line() : std::string();
    }
    static Bytes certificateFor(const trust::JoinRequest& request, unsigned char signer)
    {
        auto envelope = enrol::grant(request, samples::trustSet().root());
        envelope->sign(samples::trustSet().fleet(), samples::key(signer));
        return envelope->serialize();
    }

    std::unique_ptr<Device> m_device;
    std::unique_ptr<Node> m_node;
};

QTEST_GUILESS_MAIN(TestJoining)
#include "tst_joining.moc"
