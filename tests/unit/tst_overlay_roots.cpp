// SPDX-License-Identifier: Apache-2.0
/// Roots and deny lists before all else, and boards compared by their difference.
#include "overlay_network.h"

#include <QtTest>

using namespace starling;
using namespace starling::overlay;
using namespace starling::overlay::testing;
using namespace std::chrono_literals;

namespace {

TestNotice release(std::string name, std::string body = {})
{
    return {{kReleaseKind, std::move(name)}, 1, std::move(body)};
}

/// Signed by keys of root `number`.
TestNotice signedUnder(std::uint64_t number, std::string name)
{
    return {{kReleaseKind, std::move(name)}, 1, std::to_string(number), Seal::WantsRoot};
}

void holdRoots(Network& network, std::uint64_t number)
{
    for (std::size_t i = 0; i < network.size(); ++i)
        network[i].mediator.holdRoot(number);
}

} // namespace

class TestOverlayRoots : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void fetchesAChainOf1024RootsWhenALinkComesUp();
    void asksOnWhereAChainTakesSeveralMessages();
    void spreadsANewRootToEverybody();
    void triesANoticeAgainOnceItsRootIsHere();
    void learnsOfARootByOneThatDoesNotFollow();
    void refusesAtLastWhatNobodySendsARootFor();
    void keepsNoMoreWaitingThanItMay();
    void believesABreakerOfPromisesThreeTimes();
    void looksAtNoRootsItDidNotAskFor();
    void endsWithTheFirstRootThatIsRefused();
    void sendsTheUrgentPartFirst();
    void comparesLargeBoardsByTheirDifference();
    void costsTheSameWhateverBoardsHoldWhileTheyAreEqual();
    void hashesForAFloodOfRangesWithinItsAllowance();
    void tellsTheExpiredOfRootsAndDenialsAlone();
    void takesOfTheExpiredRootsAndDenialsAlone();
};

