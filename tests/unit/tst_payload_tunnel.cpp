// SPDX-License-Identifier: Apache-2.0
/// Datagrams between a socket on loopback, which stands for libtorrent's, and links.
#include "link/frame.h"
#include "link/link.h"
#include "link/packet.h"
#include "node/net_address.h"
#include "node/payload_tunnel.h"

#include <QNetworkDatagram>
#include <QUdpSocket>
#include <QtTest>

#include <array>
#include <set>

using namespace starling;
using namespace starling::node;

namespace {

NodeId device(unsigned char number)
{
    std::array<std::byte, NodeId::kSize> bytes{};
    bytes[0] = std::byte{number};
    return NodeId(bytes);
}

QByteArray packet(char first)
{
    QByteArray bytes(40, '\0');
    bytes[0] = first;
    return bytes;
}

ByteView viewOf(const QByteArray& bytes)
{
    return std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size())));
}

struct World
{
    TimerQueue timers;
    QUdpSocket swarm;
    std::vector<std::pair<NodeId, QByteArray>> sent;
    std::set<std::pair<NodeId, std::uint16_t>> numbers;
    std::unique_ptr<PayloadTunnel> tunnel;

    World()
    {
        QVERIFY(swarm.bind(QHostAddress(QStringLiteral("127.0.0.2")), 0));
        auto opened = PayloadTunnel::open(fromQt(swarm.localAddress(), swarm.localPort()), timers,
                                          [this](const NodeId& to, ByteView bytes) { note(to, bytes); });
        QVERIFY2(opened, opened ? "" : toString(opened.error()).c_str());
        tunnel = std::move(*opened);
    }
    /// What is carried, once.
    void note(const NodeId& to, ByteView bytes)
    {
        const auto datagram = tunnel::parseDatagram(bytes);
        const auto* numbered = datagram ? std::get_if<tunnel::Numbered>(&*datagram) : nullptr;
        if (numbered != nullptr && numbers.emplace(to, numbered->number).second)
            sent.emplace_back(to,
                              QByteArray(reinterpret_cast<const char*>(numbered->carried.data()),
                                         static_cast<qsizetype>(numbered->carried.size())));
    }
};

} // namespace

class TestPayloadTunnel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aPeerSpeaksFromItsOwnAddress()
    {
        World world;
        for (const auto number : std::array<unsigned char, 2>{1, 2}) {
            const Bytes datagram = serialize(tunnel::Numbered{1, 0, viewOf(packet('\x41'))});
            world.tunnel->received(device(number), datagram);
            QTRY_VERIFY(world.swarm.hasPendingDatagrams());
            const QNetworkDatagram got = world.swarm.receiveDatagram();
            QCOMPARE(got.data(), packet('\x41'));
            const Endpoint from = fromQt(got.senderAddress(), static_cast<quint16>(got.senderPort()));
            QVERIFY(from == world.tunnel->addressOf(device(number)));
        }
    }

    void whatIsSentToAPeersAddressGoesToThatPeer()
    {
        World world;
        for (const auto number : std::array<unsigned char, 2>{1, 2}) {
            const Endpoint to = *world.tunnel->addressOf(device(number));
            world.swarm.writeDatagram(packet('\x01'), toQt(to), to.port);
            QTRY_COMPARE(world.sent.size(), std::size_t(number));
            QVERIFY(world.sent.back() == std::pair(device(number), packet('\x01')));
        }
    }

    void whatTheTunnelLetsThroughFitsALink()
    {
        QCOMPARE(tunnel::Config().maxDatagramBytes,
                 link::Config().datagramBytes - link::kSealedOverheadBytes - link::kUnreliableOverheadBytes);
    }

    void hearsNobodyButTheSwarm()
    {
        World world;
        const Endpoint to = *world.tunnel->addressOf(device(1));
        QUdpSocket other;
        QVERIFY(other.bind(QHostAddress(QStringLiteral("127.0.0.2")), 0));
        other.writeDatagram(packet('\x01'), toQt(to), to.port);
        // Two of the swarm's come after it, so it has been read by then.
        for (std::size_t i = 1; i <= 2; ++i) {
            world.swarm.writeDatagram(packet('\x01'), toQt(to), to.port);
            QTRY_COMPARE(world.sent.size(), i);
        }
    }
};

QTEST_GUILESS_MAIN(TestPayloadTunnel)
#include "tst_payload_tunnel.moc"
