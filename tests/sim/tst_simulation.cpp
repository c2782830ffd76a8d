// SPDX-License-Identifier: Apache-2.0
#include "sim_fixture.h"

using namespace starling;
using namespace starling::sim;
using namespace std::chrono_literals;

namespace {

/// A bit of everything.
constexpr std::string_view kBusy =
    "[run]\nduration = 3m\n"
    "[fleet]\nnodes = 20\npayload = 1s\nforgers = 1\nliars = 1\nreplayers = 1\nflooders = 1\nhostility = 2\n"
    "[network]\nlatency = lognormal 10ms 50ms\njitter = 10ms\nloss = 3%\nduplication = 1%\n"
    "[timeline]\n5s = publish node 0\n20s = partition 30%, churn 10s\n40s = heal, join 2\n60s = publish\n"
    "70s = crash 20%, clock 50% -1h\n80s = restart\n100s = churn off\n"
    "[expect]\nforged = none\n";

constexpr std::string_view kCalm = "[run]\nduration = 30s\n[fleet]\nnodes = 10\ndegree = 3\n";

/// All of it by model links; by shipped ones, what happens before new nodes join.
Scenario busyWith(Scenario::Links links)
{
    Scenario scenario = scenarioOf(kBusy);
    scenario.links = links;
    scenario.verification = Scenario::Verification::Shared;
    if (links == Scenario::Links::Shipped)
        scenario.duration = 30s;
    return scenario;
}

} // namespace

Q_DECLARE_METATYPE(starling::sim::Scenario::Links)

