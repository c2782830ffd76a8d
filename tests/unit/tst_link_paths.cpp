// SPDX-License-Identifier: Apache-2.0
/// Links whose other side moves, and those who would have them moved.
#include "link/packet.h"
#include "link/paths.h"
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

/// Where a device is after it moved, and where strangers are.
Endpoint elsewhere(std::uint16_t number)
{
    return Endpoint::ipv4(10, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number),
                          4'000);
}

Endpoint samePlace(Endpoint endpoint)
{
    endpoint.port += 100;
    return endpoint;
}

/// Two hosts, one link, and what was sent to whom.
struct Pair
{
    explicit Pair(std::uint64_t seed = 1, Faults faults = {}, Config config = {})
        : network(seed, faults)
        , a(network.add(config))
        , b(network.add(config))
    {
        network.connect(a, b);
        isUp = network.runUntil([this] { return a.up.size() == 1 && b.up.size() == 1; }, 5min);
        network.run(100ms); // nothing is under way
        network.onSend = [this](const Host&, const SendDatagram& datagram) {
            sentTo[datagram.to] += datagram.bytes.size();
            if (onSend)
                onSend(datagram);
        };
    }
    bool deliver(Host& from, Host& to, const Bytes& message, Duration limit = 1min)
    {
        const std::size_t before = to.messages.size();
        network.send(from, message);
        return network.runUntil([&] { return to.messages.size() > before; }, limit)
            && to.messages.back() == message;
    }
    bool bothWays(std::uint64_t seed = 1)
    {
        return deliver(a, b, pattern(5'000, seed)) && deliver(b, a, pattern(5'000, seed + 1));
    }
    /// One link on both sides, and it was always the same.
    bool isUndisturbed() const
    {
        return a.downs.empty() && b.downs.empty() && a.ups.size() == 1 && b.ups.size() == 1;
    }
    Host& other(const Host& host) { return &host == &a ? b : a; }

    Network network;
    Host& a;
    Host& b;
    bool isUp = false;
    std::map<Endpoint, std::size_t> sentTo; ///< bytes
    std::function<void(const SendDatagram&)> onSend;
};

/// Sees all datagrams of a pair, and delivers them from its own address before they arrive.
struct Attacker
{
    explicit Attacker(Pair& itsPair)
        : pair(itsPair)
    {
        pair.onSend = [this](const SendDatagram& datagram) {
            if (datagram.to == address)
                ++received;
            const bool isForA = datagram.to == pair.a.endpoint;
            if (isForA || datagram.to == pair.b.endpoint)
                pair.network.injectLater(100us, isForA ? pair.a : pair.b, address, datagram.bytes);
            else if (datagram.to == address && relays)
                relay(datagram);
        };
    }
    /// Nobody knows which of the two it is for; the other one counts it as malformed.
    void relay(const SendDatagram& datagram)
    {
        for (Host* host : {&pair.a, &pair.b})
            pair.network.injectLater(100us, *host, address, datagram.bytes);
    }
    Pair& pair;
    Endpoint address = elsewhere(666);
    bool relays = false;
    std::size_t received = 0;
};

} // namespace

class TestLinkPaths : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anIdleLinkComesBackWithinAKeepalive_data();
    void anIdleLinkComesBackWithinAKeepalive();
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
    void reorderedDatagramsMoveNothing();
    void replaysFromElsewhereMoveNothing();
    void copiesThatOvertakeMoveNothing();
    void aFasterRelayMovesNothing();
    void aRelayOfOneDatagramMovesNothing();
    void aResponseFromAnotherAddressMovesNothing();
    void forgedDatagramsFromElsewhereAreNotAnswered();
    void sendsAtMostThreeTimesWhatCameAndToFewAddresses();
    void doesNotGoWhereAnotherLinkIs();
    void whatWasToBeKeptUpComesBackWhereItWas();
    void closingAMovedLinkIsForGood();
    void aTriedAddressToWhichALinkMovedNeedsNoOther();
    void replacesAMovedLinkWhenThePeerRestarted();
    void pathsKeepToTheirLimits();
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

