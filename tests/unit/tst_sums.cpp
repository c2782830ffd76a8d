// SPDX-License-Identifier: Apache-2.0
/// Devices that are added up on their way to an observer, through networks of real overlays.
#include "overlay_network.h"

#include <QtTest>

using namespace starling;
using namespace starling::overlay;
using namespace starling::overlay::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kObserver = 0;
constexpr std::uint8_t kDeploying = 6, kHealthy = 9, kFailed = 10;

TallyKey keyOf(std::uint8_t phase, std::string site = "", std::uint64_t version = 7)
{
    return {"fw/a", 0, version, phase, std::move(site)};
}

std::string siteOf(std::size_t node)
{
    return "site-" + std::to_string(node % 4);
}

/// A connected network: each node is linked to three of those before it, by the seed.
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
    void pulse(const std::optional<Ask>& ask = {})
    {
        input(kObserver, Observe{sumsPulseOf(nodes[kObserver]->id, ++m_pulse, ask)});
    }
    void pulseForReceipts() { input(kObserver, Observe{pulseOf(nodes[kObserver]->id, ++m_pulse)}); }
    void report(std::size_t node, std::uint8_t phase)
    {
        input(node,
              Report{++m_sequence, receiptOf(nodes[node]->id, m_sequence, {keyOf(phase, siteOf(node))})});
    }
    void reportAll(std::uint8_t phase)
    {
        for (std::size_t i = 0; i < size(); ++i)
            report(i, phase);
    }
    Tally told() { return nodes[kObserver]->overlay->hints(now).value_or(Hints{}).tally; }
    std::uint32_t told(std::uint8_t phase)
    {
        std::uint32_t devices = 0;
        for (const auto& [key, count] : told().counts)
            devices += key.phase == phase ? count : 0;
        return devices;
    }
    std::size_t arrived() { return nodes[kObserver]->receipts.size(); }
    void isolate(std::size_t node)
    {
        std::set<std::size_t> others;
        for (const auto& [link, other] : nodes[node]->links)
            others.insert(other);
        for (const std::size_t other : others)
            disconnect(node, other);
    }
    /// How many are connected to the observer, itself included.
    std::size_t reached() const
    {
        std::set<std::size_t> seen{kObserver};
        std::vector<std::size_t> open{kObserver};
        while (!open.empty()) {
            const std::size_t node = open.back();
            open.pop_back();
            for (const auto& [link, other] : nodes[node]->links)
                if (seen.insert(other).second)
                    open.push_back(other);
        }
        return seen.size();
    }
    NeighborId linkTo(std::size_t from, std::size_t to)
    {
        for (const auto& [link, other] : nodes[from]->links)
            if (other == to)
                return link;
        return {};
    }

private:
    std::uint64_t m_pulse = 0;
    std::uint64_t m_sequence = 0;
};

/// 2 sends to 1, which sends to the observer.
struct Chain : Fleet
{
    explicit Chain(const Config& config = {})
        : Fleet(1, 1, config)
    {
        for (std::size_t i = 1; i < 3; ++i)
            addAfter(i - 1, i, config);
        reportAll(kHealthy);
        pulse();
        run(10s);
    }
    /// As if 2 had sent it.
    void claim(Tally tally)
    {
        inject(1, linkTo(1, 2), SumsMessage{nodes[kObserver]->id, std::move(tally)});
        run(10s);
    }

private:
    void addAfter(std::size_t before, std::size_t i, const Config& config)
    {
        auto node = std::make_unique<Node>();
        node->id = nodeId(i + 1);
        node->random = std::make_unique<SeededRandom>(i);
        node->mediator.observers = {nodeId(kObserver + 1)};
        node->overlay = std::make_unique<Overlay>(node->id, config, node->mediator, *node->random);
        nodes.push_back(std::move(node));
        static_cast<void>(nodes[i]->overlay->start(now));
        connect(before, i);
    }
};

Tally tallyOf(std::uint32_t devices, std::map<TallyKey, std::uint32_t> counts, std::uint8_t height = 0)
{
    return {devices, std::move(counts), 0, height};
}

