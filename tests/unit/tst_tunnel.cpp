// SPDX-License-Identifier: Apache-2.0
/// uTP between loopback and links: addresses, packets that are too large, and what is refused.
#include "base/random.h"
#include "tunnel/tunnel.h"

#include <QtTest>

#include <algorithm>
#include <set>

using namespace starling;
using namespace starling::tunnel;
using namespace std::chrono_literals;
using Type = UtpHeader::Type;

namespace {

constexpr std::uint16_t kPort = 4'711;

NodeId node(std::uint8_t number)
{
    std::array<std::byte, NodeId::kSize> bytes{};
    bytes[0] = std::byte{number};
    return NodeId(bytes);
}

/// Of the connection that the other side opened with a SYN of the id 7.
constexpr std::uint16_t kOpened = 7;
Bytes packet(Type type, std::size_t size, std::uint16_t number = 1)
{
    const std::uint16_t connection = type == Type::Syn ? kOpened : kOpened + 1;
    Bytes bytes(size);
    SeededRandom(size).fill(bytes);
    bytes[0] = static_cast<std::byte>(static_cast<unsigned>(type) << 4 | 1);
    bytes[2] = static_cast<std::byte>(connection >> 8);
    bytes[3] = static_cast<std::byte>(connection);
    bytes[16] = static_cast<std::byte>(number >> 8);
    bytes[17] = static_cast<std::byte>(number);
    return bytes;
}

Config config()
{
    Config made;
    made.port = kPort;
    return made;
}

/// The datagrams for the link, copied.
std::vector<Bytes> sent(Tunnel& tunnel, const NodeId& to, const Bytes& bytes, Instant now = {})
{
    const auto out = tunnel.fromSwarm(*tunnel.addressOf(to, now), bytes, now);
    std::vector<Bytes> datagrams;
    for (std::size_t i = 0; out && i < out->count; ++i)
        datagrams.push_back(toBytes(out->datagrams[i]));
    return datagrams;
}

std::optional<Bytes> received(Tunnel& tunnel, const NodeId& from, ByteView datagram, Instant now = {})
{
    const auto in = tunnel.fromLink(from, datagram, now);
    const auto* packet = std::get_if<Tunnel::ToSwarm>(&in);
    return packet != nullptr ? std::optional(toBytes(packet->packet)) : std::nullopt;
}

/// What the peer is told of a packet whose connection is not known.
Tunnel::Resets answers(Tunnel& tunnel, const NodeId& from, ByteView datagram)
{
    const auto in = tunnel.fromLink(from, datagram, {});
    const auto* resets = std::get_if<Tunnel::Resets>(&in);
    return resets != nullptr ? *resets : Tunnel::Resets();
}

Bytes bare(Type type, std::uint16_t connection, std::uint16_t number, std::uint16_t acknowledged)
{
    return serialize(UtpHeader{type, connection, number, acknowledged});
}

/// Two libtorrents that have shaken hands: node 1's opened the connection with the id 7.
struct Connected
{
    Tunnel one{config()}, two{config()};

    Connected()
    {
        carry(one, two, bare(Type::Syn, 7, 100, 0));
        carry(two, one, bare(Type::State, 7, 500, 100));
        carry(one, two, bare(Type::Data, 8, 101, 499));
        carry(two, one, bare(Type::State, 7, 500, 101));
    }
    void carry(Tunnel& from, Tunnel& to, const Bytes& bytes)
    {
        const bool isFirst = &from == &one;
        QCOMPARE(sent(from, node(isFirst ? 2 : 1), bytes), std::vector<Bytes>{bytes});
        QCOMPARE(received(to, node(isFirst ? 1 : 2), bytes), std::optional(bytes));
    }
};

} // namespace

