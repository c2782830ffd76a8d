// SPDX-License-Identifier: Apache-2.0
/// Where a device may be reached after it has moved, or its NAT got another address: what those say whom it
/// still hears.
#include "node/reach_desk.h"

#include "link/frame.h"
#include "link/relay.h"

#include <QElapsedTimer>
#include <QtTest>

using namespace starling;
using namespace starling::node;

namespace {

const Endpoint kOwn = Endpoint::ipv4(192, 168, 1, 20, 7'891);
const Endpoint kBefore = Endpoint::ipv4(203, 0, 113, 1, 7'891);
const Endpoint kAfter = Endpoint::ipv4(203, 0, 113, 2, 7'891);

} // namespace

class TestReachDesk : public QObject
{
    Q_OBJECT

private:
    TimerQueue m_timers;
    SeededRandom m_random{1};
    NatDesk m_nat{{m_timers, m_random, [](const Endpoint&, ByteView) {}}};
    std::unique_ptr<ReachDesk> m_desk;
    unsigned m_probes = 0;
    std::vector<Endpoint> m_told;

    void see(std::uint64_t link, const Endpoint& at)
    {
        m_desk->take(link::AddressSeen{link::LinkId{link}, at});
    }

private Q_SLOTS:
    void init()
    {
        m_probes = 0;
        m_told.clear();
        const auto links = [this](const link::Input& input) {
            if (std::holds_alternative<link::AddressChanged>(input))
                ++m_probes;
            else if (const auto* candidates = std::get_if<link::SetCandidates>(&input))
                m_told = candidates->endpoints;
        };
        m_desk = std::make_unique<ReachDesk>(
            ReachDesk::Services{m_timers, m_nat, links, [] { return std::vector<Endpoint>{kOwn}; }});
        for (const std::uint64_t link : {1, 2, 3})
            see(link, kBefore);
    }

    void asksAllLinksWhenOneSaysThatItIsElsewhere()
    {
        QCOMPARE(m_probes, 0U);
        see(1, kAfter);
        QCOMPARE(m_probes, 1U);
        // Whoever says something else each time makes it ask no more often than every five seconds.
        QElapsedTimer timer;
        timer.start();
        for (std::uint16_t port = 1; port <= 100; ++port)
            see(1, Endpoint::ipv4(203, 0, 113, 3, port));
        QVERIFY(m_probes <= 2 + timer.elapsed() / 5'000);
    }

    void believesWhomItHears()
    {
        see(1, kAfter);
        QVERIFY((m_told == std::vector<Endpoint>{kBefore, kAfter, kOwn})); // one of three may lie
        for (const std::uint64_t link : {2, 3})
            m_desk->take(link::LinkSilence{link::LinkId{link}, true});
        QVERIFY((m_told == std::vector<Endpoint>{kAfter, kOwn}));
        // It answers after all, from where it sees the device as before.
        m_desk->take(link::LinkSilence{link::LinkId{2}, false});
        QVERIFY(std::ranges::count(m_told, kBefore) == 1);
    }

    void forgetsWhatWasSeenBeforeALinkWentByARelay()
    {
        see(1, kAfter);
        for (const std::uint64_t link : {2, 3}) {
            std::array<std::byte, NodeId::kSize> id{};
            id[0] = std::byte(link);
            m_desk->take(link::LinkSilence{link::LinkId{link}, true});
            m_desk->take(link::LinkSilence{link::LinkId{link}, false});
            m_desk->take(
                link::LinkMoved{link::LinkId{link}, link::detourTo(link::tagOf(NodeId(id)), NodeId())});
        }
        QVERIFY((m_told == std::vector<Endpoint>{kAfter, kOwn}));
        // The other side has moved: this one is where it was.
        m_desk->take(link::LinkMoved{link::LinkId{1}, Endpoint::ipv4(198, 51, 100, 7, 1'000)});
        QVERIFY((m_told == std::vector<Endpoint>{kAfter, kOwn}));
        QVERIFY((m_desk->candidates() == std::vector<Endpoint>{kAfter, kOwn}));
    }
};

QTEST_GUILESS_MAIN(TestReachDesk)
#include "tst_reach_desk.moc"
