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

/// A tunnel, and the numbers of the datagrams that its peers send.
struct Tested : Tunnel
{
    explicit Tested(const Config& with = config())
        : Tunnel(with, source)
    {
    }
    static inline SeededRandom source{1};
    std::map<NodeId, std::uint16_t> numbers;
};

Bytes numbered(Tested& tunnel, const NodeId& from, ByteView carried)
{
    return serialize(Numbered{1, tunnel.numbers[from]++, carried});
}

/// What goes to the link for a packet, without the numbers.
std::vector<Bytes> sent(Tested& tunnel, const NodeId& to, const Bytes& bytes, Instant now = {})
{
    std::vector<Bytes> carried;
    for (const auto& output : tunnel.fromSwarm(*tunnel.addressOf(to, now), bytes, now)) {
        const auto& out = std::get<Tunnel::ToLink>(output);
        if (out.node != to || out.datagram.size() > config().maxDatagramBytes)
            return {};
        carried.push_back(toBytes(std::get<Numbered>(*parseDatagram(out.datagram)).carried));
    }
    return carried;
}

std::optional<Bytes> packetOf(const Tunnel::Outputs& outputs)
{
    for (const auto& output : outputs)
        if (const auto* packet = std::get_if<Tunnel::ToSwarm>(&output))
            return packet->packet;
    return std::nullopt;
}

/// The packet that libtorrent gets when a datagram with these bytes comes.
std::optional<Bytes> received(Tested& tunnel, const NodeId& from, ByteView carried, Instant now = {})
{
    return packetOf(tunnel.fromLink(from, numbered(tunnel, from, carried), now));
}

/// The RESETs among what goes out.
std::vector<Bytes> resetsIn(const Tunnel::Outputs& outputs)
{
    std::vector<Bytes> resets;
    for (const auto& output : outputs) {
        const auto* out = std::get_if<Tunnel::ToLink>(&output);
        const Bytes& bytes = out != nullptr ? out->datagram : std::get<Tunnel::ToSwarm>(output).packet;
        if (const auto header = utpHeader(bytes); header && header->type == Type::Reset)
            resets.push_back(bytes);
    }
    return resets;
}

/// What the peer is told of a packet whose connection is not known.
std::vector<Bytes> answers(Tested& tunnel, const NodeId& from, ByteView carried)
{
    return resetsIn(tunnel.fromLink(from, numbered(tunnel, from, carried), {}));
}

Bytes bare(Type type, std::uint16_t connection, std::uint16_t number, std::uint16_t acknowledged)
{
    return serialize(UtpHeader{type, connection, number, acknowledged});
}

/// Two libtorrents that have shaken hands: node 1's opened the connection with the id 7.
struct Connected
{
    Tested one, two;

    Connected()
    {
        carry(one, two, bare(Type::Syn, 7, 100, 0));
        carry(two, one, bare(Type::State, 7, 500, 100));
        carry(one, two, bare(Type::Data, 8, 101, 499));
        carry(two, one, bare(Type::State, 7, 500, 101));
    }
    void carry(Tested& from, Tested& to, const Bytes& bytes)
    {
        const NodeId sender = node(&from == &one ? 1 : 2), receiver = node(&from == &one ? 2 : 1);
        const auto out = from.fromSwarm(*from.addressOf(receiver, {}), bytes, {});
        QCOMPARE(out.size(), std::size_t(1));
        QCOMPARE(packetOf(to.fromLink(sender, std::get<Tunnel::ToLink>(out[0]).datagram, {})),
                 std::optional(bytes));
    }
};

} // namespace

