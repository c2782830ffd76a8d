// SPDX-License-Identifier: Apache-2.0
/// How notices spread: the tree that the overlay finds, how it is mended, and what a hostile neighbour can
/// make of it.
#include "overlay/seen_notices.h"
#include "overlay_network.h"

#include <QtTest>

using namespace starling;
using namespace starling::overlay;
using namespace starling::overlay::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kNodes = 60;

/// Each node links to three others that came before it.
void connectAtRandom(Network& network)
{
    SeededRandom random(7);
    std::set<std::pair<std::size_t, std::size_t>> linked;
    for (std::size_t i = 1; i < network.size(); ++i)
        for (int k = 0; k < 3; ++k)
            if (const std::size_t other = random.below(i); linked.emplace(other, i).second)
                network.connect(other, i);
    network.run(1s);
}

TestNotice release(std::uint64_t rank, const std::string& name = "fw/a")
{
    return {{kReleaseKind, name}, rank, {}};
}

/// How many hold at least that version.
std::size_t holders(Network& network, std::uint64_t rank)
{
    std::size_t count = 0;
    for (const auto& node : network.nodes) {
        const auto held = node->mediator.board.find({kReleaseKind, "fw/a"});
        count += held != node->mediator.board.end() && held->second.rank >= rank ? 1 : 0;
    }
    return count;
}

Message told(std::initializer_list<TestNotice> notices)
{
    IHaveMessage message;
    for (const TestNotice& notice : notices)
        message.items.push_back({notice.key, tagOf(notice.serialize())});
    return message;
}

} // namespace

class TestOverlayBroadcast : public QObject
{
    Q_OBJECT

private:
    /// The neighbours whom `node` has asked for a notice, in order; the Network does not deliver to them.
    static std::vector<NeighborId> asked(Network& network, std::size_t node, Duration duration)
    {
        std::vector<NeighborId> order;
        network.onSend = [&](std::size_t from, NeighborId to, const Message& message) {
            if (from == node && std::holds_alternative<GraftMessage>(message))
                order.push_back(to);
        };
        network.run(duration);
        network.onSend = nullptr;
        return order;
    }

private Q_SLOTS:
    void findsATree()
    {
        Network network(kNodes);
        connectAtRandom(network);
        network.publish(4, release(1));
        network.run(2s);
        QCOMPARE(holders(network, 1), kNodes);
        constexpr std::uint64_t kRepeats = 20;
        const std::uint64_t before = network.sent(kIndexOf<NoticeMessage>);
        for (std::uint64_t rank = 2; rank < 2 + kRepeats; ++rank) {
            network.publish(4, release(rank));
            network.run(2s);
            QCOMPARE(holders(network, rank), kNodes);
        }
        // Every node but the source is sent each notice once: redundancy 0, where 0.05 is allowed.
        const std::uint64_t sent = network.sent(kIndexOf<NoticeMessage>) - before;
        const std::uint64_t needed = kRepeats * (kNodes - 1);
        QVERIFY2(sent * 100 <= needed * 105,
                 (std::to_string(sent) + " of " + std::to_string(needed)).c_str());
    }

    /// Nobody knows the tree yet: each asks one of those who tell.
    void spreadsAFirstNoticeWithoutCopies()
    {
        Network network(kNodes);
        connectAtRandom(network);
        network.publish(4, release(1));
        network.run(500ms); // the way there, and back, and there again, at each of some steps of 10 ms
        QCOMPARE(holders(network, 1), kNodes);
        const std::uint64_t sent = network.sent(kIndexOf<NoticeMessage>);
        // Whoever publishes without a place in the tree pushes to all.
        QVERIFY2(sent * 10 <= (kNodes - 1) * 11, std::to_string(sent).c_str());
    }

    /// A link that comes up later carries no copy, and no message but the telling.
    void aNewLinkCarriesNoCopies()
    {
        Network network(kNodes);
        connectAtRandom(network);
        network.publish(4, release(1));
        network.run(2s);
        for (std::size_t i = 0; i + 30 < kNodes; i += 2)
            network.connect(i, i + 30);
        network.run(10s);
        const std::uint64_t before = network.sent(kIndexOf<NoticeMessage>);
        network.publish(4, release(2));
        network.run(2s);
        QCOMPARE(holders(network, 2), kNodes);
        QCOMPARE(network.sent(kIndexOf<NoticeMessage>) - before, std::uint64_t{kNodes - 1});
    }

