// SPDX-License-Identifier: Apache-2.0
/// Links whose other side moves.
#include "link_moves.h"

#include <QtTest>

using namespace starling;
using namespace starling::link;
using namespace std::chrono_literals;

class TestLinkPaths : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anIdleLinkComesBackWithinAKeepalive_data();
    void anIdleLinkComesBackWithinAKeepalive();
    void isReachedThroughANatThatForgetsSoon_data();
    void isReachedThroughANatThatForgetsSoon();
    void speaksNoLessOftenThanConfigured();
    void aTransferGoesOn_data();
    void aTransferGoesOn();
    void aMessageInTheMiddleFindsItsReceiver();
    void aChangedAddressIsToldAtOnce();
    void followsOneMoveAfterAnother();
    void followsHome();
    void bothSidesMoveAtOnce();
    void oneMovesWhileItAsksWhereTheOtherIs();
    void endsWhenNeitherHearsTheOther();
    void speaksToTheOldAddressUntilTheNewOneAnswers();
    void measuresTheNewWay();
    void whatWasToBeKeptUpComesBackWhereItWas();
    void closingAMovedLinkIsForGood();
    void aTriedAddressToWhichALinkMovedNeedsNoOther();
    void replacesAMovedLinkWhenThePeerRestarted();
};

void TestLinkPaths::anIdleLinkComesBackWithinAKeepalive_data()
{
    QTest::addColumn<bool>("isInitiator");
    QTest::addColumn<bool>("isPortOnly");
    for (const bool isInitiator : {true, false})
        for (const bool isPortOnly : {true, false})
            QTest::addRow("%s, %s", isInitiator ? "initiator" : "responder", isPortOnly ? "port" : "address")
                << isInitiator << isPortOnly;
}

void TestLinkPaths::anIdleLinkComesBackWithinAKeepalive()
{
    QFETCH(bool, isInitiator);
    QFETCH(bool, isPortOnly);
    Pair pair;
    QVERIFY(pair.isUp);
    Host& mover = isInitiator ? pair.a : pair.b;
    Host& other = pair.other(mover);
    pair.network.run(5s);
    mover.endpoint = isPortOnly ? samePlace(mover.endpoint) : elsewhere(1);
    // The side with the higher id waits an eighth longer.
    QVERIFY(
        pair.network.runUntil([&] { return !other.moves.empty(); }, mover.config.keepalive * 9 / 8 + 500ms));
    QVERIFY(other.moves.front().endpoint == mover.endpoint);
    QVERIFY(other.moves.front().link == Network::theLink(other));
    QVERIFY(other.links->links().front().endpoint == mover.endpoint);
    QVERIFY(pair.bothWays());
    pair.network.run(10min);
    QVERIFY(pair.bothWays(3));
    QVERIFY(pair.isUndisturbed());
    QCOMPARE(other.links->stats().moves, std::uint64_t(1));
    QCOMPARE(mover.links->stats().moves, std::uint64_t(0));
    QCOMPARE(other.links->links().size(), std::size_t(1));
}

void TestLinkPaths::isReachedThroughANatThatForgetsSoon_data()
{
    QTest::addColumn<bool>("isInitiator");
    for (const bool isInitiator : {true, false}) // the id decides which side waits longer
        QTest::newRow(isInitiator ? "initiator" : "responder") << isInitiator;
}

