// SPDX-License-Identifier: Apache-2.0
#include "link/frame.h"
#include "link/packet.h"
#include "link_network.h"

#include <QtTest>

using namespace starling;
using namespace starling::link;
using namespace std::chrono_literals;

namespace {

Bytes pattern(std::size_t size, std::uint64_t seed)
{
    Bytes bytes(size);
    SeededRandom(seed).fill(bytes);
    return bytes;
}

Endpoint strangerAt(std::uint32_t number)
{
    return Endpoint::ipv4(10, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                          static_cast<std::uint8_t>(number), 9);
}

/// Two hosts, one link that is up on both sides.
struct Pair
{
    explicit Pair(std::uint64_t seed = 1, Faults faults = {}, Config config = {})
        : network(seed, faults)
        , a(network.add(config))
        , b(network.add(config))
    {
        network.connect(a, b);
        isUp = network.runUntil([this] { return a.up.size() == 1 && b.up.size() == 1; }, 5min);
    }
    bool deliver(Host& from, Host& to, const Bytes& message, Duration limit = 1min)
    {
        const std::size_t before = to.messages.size();
        network.send(from, message);
        return network.runUntil([&] { return to.messages.size() > before; }, limit)
            && to.messages.back() == message;
    }
    Network network;
    Host& a;
    Host& b;
    bool isUp = false;
};

} // namespace

class TestLink : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void deliversMessagesOfEverySize();
    void deliversInOrderThroughFaults_data();
    void deliversInOrderThroughFaults();
    void deliversDuplicatesOnce();
    void carriesTheLargestMessageQuickly();
    void repairsSingleLossesWithoutTimeouts();
    void refusesMessageOverTheLimit();
    void endsLinkOnMessageOverTheReceiversLimit();
    void endsLinkWhenTheQueueOverflows();
    void ignoresMessageForUnknownLink();
    void ignoresStaleTimer();
    void makesOneLinkWhenBothConnectAtOnce_data();
    void makesOneLinkWhenBothConnectAtOnce();
    void replacesLinkWhenRestartedPeerConnects();
    void findsThatTheOtherSideRestarted();
    void timesOutWithMessagesUnderWay();
    void timesOutWhenIdle();
    void staysUpThroughLossesWhenIdle();
    void reconnectsAfterTheOtherSideReturns();
    void backsOffWhenNobodyAnswers();
    void triesAsOftenAsAsked();
    void aProbeTellsOfSilenceAndOfItsEnd();
    void leavesATriedLinkThatEnded();
    void closesOneLinkForGood();
    void saysGoodbyeOnce();
    void neverLinksToItself();
    void givesTheSameTraceForTheSameSeed();
    void isNotDisturbedByGarbage();
    void refusesLinksOverTheLimit();
    void rarelyWakesWhenIdle();
    void measuresTheRoundTrip();
};

void TestLink::deliversMessagesOfEverySize()
{
    Pair pair;
    QVERIFY(pair.isUp);
    QCOMPARE(pair.b.ups.front().node.hex(), pair.a.node.hex());
    const std::size_t fragment = pair.a.config.datagramBytes - kSealedOverheadBytes - kDataOverheadBytes;
    const std::size_t sizes[] = {0,    1,    fragment - 1, fragment,       fragment + 1,    2 * fragment,
                                 1199, 1200, 1201,         256 * fragment, 1024 * 1024 - 1, 1024 * 1024};
    for (const std::size_t size : sizes) {
        QVERIFY2(pair.deliver(pair.a, pair.b, pattern(size, size)), std::to_string(size).c_str());
        QVERIFY2(pair.deliver(pair.b, pair.a, pattern(size, size + 1)), std::to_string(size).c_str());
    }
    QCOMPARE(pair.a.messages.size(), std::size(sizes));
    QCOMPARE(pair.a.links->stats().retransmissions, 0u);
    QVERIFY(pair.a.downs.empty() && pair.b.downs.empty());
}

