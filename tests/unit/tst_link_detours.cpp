// SPDX-License-Identifier: Apache-2.0
/// Links by way of a third node, and how they leave it: two nodes behind filters that let in only what they
/// have called, and a neighbour of both.
#include "link_counting_nat.h"

#include "link/detours.h"
#include "link/punch.h"

#include <QtTest>

using namespace starling;
using namespace starling::link;
using namespace std::chrono_literals;

namespace {

constexpr unsigned kTries = 2; // as overlay::MembershipConfig

/// Three hosts: `left` and `right` have a link to `middle`.
class Trio
{
public:
    explicit Trio(std::uint64_t seed = 1, Faults faults = {}, RelayConfig relay = {})
        : network(seed, faults)
        , middle(network.add(withRelay(relay)))
        , left(network.add())
        , right(network.add())
    {
        network.onSend = [this](const Host& from, const SendDatagram& datagram) {
            m_sender = from.endpoint;
            largest = std::max(largest, datagram.bytes.size());
            m_opened.insert({from.endpoint, datagram.to});
            between += isBetween(from.endpoint, datagram.to) ? 1 : 0;
        };
        network.isLost = [this](const SendDatagram& datagram) {
            if (!isBetween(m_sender, datagram.to))
                return false;
            return isBlocked || (isFiltered && !m_opened.contains({datagram.to, m_sender}));
        };
        for (Host* host : {&left, &right})
            network.give(*host, SetCandidates{{host->endpoint}});
        network.connect(left, middle);
        network.connect(right, middle);
    }
    bool begin()
    {
        return network.runUntil(
            [this] { return middle.up.size() == 2 && left.up.size() == 1 && right.up.size() == 1; }, 10s);
    }
    void reach() { network.give(left, Connect{right.endpoint, kTries, right.node}); }

    static const LinkInfo* infoOf(const std::vector<LinkInfo>& links, const NodeId& node)
    {
        for (const LinkInfo& info : links)
            if (info.isUp && info.node == node)
                return &info;
        return nullptr;
    }
    std::optional<LinkInfo> linkOf(const Host& here, const Host& there) const
    {
        const auto links = here.links->links();
        const LinkInfo* info = infoOf(links, there.node);
        return info == nullptr ? std::nullopt : std::optional(*info);
    }
    bool isLinked(LinkInfo::Kind kind) const
    {
        const auto there = linkOf(left, right), here = linkOf(right, left);
        return there && here && there->kind == kind && here->kind == kind;
    }
    std::size_t linksOfPair() const
    {
        const auto links = left.links->links();
        return static_cast<std::size_t>(
            std::count_if(links.begin(), links.end(),
                          [this](const LinkInfo& info) { return info.isUp && info.node == right.node; }));
    }

    Network network;
    Host& middle;
    Host& left;
    Host& right;
    bool isBlocked = false, isFiltered = true;
    std::size_t largest = 0; ///< datagram of all
    std::uint64_t between = 0; ///< datagrams from left to right or back

private:
    static Config withRelay(const RelayConfig& relay)
    {
        Config config;
        config.relay = relay;
        return config;
    }
    bool isBetween(const Endpoint& a, const Endpoint& b) const
    {
        return (a == left.endpoint && b == right.endpoint) || (a == right.endpoint && b == left.endpoint);
    }
    Endpoint m_sender;
    std::set<std::pair<Endpoint, Endpoint>> m_opened;
};

} // namespace

