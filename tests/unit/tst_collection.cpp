// SPDX-License-Identifier: Apache-2.0
/// Receipts on their way to an observer, through networks of real overlays.
#include "overlay_network.h"

#include <QtTest>

using namespace starling;
using namespace starling::overlay;
using namespace starling::overlay::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kObserver = 0;

/// A connected network: each node is linked to some of those before it, by the seed.
struct Fleet : Network
{
    explicit Fleet(std::size_t count, std::uint64_t seed = 1, const Config& config = {})
        : Network(count, seed, config)
    {
        SeededRandom random(seed);
        for (auto& node : nodes)
            node->mediator.observers = {nodeId(kObserver + 1)};
        for (std::size_t i = 1; i < count; ++i) {
            std::set<std::size_t> others;
            while (others.size() < std::min<std::size_t>(i, 3))
                others.insert(random.below(i));
            for (const std::size_t other : others)
                connect(i, other);
        }
    }
    void pulse() { input(kObserver, Observe{pulseOf(nodes[kObserver]->id, ++m_pulse)}); }
    void report(std::size_t node, std::uint64_t sequence)
    {
        input(node, Report{sequence, receiptOf(nodes[node]->id, sequence)});
    }
    void reportAll(std::uint64_t sequence)
    {
        for (std::size_t i = 1; i < size(); ++i)
            report(i, sequence);
    }
    std::size_t arrived(std::uint64_t sequence)
    {
        std::size_t count = 0;
        for (const auto& [device, newest] : nodes[kObserver]->receipts)
            count += newest >= sequence ? 1 : 0;
        return count;
    }
    std::size_t largestHeld() const
    {
        std::size_t largest = 0;
        for (std::size_t i = 1; i < nodes.size(); ++i)
            largest = std::max(largest, nodes[i]->overlay->receiptsHeld());
        return largest;
    }
    /// Takes all links of a node away.
    void isolate(std::size_t node)
    {
        std::set<std::size_t> others;
        for (const auto& [link, other] : nodes[node]->links)
            others.insert(other);
        for (const std::size_t other : others)
            disconnect(node, other);
    }
    std::size_t parentOf(std::size_t node)
    {
        const auto parent = nodes[node]->overlay->parent(nodes[kObserver]->id);
        return parent ? nodes[node]->links.at(*parent) : size();
    }

private:
    std::uint64_t m_pulse = 0;
};

/// 1 and 2 are linked to the observer, and 3 to both.
struct Diamond : Network
{
    explicit Diamond(const Config& config = {})
        : Network(4, 1, config)
    {
        for (auto& node : nodes)
            node->mediator.observers = {nodeId(kObserver + 1)};
        for (const auto& [a, b] : {std::pair(0, 1), std::pair(0, 2), std::pair(1, 3), std::pair(2, 3)})
            connect(static_cast<std::size_t>(a), static_cast<std::size_t>(b));
        input(kObserver, Observe{pulseOf(nodes[kObserver]->id, 1)});
        run(1s);
    }
    void report(std::uint64_t sequence) { input(3, Report{sequence, receiptOf(nodes[3]->id, sequence)}); }
    std::size_t parent() { return nodes[3]->links.at(*nodes[3]->overlay->parent(nodes[kObserver]->id)); }
    NeighborId linkTo(std::size_t from, std::size_t to)
    {
        for (const auto& [link, other] : nodes[from]->links)
            if (other == to)
                return link;
        return {};
    }
    std::uint64_t newest() { return nodes[kObserver]->receipts[nodes[3]->id]; }
};

} // namespace