void TestLink::deliversInOrderThroughFaults_data()
{
    QTest::addColumn<unsigned>("loss");
    QTest::addColumn<unsigned>("duplicates");
    QTest::addColumn<unsigned>("corruption");
    QTest::addColumn<int>("jitterMs");
    QTest::addColumn<std::uint64_t>("seed");
    QTest::newRow("reordering") << 0u << 0u << 0u << 20 << std::uint64_t(1);
    QTest::newRow("corruption") << 0u << 0u << 10u << 0 << std::uint64_t(2);
    for (std::uint64_t seed = 3; seed < 6; ++seed) {
        for (const unsigned loss : {1u, 10u, 30u})
            QTest::addRow("everything, %u %% loss, seed %u", loss, static_cast<unsigned>(seed))
                << loss << 10u << 3u << 10 << seed;
    }
}

void TestLink::deliversInOrderThroughFaults()
{
    QFETCH(unsigned, loss);
    QFETCH(unsigned, duplicates);
    QFETCH(unsigned, corruption);
    QFETCH(int, jitterMs);
    QFETCH(std::uint64_t, seed);
    Pair pair(seed, Faults{loss, duplicates, corruption, 5ms, std::chrono::milliseconds(jitterMs)});
    QVERIFY(pair.isUp);
    const std::size_t sizes[] = {0, 1, 1158, 1159, 1160, 1199, 1200, 1201, 300'000, 0, 17, 1024 * 1024};
    std::vector<Bytes> sent;
    for (const std::size_t size : sizes) {
        sent.push_back(pattern(size, seed + size));
        pair.network.send(pair.a, sent.back());
        pair.network.send(pair.b, sent.back());
    }
    QVERIFY(pair.network.runUntil(
        [&] { return pair.a.messages.size() >= sent.size() && pair.b.messages.size() >= sent.size(); },
        10min));
    pair.network.run(10s);
    QVERIFY(pair.a.messages == sent);
    QVERIFY(pair.b.messages == sent);
    QVERIFY(pair.a.downs.empty() && pair.b.downs.empty());
    QCOMPARE(pair.b.links->stats().messagesIn, std::uint64_t(sent.size()));
    QVERIFY(pair.a.links->stats().retransmissions > 0);
    QCOMPARE(pair.b.links->stats().malformed > 0, corruption > 0);
}

void TestLink::deliversDuplicatesOnce()
{
    Pair pair(1, Faults{0, 100, 0, 1ms, 5ms});
    QVERIFY(pair.isUp);
    for (std::size_t i = 0; i < 50; ++i)
        pair.network.send(pair.a, pattern(i, i));
    pair.network.run(1min);
    QCOMPARE(pair.b.messages.size(), std::size_t(50));
    QCOMPARE(pair.a.ups.size(), std::size_t(1));
    QCOMPARE(pair.b.ups.size(), std::size_t(1));
}

void TestLink::carriesTheLargestMessageQuickly()
{
    Pair pair(1, Faults{0, 0, 0, 50us, {}});
    QVERIFY(pair.isUp);
    const Instant before = pair.network.now();
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(1024 * 1024, 1)));
    QVERIFY(pair.network.now() - before < 20ms);
    // One ACK for several fragments.
    QVERIFY(pair.b.datagramsSent * 4 < pair.a.datagramsSent);
    // Timers are set for the whole of it, not for each fragment.
    QVERIFY(pair.a.schedules < 10 && pair.b.schedules < 10);
}

void TestLink::repairsSingleLossesWithoutTimeouts()
{
    Pair pair;
    QVERIFY(pair.isUp);
    // The fourth fragment and the tenth; what is in a datagram, nobody can see.
    unsigned large = 0, losses = 0;
    pair.network.isLost = [&](const SendDatagram& datagram) {
        if (datagram.bytes.size() < 1'000)
            return false;
        ++large;
        const bool isLost = large == 4 || large == 10;
        losses += isLost ? 1 : 0;
        return isLost;
    };
    const Instant before = pair.network.now();
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(100'000, 1)));
    QVERIFY(pair.network.now() - before < pair.a.config.minRetransmit);
    pair.network.run(1s);
    QCOMPARE(losses, 2u);
    QCOMPARE(pair.a.links->stats().retransmissions, 2u);
}

void TestLink::refusesMessageOverTheLimit()
{
    Pair pair;
    pair.network.send(pair.a, Bytes(1024 * 1024 + 1));
    QCOMPARE(pair.a.links->stats().refusedMessages, 1u);
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(10, 1)));
    QCOMPARE(pair.b.messages.size(), std::size_t(1));
    QVERIFY(pair.a.downs.empty());
}

