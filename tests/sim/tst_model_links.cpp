// SPDX-License-Identifier: Apache-2.0
/// What ModelLinks promises the overlay, as link::Links does: seen from the nodes that use them.
#include "sim_fixture.h"

using namespace starling;
using namespace starling::sim;
using namespace std::chrono_literals;

namespace {

std::string fleetOf(unsigned nodes, unsigned degree, const std::string& network = {})
{
    return "[run]\nduration = 1h\nverification = shared\n[fleet]\nlinks = model\ncertificates = no\n"
           "receipts = no\nnodes = "
        + std::to_string(nodes) + "\ndegree = " + std::to_string(degree) + "\n[network]\n" + network;
}

std::vector<overlay::NeighborId> linksOf(const Node& node)
{
    std::vector<overlay::NeighborId> links;
    for (const auto& [link, stats] : node.neighbors())
        links.push_back(link);
    return links;
}

/// Puts node `node` apart from all others, as a timeline's partition does.
void cutOff(World& world, NodeIndex node)
{
    world.network.setGroup(node, 1);
    for (const auto& any : world.nodes)
        if (any->modelLinks() != nullptr)
            any->modelLinks()->noteCut();
}

} // namespace

class TestModelLinks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }

    void twoNodesHaveOneLinkHoweverTheyGreet()
    {
        // Of some seeds one has the other configured, of others both.
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            Simulation simulation(scenarioOf(fleetOf(2, 1, "loss = 20%\njitter = 100ms\n")), seed);
            simulation.runFor(2min);
            for (const auto& node : simulation.world().nodes)
                QCOMPARE(node->neighbors().size(), std::size_t{1});
            QCOMPARE(simulation.world().nodes[0]->neighbors().begin()->second.node,
                     simulation.world().nodes[1]->id());
        }
    }

    void carriesEachMessageOnceAndInOrder()
    {
        Simulation simulation(scenarioOf(fleetOf(2, 1, "loss = 20%\njitter = 300ms\nduplication = 20%\n")),
                              1);
        simulation.runFor(1min);
        constexpr std::uint64_t kReleases = 50;
        for (std::uint64_t i = 0; i < kReleases; ++i) {
            simulation.world().nodes[0]->publish();
            simulation.runFor(10ms);
        }
        simulation.runFor(1min);
        // A release that overtook another would have made it known.
        const auto& counts = simulation.world().nodes[1]->replica().counts();
        QCOMPARE(counts.taken, kReleases);
        QCOMPARE(counts.known, std::uint64_t{0});
        QVERIFY(simulation.outcome().retransmissions > 5);
    }

    void outlivesAShortCutAndDeliversWhatWasSent()
    {
        Simulation simulation(scenarioOf(fleetOf(2, 1)), 1);
        World& world = simulation.world();
        simulation.runFor(5s);
        const auto before = linksOf(*world.nodes[0]);
        world.nodes[0]->publish(); // on its way when the cut begins
        cutOff(world, 1);
        simulation.runFor(1s);
        world.nodes[0]->publish();
        simulation.runFor(2s);
        QCOMPARE(world.nodes[1]->version(), std::uint64_t{0});
        world.network.heal();
        simulation.runFor(4s);
        QCOMPARE(world.nodes[1]->version(), std::uint64_t{2});
        QCOMPARE(world.nodes[1]->replica().counts().taken, std::uint64_t{2});
        QVERIFY(linksOf(*world.nodes[0]) == before);
    }

    void endsWhenNobodyAnswersAndComesBackAfterwards()
    {
        Simulation simulation(scenarioOf(fleetOf(2, 1)), 1);
        World& world = simulation.world();
        simulation.runFor(5s);
        cutOff(world, 1);
        world.nodes[0]->publish();
        simulation.runFor(5s);
        QCOMPARE(world.nodes[0]->neighbors().size(), std::size_t{1});
        // Eight retransmissions that are nobody's; who has nothing to say waits for keepalives.
        simulation.runFor(25s);
        QCOMPARE(world.nodes[0]->neighbors().size(), std::size_t{0});
        simulation.runFor(90s);
        QCOMPARE(world.nodes[1]->neighbors().size(), std::size_t{0});
        world.network.heal();
        simulation.runFor(31s);
        for (const auto& node : world.nodes)
            QCOMPARE(node->neighbors().size(), std::size_t{1});
        QCOMPARE(world.nodes[1]->version(), std::uint64_t{1});
    }

    void missesAnIdleNeighborThatCrashed()
    {
        Simulation simulation(scenarioOf(fleetOf(2, 1)), 3);
        World& world = simulation.world();
        simulation.runFor(5s);
        world.nodes[1]->crash();
        simulation.runFor(6s);
        QCOMPARE(world.nodes[0]->neighbors().size(), std::size_t{1});
        simulation.runFor(80s);
        QCOMPARE(world.nodes[0]->neighbors().size(), std::size_t{0});
    }

    void aRestartedNodeHasNewLinks()
    {
        Simulation simulation(scenarioOf(fleetOf(6, 3)), 1);
        World& world = simulation.world();
        simulation.runFor(5s);
        world.nodes[0]->publish();
        simulation.runFor(1s);
        world.nodes[1]->crash();
        world.nodes[1]->startAt(world.now);
        simulation.runFor(45s);
        QCOMPARE(world.nodes[1]->neighbors().size(), std::size_t{3});
        for (const auto& node : world.nodes)
            QVERIFY(node->neighbors().size() <= 3); // none stands twice
        world.nodes[2]->publish();
        simulation.runFor(1s);
        QCOMPARE(world.nodes[1]->version(), std::uint64_t{2});
    }

    void closesOneLinkAndTellsTheOtherSide()
    {
        Simulation simulation(scenarioOf(fleetOf(2, 1)), 1);
        World& world = simulation.world();
        simulation.runFor(5s);
        std::vector<link::Output> outputs;
        ModelLinks& links = *world.nodes[0]->modelLinks();
        QCOMPARE(links.links().size(), std::size_t{1});
        links.handle(link::Close{links.links()[0].link}, outputs);
        QCOMPARE(outputs.size(), std::size_t{1});
        QCOMPARE(std::get<link::LinkDown>(outputs[0]).reason, Errc::Cancelled);
        QVERIFY(links.links().empty());
        simulation.runFor(100ms);
        QCOMPARE(world.nodes[1]->neighbors().size(), std::size_t{0});
    }

    void triesAsOftenAsItIsTold()
    {
        Simulation simulation(scenarioOf(fleetOf(3, 1)), 1);
        World& world = simulation.world();
        simulation.runFor(5s);
        world.nodes[2]->crash();
        std::vector<link::Output> outputs;
        ModelLinks& links = *world.nodes[0]->modelLinks();
        const std::size_t before = links.links().size();
        links.handle(link::Connect{endpointOf(2), 2}, outputs);
        simulation.runFor(10s);
        world.nodes[2]->startAt(world.now);
        simulation.runFor(1s);
        links.handle(link::Connect{endpointOf(2), 2}, outputs);
        simulation.runFor(1s);
        QVERIFY(outputs.empty());
        QVERIFY(links.links().size() >= before);
        const auto all = links.links();
        QVERIFY(std::any_of(all.begin(), all.end(), [&](const link::LinkInfo& info) {
            return info.node == world.nodes[2]->id() && info.roundTrip == 2 * world.network.latency(0, 2);
        }));
    }
};

QTEST_GUILESS_MAIN(TestModelLinks)
#include "tst_model_links.moc"
