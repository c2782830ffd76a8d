// SPDX-License-Identifier: Apache-2.0
/// Those who would have links moved that have not, and what a link does for them at most.
#include "link_moves.h"

#include <QtTest>

using namespace starling;
using namespace starling::link;
using namespace std::chrono_literals;

class TestLinkPathAttacks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void reorderedDatagramsMoveNothing();
    void replaysFromElsewhereMoveNothing();
    void copiesThatOvertakeMoveNothing();
    void aFasterRelayMovesNothing();
    void aRelayOfOneDatagramMovesNothing();
    void aResponseFromAnotherAddressMovesNothing();
    void forgedDatagramsFromElsewhereAreNotAnswered();
    void sendsAtMostThreeTimesWhatCameAndToFewAddresses();
    void doesNotGoWhereAnotherLinkIs();
    void pathsKeepToTheirLimits();
};

void TestLinkPathAttacks::reorderedDatagramsMoveNothing()
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
void TestLinkPathAttacks::replaysFromElsewhereMoveNothing()
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

void TestLinkPathAttacks::copiesThatOvertakeMoveNothing()
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
void TestLinkPathAttacks::aFasterRelayMovesNothing()
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

void TestLinkPathAttacks::aRelayOfOneDatagramMovesNothing()
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

void TestLinkPathAttacks::aResponseFromAnotherAddressMovesNothing()
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
void TestLinkPathAttacks::forgedDatagramsFromElsewhereAreNotAnswered()
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
void TestLinkPathAttacks::sendsAtMostThreeTimesWhatCameAndToFewAddresses()
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

void TestLinkPathAttacks::doesNotGoWhereAnotherLinkIs()
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

void TestLinkPathAttacks::pathsKeepToTheirLimits()
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

QTEST_GUILESS_MAIN(TestLinkPathAttacks)
#include "tst_link_path_attacks.moc"
