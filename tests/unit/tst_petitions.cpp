// SPDX-License-Identifier: Apache-2.0
/// Devices that want to join, on their way to an observer and their certificates on the way back, through
/// networks of real overlays.
#include "overlay/petitions.h"
#include "overlay_network.h"

#include <QtTest>

using namespace starling;
using namespace starling::overlay;
using namespace starling::overlay::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kObserver = 0;
const NodeId kDevice = nodeId(900);

Bytes requestOf(const NodeId& device, Seal seal = Seal::Genuine)
{
    return descriptorOf(device, 1, seal);
}

Bytes certificateOf(const NodeId& device, Seal seal = Seal::Genuine)
{
    return descriptorOf(device, 2, seal);
}

/// Nodes that are linked as `links` says; the first one observes, and has pulsed.
struct Fleet : Network
{
    Fleet(std::size_t count, const std::vector<std::pair<std::size_t, std::size_t>>& links)
        : Network(count)
    {
        for (auto& node : nodes)
            node->mediator.observers = {nodes[kObserver]->id};
        for (const auto& [a, b] : links)
            connect(a, b);
        pulse();
    }
    void pulse()
    {
        input(kObserver, Observe{pulseOf(nodes[kObserver]->id, ++m_pulse)});
        run(1s);
    }
    /// As JoinOffice does when `device` asks at `gate`.
    void ask(std::size_t gate, const NodeId& device = kDevice)
    {
        input(gate, Petition{device, requestOf(device)});
        run(1s);
    }
    void grant(const NodeId& device = kDevice)
    {
        input(kObserver, Grant{device, certificateOf(device)});
        run(1s);
    }
    std::vector<Waiting> waiting() { return nodes[kObserver]->overlay->waiting(now); }
    bool isWaiting(const NodeId& device)
    {
        const auto all = waiting();
        return std::ranges::any_of(all, [&](const Waiting& each) { return each.device == device; });
    }
    NeighborId linkTo(std::size_t from, std::size_t to)
    {
        for (const auto& [link, other] : nodes[from]->links)
            if (other == to)
                return link;
        return {};
    }
    PetitionMessage petition(const NodeId& device, Seal seal = Seal::Genuine)
    {
        return {nodes[kObserver]->id, nodeId(800), requestOf(device, seal)};
    }

private:
    std::uint64_t m_pulse = 0;
};

/// The observer, two in between, and a gate.
struct Line : Fleet
{
    Line()
        : Fleet(4, {{0, 1}, {1, 2}, {2, 3}})
    {
    }
};

} // namespace

