// SPDX-License-Identifier: Apache-2.0
/// Links on streams, where UDP is blocked: how they come up, who may have one, and how they go over to UDP.
#include "link/packet.h"
#include "link/punch.h"
#include "link/streams.h"
#include "link_streams_network.h"

#include <QtTest>

using namespace starling;
using namespace starling::link;
using namespace std::chrono_literals;

namespace {

constexpr unsigned kTries = 2; // as overlay::MembershipConfig

Config withStreams()
{
    Config config;
    config.streams = true;
    return config;
}

/// Two hosts; UDP between them is blocked.
struct Two
{
    explicit Two(Config config = withStreams(), Duration latency = 1ms)
        : network(1, {.latency = latency})
        , a(network.add(config))
        , b(network.add(config))
        , streams(network, {&a, &b})
    {
        streams.latency = latency;
        network.isLost = [this](const SendDatagram&) { return isUdpBlocked; };
    }
    void connect() { network.give(a, Connect{b.endpoint, kTries, b.node}); }
    bool isUp() const { return a.up.size() == 1 && b.up.size() == 1; }
    bool comesUp(Duration limit = 2s)
    {
        connect();
        return network.runUntil([this] { return isUp(); }, limit);
    }
    static LinkInfo::Kind kindOf(const Host& host)
    {
        const auto links = host.links->links();
        return links.size() == 1 ? links[0].kind : LinkInfo::Kind::Relayed;
    }
    bool isBoth(LinkInfo::Kind kind) const { return isUp() && kindOf(a) == kind && kindOf(b) == kind; }
    bool bothWays(std::size_t size = 50'000)
    {
        const std::size_t here = a.messages.size(), there = b.messages.size();
        network.send(a, Bytes(size));
        network.send(b, Bytes(size));
        return network.runUntil(
            [&] { return a.messages.size() == here + 1 && b.messages.size() == there + 1; }, 30s);
    }
    bool isUndisturbed() const
    {
        return a.ups.size() == 1 && b.ups.size() == 1 && a.downs.empty() && b.downs.empty();
    }

    Network network;
    Host& a;
    Host& b;
    StreamNetwork streams;
    bool isUdpBlocked = true;
};

Bytes strangersHello()
{
    std::array<std::byte, FleetId::kSize> other{};
    other[0] = std::byte{1};
    return PacketCodec{FleetId(other)}.serialize(
        Hello{{}, Bytes(kHelloBytes - 2 - 2 * sizeof(Cookie), std::byte{9})});
}

Endpoint strangerAt(unsigned number)
{
    return Endpoint::ipv4(198, 51, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number),
                          5'000);
}

} // namespace

class TestLinkStreams : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void namesStreamsByAddresses()
    {
        for (const StreamId stream : {StreamId{0}, StreamId{1}, StreamId{kOwnStreams + 77}}) {
            QVERIFY(isStream(addressOf(stream)));
            QVERIFY(streamAt(addressOf(stream)) == stream);
            QVERIFY(wayOf(addressOf(stream)) == Way::Stream);
        }
        for (const Endpoint& other : {Endpoint(), Endpoint::ipv4(0, 1, 0, 0, 1)}) {
            QVERIFY(!isStream(other));
            QVERIFY(wayOf(other) == Way::Udp);
        }
        std::array<std::byte, NodeId::kSize> id{};
        QVERIFY(wayOf(detourTo(NodeTag{1}, NodeId(id))) == Way::Detour);
        QVERIFY(!isCheckable(addressOf(StreamId{1}), {}));
    }

    void comesUpOnAStreamWhereUdpIsBlocked_data()
    {
        QTest::addColumn<int>("latency");
        QTest::newRow("1 ms") << 1;
        QTest::newRow("100 ms") << 100;
    }
    void comesUpOnAStreamWhereUdpIsBlocked()
    {
        QFETCH(const int, latency);
        Two two(withStreams(), std::chrono::milliseconds(latency));
        QVERIFY(two.comesUp());
        QVERIFY(two.isBoth(LinkInfo::Kind::Tcp));
        QCOMPARE(toString(two.a.ups[0].endpoint), toString(two.b.endpoint));
        QCOMPARE(toString(two.a.links->links()[0].endpoint), toString(two.b.endpoint));
        QVERIFY(two.bothWays());
        two.network.run(2min);
        QVERIFY(two.isUndisturbed());
        QVERIFY(two.a.failures.empty());
        QCOMPARE(two.streams.openEnds(), std::size_t(2));
        QVERIFY(two.a.sightings.empty()
                && two.b.sightings.empty()); // a NAT's port for TCP is no port for UDP
    }

