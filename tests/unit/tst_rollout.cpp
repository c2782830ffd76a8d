// SPDX-License-Identifier: Apache-2.0
#include "fleetview/rollout.h"
#include "fleetview_samples.h"

#include <QtTest>

using namespace starling;
using namespace starling::fleetview;
using namespace starling::samples;
using namespace std::chrono_literals;
using trust::Phase;

namespace {

KnownRelease known(std::uint64_t version)
{
    return {*ResourceUri::parse("fw/gateway"), {0, version}, InfoHash(), "label", 1'000, kBegin};
}

Rollout newest(const Picture& picture)
{
    return rolloutNamed(picture, "fw/gateway", "").value();
}

std::uint16_t code(Errc errc)
{
    return static_cast<std::uint16_t>(errc);
}

} // namespace

class TestRollout : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsWhatReceiptsSayAndNothingElse();
    void isUnknownBeforeAnyDeviceNamesIt();
    void coursesFollowTheWorst();
    void countsDevicesBehindAsUnderWay();
    void ofAReleaseThatWasPassedCountsThoseThatNameIt();
    void hidesTheEndBelowThreeCompletions();
    void givesAnIntervalThatNarrowsWithCompletions();
    void gathersReasonsWorstFirst();
    void listsStragglersByTheirNames();
    void sumsByWhichWayPayloadCame();
    void findsAReleaseByUriAndVersion();
    void putsWhatNeedsAttentionFirst();
};

void TestRollout::countsWhatReceiptsSayAndNothingElse()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy)}), reportOf(2, {entryOf(Phase::Downloading)}),
                reportOf(3, {entryOf(Phase::Failed)}),
                reportOf(4, {entryOf(Phase::Failed, 2, "fw/gateway", code(Errc::Incompatible))}),
                reportOf(5, {}), reportOf(6, {entryOf(Phase::Healthy, 1)}),
                reportOf(7, {entryOf(Phase::Healthy, 9, "fw/radio")})},
               {known(2)}, kBegin);
    const Rollout rollout = newest(*fleet.picture(kBegin));
    QCOMPARE(rollout.eligible, std::size_t{4});
    QCOMPARE(rollout.healthy, std::size_t{1});
    QCOMPARE(rollout.underWay, std::size_t{2});
    QCOMPARE(rollout.trouble, std::size_t{1});
    QCOMPARE(rollout.held, std::size_t{1});
    QCOMPARE(rollout.silent, std::size_t{2});
    QVERIFY(rollout.known);
}

void TestRollout::isUnknownBeforeAnyDeviceNamesIt()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {})}, {known(2)}, kBegin);
    const Rollout rollout = newest(*fleet.picture(kBegin));
    QVERIFY(rollout.course == Course::Unknown);
    QCOMPARE(rollout.eligible, std::size_t{0});
    QCOMPARE(rollout.silent, std::size_t{1});
}

void TestRollout::coursesFollowTheWorst()
{
    Fleet fleet(kBegin);
    const auto course = [&](std::vector<Report> reports, Duration after = 0s) {
        fleet.take(std::move(reports), {known(2)}, kBegin);
        return newest(*fleet.picture(kBegin + std::chrono::duration_cast<std::chrono::seconds>(after)))
            .course;
    };
    QVERIFY(course({reportOf(1, {entryOf(Phase::Healthy)})}) == Course::Done);
    KnownRelease back = known(2);
    back.isWithdrawn = true;
    fleet.take({reportOf(1, {entryOf(Phase::Healthy)})}, {back}, kBegin);
    QVERIFY(newest(*fleet.picture(kBegin)).course == Course::Withdrawn);
    QVERIFY(course({reportOf(1, {entryOf(Phase::Healthy)}), reportOf(2, {entryOf(Phase::Verifying)})})
            == Course::Running);
    QVERIFY(course({reportOf(2, {entryOf(Phase::Verifying)})}, kStalledAfter) == Course::Slow);
    QVERIFY(course({reportOf(2, {entryOf(Phase::Verifying)}), reportOf(3, {entryOf(Phase::RolledBack)})})
            == Course::Failing);
}

