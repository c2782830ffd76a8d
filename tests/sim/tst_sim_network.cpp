// SPDX-License-Identifier: Apache-2.0
#include "sim/network.h"
#include "sim/topology.h"

#include <QtTest>
#include <algorithm>
#include <set>

using namespace starling;
using namespace starling::sim;
using namespace std::chrono_literals;

namespace {

constexpr NodeIndex kNodes = 200;

std::vector<Duration> latencies(const Network& network)
{
    std::vector<Duration> all;
    for (NodeIndex a = 0; a < kNodes; ++a)
        for (NodeIndex b = 0; b < a; ++b)
            all.push_back(network.latency(a, b));
    std::sort(all.begin(), all.end());
    return all;
}

} // namespace

class TestSimNetwork : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void givesEachPairOneLatencyInBothDirections()
    {
        for (const auto shape : {Latency::Shape::Uniform, Latency::Shape::LogNormal}) {
            const Network network({{shape, 10ms, 50ms}, {}, {}, {}}, 1);
            const Network other({{shape, 10ms, 50ms}, {}, {}, {}}, 2);
            QCOMPARE(network.latency(3, 9), network.latency(9, 3));
            QVERIFY(network.latency(3, 9) != network.latency(3, 10));
            QVERIFY(network.latency(3, 9) != other.latency(3, 9));
        }
    }

    void drawsUniformLatencies()
    {
        const auto all = latencies(Network({{Latency::Shape::Uniform, 10ms, 50ms}, {}, {}, {}}, 1));
        QVERIFY(all.front() >= 10ms && all.front() < 11ms && all.back() <= 50ms && all.back() > 49ms);
        const Duration median = all[all.size() / 2];
        QVERIFY(median > 29ms && median < 31ms);
    }

    void drawsLogNormalLatencies()
    {
        const auto all = latencies(Network({{Latency::Shape::LogNormal, 10ms, 50ms}, {}, {}, {}}, 1));
        QVERIFY(all.front() >= 9'999us && all.back() <= 50ms);
        // The median is the geometric mean, 22.4 ms, and a standard deviation a factor of 5^(1/4).
        const Duration median = all[all.size() / 2], above = all[all.size() * 841 / 1'000];
        QVERIFY(median > 22ms && median < 23ms);
        QVERIFY(above > 32ms && above < 35ms);
    }

    void losesAndRepeatsAsOftenAsItShould()
    {
        const Network network({{}, 5ms, {100'000}, {20'000}}, 1);
        SeededRandom random(1);
        unsigned lost = 0, twice = 0;
        for (int i = 0; i < 100'000; ++i) {
            const auto fate = network.fate(1, 2, random);
            lost += fate.copies == 0 ? 1 : 0;
            twice += fate.copies == 2 ? 1 : 0;
            for (unsigned copy = 0; copy < fate.copies; ++copy)
                QVERIFY(fate.delays[copy] >= network.latency(1, 2)
                        && fate.delays[copy] <= network.latency(1, 2) + 5ms);
        }
        QVERIFY(lost > 9'600 && lost < 10'400);
        QVERIFY(twice > 1'650 && twice < 1'950); // 2 % of what is not lost
    }

    void cutsGroupsOffUntilTheyHeal()
    {
        Network network({}, 1);
        SeededRandom random(1);
        network.setGroup(7, 1);
        QCOMPARE(network.fate(7, 8, random).copies, 0u);
        QCOMPARE(network.fate(8, 7, random).copies, 0u);
        QCOMPARE(network.fate(8, 9, random).copies, 1u);
        network.heal();
        QCOMPARE(network.fate(7, 8, random).copies, 1u);
    }

    void roundsSharesToTheNearest()
    {
        QCOMPARE(Share{300'000}.of(50), std::size_t{15});
        QCOMPARE(Share{300'000}.of(5), std::size_t{2});
        QCOMPARE(Share{Share::kWhole}.of(7), std::size_t{7});
        QCOMPARE(Share{}.of(7), std::size_t{0});
    }

    void makesAConnectedGraphOfTheDegree()
    {
        for (const unsigned degree : {2u, 3u, 5u, 8u}) {
            SeededRandom random(degree);
            const auto graph = randomGraph(500, degree, random);
            const auto reached = reachable(0, graph, [](NodeIndex) { return true; });
            QVERIFY(std::find(reached.begin(), reached.end(), false) == reached.end());
            std::vector<std::set<NodeIndex>> ends(500);
            for (NodeIndex a = 0; a < 500; ++a)
                for (const NodeIndex b : graph[a]) {
                    QVERIFY(a != b);
                    ends[a].insert(b);
                    ends[b].insert(a);
                }
            const auto few =
                std::count_if(ends.begin(), ends.end(), [&](const auto& e) { return e.size() < degree; });
            QVERIFY2(few < 50, std::to_string(few).c_str());
            QVERIFY(std::all_of(ends.begin(), ends.end(), [&](const auto& e) { return e.size() <= degree; }));
        }
    }

    void makesAConnectedGraphOfTheNearest()
    {
        SeededRandom random(1);
        const Network network({{Latency::Shape::Uniform, 10ms, 50ms}, {}, {}, {}}, 1);
        const auto graph = nearestGraph(500, network, random);
        const auto reached = reachable(0, graph, [](NodeIndex) { return true; });
        QVERIFY(std::find(reached.begin(), reached.end(), false) == reached.end());
        std::size_t ends = 0, quick = 0;
        for (NodeIndex a = 0; a < 500; ++a)
            for (const NodeIndex b : graph[a]) {
                QVERIFY(a != b);
                ++ends;
                quick += network.latency(a, b) < 15ms ? 1 : 0;
            }
        // A ring, and two nearest for each, of which some chose each other.
        QVERIFY2(ends > 1'350 && ends <= 1'500, std::to_string(ends).c_str());
        QVERIFY2(quick > 850, std::to_string(quick).c_str());
    }

    void givesEachNodeAnAddressOfItsOwn()
    {
        for (const NodeIndex node : {NodeIndex{0}, NodeIndex{255}, NodeIndex{65'536}, NodeIndex{999'999}})
            QCOMPARE(indexOf(endpointOf(node)), node);
    }

    void reachesThroughOpenNodesAlone()
    {
        // 0 – 1 – 2 – 3, where 2 is closed, and 4 for itself.
        const auto reached = reachable(1, {{1}, {}, {1}, {2}, {}}, [](NodeIndex node) { return node != 2; });
        QVERIFY((reached == std::vector<bool>{true, true, false, false, false}));
    }

    void samplesWithoutRepeating()
    {
        SeededRandom random(1);
        const auto some = sample({1, 2, 3, 4, 5}, 3, random);
        QCOMPARE((std::set<NodeIndex>(some.begin(), some.end()).size()), std::size_t{3});
        QCOMPARE(sample({1, 2}, 9, random).size(), std::size_t{2});
    }
};

QTEST_GUILESS_MAIN(TestSimNetwork)
#include "tst_sim_network.moc"
