// SPDX-License-Identifier: Apache-2.0
#include "nat/sightings.h"

#include <QtTest>

using namespace starling;
using namespace starling::nat;

namespace {

const Endpoint kLocal = Endpoint::ipv4(192, 168, 1, 2, 7891);
const Endpoint kMapped = Endpoint::ipv4(203, 0, 113, 1, 7891);
const std::vector<Endpoint> kLocals{kLocal};

Endpoint withPort(std::uint16_t port)
{
    return Endpoint::ipv4(203, 0, 113, 1, port);
}

Sightings of(const std::vector<Endpoint>& seen)
{
    Sightings sightings;
    std::uint64_t source = 0;
    for (const Endpoint& one : seen)
        sightings.note(Sightings::Source{++source}, one);
    return sightings;
}

} // namespace

class TestSightings : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void believesTheFirstUntilThereAreMore()
    {
        QVERIFY(Sightings().mapped(kLocals).empty());
        QVERIFY(Sightings().mapping(kLocals) == Mapping::Unknown);
        const Sightings one = of({kMapped});
        QVERIFY(one.mapped(kLocals) == std::vector<Endpoint>{kMapped});
        QVERIFY(one.mapping(kLocals) == Mapping::Unknown);
        QVERIFY(of({kMapped, kMapped}).mapping(kLocals) == Mapping::EndpointIndependent);
    }

    void tellsNoAddressThatTheDeviceHasItself()
    {
        const Sightings sightings = of({kLocal, kLocal});
        QVERIFY(sightings.mapped(kLocals).empty());
        QVERIFY(sightings.mapping(kLocals) == Mapping::None);
    }

    void outvotesOneThatLies()
    {
        const Endpoint victim = Endpoint::ipv4(198, 51, 100, 1, 80);
        const auto mapped = of({victim, kMapped, kMapped}).mapped(kLocals);
        QVERIFY(mapped.front() == kMapped);
        // Another port of the right address is not believed at all.
        QVERIFY(of({withPort(80), kMapped, kMapped}).mapped(kLocals) == std::vector<Endpoint>{kMapped});
    }

    void tellsNoPortThatIsForOneOnly()
    {
        const Sightings symmetric = of({withPort(1), withPort(2), withPort(3)});
        QVERIFY(symmetric.mapped(kLocals).empty());
        QVERIFY(symmetric.mapping(kLocals) == Mapping::Dependent);
    }

    void forgetsWithItsSource()
    {
        Sightings sightings = of({kMapped});
        sightings.note(Sightings::Source{1}, withPort(9)); // it has changed
        QVERIFY(sightings.mapped(kLocals) == std::vector<Endpoint>{withPort(9)});
        sightings.forget(Sightings::Source{1});
        QVERIFY(sightings.mapped(kLocals).empty());
    }

    void countsNobodyWhoIsSilentWhileOthersAreHeard()
    {
        const Endpoint elsewhere = Endpoint::ipv4(203, 0, 113, 9, 5'000);
        Sightings sightings = of({kMapped, kMapped, kMapped});
        QVERIFY(!sightings.note(Sightings::Source{1}, kMapped)); // says the same again
        QVERIFY(sightings.note(Sightings::Source{1}, elsewhere));
        QVERIFY(!sightings.note(Sightings::Source{9}, elsewhere)); // the first from it
        sightings.forget(Sightings::Source{9});
        QVERIFY((sightings.mapped(kLocals) == std::vector<Endpoint>{kMapped, elsewhere}));
        sightings.setSilent(Sightings::Source{2}, true);
        sightings.setSilent(Sightings::Source{3}, true);
        QVERIFY(sightings.mapped(kLocals) == std::vector<Endpoint>{elsewhere});
        QVERIFY(sightings.contains(kMapped) == false);
        // The last that was known, where nobody is heard.
        sightings.setSilent(Sightings::Source{1}, true);
        QCOMPARE(sightings.mapped(kLocals).size(), std::size_t(2));
        sightings.setSilent(Sightings::Source{2}, false);
        QVERIFY(sightings.mapped(kLocals) == std::vector<Endpoint>{kMapped});
        sightings.setSilent(Sightings::Source{8}, true); // nobody
    }

    void foreseesPortsThatAreCountedUp()
    {
        QVERIFY(!of({withPort(5'000)}).forecast());
        QVERIFY((of({withPort(5'000), withPort(5'003)}).forecast() == PortForecast{withPort(5'003), 1}));
        // Answers overtake each other.
        QVERIFY((of({withPort(5'004), withPort(5'000), withPort(5'002)}).forecast()
                 == PortForecast{withPort(5'004), 2}));
        QVERIFY((of({withPort(5'004), withPort(5'000), withPort(5'001)}).forecast()
                 == PortForecast{withPort(5'004), 1}));
        // Drawn by lot, or the same for two destinations, or by another NAT.
        QVERIFY(!of({withPort(5'000), withPort(5'700)}).forecast());
        QVERIFY(!of({withPort(5'000), withPort(5'000)}).forecast());
        QVERIFY(!of({withPort(80), withPort(81)}).forecast());
        QVERIFY(!of({withPort(5'000), Endpoint::ipv4(203, 0, 113, 2, 5'001)}).forecast());
        // What was seen long ago tells nothing of now, and who looks again sees nothing else.
        Sightings sightings =
            of({withPort(2'000), withPort(5'000), withPort(5'001), withPort(5'002), withPort(5'003)});
        QVERIFY((sightings.forecast() == PortForecast{withPort(5'003), 1}));
        sightings.note(Sightings::Source{1}, withPort(2'000));
        QVERIFY((sightings.forecast() == PortForecast{withPort(5'003), 1}));
        sightings.note(Sightings::Source{1}, withPort(5'010));
        QVERIFY((sightings.forecast() == PortForecast{withPort(5'010), 1}));
    }

    void keepsBothFamilies()
    {
        Endpoint ipv6;
        ipv6.address[0] = 0x20;
        ipv6.port = 7891;
        Sightings sightings = of({kMapped});
        sightings.note(Sightings::Source{1}, ipv6);
        QVERIFY((sightings.mapped(kLocals) == std::vector<Endpoint>{kMapped, ipv6}));
    }

    void isBounded()
    {
        Sightings sightings;
        for (unsigned i = 0; i < 1'000; ++i)
            sightings.note(Sightings::Source{i},
                           Endpoint::ipv4(203, 0, static_cast<std::uint8_t>(i / 250),
                                          static_cast<std::uint8_t>(i % 250), 1));
        QCOMPARE(sightings.mapped(kLocals).size(), Sightings::kMaxMapped);
        sightings.note(Sightings::Source{5'000}, kMapped);
        sightings.note(Sightings::Source{5'001}, kMapped);
        QVERIFY(sightings.mapped(kLocals).front() != kMapped);
        sightings.note(Sightings::Source{1}, Endpoint::ipv4(0, 0, 0, 0, 1)); // nobody is there
    }
};

QTEST_APPLESS_MAIN(TestSightings)
#include "tst_sightings.moc"
