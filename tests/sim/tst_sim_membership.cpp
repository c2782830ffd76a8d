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