    /// Whoever has lost the link by which notices came does not wait for it.
    void asksAtOnceAfterAnEagerLinkIsGone()
    {
        Network network(3);
        network.connect(0, 1);
        network.connect(1, 2);
        network.run(1s);
        network.publish(0, release(1));
        network.run(1s);
        network.connect(0, 2);
        network.disconnect(1, 2);
        network.run(1s);
        network.publish(0, release(2));
        network.run(4 * network.latency); // told, asked, sent
        QCOMPARE(holders(network, 2), std::size_t{3});
    }

    /// One that joins while nothing happens has the next notice by asking at once, and the one after by push.
    void aNewcomerHasItsPlaceAfterOneNotice()
    {
        Network network(3);
        network.connect(0, 1);
        network.publish(0, release(1));
        network.run(1s);
        network.connect(1, 2);
        network.run(1s);
        network.publish(0, release(2));
        network.run(4 * network.latency);
        QCOMPARE(holders(network, 2), std::size_t{3});
        network.publish(0, release(3));
        network.run(2 * network.latency);
        QCOMPARE(holders(network, 3), std::size_t{3});
    }

    /// How long it waits for the tree is learned from what it asked for in vain.
    void waitsLongerAfterAskingInVain()
    {
        Network network(4);
        const NeighborId tree = network.connect(0, 1);
        const NeighborId teller = network.connect(0, 2);
        network.run(1s);
        network.isLost = [](std::size_t from, std::size_t) { return from == 0; };
        network.inject(0, tree, NoticeMessage{release(1).serialize()}); // pushes: it is eager
        const Duration patience = Config().graftLeast;
        network.inject(0, teller, told({release(2)}));
        QCOMPARE(asked(network, 0, patience - 1ms).size(), std::size_t{0});
        QCOMPARE(asked(network, 0, 2ms).size(), std::size_t{1});
        network.inject(0, tree, NoticeMessage{release(2).serialize()});
        network.inject(0, teller, told({release(3)}));
        QCOMPARE(asked(network, 0, 2 * patience - 1ms).size(), std::size_t{0});
        QCOMPARE(asked(network, 0, 2ms).size(), std::size_t{1});
        // What it asked for was there long before the tree brought it.
        network.inject(0, teller, NoticeMessage{release(3).serialize(), true});
        network.run(100ms);
        network.inject(0, tree, NoticeMessage{release(3).serialize()});
        network.inject(0, teller, told({release(4)}));
        QCOMPARE(asked(network, 0, 2 * patience + 1ms).size(), std::size_t{1});
    }

    /// A datagram of the tree was lost and came again: that is no reason to leave the tree, here or beyond.
    void keepsATreeThatWasLate()
    {
        Network network(4);
        const NeighborId tree = network.connect(0, 1);
        const NeighborId teller = network.connect(0, 2);
        const NeighborId child = network.connect(0, 3);
        network.run(1s);
        network.isLost = [](std::size_t from, std::size_t) { return from == 0; };
        network.inject(0, tree, NoticeMessage{release(1).serialize()});
        network.inject(0, child, GraftMessage());
        std::vector<std::pair<NeighborId, Message>> sent;
        network.onSend = [&](std::size_t from, NeighborId to, const Message& message) {
            if (from == 0)
                sent.emplace_back(to, message);
        };
        network.inject(0, teller, told({release(2)}));
        network.run(Config().graftLeast);
        QCOMPARE(sent.size(), std::size_t{1});
        QVERIFY(sent[0].first == teller && std::get<GraftMessage>(sent[0].second).isOnce);
        sent.clear();
        network.inject(0, teller, NoticeMessage{release(2).serialize(), true});
        std::size_t forwarded = 0; // the tree has it from here, too, and is not cut where both ways meet
        for (const auto& [to, message] : sent)
            if (const auto* notice = std::get_if<NoticeMessage>(&message)) {
                QVERIFY(to != teller && notice->isBeside);
                ++forwarded;
            }
        QCOMPARE(forwarded, std::size_t{2});
        sent.clear();
        network.inject(0, tree, NoticeMessage{release(2).serialize()});
        network.inject(0, child, NoticeMessage{release(2).serialize(), true});
        QVERIFY(sent.empty());
        const std::uint64_t before = network.sent(kIndexOf<NoticeMessage>);
        network.publish(0, release(3));
        QCOMPARE(network.sent(kIndexOf<NoticeMessage>) - before, std::uint64_t{2});
        // A second copy along the tree is one too many.
        sent.clear();
        network.inject(0, tree, NoticeMessage{release(2).serialize()});
        QCOMPARE(sent.size(), std::size_t{1});
        QVERIFY(sent[0].first == tree && std::holds_alternative<PruneMessage>(sent[0].second));
        network.onSend = nullptr;
    }

