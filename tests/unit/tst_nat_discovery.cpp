// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"
#include "nat/discovery.h"
#include "nat_world.h"

#include <QtTest>

using namespace starling;
using namespace starling::nat;
using namespace starling::nat::test;
using namespace std::chrono_literals;

namespace {

const Endpoint kFirst = Endpoint::ipv4(198, 51, 100, 1, 3478);
const Endpoint kFirstOther = Endpoint::ipv4(198, 51, 100, 2, 3479);
const Endpoint kSecond = Endpoint::ipv4(198, 51, 100, 7, 3478);
const Endpoint kThird = Endpoint::ipv4(198, 51, 100, 8, 3478);
const Endpoint kElsewhere = Endpoint::ipv4(192, 0, 2, 66, 666);

class Fixture : public World<Discovery, BehaviourFound>
{
public:
    /// What is found by asking these servers.
    NatBehaviour ask(std::vector<Endpoint> servers)
    {
        Discovery::Config config;
        config.servers = std::move(servers);
        config.locals = {kInside};
        Discovery discovery(config, m_random);
        const Instant start = now;
        const auto found = run(discovery);
        STARLING_ASSERT(found && discovery.isDone());
        took = now - start;
        return found->behaviour;
    }
    Duration took{};

private:
    SeededRandom m_random{1};
};

struct Case
{
    Mapping mapping;
    Filtering filtering;
    Prospect prospect;
};

const std::vector<Case> kCases{
    {Mapping::None, Filtering::EndpointIndependent, Prospect::Open},
    {Mapping::None, Filtering::AddressDependent, Prospect::Firewalled},
    {Mapping::None, Filtering::AddressAndPortDependent, Prospect::Firewalled},
    {Mapping::EndpointIndependent, Filtering::EndpointIndependent, Prospect::Reachable},
    {Mapping::EndpointIndependent, Filtering::AddressDependent, Prospect::Punched},
    {Mapping::EndpointIndependent, Filtering::AddressAndPortDependent, Prospect::Punched},
    {Mapping::AddressDependent, Filtering::AddressDependent, Prospect::Relayed},
    {Mapping::AddressAndPortDependent, Filtering::AddressAndPortDependent, Prospect::Relayed},
};

} // namespace

