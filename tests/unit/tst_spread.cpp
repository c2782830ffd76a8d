// SPDX-License-Identifier: Apache-2.0
/// Who holds the latest release, drawn where each group always is; and of who gave it to whom nothing but
/// what the agent knows.
#include "fleetview/spread.h"
#include "fleetview_samples.h"

#include <QtTest>

#include <cmath>

using namespace starling;
using namespace starling::fleetview;
using namespace starling::samples;
using namespace std::chrono_literals;

namespace {

constexpr int kWidth = 1'000, kHeight = 620;

PicturePtr pictureOf(std::uint32_t devices, std::uint32_t sites)
{
    Fleet fleet(kBegin);
    fleet.take(reportsOf(devices, sites), {}, kBegin);
    return fleet.picture(kBegin);
}

std::size_t count(const SpreadPlan& plan, SpreadNode::What what)
{
    return static_cast<std::size_t>(std::count_if(plan.nodes.begin(), plan.nodes.end(),
                                                  [what](const SpreadNode& n) { return n.what == what; }));
}

} // namespace

class TestSpread : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tellsWhoHasSaidThatItHoldsThePayload_data()
    {
        QTest::addColumn<int>("phase");
        QTest::addColumn<bool>("isHeld");
        using trust::Phase;
        for (const Phase phase : {Phase::Staged, Phase::Deploying, Phase::Checking, Phase::RollingBack,
                                  Phase::Healthy, Phase::RolledBack})
            QTest::newRow(std::string(trust::phaseName(phase)).c_str()) << static_cast<int>(phase) << true;
        for (const Phase phase :
             {Phase::Announced, Phase::Accepted, Phase::Downloading, Phase::Verifying, Phase::Failed})
            QTest::newRow(std::string(trust::phaseName(phase)).c_str()) << static_cast<int>(phase) << false;
    }
    void tellsWhoHasSaidThatItHoldsThePayload()
    {
        QFETCH(int, phase);
        QFETCH(bool, isHeld);
        Fleet fleet(kBegin);
        fleet.take({reportOf(1, {entryOf(static_cast<trust::Phase>(phase))})}, {}, kBegin);
        const PicturePtr picture = fleet.picture(kBegin);
        QCOMPARE(holds(*picture->devices[0], *latestRelease(*picture)), isHeld);
        Release another = *latestRelease(*picture);
        another.revision.version = 1;
        QVERIFY(!holds(*picture->devices[0], another));
    }

    void takesTheReleaseThatCameLast()
    {
        Fleet fleet(kBegin);
        const auto known = [](const char* uri, std::uint64_t version, std::optional<UtcTime> since) {
            return KnownRelease{*ResourceUri::parse(uri), {0, version}, InfoHash(), {}, 1, since};
        };
        fleet.take({},
                   {known("fw/a", 3, std::nullopt), known("fw/b", 1, kBegin + 5s), known("fw/c", 9, kBegin)},
                   kBegin);
        QVERIFY(latestRelease(*fleet.picture(kBegin))->uri == *ResourceUri::parse("fw/b"));
        QVERIFY(latestRelease(*pictureOf(0, 1)) == nullptr);
    }

    void countsHoldersOfEachGroup()
    {
        const PicturePtr picture = pictureOf(100, 4);
        const SpreadPlan plan = planSpread(*picture, "site", {}, kWidth, kHeight);
        std::size_t holders = 0, devices = 0;
        for (const SpreadNode& node : plan.nodes)
            if (node.what == SpreadNode::What::Group) {
                holders += node.holders;
                devices += node.devices;
            }
        QCOMPARE(devices, std::size_t{100});
        QCOMPARE(holders, plan.holders);
        QVERIFY(holders > 80 && holders < 100);
    }

    void drawsDevicesUpToThreeHundredAndGroupsBeyond()
    {
        const SpreadPlan few = planSpread(*pictureOf(300, 9), "site", {}, kWidth, kHeight);
        QCOMPARE(count(few, SpreadNode::What::Device), std::size_t{300});
        const SpreadPlan many = planSpread(*pictureOf(301, 9), "site", {}, kWidth, kHeight);
        QCOMPARE(count(many, SpreadNode::What::Device), std::size_t{0});
        QCOMPARE(count(many, SpreadNode::What::Group), std::size_t{9});
    }

    void leavesOutTheSmallestGroupsAndSaysSo()
    {
        const SpreadPlan plan = planSpread(*pictureOf(1'000, 140), "site", {}, kWidth, kHeight);
        QCOMPARE(plan.groups, std::size_t{140});
        QCOMPARE(plan.shownGroups, SpreadPlan::kMostGroups);
        QCOMPARE(count(plan, SpreadNode::What::Group), SpreadPlan::kMostGroups);
        // 20 groups have 8 devices, the others 7.
        QCOMPARE(std::count_if(plan.nodes.begin(), plan.nodes.end(),
                               [](const SpreadNode& node) { return node.devices == 8; }),
                 20);
    }

    /// And nothing of one group lies on another, or beyond the edge.
    void keepsGroupsApart_data()
    {
        QTest::addColumn<int>("groups");
        for (const int groups : {1, 2, 5, 12, 13, 24, 33, 60})
            QTest::addRow("%d", groups) << groups;
    }
    void keepsGroupsApart()
    {
        QFETCH(int, groups);
        const SpreadPlan plan =
            planSpread(*pictureOf(1'200, static_cast<std::uint32_t>(groups)), "site", {}, kWidth, kHeight);
        QCOMPARE(plan.nodes.size(), static_cast<std::size_t>(groups) + 1);
        for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
            const SpreadNode& a = plan.nodes[i];
            QVERIFY(a.x - a.radius >= 0 && a.x + a.radius <= kWidth);
            QVERIFY(a.y - a.radius >= 0 && a.y + a.radius <= kHeight);
            for (std::size_t j = 0; j < i; ++j) {
                const SpreadNode& b = plan.nodes[j];
                QVERIFY2(std::hypot(a.x - b.x, a.y - b.y) >= a.radius + b.radius,
                         (a.name + " and " + b.name).c_str());
            }
        }
    }

    void nothingMovesBecauseADeviceDoesSomething()
    {
        Fleet fleet(kBegin);
        auto reports = reportsOf(120, 7);
        fleet.take(reports, {}, kBegin);
        const SpreadPlan before = planSpread(*fleet.picture(kBegin), "site", {}, kWidth, kHeight);
        for (Report& report : reports)
            report.receipt.entries[0].phase = trust::Phase::Downloading;
        fleet.take(reports, {}, kBegin + 60s);
        const PicturePtr picture = fleet.picture(kBegin + 60s);
        const SpreadPlan after = planSpread(*picture, "site", {}, kWidth, kHeight);
        QCOMPARE(after.nodes.size(), before.nodes.size());
        for (std::size_t i = 0; i < after.nodes.size(); ++i)
            QVERIFY(after.nodes[i].name == before.nodes[i].name && after.nodes[i].x == before.nodes[i].x
                    && after.nodes[i].y == before.nodes[i].y);
        QCOMPARE(after.holders, std::size_t{0});
    }

    void placesAnewWithoutCounting()
    {
        const PicturePtr picture = pictureOf(1'000, 9);
        SpreadPlan plan = planSpread(*picture, "site", {}, 300, 200);
        resize(plan, kWidth, kHeight);
        const SpreadPlan whole = planSpread(*picture, "site", {}, kWidth, kHeight);
        QCOMPARE(plan.nodes.size(), whole.nodes.size());
        for (std::size_t i = 0; i < plan.nodes.size(); ++i)
            QVERIFY(plan.nodes[i].x == whole.nodes[i].x && plan.nodes[i].y == whole.nodes[i].y
                    && plan.nodes[i].radius == whole.nodes[i].radius);
    }

    void knowsOnlyWhatTheAgentDidItself()
    {
        const PicturePtr picture = pictureOf(40, 2);
        const Vantage vantage{nodeOf(0),
                              {{nodeOf(2), true, 0, 500}, {nodeOf(4), false, 300, 0}, {nodeOf(99), true}}};
        const SpreadPlan plan = planSpread(*picture, "site", vantage, kWidth, kHeight);
        QVERIFY(plan.nodes[0].what == SpreadNode::What::Agent && plan.nodes[0].name == "gw-0");
        std::size_t dealt = 0;
        for (const SpreadNode& node : plan.nodes) {
            if (node.what == SpreadNode::What::Device)
                dealt += node.dealing.isNeighbor || node.partners > 0 ? 1 : 0;
            if (node.name == "site-0") {
                QCOMPARE(node.dealing.bytesTo, std::uint64_t{500});
                QCOMPARE(node.dealing.bytesFrom, std::uint64_t{300});
                QCOMPARE(node.partners, std::size_t{2});
                QCOMPARE(node.links, std::size_t{1});
            }
            if (node.name == "site-1")
                QVERIFY(node.partners == 0 && node.links == 0);
        }
        QCOMPARE(dealt, std::size_t{2});
        QCOMPARE(count(plan, SpreadNode::What::Device), std::size_t{39}); // it is in the middle itself
    }

    void saysWhenAGroupHeldItFirst()
    {
        Fleet fleet(kBegin);
        fleet.take({reportOf(1, {entryOf(trust::Phase::Downloading)}),
                    reportOf(2, {entryOf(trust::Phase::Healthy)})},
                   {}, kBegin);
        fleet.take(
            {reportOf(1, {entryOf(trust::Phase::Staged)}), reportOf(2, {entryOf(trust::Phase::Healthy)})}, {},
            kBegin + 30s);
        const PicturePtr picture = fleet.picture(kBegin + 30s);
        const SpreadPlan plan = planSpread(*picture, "", {}, kWidth, kHeight);
        QVERIFY(plan.nodes[1].firstHeld == kBegin + 30s); // the other one held it before this console began
    }

    void findsWhatIsUnderThePointer()
    {
        const SpreadPlan plan = planSpread(*pictureOf(30, 3), "site", {}, kWidth, kHeight);
        for (std::size_t i = 0; i < plan.nodes.size(); ++i)
            if (plan.nodes[i].what == SpreadNode::What::Agent)
                QVERIFY(plan.nodeAt(plan.nodes[i].x, plan.nodes[i].y) == i);
        QVERIFY(plan.nodes[*plan.nodeAt(plan.nodes.back().x, plan.nodes.back().y)].what
                == SpreadNode::What::Device);
        QVERIFY(!plan.nodeAt(-50, -50));
    }

    void survivesAnEmptyFleet()
    {
        const SpreadPlan plan = planSpread(*pictureOf(0, 1), "site", {}, kWidth, kHeight);
        QCOMPARE(plan.nodes.size(), std::size_t{1});
        QVERIFY(plan.release == nullptr);
    }
};

QTEST_GUILESS_MAIN(TestSpread)
#include "tst_spread.moc"
