// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"
#include "nat/lifetime_probe.h"
#include "nat_world.h"

#include <QtTest>

using namespace starling;
using namespace starling::nat;
using namespace starling::nat::test;
using namespace std::chrono_literals;

namespace {

const Endpoint kServer = Endpoint::ipv4(198, 51, 100, 1, 3478);

class Fixture : public World<LifetimeProbe, LifetimeFound>
{
public:
    Fixture() { addServer(kServer); }
    Result<BindingLifetime> measure()
    {
        LifetimeProbe::Config config;
        config.server = kServer;
        LifetimeProbe probe(config, m_random);
        const auto found = run(probe);
        STARLING_ASSERT(found);
        return found->lifetime;
    }

private:
    SeededRandom m_random{1};
};

} // namespace

class TestLifetimeProbe : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void enclosesTheLifetimeOfABinding()
    {
        for (const Duration lifetime : {6s, 10s, 15s, 20s, 30s, 60s, 61s, 120s, 179s})
            for (const bool keepsPort : {false, true}) {
                Fixture world;
                world.nat.lifetime = lifetime;
                world.nat.keepsPort = keepsPort;
                const auto found = world.measure();
                QVERIFY(found);
                QVERIFY(found->held <= lifetime);
                QVERIFY(found->lost && *found->lost > lifetime);
                QVERIFY(*found->lost - found->held <= 10s);
                const auto every = keepaliveFor(*found);
                QVERIFY(every && *every >= kShortestKeepalive);
                QVERIFY(*every * 9 / 8 <= lifetime);
                QVERIFY(world.now - Instant{1h} < 16min);
            }
    }

    void saysThatTheBindingHeldAsLongAsWasTried()
    {
        Fixture world;
        const auto found = world.measure();
        QVERIFY(found);
        QVERIFY(*found == (BindingLifetime{3min, {}}));
        QVERIFY(!keepaliveFor(*found));
        QVERIFY(world.now - Instant{1h} < 3min + 1s);
    }

    void worksWhereEachDestinationHasItsOwnPort()
    {
        Fixture world;
        world.nat.mapping = Mapping::AddressAndPortDependent;
        world.nat.lifetime = 30s;
        const auto found = world.measure();
        QVERIFY(found);
        QVERIFY(found->held <= 30s && found->held >= 20s);
    }

    void saysThatTheServerDoesNotAnswer()
    {
        Fixture world;
        world.losesAll = true;
        const auto found = world.measure();
        QVERIFY(!found);
        QCOMPARE(found.error().code, Errc::Timeout);
    }

    void saysThatTheServerCannotAnswerToAnotherPort()
    {
        Fixture world;
        world.liars = {kServer};
        world.lie = [](StunMessage& answer) { // a port that is nobody's
            answer.xorMapped->port = 9;
        };
        const auto found = world.measure();
        QVERIFY(!found);
        QCOMPARE(found.error().code, Errc::UnsupportedFormat);
    }

    void takesNoAnswerWithoutAnAddress()
    {
        Fixture world;
        world.liars = {kServer};
        world.lie = [](StunMessage& answer) { answer.xorMapped.reset(); };
        QCOMPARE(world.measure().error().code, Errc::UnsupportedFormat);
    }
};

QTEST_APPLESS_MAIN(TestLifetimeProbe)
#include "tst_lifetime_probe.moc"