class TestTunnel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void givesEachPeerALoopbackAddressOfItsOwn()
    {
        Tunnel tunnel(config());
        std::set<Endpoint> addresses;
        for (std::uint8_t i = 1; i <= 60; ++i) {
            const auto address = tunnel.addressOf(node(i), {});
            QVERIFY(address && address->isLoopback());
            QCOMPARE(address->port, kPort);
            QVERIFY(*address == tunnel.addressOf(node(i), {}));
            addresses.insert(*address);
        }
        QCOMPARE(addresses.size(), std::size_t(60));
    }

    void carriesPacketsAsTheyAre()
    {
        Tunnel a(config()), b(config());
        const Bytes syn = packet(Type::Syn, 20);
        QCOMPARE(sent(a, node(2), syn), std::vector<Bytes>{syn});
        QCOMPARE(received(b, node(1), syn), std::optional(syn));
        // And answers go to whom they are for.
        Bytes answer = packet(Type::State, 1'148);
        answer[3] = std::byte{kOpened};
        const auto out = b.fromSwarm(*b.addressOf(node(1), {}), answer, {});
        QVERIFY(out && out->node == node(1) && out->count == 1);
        const auto in = a.fromLink(node(2), answer, {});
        const auto* toSwarm = std::get_if<Tunnel::ToSwarm>(&in);
        QVERIFY(toSwarm != nullptr && toSwarm->from == a.addressOf(node(2), {}));
        QCOMPARE(a.stats().packetsOut, std::uint64_t(1));
        QCOMPARE(a.stats().packetsIn, std::uint64_t(1));
        QCOMPARE(a.bytesOf(node(2)).out, std::uint64_t(20));
        QCOMPARE(a.bytesOf(node(2)).in, std::uint64_t(1'148));
    }

    void splitsAPacketThatIsTooLarge()
    {
        Tunnel a(config()), b(config());
        QVERIFY(received(b, node(1), packet(Type::Syn, 20)));
        const Bytes large = packet(Type::Data, 1'472, 9);
        const auto parts = sent(a, node(2), large);
        QCOMPARE(parts.size(), std::size_t(2));
        for (const Bytes& part : parts)
            QVERIFY(part.size() <= config().maxDatagramBytes);
        QVERIFY(!received(b, node(1), parts[0]));
        QCOMPARE(received(b, node(1), parts[1]), std::optional(large));
        QCOMPARE(a.stats().split, std::uint64_t(1));
    }

    void joinsPartsInAnyOrderAndAmongOthers()
    {
        Tunnel b(config());
        QVERIFY(received(b, node(1), packet(Type::Syn, 20)));
        std::vector<Bytes> packets;
        for (std::uint16_t i = 0; i < 4; ++i)
            packets.push_back(packet(Type::Data, 1'300u + i, i));
        const auto part = [&](std::uint16_t i, bool isSecond) {
            const ByteView all = packets[i];
            return serialize(PacketPart{isSecond, i, isSecond ? all.subspan(600) : all.first(600)});
        };
        for (std::uint16_t i = 0; i < 4; ++i)
            QVERIFY(!received(b, node(1), part(i, i % 2 == 0)));
        for (std::uint16_t i = 0; i < 4; ++i)
            QCOMPARE(received(b, node(1), part(i, i % 2 != 0)), std::optional(packets[i]));
    }

    void forgetsPartsWhoseOtherHalfIsLost()
    {
        Tunnel b(config());
        QVERIFY(received(b, node(1), packet(Type::Syn, 20)));
        const Bytes all = packet(Type::Data, 1'300);
        QVERIFY(!received(b, node(1), serialize(PacketPart{false, 0, ByteView(all).first(600)})));
        for (std::uint16_t i = 1; i <= 4; ++i)
            QVERIFY(!received(b, node(1), serialize(PacketPart{false, i, ByteView(all).first(600)})));
        QVERIFY(!received(b, node(1), serialize(PacketPart{true, 0, ByteView(all).subspan(600)})));
    }

    void refusesTwoPartsThatAreNoPacket()
    {
        Tunnel b(config());
        QVERIFY(received(b, node(1), packet(Type::Syn, 20)));
        const Bytes junk(600);
        QVERIFY(!received(b, node(1), serialize(PacketPart{false, 3, junk})));
        QVERIFY(!received(b, node(1), serialize(PacketPart{true, 3, junk})));
        QCOMPARE(b.stats().refused, std::uint64_t(1));
    }

    void refusesWhatIsNoUtp_data()
    {
        QTest::addColumn<Bytes>("bytes");
        Bytes shortOne = packet(Type::Data, 20);
        shortOne.pop_back();
        Bytes otherVersion = packet(Type::Data, 40);
        otherVersion[0] = std::byte{0x02};
        Bytes otherType = packet(Type::Data, 40);
        otherType[0] = std::byte{0x51};
        QTest::newRow("nothing") << Bytes();
        QTest::newRow("shorter than a header") << shortOne;
        QTest::newRow("another version") << otherVersion;
        QTest::newRow("another type") << otherType;
        QTest::newRow("a DHT query") << toBytes("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe");
        QTest::newRow("a datagram of links") << Bytes(60, std::byte{0x82});
        QTest::newRow("a part of nothing") << Bytes{std::byte{0xf1}, std::byte{0}, std::byte{1}};
        QTest::newRow("too large") << packet(Type::Syn, 1'163);
    }
    void refusesWhatIsNoUtp()
    {
        QFETCH(const Bytes, bytes);
        Tunnel tunnel(config());
        QVERIFY(received(tunnel, node(1), packet(Type::Syn, 20)));
        QVERIFY(!received(tunnel, node(1), bytes));
        QCOMPARE(tunnel.stats().refused, std::uint64_t(1));
    }

    void refusesFromTheSwarmWhatItCannotCarry()
    {
        Tunnel tunnel(config());
        const Endpoint known = *tunnel.addressOf(node(1), {});
        const Bytes good = packet(Type::Data, 100);
        QVERIFY(tunnel.fromSwarm(known, good, {}));
        Endpoint alias = known;
        alias.address[13] = 0; // 127.0.0.1
        QVERIFY(!tunnel.fromSwarm(alias, good, {}));
        QVERIFY(!tunnel.fromSwarm(Endpoint::ipv4(127, 64, 0, 99, kPort), good, {}));
        QVERIFY(!tunnel.fromSwarm(Endpoint(), good, {}));
        QVERIFY(!tunnel.fromSwarm(known, toBytes("d1:q4:pinge"), {}));
        const Bytes huge = packet(Type::Data, 2 * 1'148);
        QVERIFY(!tunnel.fromSwarm(known, huge, {}));
        QVERIFY(!tunnel.fromSwarm(known, huge, {}));
        QCOMPARE(tunnel.stats().refused, std::uint64_t(6));
    }

    void givesAnAddressForANewConnectionOnly()
    {
        Tunnel tunnel(config());
        for (const Type type : {Type::Data, Type::Fin, Type::State, Type::Reset})
            QVERIFY(!received(tunnel, node(1), packet(type, 40)));
        QVERIFY(!received(tunnel, node(1), serialize(PacketPart{false, 1, Bytes(10)})));
        QVERIFY(!tunnel.isInUse(node(1), {}));
        QVERIFY(received(tunnel, node(1), packet(Type::Syn, 20)));
        QVERIFY(tunnel.isInUse(node(1), {}));
    }

    // --- RESETs (BEP 29)

    void tellsWhoSpeaksOfAConnectionThatIsNotKnown()
    {
        Tunnel fresh(config());
        // Whoever opened it waits for packets of the id before, the other for those of the id after.
        const Bytes data = bare(Type::Data, 8, 101, 499);
        QCOMPARE(answers(fresh, node(1), data),
                 (Tunnel::Resets{bare(Type::Reset, 7, 499, 101), bare(Type::Reset, 9, 499, 101)}));
        // An acknowledgement carries the number of the packet after it, which was not sent.
        QCOMPARE(answers(fresh, node(1), bare(Type::State, 0, 0, 3)),
                 (Tunnel::Resets{bare(Type::Reset, 0xffff, 3, 0xffff), bare(Type::Reset, 1, 3, 0xffff)}));
        QCOMPARE(answers(fresh, node(1), bare(Type::Reset, 8, 101, 499)), Tunnel::Resets());
        // Of a packet in two parts the first tells.
        Bytes large = data;
        large.resize(1'300);
        const ByteView all = large;
        QCOMPARE(answers(fresh, node(1), serialize(PacketPart{false, 1, all.first(650)})).size(),
                 std::size_t(2));
        QVERIFY(answers(fresh, node(1), serialize(PacketPart{true, 1, all.subspan(650)})).empty());
        QVERIFY(!fresh.isInUse(node(1), {}));
    }

    void tellsOfAnOldConnectionBesideANewOne()
    {
        Tunnel fresh(config());
        QVERIFY(received(fresh, node(1), bare(Type::Syn, 30, 1, 0)));
        QVERIFY(received(fresh, node(1), bare(Type::Data, 31, 2, 9)));
        QCOMPARE(answers(fresh, node(1), bare(Type::Data, 8, 101, 499)).size(), std::size_t(2));
        QVERIFY(received(fresh, node(1), bare(Type::Data, 31, 3, 9)));
    }

    void tellsAllPeersWhenTheSwarmGoes()
    {
        Connected world;
        const auto all = world.two.endAll();
        QCOMPARE(all.size(), std::size_t(1));
        QVERIFY(all[0].first == node(1));
        QCOMPARE(all[0].second, Tunnel::Resets{bare(Type::Reset, 7, 499, 101)});
        // The peer's libtorrent gets it, and has no such connection any longer.
        QVERIFY(received(world.one, node(2), all[0].second[0]));
        QVERIFY(!received(world.one, node(2), all[0].second[0]));
        QVERIFY(world.two.endAll()[0].second.empty());
        // And the one that did not open it is told with its own id.
        Connected other;
        QCOMPARE(other.one.endAll()[0].second, Tunnel::Resets{bare(Type::Reset, 8, 101, 499)});
    }

    void tellsTheSwarmWhenAPeerGoes()
    {
        Connected world;
        const auto [from, resets] = world.one.peerGone(node(2));
        QVERIFY(from == world.one.addressOf(node(2), {}));
        QCOMPARE(resets, Tunnel::Resets{bare(Type::Reset, 7, 499, 101)});
        QVERIFY(world.one.peerGone(node(2)).second.empty());
        QVERIFY(world.one.peerGone(node(9)).second.empty());
        // What still comes is answered: nobody listens.
        QCOMPARE(answers(world.one, node(2), bare(Type::Data, 7, 500, 101)).size(), std::size_t(2));
    }

    void resetsTellTheHighestNumbers()
    {
        Connected world;
        world.carry(world.one, world.two, bare(Type::Data, 8, 103, 499));
        world.carry(world.one, world.two, bare(Type::Data, 8, 102, 499)); // once more
        QCOMPARE(world.two.endAll()[0].second, Tunnel::Resets{bare(Type::Reset, 7, 499, 103)});
    }

    void nobodyIsToldOfAConnectionThatHeDidNotAnswer()
    {
        Tunnel tunnel(config());
        QCOMPARE(sent(tunnel, node(2), bare(Type::Syn, 7, 100, 0)).size(), std::size_t(1));
        QVERIFY(tunnel.endAll()[0].second.empty());
    }

    void remembersSoManyConnectionsOfAPeer()
    {
        Tunnel tunnel(config());
        for (std::uint16_t i = 0; i <= Connections::kMax; ++i)
            QVERIFY(received(tunnel, node(1), bare(Type::Syn, 2 * i, 1, 0)));
        QVERIFY(!received(tunnel, node(1), bare(Type::Data, 1, 2, 0)));
        QVERIFY(received(tunnel, node(1), bare(Type::Data, 3, 2, 0)));
        QCOMPARE(tunnel.endAll()[0].second.size(), Connections::kMax);
    }

    void letsOneThatIsIdleGiveWayAndNoOther()
    {
        Config few = config();
        few.maxPeers = 2;
        Tunnel tunnel(few);
        const Instant start{};
        const auto first = tunnel.addressOf(node(1), start);
        QVERIFY(tunnel.addressOf(node(2), start + 1s));
        QVERIFY(!tunnel.addressOf(node(3), start + 30s));
        QVERIFY(!received(tunnel, node(3), packet(Type::Syn, 20), start + 30s));
        QCOMPARE(sent(tunnel, node(2), packet(Type::Data, 20), start + 60s).size(), std::size_t(1));
        QVERIFY(!tunnel.isInUse(node(1), start + few.idle));
        QVERIFY(received(tunnel, node(3), packet(Type::Syn, 20), start + few.idle));
        QVERIFY(tunnel.isInUse(node(2), start + few.idle));
        // Nobody gets the address that libtorrent knows for somebody else.
        QVERIFY(tunnel.addressOf(node(3), start + few.idle) != first);
        QVERIFY(!tunnel.fromSwarm(*first, packet(Type::Data, 20), start + few.idle));
    }
};

QTEST_APPLESS_MAIN(TestTunnel)
#include "tst_tunnel.moc"
