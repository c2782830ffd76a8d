// SPDX-License-Identifier: Apache-2.0
/// Datagrams inside a link: best effort, and nothing more.
#include "link/frame.h"
#include "link/packet.h"
#include "link_network.h"

#include <QElapsedTimer>
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

struct Pair
{
    explicit Pair(std::uint64_t seed = 1, Faults faults = {}, Config config = {})
        : network(seed, faults)
        , a(network.add(config))
        , b(network.add(config))
    {
        network.connect(a, b);
        isUp = network.runUntil([this] { return a.up.size() == 1 && b.up.size() == 1; }, 5min);
        network.run(100ms);
    }
    void send(Host& from, const Bytes& bytes)
    {
        network.give(from, SendUnreliable{Network::theLink(from), bytes});
    }
    Network network;
    Host& a;
    Host& b;
    bool isUp = false;
};

} // namespace

class TestLinkUnreliable : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    /// The kernel joins datagrams of one size, and the two parts of a packet of odd size differ by one.
    void hasTheSameSizeForPartsThatNearlyHave()
    {
        Pair pair;
        QVERIFY(pair.isUp);
        const std::size_t largest = pair.a.links->maxUnreliableBytes();
        std::size_t wire = 0;
        pair.network.onSend = [&](const Host&, const SendDatagram& datagram) {
            wire = datagram.bytes.size();
        };
        const auto sizeOf = [&](std::size_t bytes) {
            pair.send(pair.a, Bytes(bytes));
            return wire;
        };
        QCOMPARE(sizeOf(largest), pair.a.config.datagramBytes);
        for (std::size_t bytes = largest - 7; bytes < largest; ++bytes)
            QCOMPARE(sizeOf(bytes), pair.a.config.datagramBytes);
        QCOMPARE(sizeOf(largest - 8), pair.a.config.datagramBytes - 8);
        std::size_t before = 0;
        for (std::size_t bytes = 0; bytes <= largest; bytes += 37) {
            const std::size_t size = sizeOf(bytes);
            QVERIFY(size >= before && size < bytes + kSealedOverheadBytes + kUnreliableOverheadBytes + 8);
            before = size;
        }
        pair.network.run(10ms);
        QCOMPARE(pair.b.unreliable.size(), 10 + largest / 37);
        for (std::size_t i = 9; i < pair.b.unreliable.size(); ++i)
            QCOMPARE(pair.b.unreliable[i].size(), 37 * (i - 9));
    }

    void arrivesAsItWasSent()
    {
        Pair pair;
        QVERIFY(pair.isUp);
        const std::size_t largest = pair.a.links->maxUnreliableBytes();
        QCOMPARE(largest, pair.a.config.datagramBytes - kSealedOverheadBytes - kUnreliableOverheadBytes);
        std::vector<Bytes> sent;
        std::size_t largestOnTheWire = 0;
        pair.network.onSend = [&](const Host&, const SendDatagram& datagram) {
            largestOnTheWire = std::max(largestOnTheWire, datagram.bytes.size());
        };
        for (const std::size_t size :
             {std::size_t(0), std::size_t(1), std::size_t(500), largest - 1, largest}) {
            sent.push_back(pattern(size, size));
            pair.send(pair.a, sent.back());
            pair.send(pair.b, sent.back());
        }
        pair.network.run(10ms);
        QVERIFY(pair.a.unreliable == sent);
        QVERIFY(pair.b.unreliable == sent);
        QCOMPARE(largestOnTheWire, pair.a.config.datagramBytes);
        QCOMPARE(pair.a.links->stats().unreliableOut, std::uint64_t(sent.size()));
        QCOMPARE(pair.a.links->stats().unreliableIn, std::uint64_t(sent.size()));
        QVERIFY(pair.a.messages.empty());
    }

    void isNeverCutIntoSeveral()
    {
        Pair pair;
        const std::uint64_t before = pair.a.datagramsSent;
        pair.send(pair.a, Bytes(pair.a.links->maxUnreliableBytes() + 1));
        pair.send(pair.a, Bytes(100'000));
        pair.network.run(1s);
        QCOMPARE(pair.a.datagramsSent, before);
        QCOMPARE(pair.a.links->stats().unreliableDropped, std::uint64_t(2));
        QVERIFY(pair.b.unreliable.empty());
        QVERIFY(pair.a.downs.empty());
    }

    void isNotSentAgainAndArrivesOnceAtMost()
    {
        Pair pair(5, Faults{30, 50, 5, 1ms, 10ms});
        QVERIFY(pair.isUp);
        for (std::uint64_t i = 0; i < 300; ++i) {
            pair.send(pair.a, pattern(100, i));
            pair.network.run(5ms);
        }
        pair.network.run(1s);
        const std::set<Bytes> different(pair.b.unreliable.begin(), pair.b.unreliable.end());
        QCOMPARE(different.size(), pair.b.unreliable.size());
        QVERIFY(different.size() > 150 && different.size() < 300);
        QCOMPARE(pair.a.links->stats().retransmissions, std::uint64_t(0));
        QVERIFY(pair.b.links->stats().replayed > 0);
    }

    /// A message that is sent once is one datagram, unless it does not fit one.
    void carriesMessagesThatAreSentOnce()
    {
        Pair pair;
        const std::size_t largest = pair.a.links->maxUnreliableBytes();
        const auto sendOnce = [&](const Bytes& message) {
            pair.network.give(pair.a, SendMessage{Network::theLink(pair.a), message, true});
        };
        const std::uint64_t before = pair.a.datagramsSent + pair.b.datagramsSent;
        const std::vector<Bytes> small{pattern(1, 1), pattern(largest, 2)};
        for (const Bytes& message : small)
            sendOnce(message);
        pair.network.run(1s);
        QVERIFY(pair.b.messages == small);
        QVERIFY(pair.b.unreliable.empty());
        QCOMPARE(pair.a.datagramsSent + pair.b.datagramsSent - before, std::uint64_t(2));
        sendOnce(pattern(largest + 1, 3));
        pair.network.run(1s);
        QCOMPARE(pair.b.messages.back(), pattern(largest + 1, 3));
        // Lost is lost.
        pair.network.isLost = [](const SendDatagram&) { return true; };
        sendOnce(small.front());
        pair.network.isLost = nullptr;
        pair.network.run(2s);
        QCOMPARE(pair.b.messages.size(), std::size_t(3));
    }

    void waitsForNoMessage()
    {
        Pair pair;
        bool isFirst = true; // its first fragment has to come again
        pair.network.isLost = [&](const SendDatagram&) { return std::exchange(isFirst, false); };
        pair.network.send(pair.a, pattern(500, 1));
        pair.send(pair.a, pattern(100, 2));
        QVERIFY(pair.network.runUntil([&] { return !pair.b.unreliable.empty(); }, 2ms));
        QVERIFY(pair.b.messages.empty());
        QVERIFY(pair.network.runUntil([&] { return !pair.b.messages.empty(); }, 1s));
    }

    void keepsToItsAllowance()
    {
        Config config;
        config.unreliableBurst = 10'000;
        config.unreliablePerSecond = 100'000;
        Pair pair(1, {}, config);
        const Bytes bytes(1'000 - kSealedOverheadBytes - kUnreliableOverheadBytes);
        for (int i = 0; i < 50; ++i)
            pair.send(pair.a, bytes);
        QCOMPARE(pair.a.links->stats().unreliableOut, std::uint64_t(10));
        QCOMPARE(pair.a.links->stats().unreliableDropped, std::uint64_t(40));
        for (int i = 0; i < 1'000; ++i) {
            pair.network.run(1ms);
            pair.send(pair.a, bytes);
        }
        QCOMPARE(pair.a.links->stats().unreliableOut, std::uint64_t(110));
        QCOMPARE(pair.b.unreliable.size(), std::size_t(110 - 1)); // the last one is under way
        // Messages have a window of their own.
        pair.network.send(pair.a, pattern(200'000, 1));
        QVERIFY(pair.network.runUntil([&] { return !pair.b.messages.empty(); }, 1s));
    }

    void nothingGoesToALinkThatIsDownOrSilent()
    {
        Pair pair;
        const LinkId link = Network::theLink(pair.a);
        QVERIFY(pair.a.links->handle(SendUnreliable{LinkId{99}, Bytes(1)}, pair.network.now()).empty());
        pair.b.isCutOff = true;
        pair.network.give(pair.a, Probe{link});
        QVERIFY(pair.network.runUntil([&] { return !pair.a.silences.empty(); }, 5s));
        pair.send(pair.a, Bytes(1));
        QCOMPARE(pair.a.links->stats().unreliableOut, std::uint64_t(0));
        QCOMPARE(pair.a.links->stats().unreliableDropped, std::uint64_t(1));
        QVERIFY(pair.network.runUntil([&] { return pair.a.up.empty(); }, 1min));
        QVERIFY(pair.a.links->handle(SendUnreliable{link, Bytes(1)}, pair.network.now()).empty());
    }

    // Case 29
    void replayedDatagramsArriveOnce()
    {
        Pair pair;
        std::vector<SendDatagram> captured;
        pair.network.onSend = [&](const Host&, const SendDatagram& datagram) {
            captured.push_back(datagram);
        };
        for (std::uint64_t i = 0; i < 100; ++i)
            pair.send(pair.a, pattern(200, i));
        pair.network.run(1s);
        const std::vector<SendDatagram> session = captured;
        for (const Endpoint& from : {pair.a.endpoint, Endpoint::ipv4(10, 0, 0, 1, 1)})
            for (const SendDatagram& datagram : session)
                pair.network.inject(pair.b, from, datagram.bytes);
        QCOMPARE(pair.b.unreliable.size(), std::size_t(100));
        QCOMPARE(pair.b.links->stats().replayed, std::uint64_t(200));
    }

    void aLinkThatCarriesNothingElseStaysUpAndFollows()
    {
        Pair pair;
        for (int i = 0; i < 600; ++i) {
            pair.send(pair.a, Bytes(100));
            pair.network.run(1s);
            if (i == 300)
                pair.a.endpoint.port += 100;
        }
        QCOMPARE(pair.b.unreliable.size(), std::size_t(600));
        QCOMPARE(pair.b.moves.size(), std::size_t(1));
        QVERIFY(pair.a.downs.empty() && pair.b.downs.empty());
    }

    void costsFewMicroseconds()
    {
        // No limit: machines differ. The figure is for whoever reads it.
        Pair pair;
        const LinkId link = Network::theLink(pair.a);
        const Bytes bytes = pattern(pair.a.links->maxUnreliableBytes(), 1);
        constexpr int kCount = 20'000;
        std::vector<Bytes> sealed;
        sealed.reserve(kCount);
        QElapsedTimer timer;
        timer.start();
        for (int i = 0; i < kCount; ++i) {
            const Instant now = pair.network.now() + i * 20us;
            for (Output& output : pair.a.links->handle(SendUnreliable{link, bytes}, now))
                if (auto* datagram = std::get_if<SendDatagram>(&output))
                    sealed.push_back(std::move(datagram->bytes));
        }
        const qint64 sending = timer.nsecsElapsed();
        timer.restart();
        std::size_t arrived = 0;
        for (const Bytes& datagram : sealed)
            for (const Output& output :
                 pair.b.links->handle(DatagramReceived{pair.a.endpoint, datagram}, pair.network.now()))
                arrived += std::holds_alternative<UnreliableReceived>(output) ? 1 : 0;
        const qint64 receiving = timer.nsecsElapsed();
        QCOMPARE(sealed.size(), std::size_t(kCount));
        QCOMPARE(arrived, sealed.size());
        qInfo("%zu bytes: %.2f us to send, %.2f us to receive", bytes.size(),
              double(sending) / 1'000 / kCount, double(receiving) / 1'000 / kCount);
    }
};

QTEST_GUILESS_MAIN(TestLinkUnreliable)
#include "tst_link_unreliable.moc"
