// SPDX-License-Identifier: Apache-2.0
/// What is said to routers that map ports, and what becomes of what they answer; in virtual time.
#include "nat/port_mapper.h"

#include <QtTest>

#include <functional>

using namespace starling;
using namespace starling::nat;
using namespace std::chrono_literals;

namespace {

const Endpoint kGateway = Endpoint::ipv4(192, 168, 1, 1, 0);
const Endpoint kDoor = Endpoint::ipv4(192, 168, 1, 1, kPortMapPort);
const Endpoint kOwn = Endpoint::ipv4(192, 168, 1, 20, 7'891);
const Endpoint kOutside = Endpoint::ipv4(203, 0, 113, 9, 0);

Endpoint outside(std::uint16_t port)
{
    Endpoint endpoint = kOutside;
    endpoint.port = port;
    return endpoint;
}

/// The fields of a request that routers look at.
struct Asked
{
    bool isPcp = false;
    std::uint8_t opcode = 0; ///< of NAT-PMP; of PCP the protocol's number
    std::uint16_t inside = 0, outside = 0;
    std::uint32_t lease = 0;
    MapNonce nonce{};
};

Asked read(ByteView bytes)
{
    ByteReader in(bytes);
    Asked asked;
    asked.isPcp = in.u8() == 2;
    asked.opcode = in.u8();
    in.u16();
    if (!asked.isPcp) {
        asked.inside = in.u16();
        asked.outside = in.u16();
        asked.lease = in.u32();
        return asked;
    }
    asked.lease = in.u32();
    in.raw(16);
    const ByteView nonce = in.raw(12);
    std::copy(nonce.begin(), nonce.end(), asked.nonce.begin());
    asked.opcode = in.u8();
    in.raw(3);
    asked.inside = in.u16();
    asked.outside = in.u16();
    return asked;
}

Bytes pcpReply(const Asked& asked, std::uint8_t result, std::uint32_t lease, const Endpoint& at)
{
    ByteWriter out;
    out.u8(2);
    out.u8(0x81);
    out.u8(0);
    out.u8(result);
    out.u32(lease);
    out.u32(7);
    out.raw(Bytes(12));
    out.raw(asked.nonce);
    out.u8(asked.opcode);
    out.raw(Bytes(3));
    out.u16(asked.inside);
    out.u16(at.port);
    out.raw(std::as_bytes(std::span(at.address)));
    return out.take();
}

Bytes natPmpReply(const Asked& asked, std::uint16_t result, std::uint32_t lease, std::uint16_t port)
{
    ByteWriter out;
    out.u8(0);
    out.u8(static_cast<std::uint8_t>(0x80 | asked.opcode));
    out.u16(result);
    out.u32(7);
    if (asked.opcode == 0) {
        out.raw(std::as_bytes(std::span(kOutside.address)).subspan(12));
        return out.take();
    }
    out.u16(asked.inside);
    out.u16(port);
    out.u32(lease);
    return out.take();
}

/// A machine, a clock, and a router that is a function from requests to answers.
struct World
{
    using Router = std::function<std::optional<Bytes>(const Asked&)>;
    using Upnp = std::function<Result<PortMapping>(const AskUpnp&)>;

    SeededRandom random{7};
    PortMapper mapper{{kGateway, kOwn}, random};
    Instant now{};
    std::optional<std::pair<Instant, PortMapTimer>> timer;
    Router router;
    Upnp upnp;
    std::vector<Asked> asked;
    std::vector<AskUpnp> askedUpnp;
    unsigned changes = 0, ends = 0;

    void take(const PortMapper::Outputs& outputs)
    {
        for (const auto& output : outputs) {
            if (const auto* sent = std::get_if<SendDatagram>(&output)) {
                QVERIFY(sent->to == kDoor);
                asked.push_back(read(sent->bytes));
                if (const auto answer = router ? router(asked.back()) : std::nullopt)
                    take(mapper.handle(DatagramReceived{kMainSocket, kDoor, *answer}, now));
            } else if (const auto* next = std::get_if<SchedulePortMap>(&output)) {
                // What was scheduled later has been overtaken by what its handling scheduled.
                if (!timer || next->timer.number > timer->second.number)
                    timer = {now + next->delay, next->timer};
            } else if (const auto* ask = std::get_if<AskUpnp>(&output)) {
                askedUpnp.push_back(*ask);
                if (upnp)
                    take(mapper.handle(UpnpAnswered{upnp(*ask)}, now));
            } else if (std::holds_alternative<PortMappingChanged>(output)) {
                ++changes;
            } else {
                ++ends;
            }
        }
    }
    void start() { take(mapper.start(now)); }
    void fire()
    {
        const auto due = std::exchange(timer, {});
        QVERIFY(due);
        now = due->first;
        take(mapper.handle(due->second, now));
    }
    /// As long as timers lead there.
    bool runUntil(const std::function<bool()>& isDone)
    {
        for (int i = 0; i < 100 && timer && !isDone(); ++i)
            fire();
        return isDone();
    }
};

World::Router pcpRouter(std::uint32_t lease = 1'200, std::uint16_t port = 7'891)
{
    return [=](const Asked& asked) -> std::optional<Bytes> {
        if (!asked.isPcp)
            return std::nullopt;
        return pcpReply(asked, 0, std::min(asked.lease, lease), outside(port));
    };
}

World::Router natPmpRouter()
{
    return [](const Asked& asked) -> std::optional<Bytes> {
        if (asked.isPcp) // RFC 6886 section 3.5
            return natPmpReply({false, 1, 0, 0, 0, {}}, 1, 0, 0);
        return natPmpReply(asked, 0, asked.lease, asked.outside);
    };
}

} // namespace

class TestPortMapper : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void writesRequestsByTheRfcs()
    {
        const MapWish wish{Transport::Tcp, kOwn, 9'000, std::chrono::duration<std::uint32_t>(1'200), {}};
        QCOMPARE(toHex(pcpMapRequest(wish)),
                 std::string("02010000000004b0"
                             "00000000000000000000ffffc0a80114"
                             "000000000000000000000000"
                             "06000000"
                             "1ed32328"
                             "00000000000000000000ffff00000000"));
        QCOMPARE(toHex(natPmpMapRequest(wish)), std::string("000200001ed32328000004b0"));
        QCOMPARE(toHex(natPmpAddressRequest()), std::string("0000"));
    }

    void refusesWhatIsNoAnswer_data()
    {
        QTest::addColumn<QByteArray>("hex");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("one byte") << QByteArray("00");
        QTest::newRow("a question") << QByteArray("0000");
        QTest::newRow("NAT-PMP, cut") << QByteArray("008000000000000101020304").left(22);
        QTest::newRow("NAT-PMP, another opcode") << QByteArray("008300000000000101020304");
        QTest::newRow("PCP, cut") << QByteArray("028100000000000000000000");
        QTest::newRow("PCP, another opcode") << QByteArray("0282").append(QByteArray(116, '0'));
        QTest::newRow("PCP, another protocol")
            << QByteArray("0281").append(QByteArray(70, '0')).append("11").append(QByteArray(46, '0'));
        QTest::newRow("version 3, and no error") << QByteArray("0381").append(QByteArray(116, '0'));
        QTest::newRow("too large") << QByteArray("0281").append(QByteArray(2'200, '0'));
    }
    void refusesWhatIsNoAnswer()
    {
        QFETCH(QByteArray, hex);
        QVERIFY(!parsePortMapReply(*fromHex(hex.toStdString())));
    }

    void mapsUdpAndTcpByPcp()
    {
        World world;
        world.router = pcpRouter();
        world.start();
        QCOMPARE(world.asked.size(), std::size_t(2));
        QVERIFY(world.asked[0].opcode == 17 && world.asked[1].opcode == 6);
        QCOMPARE(world.asked[1].outside, std::uint16_t(7'891));
        QVERIFY(world.mapper.mapping() == (PortMapping{PortMapMethod::Pcp, outside(7'891), true, 20min}));
        QCOMPARE(world.changes, 1U);
        QVERIFY(world.mapper.trouble().empty());
    }

    void takesTheRoutersPortAndGivesUpTcpWhereItIsAnother()
    {
        World world;
        world.router = [](const Asked& asked) {
            return pcpReply(asked, 0, asked.lease, outside(asked.opcode == 17 ? 40'000 : 40'001));
        };
        world.start();
        QVERIFY(world.mapper.mapping()->external == outside(40'000) && !world.mapper.mapping()->hasTcp);
        QVERIFY(world.asked.back().opcode == 6 && world.asked.back().lease == 0); // deleted
        world.fire();
        QCOMPARE(world.asked[3].outside, std::uint16_t(40'000)); // wants the same again
    }

    void fallsBackToNatPmpWhereTheRouterSaysItIsOlder()
    {
        World world;
        world.router = natPmpRouter();
        world.start();
        QVERIFY(world.mapper.mapping() == (PortMapping{PortMapMethod::NatPmp, outside(7'891), true, 20min}));
    }

    void triesNatPmpAndThenUpnpWhereNobodyAnswers()
    {
        World world;
        world.upnp = [](const AskUpnp& ask) {
            return PortMapping{PortMapMethod::Upnp, outside(ask.outside.front()), true, ask.lease};
        };
        world.start();
        QVERIFY(world.runUntil([&] { return world.mapper.mapping().has_value(); }));
        QCOMPARE(world.asked.size(), std::size_t(2 * PortMapper::kTries));
        QCOMPARE(world.askedUpnp.size(), std::size_t(1));
        QCOMPARE(world.askedUpnp[0].outside.size(), PortMapper::kUpnpPorts);
        QVERIFY(world.now - Instant{} == 3'500ms);
        // Renewed by what worked.
        world.fire();
        QCOMPARE(world.askedUpnp.size(), std::size_t(2));
        QCOMPARE(world.asked.size(), std::size_t(2 * PortMapper::kTries));
    }

    void asksForUpnpAtOnceWhereTheRouterRefuses()
    {
        World world;
        world.router = [](const Asked& asked) { return pcpReply(asked, 2, 60, {}); };
        world.upnp = [](const AskUpnp&) -> Result<PortMapping> {
            return fail(Errc::NotFound, "no router answered");
        };
        world.start();
        QVERIFY(!world.mapper.mapping() && !world.mapper.isAsking());
        QVERIFY2(world.mapper.trouble().find("not authorised") != std::string::npos
                     && world.mapper.trouble().find("no router answered") != std::string::npos,
                 world.mapper.trouble().c_str());
    }

    void asksSeldomWhereThereIsNone()
    {
        World world;
        world.upnp = [](const AskUpnp&) -> Result<PortMapping> { return fail(Errc::NotFound, "none"); };
        world.start();
        while (world.now < Instant{} + 24h)
            world.fire();
        // 1, 2, 4 … 60 minutes: 30 rounds, of six datagrams each.
        QVERIFY2(world.askedUpnp.size() < 32, std::to_string(world.askedUpnp.size()).c_str());
        QVERIFY(world.asked.size() <= 6 * world.askedUpnp.size() + 6);
    }

    void givesUpOnUpnpThatNeverEnds()
    {
        World world;
        world.start();
        QVERIFY(world.runUntil([&] { return !world.mapper.isAsking(); }));
        QVERIFY(world.mapper.trouble().find("does not come to an end") != std::string::npos);
        // Too late.
        world.take(world.mapper.handle(
            UpnpAnswered{PortMapping{PortMapMethod::Upnp, outside(1), true, 20min}}, world.now));
        QVERIFY(!world.mapper.mapping());
    }

    void renewsAtHalfTimeAndNoSooner_data()
    {
        QTest::addColumn<unsigned>("granted");
        QTest::addColumn<int>("seconds");
        QTest::newRow("as asked") << 1'200U << 600;
        QTest::newRow("less") << 120U << 60;
        QTest::newRow("next to nothing") << 1U << 30;
        QTest::newRow("more than was asked") << 0xffffffffU << 600;
    }
    void renewsAtHalfTimeAndNoSooner()
    {
        QFETCH(unsigned, granted);
        QFETCH(int, seconds);
        World world;
        world.router = [=](const Asked& asked) { return pcpReply(asked, 0, granted, outside(7'891)); };
        world.start();
        const std::size_t before = world.asked.size();
        world.fire();
        QVERIFY(world.now - Instant{} == std::chrono::seconds(seconds));
        QCOMPARE(world.asked.size(), before + 2);
        QVERIFY(world.mapper.mapping());
    }

    void keepsTheMappingUntilItsEndWhereTheRouterVanishes()
    {
        World world;
        world.router = pcpRouter();
        world.upnp = [](const AskUpnp&) -> Result<PortMapping> { return fail(Errc::NotFound, "none"); };
        world.start();
        world.router = {};
        QVERIFY(world.runUntil([&] { return world.now >= Instant{} + 19min; }));
        QVERIFY(world.mapper.mapping() && !world.mapper.trouble().empty());
        QVERIFY(world.runUntil([&] { return !world.mapper.mapping(); }));
        QVERIFY(world.now < Instant{} + 21min);
        QCOMPARE(world.changes, 2U);
        // And it comes back.
        world.router = pcpRouter();
        QVERIFY(world.runUntil([&] { return world.mapper.mapping().has_value(); }));
        QVERIFY(world.mapper.trouble().empty());
    }

    void noticesAnotherAddressWhenItRenews()
    {
        World world;
        world.router = pcpRouter();
        world.start();
        world.router = pcpRouter(1'200, 50'000);
        world.fire();
        QVERIFY(world.mapper.mapping()->external == outside(50'000));
        QCOMPARE(world.changes, 2U);
    }

    void asksAgainWhenTheRouterSaysThatItIsNewButNotForEachWord()
    {
        World world;
        world.router = pcpRouter();
        world.start();
        const Bytes news = natPmpReply({}, 0, 0, 0);
        const auto say = [&](const Endpoint& from) {
            world.take(world.mapper.onNews(DatagramReceived{kMainSocket, from, news}, world.now));
        };
        say(Endpoint::ipv4(192, 168, 1, 66, kPortMapPort));
        QVERIFY(world.timer->first == Instant{} + 10min);
        for (int i = 0; i < 5; ++i)
            say(kDoor);
        QVERIFY(world.timer->first == Instant{} + PortMapper::kNewsPause); // it was asked just now
        world.fire();
        QCOMPARE(world.asked.size(), std::size_t(4));
        world.now += 1min;
        say(kDoor);
        world.fire();
        QVERIFY(world.now == Instant{} + PortMapper::kNewsPause + 1min);
        QCOMPARE(world.asked.size(), std::size_t(6));
    }

    void believesNobodyElseAndNothingThatDoesNotFit_data()
    {
        QTest::addColumn<int>("what");
        int rows = 0;
        for (const char* name :
             {"another sender", "another port", "another nonce", "another inner port", "another protocol",
              "no address", "multicast", "no port", "no lease", "an address of IPv6"})
            QTest::newRow(name) << rows++;
    }
    void believesNobodyElseAndNothingThatDoesNotFit()
    {
        QFETCH(int, what);
        World world;
        world.start();
        Asked asked = world.asked.front();
        Endpoint from = kDoor, at = outside(7'891);
        std::uint32_t lease = 1'200;
        if (what == 0)
            from.address[15] = 66;
        else if (what == 1)
            from.port = 5'352;
        else if (what == 2)
            asked.nonce[3] ^= std::byte{1};
        else if (what == 3)
            ++asked.inside;
        else if (what == 4)
            asked.opcode = 6;
        else if (what == 5)
            at = Endpoint::ipv4(0, 0, 0, 0, 7'891);
        else if (what == 6)
            at = Endpoint::ipv4(224, 0, 0, 1, 7'891);
        else if (what == 7)
            at.port = 0;
        else if (what == 8)
            lease = 0;
        else
            at.address = {0x20, 1, 0xd, 0xb8};
        world.take(world.mapper.handle(DatagramReceived{kMainSocket, from, pcpReply(asked, 0, lease, at)},
                                       world.now));
        QVERIFY(!world.mapper.mapping());
        QCOMPARE(world.asked.size(), std::size_t(1)); // nor is TCP asked for
        // The true one still counts.
        world.take(world.mapper.handle(
            DatagramReceived{kMainSocket, kDoor, pcpReply(world.asked.front(), 0, 1'200, outside(1))},
            world.now));
        QCOMPARE(world.asked.size(), std::size_t(2));
    }

    void deletesWhatItHasWhenItStops()
    {
        World world;
        world.router = pcpRouter();
        world.start();
        world.take(world.mapper.stop(world.now));
        QCOMPARE(world.ends, 1U);
        QCOMPARE(world.asked.size(), std::size_t(4));
        QVERIFY(world.asked[2].lease == 0 && world.asked[3].lease == 0);
        QVERIFY(world.asked[2].nonce == world.asked[0].nonce); // or the router would not let it
    }

    void waitsForNoAnswerForLongWhenItStops()
    {
        World world;
        world.router = pcpRouter();
        world.start();
        world.router = {};
        const Instant stopped = world.now;
        world.take(world.mapper.stop(world.now));
        QCOMPARE(world.ends, 0U);
        QVERIFY(world.runUntil([&] { return world.ends == 1; }));
        QVERIFY(world.now - stopped < 1s);
        World none;
        none.start();
        none.take(none.mapper.stop(none.now));
        QCOMPARE(none.ends, 1U);
    }

    void deletesByUpnpWhatIsUpnps()
    {
        World world;
        world.upnp = [](const AskUpnp& ask) {
            return PortMapping{PortMapMethod::Upnp, outside(ask.outside.front()), false, 0s};
        };
        world.start();
        QVERIFY(world.runUntil([&] { return world.mapper.mapping().has_value(); }));
        world.take(world.mapper.stop(world.now));
        QVERIFY(world.askedUpnp.back().what == AskUpnp::What::Unmap);
        QVERIFY(world.askedUpnp.back().outside == std::vector<std::uint16_t>{7'891});
        QCOMPARE(world.ends, 1U);
    }
};

QTEST_APPLESS_MAIN(TestPortMapper)
#include "tst_port_mapper.moc"
