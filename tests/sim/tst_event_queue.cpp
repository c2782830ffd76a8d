// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "sim/event_queue.h"

#include <QtTest>

using namespace starling;
using namespace starling::sim;
using namespace std::chrono_literals;

namespace {

Event numbered(NodeIndex number)
{
    return {Event::What::Wake, number, 0, 0, 0, 0, {}};
}

} // namespace

class TestEventQueue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void givesTheEarliestFirst()
    {
        EventQueue queue;
        for (const auto& [at, number] : {std::pair(30ms, 3u), std::pair(10ms, 1u), std::pair(20ms, 2u)})
            queue.push(Instant(at), numbered(number));
        for (NodeIndex number = 1; number <= 3; ++number) {
            QCOMPARE(queue.nextAt(), Instant(number * 10ms));
            QCOMPARE(queue.pop().node, number);
        }
        QVERIFY(queue.isEmpty());
    }

    void keepsTheOrderOfWhatIsAtOneTime()
    {
        EventQueue queue;
        for (NodeIndex number = 0; number < 1'000; ++number)
            queue.push(Instant(5s), numbered(number));
        for (NodeIndex number = 0; number < 1'000; ++number)
            QCOMPARE(queue.pop().node, number);
    }

    void knowsWhatFollowsAtAboutTheSameTime()
    {
        EventQueue queue;
        queue.push(Instant(1s), numbered(0));
        for (NodeIndex number = 1; number <= 3; ++number)
            queue.push(Instant(2s + (4 - number) * 1us), numbered(number));
        QCOMPARE(queue.pop().node, NodeIndex{0});
        QVERIFY(queue.ahead(0) == nullptr);
        QCOMPARE(queue.nextAt(), Instant(2s + 1us));
        QVERIFY(queue.ahead(3) == nullptr);
        for (NodeIndex number = 3; number >= 1; --number) {
            QCOMPARE(queue.ahead(0)->node, number);
            QCOMPARE(queue.ahead(number - 1)->node, NodeIndex{1});
            QCOMPARE(queue.pop().node, number);
        }
        QVERIFY(queue.ahead(0) == nullptr);
    }

    void holdsWhatIsSaidTwiceOnce()
    {
        Contents contents;
        Content one = contents.share(toBytes("payload"));
        const Content other = contents.share(toBytes("payload")),
                      another = contents.share(toBytes("payloaf"));
        QVERIFY(one.bytes().data() == other.bytes().data());
        QVERIFY(one.hash() == quickHash(viewOf("payload")) && one.hash() != another.hash());
        QCOMPARE(contents.size(), std::size_t{2});
        const Content again = other.again();
        one = Content();
        QVERIFY(toBytes(again.bytes()) == toBytes("payload"));
        {
            const Content third = std::move(one);
            QVERIFY(third.isEmpty() && third.bytes().empty());
        }
        QCOMPARE(contents.size(), std::size_t{2});
    }

    void forgetsWhatNobodySaysAnyMore()
    {
        Contents contents;
        {
            const Content one = contents.share(toBytes("payload")), other = one.again();
            QCOMPARE(contents.size(), std::size_t{1});
        }
        QCOMPARE(contents.size(), std::size_t{0});
        QVERIFY(contents.share({}).isEmpty());
    }

    void handsOutTheBytesThatItWasGiven()
    {
        Contents contents;
        EventQueue queue;
        queue.push(Instant(1ms), {Event::What::Datagram, 1, 2, 3, 4, 5, contents.share(toBytes("payload"))});
        const Event event = queue.pop();
        QVERIFY(event.what == Event::What::Datagram && toBytes(event.content.bytes()) == toBytes("payload"));
        QVERIFY(event.from == 2 && event.life == 3 && event.first == 4 && event.second == 5);
    }

    /// Near, far, very far and past events, pushed while others are popped, against a map as the model.
    void agreesWithASortedMap()
    {
        SeededRandom random(1);
        EventQueue queue;
        std::map<std::pair<Instant, NodeIndex>, NodeIndex> model;
        Instant now;
        NodeIndex number = 0;
        for (int step = 0; step < 100'000; ++step) {
            if (random.below(2) == 0 || model.empty()) {
                static constexpr std::array<Duration, 5> kSpans{0ns, 100us, 50ms, 40s, 20h};
                const Duration span = kSpans[random.below(kSpans.size())];
                const Instant at = now
                    + Duration(static_cast<Duration::rep>(
                        random.below(static_cast<std::uint64_t>(span.count()) + 1)));
                queue.push(at, numbered(number));
                model.emplace(std::pair(at, number), number);
                ++number;
                continue;
            }
            const auto first = model.begin();
            QCOMPARE(queue.size(), model.size());
            QCOMPARE(queue.nextAt(), first->first.first);
            now = first->first.first;
            QCOMPARE(queue.pop().node, first->second);
            model.erase(first);
        }
        for (const auto& [when, expected] : model)
            QCOMPARE(queue.pop().node, expected);
        QVERIFY(queue.isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestEventQueue)
#include "tst_event_queue.moc"
