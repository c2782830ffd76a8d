// SPDX-License-Identifier: Apache-2.0
/// A fleet that is too large for its observer: sums on the way, and receipts when somebody asks.
#include "sim_fixture.h"

using namespace starling;
using namespace starling::sim;
using namespace std::chrono_literals;

class TestSimSums : public QObject
{
    Q_OBJECT

private:
    /// The largest number of messages about receipts that any node but the observer has had since `before`.
    static std::uint64_t mostMessages(Simulation& simulation, const std::vector<std::uint64_t>& before)
    {
        std::uint64_t most = 0;
        const auto& nodes = simulation.world().nodes;
        for (std::size_t i = 1; i < nodes.size(); ++i)
            most = std::max(most, nodes[i]->receiptMessages() - before[i]);
        return most;
    }
    /// Receipts of others that came to the observer.
    static std::uint64_t arrivals(Simulation& simulation)
    {
        std::uint64_t sum = 0;
        for (const auto& [node, reported] : simulation.world().books.reported)
            sum += node == kObserver ? 0 : reported.arrivals;
        return sum;
    }
    static std::vector<std::uint64_t> messages(Simulation& simulation)
    {
        std::vector<std::uint64_t> counts;
        for (const auto& node : simulation.world().nodes)
            counts.push_back(node->receiptMessages());
        return counts;
    }

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    void aThousandDevicesAreToldInSums()
    {
        Simulation simulation(scenarioNamed("sums"), 1);
        simulation.runFor(80s);
        Books& books = simulation.world().books;
        const std::uint64_t receipts = arrivals(simulation);
        const auto before = messages(simulation);
        // The release goes through the fleet, and every device passes through its phases.
        simulation.runFor(60s);
        QCOMPARE(arrivals(simulation), receipts);
        const auto hints = simulation.world().nodes[kObserver]->hints();
        QVERIFY(hints.has_value());
        QCOMPARE(hints->tally.devices, 1'000u);
        QVERIFY2(hints->age < 5min, "old");
        const std::uint64_t most = mostMessages(simulation, before);
        QVERIFY2(most <= 60, std::to_string(most).c_str());
        simulation.runToEnd();
        const Outcome outcome = simulation.outcome();
        QVERIFY2(outcome.holds(), failures(outcome, "sums", 1).c_str());

        // What is asked for comes signed, and no more than was asked for.
        trust::ReceiptAsk ask{0, 25, Authority::uri(), trust::Revision{0, 2}, trust::Phase::Healthy};
        const std::uint64_t arrived = arrivals(simulation);
        const auto beforeAsk = messages(simulation);
        simulation.world().nodes[kObserver]->ask(ask);
        simulation.runFor(20s);
        QCOMPARE(arrivals(simulation), arrived + 25);
        QCOMPARE(books.forgedReceipts, std::uint64_t{0});
        const std::uint64_t mostAsked = mostMessages(simulation, beforeAsk);
        QVERIFY2(mostAsked <= 60, std::to_string(mostAsked).c_str());
        qInfo("messages about receipts at the busiest node: %llu in 60 s of a rollout, %llu in 20 s of "
              "answers; %llu at the observer",
              static_cast<unsigned long long>(most), static_cast<unsigned long long>(mostAsked),
              static_cast<unsigned long long>(simulation.world().nodes[kObserver]->receiptMessages()));
    }
};

QTEST_APPLESS_MAIN(TestSimSums)
#include "tst_sim_sums.moc"