void TestLink::endsLinkOnMessageOverTheReceiversLimit()
{
    Network network(1);
    Config small;
    small.maxMessageBytes = 10'000;
    Host& a = network.add();
    Host& b = network.add(small);
    network.connect(a, b);
    QVERIFY(network.runUntil([&] { return !a.up.empty() && !b.up.empty(); }, 1min));
    network.send(a, Bytes(10'001));
    QVERIFY(network.runUntil([&] { return !a.downs.empty() && !b.downs.empty(); }, 1min));
    QVERIFY(b.downs.front().reason == Errc::TooLarge);
    QVERIFY(a.downs.front().reason == Errc::Cancelled);
    QVERIFY(b.messages.empty());
}

void TestLink::endsLinkWhenTheQueueOverflows()
{
    Pair pair;
    for (int i = 0; i < 5; ++i)
        pair.network.give(pair.a, SendMessage{pair.a.ups.front().link, Bytes(1024 * 1024)});
    QCOMPARE(pair.a.downs.size(), std::size_t(1));
    QVERIFY(pair.a.downs.front().reason == Errc::Busy);
    QVERIFY(pair.network.runUntil([&] { return pair.a.up.size() == 1 && pair.b.ups.size() == 2; }, 1min));
    QVERIFY(pair.b.downs.front().reason == Errc::Cancelled);
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(100, 1)));
    // Empty messages count, too.
    for (int i = 0; i < 100'000 && !pair.a.up.empty(); ++i)
        pair.network.send(pair.a, {});
    QVERIFY(pair.a.up.empty());
}

void TestLink::ignoresMessageForUnknownLink()
{
    Pair pair;
    QVERIFY(pair.a.links->handle(SendMessage{LinkId{99}, Bytes(1)}, pair.network.now()).empty());
    Network network(1);
    Host& lonely = network.add();
    network.connect(lonely, pair.b);
    QVERIFY(lonely.links->handle(SendMessage{lonely.links->links().front().link, Bytes(1)}, network.now())
                .empty());
}

void TestLink::ignoresStaleTimer()
{
    Pair pair;
    const LinkId link = Network::theLink(pair.a);
    QVERIFY(pair.a.links->handle(TimerExpired{{link, 0}}, pair.network.now() + 1h).empty());
    QVERIFY(pair.a.links->handle(TimerExpired{{LinkId{77}, 1}}, pair.network.now() + 1h).empty());
    QCOMPARE(pair.a.up.size(), std::size_t(1));
}

void TestLink::makesOneLinkWhenBothConnectAtOnce_data()
{
    QTest::addColumn<unsigned>("loss");
    QTest::addColumn<int>("headStartUs");
    for (const unsigned loss : {0u, 30u}) {
        for (const int headStart : {0, 500, 1000, 1500, 2500})
            QTest::addRow("%u %% loss, %d us", loss, headStart) << loss << headStart;
    }
}

void TestLink::makesOneLinkWhenBothConnectAtOnce()
{
    QFETCH(unsigned, loss);
    QFETCH(int, headStartUs);
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Network network(seed, Faults{loss, loss, 0, 1ms, 2ms});
        Host& a = network.add();
        Host& b = network.add();
        network.connect(a, b);
        network.run(std::chrono::microseconds(headStartUs));
        network.connect(b, a);
        network.run(2min);
        QCOMPARE(a.ups.size(), std::size_t(1));
        QCOMPARE(b.ups.size(), std::size_t(1));
        QVERIFY(a.downs.empty() && b.downs.empty());
        QCOMPARE(a.links->links().size(), std::size_t(1));
        network.send(a, pattern(5'000, seed));
        network.send(b, pattern(5'000, seed));
        network.run(1min);
        QCOMPARE(a.messages.size(), std::size_t(1));
        QCOMPARE(b.messages.size(), std::size_t(1));
    }
}

void TestLink::replacesLinkWhenRestartedPeerConnects()
{
    Pair pair;
    pair.network.restart(pair.a);
    pair.network.connect(pair.a, pair.b);
    const Instant before = pair.network.now();
    QVERIFY(pair.network.runUntil([&] { return pair.b.ups.size() == 2; }, 1s));
    QVERIFY(pair.network.now() - before < 10ms);
    QCOMPARE(pair.b.up.size(), std::size_t(1));
    QCOMPARE(pair.b.downs.size(), std::size_t(1));
    QVERIFY(pair.b.downs.front().link == pair.b.ups.front().link);
    QVERIFY(pair.b.downs.front().reason == Errc::Unreachable);
    QVERIFY(pair.deliver(pair.b, pair.a, pattern(3'000, 1)));
    pair.network.run(10min);
    QCOMPARE(pair.b.ups.size(), std::size_t(2));
}

void TestLink::findsThatTheOtherSideRestarted()
{
    // Nobody says so: a stranger could, too. A handshake beside the silent link finds out.
    Pair pair;
    pair.network.restart(pair.b); // which connects to nobody
    pair.network.send(pair.a, pattern(1, 1));
    QVERIFY(pair.network.runUntil([&] { return pair.a.ups.size() == 2; }, 8s));
    QVERIFY(pair.a.downs.front().reason == Errc::Unreachable);
    QCOMPARE(pair.a.up.size(), std::size_t(1));
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(1, 2)));
    // Also when there is nothing to say but that one is there.
    pair.network.restart(pair.b);
    QVERIFY(pair.network.runUntil([&] { return pair.a.ups.size() == 3; }, 2 * pair.a.config.keepalive + 8s));
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(1, 3)));
}

void TestLink::timesOutWithMessagesUnderWay()
{
    Pair pair;
    pair.b.isCutOff = true;
    pair.network.send(pair.a, Bytes(100'000));
    const Instant before = pair.network.now();
    QVERIFY(pair.network.runUntil([&] { return !pair.a.downs.empty(); }, 15s));
    // 50 ms, doubled to 1.6 s, then 3 s three times.
    const Duration elapsed = pair.network.now() - before;
    QVERIFY(elapsed >= 12s && elapsed <= 12'200ms);
    QVERIFY(pair.a.downs.front().reason == Errc::Timeout);
    // A window and its retransmissions, not one window per timeout.
    QVERIFY(pair.a.links->stats().retransmissions < 64);
}

void TestLink::timesOutWhenIdle()
{
    Pair pair;
    pair.network.run(100ms); // both have measured the round trip
    pair.b.isCutOff = true;
    pair.network.run(pair.a.config.keepalive - 1s);
    QVERIFY(pair.a.downs.empty());
    pair.network.run(31s - pair.a.config.keepalive);
    QCOMPARE(pair.a.downs.size(), std::size_t(1));
    QVERIFY(pair.a.downs.front().reason == Errc::Timeout);
    QCOMPARE(pair.b.downs.size(), std::size_t(1));
    QVERIFY(pair.b.links->links().empty());
}

void TestLink::staysUpThroughLossesWhenIdle()
{
    Faults faults;
    faults.lossPercent = 10;
    faults.latency = 40ms;
    Pair pair(1, faults);
    pair.network.run(60min);
    QVERIFY(pair.a.downs.empty() && pair.b.downs.empty());
}

void TestLink::reconnectsAfterTheOtherSideReturns()
{
    Pair pair;
    pair.b.isCutOff = true;
    pair.network.run(10min);
    QVERIFY(pair.a.up.empty());
    pair.b.isCutOff = false;
    QVERIFY(pair.network.runUntil([&] { return pair.a.up.size() == 1 && pair.b.up.size() == 1; },
                                  pair.a.config.reconnectMax + 1s));
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(3'000, 1)));
}

void TestLink::backsOffWhenNobodyAnswers()
{
    Network network(1);
    Host& a = network.add();
    std::vector<Instant> hellos;
    network.onSend = [&](const Host&, const SendDatagram&) { hellos.push_back(network.now()); };
    network.give(a, Connect{strangerAt(1)});
    network.give(a, Connect{strangerAt(1)});
    QCOMPARE(hellos.size(), std::size_t(0));
    network.run(30min);
    QVERIFY(hellos.size() > 60);
    QVERIFY(hellos.size() < 130);
    QVERIFY(hellos[0] == Instant{});
    QVERIFY(hellos[1] - hellos[0] >= 250ms && hellos[1] - hellos[0] <= 500ms);
    std::set<Duration> gaps;
    for (std::size_t i = 10; i + 1 < hellos.size(); ++i) {
        gaps.insert(hellos[i + 1] - hellos[i]);
        QVERIFY(hellos[i + 1] - hellos[i] >= 15s && hellos[i + 1] - hellos[i] <= 30s);
    }
    QVERIFY2(gaps.size() > 10, "no jitter");
}

void TestLink::triesAsOftenAsAsked()
{
    Network network(1);
    Host& a = network.add();
    int hellos = 0;
    network.onSend = [&](const Host&, const SendDatagram&) { ++hellos; };
    network.give(a, Connect{strangerAt(1), 3});
    network.give(a, Connect{strangerAt(1), 3}); // is the same wish
    network.run(10min);
    QCOMPARE(hellos, 3);
    QCOMPARE(a.failures.size(), std::size_t(1));
    QVERIFY(a.failures.front().endpoint == strangerAt(1));
    QVERIFY(a.links->links().empty());
    network.give(a, Connect{strangerAt(1), 1});
    network.give(a, Connect{strangerAt(1)}); // wins
    network.run(10min);
    QVERIFY(hellos > 10);
    QCOMPARE(a.failures.size(), std::size_t(1));
}

void TestLink::aProbeTellsOfSilenceAndOfItsEnd()
{
    Network network(1);
    Host& a = network.add();
    Host& b = network.add();
    network.give(a, Connect{b.endpoint});
    QVERIFY(network.runUntil([&] { return a.up.size() == 1 && b.up.size() == 1; }, 1s));
    QVERIFY(a.ups.front().roundTrip == Duration(2ms) && b.ups.front().roundTrip == Duration(2ms));
    network.give(a, Probe{Network::theLink(a)});
    network.run(5s);
    QVERIFY(a.silences.empty());
    b.isCutOff = true;
    network.run(5s);
    QVERIFY(a.silences.empty()); // nobody asked
    network.give(a, Probe{Network::theLink(a)});
    network.run(1s);
    QCOMPARE(a.silences, std::vector<bool>{true});
    b.isCutOff = false;
    network.run(5s);
    QCOMPARE(a.silences, (std::vector<bool>{true, false}));
    QCOMPARE(a.up.size(), std::size_t(1));
    network.give(a, Probe{LinkId{999}}); // is none
}

void TestLink::leavesATriedLinkThatEnded()
{
    Network network(1);
    Host& a = network.add();
    Host& b = network.add();
    network.give(a, Connect{b.endpoint, 3});
    QVERIFY(network.runUntil([&] { return a.up.size() == 1 && b.up.size() == 1; }, 1s));
    b.isCutOff = true;
    network.run(10min);
    b.isCutOff = false;
    network.run(10min);
    QCOMPARE(a.ups.size(), std::size_t(1));
    QVERIFY(a.links->links().empty());
    QVERIFY(a.failures.empty());
}

void TestLink::closesOneLinkForGood()
{
    Pair pair;
    Host& c = pair.network.add();
    pair.network.connect(pair.a, c);
    QVERIFY(pair.network.runUntil([&] { return pair.a.up.size() == 2; }, 1s));
    pair.network.give(pair.a, Close{*pair.a.up.begin()});
    pair.network.give(pair.a, Close{LinkId{1'000}}); // is none
    pair.network.run(10min);
    QCOMPARE(pair.a.downs.size(), std::size_t(1));
    QVERIFY(pair.a.downs.front().reason == Errc::Cancelled);
    QCOMPARE(pair.b.downs.size(), std::size_t(1));
    QVERIFY(pair.b.links->links().empty());
    QCOMPARE(pair.a.links->links().size(), std::size_t(1));
    QCOMPARE(c.up.size(), std::size_t(1));
}

void TestLink::saysGoodbyeOnce()
{
    Pair pair;
    pair.network.give(pair.a, CloseAll{});
    QCOMPARE(pair.a.downs.size(), std::size_t(1));
    pair.network.run(5ms);
    QCOMPARE(pair.b.downs.size(), std::size_t(1));
    QVERIFY(pair.b.downs.front().reason == Errc::Cancelled);
    QVERIFY(pair.b.links->links().empty());
    const std::uint64_t sent = pair.a.datagramsSent;
    pair.network.connect(pair.b, pair.a);
    pair.network.run(10s);
    QCOMPARE(pair.a.datagramsSent, sent);
    QVERIFY(pair.a.links->links().empty());
}

void TestLink::neverLinksToItself()
{
    Network network(1);
    Host& a = network.add();
    network.connect(a, a);
    network.run(5min);
    QVERIFY(a.ups.empty());
    QVERIFY(a.links->stats().refusedLinks > 0);
}

void TestLink::givesTheSameTraceForTheSameSeed()
{
    const auto traceOf = [](std::uint64_t seed) {
        Pair pair(seed, Faults{10, 10, 5, 1ms, 5ms});
        pair.network.send(pair.a, pattern(200'000, 1));
        pair.network.send(pair.b, pattern(100'000, 1));
        pair.network.run(5min);
        return pair.network.trace();
    };
    QCOMPARE(traceOf(7), traceOf(7));
    QVERIFY(traceOf(7) != traceOf(8));
}

void TestLink::isNotDisturbedByGarbage()
{
    Pair pair;
    SeededRandom random(5);
    const std::uint64_t sent = pair.b.datagramsSent;
    for (std::size_t i = 0; i < 2'000; ++i) {
        Bytes bytes(random.below(1'300));
        random.fill(bytes);
        pair.network.inject(pair.b, i % 2 == 0 ? strangerAt(1) : pair.a.endpoint, bytes);
    }
    QCOMPARE(pair.b.links->stats().malformed, 2'000u);
    QCOMPARE(pair.b.datagramsSent, sent);
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(10'000, 1)));
    QVERIFY(pair.b.downs.empty());
}

void TestLink::refusesLinksOverTheLimit()
{
    Network network(1);
    Config config;
    config.maxIncomingLinks = 2;
    Host& a = network.add(config);
    for (int i = 0; i < 3; ++i) {
        network.connect(network.add(), a);
        network.run(1s);
    }
    QCOMPARE(a.up.size(), std::size_t(2));
    QVERIFY(a.links->stats().refusedLinks > 0);
    // Links that we ask for ourselves are not counted.
    network.connect(a, network.add());
    network.run(1s);
    QCOMPARE(a.up.size(), std::size_t(3));
}

void TestLink::rarelyWakesWhenIdle()
{
    Pair pair;
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(100'000, 1)));
    pair.network.run(1min);
    for (Host* host : {&pair.a, &pair.b})
        host->wakeUps = host->datagramsSent = host->bytesSent = 0;
    pair.network.run(60min);
    for (const Host* host : {&pair.a, &pair.b}) {
        const std::string seen = std::to_string(host->wakeUps) + " timers, "
            + std::to_string(host->datagramsSent) + " datagrams, " + std::to_string(host->bytesSent)
            + " bytes in an hour";
        QVERIFY2(host->wakeUps <= 60 * 8, seen.c_str());
        QVERIFY2(host->datagramsSent <= 60 * 4, seen.c_str());
        QVERIFY2(host->bytesSent <= 60 * 160, seen.c_str());
        qInfo("%s", seen.c_str());
    }
    QVERIFY(pair.a.downs.empty() && pair.b.downs.empty());
}

void TestLink::measuresTheRoundTrip()
{
    Pair pair(1, Faults{0, 0, 0, 15ms, {}});
    // Longer than any timeout, and no fragment is sent twice for it.
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(1'000'000, 1)));
    QCOMPARE(pair.a.links->stats().retransmissions, 0u);
    const auto info = pair.a.links->links().front();
    QVERIFY(info.isUp);
    QVERIFY(info.roundTrip);
    QVERIFY(*info.roundTrip == 30ms);
    QCOMPARE(info.node.hex(), pair.b.node.hex());
}

QTEST_GUILESS_MAIN(TestLink)
#include "tst_link.moc"
