// SPDX-License-Identifier: Apache-2.0
/// Who becomes whose neighbour: that all nodes hang together, that crashes are mended, that near nodes find
/// each other, and how little a hostile node can make of it.
#include "membership_flood.h"

#include <QtTest>

using namespace starling;
using namespace starling::overlay;
using namespace starling::overlay::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kFleet = 200;

/// So many nodes, one after the other; all know the first one alone.
void join(MembershipNetwork& network, std::size_t count, Duration pause = 20ms)
{
    for (std::size_t i = 0; i < count; ++i) {
        network.add(i == 0 ? std::vector<Endpoint>() : std::vector{endpointOf(0)});
        network.run(pause);
    }
}

/// So many at once, none of them `kept`.
void crash(MembershipNetwork& network, std::size_t count, std::size_t kept)
{
    while (count > 0) {
        const std::size_t unlucky = network.random.below(network.nodes.size());
        if (unlucky == kept || !network.isUp(unlucky))
            continue;
        network.crash(unlucky);
        --count;
    }
}

std::size_t largestDegree(const MembershipNetwork& network)
{
    std::size_t most = 0;
    for (const auto& node : network.nodes)
        most = std::max(most, node.neighbors.size());
    return most;
}

std::size_t refused(const MembershipNetwork& network)
{
    std::size_t count = 0;
    for (const auto& node : network.nodes)
        count += node.refused;
    return count;
}

/// The nodes that `index` has as neighbours.
std::set<std::size_t> neighborsOf(const MembershipNetwork& network, std::size_t index)
{
    std::set<std::size_t> found;
    for (const NeighborId link : network.nodes[index].neighbors)
        found.insert(network.nodes[index].links.at(link).first);
    return found;
}

Duration lastOf(const MembershipNetwork& network, std::size_t origin)
{
    Duration last{};
    for (const auto& at : flood(network, origin))
        last = std::max(last, at.value_or(Duration{}));
    return last;
}

} // namespace