    /// What has to be asked for again and again does not come along the tree.
    void leavesATreeThatBringsNothing()
    {
        Network network(4);
        const NeighborId tree = network.connect(0, 1);
        const NeighborId teller = network.connect(0, 2);
        network.run(1s);
        network.isLost = [](std::size_t from, std::size_t) { return from == 0; };
        network.inject(0, tree, NoticeMessage{release(1).serialize()});
        std::vector<bool> isOnce;
        network.onSend = [&](std::size_t from, NeighborId, const Message& message) {
            if (const auto* graft = std::get_if<GraftMessage>(&message); graft && from == 0)
                isOnce.push_back(graft->isOnce);
        };
        for (std::uint64_t rank = 2; rank < 5; ++rank) {
            network.inject(0, teller, told({release(rank)}));
            network.run(Config().graftLeast);
            network.inject(0, teller, NoticeMessage{release(rank).serialize(), rank < 4});
        }
        QVERIFY((isOnce == std::vector{true, true, false}));
        const std::uint64_t before = network.sent(kIndexOf<NoticeMessage>);
        network.publish(0, release(5));
        QCOMPARE(network.sent(kIndexOf<NoticeMessage>) - before,
                 std::uint64_t{2}); // both are in the tree now
        network.onSend = nullptr;
    }

    /// Boards are compared while a notice is on its way: some have it from neighbours beside the tree,
    /// sooner.
    void keepsATreeThroughComparedBoards()
    {
        Network network(kNodes);
        connectAtRandom(network);
        network.publish(4, release(1));
        network.run(2s);
        for (std::uint64_t rank = 2; rank < 12; ++rank) {
            std::set<std::pair<std::size_t, NeighborId>> tree; // whom each pushes to
            network.onSend = [&](std::size_t from, NeighborId to, const Message& message) {
                if (std::holds_alternative<NoticeMessage>(message))
                    tree.emplace(from, to);
            };
            network.publish(4, release(rank * 2 - 1));
            network.run(2s);
            network.onSend = nullptr;
            network.publish(4, release(rank * 2));
            for (const auto& [neighbor, other] : network[rank * 5].links) {
                const NeighborId back{static_cast<std::uint64_t>(neighbor) ^ 1};
                if (!tree.contains({rank * 5, neighbor}) && !tree.contains({other, back}))
                    network.inject(other, back, NoticeMessage{release(rank * 2).serialize(), true});
            }
            network.run(2s);
        }
        const std::uint64_t grafts = network.sent(kIndexOf<GraftMessage>);
        const std::uint64_t sent = network.sent(kIndexOf<NoticeMessage>);
        network.publish(4, release(24));
        network.run(2s);
        QCOMPARE(holders(network, 24), kNodes);
        QCOMPARE(network.sent(kIndexOf<GraftMessage>), grafts); // nobody had to ask
        QCOMPARE(network.sent(kIndexOf<NoticeMessage>) - sent, std::uint64_t{kNodes - 1});
    }

