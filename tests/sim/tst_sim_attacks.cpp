// SPDX-License-Identifier: Apache-2.0
/// Attacks and faults of the whole fleet: security-cases 31 (in part), 32 and 34.
#include "sim_fixture.h"

using namespace starling;
using namespace starling::sim;
using namespace std::chrono_literals;

namespace {

/// Notices that honest nodes were sent by node `from`, or by all others.
std::uint64_t noticesFrom(const World& world, NodeIndex from, bool fromIt)
{
    std::uint64_t count = 0;
    for (const auto& node : world.nodes) {
        if (!node->isUp() || !node->isHonest())
            continue;
        for (const auto& [neighbor, stats] : node->neighbors()) {
            const auto other = world.byId.find(stats.node);
            if (other != world.byId.end() && (other->second == from) == fromIt)
                count += stats.noticesIn;
        }
    }
    return count;
}

} // namespace

class TestSimAttacks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }

    /// 34: partition for an hour, then healed: boards equal within two rounds of anti-entropy.
    void boardsAreEqualTwoRoundsAfterAnHourOfPartition()
    {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            const Outcome outcome = outcomeOf(scenarioNamed("partition_hour"), seed);
            QCOMPARE(failures(outcome, "partition_hour", seed), std::string());
        }
    }

    /// 32: a node that floods receipts of its own, validly signed: its neighbours take them all, and nobody
    /// else sees more than the pace at which they may be forwarded.
    void aFloodOfReceiptsEndsAtItsNeighbors()
    {
        Simulation simulation(scenarioOf("[run]\nduration = 2m\nverification = shared\n[fleet]\nnodes = "
                                         "30\nflooders = 1\nhostility = 50\n"
                                         "[timeline]\n60s = publish node 0\n"
                                         "[expect]\ndelivered = 100% within 5s\nforged = none\n"),
                              1);
        simulation.runFor(60s);
        const std::uint64_t floodedBefore = noticesFrom(simulation.world(), 29, true);
        const std::uint64_t othersBefore = noticesFrom(simulation.world(), 29, false);
        simulation.runToEnd();
        QCOMPARE(failures(simulation.outcome(), "flood", 1), std::string());
        const std::uint64_t flooded = noticesFrom(simulation.world(), 29, true) - floodedBefore;
        const std::uint64_t others = noticesFrom(simulation.world(), 29, false) - othersBefore;
        // 60 s of 50 a second to five neighbours.
        QVERIFY2(flooded > 10'000, std::to_string(flooded).c_str());
        // One release and the receipts after it, as without the flood, and one flooded receipt in five
        // seconds from each.
        QVERIFY2(others < flooded / 2, std::to_string(others).c_str());
    }

    /// 32: a node that forges releases and others' receipts: nothing of it is taken or forwarded.
    void forgeriesAreDroppedByTheFirstWhoSeesThem()
    {
        Simulation simulation(scenarioOf("[run]\nduration = 2m\nverification = shared\n[fleet]\nnodes = "
                                         "30\nforgers = 1\nhostility = 20\n"
                                         "[timeline]\n60s = publish node 0\n"
                                         "[expect]\ndelivered = 100% within 5s\nforged = none\n"),
                              1);
        simulation.runToEnd();
        const World& world = simulation.world();
        const Outcome outcome = simulation.outcome();
        QCOMPARE(failures(outcome, "flood", 1), std::string());
        QVERIFY(outcome.refused > 1'000);
        for (const auto& node : world.nodes) {
            if (!node->isHonest())
                continue;
            for (const auto& [neighbor, stats] : node->neighbors()) {
                const auto other = world.byId.find(stats.node);
                QVERIFY(other != world.byId.end());
                // Only the forger's own words are refused: nobody passed one on.
                QVERIFY(stats.refused == 0 || !world.nodes[other->second]->isHonest());
            }
        }
    }

    void repliesToOldNoticesWithNothing()
    {
        const Outcome outcome =
            outcomeOf(scenarioOf("[run]\nduration = 2m\nverification = shared\n[fleet]\nnodes = "
                                 "30\nreplayers = 2\nhostility = 20\n"
                                 "[timeline]\n5s = publish\n10s = publish\n15s = publish\n"
                                 "[expect]\ndelivered = 100% within 5s\nforged = none\n"));
        QCOMPARE(failures(outcome, "flood", 1), std::string());
        QVERIFY(outcome.refused + outcome.known > 1'000);
        QCOMPARE(outcome.delivered, 1.0); // nobody went back
    }

    /// 31, in part: certified nodes advertise payloads and never serve, in a fifth of the fleet.
    void aFifthOfLiarsDelaysPayloadsButStopsNone()
    {
        const Outcome outcome = outcomeOf(scenarioOf(
            "[run]\nduration = 2m\nverification = shared\n[fleet]\nnodes = 50\nliars = 10\npayload = 1s\n"
            "[timeline]\n10s = publish node 0\n"
            "[expect]\ndelivered = 99.9% within 60s\nfetched = 99.9% within 60s\n"));
        QCOMPARE(failures(outcome, "liars", 1), std::string());
    }
};

QTEST_GUILESS_MAIN(TestSimAttacks)
#include "tst_sim_attacks.moc"