class TestCollection : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyDevicesNewestReceiptArrives_data() { seeds(); }
    void everyDevicesNewestReceiptArrives()
    {
        QFETCH(quint64, seed);
        Fleet fleet(200, seed);
        fleet.reportAll(1);
        fleet.pulse();
        fleet.run(10s);
        QCOMPARE(fleet.arrived(1), std::size_t{199});
        fleet.reportAll(2);
        fleet.reportAll(3);
        fleet.run(10s);
        QCOMPARE(fleet.arrived(3), std::size_t{199});
        QCOMPARE(fleet.largestHeld(), std::size_t{0});
    }

    void whatWasDeliveredIsNotSentAgain()
    {
        Fleet fleet(100);
        fleet.pulse();
        fleet.run(1s);
        fleet.reportAll(1);
        fleet.run(20s);
        QCOMPARE(fleet.arrived(1), std::size_t{99});
        const auto sent = fleet.sent(kIndexOf<ReceiptsMessage>);
        fleet.run(3h);
        QCOMPARE(fleet.sent(kIndexOf<ReceiptsMessage>), sent);
    }

    void aReceiptIsKeptUntilAnObserverComes()
    {
        Fleet fleet(30);
        fleet.reportAll(1);
        fleet.run(1h);
        QCOMPARE(fleet.sent(kIndexOf<ReceiptsMessage>), std::uint64_t{0});
        fleet.pulse();
        fleet.run(10s);
        QCOMPARE(fleet.arrived(1), std::size_t{29});
    }

    void aReceiptThatWasLostOnTheWayIsSentAgain()
    {
        Diamond network;
        network.isLost = [](std::size_t from, std::size_t) { return from != 3; };
        network.nodes[kObserver]->keepsReceipts = true;
        network.report(1);
        network.run(1s);
        QCOMPARE(network.newest(), std::uint64_t{0});
        network.isLost = [](std::size_t, std::size_t) { return false; };
        network.run(3min);
        QCOMPARE(network.newest(), std::uint64_t{1});
    }

    void aReceiptThatTheObserverCouldNotStoreIsSentAgain()
    {
        Diamond network;
        network.nodes[kObserver]->keepsReceipts = false;
        network.report(1);
        network.run(5min);
        QVERIFY(network.nodes[kObserver]->receiptsArrived >= 3);
        network.nodes[kObserver]->keepsReceipts = true;
        network.run(10min);
        const auto arrived = network.nodes[kObserver]->receiptsArrived;
        network.run(5h);
        QCOMPARE(network.nodes[kObserver]->receiptsArrived, arrived);
    }

    void anotherNeighborTakesTheParentsPlaceAtOnce()
    {
        Diamond network;
        const std::size_t parent = network.parent();
        network.disconnect(3, parent);
        QCOMPARE(network.parent(), 3 - parent);
        network.report(1);
        network.run(2s);
        QCOMPARE(network.newest(), std::uint64_t{1});
    }

    void aParentThatLeavesWithABatchLosesNothing()
    {
        Diamond network;
        const std::size_t parent = network.parent();
        network.isLost = [=](std::size_t, std::size_t to) { return to == parent; };
        network.report(1);
        network.run(1s);
        QCOMPARE(network.nodes[3]->overlay->receiptsHeld(), std::size_t{1});
        network.disconnect(3, parent);
        network.run(1s);
        QCOMPARE(network.newest(), std::uint64_t{1});
    }

    void aParentThatTakesNothingIsLeft()
    {
        Diamond network;
        const std::size_t parent = network.parent();
        network.isLost = [=](std::size_t, std::size_t to) { return to == parent; };
        network.report(1);
        network.run(40s);
        QCOMPARE(network.parent(), 3 - parent);
        QCOMPARE(network.newest(), std::uint64_t{1});
    }

    void treesHealWithTheNextPulse_data() { seeds(); }
    void treesHealWithTheNextPulse()
    {
        QFETCH(quint64, seed);
        Fleet fleet(200, seed);
        fleet.pulse();
        fleet.run(1s);
        fleet.reportAll(1);
        SeededRandom random(seed);
        std::set<std::size_t> gone;
        while (gone.size() < 20) {
            const std::size_t victim = 1 + random.below(fleet.size() - 1);
            if (gone.insert(victim).second)
                fleet.isolate(victim);
            fleet.run(50ms);
        }
        // Those that are left are joined again, as membership would.
        std::size_t last = kObserver;
        for (std::size_t i = 1; i < fleet.size(); ++i) {
            if (gone.contains(i))
                continue;
            fleet.connect(i, last);
            last = i;
        }
        fleet.reportAll(2);
        fleet.pulse();
        fleet.run(2min);
        for (std::size_t i = 1; i < fleet.size(); ++i)
            if (!gone.contains(i))
                QCOMPARE(fleet[kObserver].receipts[fleet[i].id], std::uint64_t{2});
    }

    void nobodyButTheObserverHoldsMoreThanItsBound()
    {
        Config config;
        config.maxReceipts = 8;
        config.receiptRepeat = 2s;
        config.receiptRepeatMax = 10s;
        Fleet fleet(200, 3, config);
        fleet.pulse();
        fleet.run(1s);
        fleet.reportAll(1);
        std::size_t largest = 0;
        for (int i = 0; i < 2'000 && fleet.arrived(1) < 199; ++i) {
            fleet.run(100ms);
            largest = std::max(largest, fleet.largestHeld());
        }
        QCOMPARE(fleet.arrived(1), std::size_t{199});
        // As many waiting, as many in a batch that was not accepted yet, and its own.
        QVERIFY2(largest <= 2 * (config.maxReceipts + 1), qPrintable(QString::number(largest)));
    }

    void theCostOfANodeDoesNotGrowWithTheFleet()
    {
        const auto messagesPerNode = [](std::size_t count) {
            Fleet fleet(count);
            fleet.pulse();
            fleet.run(5s);
            const auto before = fleet.traffic.all;
            std::map<std::size_t, std::uint64_t> receipts;
            fleet.onSend = [&](std::size_t from, NeighborId, const Message& message) {
                receipts[from] += std::holds_alternative<ReceiptsMessage>(message) ? 1 : 0;
            };
            fleet.reportAll(1);
            fleet.run(20s);
            std::uint64_t most = 0;
            for (const auto& [node, messages] : receipts)
                most = std::max(most, messages);
            return std::pair(static_cast<double>(fleet.traffic.all - before) / static_cast<double>(count),
                             most);
        };
        const auto small = messagesPerNode(50);
        const auto large = messagesPerNode(400);
        QVERIFY2(large.first < small.first * 1.5, qPrintable(QString::number(large.first)));
        // Batches grow instead: one for each delay that passes until the furthest has come by.
        QVERIFY2(large.second <= 40, qPrintable(QString::number(large.second)));
    }

    void aPulseIsVerifiedAndPassedOnOnce()
    {
        Fleet fleet(50);
        fleet.pulse();
        fleet.run(2s);
        for (std::size_t i = 1; i < fleet.size(); ++i)
            QCOMPARE(fleet[i].mediator.pulsesExamined, std::uint64_t{1});
        QVERIFY(fleet.sent(kIndexOf<PulseMessage>) < 50 * 6);
        for (std::size_t i = 1; i < fleet.size(); ++i)
            QVERIFY(fleet.parentOf(i) < fleet.size());
    }

    void aPulseWaitsForItsSubscription()
    {
        Network network(2);
        network[0].mediator.observers = {network[0].id};
        network.connect(0, 1);
        network.input(0, Observe{pulseOf(network[0].id, 1)});
        network.input(1, Report{1, receiptOf(network[1].id, 1)});
        network.run(2s);
        QVERIFY(!network[1].overlay->parent(network[0].id));
        QVERIFY(network[1].refused.empty());
        network[1].mediator.observers = {network[0].id};
        network.publish(0, {{20, "subscription"}, 1, "body"});
        network.run(2s);
        QVERIFY(network[1].overlay->parent(network[0].id));
        QCOMPARE(network[0].receipts[network[1].id], std::uint64_t{1});
    }

    void aForgedPulseIsRefused()
    {
        Diamond network;
        const NeighborId link = network.linkTo(3, 1);
        network.inject(3, link, PulseMessage{0, pulseOf(network[0].id, 99, Seal::Forged)});
        QCOMPARE(network[3].refused.size(), std::size_t{1});
        QVERIFY(network[3].refused[0].from == link);
        network.inject(3, link, PulseMessage{0, pulseOf(nodeId(77), 99)}); // of nobody who may observe
        QCOMPARE(network[3].refused.size(), std::size_t{1});
        QVERIFY(!network[3].overlay->parent(nodeId(77)));
    }

    void aForgedReceiptEndsAtTheFirstHop()
    {
        Diamond network;
        const NeighborId link = network.linkTo(1, 3);
        network.inject(1, link, ReceiptsMessage{network[0].id, 7, {receiptOf(nodeId(50), 9, Seal::Forged)}});
        network.run(1min);
        QCOMPARE(network[1].refused.size(), std::size_t{1});
        QVERIFY(network[1].refused[0].from == link);
        QCOMPARE(network[1].overlay->receiptsHeld(), std::size_t{0});
        QVERIFY(network[0].receipts.empty());
    }

    void aFloodOfADevicesOwnReceiptsEndsAtTheFirstHop()
    {
        Diamond network;
        const NeighborId link = network.linkTo(1, 3);
        for (std::uint32_t i = 1; i <= 600; ++i) {
            network.inject(1, link, ReceiptsMessage{network[0].id, i, {receiptOf(network[3].id, i)}});
            network.run(100ms);
        }
        // A burst of 16, and one in five seconds for a minute.
        QVERIFY2(network[0].receiptsArrived <= 16 + 13,
                 qPrintable(QString::number(network[0].receiptsArrived)));
        QVERIFY(network[0].receiptsArrived > 0);
    }

    void moreThanOneBatchAtATimeIsAnOffence()
    {
        Config config;
        config.maxReceipts = 1;
        Diamond network(config);
        const NeighborId link = network.linkTo(1, 3);
        network.isLost = [](std::size_t from, std::size_t) { return from == 1; }; // it gets rid of nothing
        network.inject(1, link, ReceiptsMessage{network[0].id, 1, {receiptOf(nodeId(50), 1)}});
        QVERIFY(network[1].refused.empty());
        network.inject(1, link, ReceiptsMessage{network[0].id, 2, {receiptOf(nodeId(51), 1)}});
        QCOMPARE(network[1].refused.size(), std::size_t{1});
        QVERIFY(network[1].refused[0].error.code == Errc::Malformed);
    }

    void onlyTheParentsWordEndsRepeating()
    {
        Diamond network;
        const std::size_t parent = network.parent();
        network[0].keepsReceipts = false;
        network.report(5);
        network.run(1s);
        const auto arrived = network[0].receiptsArrived;
        network.inject(3, network.linkTo(3, 3 - parent),
                       DeliveredMessage{network[0].id, {{network[3].id, 5}}});
        network.inject(3, network.linkTo(3, parent), DeliveredMessage{network[0].id, {{network[3].id, 4}}});
        network.run(2min);
        QVERIFY(network[0].receiptsArrived > arrived);
    }

    void nothingGoesToAnObserverWhoseSubscriptionIsOver()
    {
        Fleet fleet(30);
        fleet.pulse();
        fleet.run(1s);
        for (auto& node : fleet.nodes)
            node->mediator.observers.clear();
        fleet.reportAll(1);
        fleet.run(1min);
        QCOMPARE(fleet.arrived(1), std::size_t{0});
        QVERIFY(!fleet[5].overlay->parent(fleet[0].id));
    }

    void aReceiptThatAnObserverDoesNotWantStaysHere()
    {
        Diamond network;
        network[3].mediator.unwanted = {network[0].id};
        network.report(1);
        network.run(2min);
        QCOMPARE(network.newest(), std::uint64_t{0});
        QCOMPARE(network.sent(kIndexOf<ReceiptsMessage>), std::uint64_t{0});
    }

    void messagesSurviveTheirBytes()
    {
        const std::vector<Message> messages{
            PulseMessage{3, pulseOf(nodeId(1), 2)},
            ReceiptsMessage{nodeId(1), 9, {receiptOf(nodeId(2), 3), {}}},
            AcceptedMessage{nodeId(1), 9},
            DeliveredMessage{nodeId(1), {{nodeId(2), 3}, {nodeId(4), 5}}},
        };
        for (const Message& message : messages) {
            const Bytes bytes = serialize(message);
            const auto again = parse(bytes);
            QVERIFY(again.has_value());
            QVERIFY(again->index() == message.index() && serialize(*again) == bytes);
            for (std::size_t size = 0; size < bytes.size(); ++size)
                QVERIFY(!parse(ByteView(bytes).first(size)).has_value());
        }
        QVERIFY(std::get<DeliveredMessage>(*parse(serialize(messages[3])))
                == std::get<DeliveredMessage>(messages[3]));
    }

    void tooMuchInOneMessageIsRefused()
    {
        Bytes many = serialize(ReceiptsMessage{nodeId(1), 9, {}});
        many[many.size() - 2] = std::byte{1};
        many[many.size() - 1] = std::byte{1}; // 257
        QVERIFY(parse(many).error().code == Errc::TooLarge);
        Bytes deliveries = serialize(DeliveredMessage{nodeId(1), {}});
        deliveries[deliveries.size() - 2] = std::byte{4};
        deliveries[deliveries.size() - 1] = std::byte{1}; // 1,025
        QVERIFY(parse(deliveries).error().code == Errc::TooLarge);
    }

private:
    static void seeds()
    {
        QTest::addColumn<quint64>("seed");
        for (quint64 seed = 1; seed <= 5; ++seed)
            QTest::addRow("%llu", static_cast<unsigned long long>(seed)) << seed;
    }
};

QTEST_APPLESS_MAIN(TestCollection)
#include "tst_collection.moc"