class TestLinkDetours : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void namesTheNodeAndItsRelay()
    {
        std::array<std::byte, NodeId::kSize> id{};
        id[0] = std::byte{0xab};
        id[7] = std::byte{0xcd};
        const NodeId node(id);
        id[1] = std::byte{0x12};
        const NodeId relay(id);
        const Endpoint detour = detourTo(tagOf(node), relay);
        QVERIFY(isDetour(detour));
        QVERIFY(targetOf(detour) == tagOf(node));
        QVERIFY(leadsThrough(detour, relay));
        QVERIFY(!leadsThrough(detour, node));
        QVERIFY(!isDetour(Endpoint::ipv4(1, 0, 0, 0, 1)));
        QVERIFY(!isDetour(Endpoint()));
    }

    void opensBothFiltersByWayOfANeighbour_data()
    {
        QTest::addColumn<int>("latency");
        QTest::addColumn<unsigned>("loss");
        QTest::newRow("1 ms") << 1 << 0u;
        QTest::newRow("30 ms") << 30 << 0u;
        QTest::newRow("100 ms") << 100 << 0u;
        QTest::newRow("20 ms, 5 % loss") << 20 << 5u;
    }
    void opensBothFiltersByWayOfANeighbour()
    {
        QFETCH(const int, latency);
        QFETCH(const unsigned, loss);
        Trio trio(7, {.lossPercent = loss, .latency = std::chrono::milliseconds(latency)});
        QVERIFY(trio.begin());
        const Instant before = trio.network.now();
        trio.reach();
        const bool isPunched =
            trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Punched); }, 10s);
        QVERIFY(isPunched);
        if (loss == 0)
            QVERIFY(trio.network.now() - before < (latency < 100 ? 2s : 3s));
        // One link, on which messages flow, and of which the neighbour sees nothing any more.
        QCOMPARE(trio.linksOfPair(), std::size_t(1));
        const auto carried = trio.middle.links->carriedBytes();
        QVERIFY(carried > 0);
        const LinkId link = trio.linkOf(trio.left, trio.right)->link;
        trio.network.give(trio.left, SendMessage{link, Bytes(100'000)});
        QVERIFY(trio.network.runUntil([&] { return !trio.right.messages.empty(); }, 10s));
        QVERIFY(trio.middle.links->carriedBytes() - carried < 10'000);
        QVERIFY(trio.left.failures.empty());
    }

    /// Mostly one: where a handshake by each way was answered before the other was over, whoever uses links
    /// closes the one that it does not need.
    void endsInLinksThatHoldWhenBothBeginAtOnce()
    {
        unsigned doubles = 0;
        for (std::uint64_t seed = 1; seed <= 100; ++seed) {
            Trio trio(seed, {.latency = 10ms, .jitter = 10ms});
            QVERIFY(trio.begin());
            trio.reach();
            trio.network.give(trio.right, Connect{trio.left.endpoint, kTries, trio.left.node});
            QVERIFY(trio.network.runUntil(
                [&] {
                    return trio.isLinked(LinkInfo::Kind::Punched) || trio.isLinked(LinkInfo::Kind::Direct);
                },
                5s));
            trio.network.run(5s);
            QVERIFY(trio.linksOfPair() >= 1 && trio.linksOfPair() <= 2);
            QCOMPARE(trio.left.up.size(), trio.right.up.size());
            doubles += trio.linksOfPair() == 2 ? 1 : 0;
            for (const LinkId link : trio.left.up)
                trio.network.give(trio.left, SendMessage{link, Bytes(10)});
            trio.network.run(1s);
            QCOMPARE(trio.right.messages.size() + trio.middle.messages.size(), trio.left.up.size());
            QVERIFY(trio.left.downs.empty() && trio.right.downs.empty());
        }
        QVERIFY2(doubles <= 15, std::to_string(doubles).c_str());
    }

    void goesDirectlyWhereNothingIsInTheWay()
    {
        Trio trio;
        trio.isFiltered = false;
        QVERIFY(trio.begin());
        trio.reach();
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Direct); }, 1s));
        trio.network.run(5s);
        QCOMPARE(trio.middle.links->carriedBytes(), std::uint64_t(0));
        QVERIFY(trio.left.failures.empty());
    }

    void staysWithTheRelayWhereNothingGetsThrough()
    {
        Trio trio;
        trio.isBlocked = true;
        QVERIFY(trio.begin());
        const Instant before = trio.network.now();
        trio.reach();
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Relayed); }, 2s));
        QVERIFY(trio.network.now() - before < 1s);
        const auto info = trio.linkOf(trio.left, trio.right);
        QVERIFY(info->relay == trio.middle.node);
        trio.network.give(trio.left, SendMessage{info->link, Bytes(60'000)});
        const Bytes most(trio.left.links->maxUnreliableBytes());
        trio.network.give(trio.left, SendUnreliable{info->link, most});
        QVERIFY(trio.network.runUntil([&] { return !trio.right.messages.empty(); }, 5s));
        QVERIFY(trio.right.unreliable == std::vector<Bytes>{most});
        // What the relay sends fits the least MTU of IPv6.
        QVERIFY(trio.largest <= 1'280 - 40 - 8);
        QVERIFY(trio.left.failures.empty());
        // It keeps trying, ever less often, and the link stays.
        trio.network.run(10min);
        QVERIFY(trio.isLinked(LinkInfo::Kind::Relayed));
        QVERIFY(trio.linkOf(trio.left, trio.right)->punches >= 4);
        QVERIFY2(trio.between < 400, std::to_string(trio.between).c_str());
        // When the way is free, it is found.
        trio.isBlocked = false;
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Punched); }, 6min));
        QVERIFY(trio.left.downs.empty() && trio.right.downs.empty());
    }

    void takesTheRelayWhenTheDirectWayIsBlockedInMidLife_data()
    {
        QTest::addColumn<bool>("isLeft");
        QTest::addColumn<bool>("isElsewhere");
        QTest::newRow("who called speaks") << true << false;
        QTest::newRow("who was called speaks") << false << false; // and leaves it to the other one for long
        QTest::newRow("who was called is elsewhere") << false << true;
    }
    void takesTheRelayWhenTheDirectWayIsBlockedInMidLife()
    {
        QFETCH(const bool, isLeft);
        QFETCH(const bool, isElsewhere);
        Trio trio(9, {.latency = 20ms});
        QVERIFY(trio.begin());
        trio.reach();
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Punched); }, 5s));
        trio.network.run(40s); // keepalives have measured the round trip
        trio.isBlocked = true;
        const Host& other = isLeft ? trio.right : trio.left;
        Host& speaker = isLeft ? trio.left : trio.right;
        if (isElsewhere)
            trio.network.give(speaker, AddressChanged{});
        trio.network.give(speaker, SendMessage{trio.linkOf(speaker, other)->link, Bytes(100)});
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Relayed); },
                                      isLeft || isElsewhere ? 4s : 10s));
        QVERIFY(trio.network.runUntil([&] { return other.messages.size() == 1; }, 1s));
        trio.network.run(30s);
        QCOMPARE(trio.linksOfPair(), std::size_t(1));
        QVERIFY(trio.left.downs.empty() && trio.right.downs.empty());
        trio.isBlocked = false;
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Punched); }, 6min));
        QVERIFY(trio.network.runUntil([&] { return trio.left.sightings.size() == 3; }, 1s)); // right's again
    }

    void losesNoMessageWhenItLeavesTheDetour()
    {
        Trio trio(3, {.latency = 20ms, .jitter = 5ms});
        trio.isBlocked = true;
        QVERIFY(trio.begin());
        trio.reach();
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Relayed); }, 2s));
        const LinkId link = trio.linkOf(trio.left, trio.right)->link;
        const LinkId back = trio.linkOf(trio.right, trio.left)->link;
        for (int i = 0; i < 200; ++i) {
            if (i == 20)
                trio.isBlocked = false;
            trio.network.give(trio.left, SendMessage{link, Bytes(1'000, std::byte(i))});
            trio.network.give(trio.right, SendMessage{back, Bytes(1'000, std::byte(i))});
            trio.network.run(50ms);
        }
        trio.network.run(5s);
        QVERIFY(trio.isLinked(LinkInfo::Kind::Punched));
        for (const Host* host : {&trio.left, &trio.right}) {
            QCOMPARE(host->messages.size(), std::size_t(200));
            for (std::size_t i = 0; i < 200; ++i)
                QVERIFY(host->messages[i] == Bytes(1'000, std::byte(static_cast<unsigned char>(i))));
        }
    }

    void failsAfterEverythingHas()
    {
        Trio trio;
        trio.isBlocked = true;
        QVERIFY(trio.begin());
        // Nobody has a link to this one.
        std::array<std::byte, NodeId::kSize> id{};
        id[0] = std::byte{99};
        const Endpoint nowhere = Endpoint::ipv4(127, 0, 0, 1, 9);
        trio.network.give(trio.left, Connect{nowhere, kTries, NodeId(id)});
        trio.network.run(5s);
        QCOMPARE(trio.left.failures.size(), std::size_t(1));
        QCOMPARE(toString(trio.left.failures[0].endpoint), toString(nowhere));
        QCOMPARE(trio.left.links->links().size(), std::size_t(1));
    }

    void saysThatAQuotaIsOver()
    {
        RelayConfig relay;
        relay.mode = RelayConfig::Mode::Introduce;
        Trio trio(5, {}, relay);
        trio.isBlocked = true;
        QVERIFY(trio.begin());
        trio.reach();
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Relayed); }, 2s));
        const LinkId link = trio.linkOf(trio.left, trio.right)->link;
        const Bytes datagram(1'000);
        for (int i = 0; i < 1'000; ++i) {
            trio.network.give(trio.left, SendUnreliable{link, datagram});
            trio.network.run(5ms);
        }
        // 5 s: what everybody carries, and not the megabyte.
        QVERIFY(trio.middle.links->carriedBytes() < relay.leastBurst + 7 * relay.leastPerSecond);
        QVERIFY(trio.left.links->stats().unreliableDropped > 500);
        // The link itself stays, and messages get through.
        trio.network.give(trio.left, SendMessage{link, Bytes(2'000)});
        QVERIFY(trio.network.runUntil([&] { return !trio.right.messages.empty(); }, 10s));
        trio.network.run(1min);
        QVERIFY(trio.isLinked(LinkInfo::Kind::Relayed));
    }

    void endsWhenTheRelayKnowsTheOtherSideNoLonger()
    {
        Trio trio;
        trio.isBlocked = true;
        QVERIFY(trio.begin());
        trio.reach();
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Relayed); }, 2s));
        const LinkId link = trio.linkOf(trio.left, trio.right)->link;
        trio.network.give(trio.middle, Close{trio.linkOf(trio.middle, trio.right)->link});
        trio.network.give(trio.left, SendMessage{link, Bytes(10)});
        QVERIFY(trio.network.runUntil([&] { return !trio.left.downs.empty(); }, 1s));
        QVERIFY(trio.left.downs[0].reason == Errc::Unreachable);
    }

    void boundsWhatOneNodeCarries()
    {
        RelayConfig config;
        config.maxPairs = 3;
        config.maxPairsOfOne = 2;
        config.pairBytes = 10'000;
        config.leastBurst = 1'000;
        config.leastPerSecond = 100;
        config.pairTime = 1min;
        Relay relay(config, Instant());
        relay.onReached();
        const auto node = [](unsigned number) {
            std::array<std::byte, NodeId::kSize> id{};
            id[0] = static_cast<std::byte>(number);
            return NodeId(id);
        };
        using Verdict = Relay::Verdict;
        const Instant start;
        for (int i = 0; i < 11;
             ++i) // both directions are one pair; the last is within what everybody carries
            QVERIFY(relay.judge(node(i % 2 == 0 ? 1 : 2), node(i % 2 == 0 ? 2 : 1), 1'000, start)
                    == Verdict::Carry);
        QVERIFY(relay.judge(node(1), node(2), 1'000, start) == Verdict::Refuse);
        QVERIFY(relay.judge(node(1), node(2), 1'000, start) == Verdict::Drop); // it has been said
        QVERIFY(relay.judge(node(1), node(3), 1'000, start) == Verdict::Carry);
        QVERIFY(relay.judge(node(1), node(4), 1'000, start) == Verdict::Refuse); // one too many of this node
        QVERIFY(relay.judge(node(5), node(6), 1'000, start) == Verdict::Carry);
        QVERIFY(relay.judge(node(7), node(8), 1'000, start) == Verdict::Refuse); // and in all
        QCOMPARE(relay.pairs(), std::size_t(3));
        QVERIFY(relay.judge(node(1), node(2), 1'000, start + 2min) == Verdict::Carry);
        QVERIFY(relay.judge(node(1), node(4), 1'000, start + 5min)
                == Verdict::Carry); // 1 and 3 are forgotten
    }

    void takesNoDetourForAnAddress()
    {
        Trio trio;
        QVERIFY(trio.begin());
        const Endpoint forged = detourTo(tagOf(trio.right.node), trio.middle.node);
        const auto malformed = trio.left.links->stats().malformed;
        trio.network.inject(trio.left, forged, Bytes(kHelloBytes));
        QCOMPARE(trio.left.links->stats().malformed, malformed + 1);
        trio.network.give(trio.left, Connect{forged, kTries, trio.right.node});
        QCOMPARE(trio.left.failures.size(), std::size_t(1));
        QVERIFY(!isCheckable(forged, {}));
    }

    void carriesNothingForTheExpired()
    {
        Trio trio;
        trio.middle.authenticator->takeAllForExpired(true);
        QVERIFY(trio.begin());
        QVERIFY(trio.middle.ups.size() == 2 && trio.middle.ups.front().isRestricted);
        QVERIFY(!trio.left.ups.front().isRestricted); // it finds the other side good
        trio.isBlocked = true;
        trio.reach();
        trio.network.run(30s);
        QCOMPARE(trio.linksOfPair(), std::size_t(0));
        QCOMPARE(trio.middle.links->carriedBytes(), std::uint64_t(0));
        // Messages go over the link all the same: what they may be is the overlay's to say.
        trio.network.send(trio.left, toBytes(std::string_view("hello")));
        trio.network.run(1s);
        QCOMPARE(trio.middle.messages.size(), std::size_t(1));
    }

    /// A relay could make up nodes behind it, and take all the room that there is for links.
    void linksByADetourWithNobodyButWhomItNames()
    {
        Trio trio;
        QVERIFY(trio.begin());
        PlainAuthenticator authenticator(trio.left.node, 9);
        SeededRandom random(9);
        Shared shared{trio.left.node, {}, authenticator, random, {}, {}, 0, {}, {}};
        const PacketCodec codec(authenticator.fleet());
        LinkTable table(shared, codec);
        Detours detours(shared, table);
        const Endpoint detour = detourTo(tagOf(trio.right.node), trio.middle.node);
        QVERIFY(detours.isNeeded(detour, trio.right.node));
        QVERIFY(!detours.isNeeded(detour, trio.middle.node));
        QVERIFY(detours.isNeeded(trio.right.endpoint, trio.middle.node));
    }

    void saysGoodbyeByTheDetour()
    {
        Trio trio;
        trio.isBlocked = true;
        QVERIFY(trio.begin());
        trio.reach();
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Relayed); }, 2s));
        trio.network.give(trio.right, CloseAll{});
        QVERIFY(trio.network.runUntil([&] { return !trio.left.downs.empty(); }, 100ms));
        QVERIFY(trio.left.downs[0].reason == Errc::Cancelled);
    }

    void challengesOnlyWhereSomebodyMayBe()
    {
        QVERIFY(isCheckable(Endpoint::ipv4(192, 0, 2, 1, 1), {}));
        QVERIFY(!isCheckable(Endpoint::ipv4(192, 0, 2, 1, 0), {}));
        QVERIFY(!isCheckable(Endpoint::ipv4(0, 0, 0, 0, 1), {}));
        QVERIFY(!isCheckable(Endpoint::ipv4(224, 0, 0, 1, 1), {}));
        QVERIFY(!isCheckable(Endpoint::ipv4(255, 255, 255, 255, 1), {}));
        const Endpoint loopback = Endpoint::ipv4(127, 0, 0, 1, 1);
        QVERIFY(!isCheckable(loopback, {}));
        QVERIFY(isCheckable(loopback, {loopback}));
        Endpoint multicast;
        multicast.address[0] = 0xff;
        multicast.port = 1;
        QVERIFY(!isCheckable(multicast, {}));
    }

    void isNotMadeToSendChallengesWithoutEnd()
    {
        Punch punch(false);
        Instant now;
        punch.begin(now);
        std::size_t challenges = 0;
        const std::vector<Endpoint> victims(kMaxNamedCandidates, Endpoint::ipv4(192, 0, 2, 1, 7));
        for (int i = 0; i < 10'000; ++i) { // 10 s
            now += 1ms;
            const auto round = static_cast<std::uint8_t>(2 * i);
            punch.onCandidates({round, false, victims}, {}, now);
            punch.onGo({round}, now);
            challenges += punch.onDue({}, now).check.size();
        }
        QVERIFY2(challenges <= 11 * Punch::kVolleys * kMaxNamedCandidates,
                 std::to_string(challenges).c_str());
    }

    void meetsTheNextPortsOfANatThatCounts_data()
    {
        QTest::addColumn<int>("step");
        QTest::addColumn<int>("used");
        QTest::newRow("by one") << 1 << 0;
        QTest::newRow("by two") << 2 << 0;
        QTest::newRow("by one, 60 used since") << 1 << 60;
        QTest::newRow("by two, 90 used since") << 2 << 90;
        QTest::newRow("by one, 300 used since") << 1 << 300;
    }
    void meetsTheNextPortsOfANatThatCounts()
    {
        QFETCH(const int, step);
        QFETCH(const int, used);
        CountingTrio trio(static_cast<std::uint16_t>(step));
        QVERIFY(trio.begin());
        trio.foresee(trio.left, static_cast<std::uint16_t>(step));
        trio.use(static_cast<unsigned>(used));
        trio.reach();
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Punched); },
                                      used < 100 ? 2s : 30s));
        QVERIFY(trio.guesses <= (used < 100 ? 1 : 4) * kMaxGuesses + 20);
    }

    /// Then its own datagrams come through the filter that the guess has opened, and are answered.
    void meetsAPortThatWasGuessedTooEarly()
    {
        CountingTrio trio;
        QVERIFY(trio.begin());
        trio.foresee(trio.left, 1);
        std::optional<Instant> guessed;
        Endpoint sender;
        trio.network.onSend = [&](const Host& from, const SendDatagram& datagram) {
            sender = from.endpoint;
            if (&from == &trio.right && trio.guesses > 0 && !guessed)
                guessed = trio.network.now();
            static_cast<void>(datagram);
        };
        trio.network.isLost = [&](const SendDatagram& datagram) {
            return sender == trio.left.endpoint && datagram.to == trio.right.endpoint
                && (!guessed || trio.network.now() - *guessed < 50ms);
        };
        trio.reach();
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Punched); }, 2s));
    }

    void findsThePortThatWasTakenBeforeTheLastOne()
    {
        CountingTrio trio;
        QVERIFY(trio.begin());
        trio.network.give(trio.left, Connect{trio.right.endpoint, kTries}); // too early: nobody lets it in
        trio.network.run(100ms);
        trio.use(5);
        trio.foresee(trio.left, 1);
        trio.reach();
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Punched); }, 2s));
    }

    void staysWithTheRelayWherePortsCannotBeGuessed()
    {
        CountingTrio trio(997);
        QVERIFY(trio.begin());
        trio.foresee(trio.left, 1);
        trio.reach();
        QVERIFY(trio.network.runUntil([&] { return trio.isLinked(LinkInfo::Kind::Relayed); }, 2s));
        const Instant since = trio.network.now();
        trio.network.run(2s);
        QVERIFY(trio.guesses > 0);
        QVERIFY(trio.guesses <= kMaxGuesses + 20);
        trio.network.run(10min);
        QVERIFY(trio.isLinked(LinkInfo::Kind::Relayed));
        QVERIFY2(trio.guesses <= 12 * kMaxGuesses, std::to_string(trio.guesses).c_str());
        QVERIFY(trio.network.now() - since >= 10min);
    }

    /// Whoever is behind such a NAT itself would only take more of its ports.
    void doesNotGuessFromPortsThatAreOthersToo()
    {
        CountingTrio trio;
        QVERIFY(trio.begin());
        trio.foresee(trio.left, 1);
        trio.foresee(trio.right, 1);
        trio.reach();
        trio.network.run(10s);
        QVERIFY(trio.isLinked(LinkInfo::Kind::Relayed));
        QCOMPARE(trio.guesses, std::size_t(0));
    }

    void boundsWhatAForecastMakesItSend()
    {
        Punch punch(false);
        Instant now;
        punch.begin(now);
        const PortForecast forecast{Endpoint::ipv4(192, 0, 2, 1, 65'000), kMaxForecastStep};
        std::size_t challenges = 0;
        for (int i = 0; i < 40'000; ++i) { // 40 s
            now += 1ms;
            const auto round = static_cast<std::uint8_t>(2 * i);
            punch.onCandidates({round, false, {}, forecast}, {}, now);
            punch.onGo({round}, now);
            for (const Endpoint& endpoint : punch.onDue({}, now).check) {
                ++challenges;
                QVERIFY(endpoint.address == forecast.last.address && endpoint.port >= 1'024);
            }
        }
        QVERIFY(challenges > 0);
        QVERIFY2(challenges <= 10 * kMaxGuesses, std::to_string(challenges).c_str());
        // Nor does it go where no candidate may be.
        for (const Endpoint& nobody : {Endpoint::ipv4(224, 0, 0, 1, 5'000),
                                       Endpoint::ipv4(127, 0, 0, 1, 5'000), detourTo(NodeTag{7}, NodeId())}) {
            Punch other(false);
            other.begin(now);
            other.onCandidates({0, false, {}, PortForecast{nobody, 1}}, {}, now);
            other.onGo({0}, now);
            QVERIFY(other.onDue({}, now).check.empty());
        }
    }

    void saysWhereItSeesTheOtherSide()
    {
        Trio trio;
        QVERIFY(trio.begin());
        trio.network.run(1s);
        QCOMPARE(trio.left.sightings.size(), std::size_t(1));
        QCOMPARE(toString(trio.left.sightings[0]), toString(trio.left.endpoint));
        QCOMPARE(trio.middle.sightings.size(), std::size_t(2));
    }
};

QTEST_APPLESS_MAIN(TestLinkDetours)
#include "tst_link_detours.moc"