std::uint64_t entriesOf(const Tally& tally)
{
    std::uint64_t sum = tally.folded;
    for (const auto& [key, count] : tally.counts)
        sum += count;
    return sum;
}

Ask askFor(std::uint64_t number, std::uint32_t limit, std::uint8_t phase)
{
    Ask ask{number, limit};
    ask.phase = phase;
    return ask;
}

} // namespace

class TestSums : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // --- Adding up

    void theFleetIsAddedUp_data()
    {
        QTest::addColumn<quint64>("seed");
        for (const quint64 seed : {1, 2, 3})
            QTest::addRow("%d", static_cast<int>(seed)) << seed;
    }
    void theFleetIsAddedUp()
    {
        QFETCH(quint64, seed);
        Fleet fleet(200, seed);
        fleet.reportAll(kHealthy);
        fleet.pulse();
        fleet.run(20s);
        QCOMPARE(fleet.told().devices, 200u);
        for (std::size_t site = 0; site < 4; ++site)
            QCOMPARE(fleet.told().counts.at(keyOf(kHealthy, siteOf(site))), 50u);
        QCOMPARE(fleet.told().counts.size(), std::size_t{4});
        // Receipts stay where they are.
        QCOMPARE(fleet.sent(kIndexOf<ReceiptsMessage>), std::uint64_t{0});
        QCOMPARE(fleet.arrived(), std::size_t{0});
    }

    void aChangeReplacesWhatWasSaid()
    {
        Fleet fleet(100);
        fleet.reportAll(kDeploying);
        fleet.pulse();
        fleet.run(20s);
        for (std::size_t i = 0; i < 30; ++i)
            fleet.report(i, kHealthy);
        fleet.run(40s);
        QCOMPARE(fleet.told().devices, 100u);
        QCOMPARE(fleet.told(kDeploying), 70u);
        QCOMPARE(fleet.told(kHealthy), 30u);
    }

    void nobodyIsCountedTwiceWhenTheTreeIsAnother()
    {
        Fleet fleet(120);
        fleet.reportAll(kHealthy);
        SeededRandom random(5);
        for (int turn = 0; turn < 5; ++turn) {
            // Some links end and others come up: many a node has its way through another neighbour now.
            for (int i = 0; i < 40; ++i) {
                const std::size_t a = random.below(120);
                const std::size_t b = random.below(120);
                fleet.disconnect(a, b);
                if (a != b)
                    fleet.connect(a, b);
            }
            fleet.latency = Duration(1ms) * (5 + static_cast<int>(random.below(40)));
            fleet.pulse();
            fleet.run(60s);
            QCOMPARE(fleet.told().devices, static_cast<std::uint32_t>(fleet.reached()));
        }
    }

    void whoLeavesIsNotCounted()
    {
        Fleet fleet(200, 2);
        fleet.reportAll(kHealthy);
        fleet.pulse();
        fleet.run(30s);
        for (std::size_t i = 5; i < 200; i += 5)
            fleet.isolate(i);
        fleet.pulse();
        fleet.run(60s);
        QVERIFY(fleet.reached() <= 161);
        QCOMPARE(fleet.told().devices, static_cast<std::uint32_t>(fleet.reached()));
    }

    void whoFallsSilentIsForgotten()
    {
        Chain chain;
        QCOMPARE(chain.told().devices, 3u);
        chain.isLost = [](std::size_t from, std::size_t) { return from == 2; };
        chain.run(4min);
        QCOMPARE(chain.told().devices, 3u);
        for (int i = 0; i < 3; ++i) {
            chain.pulse();
            chain.run(2min);
        }
        QCOMPARE(chain.told().devices, 2u);
    }

    void anObserverThatIsAwayIsToldNothing()
    {
        Fleet fleet(50);
        fleet.reportAll(kHealthy);
        fleet.pulse();
        fleet.run(10min);
        const auto sent = fleet.sent(kIndexOf<SumsMessage>);
        fleet.reportAll(kFailed);
        fleet.run(1h);
        QCOMPARE(fleet.sent(kIndexOf<SumsMessage>), sent);
        fleet.pulse();
        fleet.run(30s);
        QCOMPARE(fleet.told(kFailed), 50u);
    }

    void aNodeSaysSoMuchAndNoMore()
    {
        Fleet fleet(100);
        std::map<std::size_t, std::uint64_t> sent;
        std::size_t largest = 0;
        fleet.onSend = [&](std::size_t from, NeighborId, const Message& message) {
            if (!std::holds_alternative<SumsMessage>(message))
                return;
            ++sent[from];
            largest = std::max(largest, serialize(message).size());
        };
        // A rollout in which somebody changes all the time.
        fleet.pulse();
        for (int second = 0; second < 300; ++second) {
            if (second % 60 == 0)
                fleet.pulse();
            for (std::size_t i = 0; i < 100; i += 10)
                fleet.report((i + static_cast<std::size_t>(second)) % 100,
                             second % 2 == 0 ? kDeploying : kHealthy);
            fleet.run(1s);
        }
        QVERIFY(!sent.contains(kObserver));
        for (const auto& [node, messages] : sent)
            QVERIFY2(messages <= 300 / 5 + 4 + 6, std::to_string(messages).c_str());
        QVERIFY2(largest < 1'000, std::to_string(largest).c_str());
    }

    void aReceiptThatIsNotWantedIsNotCounted()
    {
        Fleet fleet(20);
        for (std::size_t i = 10; i < 20; ++i)
            fleet[i].mediator.unwanted = {fleet[kObserver].id};
        fleet.reportAll(kHealthy);
        fleet.pulse();
        fleet.run(20s);
        QCOMPARE(fleet.told().devices, 10u);
    }

    void receiptsComeAgainWhenSumsAreNotWanted()
    {
        Fleet fleet(60);
        fleet.reportAll(kHealthy);
        fleet.pulse();
        fleet.run(10s);
        QCOMPARE(fleet.arrived(), std::size_t{0});
        fleet.pulseForReceipts();
        fleet.run(60s);
        QCOMPARE(fleet.arrived(), std::size_t{59});
        QVERIFY(!fleet[kObserver].overlay->hints(fleet.now));
        const auto sent = fleet.sent(kIndexOf<SumsMessage>);
        fleet.reportAll(kFailed);
        fleet.run(10s);
        QCOMPARE(fleet.sent(kIndexOf<SumsMessage>), sent);
    }

    // --- Asking

    void whoIsAskedForAnswers()
    {
        Fleet fleet(100);
        fleet.reportAll(kHealthy);
        for (std::size_t i = 1; i <= 12; ++i)
            fleet.report(i * 8, kFailed);
        fleet.pulse();
        fleet.run(20s);
        fleet.pulse(askFor(1, 100, kFailed));
        fleet.run(20s);
        QCOMPARE(fleet.arrived(), std::size_t{12});
        for (std::size_t i = 1; i <= 12; ++i)
            QVERIFY(fleet[kObserver].receipts.contains(fleet[i * 8].id));
        // The question is repeated, the answers are not.
        const auto sent = fleet.sent(kIndexOf<ReceiptsMessage>);
        fleet.pulse(askFor(1, 100, kFailed));
        fleet.pulse(askFor(2, 100, kFailed));
        fleet.run(3h);
        QCOMPARE(fleet.sent(kIndexOf<ReceiptsMessage>), sent);
    }

    void noMoreAnswerThanWereAskedFor()
    {
        Fleet fleet(150, 3);
        fleet.reportAll(kFailed);
        std::map<std::size_t, std::size_t> passed;
        fleet.onSend = [&](std::size_t from, NeighborId, const Message& message) {
            if (const auto* receipts = std::get_if<ReceiptsMessage>(&message))
                passed[from] += receipts->receipts.size();
        };
        fleet.pulse();
        fleet.run(10s);
        fleet.pulse(askFor(1, 10, kFailed));
        fleet.run(20s); // before anybody repeats itself
        QCOMPARE(fleet.arrived(), std::size_t{10});
        for (const auto& [node, receipts] : passed)
            QVERIFY2(receipts <= 11, std::to_string(receipts).c_str()); // its own may be one more
        // Those that were heard leave room for others.
        fleet.pulse(askFor(2, 10, kFailed));
        fleet.run(20s);
        QCOMPARE(fleet.arrived(), std::size_t{20});
        // The questions end, and with them the repetitions.
        fleet.pulse();
        fleet.run(1s);
        const auto sent = fleet.sent(kIndexOf<ReceiptsMessage>);
        fleet.run(2h);
        QCOMPARE(fleet.sent(kIndexOf<ReceiptsMessage>), sent);
    }

    void aDeviceThatIsNamedAnswersAlways()
    {
        Fleet fleet(60);
        fleet.reportAll(kHealthy);
        for (std::uint64_t turn = 1; turn <= 3; ++turn) {
            Ask ask{turn, 5};
            ask.device = fleet[33].id;
            fleet.pulse(ask);
            fleet.run(10s);
            QCOMPARE(fleet[kObserver].receiptsArrived, turn);
        }
        QCOMPARE(fleet.arrived(), std::size_t{1});
    }

    void aSiteAndAVersionAreAskedForTogether()
    {
        Fleet fleet(40);
        fleet.reportAll(kHealthy);
        Ask ask{1, 100};
        ask.uri = "fw/a";
        ask.revision.emplace(0, 7);
        ask.site = siteOf(1);
        fleet.pulse(ask);
        fleet.run(20s);
        QCOMPARE(fleet.arrived(), std::size_t{10});
        ask.number = 2;
        ask.revision.emplace(0, 8);
        ask.site.reset();
        fleet.pulse(ask);
        fleet.run(20s);
        QCOMPARE(fleet.arrived(), std::size_t{10});
    }

    void whoComesLateHearsTheQuestion()
    {
        Fleet fleet(30);
        fleet.reportAll(kFailed);
        fleet.isolate(29);
        fleet.pulse(askFor(1, 100, kFailed));
        fleet.run(10s);
        QCOMPARE(fleet.arrived(), std::size_t{28});
        fleet.connect(29, 3);
        fleet.run(10s);
        QCOMPARE(fleet.arrived(), std::size_t{29});
    }

    // --- Hostile neighbours

    void hugeCountsAreCutDown()
    {
        Chain chain;
        chain.claim(tallyOf(UINT32_MAX, {{keyOf(kHealthy), UINT32_MAX}, {keyOf(kFailed), 5}}));
        QCOMPARE(chain.told().devices, kMaxCounted);
        QCOMPARE(chain.told().counts.at(keyOf(kHealthy)), kMaxCounted);
        // No row counts more than there are devices.
        chain.claim(tallyOf(3, {{keyOf(kHealthy), 4'000}, {keyOf(kFailed), 0}}));
        QCOMPARE(chain.told().devices, 5u);
        QCOMPARE(chain.told().counts.at(keyOf(kHealthy)), 3u);
        QVERIFY(!chain.told().counts.contains(keyOf(kFailed)));
        // It has one place, whatever it says.
        chain.claim({});
        QCOMPARE(chain.told().devices, 2u);
        QCOMPARE(chain[1].refused.size(), std::size_t{0});
    }

    void sumsMakeNoReceipt()
    {
        Chain chain;
        chain.claim(tallyOf(500, {{keyOf(kHealthy), 500}}));
        QCOMPARE(chain.told().devices, 502u);
        QCOMPARE(chain.arrived(), std::size_t{0});
    }

    void aParentIsNoChild()
    {
        Chain chain;
        chain.inject(2, chain.linkTo(2, 1), SumsMessage{chain[kObserver].id, tallyOf(50, {})});
        chain.run(1min);
        QCOMPARE(chain.told().devices, 3u);
    }

    void whatGoesInACircleEnds()
    {
        Chain chain;
        chain.claim(tallyOf(50, {}, 252));
        QCOMPARE(chain.told().devices, 52u);
        chain.claim(tallyOf(60, {}, 253));
        QCOMPARE(chain.told().devices, 52u);
        // What is too high here already is not even passed on.
        chain.claim(tallyOf(60, {}, 255));
        QCOMPARE(chain.told().devices, 52u);
    }

    void whoTalksTooMuchIsNotListenedTo() // of security case 32
    {
        Chain chain;
        for (std::uint32_t i = 0; i < 200; ++i)
            chain.inject(1, chain.linkTo(1, 2), SumsMessage{chain[kObserver].id, tallyOf(100 + i, {})});
        chain.run(10s);
        QVERIFY(chain.told().devices < 150u);
        chain.run(1min); // its own words are heard again
        chain.report(2, kFailed);
        chain.run(20s);
        QCOMPARE(chain.told().devices, 3u);
    }

    void whatIsNotWantedIsIgnored()
    {
        Chain chain;
        chain.inject(1, chain.linkTo(1, 2), SumsMessage{nodeId(77), tallyOf(50, {})});
        chain.pulseForReceipts();
        chain.run(10s);
        chain.inject(1, chain.linkTo(1, 2), SumsMessage{chain[kObserver].id, tallyOf(50, {})});
        chain.pulse();
        chain.run(10s);
        QCOMPARE(chain.told().devices, 3u);
        QCOMPARE(chain[1].refused.size(), std::size_t{0});
    }

    void receiptsThatNobodyAskedForGoNoFurther() // of security case 32
    {
        Chain chain;
        const auto thrust = [&](std::uint32_t batch, std::uint64_t device, std::uint8_t phase) {
            chain.inject(
                1, chain.linkTo(1, 2),
                ReceiptsMessage{chain[kObserver].id, batch, {receiptOf(nodeId(device), 1, {keyOf(phase)})}});
            chain.run(2s);
        };
        thrust(1, 50, kHealthy);
        QCOMPARE(chain.arrived(), std::size_t{0});
        chain.pulse(askFor(1, 2, kFailed));
        chain.run(2s);
        // Those that do not fit the question take no place from those that do.
        for (std::uint32_t i = 2; i < 10; ++i)
            thrust(i, 50 + i, kHealthy);
        QCOMPARE(chain.arrived(), std::size_t{0});
        thrust(10, 70, kFailed);
        thrust(11, 70, kFailed);
        thrust(12, 71, kFailed);
        thrust(13, 72, kFailed);
        QCOMPARE(chain.arrived(), std::size_t{2});
    }

    // --- Values

    void sitesShareARowWhenThereAreMany()
    {
        Tally tally;
        tally.devices = 100'000;
        for (int i = 0; i < 5'000; ++i)
            tally.counts[keyOf(kHealthy, "site " + std::to_string(i))] = i < 10 ? 1'000 : 2;
        const auto entries = entriesOf(tally);
        bound(tally);
        QVERIFY(tally.counts.size() <= kMaxTallyRows);
        QCOMPARE(entriesOf(tally), entries);
        QCOMPARE(tally.folded, 0u);
        QCOMPARE(tally.counts.at(keyOf(kHealthy, "site 3")), 1'000u);
        TallyKey shared = keyOf(kHealthy);
        shared.site.reset();
        QVERIFY(tally.counts.at(shared) > 9'000u);
        const Tally once = tally;
        bound(tally);
        QVERIFY(tally == once);
    }

    void whatHasNoRoomIsCountedAllTheSame()
    {
        Tally tally;
        tally.devices = 100'000;
        for (std::uint64_t version = 1; version <= 3'000; ++version)
            tally.counts[{std::string(200, 'u'), 0, version, kHealthy, std::string(64, 's')}] = 3;
        bound(tally);
        QVERIFY(serialize(SumsMessage{{}, tally}).size() <= kMaxTallyBytes + 64);
        QCOMPARE(entriesOf(tally), std::uint64_t{9'000});
        QVERIFY(tally.folded > 0);
    }

    void additionStopsBeforeItWraps()
    {
        Tally tally = tallyOf(kMaxCounted - 1, {{keyOf(kHealthy), kMaxCounted}});
        add(tally, tallyOf(kMaxCounted, {{keyOf(kHealthy), kMaxCounted}}, 4));
        QVERIFY(tally == tallyOf(kMaxCounted, {{keyOf(kHealthy), kMaxCounted}}, 4));
    }
};

QTEST_APPLESS_MAIN(TestSums)
#include "tst_sums.moc"
