// SPDX-License-Identifier: Apache-2.0
/// Loss recovery in the tunnel: two of them, and a line between that loses, delays, doubles and reorders.
#include "base/random.h"
#include "tunnel/recovery.h"

#include <QtTest>

#include <map>
#include <set>

using namespace starling;
using namespace starling::tunnel;
using namespace std::chrono_literals;

namespace {

Bytes numberOf(std::size_t i)
{
    ByteWriter writer;
    writer.u32(static_cast<std::uint32_t>(i));
    return writer.take();
}

std::size_t read(const Bytes& bytes)
{
    ByteReader reader(bytes);
    return reader.u32();
}

/// A line between two, and what came out at its ends.
struct Line
{
    Recovery ends[2]{Recovery(1), Recovery(2)};
    std::vector<Bytes> arrived[2];
    std::multimap<Instant, std::pair<int, Bytes>> underWay; ///< to which end
    SeededRandom random{7};
    Instant now{};
    Duration oneWay = 20ms;
    Duration jitter{};
    std::uint64_t lostPercent = 0, doubledPercent = 0;
    std::set<std::size_t> lose; ///< the transmissions of end 0, counted from 0
    std::size_t transmissions = 0;
    std::size_t carriedToPeer = 0;

    void take(int end, Recovery::Out& out)
    {
        for (Bytes& bytes : out.arrived)
            arrived[end].push_back(std::move(bytes));
        for (const Bytes& bytes : out.toPeer) {
            const bool isChosen = end == 0 && lose.contains(transmissions++);
            carriedToPeer += end == 0 ? 1 : 0;
            const int copies = random.below(100) < doubledPercent ? 2 : 1;
            for (int i = 0; i < copies; ++i)
                if (!isChosen && random.below(100) >= lostPercent) {
                    const auto late = Duration(jitter.count() > 0 ? static_cast<Duration::rep>(
                                                   random.below(static_cast<std::uint64_t>(jitter.count())))
                                                                  : 0);
                    underWay.emplace(now + oneWay + late, std::pair(1 - end, bytes));
                }
        }
        out = {};
    }
    void send(int end, std::size_t i)
    {
        Recovery::Out out;
        ends[end].send(numberOf(i), now, out);
        take(end, out);
    }
    void deliver(int end, const Bytes& bytes)
    {
        Recovery::Out out;
        const auto datagram = parseDatagram(bytes);
        QVERIFY(datagram.has_value());
        if (const auto* numbered = std::get_if<Numbered>(&*datagram))
            ends[end].receive(*numbered, now, out);
        else
            ends[end].receive(std::get<Arrived>(*datagram), now, out);
        take(end, out);
    }
    void run(Duration time)
    {
        for (const Instant until = now + time; now < until; now += 1ms) {
            while (!underWay.empty() && underWay.begin()->first <= now) {
                const auto next = underWay.extract(underWay.begin());
                deliver(next.mapped().first, next.mapped().second);
            }
            if (now.time_since_epoch() % Recovery::kTick != Duration{})
                continue;
            for (int end = 0; end < 2; ++end)
                if (ends[end].isWaiting()) {
                    Recovery::Out out;
                    ends[end].onTick(now, out);
                    take(end, out);
                }
        }
    }
    /// One each millisecond.
    void stream(std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i) {
            send(0, i);
            run(1ms);
        }
        run(3s);
    }
    bool isInOrder() const
    {
        for (std::size_t i = 1; i < arrived[1].size(); ++i)
            if (read(arrived[1][i - 1]) >= read(arrived[1][i]))
                return false;
        return true;
    }
};

} // namespace