void TestLinkPaths::isReachedThroughANatThatForgetsSoon()
{
    QFETCH(bool, isInitiator);
    constexpr Duration kForgetsAfter = 10s;
    Pair pair;
    Host& inside = isInitiator ? pair.a : pair.b;
    Host& outside = pair.other(inside);
    const Endpoint own = inside.endpoint;
    Endpoint mapped = own;
    Instant lastOut = pair.network.now();
    unsigned forgotten = 0;
    pair.network.outward = [&](const Host& from, const Endpoint&) {
        if (&from != &inside)
            return from.endpoint;
        if (pair.network.now() - lastOut > kForgetsAfter) {
            ++forgotten;
            mapped = elsewhere(static_cast<std::uint16_t>(forgotten));
        }
        lastOut = pair.network.now();
        return mapped;
    };
    pair.network.inward = [&](const Endpoint&, const Endpoint& to) {
        if (to == mapped && pair.network.now() - lastOut <= kForgetsAfter)
            return own;
        return to == own || to == mapped ? elsewhere(9'999) : to;
    };
    pair.network.run(5min);
    QVERIFY(forgotten > 10); // as long as nobody has measured it
    pair.network.give(inside, SetKeepalive{8s});
    QVERIFY(pair.bothWays());
    forgotten = 0;
    const std::size_t moves = outside.moves.size();
    for (unsigned i = 0; i < 20; ++i) {
        pair.network.run(1min + i * 700ms);
        QVERIFY(pair.deliver(outside, inside, pattern(100, i), 100ms));
    }
    QCOMPARE(forgotten, 0U);
    QCOMPARE(outside.moves.size(), moves);
    QVERIFY(pair.isUndisturbed());
}

void TestLinkPaths::speaksNoLessOftenThanConfigured()
{
    Pair pair;
    const auto sentIn = [&](Duration duration) {
        const std::uint64_t before = pair.a.datagramsSent;
        pair.network.run(duration);
        return pair.a.datagramsSent - before;
    };
    const std::uint64_t usual = sentIn(17min);
    QVERIFY(usual >= 55 && usual <= 61);
    pair.network.give(pair.a, SetKeepalive{1h});
    QCOMPARE(sentIn(17min), usual);
    pair.network.give(pair.a, SetKeepalive{5s});
    QVERIFY(sentIn(17min) >= 180);
    pair.network.give(pair.a, SetKeepalive{});
    pair.network.run(1min);
    QVERIFY(sentIn(17min) <= usual + 1);
}

void TestLinkPaths::aTransferGoesOn_data()
{
    QTest::addColumn<bool>("isSender");
    QTest::addColumn<unsigned>("loss");
    QTest::addColumn<int>("afterMs");
    for (const bool isSender : {true, false})
        for (const unsigned loss : {0u, 10u})
            for (const int after : {7, 20, 31, 60})
                QTest::addRow("%s moves, %u %% loss, after %d ms", isSender ? "sender" : "receiver", loss,
                              after)
                    << isSender << loss << after;
}

void TestLinkPaths::aTransferGoesOn()
{
    QFETCH(bool, isSender);
    QFETCH(unsigned, loss);
    QFETCH(int, afterMs);
    Pair pair(7, Faults{loss, 0, 0, 5ms, 1ms});
    QVERIFY(pair.isUp);
    const Bytes message = pattern(1024 * 1024, 1);
    pair.network.send(pair.a, message);
    pair.network.run(std::chrono::milliseconds(afterMs));
    QVERIFY(pair.b.messages.empty());
    Host& mover = isSender ? pair.a : pair.b;
    mover.endpoint = elsewhere(1);
    const Instant before = pair.network.now();
    QVERIFY(pair.network.runUntil([&] { return !pair.other(mover).moves.empty(); }, 5s));
    // What the receiver had not acknowledged yet is asked for after a second.
    QVERIFY(pair.network.now() - before < (loss == 0 ? 1'200ms : 3s));
    QVERIFY(pair.network.runUntil([&] { return !pair.b.messages.empty(); }, 30s));
    QVERIFY(pair.b.messages.front() == message);
    QVERIFY(pair.isUndisturbed());
    QCOMPARE(pair.other(mover).moves.size(), std::size_t(1));
    QVERIFY(mover.moves.empty());
}

void TestLinkPaths::aMessageInTheMiddleFindsItsReceiver()
{
    // Nothing of the receiver's is under way when it moves, and the sender cannot find it.
    Pair pair;
    const Endpoint before = pair.b.endpoint;
    bool hasMoved = false;
    pair.network.isLost = [&](const SendDatagram& datagram) { return hasMoved && datagram.to == before; };
    pair.network.send(pair.a, pattern(12'000, 1)); // eleven fragments: a window and one more
    pair.network.run(1'500us);
    hasMoved = true;
    pair.network.run(1ms);
    pair.b.endpoint = elsewhere(1);
    QVERIFY(pair.network.runUntil([&] { return !pair.b.messages.empty(); }, 2s));
    QVERIFY(pair.isUndisturbed());
}

void TestLinkPaths::aChangedAddressIsToldAtOnce()
{
    for (const bool isBusy : {false, true}) {
        Pair pair;
        Host& c = pair.network.add();
        pair.network.connect(c, pair.a);
        pair.network.run(1s);
        QCOMPARE(pair.a.up.size(), std::size_t(2));
        pair.a.endpoint = elsewhere(1);
        if (isBusy) { // it is silent for long: the next retransmission is seconds away
            pair.a.isCutOff = true;
            for (const LinkId link : pair.a.up)
                pair.network.give(pair.a, SendMessage{link, pattern(50'000, 1)});
            pair.network.run(5s);
            pair.a.isCutOff = false;
        }
        pair.network.give(pair.a, AddressChanged{});
        QVERIFY(
            pair.network.runUntil([&] { return pair.b.moves.size() == 1 && c.moves.size() == 1; }, 100ms));
        // Both tell it at once: others may have to find out the same.
        QVERIFY(pair.network.runUntil([&] { return std::ranges::count(pair.a.sightings, elsewhere(1)) == 2; },
                                      100ms));
        pair.network.run(5s);
        QCOMPARE(pair.b.messages.size(), std::size_t(isBusy ? 1 : 0));
        QVERIFY(pair.a.downs.empty() && pair.b.downs.empty() && c.downs.empty());
        QVERIFY(pair.deliver(c, pair.a, pattern(100, 1)));
    }
    // Whoever is not reached is greeted now instead of half a minute later.
    Network network(1);
    Host& a = network.add();
    Host& b = network.add();
    a.isCutOff = true;
    network.connect(a, b);
    network.run(10min);
    a.isCutOff = false;
    network.give(a, AddressChanged{});
    QVERIFY(network.runUntil([&] { return a.up.size() == 1; }, 10ms));
}

void TestLinkPaths::followsOneMoveAfterAnother()
{
    Pair pair;
    for (std::uint16_t i = 1; i <= 20; ++i) {
        pair.a.endpoint = elsewhere(i);
        pair.network.give(pair.a, AddressChanged{});
        pair.network.run(i % 2 == 0 ? 10ms : 200ms); // sometimes before it was followed to
    }
    pair.network.run(5s);
    QVERIFY(pair.b.moves.size() >= 10);
    QVERIFY(pair.b.moves.back().endpoint == elsewhere(20));
    QVERIFY(pair.bothWays());
    QVERIFY(pair.isUndisturbed());
    QCOMPARE(pair.b.links->links().size(), std::size_t(1));
}

void TestLinkPaths::followsHome()
{
    Pair pair;
    const Endpoint home = pair.b.endpoint;
    for (const Endpoint& endpoint : {elsewhere(1), home, elsewhere(1), home}) {
        pair.b.endpoint = endpoint;
        pair.network.give(pair.b, AddressChanged{});
        pair.network.run(5s);
        QVERIFY(pair.a.moves.back().endpoint == endpoint);
    }
    QVERIFY(pair.bothWays());
    QVERIFY(pair.isUndisturbed());
    QCOMPARE(pair.a.links->links().size(), std::size_t(1));
    pair.network.run(10min);
    QVERIFY(pair.isUndisturbed());
}

void TestLinkPaths::bothSidesMoveAtOnce()
{
    // Their old addresses still take what is sent to them for a moment, or for good.
    for (const Duration lingering : {Duration(10ms), Duration(1h)}) {
        Pair pair;
        std::uint16_t number = 0;
        for (Host* host : {&pair.a, &pair.b}) {
            host->formerEndpoints.insert(host->endpoint);
            host->endpoint = elsewhere(++number);
            pair.network.give(*host, AddressChanged{});
        }
        pair.network.run(lingering);
        pair.a.formerEndpoints.clear();
        pair.b.formerEndpoints.clear();
        pair.network.run(5s);
        QCOMPARE(pair.a.moves.size(), std::size_t(1));
        QCOMPARE(pair.b.moves.size(), std::size_t(1));
        QVERIFY(pair.bothWays());
        QVERIFY(pair.isUndisturbed());
    }
}

void TestLinkPaths::oneMovesWhileItAsksWhereTheOtherIs()
{
    // What answers must go where the question came from: neither is any longer where it was.
    Pair pair;
    pair.a.endpoint = elsewhere(1);
    pair.network.give(pair.a, AddressChanged{});
    QVERIFY(pair.network.runUntil([&] { return pair.sentTo[elsewhere(1)] > 0; }, 10ms));
    pair.b.endpoint = elsewhere(2);
    pair.network.run(5s);
    QCOMPARE(pair.a.moves.size(), std::size_t(1));
    QCOMPARE(pair.b.moves.size(), std::size_t(1));
    QVERIFY(pair.bothWays());
    QVERIFY(pair.isUndisturbed());
}

void TestLinkPaths::endsWhenNeitherHearsTheOther()
{
    Pair pair;
    const Endpoint meeting = pair.b.endpoint;
    pair.a.endpoint = elsewhere(1);
    pair.b.endpoint = elsewhere(2);
    pair.network.run(1min);
    QVERIFY(pair.a.downs.size() == 1 && pair.b.downs.size() == 1);
    QVERIFY(pair.a.downs.front().reason == Errc::Timeout);
    QVERIFY(pair.a.moves.empty() && pair.b.moves.empty());
    pair.b.endpoint = meeting;
    QVERIFY(pair.network.runUntil([&] { return pair.a.up.size() == 1 && pair.b.up.size() == 1; }, 1min));
    QVERIFY(pair.bothWays());
}

void TestLinkPaths::speaksToTheOldAddressUntilTheNewOneAnswers()
{
    Pair pair;
    const Endpoint before = pair.a.endpoint;
    pair.a.formerEndpoints.insert(before);
    pair.a.endpoint = elsewhere(1);
    bool isBlocked = true; // nothing reaches the new address
    pair.network.isLost = [&](const SendDatagram& datagram) {
        return isBlocked && datagram.to == elsewhere(1);
    };
    for (std::uint64_t i = 0; i < 20; ++i) {
        QVERIFY(pair.deliver(pair.b, pair.a, pattern(20'000, i)));
        QVERIFY(pair.deliver(pair.a, pair.b, pattern(100, i)));
    }
    pair.network.run(30s);
    QVERIFY(pair.b.moves.empty());
    QVERIFY(pair.sentTo[elsewhere(1)] > 0);
    QVERIFY(pair.sentTo[elsewhere(1)] <= 10 * Paths::kMaxChallenges * kChallengeBytes);
    isBlocked = false;
    QVERIFY(pair.network.runUntil([&] { return pair.b.moves.size() == 1; }, 30s));
    pair.a.formerEndpoints.clear();
    QVERIFY(pair.bothWays());
    QVERIFY(pair.isUndisturbed());
}

void TestLinkPaths::measuresTheNewWay()
{
    Pair pair(1, Faults{0, 0, 0, 15ms, {}});
    QVERIFY(pair.bothWays());
    pair.a.endpoint = elsewhere(1);
    pair.network.give(pair.a, AddressChanged{});
    QVERIFY(pair.network.runUntil([&] { return pair.b.moves.size() == 1; }, 1s));
    QVERIFY(pair.b.links->links().front().roundTrip == Duration(30ms));
}

void TestLinkPaths::whatWasToBeKeptUpComesBackWhereItWas()
{
    Pair pair;
    const Endpoint home = pair.b.endpoint;
    pair.b.endpoint = elsewhere(1);
    pair.network.give(pair.b, AddressChanged{});
    pair.network.run(5s);
    QCOMPARE(pair.a.moves.size(), std::size_t(1));
    pair.sentTo.clear();
    pair.network.give(pair.a, Connect{home});
    pair.network.give(pair.a, Connect{home, 3});
    pair.network.run(10min);
    QCOMPARE(pair.sentTo[home], std::size_t(0)); // the link is enough
    QVERIFY(pair.isUndisturbed());
    pair.network.give(pair.b, Close{Network::theLink(pair.b)});
    pair.b.endpoint = home;
    QVERIFY(pair.network.runUntil([&] { return pair.a.up.size() == 1 && pair.b.up.size() == 1; }, 10s));
    QVERIFY(pair.a.ups.back().endpoint == home);
    QCOMPARE(pair.a.links->links().size(), std::size_t(1));
    QVERIFY(pair.bothWays());
}

void TestLinkPaths::closingAMovedLinkIsForGood()
{
    Pair pair;
    pair.b.endpoint = elsewhere(1);
    pair.network.give(pair.b, AddressChanged{});
    pair.network.run(5s);
    pair.network.give(pair.a, Close{Network::theLink(pair.a)});
    pair.network.run(10ms);
    pair.sentTo.clear();
    pair.network.run(10min);
    QVERIFY(pair.sentTo.empty());
    QVERIFY(pair.a.links->links().empty() && pair.b.links->links().empty());
    QVERIFY(pair.b.downs.front().reason == Errc::Cancelled);
}

void TestLinkPaths::aTriedAddressToWhichALinkMovedNeedsNoOther()
{
    Pair pair;
    pair.network.give(pair.a, Connect{elsewhere(1), 100});
    pair.network.run(100ms);
    pair.network.isLost = [&](const SendDatagram& datagram) { return datagram.bytes.size() == kHelloBytes; };
    pair.b.endpoint = elsewhere(1);
    pair.network.give(pair.b, AddressChanged{});
    pair.network.run(5s);
    QCOMPARE(pair.a.moves.size(), std::size_t(1));
    QCOMPARE(pair.a.failures.size(), std::size_t(1));
    QVERIFY(pair.a.failures.front().endpoint == elsewhere(1));
    pair.network.isLost = nullptr;
    QCOMPARE(pair.a.links->links().size(), std::size_t(1));
    QVERIFY(pair.bothWays());
    QVERIFY(pair.isUndisturbed());
}

void TestLinkPaths::replacesAMovedLinkWhenThePeerRestarted()
{
    Pair pair;
    const Endpoint home = pair.b.endpoint;
    pair.a.endpoint = elsewhere(1);
    pair.network.give(pair.a, AddressChanged{});
    pair.network.run(1s);
    pair.network.restart(pair.a);
    pair.network.connect(pair.a, pair.b);
    QVERIFY(pair.network.runUntil([&] { return pair.b.ups.size() == 2; }, 1s));
    QCOMPARE(pair.b.up.size(), std::size_t(1));
    QCOMPARE(pair.b.downs.size(), std::size_t(1));
    // And where it is the target that restarted, and is back at its old address.
    pair.b.endpoint = elsewhere(2);
    pair.network.give(pair.b, AddressChanged{});
    pair.network.run(1s);
    QCOMPARE(pair.a.moves.size(), std::size_t(1));
    pair.b.endpoint = home;
    pair.network.restart(pair.b);
    QVERIFY(pair.network.runUntil([&] { return pair.b.up.size() == 1; }, 2min));
    QVERIFY(pair.network.runUntil([&] { return pair.a.up.size() == 1; }, 2min));
    QVERIFY(pair.bothWays());
    QCOMPARE(pair.a.links->links().size(), std::size_t(1));
}

QTEST_GUILESS_MAIN(TestLinkPaths)
#include "tst_link_paths.moc"