void TestLinkPaths::reorderedDatagramsMoveNothing()
{
    // What was sent before the move arrives after what was sent since.
    Pair pair(3, Faults{0, 10, 0, 2ms, 30ms});
    for (std::uint16_t i = 1; i <= 5; ++i) {
        pair.network.send(pair.a, pattern(300'000, i));
        pair.network.run(60ms);
        pair.a.endpoint = elsewhere(i);
        QVERIFY(pair.network.runUntil([&] { return pair.b.messages.size() == i; }, 30s));
        pair.network.run(1s);
        QCOMPARE(pair.b.moves.size(), std::size_t(i));
    }
    QVERIFY(pair.isUndisturbed());
}

// Case 29
void TestLinkPaths::replaysFromElsewhereMoveNothing()
{
    Pair pair;
    std::vector<SendDatagram> captured;
    pair.onSend = [&](const SendDatagram& datagram) { captured.push_back(datagram); };
    for (std::uint64_t i = 0; i < 10; ++i)
        QVERIFY(pair.bothWays(2 * i));
    pair.network.run(1min);
    pair.onSend = nullptr;
    const std::vector<SendDatagram> session = std::exchange(captured, {});
    SeededRandom random(1);
    for (int round = 0; round < 3; ++round)
        for (std::size_t i = 0; i < session.size(); ++i) {
            const SendDatagram& datagram = session[round == 0 ? i : random.below(session.size())];
            pair.network.inject(datagram.to == pair.a.endpoint ? pair.a : pair.b, elsewhere(1),
                                datagram.bytes);
        }
    pair.network.run(1min);
    QCOMPARE(pair.sentTo[elsewhere(1)], std::size_t(0));
    QCOMPARE(pair.b.messages.size(), std::size_t(10));
    QCOMPARE(pair.a.messages.size(), std::size_t(10));
    QVERIFY(pair.b.links->stats().replayed >= 3 * 10);
    QVERIFY(pair.a.moves.empty() && pair.b.moves.empty());
    QVERIFY(pair.isUndisturbed());
}

void TestLinkPaths::copiesThatOvertakeMoveNothing()
{
    Pair pair;
    Attacker attacker(pair);
    for (std::uint64_t i = 0; i < 20; ++i)
        QVERIFY(pair.bothWays(2 * i));
    const Instant before = pair.network.now();
    pair.network.run(10min);
    QVERIFY(pair.a.moves.empty() && pair.b.moves.empty());
    QVERIFY(pair.isUndisturbed());
    QCOMPARE(pair.b.messages.size(), std::size_t(20));
    // It gets a few challenges for its trouble.
    QVERIFY(attacker.received > 0);
    const auto lifetimes = static_cast<std::size_t>((pair.network.now() - before) / Paths::kLifetime) + 2;
    QVERIFY(attacker.received <= 2 * lifetimes * Paths::kMaxChallenges);
}

// Case 29
void TestLinkPaths::aFasterRelayMovesNothing()
{
    Pair pair;
    Attacker attacker(pair);
    attacker.relays = true;
    for (std::uint64_t i = 0; i < 20; ++i)
        QVERIFY(pair.bothWays(2 * i));
    pair.network.run(30min); // keepalives
    QVERIFY(attacker.received > 100);
    QVERIFY(pair.a.moves.empty() && pair.b.moves.empty());
    QVERIFY(pair.isUndisturbed());
    QVERIFY(pair.bothWays(100));
    QCOMPARE(pair.b.messages.size(), std::size_t(21));
    QCOMPARE(pair.a.messages.size(), std::size_t(21));
}

void TestLinkPaths::aRelayOfOneDatagramMovesNothing()
{
    // One datagram comes only by way of a stranger, who carries the challenge and its answer as well. The
    // other side is where it was, and says so when it is asked there.
    Pair pair;
    Attacker attacker(pair);
    const auto relay = std::exchange(pair.onSend, nullptr);
    bool isFirst = true;
    pair.network.isLost = [&](const SendDatagram& datagram) {
        if (datagram.to == attacker.address)
            relay(datagram);
        if (datagram.to != pair.b.endpoint || !std::exchange(isFirst, false))
            return false;
        relay(datagram);
        return true;
    };
    attacker.relays = true;
    pair.network.give(pair.a, Probe{Network::theLink(pair.a)});
    pair.network.run(1min);
    QVERIFY(attacker.received > 0);
    QVERIFY(pair.a.moves.empty() && pair.b.moves.empty());
    QVERIFY(pair.isUndisturbed());
}

void TestLinkPaths::aResponseFromAnotherAddressMovesNothing()
{
    // A stranger forwards one datagram faster, and passes the challenge on as if it came from b. What a
    // answers reaches b from where a is.
    Pair pair;
    const Endpoint stranger = elsewhere(1);
    bool isFirst = true;
    pair.onSend = [&](const SendDatagram& datagram) {
        if (datagram.to == pair.b.endpoint && std::exchange(isFirst, false))
            pair.network.injectLater(100us, pair.b, stranger, datagram.bytes);
        if (datagram.to == stranger)
            pair.network.injectLater(100us, pair.a, pair.b.endpoint, datagram.bytes);
    };
    pair.network.isLost = [&](const SendDatagram&) { return !isFirst; }; // and all else is lost
    pair.network.give(pair.a, Probe{Network::theLink(pair.a)});
    pair.network.run(50us);
    pair.network.isLost = nullptr;
    pair.network.run(1min);
    QVERIFY(pair.sentTo[stranger] >= kChallengeBytes);
    QVERIFY(pair.b.moves.empty());
    QVERIFY(pair.isUndisturbed());
}

// Case 28
void TestLinkPaths::forgedDatagramsFromElsewhereAreNotAnswered()
{
    Pair pair;
    std::vector<Bytes> captured;
    pair.onSend = [&](const SendDatagram& datagram) {
        if (datagram.to == pair.b.endpoint)
            captured.push_back(datagram.bytes);
    };
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(10'000, 1)));
    pair.onSend = nullptr;
    SeededRandom random(2);
    const std::vector<Bytes> genuine = captured;
    for (int round = 0; round < 100; ++round)
        for (Bytes forged : genuine) {
            forged[11 + random.below(8)] ^= std::byte{0x40}; // the counter: it never came before
            for (int i = 0; i < 3; ++i)
                forged[random.below(forged.size() - 19) + 19] ^= std::byte{0x20};
            pair.network.inject(pair.b, elsewhere(1), forged);
        }
    QVERIFY(pair.b.links->stats().malformed > 100);
    pair.network.run(1min);
    QCOMPARE(pair.sentTo[elsewhere(1)], std::size_t(0));
    QVERIFY(pair.isUndisturbed() && pair.b.moves.empty());
}

// Case 28
void TestLinkPaths::sendsAtMostThreeTimesWhatCameAndToFewAddresses()
{
    // A member that is hostile: each datagram of a's comes from another address, which is somebody else's.
    Pair pair;
    std::uint16_t number = 0;
    std::map<Endpoint, std::size_t> cameFrom;
    pair.network.isLost = [&](const SendDatagram& datagram) {
        if (datagram.to != pair.b.endpoint)
            return false;
        const Endpoint victim = elsewhere(++number);
        cameFrom[victim] += datagram.bytes.size();
        pair.network.injectLater(1ms, pair.b, victim, datagram.bytes);
        return true;
    };
    const Instant before = pair.network.now();
    for (std::uint64_t i = 0; i < 100; ++i) {
        pair.network.send(pair.a, pattern(2'000, i));
        pair.network.run(100ms);
    }
    QVERIFY(number > 100);
    std::size_t addresses = 0;
    for (const auto& [victim, bytes] : cameFrom) {
        QVERIFY(pair.sentTo[victim] <= Paths::kAmplification * bytes);
        QVERIFY(pair.sentTo[victim] <= Paths::kMaxChallenges * kChallengeBytes);
        addresses += pair.sentTo[victim] > 0 ? 1 : 0;
    }
    const auto lifetimes = static_cast<std::size_t>((pair.network.now() - before) / Paths::kLifetime) + 1;
    QVERIFY(addresses > 0);
    QVERIFY(addresses <= lifetimes * Paths::kMaxCandidates);
    QVERIFY(pair.b.moves.empty());
}

void TestLinkPaths::doesNotGoWhereAnotherLinkIs()
{
    // Of two devices behind one NAT, one gets the other's port.
    Pair pair;
    Host& c = pair.network.add();
    pair.network.connect(c, pair.b);
    QVERIFY(pair.network.runUntil([&] { return pair.b.up.size() == 2; }, 1s));
    const Endpoint taken = c.endpoint;
    c.isCutOff = true;
    pair.a.endpoint = taken;
    pair.network.give(pair.a, AddressChanged{});
    pair.network.run(2s);
    QVERIFY(pair.b.moves.empty());
    QVERIFY(pair.b.downs.empty());
    // The link that is there has ended, and nobody waits in vain for longer.
    QVERIFY(pair.network.runUntil([&] { return pair.b.up.size() == 1 && pair.a.up.size() == 1; }, 1min));
    pair.network.run(1min);
    QVERIFY(pair.deliver(pair.a, pair.b, pattern(100, 1)));
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

void TestLinkPaths::pathsKeepToTheirLimits()
{
    SeededRandom random(1);
    Paths paths(random);
    Instant now{};
    paths.onCurrent(10);
    paths.onOther(elsewhere(1), 9, 100, now); // was overtaken
    QVERIFY(!paths.isWatching());
    paths.onOther(elsewhere(1), 11, 1, now);
    QVERIFY(paths.takeDue(now, 1s).empty()); // three bytes do not do
    QVERIFY(!paths.due(1s) && !paths.mayRespond(elsewhere(1)));
    paths.onOther(elsewhere(1), 12, 43, now);
    std::vector<std::uint64_t> nonces;
    for (std::uint16_t i = 1; i <= 10; ++i) {
        paths.onOther(elsewhere(i), 20u + i, 1'000, now);
        for (const Paths::Ask& ask : paths.takeDue(now, 50ms))
            nonces.push_back(ask.challenge.nonce);
    }
    QCOMPARE(nonces.size(), Paths::kMaxCandidates);
    QCOMPARE(std::set<std::uint64_t>(nonces.begin(), nonces.end()).size(), Paths::kMaxCandidates);
    // Wrong, from elsewhere, and right.
    paths.onResponse(elsewhere(2), {nonces[0]}, now + 10ms);
    paths.onResponse(elsewhere(9), {nonces[1]}, now + 10ms);
    QVERIFY(!paths.proven(now + 1s, 50ms));
    paths.onResponse(elsewhere(2), {nonces[1]}, now + 10ms);
    QVERIFY(!paths.proven(now + 49ms, 50ms)); // the other address may still speak
    const auto proven = paths.proven(now + 50ms, 50ms);
    QVERIFY(proven && proven->endpoint == elsewhere(2) && proven->roundTrip == Duration(10ms));
    paths.onCurrent(21); // older than what came from there
    QVERIFY(paths.proven(now + 50ms, 50ms));
    paths.onCurrent(22);
    QVERIFY(!paths.proven(now + 1h, 50ms));
    // Nothing is due for ever.
    unsigned rounds = 0;
    for (; rounds < 100 && paths.due(50ms); ++rounds) {
        now = *paths.due(50ms);
        QVERIFY(!paths.takeDue(now, 50ms).empty());
    }
    QVERIFY(rounds < 10);
    // And after a while there is room again.
    now += Paths::kLifetime;
    paths.onOther(elsewhere(2), 50, 44, now);
    QCOMPARE(paths.takeDue(now, 50ms).size(), std::size_t(1));
}

QTEST_GUILESS_MAIN(TestLinkPaths)
#include "tst_link_paths.moc"
