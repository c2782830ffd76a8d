// SPDX-License-Identifier: Apache-2.0
/// The socket of the links, against another one of the same kind and against a plain one.
#include "node/link_socket.h"

#include "node/net_address.h"

#include <QNetworkDatagram>
#include <QUdpSocket>
#include <QtTest>

using namespace starling;
using namespace starling::node;

namespace {

struct Got
{
    Endpoint from;
    Bytes bytes;
};

struct Party
{
    std::vector<Got> got;
    LinkSocket socket{[this](const Endpoint& from, ByteView bytes) {
        got.push_back({from, toBytes(bytes)});
    }};
};

Endpoint loopback(std::uint16_t port = 0)
{
    return Endpoint::ipv4(127, 0, 0, 1, port);
}

Bytes datagram(std::size_t size, std::size_t i)
{
    Bytes bytes(size, static_cast<std::byte>(i));
    return bytes;
}

} // namespace

class TestLinkSocket : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bringsDatagramsAsTheyWere_data()
    {
        QTest::addColumn<QList<int>>("sizes");
        QTest::newRow("one") << QList<int>{100};
        QTest::newRow("an empty one") << QList<int>{0, 5, 0, 0, 7};
        QTest::newRow("as large as another") << QList<int>(200, 1'180);
        QTest::newRow("a shorter one at the end") << (QList<int>(20, 744) << 10);
        QTest::newRow("a longer one in between") << QList<int>{100, 100, 900, 100, 100, 30, 100};
        QTest::newRow("all sizes") << [] {
            QList<int> sizes;
            for (int i = 1; i < 150; ++i)
                sizes << i * 8;
            return sizes;
        }();
        QTest::newRow("large ones") << QList<int>(30, 9'000);
    }
    void bringsDatagramsAsTheyWere()
    {
        QFETCH(const QList<int>, sizes);
        Party a, b;
        QVERIFY(a.socket.bind(loopback()) && b.socket.bind(loopback()));
        std::size_t i = 0;
        for (const int size : sizes)
            a.socket.send(b.socket.localEndpoint(), datagram(static_cast<std::size_t>(size), i++));
        QTRY_COMPARE(b.got.size(), static_cast<std::size_t>(sizes.size()));
        for (std::size_t at = 0; at < b.got.size(); ++at) {
            QCOMPARE(b.got[at].bytes,
                     datagram(static_cast<std::size_t>(sizes[static_cast<qsizetype>(at)]), at));
            QVERIFY(b.got[at].from == a.socket.localEndpoint());
        }
    }

    void sendsToSeveralInOneTurn()
    {
        Party a, b, c;
        for (Party* party : {&a, &b, &c})
            QVERIFY(party->socket.bind(loopback()));
        for (std::size_t i = 0; i < 40; ++i)
            a.socket.send((i % 3 == 0 ? b : c).socket.localEndpoint(), datagram(500, i));
        QTRY_COMPARE(b.got.size(), std::size_t(14));
        QTRY_COMPARE(c.got.size(), std::size_t(26));
        QCOMPARE(b.got[1].bytes, datagram(500, 3));
    }

    void sendsAtOnceWhatIsFlushed()
    {
        Party a;
        QVERIFY(a.socket.bind(loopback()));
        QUdpSocket plain;
        QVERIFY(plain.bind(QHostAddress::LocalHost, 0));
        a.socket.send(fromQt(plain.localAddress(), plain.localPort()), datagram(10, 1));
        QVERIFY(!plain.hasPendingDatagrams());
        a.socket.flush();
        QVERIFY(plain.waitForReadyRead(5'000));
        QCOMPARE(plain.receiveDatagram().data(), QByteArray(10, '\x01'));
    }

    void sendsWhatWaitsWhenItGoes()
    {
        Party b;
        QVERIFY(b.socket.bind(loopback()));
        {
            Party a;
            QVERIFY(a.socket.bind(loopback()));
            a.socket.send(b.socket.localEndpoint(), datagram(10, 1));
        }
        QTRY_COMPARE(b.got.size(), std::size_t(1));
    }

    void goesOnAfterOneThatCannotBeSent()
    {
        Party a, b;
        QVERIFY(a.socket.bind(loopback()) && b.socket.bind(loopback()));
        for (int i = 0; i < 3; ++i) {
            a.socket.send(b.socket.localEndpoint(), datagram(70'000, 1));
            a.socket.send(Endpoint::ipv4(127, 0, 0, 1, 0), datagram(100, 1));
            a.socket.send(b.socket.localEndpoint(), datagram(100, 2));
            a.socket.send(b.socket.localEndpoint(), datagram(100, 3));
        }
        QTRY_COMPARE(b.got.size(), std::size_t(6));
    }

    void whatCannotGoAsOneGoesAloneAndNothingElse()
    {
        const Endpoint narrow = loopback(1), wide = loopback(2);
        std::vector<std::pair<Endpoint, std::uint16_t>> sends; // to whom, of which size if several
        SendQueue queue([&](const Endpoint& to, ByteView, std::uint16_t size) {
            sends.emplace_back(to, size);
            return size == 0 || to != narrow;
        });
        const auto sendAll = [&] {
            for (const Endpoint& to : {narrow, wide})
                for (std::size_t i = 0; i < 2; ++i)
                    queue.add(to, datagram(100, i));
            queue.flush();
            return std::exchange(sends, {});
        };
        const std::vector<std::pair<Endpoint, std::uint16_t>> expected{
            {narrow, 100}, {narrow, 0}, {narrow, 0}, {wide, 100}};
        QVERIFY(sendAll() == expected);
        QVERIFY(sendAll() == expected); // a network that was away for a moment costs nothing later
    }

    void anIpv6SocketIsForBoth()
    {
        Party both;
        Endpoint any;
        if (const Status bound = both.socket.bind(any); !bound)
            QSKIP("no IPv6 on this machine");
        const std::uint16_t port = both.socket.localEndpoint().port;
        Party four, six;
        QVERIFY(four.socket.bind(loopback()));
        Endpoint one;
        one.address[15] = 1;
        if (!six.socket.bind(one))
            QSKIP("no ::1 on this machine");
        four.socket.send(loopback(port), datagram(10, 4));
        QTRY_COMPARE(both.got.size(), std::size_t(1));
        QVERIFY(both.got[0].from == four.socket.localEndpoint());
        one.port = port;
        six.socket.send(one, datagram(10, 6));
        QTRY_COMPARE(both.got.size(), std::size_t(2));
        both.socket.send(both.got[0].from, datagram(5, 4));
        both.socket.send(both.got[1].from, datagram(5, 6));
        QTRY_COMPARE(four.got.size(), std::size_t(1));
        QTRY_COMPARE(six.got.size(), std::size_t(1));
        // And one of IPv4 says nothing to IPv6.
        four.socket.send(one, datagram(10, 4));
        four.socket.send(loopback(port), datagram(10, 5));
        QTRY_COMPARE(both.got.size(), std::size_t(3));
        QCOMPARE(both.got[2].bytes, datagram(10, 5));
    }

    void tellsWhyItCannotBind()
    {
        Party a, b;
        QVERIFY(a.socket.bind(loopback()));
        const Status taken = b.socket.bind(a.socket.localEndpoint());
        QVERIFY(!taken);
        QCOMPARE(taken.error().code, Errc::PortInUse);
        Party c;
        const Status elsewhere = c.socket.bind(Endpoint::ipv4(192, 0, 2, 1, 0));
        QVERIFY(!elsewhere);
        QCOMPARE(elsewhere.error().code, Errc::Io);
        QVERIFY(toString(elsewhere.error()).find("192.0.2.1") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestLinkSocket)
#include "tst_link_socket.moc"
