// SPDX-License-Identifier: Apache-2.0
#include "node/timer_queue.h"

#include <QTest>

using namespace starling;
using namespace starling::node;
using namespace std::chrono_literals;

class TestTimerQueue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void callsInTheOrderOfTheirTimes()
    {
        TimerQueue queue;
        std::string seen;
        queue.schedule(30ms, [&] { seen += 'c'; });
        queue.schedule(10ms, [&] { seen += 'a'; });
        queue.schedule(20ms, [&] { seen += 'b'; });
        queue.schedule(0ms, [&] { seen += '0'; });
        QVERIFY(seen.empty()); // from the event loop, never at once
        QTRY_COMPARE(seen, std::string("0abc"));
    }

    void neverCallsTooEarly()
    {
        TimerQueue queue;
        const Instant start = queue.now();
        std::optional<Duration> took;
        queue.schedule(1500us, [&] { took = queue.now() - start; });
        QTRY_VERIFY(took.has_value());
        QVERIFY(*took >= 1500us);
    }

    void callsOnce()
    {
        TimerQueue queue;
        int calls = 0, ends = 0;
        queue.schedule(1ms, [&] { ++calls; });
        queue.schedule(20ms, [&] { ++ends; });
        QTRY_COMPARE(ends, 1);
        QCOMPARE(calls, 1);
    }

    void anActionMaySchedule()
    {
        TimerQueue queue;
        int turns = 0;
        std::function<void()> again = [&] {
            if (++turns < 20)
                queue.schedule(turns % 2 == 0 ? 0ms : 1ms, again);
        };
        queue.schedule(0ms, again);
        QTRY_COMPARE(turns, 20);
    }

    void whatIsDueInThePastIsCalledSoon()
    {
        TimerQueue queue;
        bool isCalled = false;
        queue.schedule(-5s, [&] { isCalled = true; });
        QTRY_VERIFY(isCalled);
    }

    void anEarlierOneIsNotHeldUpByALaterOne()
    {
        TimerQueue queue;
        bool isCalled = false;
        queue.schedule(1h, [] { QFAIL("an hour is not over"); });
        queue.schedule(5ms, [&] { isCalled = true; });
        QTRY_VERIFY(isCalled);
    }

    void reschedulingTakesThePlaceOfWhatTheOwnerHad()
    {
        TimerQueue queue;
        std::string seen;
        queue.reschedule(1, 5ms, [&] { seen += 'x'; });
        queue.reschedule(2, 10ms, [&] { seen += 'b'; });
        queue.reschedule(1, 20ms, [&] { seen += 'a'; });
        bool isOver = false;
        queue.schedule(40ms, [&] { isOver = true; });
        QTRY_VERIFY(isOver);
        QCOMPARE(seen, std::string("ba"));
        // An owner whose timer is over may have another one.
        queue.reschedule(1, 1ms, [&] { seen += 'c'; });
        QTRY_COMPARE(seen, std::string("bac"));
    }

    void anOwnerMayRescheduleFromItsOwnAction()
    {
        TimerQueue queue;
        int turns = 0;
        std::function<void()> again = [&] {
            if (++turns < 5)
                queue.reschedule(9, 1ms, again);
        };
        queue.reschedule(9, 1ms, again);
        QTRY_COMPARE(turns, 5);
    }

    void nothingIsCalledOnceTheQueueIsGone()
    {
        auto queue = std::make_unique<TimerQueue>();
        queue->schedule(1ms, [] { QFAIL("called by a queue that is gone"); });
        queue.reset();
        TimerQueue other;
        bool isOver = false;
        other.schedule(20ms, [&] { isOver = true; });
        QTRY_VERIFY(isOver);
    }

    void timeGoesForward()
    {
        TimerQueue queue;
        const Instant earlier = queue.now();
        QVERIFY(queue.now() >= earlier);
    }
};

QTEST_GUILESS_MAIN(TestTimerQueue)
#include "tst_timer_queue.moc"
