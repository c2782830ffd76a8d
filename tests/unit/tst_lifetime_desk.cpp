// SPDX-License-Identifier: Apache-2.0
/// How long a binding lives, measured over real sockets: on loopback, where nothing forgets one.
#include "node/lifetime_desk.h"
#include "node/nat_desk.h"

#include <QtTest>

using namespace starling;
using namespace starling::node;
using namespace std::chrono_literals;
using Kind = nat::LifetimeState::Kind;

namespace {

const Endpoint kLoopback = Endpoint::ipv4(127, 0, 0, 1, 0);
constexpr nat::StunSchedule kSchedule{100ms, 3, 4};

nat::LifetimeProbe::Config pace()
{
    return {.server = {}, .longest = 300ms, .precision = 100ms, .expected = kSchedule, .doubtful = kSchedule};
}

} // namespace

class TestLifetimeDesk : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void measuresInTheBackground()
    {
        TimerQueue timers;
        SeededRandom random(1);
        NatDesk* server = nullptr;
        LinkSocket socket([&](const Endpoint& from, ByteView datagram) { server->handle(from, datagram); });
        NatDesk answering(
            {timers, random, [&](const Endpoint& to, ByteView bytes) { socket.send(to, bytes); }});
        server = &answering;
        QVERIFY(socket.bind(kLoopback));
        std::vector<Kind> told;
        LifetimeDesk desk(
            {timers, random, [&](const nat::LifetimeState& state) { told.push_back(state.kind); }}, pace());
        QVERIFY(desk.state().kind == Kind::Unmeasured);
        desk.measure(socket.localEndpoint(), kLoopback, kLoopback);
        QVERIFY(desk.state().kind == Kind::Measuring);
        QTRY_COMPARE(told, (std::vector{Kind::Measuring, Kind::Measured}));
        QVERIFY(desk.state().kind == Kind::Measured);
        QVERIFY(desk.state().found.held == 300ms);
        QVERIFY(!desk.state().found.lost);
        // Once for an address.
        desk.measure(socket.localEndpoint(), kLoopback, kLoopback);
        QVERIFY(desk.state().kind == Kind::Measured);
        desk.measure(socket.localEndpoint(), Endpoint::ipv4(192, 0, 2, 1, 9), kLoopback);
        QVERIFY(desk.state().kind == Kind::Measuring);
        QTRY_VERIFY(desk.state().kind == Kind::Measured);
    }

    void beginsAnewWhereTheDeviceIsNow()
    {
        TimerQueue timers;
        SeededRandom random(1);
        LinkSocket silent([](const Endpoint&, ByteView) {});
        QVERIFY(silent.bind(kLoopback));
        std::vector<Kind> told;
        LifetimeDesk desk(
            {timers, random, [&](const nat::LifetimeState& state) { told.push_back(state.kind); }}, pace());
        const auto watch = [&](std::uint8_t last, std::uint16_t port) {
            desk.watch(silent.localEndpoint(), Endpoint::ipv4(192, 0, 2, last, port), kLoopback);
        };
        watch(1, 9);
        watch(1, 10); // as NATs do that have forgotten a binding
        watch(2, 9); // another NAT: what the first one kept says nothing of it
        QTRY_COMPARE(told, (std::vector{Kind::Measuring, Kind::Measuring, Kind::Failed}));
    }

    void saysWhyItCannot()
    {
        TimerQueue timers;
        SeededRandom random(1);
        LinkSocket silent([](const Endpoint&, ByteView) {});
        QVERIFY(silent.bind(kLoopback));
        LifetimeDesk desk({timers, random}, pace());
        desk.measure(silent.localEndpoint(), kLoopback, kLoopback);
        QTRY_VERIFY(desk.state().kind == Kind::Failed);
        QVERIFY2(desk.state().trouble.find("STAR-") != std::string::npos, desk.state().trouble.c_str());
        // Asked again, it tries again.
        desk.measure(silent.localEndpoint(), kLoopback, kLoopback);
        QVERIFY(desk.state().kind == Kind::Measuring);
    }

    void doesNotGoOnForeverWhenNobodyAsks()
    {
        TimerQueue timers;
        SeededRandom random(1);
        LinkSocket silent([](const Endpoint&, ByteView) {});
        QVERIFY(silent.bind(kLoopback));
        LifetimeDesk desk({timers, random}, pace());
        const Endpoint seen = Endpoint::ipv4(192, 0, 2, 1, 9);
        for (unsigned i = 0; i < 5; ++i) {
            desk.watch(silent.localEndpoint(), seen, kLoopback);
            QVERIFY(desk.state().kind == Kind::Measuring);
            QTRY_VERIFY(desk.state().kind == Kind::Failed);
        }
        desk.watch(silent.localEndpoint(), seen, kLoopback);
        QVERIFY(desk.state().kind == Kind::Failed);
        // Who asks is answered; and elsewhere it begins anew.
        desk.measure(silent.localEndpoint(), seen, kLoopback);
        QVERIFY(desk.state().kind == Kind::Measuring);
        QTRY_VERIFY(desk.state().kind == Kind::Failed);
        desk.watch(silent.localEndpoint(), Endpoint::ipv4(192, 0, 2, 2, 9), kLoopback);
        QVERIFY(desk.state().kind == Kind::Measuring);
    }
};

QTEST_GUILESS_MAIN(TestLifetimeDesk)
#include "tst_lifetime_desk.moc"