class TestNatDiscovery : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void findsEveryBehaviourByOneServerWithTwoAddresses()
    {
        for (const Case& expected : kCases) {
            Fixture world;
            world.nat.mapping = expected.mapping;
            world.nat.filtering = expected.filtering;
            world.nat.step = 0;
            world.addServer(kFirst, kFirstOther);
            const NatBehaviour found = world.ask({kFirst});
            QVERIFY(found.mapping == expected.mapping);
            QVERIFY(found.filtering == expected.filtering);
            QVERIFY(prospectOf(found) == expected.prospect);
            QVERIFY(found.mapped);
            QCOMPARE(found.answered, std::vector<Endpoint>{kFirst});
            QVERIFY(world.took < 4s);
        }
    }

    void comparesServersThatHaveOneAddress()
    {
        for (const Case& expected : kCases) {
            Fixture world;
            world.nat.mapping = expected.mapping;
            world.nat.filtering = expected.filtering;
            world.addServer(kFirst);
            world.addServer(kSecond);
            const NatBehaviour found = world.ask({kFirst, kSecond});
            const bool isDependent = expected.mapping == Mapping::AddressDependent
                || expected.mapping == Mapping::AddressAndPortDependent;
            QVERIFY(found.mapping == (isDependent ? Mapping::Dependent : expected.mapping));
            QVERIFY(found.filtering == Filtering::Unknown);
            QVERIFY(found.outvoted.empty());
            QVERIFY(world.took < 100ms);
        }
    }

    void seesWhoCountsItsPortsUp()
    {
        for (const Mapping mapping : {Mapping::AddressDependent, Mapping::AddressAndPortDependent})
            for (const std::uint16_t step : {std::uint16_t(0), std::uint16_t(1), std::uint16_t(2)}) {
                Fixture world;
                world.nat.mapping = mapping;
                world.nat.step = step;
                world.addServer(kFirst, kFirstOther);
                world.addServer(kSecond);
                world.addServer(kThird);
                const NatBehaviour found = world.ask({kFirst, kSecond, kThird});
                QVERIFY(prospectOf(found) == (step == 0 ? Prospect::Relayed : Prospect::Predicted));
                QCOMPARE(found.forecast.has_value(), step != 0);
                if (!found.forecast)
                    continue;
                QCOMPARE(found.forecast->step, step);
                // What the NAT gives next is one step further.
                const auto next = world.nat.outward(kInside, Endpoint::ipv4(192, 0, 2, 200, 1), world.now);
                QCOMPARE(toString(*next),
                         toString(at(kOutside, std::uint16_t(found.forecast->last.port + step))));
            }
        Fixture keeping;
        keeping.addServer(kFirst, kFirstOther);
        QVERIFY(!keeping.ask({kFirst}).forecast);
    }

    void tellsWhetherThePortIsKept()
    {
        for (const bool keepsPort : {false, true}) {
            Fixture world;
            world.nat.keepsPort = keepsPort;
            world.addServer(kFirst, kFirstOther);
            const NatBehaviour found = world.ask({kFirst});
            QCOMPARE(found.keepsPort, keepsPort);
            QVERIFY(found.mapped->address == kOutside.address);
        }
    }

    void saysThatOneAddressOfOneServerTellsNothing()
    {
        Fixture world;
        world.addServer(kFirst);
        const NatBehaviour found = world.ask({kFirst, kSecond}); // nobody is there
        QVERIFY(found.mapping == Mapping::Unknown);
        QVERIFY(prospectOf(found) == Prospect::Undecided);
        QCOMPARE(found.answered, std::vector<Endpoint>{kFirst});
    }

    void saysThatNothingGetsOut()
    {
        Fixture world;
        world.losesAll = true;
        world.addServer(kFirst, kFirstOther);
        const NatBehaviour found = world.ask({kFirst});
        QVERIFY(!found.mapped && found.answered.empty());
        QVERIFY(prospectOf(found) == Prospect::Blocked);
        QCOMPARE(world.sent, 4u);
        QVERIFY(world.took == 7'500ms);
    }

    void believesTwoServersMoreThanOneThatLies()
    {
        for (const Endpoint& liar : {kFirst, kSecond, kThird}) {
            Fixture world;
            for (const Endpoint& server : {kFirst, kSecond, kThird})
                world.addServer(server);
            world.liars = {liar};
            world.lie = [](StunMessage& answer) { answer.xorMapped = kElsewhere; };
            const NatBehaviour found = world.ask({kFirst, kSecond, kThird});
            QVERIFY(found.mapping == Mapping::EndpointIndependent);
            QVERIFY(found.mapped->address == kOutside.address);
            QCOMPARE(found.outvoted, std::vector<Endpoint>{liar});
        }
    }

    void doesNotLetALiarTellOfTheFilter()
    {
        Fixture world;
        world.addServer(kFirst, kFirstOther);
        world.addServer(kSecond);
        world.addServer(kThird);
        world.liars = {kFirst};
        world.lie = [](StunMessage& answer) { answer.xorMapped = kElsewhere; };
        const NatBehaviour found = world.ask({kFirst, kSecond, kThird});
        QVERIFY(found.filtering == Filtering::Unknown);
        QCOMPARE(world.sent, 3u);
    }

    void usesOnlySecondAddressesThatAreSome()
    {
        for (const Endpoint& other :
             {at(kFirst, 3479), at(kFirstOther, 3478), at(kFirstOther, 0), Endpoint{{0x20, 1}, 3479},
              Endpoint::ipv4(127, 0, 0, 1, 3479), Endpoint::ipv4(239, 0, 0, 1, 3479)}) {
            Fixture world;
            world.addServer(kFirst, kFirstOther);
            world.liars = {kFirst};
            world.lie = [&](StunMessage& answer) { answer.other = other; };
            const NatBehaviour found = world.ask({kFirst});
            QVERIFY(found.filtering == Filtering::Unknown);
            QCOMPARE(world.sent, 1u);
        }
    }

    void doesNotTakeARefusalForAFilter()
    {
        Fixture world;
        world.addServer(kFirst);
        world.addServer(kSecond);
        world.liars = {kFirst};
        // It names a second address, and refuses CHANGE-REQUEST all the same.
        world.lie = [](StunMessage& answer) {
            if (answer.kind == StunClass::Success)
                answer.other = kFirstOther;
        };
        const NatBehaviour found = world.ask({kFirst, kSecond});
        QVERIFY(found.filtering == Filtering::Unknown);
        QVERIFY(found.mapping == Mapping::EndpointIndependent); // by comparison
    }

    void takesTheAddressOfOldServers()
    {
        Fixture world;
        world.addServer(kFirst);
        world.liars = {kFirst};
        world.lie = [](StunMessage& answer) { answer.mapped = std::exchange(answer.xorMapped, {}); };
        QVERIFY(world.ask({kFirst}).mapped->address == kOutside.address);
    }

    void asksNobodyIfThereIsNobody()
    {
        SeededRandom random{1};
        Discovery discovery({}, random);
        const auto outputs = discovery.start();
        QCOMPARE(outputs.size(), std::size_t(1));
        QVERIFY(std::holds_alternative<BehaviourFound>(outputs[0]));
    }

    void asksOnlySoManyServers()
    {
        SeededRandom random{1};
        Discovery::Config config;
        for (std::uint16_t i = 0; i < 20; ++i)
            config.servers.push_back(at(kFirst, std::uint16_t(3'000 + i)));
        Discovery discovery(config, random);
        QCOMPARE(discovery.start().size(), 2 * Discovery::kMaxServers);
    }

    void hasASentenceForEveryProspect()
    {
        for (int i = 0; i <= static_cast<int>(Prospect::Blocked); ++i) {
            const auto prospect = static_cast<Prospect>(i);
            QVERIFY(!nameOf(prospect).empty());
            QVERIFY(meaningOf(prospect).ends_with('.'));
            QCOMPARE(adviceOn(prospect).empty(),
                     prospect == Prospect::Open || prospect == Prospect::Reachable);
        }
    }
};

QTEST_APPLESS_MAIN(TestNatDiscovery)
#include "tst_nat_discovery.moc"
