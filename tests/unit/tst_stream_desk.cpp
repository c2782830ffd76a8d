// SPDX-License-Identifier: Apache-2.0
/// Links over real TCP connections, directly and through proxies of several kinds.
#include "node/stream_desk.h"
#include "plain_authenticator.h"

#include <QtTest>

#include <deque>

using namespace starling;
using namespace starling::node;
using namespace std::chrono_literals;

namespace {

constexpr int kLimitMs = 30'000; // most of it for busy machines

NodeId nodeOf(std::uint8_t number)
{
    std::array<std::byte, NodeId::kSize> id{};
    id[0] = std::byte{number};
    return NodeId(id);
}

/// A node without UDP.
class Host
{
public:
    explicit Host(std::uint8_t number)
        : node(nodeOf(number))
        , m_authenticator(node, number)
        , m_random(number)
        , m_links(node, config(), m_authenticator, m_random)
        , desk({m_timers, [this](const link::Input& input) { give(input); }})
    {
        QVERIFY(desk.listen(Endpoint::ipv4(127, 0, 0, 1, 0)));
    }
    void give(const link::Input& input)
    {
        for (link::Output& output : m_links.handle(input, m_timers.now()))
            m_outputs.push_back(std::move(output));
        if (std::exchange(m_isActing, true))
            return;
        while (!m_outputs.empty()) {
            const link::Output output = std::move(m_outputs.front());
            m_outputs.pop_front();
            act(output);
        }
        m_isActing = false;
    }
    void connectTo(const Endpoint& endpoint) { give(link::Connect{endpoint, 2}); }
    std::optional<link::LinkInfo> link() const
    {
        for (const link::LinkInfo& info : m_links.links())
            if (info.isUp)
                return info;
        return std::nullopt;
    }

    NodeId node;
    std::vector<Bytes> messages;
    std::vector<Endpoint> failures;

private:
    static link::Config config()
    {
        link::Config config;
        config.streams = true;
        return config;
    }
    void act(const link::Output& output)
    {
        if (const auto* timer = std::get_if<link::ScheduleTimer>(&output))
            m_timers.reschedule(static_cast<std::uint64_t>(timer->timer.link), timer->delay,
                                [this, value = timer->timer] { give(link::TimerExpired{value}); });
        else if (const auto* message = std::get_if<link::MessageReceived>(&output))
            messages.push_back(message->message);
        else if (const auto* failed = std::get_if<link::LinkFailed>(&output))
            failures.push_back(failed->endpoint);
        desk.take(output);
    }

    TimerQueue m_timers;
    link::PlainAuthenticator m_authenticator;
    SeededRandom m_random;
    link::Links m_links;
    std::deque<link::Output> m_outputs;
    bool m_isActing = false;

public:
    StreamDesk desk;
};

/// Says one thing to whoever asks, and then carries bytes to `to` if that opened the way.
class Proxy : public QObject
{
public:
    Proxy(QByteArray reply, quint16 to = 0)
        : m_reply(std::move(reply))
        , m_to(to)
    {
        QVERIFY(m_server.listen(QHostAddress::LocalHost));
        connect(&m_server, &QTcpServer::newConnection, this, [this] {
            QTcpSocket* client = m_server.nextPendingConnection();
            connect(client, &QTcpSocket::readyRead, this, [this, client] { onRead(client); });
        });
    }
    ProxyAddress address() const { return {"127.0.0.1", m_server.serverPort()}; }
    QByteArray asked;

private:
    void onRead(QTcpSocket* client)
    {
        if (QTcpSocket* other = m_others.value(client)) {
            other->write(client->readAll());
            return;
        }
        asked += client->readAll();
        if (!asked.endsWith("\r\n\r\n"))
            return;
        if (m_to != 0) {
            auto* other = new QTcpSocket(client);
            m_others[client] = other;
            connect(other, &QTcpSocket::readyRead, client,
                    [client, other] { client->write(other->readAll()); });
            other->connectToHost(QHostAddress(QHostAddress::LocalHost), m_to);
        }
        client->write(m_reply);
    }
    QTcpServer m_server;
    QByteArray m_reply;
    quint16 m_to;
    QMap<QTcpSocket*, QTcpSocket*> m_others;
};

Endpoint listening(const QTcpServer& server)
{
    return Endpoint::ipv4(127, 0, 0, 1, server.serverPort());
}

} // namespace