    /// Each takes the other for its way to the tree, and pushes to it what it had to ask for.
    void twoThatWaitForEachOtherEndIt()
    {
        Network network(5);
        network.connect(0, 3);
        network.connect(0, 4);
        const NeighborId upOfOne = network.connect(1, 3), upOfTwo = network.connect(2, 4);
        const NeighborId between = network.connect(1, 2);
        const auto otherEnd = [](NeighborId link) {
            return NeighborId{static_cast<std::uint64_t>(link) ^ 1};
        };
        network.publish(0, release(1));
        network.run(1s);
        for (const auto& [node, above, link] : {std::tuple(1, 3, upOfOne), std::tuple(2, 4, upOfTwo)}) {
            network.inject(static_cast<std::size_t>(node), link, PruneMessage());
            network.inject(static_cast<std::size_t>(above), otherEnd(link), PruneMessage());
        }
        network.inject(1, between, GraftMessage());
        network.inject(2, otherEnd(between), GraftMessage());
        network.publish(0, release(2));
        network.run(100ms);
        QCOMPARE(holders(network, 2), std::size_t{3}); // they wait
        network.run(1s);
        for (std::uint64_t rank = 3; rank < 5; ++rank) {
            network.publish(0, release(rank));
            network.run(1s);
        }
        network.publish(0, release(5));
        network.run(2 * network.latency);
        QCOMPARE(holders(network, 5), std::size_t{5});
    }

    /// Neither needs to be told, and one of them need not tell.
    void ofTwoInTheTreeOneTells()
    {
        Network network(3);
        network.connect(0, 1);
        network.connect(0, 2);
        network.run(1s);
        network.publish(0, release(1));
        network.run(1s);
        network.connect(1, 2);
        network.run(1s);
        for (std::uint64_t rank = 2; rank < 12; ++rank) {
            const std::uint64_t before = network.sent(kIndexOf<IHaveMessage>);
            network.publish(0, release(rank));
            network.run(1s);
            QCOMPARE(network.sent(kIndexOf<IHaveMessage>) - before, std::uint64_t{1});
        }
    }

    /// Of those who told, the one is kept that would have been the quickest.
    void keepsWhoWouldHaveBeenQuicker()
    {
        TestMediator mediator;
        SeededRandom random(1);
        Overlay overlay(nodeId(1), {}, mediator, random);
        const NeighborId slow{1}, quick{2};
        Instant now;
        overlay.start(now);
        overlay.handle(NeighborUp{slow, nodeId(2), 90ms}, now);
        overlay.handle(NeighborUp{quick, nodeId(3), 10ms}, now);
        const auto receive = [&](NeighborId from, const Message& message) {
            std::map<NeighborId, std::vector<Message>> sent;
            const Bytes bytes = serialize(message);
            for (const Output& output : overlay.handle(MessageReceived{from, bytes}, now))
                if (const auto* send = std::get_if<SendMessage>(&output))
                    sent[send->to].push_back(*parse(send->bytes));
            return sent;
        };
        receive(slow, told({release(1)}));
        std::uint64_t generation = 0;
        while (generation < 8) // whichever it is
            overlay.handle(TimerExpired{{Timer::What::Graft, ++generation}}, now);
        now += 20ms;
        receive(quick, told({release(1)}));
        now += 70ms;
        auto sent = receive(slow, NoticeMessage{release(1).serialize()});
        QCOMPARE(sent[slow].size(), std::size_t{1});
        QVERIFY(std::holds_alternative<PruneMessage>(sent[slow][0]));
        QCOMPARE(sent[quick].size(), std::size_t{1});
        QVERIFY(std::holds_alternative<GraftMessage>(sent[quick][0]));
        // Not so if it would have been slower.
        receive(slow, told({release(2)}));
        now += 5ms;
        sent = receive(quick, NoticeMessage{release(2).serialize()});
        QVERIFY(sent[slow].empty());
    }

    void servesOtherSourcesByTheSameTree()
    {
        Network network(kNodes);
        connectAtRandom(network);
        network.publish(4, release(1));
        network.run(2s);
        const std::uint64_t before = network.sent(kIndexOf<NoticeMessage>);
        for (std::uint64_t rank = 2; rank < 12; ++rank) {
            network.publish(rank * 5, release(rank));
            network.run(2s);
            QCOMPARE(holders(network, rank), kNodes);
        }
        const std::uint64_t sent = network.sent(kIndexOf<NoticeMessage>) - before;
        QVERIFY2(sent * 100 <= 10 * (kNodes - 1) * 110, std::to_string(sent).c_str());
    }