class TestSimulation : public QObject
{
    Q_OBJECT

private:
    static void addLinks()
    {
        QTest::addColumn<Scenario::Links>("links");
        QTest::newRow("shipped") << Scenario::Links::Shipped;
        QTest::newRow("model") << Scenario::Links::Model;
    }

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }

    void sameSeedGivesTheSameTrace_data() { addLinks(); }
    void sameSeedGivesTheSameTrace()
    {
        QFETCH(Scenario::Links, links);
        const Outcome one = outcomeOf(busyWith(links), 7), other = outcomeOf(busyWith(links), 7);
        QCOMPARE(one.trace.hex(), other.trace.hex());
        QCOMPARE(one.events, other.events);
        QVERIFY2(one.events > 5'000, std::to_string(one.events).c_str());
    }

    void anotherSeedGivesAnotherTrace()
    {
        const Scenario scenario = busyWith(Scenario::Links::Model);
        QVERIFY(outcomeOf(scenario, 7).trace != outcomeOf(scenario, 8).trace);
    }

    void runningInPortionsChangesNothing()
    {
        const Scenario scenario = busyWith(Scenario::Links::Model);
        Simulation simulation(scenario, 7);
        while (simulation.run(13)) { }
        QCOMPARE(simulation.outcome().trace.hex(), outcomeOf(scenario, 7).trace.hex());
        QCOMPARE(simulation.now(), Duration(3min));
    }

    /// What nodes verify together they judge as each by itself: with certificates they share verdicts on
    /// signatures, without them whole boards.
    void sharedVerificationChangesNothing_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("certificates") << QByteArray(kBusy.data(), static_cast<qsizetype>(kBusy.size()));
        QTest::newRow("none") << QByteArray(
            "[run]\nduration = 2m\n[fleet]\nnodes = 40\nlinks = model\ncertificates = no\nreceipts = no\n"
            "[network]\nloss = 3%\njitter = 10ms\n"
            "[timeline]\n5s = publish, publish\n20s = partition 50%\n25s = publish\n"
            "40s = heal\n60s = crash 30%, publish\n70s = restart\n");
    }
    void sharedVerificationChangesNothing()
    {
        QFETCH(QByteArray, text);
        Scenario scenario = scenarioOf(text.toStdString());
        scenario.links = Scenario::Links::Model;
        const Outcome each = outcomeOf(scenario, 3);
        scenario.verification = Scenario::Verification::Shared;
        const Outcome shared = outcomeOf(scenario, 3);
        QCOMPARE(shared.trace.hex(), each.trace.hex());
        QVERIFY(shared.taken == each.taken && shared.known == each.known && shared.refused == each.refused);
    }

    void keepsWhatIsDurableOverACrash()
    {
        Simulation simulation(scenarioOf(kCalm), 1);
        World& world = simulation.world();
        simulation.runFor(5s);
        world.nodes[0]->publish();
        simulation.runFor(5s);
        QCOMPARE(world.nodes[4]->version(), std::uint64_t{1});
        const auto before = world.nodes[4]->replica().heads();
        world.nodes[4]->crash();
        QVERIFY(!world.nodes[4]->isUp());
        QVERIFY(world.nodes[4]->replica().heads() == before);
        world.nodes[0]->publish();
        simulation.runFor(5s);
        QCOMPARE(world.nodes[4]->version(), std::uint64_t{1}); // it was away
        world.nodes[4]->startAt(world.now);
        simulation.runFor(10s);
        QCOMPARE(world.nodes[4]->version(), std::uint64_t{2});
        QVERIFY(simulation.areBoardsEqual());
    }

    void bringsNodesThatJoinUpToDate()
    {
        const Outcome outcome =
            outcomeOf(scenarioOf(std::string(kCalm) + "[timeline]\n5s = publish\n10s = join 4\n"));
        QCOMPARE(outcome.nodes, std::size_t{14});
        QCOMPARE(outcome.delivered, 1.0);
    }

    void needsNoRightClocks()
    {
        const std::string_view jumps =
            "[timeline]\n4s = clock 50% 8760h\n5s = publish\n6s = clock 100% -8000h\n"
            "7s = publish\n[expect]\ndelivered = 100% within 5s\n";
        const Outcome outcome = outcomeOf(scenarioOf(std::string(kCalm) + std::string(jumps)));
        QCOMPARE(failures(outcome, "", 1), std::string());
    }

    void fetchesPayloadsFromWhoeverServesThem()
    {
        Scenario scenario = scenarioOf(std::string(kCalm)
                                       + "payload = 1s\nliars = 3\n[timeline]\n5s = publish node 0\n"
                                         "[expect]\nfetched = 100% within 25s\n");
        QCOMPARE(failures(outcomeOf(scenario), "", 1), std::string());
        scenario.expectations[0].within = 500ms;
        QVERIFY(!outcomeOf(scenario).holds()); // a payload takes a second
    }

    void saysWhatDoesNotHold()
    {
        const Outcome outcome =
            outcomeOf(scenarioOf("[run]\nduration = 1m\n[fleet]\nnodes = 5\n[network]\nloss = 100%\n"
                                 "[timeline]\n1s = publish node 0\n50s = crash 100%\n51s = publish node 0\n"
                                 "[expect]\ndelivered = 50% within 10s\nboards = equal within 2 rounds\n"
                                 "fetched = 1% within 30s\nforged = none\nbytes = at most 1 B\n"));
        QVERIFY(!outcome.holds());
        QCOMPARE(outcome.judgements.size(), std::size_t{5});
        QCOMPARE(outcome.judgements[0].found, std::string("0.00% (0 of 4) of release 1"));
        QCOMPARE(outcome.judgements[1].found, std::string("never came to be judged"));
        QVERIFY(!outcome.judgements[2].holds && outcome.judgements[3].holds && !outcome.judgements[4].holds);
        QCOMPARE(outcome.mishaps.size(), std::size_t{1});
        QCOMPARE(outcome.mishaps[0], std::string("'publish node 0': it is down"));
    }

    void seesBoardsThatDiffer()
    {
        const Outcome outcome = outcomeOf(
            scenarioOf(std::string(kCalm)
                       + "[timeline]\n5s = partition 50%, publish\n[expect]\nboards = equal within 20s\n"));
        QVERIFY(!outcome.holds());
        QCOMPARE(outcome.judgements[0].found, std::string("different"));
    }

    /// The scenario with everything, once; tst_sim_seeds runs a shorter one with many seeds.
    void outlivesAnHourOfEverything()
    {
        const Outcome outcome = outcomeOf(scenarioNamed("hour"));
        QCOMPARE(failures(outcome, "hour", 1), std::string());
        QVERIFY(outcome.lostDatagrams > 1'000 && outcome.refused > 1'000);
    }
};

QTEST_GUILESS_MAIN(TestSimulation)
#include "tst_simulation.moc"
