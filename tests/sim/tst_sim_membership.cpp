// SPDX-License-Identifier: Apache-2.0
/// Fleets that find their neighbours by themselves, with everything else as it is shipped.
#include "sim_fixture.h"

using namespace starling;
using namespace starling::sim;

class TestSimMembership : public QObject
{
    Q_OBJECT

private:
    static void holds(std::string_view text)
    {
        const Outcome outcome = outcomeOf(scenarioOf(text));
        QVERIFY2(outcome.holds(), failures(outcome, "(in this test)", 1).c_str());
    }

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    void aFleetFormsFromOneBootstrap()
    {
        holds("[run]\nduration = 90s\nverification = shared\n"
              "[fleet]\nnodes = 40\nmembership = yes\n"
              "[timeline]\n5s = publish node 7\n30s = publish\n40s = join 5\n60s = publish\n"
              "[expect]\ndelivered = 100% within 5s\nboards = equal within 30s\nforged = none\n");
    }

    void mostOfAFleetMayCrash()
    {
        holds("[run]\nduration = 100s\nverification = shared\n"
              "[fleet]\nnodes = 150\nmembership = yes\nlinks = model\ncertificates = no\nreceipts = no\n"
              "[timeline]\n40s = publish\n60s = crash 80%\n90s = publish\n"
              "[expect]\ndelivered = 100% within 5s\n");
    }

    /// It hears of what was published meanwhile, and of what is next.
    void whoWasAwayForAnHourIsBackWithinHalfAMinute()
    {
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            const Outcome outcome =
                outcomeOf(scenarioOf("[run]\nduration = 63m\nverification = shared\n"
                                     "[fleet]\nnodes = 20\nmembership = yes\n"
                                     "[timeline]\n30s = publish\n2m = partition 5%\n30m = publish node "
                                     "0\n62m = heal, publish node 0\n"
                                     "[expect]\ndelivered = 100% within 30s\nboards = equal within 30s\n"),
                          seed);
            QVERIFY2(outcome.holds(), failures(outcome, "(in this test)", seed).c_str());
        }
    }

    void losesNobodyUnderChurnAndLoss()
    {
        holds("[run]\nduration = 4m\nverification = shared\n"
              "[fleet]\nnodes = 40\nmembership = yes\nlinks = model\ncertificates = no\nreceipts = no\n"
              "[network]\nloss = 5%\njitter = 10ms\n"
              "[timeline]\n20s = churn 4s\n60s = publish\n120s = publish\n180s = churn off\n200s = publish\n"
              "[expect]\ndelivered = 100% within 60s\n");
    }

    void theSameSeedGivesTheSameTrace()
    {
        const Scenario scenario =
            scenarioOf("[run]\nduration = 20s\n[fleet]\nnodes = 20\nmembership = yes\n"
                       "links = model\ncertificates = no\nreceipts = no\n[timeline]\n5s = publish\n");
        QVERIFY(outcomeOf(scenario, 3).trace == outcomeOf(scenario, 3).trace);
        QVERIFY(outcomeOf(scenario, 3).trace != outcomeOf(scenario, 4).trace);
    }
};

QTEST_APPLESS_MAIN(TestSimMembership)
#include "tst_sim_membership.moc"