    /// A node that pushes nothing any more, though its links stay up, is replaced by those who only told.
    /// Many sources at once prune links for each other's notices: each alone would leave a tree.
    void keepsATreeThroughABurstOfManySources()
    {
        Network network(kNodes);
        connectAtRandom(network);
        network.publish(4, release(1));
        network.run(2s);
        for (std::uint64_t round = 1; round <= 5; ++round) {
            for (std::size_t i = 0; i < kNodes; ++i)
                network.publish(i, release(round, "fw/" + std::to_string(i)));
            network.run(5s);
            network.publish(9, release(1 + round));
            network.run(400ms); // less than the shortest time until somebody asks
            QCOMPARE(holders(network, 1 + round), kNodes);
        }
    }

    void mendsATreeThatLostABranch()
    {
        Network network(kNodes);
        connectAtRandom(network);
        network.publish(4, release(1));
        network.run(2s);
        network.isLost = [](std::size_t from, std::size_t) { return from == 1 || from == 2; };
        network.publish(4, release(2));
        network.run(Config().tellDelay + Config().graftTimeout + 500ms);
        QCOMPARE(holders(network, 2), kNodes);
        // And the mended tree needs no more asking.
        const std::uint64_t grafts = network.sent(kIndexOf<GraftMessage>);
        QVERIFY(grafts > 0);
        network.publish(4, release(3));
        network.run(Config().tellDelay + 300ms);
        QCOMPARE(holders(network, 3), kNodes);
    }

    /// The branch comes back: what replaced it meanwhile is pruned, or the other way round.
    void prunesWhatMendedTheTree()
    {
        Network network(kNodes);
        connectAtRandom(network);
        network.publish(4, release(1));
        network.run(2s);
        network.isLost = [](std::size_t from, std::size_t) { return from < 20 && from != 4; };
        for (std::uint64_t rank = 2; rank < 5; ++rank) {
            network.publish(4, release(rank));
            network.run(5s);
        }
        network.isLost = [](std::size_t, std::size_t) { return false; };
        network.publish(4, release(5));
        network.run(5s);
        const std::uint64_t before = network.sent(kIndexOf<NoticeMessage>);
        for (std::uint64_t rank = 6; rank < 16; ++rank) {
            network.publish(4, release(rank));
            network.run(2s);
            QCOMPARE(holders(network, rank), kNodes);
        }
        const std::uint64_t sent = network.sent(kIndexOf<NoticeMessage>) - before;
        QVERIFY2(sent * 100 <= 10 * (kNodes - 1) * 105, std::to_string(sent).c_str());
    }

    void asksTheNextIfOneDoesNotSend()
    {
        Network network(4);
        const NeighborId liar = network.connect(0, 1);
        const NeighborId second = network.connect(0, 2);
        network.run(1s);
        network.isLost = [](std::size_t, std::size_t) { return true; };
        network.inject(0, liar, told({release(5)}));
        network.inject(0, second, told({release(5)}));
        const auto order = asked(network, 0, 5s);
        QVERIFY((order == std::vector{liar, second}));
    }

    void stopsAskingWhoeverNeverSends()
    {
        Network network(3);
        const NeighborId liar = network.connect(0, 1);
        network.run(1s);
        network.isLost = [](std::size_t, std::size_t) { return true; };
        std::size_t grafts = 0;
        for (std::uint64_t i = 0; i < 100; ++i) {
            network.inject(0, liar, told({release(1, "fw/" + std::to_string(i))}));
            grafts += asked(network, 0, 5s).size();
        }
        QCOMPARE(grafts, std::size_t{16});
        // One that it sends unasked makes it a neighbour like the others again.
        network.inject(0, liar, NoticeMessage{release(1).serialize()});
        network.inject(0, liar, told({release(2)}));
        QCOMPARE(asked(network, 0, 5s).size(), std::size_t{1});
    }

