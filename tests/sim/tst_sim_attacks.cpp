// SPDX-License-Identifier: Apache-2.0
/// Attacks and faults of the whole fleet: security-cases 31 (in part), 32 and 34.
#include "sim_fixture.h"

using namespace starling;
using namespace starling::sim;
using namespace std::chrono_literals;

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

    /// A fifth of the fleet forges, replays, or promises notices and never sends them: others bring them.
    void aHostileFifthKeepsNoReleaseFromTheOthers()
    {
        Scenario scenario = scenarioNamed("hostile");
        scenario.nodes = 200;
        scenario.forgers = scenario.replayers = 10;
        scenario.swallowers = 20;
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            const Outcome outcome = outcomeOf(scenario, seed);
            QCOMPARE(failures(outcome, "hostile", seed), std::string());
            QVERIFY(outcome.refused > 500);
        }
    }

    /// 32: a node that floods receipts of its own, validly signed, at all its neighbours: no more of them get
    /// further than may enter there, and the others' receipts come as if nothing had happened.
    void aFloodOfReceiptsEndsAtItsNeighbors()
    {
        const std::string text = "[run]\nduration = 2m\nverification = shared\n[fleet]\nnodes = 30\n"
                                 "hostility = 50\nflooders = ";
        const std::string rest = "\n[timeline]\n60s = publish node 0\n[expect]\ndelivered = 100% within 5s\n"
                                 "reported = 100% within 30s\nforged = none\n";
        Simulation simulation(scenarioOf(text + "1" + rest), 1);
        simulation.runToEnd();
        QCOMPARE(failures(simulation.outcome(), "flood", 1), std::string());
        // 120 s of 50 a second to five neighbours. Each lets 16 and then one in five seconds enter, and of
        // those that wait somewhere only the newest goes on.
        const auto& reported = simulation.world().books.reported;
        const auto flooder = reported.find(29);
        QVERIFY(flooder != reported.end());
        QVERIFY2(flooder->second.arrivals <= 5 * (16 + 120 / 5),
                 std::to_string(flooder->second.arrivals).c_str());
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
        QVERIFY(outcome.refused > 500);
        std::uint64_t refused = 0;
        for (const auto& node : world.nodes) {
            if (!node->isHonest())
                continue;
            for (const auto& [neighbor, stats] : node->neighbors()) {
                const auto other = world.byId.find(stats.node);
                QVERIFY(other != world.byId.end());
                refused += stats.refused;
                // Only the forger's own words are refused: nobody passed one on.
                QVERIFY(stats.refused == 0 || !world.nodes[other->second]->isHonest());
            }
        }
        QVERIFY(refused > outcome.refused); // the receipts, too
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