void TestRollout::countsDevicesBehindAsUnderWay()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Failed, 1)})}, {known(1), known(2)}, kBegin);
    const Rollout rollout = newest(*fleet.picture(kBegin));
    QCOMPARE(rollout.underWay, std::size_t{1}); // what failed before is no failure of this one
    QCOMPARE(rollout.trouble, std::size_t{0});
}

void TestRollout::ofAReleaseThatWasPassedCountsThoseThatNameIt()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy, 1)}), reportOf(2, {entryOf(Phase::Healthy, 2)})},
               {known(1), known(2)}, kBegin);
    const auto old = rolloutNamed(*fleet.picture(kBegin), "fw/gateway", "1");
    QVERIFY(old && old->course == Course::Passed);
    QCOMPARE(old->eligible, std::size_t{1});
    QCOMPARE(old->healthy, std::size_t{1});
    QVERIFY(!old->remaining);
}

void TestRollout::hidesTheEndBelowThreeCompletions()
{
    Fleet fleet(kBegin);
    std::vector<Report> reports;
    for (std::uint32_t i = 0; i < 10; ++i)
        reports.push_back(reportOf(i, {entryOf(Phase::Downloading)}));
    fleet.take(reports, {known(2)}, kBegin);
    for (std::uint32_t done = 0; done < 4; ++done) {
        reports[done] = reportOf(done, {entryOf(Phase::Healthy)});
        const UtcTime now = kBegin + std::chrono::seconds(10 * (done + 1));
        fleet.take(reports, {known(2)}, now);
        const Rollout rollout = newest(*fleet.picture(now));
        QCOMPARE(rollout.completions, std::size_t{done + 1});
        QCOMPARE(rollout.remaining.has_value(), done + 1 >= kMinCompletions);
    }
}

void TestRollout::givesAnIntervalThatNarrowsWithCompletions()
{
    Fleet fleet(kBegin);
    std::vector<Report> reports;
    for (std::uint32_t i = 0; i < 40; ++i)
        reports.push_back(reportOf(i, {entryOf(Phase::Downloading)}));
    fleet.take(reports, {known(2)}, kBegin);
    double width = 1e9;
    for (std::uint32_t done = 0; done < 20; ++done) { // one every 10 s
        reports[done] = reportOf(done, {entryOf(Phase::Healthy)});
        const UtcTime now = kBegin + std::chrono::seconds(10 * (done + 1));
        fleet.take(reports, {known(2)}, now);
        const Rollout rollout = newest(*fleet.picture(now));
        if (!rollout.remaining)
            continue;
        const double left = 10.0 * static_cast<double>(rollout.underWay);
        QVERIFY(static_cast<double>(rollout.remaining->low.count()) <= left);
        QVERIFY(static_cast<double>(rollout.remaining->high.count()) >= left);
        const double relative =
            static_cast<double>((rollout.remaining->high - rollout.remaining->low).count()) / left;
        QVERIFY(relative <= width + 0.05); // seconds are whole
        width = relative;
    }
    QVERIFY(width < 0.6);
}

void TestRollout::gathersReasonsWorstFirst()
{
    Fleet fleet(kBegin);
    auto reports = std::vector<Report>{
        reportOf(1, {entryOf(Phase::Failed, 2, "fw/gateway", code(Errc::HealthFailed))}),
        reportOf(2, {entryOf(Phase::Failed, 2, "fw/gateway", code(Errc::HealthFailed))}),
        reportOf(3, {entryOf(Phase::Failed, 2, "fw/gateway", code(Errc::DeployFailed))}),
        reportOf(4, {entryOf(Phase::Healthy, 1)}), reportOf(5, {entryOf(Phase::Healthy, 2)})};
    reports[1].receipt.entries[0].detail = "net";
    fleet.take(std::move(reports), {known(2)}, kBegin);
    const auto picture = fleet.picture(kBegin);
    const RolloutReport report = reportOf(*picture, newest(*picture));
    QCOMPARE(report.reasons.size(), std::size_t{3});
    QCOMPARE(report.reasons[0].code, code(Errc::HealthFailed));
    QCOMPARE(report.reasons[0].devices, std::size_t{2});
    QCOMPARE(report.reasons[0].detail, std::string("net"));
    QVERIFY(report.reasons[2].standing == Standing::Waiting && !report.reasons[2].phase);
}