class TestTunnel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void givesEachPeerALoopbackAddressOfItsOwn()
    {
        Tested tunnel;
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
        Tested a, b;
        const Bytes syn = packet(Type::Syn, 20);
        QCOMPARE(sent(a, node(2), syn), std::vector<Bytes>{syn});
        QCOMPARE(received(b, node(1), syn), std::optional(syn));
        // And answers go to whom they are for.
        Bytes answer = packet(Type::State, 1'143);
        answer[3] = std::byte{kOpened};
        const auto out = b.fromSwarm(*b.addressOf(node(1), {}), answer, {});
        QCOMPARE(out.size(), std::size_t(1));
        QVERIFY(std::get<Tunnel::ToLink>(out[0]).node == node(1));
        const auto in = a.fromLink(node(2), std::get<Tunnel::ToLink>(out[0]).datagram, {});
        QCOMPARE(packetOf(in), std::optional(answer));
        QVERIFY(std::get<Tunnel::ToSwarm>(in[0]).from == a.addressOf(node(2), {}));
        QCOMPARE(a.stats().packetsOut, std::uint64_t(1));
        QCOMPARE(a.stats().packetsIn, std::uint64_t(1));
        QCOMPARE(a.bytesOf(node(2)).out, std::uint64_t(20));
        QCOMPARE(a.bytesOf(node(2)).in, std::uint64_t(1'143));
    }

    void splitsAPacketThatIsTooLarge()
    {
        Tested a, b;
        QVERIFY(received(b, node(1), packet(Type::Syn, 20)));
        const Bytes large = packet(Type::Data, 1'472, 9);
        const auto parts = sent(a, node(2), large);
        QCOMPARE(parts.size(), std::size_t(2));
        QVERIFY(!received(b, node(1), parts[0]));
        QCOMPARE(received(b, node(1), parts[1]), std::optional(large));
        QCOMPARE(a.stats().split, std::uint64_t(1));
    }

    void joinsPartsInAnyOrderAndAmongOthers()
    {
        Tested b;
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
        Tested b;
        QVERIFY(received(b, node(1), packet(Type::Syn, 20)));
        const Bytes all = packet(Type::Data, 1'300);
        QVERIFY(!received(b, node(1), serialize(PacketPart{false, 0, ByteView(all).first(600)})));
        for (std::uint16_t i = 1; i <= 4; ++i)
            QVERIFY(!received(b, node(1), serialize(PacketPart{false, i, ByteView(all).first(600)})));
        QVERIFY(!received(b, node(1), serialize(PacketPart{true, 0, ByteView(all).subspan(600)})));
    }

    void refusesTwoPartsThatAreNoPacket()
    {
        Tested b;
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
        Tested tunnel;
        QVERIFY(received(tunnel, node(1), packet(Type::Syn, 20)));
        QVERIFY(!received(tunnel, node(1), bytes));
        QCOMPARE(tunnel.stats().refused, std::uint64_t(1));
        QVERIFY(tunnel.fromLink(node(1), bytes, {}).empty());
        QCOMPARE(tunnel.stats().refused, std::uint64_t(2));
    }

    void refusesFromTheSwarmWhatItCannotCarry()
    {
        Tested tunnel;
        const Endpoint known = *tunnel.addressOf(node(1), {});
        const Bytes good = packet(Type::Data, 100);
        QVERIFY(!tunnel.fromSwarm(known, good, {}).empty());
        Endpoint alias = known;
        alias.address[13] = 0; // 127.0.0.1
        QVERIFY(tunnel.fromSwarm(alias, good, {}).empty());
        QVERIFY(tunnel.fromSwarm(Endpoint::ipv4(127, 64, 0, 99, kPort), good, {}).empty());
        QVERIFY(tunnel.fromSwarm(Endpoint(), good, {}).empty());
        QVERIFY(tunnel.fromSwarm(known, toBytes("d1:q4:pinge"), {}).empty());
        const Bytes huge = packet(Type::Data, 2 * 1'143);
        QVERIFY(tunnel.fromSwarm(known, huge, {}).empty());
        QVERIFY(tunnel.fromSwarm(known, huge, {}).empty());
        QCOMPARE(tunnel.stats().refused, std::uint64_t(6));
    }

    void givesAnAddressForANewConnectionOnly()
    {
        Tested tunnel;
        for (const Type type : {Type::Data, Type::Fin, Type::State, Type::Reset})
            QVERIFY(!received(tunnel, node(1), packet(type, 40)));
        QVERIFY(!received(tunnel, node(1), serialize(PacketPart{false, 1, Bytes(10)})));
        QVERIFY(!tunnel.isInUse(node(1), {}));
        QVERIFY(received(tunnel, node(1), packet(Type::Syn, 20)));
        QVERIFY(tunnel.isInUse(node(1), {}));
    }

    void sendsAgainWhatWasLost()
    {
        Connected world;
        const auto lost =
            world.one.fromSwarm(*world.one.addressOf(node(2), {}), bare(Type::Data, 8, 102, 499), {});
        QCOMPARE(lost.size(), std::size_t(1));
        QVERIFY(world.one.isWaiting());
        bool isRepeated = false;
        Instant now{};
        while (now.time_since_epoch() < 250ms && !isRepeated)
            isRepeated = std::ranges::count(world.one.onTick(now += Recovery::kTick), lost[0]) == 1;
        QVERIFY(isRepeated);
        // The other side's tunnel says that it came, and then nobody waits.
        QVERIFY(packetOf(world.two.fromLink(node(1), std::get<Tunnel::ToLink>(lost[0]).datagram, now)));
        QVERIFY(world.two.isWaiting());
        for (const auto& said : world.two.onTick(now))
            if (const auto* out = std::get_if<Tunnel::ToLink>(&said);
                out != nullptr && out->datagram[0] == std::byte{0xa0})
                world.one.fromLink(node(2), out->datagram, now);
        QVERIFY(!world.one.isWaiting());
    }

    // --- RESETs (BEP 29)

    void tellsWhoSpeaksOfAConnectionThatIsNotKnown()
    {
        Tested fresh;
        // Whoever opened it waits for packets of the id before, the other for those of the id after.
        const Bytes data = bare(Type::Data, 8, 101, 499);
        QCOMPARE(answers(fresh, node(1), data),
                 (std::vector<Bytes>{bare(Type::Reset, 7, 499, 101), bare(Type::Reset, 9, 499, 101)}));
        // An acknowledgement carries the number of the packet after it, which was not sent.
        QCOMPARE(answers(fresh, node(1), bare(Type::State, 0, 0, 3)),
                 (std::vector<Bytes>{bare(Type::Reset, 0xffff, 3, 0xffff), bare(Type::Reset, 1, 3, 0xffff)}));
        QCOMPARE(answers(fresh, node(1), bare(Type::Reset, 8, 101, 499)), std::vector<Bytes>());
        // Of a packet in two parts the first tells.
        Bytes large = data;
        large.resize(1'300);
        const ByteView all = large;
        QCOMPARE(answers(fresh, node(1), serialize(PacketPart{false, 1, all.first(650)})).size(),
                 std::size_t(2));
        QVERIFY(answers(fresh, node(1), serialize(PacketPart{true, 1, all.subspan(650)})).empty());
        QVERIFY(!fresh.isInUse(node(1), {}));
        // The same where there is no tunnel at all.
        QCOMPARE(resetsFor(serialize(Numbered{9, 9, data})).size(), std::size_t(2));
        QVERIFY(resetsFor(data).empty());
        QVERIFY(resetsFor(serialize(Arrived{})).empty());
    }

    void tellsOfAnOldConnectionBesideANewOne()
    {
        Tested fresh;
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
        QVERIFY(std::get<Tunnel::ToLink>(all[0]).node == node(1));
        QCOMPARE(resetsIn(all), std::vector<Bytes>{bare(Type::Reset, 7, 499, 101)});
        // The peer's libtorrent gets it, and has no such connection any longer.
        const Bytes reset = std::get<Tunnel::ToLink>(all[0]).datagram;
        QCOMPARE(packetOf(world.one.fromLink(node(2), reset, {})), std::optional(reset));
        QVERIFY(!packetOf(world.one.fromLink(node(2), reset, {})));
        QVERIFY(world.two.endAll().empty());
        // And the one that did not open it is told with its own id.
        Connected other;
        QCOMPARE(resetsIn(other.one.endAll()), std::vector<Bytes>{bare(Type::Reset, 8, 101, 499)});
    }

    void tellsTheSwarmWhenAPeerGoes()
    {
        Connected world;
        const auto told = world.one.peerGone(node(2));
        QCOMPARE(told.size(), std::size_t(1));
        QVERIFY(std::get<Tunnel::ToSwarm>(told[0]).from == world.one.addressOf(node(2), {}));
        QCOMPARE(resetsIn(told), std::vector<Bytes>{bare(Type::Reset, 7, 499, 101)});
        QVERIFY(world.one.peerGone(node(2)).empty());
        QVERIFY(world.one.peerGone(node(9)).empty());
        // What still comes is answered: nobody listens.
        QCOMPARE(answers(world.one, node(2), bare(Type::Data, 7, 500, 101)).size(), std::size_t(2));
    }

    void resetsTellTheHighestNumbers()
    {
        Connected world;
        world.carry(world.one, world.two, bare(Type::Data, 8, 103, 499));
        world.carry(world.one, world.two, bare(Type::Data, 8, 102, 499)); // once more
        QCOMPARE(resetsIn(world.two.endAll()), std::vector<Bytes>{bare(Type::Reset, 7, 499, 103)});
    }

    void nobodyIsToldOfAConnectionThatHeDidNotAnswer()
    {
        Tested tunnel;
        QCOMPARE(sent(tunnel, node(2), bare(Type::Syn, 7, 100, 0)).size(), std::size_t(1));
        QVERIFY(tunnel.endAll().empty());
    }

    void remembersSoManyConnectionsOfAPeer()
    {
        Tested tunnel;
        for (std::uint16_t i = 0; i <= Connections::kMax; ++i)
            QVERIFY(received(tunnel, node(1), bare(Type::Syn, 2 * i, 1, 0)));
        QVERIFY(!received(tunnel, node(1), bare(Type::Data, 1, 2, 0)));
        QVERIFY(received(tunnel, node(1), bare(Type::Data, 3, 2, 0)));
        QCOMPARE(tunnel.endAll().size(), Connections::kMax);
    }

    void letsOneThatIsIdleGiveWayAndNoOther()
    {
        Config few = config();
        few.maxPeers = 2;
        Tested tunnel(few);
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
        QVERIFY(tunnel.fromSwarm(*first, packet(Type::Data, 20), start + few.idle).empty());
    }
};

QTEST_APPLESS_MAIN(TestTunnel)
#include "tst_tunnel.moc"