class TestRecovery : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bringsEverythingInOrder_data()
    {
        QTest::addColumn<unsigned>("lost");
        QTest::addColumn<unsigned>("doubled");
        QTest::addColumn<int>("jitterMs");
        QTest::addColumn<double>("least");
        QTest::newRow("a good line") << 0U << 0U << 0 << 1.0;
        QTest::newRow("one in a hundred lost") << 1U << 0U << 0 << 1.0;
        QTest::newRow("one in twenty lost") << 5U << 0U << 0 << 1.0;
        QTest::newRow("a fifth lost") << 20U << 0U << 0 << 0.99;
        QTest::newRow("half lost is uTP's to see") << 50U << 0U << 0 << 0.5;
        QTest::newRow("doubled") << 0U << 30U << 0 << 1.0;
        QTest::newRow("out of order") << 0U << 0U << 10 << 1.0;
        QTest::newRow("all of it") << 5U << 5U << 10 << 0.99;
    }
    void bringsEverythingInOrder()
    {
        QFETCH(const unsigned, lost);
        QFETCH(const unsigned, doubled);
        QFETCH(const int, jitterMs);
        QFETCH(const double, least);
        Line line;
        line.lostPercent = lost;
        line.doubledPercent = doubled;
        line.jitter = std::chrono::milliseconds(jitterMs);
        constexpr std::size_t kCount = 5'000;
        line.stream(kCount);
        QVERIFY(line.isInOrder());
        QVERIFY2(static_cast<double>(line.arrived[1].size()) >= least * kCount,
                 std::to_string(line.arrived[1].size()).c_str());
        if (lost == 0 && jitterMs == 0)
            QCOMPARE(line.ends[0].repeated(), std::uint64_t(0));
        // What is repeated is bounded: congestion is for uTP to see.
        QVERIFY(line.ends[0].repeated() <= kCount / 3 + 64);
        QVERIFY(!line.ends[0].isWaiting() && !line.ends[1].isWaiting());
    }

    void repairsWithinARoundTripWhenMoreFollows()
    {
        Line line;
        line.lose = {20};
        for (std::size_t i = 0; i < 60; ++i) {
            line.send(0, i);
            line.run(1ms);
        }
        line.run(40ms); // a round trip after the last one that was sent
        QCOMPARE(line.arrived[1].size(), std::size_t(60));
        QCOMPARE(line.ends[0].repeated(), std::uint64_t(1));
    }

    void repairsTheLastOne()
    {
        Line line;
        line.stream(50);
        const std::size_t before = line.transmissions;
        line.lose = {before};
        line.send(0, 50);
        line.run(150ms);
        QCOMPARE(line.arrived[1].size(), std::size_t(51));
    }

    void handsOnWhatCameAfterOneThatNeverComes()
    {
        Line line;
        line.stream(50);
        for (std::size_t i = 0; i < 100; ++i)
            if (i != 1)
                line.lose.insert(line.transmissions + i);
        line.send(0, 50);
        line.send(0, 51);
        line.run(20ms);
        QCOMPARE(line.arrived[1].size(), std::size_t(50)); // waits for the one before
        line.run(600ms);
        QCOMPARE(line.arrived[1].size(), std::size_t(51));
        QCOMPARE(read(line.arrived[1].back()), std::size_t(51));
    }

    void givesUpWhereNobodyAnswers()
    {
        Line line;
        line.lostPercent = 100;
        for (std::size_t i = 0; i < 3'000; ++i)
            line.send(0, i);
        line.run(30s);
        QVERIFY(!line.ends[0].isWaiting());
        QVERIFY(line.ends[0].repeated() <= 3'000 / 3 + 64);
    }

    void startsAnewWithSomebodyWhoDid()
    {
        Line line;
        line.stream(100);
        // The sender goes on, the receiver is another one.
        line.ends[1] = Recovery(3);
        line.send(0, 100);
        line.run(50ms);
        QCOMPARE(read(line.arrived[1].back()), std::size_t(100));
        // The receiver stays, the sender is another one; what the old one sent comes late.
        Recovery::Out out;
        line.ends[0].send(numberOf(101), line.now, out);
        const Bytes late = out.toPeer.front();
        line.ends[0] = Recovery(4);
        line.send(0, 102);
        line.run(50ms);
        QCOMPARE(read(line.arrived[1].back()), std::size_t(102));
        const std::size_t before = line.arrived[1].size();
        line.deliver(1, late);
        QCOMPARE(line.arrived[1].size(), before);
        line.send(0, 103);
        line.run(50ms);
        QCOMPARE(read(line.arrived[1].back()), std::size_t(103));
    }

    void numbersGoRound()
    {
        Line line;
        line.oneWay = 1ms;
        line.lostPercent = 1;
        constexpr std::size_t kCount = 70'000;
        for (std::size_t i = 0; i < kCount; ++i) {
            line.send(0, i);
            if (i % 20 == 0)
                line.run(1ms);
        }
        line.run(2s);
        QVERIFY(line.isInOrder());
        QCOMPARE(line.arrived[1].size(), kCount);
    }

    void believesNoAcknowledgementOfWhatWasNotSent()
    {
        Recovery recovery(1);
        Recovery::Out out;
        recovery.send(numberOf(0), {}, out);
        const Bytes all(Arrived::kMaxBeyond, std::byte{0xff});
        for (const Arrived& wrong :
             {Arrived{1, 2, {}}, Arrived{1, 500, all}, Arrived{1, 0xffff, all}, Arrived{2, 1, {}}}) {
            recovery.receive(wrong, {}, out);
            QVERIFY(recovery.isWaiting());
        }
        recovery.receive(Arrived{1, 1, all}, {}, out);
        QVERIFY(!recovery.isWaiting());
    }

    void keepsNoMoreThanItsLimits()
    {
        Recovery sender(1), receiver(2);
        Recovery::Out out;
        for (std::uint16_t i = 0; i < 5'000; ++i)
            receiver.receive(Numbered{1, static_cast<std::uint16_t>(20 + 2 * i), numberOf(i)}, {}, out);
        // Each second one is missing: those that cannot be kept are handed on.
        QVERIFY(out.arrived.size() >= 5'000 - Recovery::kMaxEarly);
    }

    void refusesDatagramsThatAreNone_data()
    {
        QTest::addColumn<Bytes>("bytes");
        QTest::newRow("nothing") << Bytes();
        QTest::newRow("a header alone") << Bytes{std::byte{0xd0}, {}, {}, {}, {}};
        QTest::newRow("half a header") << Bytes{std::byte{0xa0}, {}, {}};
        QTest::newRow("too many bits") << serialize(Arrived{1, 1, Bytes(Arrived::kMaxBeyond + 1)});
        QTest::newRow("something else") << Bytes(30, std::byte{0x77});
    }
    void refusesDatagramsThatAreNone()
    {
        QFETCH(const Bytes, bytes);
        QVERIFY(!parseDatagram(bytes));
    }
};

QTEST_APPLESS_MAIN(TestRecovery)
#include "tst_recovery.moc"
