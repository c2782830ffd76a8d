// SPDX-License-Identifier: Apache-2.0
#include "scenario_file.h"

#include <QtTest>

using namespace starling;
using namespace starling::sim;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

class TestScenario : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void hasADefaultForEverything()
    {
        const auto scenario = parseScenario("", "empty.ini");
        QVERIFY(scenario && *scenario == Scenario());
    }

    void readsEverySetting()
    {
        const auto s = parseScenario("[run]\nduration = 1h\nverification = shared\n"
                                     "[fleet]\nnodes = 60\ndegree = 4\nlinks = model\ngraph = "
                                     "nearest\nreceipts = no\npayload = 1.5s\nforgers = 1\n"
                                     "liars = 2\nreplayers = 3\nflooders = 4\nswallowers = 5\nhostility = 7\n"
                                     "[network]\nlatency = lognormal 5ms 80ms\njitter = 2ms\nloss = 0.5%\n"
                                     "duplication = 100%\n",
                                     "s.ini");
        QVERIFY2(s, s ? "" : s.error().context.c_str());
        QVERIFY(s->duration == 1h && s->verification == Scenario::Verification::Shared && s->nodes == 60);
        QVERIFY(s->degree == 4 && s->hasCertificates && !s->issuesReceipts && s->payload == 1500ms);
        QVERIFY(s->forgers == 1 && s->liars == 2 && s->replayers == 3 && s->flooders == 4
                && s->swallowers == 5 && s->hostile() == 15);
        QCOMPARE(s->hostility, 7u);
        QVERIFY(s->links == Scenario::Links::Model && s->graph == Scenario::Graph::Nearest);
        QVERIFY((s->network.latency == Latency{Latency::Shape::LogNormal, 5ms, 80ms}));
        QVERIFY(s->network.jitter == 2ms && s->network.loss.millionths == 5'000);
        QCOMPARE(s->network.duplication.millionths, 1'000'000u);
    }

    void readsTheTimelineInTheOrderOfTime()
    {
        const auto s = parseScenario("[timeline]\n1m = heal, publish node 3\n250ms = partition 30%\n"
                                     "60s = join 5, crash 20%, restart, restart 50%\n"
                                     "2m = clock 10% -1h, churn 20s\n3m = churn off\n",
                                     "s.ini");
        QVERIFY2(s, s ? "" : s.error().context.c_str());
        std::string texts;
        for (const Action& action : s->timeline)
            texts += action.text + ";";
        QCOMPARE(texts,
                 std::string("partition 30%;heal;publish node 3;join 5;crash 20%;restart;restart 50%;"
                             "clock 10% -1h;churn 20s;churn off;"));
        QVERIFY(s->timeline[0].at == 250ms && s->timeline[3].at == 60s && s->timeline[2].node == 3u);
        QVERIFY(s->timeline[3].count == 5 && s->timeline[4].share.millionths == 200'000);
        QVERIFY(s->timeline[5].share.millionths == Share::kWhole && s->timeline[7].span == -1h);
        QVERIFY(s->timeline[8].span == 20s && s->timeline[9].span == 0s);
    }

    void readsExpectations()
    {
        const auto s = parseScenario(
            "[expect]\ndelivered = 99.9% within 60s\nboards = equal within 2 rounds\n"
            "forged = none\nbytes = at most 2 MiB\nhinted = 99% within 2m\n[fleet]\nsums-above = 9\n",
            "s.ini");
        QVERIFY2(s, s ? "" : s.error().context.c_str());
        QCOMPARE(s->expectations.size(), std::size_t{5});
        QVERIFY(s->expectations[4].share.millionths == 990'000 && s->expectations[4].within == 120s);
        QCOMPARE(s->sumsAbove, 9u);
        QVERIFY(s->expectations[0].share.millionths == 999'000 && s->expectations[0].within == 60s);
        QVERIFY(s->expectations[1].within == 75s); // the longest that two rounds of 30 s can take
        QCOMPARE(s->expectations[3].most.value, mebibytes(2).value);
        QCOMPARE(s->expectations[3].text, std::string("bytes = at most 2 MiB"));
    }

    void refusesWithFileAndLine_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("reason");
        const auto row = [](const char* text, const char* reason) {
            QTest::newRow(text) << QByteArray(text) << QByteArray(reason);
        };
        row("[run]\nspeed = 3\n", "s.ini:2: no key 'speed' in [run]");
        row("[walk]\nnodes = 3\n", "s.ini:2: no key 'nodes' in [walk]");
        row("[expect]\nluck = 3\n", "s.ini:2: luck: nothing is called 'luck' in [expect]");
        row("[run]\nduration = 3\n", "s.ini:2: duration: not a time");
        row("[run]\nduration = inf\n", "s.ini:2: duration: not a time");
        row("[run]\nduration = 2e9h\n", "s.ini:2: duration: not a time");
        row("[run]\nduration = 99999h\n", "longer than a year");
        row("[run]\nduration = 0s\n", "at least 1");
        row("[run]\nverification = none\n", "expected each or shared");
        row("[fleet]\nnodes = 1\n", "at least 2 nodes");
        row("[fleet]\nnodes = -5\n", "s.ini:2: nodes: not a number");
        row("[fleet]\nnodes = 5000\n", "more than 4096 devices with certificates");
        row("[run]\nverification = shared\n[fleet]\nlinks = model\nnodes = 100001\n",
            "keys for more than 100000 devices");
        row("[fleet]\nnodes = 9999999\n", "not a number of at most 1000000");
        row("[fleet]\nforgers = 50\n", "nobody would be honest");
        row("[fleet]\ncertificates = no\n", "need certificates");
        row("[fleet]\ncertificates = no\nreceipts = no\n", "links = shipped need certificates = yes");
        row("[fleet]\nreceipts = no\n[expect]\nreported = 1% within 1s\n", "'reported' needs receipts = yes");
        row("[fleet]\nreceipts = no\nsums-above = 5\n", "sums-above needs receipts = yes");
        row("[expect]\nhinted = 1% within 1s\n", "'hinted' needs sums-above");
        row("[fleet]\nlinks = some\n", "s.ini:2: links: expected shipped or model, not 'some'");
        row("[fleet]\ngraph = ring\n", "s.ini:2: graph: expected random or nearest, not 'ring'");
        row("[network]\nloss = 101%\n", "s.ini:2: loss: not a share");
        row("[network]\nloss = 3\n", "not a share");
        row("[network]\nlatency = 20ms\n", "expected 'fixed TIME'");
        row("[network]\nlatency = uniform 50ms 10ms\n", "the least latency is above the most");
        row("[timeline]\nsoon = heal\n", "s.ini:2: not a time");
        row("[timeline]\n1s = explode\n", "s.ini:2: not an action: 'explode'");
        row("[timeline]\n1s = heal,\n", "not an action: ''");
        row("[timeline]\n1s = heal now\n", "expected 'heal'");
        row("[timeline]\n1s = publish 3\n", "expected 'publish' or 'publish node N'");
        row("[timeline]\n1s = publish node 99\n", "there is no such node");
        row("[timeline]\n1s = crash\n", "expected 'crash SHARE'");
        row("[timeline]\n1s = join\n", "expected 'join COUNT'");
        row("[timeline]\n1s = churn 0s\n", "expected 'churn TIME' or 'churn off'");
        row("[expect]\nboards = equal\n", "expected 'equal within N rounds'");
        row("[expect]\nbytes = 3\n", "expected 'at most SIZE'");
        row("[expect]\nforged = some\n", "expected 'none'");
        row("nodes = 3\n", "s.ini:1: key 'nodes' stands before the first [section]");
    }

    void refusesWithFileAndLine()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, reason);
        const auto scenario = parseScenario(text.toStdString(), "s.ini");
        QVERIFY(!scenario);
        QVERIFY(scenario.error().code == Errc::ConfigInvalid);
        QVERIFY2(scenario.error().context.starts_with("s.ini")
                     && scenario.error().context.find(reason.toStdString()) != std::string::npos,
                 scenario.error().context.c_str());
    }

    void readsEveryScenarioOfTheTree()
    {
        unsigned count = 0;
        for (const auto& entry : fs::directory_iterator(STARLING_SOURCE_DIR "/tests/sim/scenarios")) {
            const auto scenario = readScenario(entry.path());
            QVERIFY2(scenario, scenario ? "" : scenario.error().context.c_str());
            QVERIFY(!scenario->expectations.empty());
            ++count;
        }
        QVERIFY(count >= 5);
    }

    void saysWhichFileCannotBeRead()
    {
        for (const char* path : {STARLING_SOURCE_DIR "/none.ini", STARLING_SOURCE_DIR}) {
            const auto scenario = readScenario(path);
            QVERIFY(!scenario && scenario.error().code == Errc::Io);
            QVERIFY(scenario.error().context.starts_with(path));
        }
    }
};

QTEST_GUILESS_MAIN(TestScenario)
#include "tst_scenario.moc"