    void goesOverToAStreamWhenUdpIsBlockedInMidLife()
    {
        Two two;
        two.isUdpBlocked = false;
        QVERIFY(two.comesUp());
        two.network.run(30s);
        two.isUdpBlocked = true;
        // Whoever called notices when it has something to say, and does not wait for the link's end.
        two.network.send(two.a, Bytes(50'000));
        QVERIFY(two.network.runUntil([&] { return two.isBoth(LinkInfo::Kind::Tcp); }, 4s));
        QVERIFY(two.network.runUntil([&] { return two.b.messages.size() == 1; }, 2s));
        QVERIFY(two.bothWays());
        QVERIFY(two.isUndisturbed());
        two.isUdpBlocked = false;
        QVERIFY(two.network.runUntil([&] { return two.isBoth(LinkInfo::Kind::Direct); }, 1min));
        QVERIFY(two.isUndisturbed());
        QVERIFY(two.bothWays());
    }

    void noticesWhileIdleThatUdpIsBlocked()
    {
        Two two;
        two.isUdpBlocked = false;
        QVERIFY(two.comesUp());
        two.isUdpBlocked = true;
        // A keepalive, and the patience after it.
        QVERIFY(two.network.runUntil([&] { return two.isBoth(LinkInfo::Kind::Tcp); }, 24s));
        QVERIFY(two.isUndisturbed());
    }

    void opensNoStreamWhereUdpWorks()
    {
        Two two;
        two.isUdpBlocked = false;
        QVERIFY(two.comesUp());
        two.network.run(1min);
        QVERIFY(two.isBoth(LinkInfo::Kind::Direct));
        QCOMPARE(two.streams.tried, std::size_t(0));
    }

    void opensNoneUnlessConfigured()
    {
        Two two{Config()};
        QVERIFY(!two.comesUp(10s));
        QCOMPARE(two.streams.tried, std::size_t(0));
        QCOMPARE(two.a.failures.size(), std::size_t(1));
    }

    void failsOnceWhenBothWaysAreBlocked()
    {
        Two two;
        two.streams.isBlocked = true;
        QVERIFY(!two.comesUp(30s));
        QCOMPARE(two.a.failures.size(), std::size_t(1));
        QVERIFY(two.a.failures[0].endpoint == two.b.endpoint);
        QVERIFY(two.streams.tried <= 2);
        QVERIFY(two.a.links->links().empty());
        // And may be tried again.
        two.streams.isBlocked = false;
        QVERIFY(two.comesUp());
    }

    void givesUpAStreamThatDoesNotAnswer()
    {
        Two two;
        two.streams.latency = 1h; // it never opens
        QVERIFY(!two.comesUp(30s));
        QCOMPARE(two.a.failures.size(), std::size_t(1));
        QCOMPARE(two.streams.openEnds(),
                 std::size_t(1)); // ours is closed; the other side has not heard of it
    }

    void greetsOnAStreamForGoodAsWell()
    {
        Two two;
        two.network.connect(two.a, two.b);
        QVERIFY(two.network.runUntil([&] { return two.isUp(); }, 2s));
        two.network.run(5min);
        QVERIFY(two.isUndisturbed());
        // When it ends, both ways are tried again.
        two.network.restart(two.b);
        two.streams.breakAll();
        QVERIFY(two.network.runUntil([&] { return two.isUp() && two.b.ups.size() == 2; }, 2min));
        QVERIFY(two.isBoth(LinkInfo::Kind::Tcp));
    }

    void goesOverToUdpWhenThatWorks()
    {
        Two two;
        for (Host* host : {&two.a, &two.b})
            two.network.give(*host, SetCandidates{{host->endpoint}});
        QVERIFY(two.comesUp());
        two.network.run(30s);
        QVERIFY(two.isBoth(LinkInfo::Kind::Tcp));
        QVERIFY(two.a.links->links()[0].punches > 2);
        two.isUdpBlocked = false;
        QVERIFY(two.network.runUntil([&] { return two.isBoth(LinkInfo::Kind::Direct); }, 5min + 5s));
        QVERIFY(two.isUndisturbed()); // it is the same link
        QVERIFY(two.bothWays());
        two.network.run(30s);
        QCOMPARE(two.streams.openEnds(), std::size_t(0)); // and the stream is not kept
        QVERIFY(two.isBoth(LinkInfo::Kind::Direct));
    }

    void findsTheAddressThatItCalledOverUdp()
    {
        Two two; // nobody has told where it may be reached
        QVERIFY(two.comesUp());
        two.isUdpBlocked = false;
        two.network.give(two.a, SetCandidates{{two.a.endpoint}});
        QVERIFY(two.network.runUntil([&] { return two.isBoth(LinkInfo::Kind::Direct); }, 1min));
    }

    void keepsTheLinkWhenItsStreamBreaks()
    {
        Two two;
        QVERIFY(two.comesUp());
        for (int i = 0; i < 3; ++i) {
            two.network.run(20s);
            two.streams.breakAll();
            QVERIFY(two.bothWays(200'000));
            QVERIFY(two.isUndisturbed());
            QVERIFY(two.isBoth(LinkInfo::Kind::Tcp));
        }
        two.network.run(30s);
        QCOMPARE(two.streams.openEnds(), std::size_t(2));
    }

    void leavesARelayForAStream()
    {
        Network network(1);
        Host& left = network.add(withStreams());
        Host& right = network.add(withStreams());
        Host& middle = network.add(withStreams());
        StreamNetwork streams(network, {&left, &right, &middle});
        streams.isBlocked = true;
        Endpoint sender;
        network.onSend = [&](const Host& from, const SendDatagram&) { sender = from.endpoint; };
        network.isLost = [&](const SendDatagram& datagram) {
            const auto isOf = [&](const Host& one, const Host& other) {
                return sender == one.endpoint && datagram.to == other.endpoint;
            };
            return isOf(left, right) || isOf(right, left);
        };
        for (Host* host : {&left, &right}) {
            network.give(*host, SetCandidates{{host->endpoint}});
            network.connect(*host, middle);
        }
        network.run(1s);
        network.give(left, Connect{right.endpoint, kTries, right.node});
        const auto kind = [](const Host& here, const Host& there) {
            for (const LinkInfo& info : here.links->links())
                if (info.isUp && info.node == there.node)
                    return std::optional(info.kind);
            return std::optional<LinkInfo::Kind>();
        };
        const auto isKind = [&](LinkInfo::Kind wanted) {
            return kind(left, right) == wanted && kind(right, left) == wanted;
        };
        QVERIFY(network.runUntil([&] { return isKind(LinkInfo::Kind::Relayed); }, 2s));
        network.run(5s);
        streams.isBlocked = false;
        QVERIFY(network.runUntil([&] { return isKind(LinkInfo::Kind::Tcp); }, 2min));
        QCOMPARE(left.ups.size(), std::size_t(2)); // the relay, and the link that has moved
        const std::size_t tried = streams.tried;
        network.run(5min);
        QVERIFY(isKind(LinkInfo::Kind::Tcp));
        QCOMPARE(streams.tried, tried);
        QCOMPARE(streams.openEnds(), std::size_t(2));
    }

    void isSilentToStrangers()
    {
        Two two;
        const std::uint64_t sent = two.b.links->stats().datagramsOut;
        for (const Bytes& bytes : {strangersHello(), Bytes(60, std::byte{0x82}), Bytes(1)}) {
            const StreamId stream = two.streams.call(two.b, strangerAt(1));
            two.network.give(two.b, StreamReceived{stream, bytes});
            QVERIFY(!two.streams.isOpen(two.b, stream)); // at once
            two.network.give(two.b, StreamReceived{stream, bytes}); // and what comes after that is nothing
        }
        QCOMPARE(two.b.links->stats().datagramsOut, sent);
        QCOMPARE(two.b.links->halfOpen(), std::size_t(0));
    }

    void closesWhoSaysNothing()
    {
        Two two;
        const StreamId stream = two.streams.call(two.b, strangerAt(1));
        two.network.run(Streams::kPatience / 2);
        QVERIFY(two.streams.isOpen(two.b, stream));
        two.network.run(Streams::kPatience);
        QVERIFY(!two.streams.isOpen(two.b, stream));
        two.network.run(1min);
        QCOMPARE(two.b.wakeUps, std::uint64_t(2)); // no timer when there is no stream
    }

    void boundsStrangersPerSourceAndInAll()
    {
        Two two;
        std::vector<StreamId> calls;
        const auto open = [&] {
            return static_cast<std::size_t>(std::count_if(
                calls.begin(), calls.end(), [&](StreamId one) { return two.streams.isOpen(two.b, one); }));
        };
        for (std::size_t i = 0; i < 2 * Streams::kMaxStrangersOfOne; ++i)
            calls.push_back(two.streams.call(two.b, strangerAt(1)));
        QCOMPARE(open(), Streams::kMaxStrangersOfOne);
        // A network of one household has 2^64 addresses.
        calls.clear();
        for (std::size_t i = 0; i < 2 * Streams::kMaxStrangersOfOne; ++i) {
            Endpoint remote{{0x20, 1, 0xd, 0xb8}, 5'000};
            remote.address[15] = static_cast<std::uint8_t>(i);
            calls.push_back(two.streams.call(two.b, remote));
        }
        QCOMPARE(open(), Streams::kMaxStrangersOfOne);
        for (unsigned i = 0; i < 500; ++i)
            calls.push_back(two.streams.call(two.b, strangerAt(100 + i)));
        QCOMPARE(open(), Streams::kMaxStrangers);
        QVERIFY(two.streams.isOpen(two.b, calls.back())); // the oldest give way
        QVERIFY(two.comesUp());
        QVERIFY(two.isUndisturbed());
    }

    void isNotDisturbedByFloods()
    {
        Two two;
        QVERIFY(two.comesUp());
        for (unsigned i = 0; i < 1'000; ++i) {
            const StreamId stream = two.streams.call(two.b, strangerAt(i));
            if (i % 2 == 0)
                two.network.give(two.b, StreamReceived{stream, strangersHello()});
        }
        QVERIFY(two.bothWays());
        two.network.run(1min);
        QVERIFY(two.isUndisturbed());
    }

    void callsNobodyAtAddressesThatNoDeviceHas()
    {
        Two two;
        two.network.give(two.a, SetCandidates{{Endpoint::ipv4(192, 0, 2, 1, 7'891)}});
        const Endpoint loopback = Endpoint::ipv4(127, 0, 0, 1, 22),
                       cloud = Endpoint::ipv4(169, 254, 169, 254, 80),
                       multicast = Endpoint::ipv4(224, 0, 0, 1, 7'891),
                       good = Endpoint::ipv4(192, 0, 2, 9, 80);
        for (const Endpoint& to : {loopback, cloud, multicast, good})
            two.network.give(two.a, Connect{to, kTries});
        two.network.run(1min);
        QCOMPARE(two.a.failures.size(), std::size_t(4));
        QVERIFY(!two.streams.calledAt.empty());
        QVERIFY(std::all_of(two.streams.calledAt.begin(), two.streams.calledAt.end(),
                            [&](const Endpoint& called) { return called == good; }));
    }

    void takesNoDatagramForAStream()
    {
        Two two;
        QVERIFY(two.comesUp());
        const std::uint64_t before = two.b.links->stats().malformed;
        two.network.inject(two.b, addressOf(StreamId{1}), strangersHello());
        QCOMPARE(two.b.links->stats().malformed, before + 1);
        two.network.give(two.b, Connect{addressOf(StreamId{1}), 1});
        QCOMPARE(two.b.failures.size(), std::size_t(1));
        // Nor does anybody number a stream as we number ours.
        const auto outputs =
            two.b.links->handle(StreamAccepted{StreamId{kOwnStreams + 1}, strangerAt(1)}, two.network.now());
        QVERIFY(!outputs.empty() && std::holds_alternative<CloseStream>(outputs[0]));
    }

    void deliversNothingThatWasCopiedOntoAnotherStream()
    {
        Two two;
        std::vector<Bytes> copied;
        const auto play = two.network.onStream;
        two.network.onStream = [&](Host& host, const Output& output) {
            if (const auto* sent = std::get_if<SendOnStream>(&output); sent && &host == &two.a)
                copied.push_back(sent->bytes);
            play(host, output);
        };
        QVERIFY(two.comesUp());
        two.network.send(two.a, Bytes(5'000));
        QVERIFY(two.network.runUntil([&] { return two.b.messages.size() == 1; }, 1s));
        for (const Bytes& bytes : copied) {
            const StreamId stream = two.streams.call(two.b, strangerAt(1));
            two.network.give(two.b, StreamReceived{stream, bytes});
            two.network.run(100ms);
        }
        two.network.run(1min);
        QCOMPARE(two.b.messages.size(), std::size_t(1));
        QVERIFY(two.isUndisturbed());
        QVERIFY(two.isBoth(LinkInfo::Kind::Tcp));
        QVERIFY(two.bothWays());
    }

    void letsHandshakesOnStreamsGoWithoutACookie()
    {
        Two two;
        // Handshakes that nobody ends, as many as make it busy: a HELLO of a device, said by others again.
        Host& device = two.network.add();
        Bytes hello;
        two.network.onSend = [&](const Host&, const SendDatagram& datagram) { hello = datagram.bytes; };
        two.network.give(device, Connect{two.b.endpoint, 1});
        two.network.run(1ms);
        QCOMPARE(hello.size(), kHelloBytes);
        for (unsigned i = 0; i < 20; ++i) {
            const StreamId stream = two.streams.call(two.b, strangerAt(i));
            two.network.give(two.b, StreamReceived{stream, hello});
            QVERIFY(two.streams.isOpen(two.b, stream));
        }
        QCOMPARE(two.b.links->halfOpen(), std::size_t(20));
        QVERIFY(two.comesUp());
        QCOMPARE(two.b.links->stats().cookiesAsked, std::uint64_t(0));
    }
};

QTEST_GUILESS_MAIN(TestLinkStreams)
#include "tst_link_streams.moc"