    void isNotMovedByAFloodOfTelling()
    {
        Network network(3);
        const NeighborId flooder = network.connect(0, 1);
        const NeighborId honest = network.connect(0, 2);
        network.run(1s);
        network.isLost = [](std::size_t, std::size_t) { return true; };
        for (std::uint64_t i = 0; i < 1'000; ++i) {
            IHaveMessage message;
            for (std::uint64_t k = 0; k < kMaxItems; ++k)
                message.items.push_back({{kReleaseKind, "fw/" + std::to_string(k)},
                                         tagOf(release(i * kMaxItems + k).serialize())});
            network.inject(0, flooder, message);
        }
        network.inject(0, honest, told({release(5)}));
        std::size_t keys = 0;
        bool isHonestAsked = false;
        network.onSend = [&](std::size_t from, NeighborId to, const Message& message) {
            const auto* graft = std::get_if<GraftMessage>(&message);
            if (from != 0 || graft == nullptr)
                return;
            keys += graft->keys.size();
            isHonestAsked = isHonestAsked || to == honest;
        };
        network.run(1min);
        network.onSend = nullptr;
        QVERIFY(isHonestAsked);
        QVERIFY2(keys <= 2'049, std::to_string(keys).c_str());
    }

    void isNotMovedByAFloodOfGrafts()
    {
        Network network(2);
        const NeighborId flooder = network.connect(0, 1);
        network.run(1s);
        TestNotice large = release(1);
        large.body.assign(100'000, 'x');
        network[0].mediator.hold(large);
        GraftMessage graft;
        graft.keys.assign(kMaxItems, large.key);
        const std::uint64_t before = network.traffic.bytes;
        for (int i = 0; i < 100; ++i)
            network.inject(0, flooder, graft);
        QVERIFY(network.traffic.bytes - before <= 17 * 1024 * 1024);
    }

    /// Whoever prunes everybody is told of notices all the same, and hurts itself only.
    void servesWhoeverPrunes()
    {
        Network network(3);
        network.connect(0, 1);
        network.connect(1, 2);
        network.run(1s);
        for (const auto& [neighbor, to] : network[1].links)
            network.inject(1, neighbor, PruneMessage());
        network.publish(0, release(1));
        network.run(Config().tellDelay + Config().graftTimeout + 100ms);
        QCOMPARE(holders(network, 1), std::size_t{3});
    }

    /// What comes by comparing boards is no reason to prune whoever sent it.
    /// Against a map and a queue as the model; of tags of which many begin alike.
    void remembersTheLastNoticesSeen()
    {
        const auto tagOfNumber = [](std::uint64_t number) {
            NoticeTag tag{};
            tag[0] = static_cast<std::byte>(number % 7);
            std::memcpy(tag.data() + 8, &number, sizeof number);
            return tag;
        };
        SeenNotices seen;
        QVERIFY(!seen.contains(tagOfNumber(0)));
        constexpr std::uint64_t kCount = SeenNotices::kMost + 100;
        for (std::uint64_t number = 0; number < kCount; ++number) {
            seen.add(tagOfNumber(number), Instant(Duration(number)));
            QVERIFY(seen.contains(tagOfNumber(number)) && !seen.contains(tagOfNumber(number + 1)));
            const std::uint64_t oldest = number < SeenNotices::kMost ? 0 : number - SeenNotices::kMost + 1;
            QVERIFY(seen.contains(tagOfNumber(oldest)));
            QVERIFY(oldest == 0 || !seen.contains(tagOfNumber(oldest - 1)));
        }
        QCOMPARE(seen.size(), SeenNotices::kMost);
        for (std::uint64_t number = kCount - SeenNotices::kMost; number < kCount; ++number)
            QCOMPARE(seen.find(tagOfNumber(number))->at, Instant(Duration(number)));
    }

    void doesNotPruneForOldNotices()
    {
        Network network(2);
        const NeighborId neighbor = network.connect(0, 1);
        network.publish(0, release(1));
        network.run(1min);
        network.inject(0, neighbor, NoticeMessage{release(1).serialize()});
        QCOMPARE(network.sent(kIndexOf<PruneMessage>), std::uint64_t{0});
        network.publish(0, release(2));
        network.run(network.latency);
        QCOMPARE(holders(network, 2), std::size_t{2});
    }
};

QTEST_GUILESS_MAIN(TestOverlayBroadcast)
#include "tst_overlay_broadcast.moc"