class TestStreamDesk : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void linksOverTcp()
    {
        Host a(1), b(2);
        a.connectTo(b.desk.endpoint());
        QTRY_VERIFY_WITH_TIMEOUT(a.link() && b.link(), kLimitMs);
        QVERIFY(a.link()->kind == link::LinkInfo::Kind::Tcp && a.link()->isCalled);
        QVERIFY(b.link()->kind == link::LinkInfo::Kind::Tcp && !b.link()->isCalled);
        QVERIFY(a.link()->endpoint == b.desk.endpoint());
        Bytes large(1'000'000);
        SeededRandom(1).fill(large);
        a.give(link::SendMessage{a.link()->link, large});
        b.give(link::SendMessage{b.link()->link, large});
        QTRY_VERIFY_WITH_TIMEOUT(a.messages.size() == 1 && b.messages.size() == 1, kLimitMs);
        QVERIFY(a.messages[0] == large && b.messages[0] == large);
        // The goodbye arrives, though the connection is closed.
        a.give(link::Close{a.link()->link});
        QTRY_VERIFY_WITH_TIMEOUT(!b.link(), kLimitMs);
    }

    void dropsWhatFindsNoRoom()
    {
        QTcpServer deaf;
        QVERIFY(deaf.listen(QHostAddress::LocalHost));
        TimerQueue timers;
        bool isClosed = false;
        StreamDesk desk({timers, [&](const link::Input&) { isClosed = true; }});
        const link::StreamId stream{link::kOwnStreams + 1};
        Bytes datagram(1'186);
        datagram[0] = std::byte{0x82};
        desk.take(link::OpenStream{stream, listening(deaf)});
        desk.take(link::SendOnStream{stream, datagram});
        QTRY_VERIFY_WITH_TIMEOUT(deaf.hasPendingConnections(), kLimitMs);
        QTcpSocket* there = deaf.nextPendingConnection();
        there->setReadBufferSize(1);
        QTRY_VERIFY_WITH_TIMEOUT(there->bytesAvailable() > 0, kLimitMs);
        constexpr std::uint64_t kSent = 1'000;
        for (std::uint64_t i = 0; i < kSent; ++i)
            desk.take(link::SendOnStream{stream, datagram});
        constexpr auto kRoom = StreamDesk::kMaxWaiting / 1'188 + 1;
        QVERIFY(desk.dropped() >= kSent - kRoom);
        QVERIFY(!isClosed);
        // There is room for what is small.
        const std::uint64_t dropped = desk.dropped();
        datagram.resize(60);
        desk.take(link::SendOnStream{stream, datagram});
        QCOMPARE(desk.dropped(), dropped);
    }

    void isSilentToStrangers_data()
    {
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("HTTP") << QByteArray("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        QTest::newRow("TLS") << QByteArray::fromHex("1603010200010001fc0303");
        QTest::newRow("a HELLO without the fleet's code")
            << QByteArray::fromHex("04a28201") + QByteArray(1'184, 'x');
    }
    void isSilentToStrangers()
    {
        QFETCH(const QByteArray, words);
        Host host(1);
        QTcpSocket stranger;
        stranger.connectToHost(QHostAddress(QHostAddress::LocalHost), host.desk.endpoint().port);
        stranger.write(words);
        QTRY_COMPARE_WITH_TIMEOUT(stranger.state(), QAbstractSocket::UnconnectedState, kLimitMs);
        QCOMPARE(stranger.bytesAvailable(), qint64(0));
        QVERIFY(stranger.error() == QAbstractSocket::RemoteHostClosedError
                || stranger.error() == QAbstractSocket::NetworkError);
    }

    void takesFewStrangersFromOneAddress()
    {
        Host host(1);
        std::vector<std::unique_ptr<QTcpSocket>> strangers;
        for (int i = 0; i < 40; ++i) {
            strangers.push_back(std::make_unique<QTcpSocket>());
            strangers.back()->connectToHost(QHostAddress(QHostAddress::LocalHost), host.desk.endpoint().port);
        }
        const auto open = [&] {
            return std::count_if(strangers.begin(), strangers.end(), [](const auto& one) {
                return one->state() == QAbstractSocket::ConnectedState;
            });
        };
        QTRY_COMPARE_WITH_TIMEOUT(open(), 8, kLimitMs); // link::Streams::kMaxStrangersOfOne
    }

    void linksThroughAProxy()
    {
        Host a(1), b(2);
        Proxy proxy("HTTP/1.0 200 Connection established\r\n\r\n", b.desk.endpoint().port);
        a.desk.setProxy(proxy.address());
        a.connectTo(Endpoint::ipv4(192, 0, 2, 7, 7'891));
        QTRY_VERIFY_WITH_TIMEOUT(a.link() && b.link(), kLimitMs);
        QVERIFY(proxy.asked.startsWith("CONNECT 192.0.2.7:7891 HTTP/1.1\r\n"));
        QVERIFY(!a.desk.proxyTrouble());
        a.give(link::SendMessage{a.link()->link, Bytes(50'000)});
        QTRY_COMPARE_WITH_TIMEOUT(b.messages.size(), std::size_t(1), kLimitMs);
    }

    void saysWhatTheProxyDid_data()
    {
        QTest::addColumn<QByteArray>("reply");
        QTest::addColumn<QString>("trouble");
        QTest::newRow("forbids") << QByteArray("HTTP/1.1 403 Filtered\r\n\r\n")
                                 << QStringLiteral("STAR-NET-003 refused: the proxy said 403: it forbids");
        QTest::newRow("wants a login")
            << QByteArray("HTTP/1.1 407 Who?\r\n\r\n")
            << QStringLiteral("STAR-NET-003 refused: the proxy said 407: it wants a login");
        QTest::newRow("cannot reach it") << QByteArray("HTTP/1.1 503 No\r\n\r\n")
                                         << QStringLiteral("STAR-NET-001 unreachable: the proxy said 503");
        QTest::newRow("is none") << QByteArray("220 smtp ESMTP\r\n") << QStringLiteral("HTTP");
        QTest::newRow("says nothing")
            << QByteArray() << QStringLiteral("STAR-NET-002 timeout: the proxy did not");
    }
    void saysWhatTheProxyDid()
    {
        QFETCH(const QByteArray, reply);
        QFETCH(const QString, trouble);
        Host a(1);
        Proxy proxy(reply);
        a.desk.setProxy(proxy.address());
        a.connectTo(Endpoint::ipv4(192, 0, 2, 7, 7'891));
        QTRY_VERIFY_WITH_TIMEOUT(a.desk.proxyTrouble().has_value(), kLimitMs);
        const QString said = QString::fromStdString(toString(*a.desk.proxyTrouble()));
        QVERIFY2(said.contains(trouble), qPrintable(said));
        QTRY_COMPARE_WITH_TIMEOUT(a.failures.size(), std::size_t(1), kLimitMs);
    }

    void saysThatTheProxyIsNotThere()
    {
        QTcpServer gone;
        QVERIFY(gone.listen(QHostAddress::LocalHost));
        const quint16 port = gone.serverPort();
        gone.close();
        Host a(1);
        a.desk.setProxy(ProxyAddress{"127.0.0.1", port});
        a.connectTo(Endpoint::ipv4(192, 0, 2, 7, 7'891));
        QTRY_VERIFY_WITH_TIMEOUT(a.desk.proxyTrouble().has_value(), kLimitMs);
        QVERIFY(a.desk.proxyTrouble()->code == Errc::Unreachable);
        // Another one is another story.
        a.desk.setProxy(std::nullopt);
        QVERIFY(!a.desk.proxyTrouble());
    }

    void saysThatItsPortIsTaken()
    {
        QTcpServer other;
        QVERIFY(other.listen(QHostAddress::LocalHost));
        TimerQueue timers;
        StreamDesk desk({timers, [](const link::Input&) {}});
        const auto listens = desk.listen(listening(other));
        QVERIFY(!listens && listens.error().code == Errc::PortInUse);
        QVERIFY(!desk.isListening());
    }
};

QTEST_GUILESS_MAIN(TestStreamDesk)
#include "tst_stream_desk.moc"
