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
            QCOMPARE(queue.nextNode(), number);
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

    void handsOutTheBytesThatItWasGiven()
    {
        EventQueue queue;
        queue.push(Instant(1ms), {Event::What::Datagram, 1, 2, 3, 4, 5, toBytes("payload")});
        const Event event = queue.pop();
        QVERIFY(event.what == Event::What::Datagram && event.bytes == toBytes("payload"));
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