class TestPetitions : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aPetitionReachesTheObserverAndTheCertificateComesBack()
    {
        Line line;
        line.ask(3);
        const auto waiting = line.waiting();
        QCOMPARE(waiting.size(), std::size_t{1});
        QVERIFY(waiting[0].device == kDevice && waiting[0].gate == line[3].id);
        QVERIFY(waiting[0].request == requestOf(kDevice));
        QVERIFY(line[1].overlay->waiting(line.now).empty());
        line.grant();
        QCOMPARE(line[3].grants.size(), std::size_t{1});
        QVERIFY(line[3].grants[0].device == kDevice
                && line[3].grants[0].certificate == certificateOf(kDevice));
        QVERIFY(line.waiting().empty());
        for (std::size_t i = 0; i < line.size(); ++i) {
            QCOMPARE(line[i].overlay->petitionsHeld(), std::size_t{0});
            QVERIFY(line[i].refused.empty());
        }
        QVERIFY(line[0].grants.empty() && line[1].grants.empty() && line[2].grants.empty());
    }

    // --- Certificates that end

    void anExpiredDeviceGetsANewCertificateOverItsRestrictedLink()
    {
        Network network(2);
        network.connect(0, 1, true);
        const NodeId device = network[1].id;
        network.input(1, Renew{requestOf(device)});
        network.run(1s);
        QCOMPARE(network[0].renewalsAsked.size(), std::size_t{1});
        QVERIFY(network[0].renewalsAsked[0].device == device
                && network[0].renewalsAsked[0].request == requestOf(device));
        network.input(0, Renewed{kDevice, certificateOf(kDevice)}); // no neighbour
        network.input(0, Renewed{device, certificateOf(device)});
        network.run(1s);
        QCOMPARE(network[1].renewals.size(), std::size_t{1});
        QVERIFY(network[1].renewals[0].certificate == certificateOf(device));
        QVERIFY(network[0].refused.empty() && network[1].refused.empty());
    }

    void eachTimeAnotherNeighbourIsAskedAndNoneTooOften()
    {
        Network network(4);
        for (std::size_t i = 1; i < 4; ++i)
            network.connect(0, i);
        for (int i = 0; i < 30; ++i) {
            network.input(0, Renew{requestOf(network[0].id)});
            network.run(1s);
        }
        for (std::size_t i = 1; i < 4; ++i)
            QCOMPARE(network[i].renewalsAsked.size(), std::size_t{2}); // 30 s at one in 20
        QVERIFY(network[1].petitions.empty());
    }

    void asksForNobodyElseAndTakesNothingUnasked()
    {
        Network network(2);
        const NeighborId at0 = network.connect(0, 1);
        const NeighborId at1{static_cast<std::uint64_t>(at0) + 1};
        network.inject(0, at0, PetitionMessage{{}, network[1].id, requestOf(kDevice)});
        QCOMPARE(network[0].refused.size(), std::size_t{1});
        network.run(30s);
        network.inject(0, at0, PetitionMessage{{}, network[1].id, requestOf(network[1].id, Seal::Forged)});
        QCOMPARE(network[0].refused.size(), std::size_t{2});
        network.run(30s);
        network.inject(0, at0, PetitionMessage{{}, network[1].id, requestOf(network[1].id, Seal::Denied)});
        QCOMPARE(network[0].refused.size(), std::size_t{2});
        QVERIFY(network[0].renewalsAsked.empty());
        network.inject(1, at1, GrantMessage{{}, network[1].id, certificateOf(network[1].id)});
        QVERIFY(network[1].renewals.empty());
        network.input(1, Renew{requestOf(network[1].id)});
        network.inject(1, at1, GrantMessage{{}, network[1].id, certificateOf(kDevice)});
        network.inject(1, at1, GrantMessage{{}, network[1].id, certificateOf(network[1].id, Seal::Forged)});
        QVERIFY(network[1].renewals.empty());
        QCOMPARE(network[1].refused.size(), std::size_t{2});
    }

    void anObserverThatIsAGateTellsOnlyOthers()
    {
        Line line;
        line.ask(0);
        QVERIFY(line.waiting().empty());
        QCOMPARE(line.sent(kIndexOf<PetitionMessage>), std::uint64_t{0});
    }

    void aDeviceThatGoesOnAskingIsPassedOnNowAndThen()
    {
        Line line;
        const Instant begin = line.now;
        for (int i = 0; i < 24; ++i) {
            line.ask(3);
            line.run(49s);
            QCOMPARE(line.waiting().size(), std::size_t{1});
        }
        QVERIFY(line.waiting()[0].since < begin + 1s);
        // Every third time, for it asks every 50 s; each of the three hops does as the gate does.
        QCOMPARE(line.sent(kIndexOf<PetitionMessage>), std::uint64_t{24 / 3 * 3});
        // What was verified once is known by its hash.
        QCOMPARE(line[1].mediator.requestsExamined, std::uint64_t{1});
        line.run(10min);
        QVERIFY(line.waiting().empty());
    }

    void aPetitionThatCameBeforeThePulseGoesWithTheNextQuestion()
    {
        Network network(2);
        for (auto& node : network.nodes)
            node->mediator.observers = {network[0].id};
        network.connect(0, 1);
        network.input(1, Petition{kDevice, requestOf(kDevice)});
        network.input(0, Observe{pulseOf(network[0].id, 1)});
        network.run(1s);
        QVERIFY(network[0].overlay->waiting(network.now).empty());
        network.input(1, Petition{kDevice, requestOf(kDevice)});
        network.run(1s);
        QCOMPARE(network[0].overlay->waiting(network.now).size(), std::size_t{1});
    }

    void aNeighborThatWasLostComesBack()
    {
        Line line;
        line.ask(3);
        line.disconnect(1, 2);
        QVERIFY(line.isWaiting(kDevice)); // who looks at the observer goes on seeing it
        line.grant();
        QVERIFY(line[3].grants.empty());
        line.connect(1, 2);
        line.pulse();
        // The device asks again, and the observer's owner grants again what it has granted.
        const auto told = line[0].petitions.size();
        line.run(2min);
        line.ask(3);
        QCOMPARE(line[0].petitions.size(), told + 1);
        line.grant();
        QCOMPARE(line[3].grants.size(), std::size_t{1});
    }

    void anotherParentIsToldAtOnce()
    {
        Fleet diamond(4, {{0, 1}, {0, 2}, {1, 3}, {2, 3}});
        diamond.ask(3);
        const std::size_t parent = diamond[3].links.at(*diamond[3].overlay->parent(diamond[0].id));
        diamond.disconnect(3, parent);
        diamond.ask(3); // long before the pace would let it
        diamond.grant();
        QCOMPARE(diamond[3].grants.size(), std::size_t{1});
    }

    void aTreeThatTurnsRoundIsFollowed()
    {
        Fleet fleet(4, {{0, 1}, {1, 2}, {1, 3}});
        fleet.ask(2);
        QVERIFY(fleet.isWaiting(kDevice));
        // What was the middle's child is its parent now, and the device asks at another gate.
        fleet.disconnect(0, 1);
        fleet.connect(0, 2);
        fleet.pulse();
        fleet.ask(3);
        fleet.grant();
        QCOMPARE(fleet[3].grants.size(), std::size_t{1});
    }

    void everyObserverIsTold()
    {
        Line line;
        for (auto& node : line.nodes)
            node->mediator.observers.insert(line[2].id);
        line.input(2, Observe{pulseOf(line[2].id, 1)});
        line.run(1s);
        line.ask(3);
        QVERIFY(line.isWaiting(kDevice));
        QCOMPARE(line[2].overlay->waiting(line.now).size(), std::size_t{1});
        // Admitted by one, it is told to nobody any more.
        line.grant();
        QCOMPARE(line[3].overlay->petitionsHeld(), std::size_t{0});
        line.run(10min);
        QVERIFY(line[2].overlay->waiting(line.now).empty());
    }

    void aForgedRequestGoesNoFurther()
    {
        Line line;
        const NeighborId link = line.linkTo(2, 3);
        line.inject(2, link, line.petition(kDevice, Seal::Forged));
        line.run(1s);
        QCOMPARE(line[2].refused.size(), std::size_t{1});
        QVERIFY(line[2].refused[0].from == link && line[2].refused[0].error.code == Errc::BadSignature);
        QCOMPARE(line.sent(kIndexOf<PetitionMessage>), std::uint64_t{0});
        QCOMPARE(line[2].overlay->petitionsHeld(), std::size_t{0});
        // That a device is denied may not be known to the other one yet.
        line.inject(2, link, line.petition(kDevice, Seal::Denied));
        QCOMPARE(line[2].refused.size(), std::size_t{1});
        QCOMPARE(line.sent(kIndexOf<PetitionMessage>), std::uint64_t{0});
    }

    void aForgedCertificateGoesNoFurther()
    {
        Line line;
        line.ask(3);
        const NeighborId parent = line.linkTo(2, 1);
        const auto grant = [&](const NodeId& named, const Bytes& certificate) {
            return GrantMessage{line[0].id, named, certificate};
        };
        line.inject(2, parent, grant(kDevice, certificateOf(kDevice, Seal::Forged)));
        line.inject(2, parent, grant(kDevice, certificateOf(nodeId(901))));
        QCOMPARE(line[2].refused.size(), std::size_t{2});
        // Nobody asked for this one; and it comes from where no petition went.
        line.inject(2, parent, grant(nodeId(901), certificateOf(nodeId(901))));
        line.inject(2, line.linkTo(2, 3), grant(kDevice, certificateOf(kDevice)));
        line.run(1s);
        QCOMPARE(line[2].refused.size(), std::size_t{2});
        QCOMPARE(line.sent(kIndexOf<GrantMessage>), std::uint64_t{0});
        line.grant(); // the way is as it was
        QCOMPARE(line[3].grants.size(), std::size_t{1});
    }

    void aNeighborThatRepeatsAnothersPetitionTakesNoCertificateAway()
    {
        // 4 is linked to the middle, has seen the petition, and says that the device waits there.
        Fleet fleet(5, {{0, 1}, {1, 2}, {2, 3}, {2, 4}});
        fleet.ask(3);
        fleet.inject(2, fleet.linkTo(2, 4), fleet.petition(kDevice));
        fleet.ask(3);
        QVERIFY(fleet.waiting()[0].gate == fleet[3].id);
        fleet.grant();
        QCOMPARE(fleet[3].grants.size(), std::size_t{1});
    }

    void whatComesRoundEnds()
    {
        Fleet ring(5, {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 1}});
        ring.ask(3);
        const auto sent = ring.sent(kIndexOf<PetitionMessage>);
        // Every node's neighbours, wherever they are, bring it again and again.
        for (int i = 0; i < 50; ++i) {
            for (std::size_t node = 1; node < ring.size(); ++node)
                for (const auto& [link, other] : ring[node].links)
                    ring.inject(node, link, PetitionMessage{ring[0].id, ring[3].id, requestOf(kDevice)});
            ring.run(1s);
        }
        QVERIFY2(ring.sent(kIndexOf<PetitionMessage>) <= sent + 4,
                 qPrintable(QString::number(ring.sent(kIndexOf<PetitionMessage>) - sent)));
    }

    void aFloodOfOneNeighborDisplacesNobody()
    {
        // 2 floods the middle with devices that it makes; 3 is an honest gate.
        Fleet fleet(4, {{0, 1}, {1, 2}, {1, 3}});
        const NeighborId hostile = fleet.linkTo(1, 2);
        const auto flood = [&] {
            for (std::uint64_t i = 0; i < 2'000; ++i)
                fleet.inject(1, hostile, fleet.petition(nodeId(10'000 + i)));
        };
        flood();
        fleet.run(1s);
        QCOMPARE(fleet[1].overlay->petitionsHeld(), Petitions::kMaxHeld);
        QCOMPARE(fleet.sent(kIndexOf<PetitionMessage>), std::uint64_t{Petitions::kMaxHeld});
        // No more was verified than the burst lets.
        QVERIFY(fleet[1].mediator.requestsExamined <= 2 * Petitions::kMaxHeld);
        for (int i = 0; i < 12; ++i) {
            fleet.ask(3);
            flood();
            fleet.run(49s);
            QVERIFY(fleet[1].overlay->petitionsHeld() <= Petitions::kMaxHeld);
        }
        QVERIFY(fleet.isWaiting(kDevice));
        QVERIFY(fleet[0].overlay->waiting(fleet.now).size() <= Petitions::kMaxHeld);
        fleet.grant();
        QCOMPARE(fleet[3].grants.size(), std::size_t{1});
        // When it is gone, others have all the room.
        fleet.disconnect(1, 2);
        for (int round = 0; round < 8; ++round) {
            for (std::uint64_t i = 0; i < 100; ++i)
                fleet.input(3, Petition{nodeId(20'000 + i), requestOf(nodeId(20'000 + i))});
            fleet.run(50s);
        }
        for (std::uint64_t i = 0; i < 100; ++i)
            QVERIFY(fleet.isWaiting(nodeId(20'000 + i)));
    }

    void nothingIsHeldForAnObserverWhoseSubscriptionIsOver()
    {
        Line line;
        line.ask(3);
        for (auto& node : line.nodes)
            node->mediator.observers.clear();
        line.input(3, Report{1, receiptOf(line[3].id, 1)}); // the collection looks at its observers
        line.run(5min);
        line.ask(3);
        QCOMPARE(line[3].overlay->petitionsHeld(), std::size_t{0});
    }

    void messagesSurviveTheirBytes()
    {
        const std::vector<Message> messages{
            PetitionMessage{nodeId(1), nodeId(2), requestOf(kDevice)},
            GrantMessage{nodeId(1), kDevice, certificateOf(kDevice)},
        };
        for (const Message& message : messages) {
            const Bytes bytes = serialize(message);
            const auto again = parse(bytes);
            QVERIFY(again && again->index() == message.index() && serialize(*again) == bytes);
            for (std::size_t size = 0; size < bytes.size(); ++size)
                QVERIFY(!parse(ByteView(bytes).first(size)).has_value());
            // Longer than any request or certificate, or empty: before anything is verified.
            Bytes wrong(bytes.begin(), bytes.begin() + 2 + 32 + 32);
            append(wrong, Bytes{std::byte{0}, std::byte{0}, std::byte{4}, std::byte{1}}); // 1,025
            wrong.resize(wrong.size() + 1'025);
            QVERIFY(parse(wrong).error().code == Errc::Truncated);
            Bytes empty(bytes.begin(), bytes.begin() + 2 + 32 + 32);
            empty.resize(empty.size() + 4);
            QVERIFY(parse(empty).error().code == Errc::Malformed);
        }
    }

    void aMessageOfALaterVersionIsNoOffence()
    {
        Line line;
        Bytes unknown = serialize(line.petition(kDevice));
        unknown[1] = std::byte{99};
        line.input(2, MessageReceived{line.linkTo(2, 3), unknown});
        QVERIFY(line[2].refused.empty());
    }
};

QTEST_APPLESS_MAIN(TestPetitions)
#include "tst_petitions.moc"