void TestOverlayRoots::fetchesAChainOf1024RootsWhenALinkComesUp()
{
    Network network(2);
    network[0].mediator.holdRoot(1'025);
    network[1].mediator.holdRoot(1);
    network[0].mediator.hold(signedUnder(1'025, "fw/a"));
    network.connect(0, 1);
    network.run(2s);
    QCOMPARE(network[1].mediator.roots, 1'025u);
    QVERIFY(network.areBoardsEqual());
    QVERIFY(network[1].refused.empty());
    QCOMPARE(network.sent(kIndexOf<StandingMessage>), 2u);
    QVERIFY(network[1].taken.size() >= 1'024);
}

void TestOverlayRoots::tellsTheExpiredOfRootsAndDenialsAlone()
{
    Network network(3);
    network[0].mediator.holdRoot(7);
    network[1].mediator.holdRoot(1);
    network[2].mediator.holdRoot(7);
    network[0].mediator.hold(release("fw/a"));
    network[0].mediator.hold({{kUrgentKind, "deny/1"}, 1, {}});
    network.connect(0, 2);
    const NeighborId expired = network.connect(0, 1, true);
    network.run(1min);
    QCOMPARE(network[1].mediator.roots, 7u);
    QVERIFY(network[1].mediator.board.contains({kUrgentKind, "deny/1"}));
    QVERIFY(!network[1].mediator.board.contains({kReleaseKind, "fw/a"}));
    QVERIFY(network[2].mediator.board.contains({kReleaseKind, "fw/a"}));
    // Nor does it get by asking what it may not have.
    network.inject(0, expired, RequestMessage{{{kReleaseKind, "fw/a"}, {kUrgentKind, "deny/1"}}});
    network.inject(0, expired, SummaryMessage{{}, {}, {}});
    network.inject(0, expired, DigestMessage{{}});
    network.run(1min);
    QVERIFY(!network[1].mediator.board.contains({kReleaseKind, "fw/a"}));
    // What comes later goes to it at once; a release goes past it.
    network.publish(2, {{kUrgentKind, "deny/2"}, 1, {}});
    network.publish(2, release("fw/b"));
    network.run(1s);
    QVERIFY(network[1].mediator.board.contains({kUrgentKind, "deny/2"}));
    QVERIFY(network[0].mediator.board.contains({kReleaseKind, "fw/b"}));
    QVERIFY(!network[1].mediator.board.contains({kReleaseKind, "fw/b"}));
    network[2].mediator.holdRoot(8);
    network.input(2, Publish{{kRootKind, "root"}});
    network.run(1s);
    QCOMPARE(network[1].mediator.roots, 8u);
    // When it is good again, it has everything.
    network.disconnect(0, 1);
    network.connect(0, 1);
    network.run(1s);
    QVERIFY(network.areBoardsEqual());
}

void TestOverlayRoots::takesOfTheExpiredRootsAndDenialsAlone()
{
    Network network(2);
    network[0].mediator.holdRoot(1);
    network[1].mediator.holdRoot(4);
    network[1].mediator.hold(release("fw/a"));
    network[1].mediator.hold({{kUrgentKind, "deny/1"}, 1, {}});
    network.connect(0, 1, true);
    network.run(1s);
    network.publish(1, release("fw/b"));
    network.input(1, Provide{payloadId(1), descriptorOf(network[1].id), true});
    network.input(0, FindProviders{payloadId(1)});
    network.run(1min);
    QCOMPARE(network[0].mediator.roots, 4u);
    QVERIFY(network[0].mediator.board.contains({kUrgentKind, "deny/1"}));
    QVERIFY(!network[0].mediator.board.contains({kReleaseKind, "fw/a"}));
    QVERIFY(!network[0].mediator.board.contains({kReleaseKind, "fw/b"}));
    QVERIFY(network[0].found.empty());
    QVERIFY(network[0].refused.empty()); // it does not know better
}

void TestOverlayRoots::asksOnWhereAChainTakesSeveralMessages()
{
    Config config;
    config.maxMessageBytes = 400;
    Network network(2, 1, config);
    network[0].mediator.holdRoot(50);
    network[1].mediator.holdRoot(1);
    network.connect(0, 1);
    network.run(5s);
    QCOMPARE(network[1].mediator.roots, 50u);
    const std::uint64_t messages = network.sent(kIndexOf<RootsMessage>);
    QVERIFY2(messages > 3 && messages < 10, std::to_string(messages).c_str());
}

void TestOverlayRoots::spreadsANewRootToEverybody()
{
    constexpr std::size_t kNodes = 6;
    Network network(kNodes);
    holdRoots(network, 1);
    for (std::size_t i = 0; i < kNodes; ++i)
        network.connect(i, (i + 1) % kNodes);
    network.run(1s);
    network[0].mediator.holdRoot(2);
    network.input(0, Publish{{kRootKind, "root"}});
    network.run(1s);
    for (std::size_t i = 0; i < kNodes; ++i)
        QCOMPARE(network[i].mediator.roots, 2u);
    // Three at once at one node: those who lack more than the last fetch them.
    network[3].mediator.holdRoot(5);
    network.input(3, Publish{{kRootKind, "root"}});
    network.run(1s);
    for (std::size_t i = 0; i < kNodes; ++i) {
        QCOMPARE(network[i].mediator.roots, 5u);
        QVERIFY(network[i].refused.empty());
    }
}

void TestOverlayRoots::triesANoticeAgainOnceItsRootIsHere()
{
    Network network(3);
    holdRoots(network, 1);
    const NeighborId from = network.connect(0, 1);
    network.connect(0, 2);
    network.run(1s);
    network[1].mediator.holdRoot(4);
    network.inject(0, from, StandingMessage{4, {}});
    network.inject(0, from, NoticeMessage{signedUnder(4, "fw/a").serialize()});
    QVERIFY(!network[0].mediator.board.contains({kReleaseKind, "fw/a"}));
    QVERIFY(network[0].refused.empty());
    QCOMPARE(network[0].mediator.excused, 1u);
    network.run(1s);
    QVERIFY(network[0].mediator.board.contains({kReleaseKind, "fw/a"}));
    QVERIFY(network[2].mediator.board.contains({kReleaseKind, "fw/a"}));
    QCOMPARE(network[2].mediator.roots, 4u);
    QVERIFY(network[0].refused.empty() && network[2].refused.empty());
}

void TestOverlayRoots::learnsOfARootByOneThatDoesNotFollow()
{
    Network network(2);
    holdRoots(network, 1);
    const NeighborId from = network.connect(0, 1);
    network.run(1s);
    network[1].mediator.holdRoot(7);
    network.inject(0, from, NoticeMessage{TestMediator::rootNotice(7).serialize()});
    network.run(1s);
    QCOMPARE(network[0].mediator.roots, 7u);
    QVERIFY(network[0].refused.empty());
}

void TestOverlayRoots::refusesAtLastWhatNobodySendsARootFor()
{
    Network network(2);
    holdRoots(network, 1);
    const NeighborId hostile = network.connect(0, 1);
    network.run(1s);
    network.isLost = [](std::size_t from, std::size_t) { return from == 1; };
    network.inject(0, hostile, StandingMessage{99, {}});
    for (int i = 0; i < 10; ++i)
        network.inject(0, hostile, NoticeMessage{signedUnder(99, "fw/" + std::to_string(i)).serialize()});
    QVERIFY(network[0].refused.empty());
    network.run(2min);
    QCOMPARE(network[0].refused.size(), 10u);
    QCOMPARE(network[0].refused[0].error.code, Errc::UnknownKey);
    QCOMPARE(network[0].overlay->neighbors().at(hostile).refused, 10u);
    // Without such a claim there is nothing to wait for.
    network.inject(0, hostile, NoticeMessage{signedUnder(99, "fw/x").serialize()});
    QCOMPARE(network[0].refused.size(), 11u);
}

void TestOverlayRoots::keepsNoMoreWaitingThanItMay()
{
    Network network(2);
    holdRoots(network, 1);
    const NeighborId hostile = network.connect(0, 1);
    network.run(1s);
    network.isLost = [](std::size_t from, std::size_t) { return from == 1; };
    network.inject(0, hostile, StandingMessage{99, {}});
    for (int i = 0; i < 1'000; ++i)
        network.inject(0, hostile, NoticeMessage{signedUnder(99, "fw/" + std::to_string(i)).serialize()});
    network.run(2min);
    QCOMPARE(network[0].refused.size(), 64u);
}

void TestOverlayRoots::believesABreakerOfPromisesThreeTimes()
{
    Network network(2);
    holdRoots(network, 1);
    const NeighborId hostile = network.connect(0, 1);
    network.run(1s);
    network.isLost = [](std::size_t from, std::size_t) { return from == 1; };
    for (int i = 0; i < 10; ++i) {
        network.inject(0, hostile, StandingMessage{99, {}});
        network.run(2min);
    }
    QCOMPARE(network.sent(kIndexOf<AskRootsMessage>), 3u);
}

void TestOverlayRoots::looksAtNoRootsItDidNotAskFor()
{
    Network network(2);
    holdRoots(network, 1);
    const NeighborId from = network.connect(0, 1);
    network.run(1s);
    const std::uint64_t before = network[0].mediator.examined;
    const Bytes root = TestMediator::rootNotice(2).serialize();
    network.inject(0, from, RootsMessage{{root}});
    QCOMPARE(network[0].mediator.examined, before);
    QCOMPARE(network[0].mediator.roots, 1u);
}

void TestOverlayRoots::endsWithTheFirstRootThatIsRefused()
{
    Network network(2);
    holdRoots(network, 1);
    const NeighborId hostile = network.connect(0, 1);
    network.run(1s);
    network.inject(0, hostile, StandingMessage{99, {}});
    TestNotice forged = TestMediator::rootNotice(3);
    forged.seal = Seal::Forged;
    const Bytes good = TestMediator::rootNotice(2).serialize();
    const Bytes bad = forged.serialize();
    const std::uint64_t before = network[0].mediator.examined;
    network.inject(0, hostile, RootsMessage{{good, bad, good, good}});
    QCOMPARE(network[0].mediator.examined, before + 2);
    QCOMPARE(network[0].mediator.roots, 2u);
    QCOMPARE(network[0].refused.size(), 1u);
}

void TestOverlayRoots::sendsTheUrgentPartFirst()
{
    Network network(2);
    holdRoots(network, 1);
    for (int i = 0; i < 100; ++i)
        network[0].mediator.hold(release("fw/" + std::to_string(i), std::string(4'000, 'x')));
    const NoticeKey urgent{kUrgentKind, "deny"};
    network[0].mediator.hold({urgent, 1, {}});
    std::optional<TestNotice> first;
    network.onSend = [&](std::size_t, NeighborId, const Message& message) {
        if (const auto* notice = std::get_if<NoticeMessage>(&message); notice && !first)
            first = TestNotice::parse(notice->bytes);
    };
    network.connect(0, 1);
    network.run(1s);
    QVERIFY(first && first->key == urgent);
    QVERIFY(network.areBoardsEqual());
    QCOMPARE(network.sent(kIndexOf<NoticeMessage>), 101u); // and not a second time with the rest
}

void TestOverlayRoots::comparesLargeBoardsByTheirDifference()
{
    Network network(2);
    for (int i = 0; i < 5'000; ++i)
        for (const std::size_t node : {0u, 1u})
            network[node].mediator.hold(release("fw/" + std::to_string(i)));
    network[0].mediator.hold(release("fw/17", "x"));
    network[0].mediator.board[{kReleaseKind, "fw/17"}].rank = 2;
    network[1].mediator.hold(release("fw/new"));
    network[0].mediator.hold(release("zz/last"));
    std::size_t largest = 0;
    network.onSend = [&](std::size_t, NeighborId, const Message& message) {
        largest = std::max(largest, serialize(message).size());
    };
    network.connect(0, 1);
    network.run(1s);
    QVERIFY(network.areBoardsEqual());
    QCOMPARE(network.sent(kIndexOf<NoticeMessage>), 3u);
    // A whole summary would be 5,000 heads of 56 bytes, 280 kB.
    QVERIFY2(network.traffic.bytes < 20'000, std::to_string(network.traffic.bytes).c_str());
    QVERIFY2(largest < 4'096, std::to_string(largest).c_str());
}

void TestOverlayRoots::costsTheSameWhateverBoardsHoldWhileTheyAreEqual()
{
    std::uint64_t bytes[2] = {};
    for (const std::size_t which : {0u, 1u}) {
        Network network(2);
        for (int i = 0; i < (which == 0 ? 1 : 5'000); ++i)
            for (const std::size_t node : {0u, 1u})
                network[node].mediator.hold(release("fw/" + std::to_string(i)));
        network.connect(0, 1);
        network.run(1h);
        bytes[which] = network.traffic.bytes;
    }
    QCOMPARE(bytes[0], bytes[1]);
}

void TestOverlayRoots::hashesForAFloodOfRangesWithinItsAllowance()
{
    Network network(2);
    for (int i = 0; i < 1'000; ++i)
        network[0].mediator.hold(release("fw/" + std::to_string(i)));
    const NeighborId hostile = network.connect(0, 1);
    network.isLost = [](std::size_t, std::size_t) { return true; };
    network.run(5s);
    network.traffic = {};
    for (int i = 0; i < 3'000; ++i)
        network.inject(0, hostile, RangesMessage{{}, {{{}, {}}}});
    // Its one digest entitles to 256 messages.
    QVERIFY2(network.traffic.all <= 256, std::to_string(network.traffic.all).c_str());
}

QTEST_GUILESS_MAIN(TestOverlayRoots)
#include "tst_overlay_roots.moc"