void TestRollout::listsStragglersByTheirNames()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(10, {entryOf(Phase::Accepted)}), reportOf(9, {entryOf(Phase::Accepted)}),
                reportOf(3, {entryOf(Phase::Failed)}), reportOf(4, {entryOf(Phase::Healthy)})},
               {known(2)}, kBegin);
    const auto picture = fleet.picture(kBegin);
    const RolloutReport report = reportOf(*picture, newest(*picture));
    QCOMPARE(report.stragglers.size(), std::size_t{3});
    QCOMPARE(report.stragglers[0].device->name, std::string("gw-3"));
    QCOMPARE(report.stragglers[1].device->name, std::string("gw-9"));
    QCOMPARE(report.stragglers[2].device->name, std::string("gw-10"));
}

void TestRollout::sumsByWhichWayPayloadCame()
{
    Fleet fleet(kBegin);
    const auto with = [](Report report, std::map<std::string, std::uint64_t> paths) {
        report.receipt.paths = std::move(paths);
        return report;
    };
    fleet.take({with(reportOf(1, {entryOf(Phase::Healthy)}), {{"site", 100}, {"relayed", 7}}),
                with(reportOf(2, {entryOf(Phase::Downloading)}), {{"site", 20}}),
                reportOf(3, {entryOf(Phase::Healthy)}), // of an agent that does not count
                with(reportOf(4, {entryOf(Phase::Healthy, 1)}), {{"direct", 1'000}}), // another release
                with(reportOf(5, {}), {{"direct", 1'000}})},
               {known(2)}, kBegin);
    const auto picture = fleet.picture(kBegin);
    const RolloutReport report = fleetview::reportOf(*picture, newest(*picture));
    QVERIFY(report.paths == (std::map<std::string, std::uint64_t>{{"relayed", 7}, {"site", 120}}));
    QCOMPARE(report.pathsOf, std::size_t{2});
}

void TestRollout::findsAReleaseByUriAndVersion()
{
    Fleet fleet(kBegin);
    fleet.take({}, {known(1), known(2)}, kBegin);
    const auto picture = fleet.picture(kBegin);
    QVERIFY(rolloutNamed(*picture, "fw/gateway", "")->revision == (trust::Revision{0, 2}));
    QVERIFY(rolloutNamed(*picture, "fw/gateway", "1")->revision == (trust::Revision{0, 1}));
    QCOMPARE(rolloutNamed(*picture, "fw/gateway", "3").error().code, Errc::NotFound);
    QCOMPARE(rolloutNamed(*picture, "fw/none", "").error().code, Errc::NotFound);
    QCOMPARE(rolloutNamed(*picture, "/fw//", "").error().code, Errc::InvalidUri);
}

void TestRollout::putsWhatNeedsAttentionFirst()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy, 2, "fw/a"), entryOf(Phase::Failed, 2, "fw/z")}),
                reportOf(2, {entryOf(Phase::Downloading, 3, "fw/m")})},
               {}, kBegin);
    const auto rollouts = rolloutsOf(*fleet.picture(kBegin));
    QCOMPARE(rollouts.size(), std::size_t{3});
    QVERIFY(rollouts[0].course == Course::Failing && rollouts[1].course == Course::Running
            && rollouts[2].course == Course::Done);
}

QTEST_APPLESS_MAIN(TestRollout)
#include "tst_rollout.moc"