class TestMembership : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void twoNodesBecomeNeighbors()
    {
        MembershipNetwork network(1);
        join(network, 2);
        network.run(1s);
        QCOMPARE(neighborsOf(network, 0), std::set<std::size_t>{1});
        QCOMPARE(neighborsOf(network, 1), std::set<std::size_t>{0});
    }

    /// What payload keeps open, say: whoever is alone asks over it.
    void ofTwoLinksBothKeepTheSame_data()
    {
        QTest::addColumn<int>("milliseconds");
        for (const int milliseconds : {0, 5, 20, 60, 100, 200})
            QTest::addRow("%d ms later", milliseconds) << milliseconds;
    }
    /// Each asks over the link that came first there, and they are not the same.
    void ofTwoLinksBothKeepTheSame()
    {
        QFETCH(const int, milliseconds);
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            MembershipNetwork network(seed);
            network.isByTwoWays = true;
            network.add({});
            network.add({});
            network.give(0, Bootstrap{{endpointOf(1)}});
            network.run(std::chrono::milliseconds(milliseconds));
            network.give(1, Bootstrap{{endpointOf(0)}});
            network.run(2s);
            for (const auto& node : network.nodes)
                QCOMPARE(node.neighbors.size(), std::size_t(1));
            QCOMPARE(network.asymmetric(), std::size_t(0));
            network.run(2min);
            for (const auto& node : network.nodes) {
                QCOMPARE(node.links.size(), std::size_t(1));
                QCOMPARE(node.neighbors.size(), std::size_t(1));
            }
            QCOMPARE(network.asymmetric(), std::size_t(0));
        }
    }

    void aLinkWithoutAPurposeIsAskedOver()
    {
        ContactMediator mediator;
        SeededRandom random(1);
        Membership lonely(nodeId(0), {}, mediator, random);
        Instant now;
        std::vector<MembershipOutput> outputs = lonely.handle(OwnContact{contactOf(0)}, now);
        const auto take = [&](std::vector<MembershipOutput> more) {
            outputs.insert(outputs.end(), more.begin(), more.end());
        };
        take(lonely.handle(LinkUp{NeighborId{7}, nodeId(1), endpointOf(1), {}}, now));
        const auto isAsked = [&] {
            return std::any_of(outputs.begin(), outputs.end(), [](const MembershipOutput& output) {
                const auto* send = std::get_if<SendMessage>(&output);
                return send != nullptr && send->to == NeighborId{7};
            });
        };
        for (int i = 0; i < 100 && now < Instant(40s) && !isAsked(); ++i) {
            const auto timer = std::find_if(outputs.rbegin(), outputs.rend(), [](const auto& output) {
                return std::holds_alternative<ScheduleMembership>(output);
            });
            QVERIFY(timer != outputs.rend());
            const auto scheduled = std::get<ScheduleMembership>(*timer);
            now += scheduled.delay;
            take(lonely.handle(scheduled.timer, now));
        }
        QVERIFY(isAsked());
        QVERIFY(now >= Instant(30s)); // the other side may know what it wants
    }

    void waitsForABootstrapThatComesLater()
    {
        MembershipNetwork network(1);
        network.add({});
        network.crash(0);
        network.add({endpointOf(0)});
        network.run(60s);
        QVERIFY(network.nodes[1].neighbors.empty());
        network.start(0, {});
        network.run(35s);
        QCOMPARE(reachedFrom(network, 0), std::size_t(2));
    }

    /// Each knows the one before it: the small fleets of today.
    void aLineGrowsTogether()
    {
        MembershipNetwork network(3);
        for (std::size_t i = 0; i < 6; ++i)
            network.add(i == 0 ? std::vector<Endpoint>() : std::vector{endpointOf(i - 1)});
        network.run(120s); // who refused is asked again after 20 s, and 40 s after that
        for (std::size_t i = 0; i < 6; ++i)
            QCOMPARE(network.nodes[i].neighbors.size(), std::size_t(5));
    }

    void manyJoinsGiveOneFleet_data()
    {
        QTest::addColumn<int>("seed");
        for (int seed = 1; seed <= 5; ++seed)
            QTest::addRow("seed %d", seed) << seed;
    }
    void manyJoinsGiveOneFleet()
    {
        QFETCH(int, seed);
        MembershipNetwork network(static_cast<std::uint64_t>(seed));
        join(network, kFleet);
        network.run(30s);
        QCOMPARE(reachedFrom(network, 0), kFleet);
        QVERIFY(network.asymmetric() <= 4); // on their way
        QVERIFY(largestDegree(network) <= MembershipConfig().most + 1);
        network.run(60s);
        std::size_t total = 0;
        for (const auto& node : network.nodes)
            total += node.neighbors.size();
        QVERIFY(total >= kFleet * 5 - kFleet / 10);
        for (const auto& node : network.nodes) {
            QVERIFY(node.neighbors.size() >= 3);
            QVERIFY(node.membership->passive().all().size() <= MembershipConfig().passive);
            QVERIFY(node.shortestEviction >= MembershipConfig().eviction);
        }
        QCOMPARE(refused(network), std::size_t(0));
    }

    /// A handshake is 2 kB: nobody goes on looking for the last of its neighbours, or for nearer ones.
    void whoIsSettledOpensFewLinks()
    {
        MembershipNetwork network(1);
        join(network, kFleet);
        network.run(MembershipConfig().youth + 120s);
        const auto opened = [&] {
            std::size_t sum = 0;
            for (const auto& node : network.nodes)
                sum += node.opened;
            return sum;
        };
        const std::size_t before = opened();
        network.run(600s);
        QVERIFY2(opened() - before <= 3 * kFleet, std::to_string(opened() - before).c_str());
    }

    void theSameSeedGivesTheSameFleet()
    {
        std::set<std::vector<std::set<std::size_t>>> fleets;
        for (int i = 0; i < 2; ++i) {
            MembershipNetwork network(5);
            join(network, 50);
            network.run(60s);
            std::vector<std::set<std::size_t>> fleet;
            for (std::size_t node = 0; node < 50; ++node)
                fleet.push_back(neighborsOf(network, node));
            fleets.insert(fleet);
        }
        QCOMPARE(fleets.size(), std::size_t(1));
    }

    void nearNodesFindEachOther()
    {
        MembershipNetwork network(2);
        join(network, kFleet);
        network.run(15s);
        const Duration before = lastOf(network, 0);
        network.run(180s);
        Duration near{};
        std::size_t count = 0, random = 0;
        for (const auto& node : network.nodes)
            for (const auto& neighbor : node.membership->neighbors()) {
                random += neighbor.role == Membership::Neighbor::Role::Random ? 1 : 0;
                if (neighbor.role != Membership::Neighbor::Role::Near || !neighbor.roundTrip)
                    continue;
                near += *neighbor.roundTrip;
                ++count;
            }
        // 60 ms is the mean of all; and those into the distance stay.
        QVERIFY(near / count < 36ms);
        QVERIFY(random > kFleet * 7 / 10);
        QCOMPARE(reachedFrom(network, 0), kFleet);
        QVERIFY(lastOf(network, 0) * 10 < before * 8);
    }

    void aFleetSurvivesTheCrashOfFourFifths_data() { manyJoinsGiveOneFleet_data(); }
    void aFleetSurvivesTheCrashOfFourFifths()
    {
        QFETCH(int, seed);
        MembershipNetwork network(static_cast<std::uint64_t>(seed));
        join(network, kFleet);
        network.run(60s);
        crash(network, kFleet * 4 / 5, 1);
        network.run(30s);
        QCOMPARE(reachedFrom(network, 1), network.living());
        network.run(30s);
        QVERIFY(network.asymmetric() <= 1);
    }

    void aNodeThatRestartsFindsItsFleetAgain()
    {
        MembershipNetwork network(4);
        join(network, 30);
        network.run(30s);
        network.crash(7);
        network.run(20s);
        network.start(7, {endpointOf(0)});
        network.run(10s);
        QCOMPARE(reachedFrom(network, 7), std::size_t(30));
    }

    void twoHalvesGrowTogetherThroughTheirBootstrap()
    {
        MembershipConfig config;
        config.reunion = 60s;
        MembershipNetwork network(6);
        // Two fleets that do not know each other, as after a long partition.
        for (std::size_t i = 0; i < 40; ++i) {
            network.add(i < 2 ? std::vector<Endpoint>() : std::vector{endpointOf(i % 2)}, config);
            network.run(20ms);
        }
        network.run(60s);
        QCOMPARE(reachedFrom(network, 0), std::size_t(20));
        for (std::size_t i = 20; i < 40; ++i)
            network.give(i, Bootstrap{{endpointOf(0), endpointOf(1)}});
        network.run(400s);
        QCOMPARE(reachedFrom(network, 0), std::size_t(40));
    }

    void aNeighborThatMovedIsNoLongerWhereItWas()
    {
        MembershipConfig config;
        config.reunion = 60s;
        MembershipNetwork network(6);
        network.add({}, config);
        network.add({endpointOf(0)}, config);
        network.run(300s);
        QCOMPARE(network.nodes[1].opened, std::size_t(1)); // who is at its bootstrap is its neighbour
        network.give(1, LinkMoved{*network.nodes[1].neighbors.begin(), endpointOf(7)});
        network.give(1, LinkMoved{NeighborId{99}, endpointOf(7)}); // is none
        network.run(300s);
        QVERIFY(network.nodes[1].opened > 1);
        QCOMPARE(neighborsOf(network, 1), std::set<std::size_t>{0});
    }

    void tellsNeighborsWhereItIsReachedNow()
    {
        MembershipNetwork network(7);
        join(network, 10);
        network.run(30s);
        network.give(3, OwnContact{contactOf(3, 2)});
        network.run(1s);
        for (const std::size_t other : neighborsOf(network, 3)) {
            const auto known = network.nodes[other].membership->known();
            QVERIFY(std::find(known.begin(), known.end(), contactOf(3, 2)) != known.end());
        }
    }

    void aLinkThatOnlyOneSideTakesForANeighborHeals()
    {
        MembershipNetwork network(8);
        join(network, 3);
        network.run(10s);
        // The second one forgets, as if a message of its had been lost.
        const NeighborId link = *network.nodes[0].neighbors.begin();
        const auto [other, there] = network.nodes[0].links.at(link);
        network.give(other, MessageReceived{there, serialize(DisconnectMessage{})});
        network.give(other, StrangeMessage{there});
        network.run(60s);
        QCOMPARE(network.asymmetric(), std::size_t(0));
        QCOMPARE(reachedFrom(network, 0), std::size_t(3));
    }

    void aSilentNeighborIsReplacedBeforeItsLinkEnds()
    {
        MembershipNetwork network(9);
        join(network, 60);
        network.run(60s);
        const std::size_t victim = *neighborsOf(network, 0).begin();
        network.crash(victim);
        for (const NeighborId link : std::set(network.nodes[0].neighbors))
            if (network.nodes[0].links.at(link).first == victim)
                network.give(0, LinkSilence{link, true});
        network.run(5s);
        std::set<std::size_t> others = neighborsOf(network, 0);
        others.erase(victim);
        QVERIFY(others.size() >= 5);
        network.run(10s);
        QVERIFY(!neighborsOf(network, 0).contains(victim));
    }

    // --- Hostile nodes

    void forgedContactsEndALinkAndEnterNoView()
    {
        MembershipNetwork network(10);
        join(network, 20);
        network.run(30s);
        const std::size_t victim = *neighborsOf(network, 5).begin();
        const std::uint64_t before = network.nodes[victim].refused;
        ShuffleMessage poison;
        for (std::uint64_t i = 0; i < 3; ++i)
            poison.contacts.push_back(contactOf(1'000 + i, 1, Seal::Forged));
        network.say(5, victim, poison);
        network.run(1s);
        QCOMPARE(network.nodes[victim].refused - before, std::uint64_t(3));
        QVERIFY(!neighborsOf(network, victim).contains(5));
        for (const auto& candidate : network.nodes[victim].membership->passive().all())
            QVERIFY(candidate.node != nodeId(1'000) && candidate.node != nodeId(5));
        // It stays away for a while.
        network.run(120s);
        QVERIFY(!neighborsOf(network, victim).contains(5));
    }

    void contactsOfUnknownDevicesAreNoOffence()
    {
        MembershipNetwork network(11);
        join(network, 20);
        network.run(30s);
        const std::size_t other = *neighborsOf(network, 5).begin();
        const std::vector<Contact> unknown(kMaxContacts, contactOf(1'000, 1, Seal::NotAdmitted));
        network.say(5, other, ShuffleMessage{unknown});
        network.run(1s);
        QVERIFY(neighborsOf(network, other).contains(5));
        QCOMPARE(network.nodes[other].refused, std::uint64_t(0));
    }

    void aNodeCannotAskInAnothersName()
    {
        MembershipNetwork network(12);
        join(network, 2);
        network.run(1s);
        network.say(1, 0, AskMessage{Urgency::High, contactOf(77)});
        network.run(1s);
        QCOMPARE(network.nodes[0].refused, std::uint64_t(1));
    }

    void aShuffleThatNobodyAskedForIsNotAnswered()
    {
        MembershipNetwork network(13);
        join(network, 10);
        network.run(40s);
        const std::size_t other = *neighborsOf(network, 5).begin();
        network.run(20s);
        const auto examined = network.mediator.examined;
        network.say(5, other, ShuffleReplyMessage{{contactOf(500), contactOf(501)}});
        network.say(5, other, AnswerMessage{true, {contactOf(502)}});
        network.run(100ms);
        QVERIFY(network.mediator.examined - examined <= 16); // others' business alone
        for (const auto& candidate : network.nodes[other].membership->passive().all())
            QVERIFY(candidate.node != nodeId(500) && candidate.node != nodeId(502));
    }

    /// A hundred admitted devices do nothing but ask one node to be its neighbours, urgently.
    void devicesWhoseCertificatesAreOverTakeNoPlace()
    {
        MembershipNetwork network(14);
        join(network, 20);
        network.run(60s);
        const auto before = neighborsOf(network, 0);
        std::vector<NeighborId> links;
        for (std::uint64_t i = 0; i < 8; ++i) {
            const NeighborId link{1'000'000 + i};
            network.nodes.emplace_back(); // one that speaks, and does not listen
            network.nodes[0].links[link] = {network.nodes.size() - 1, link};
            network.give(0, LinkUp{link, nodeId(60 + i), endpointOf(60 + i), Duration(50ms), true});
            network.give(0, MessageReceived{link, serialize(JoinMessage{contactOf(60 + i)})});
            links.push_back(link);
        }
        const auto taken =
            static_cast<std::size_t>(std::count_if(links.begin(), links.end(), [&](NeighborId l) {
                return network.nodes[0].membership->isNeighbor(l);
            }));
        QCOMPARE(taken, MembershipConfig().restricted);
        QVERIFY(network.nodes[0].membership->isNeighbor(links.front()));
        network.run(5min);
        for (const Membership::Neighbor& neighbor : network.nodes[0].membership->neighbors())
            for (std::uint64_t i = 0; i < 8; ++i)
                QVERIFY(neighbor.node != nodeId(60 + i));
        QVERIFY(network.nodes[0].membership->isNeighbor(links.front()));
        QVERIFY(network.nodes[0].membership->neighbors().size() >= std::min(before.size(), std::size_t(5)));
        // The same device at another address: one link is enough.
        const NeighborId again{2'000'000};
        network.nodes[0].links[again] = {network.nodes.size() - 1, again};
        network.give(0, LinkUp{again, nodeId(60), endpointOf(99), Duration(50ms), true});
        QVERIFY(!network.nodes[0].membership->isNeighbor(again)); // it has not asked yet
        network.give(0, MessageReceived{again, serialize(JoinMessage{contactOf(60)})});
        QVERIFY(network.nodes[0].membership->isNeighbor(again));
        QVERIFY(!network.nodes[0].membership->isNeighbor(links.front()));
        // It leaves, and there is room for another.
        network.give(0, LinkDown{again});
        const NeighborId other{2'000'001};
        network.nodes[0].links[other] = {network.nodes.size() - 1, other};
        network.give(0, LinkUp{other, nodeId(80), endpointOf(80), Duration(50ms), true});
        network.give(0, MessageReceived{other, serialize(AskMessage{Urgency::Random, contactOf(80)})});
        QVERIFY(network.nodes[0].membership->isNeighbor(other));
    }

    void aFloodOfJoinsTakesOnlyAPartOfANode()
    {
        MembershipNetwork network(14);
        join(network, 60);
        network.run(60s);
        const auto before = neighborsOf(network, 0);
        QVERIFY(before.size() >= 5);
        const std::uint64_t evictions = network.nodes[0].evictions;
        std::vector<NeighborId> links;
        for (std::uint64_t i = 0; i < 100; ++i) {
            const NeighborId link{1'000'000 + i};
            network.nodes.emplace_back(); // one that speaks, and does not listen
            network.nodes[0].links[link] = {network.nodes.size() - 1, link};
            network.give(0, LinkUp{link, nodeId(60 + i), endpointOf(60 + i), Duration(50ms)});
            links.push_back(link);
        }
        for (int second = 0; second < 60; ++second) {
            for (std::uint64_t i = 0; i < 100; ++i)
                network.give(0, MessageReceived{links[i], serialize(JoinMessage{contactOf(60 + i)})});
            network.run(1s);
        }
        QVERIFY(network.nodes[0].evictions - evictions <= 7);
        QVERIFY(network.nodes[0].neighbors.size() <= MembershipConfig().most + 1);
        std::size_t honest = 0;
        for (const std::size_t neighbor : neighborsOf(network, 0))
            honest += neighbor < 60 ? 1 : 0;
        QVERIFY(honest >= 2); // those of its own choice
        QCOMPARE(reachedFrom(network, 0), std::size_t(60));
    }

    void aFloodOfWalksIsNotPassedOn()
    {
        MembershipNetwork network(15);
        join(network, 20);
        network.run(60s);
        const std::size_t victim = *neighborsOf(network, 5).begin();
        const std::uint64_t sent = network.nodes[victim].sent;
        for (std::uint64_t i = 0; i < 500; ++i)
            network.say(5, victim, ForwardJoinMessage{kMaxTimeToLive, contactOf(1'000 + i)});
        network.run(1s);
        QVERIFY(network.nodes[victim].sent - sent < 60);
    }
};

QTEST_APPLESS_MAIN(TestMembership)
#include "tst_membership.moc"
