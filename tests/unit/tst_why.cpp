// SPDX-License-Identifier: Apache-2.0
#include "fleetview/course.h"
#include "fleetview/why.h"
#include "fleetview_samples.h"

#include <QtTest>

using namespace starling;
using namespace starling::fleetview;
using namespace starling::samples;
using namespace std::chrono_literals;
using trust::Phase;

namespace {

KnownRelease known(std::uint64_t version, const char* uri = "fw/gateway")
{
    return {*ResourceUri::parse(uri), {0, version}, InfoHash(), "label", 1'000, kBegin};
}

/// What there is to say of device 1, which reports `entry` after `quiet`.
Why whyOfOne(const trust::ReceiptEntry& entry, std::vector<KnownRelease> releases = {known(2)},
             Duration quiet = 0s)
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entry})}, std::move(releases), kBegin);
    const auto picture = fleet.picture(kBegin + std::chrono::duration_cast<std::chrono::seconds>(quiet));
    return whyOf(*picture, *picture->find(nodeOf(1)));
}

} // namespace

class TestWhy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void namesTheCauseOfEachPhase_data();
    void namesTheCauseOfEachPhase();
    void saysOlderOfWhatHasNotHeardOfTheNewest();
    void saysSilentOfAResourceThatTheReceiptDoesNotName();
    void callsQuietWhatSaysNothingForLong();
    void knowsNoAgeOfWhatWasThereBefore();
    void tellsAgeAndSinceWhen();
    void putsTheWorstFirst();
    void tellsOfNewerRootsAndAlarms();
    void findsDevicesByNameOrId();
    void refusesNamesThatAreNotUnique();
    void tellsTheWayOfARelease();
    void knowsNoTimeOfPhasesThatItDidNotSee();
    void tellsOnlyWhatWasSeenOfOneThatFailed();
    void mixesNoTwoReleasesOfAResource();
};

void TestWhy::namesTheCauseOfEachPhase_data()
{
    QTest::addColumn<Phase>("phase");
    QTest::addColumn<int>("code");
    QTest::addColumn<Cause>("cause");
    QTest::newRow("healthy") << Phase::Healthy << 0 << Cause::Newest;
    QTest::newRow("accepted") << Phase::Accepted << 0 << Cause::NotBegun;
    QTest::newRow("downloading") << Phase::Downloading << 0 << Cause::UnderWay;
    QTest::newRow("checking") << Phase::Checking << 0 << Cause::UnderWay;
    QTest::newRow("failed") << Phase::Failed << static_cast<int>(Errc::HealthFailed) << Cause::Failed;
    QTest::newRow("undone") << Phase::RolledBack << static_cast<int>(Errc::HealthFailed) << Cause::RolledBack;
    QTest::newRow("withdrawn") << Phase::Failed << static_cast<int>(Errc::Withdrawn) << Cause::Withdrawn;
    QTest::newRow("not for it") << Phase::Failed << static_cast<int>(Errc::Incompatible) << Cause::NotForIt;
    QTest::newRow("withdrawn") << Phase::Failed << static_cast<int>(Errc::Withdrawn) << Cause::Withdrawn;
}

void TestWhy::namesTheCauseOfEachPhase()
{
    QFETCH(Phase, phase);
    QFETCH(int, code);
    QFETCH(Cause, cause);
    const Why why = whyOfOne(entryOf(phase, 2, "fw/gateway", static_cast<std::uint16_t>(code)));
    QCOMPARE(why.reasons.size(), std::size_t{1});
    QCOMPARE(causeName(why.reasons[0].cause), causeName(cause));
    QVERIFY(why.reasons[0].standing == why.standing);
    QVERIFY(why.reasons[0].known && why.reasons[0].known->knownSince == kBegin);
}

void TestWhy::saysOlderOfWhatHasNotHeardOfTheNewest()
{
    const Why why = whyOfOne(entryOf(Phase::Healthy, 1));
    QVERIFY(why.reasons[0].cause == Cause::Older && why.reasons[0].standing == Standing::Waiting);
    QVERIFY(why.reasons[0].newest == (trust::Revision{0, 2}));
    QVERIFY(why.reasons[0].entry->revision == (trust::Revision{0, 1}));
}

void TestWhy::saysSilentOfAResourceThatTheReceiptDoesNotName()
{
    const Why why = whyOfOne(entryOf(Phase::Healthy, 2), {known(2), known(7, "fw/radio")});
    QCOMPARE(why.reasons.size(), std::size_t{2});
    QVERIFY(why.reasons[0].cause == Cause::Silent && !why.reasons[0].entry);
    QCOMPARE(QByteArray(why.reasons[0].uri.text().data()), QByteArray("fw/radio"));
    QVERIFY(why.reasons[0].standing == Standing::Unknown);
}

void TestWhy::callsQuietWhatSaysNothingForLong()
{
    QVERIFY(whyOfOne(entryOf(Phase::Downloading), {}, kStalledAfter - 1s).reasons[0].cause
            == Cause::UnderWay);
    const Why why = whyOfOne(entryOf(Phase::Downloading), {}, kStalledAfter);
    QVERIFY(why.reasons[0].cause == Cause::Quiet && why.reasons[0].standing == Standing::Stalled);
    QVERIFY(!why.reasons[0].known); // known by the receipt alone
}

void TestWhy::knowsNoAgeOfWhatWasThereBefore()
{
    const Why why = whyOfOne(entryOf(Phase::Downloading), {known(2)}, 60s);
    QVERIFY(!why.age);
    QVERIFY(!why.reasons[0].since);
}

void TestWhy::tellsAgeAndSinceWhen()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Accepted)})}, {known(2)}, kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Downloading)})}, {known(2)}, kBegin + 10s);
    auto again = reportOf(1, {entryOf(Phase::Downloading)});
    again.receipt.sequence = 2;
    fleet.take({again}, {known(2)}, kBegin + 30s);
    const auto picture = fleet.picture(kBegin + 40s);
    const Why why = whyOf(*picture, *picture->find(nodeOf(1)));
    QVERIFY(why.age == Duration(10s));
    QVERIFY(why.reasons[0].since == kBegin + 10s);
    QCOMPARE(why.sequence, std::uint64_t{2});
}

void TestWhy::putsTheWorstFirst()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy, 2, "fw/a"), entryOf(Phase::Failed, 2, "fw/b")})}, {},
               kBegin);
    const auto picture = fleet.picture(kBegin);
    const Why why = whyOf(*picture, *picture->find(nodeOf(1)));
    QVERIFY(why.reasons[0].cause == Cause::Failed && why.reasons[1].cause == Cause::Newest);
    QVERIFY(why.standing == Standing::Failed);
}

void TestWhy::tellsOfNewerRootsAndAlarms()
{
    Fleet fleet(kBegin);
    auto behind = reportOf(1, {}), ahead = reportOf(2, {});
    behind.receipt.rootNumber = 1;
    behind.receipt.alarms["rollback"] = 3;
    behind.receipt.paths["relayed"] = 7;
    ahead.receipt.rootNumber = 4;
    fleet.take({behind, ahead}, {}, kBegin);
    const auto picture = fleet.picture(kBegin);
    const Why why = whyOf(*picture, *picture->find(nodeOf(1)));
    QCOMPARE(why.rootNumber, std::uint64_t{1});
    QCOMPARE(why.newestRoot, std::uint64_t{4});
    QCOMPARE(why.alarms.at("rollback"), std::uint64_t{3});
    QCOMPARE(why.paths.at("relayed"), std::uint64_t{7});
    QVERIFY(why.reasons.empty());
}

void TestWhy::findsDevicesByNameOrId()
{
    Fleet fleet(kBegin);
    fleet.take(reportsOf(20, 2), {}, kBegin);
    const auto picture = fleet.picture(kBegin);
    const std::string id = nodeOf(7).hex();
    for (const std::string& text : {std::string("gw-7"), id, id.substr(0, 8),
                                    QString::fromStdString(id.substr(0, 8)).toUpper().toStdString()}) {
        const auto found = deviceNamed(*picture, text);
        QVERIFY2(found, text.c_str());
        QVERIFY((*found)->node == nodeOf(7));
    }
    QCOMPARE(deviceNamed(*picture, "gw").error().code, Errc::NotFound);
    QCOMPARE(deviceNamed(*picture, id.substr(0, kMinIdDigits - 1)).error().code, Errc::NotFound);
    QCOMPARE(deviceNamed(*picture, "").error().code, Errc::NotFound);
}

void TestWhy::refusesNamesThatAreNotUnique()
{
    Fleet fleet(kBegin);
    auto one = reportOf(1, {}), other = reportOf(2, {});
    one.name = other.name = "twin";
    fleet.take({one, other}, {}, kBegin);
    const auto picture = fleet.picture(kBegin);
    QCOMPARE(deviceNamed(*picture, "twin").error().code, Errc::Usage);
    QVERIFY(deviceNamed(*picture, nodeOf(2).hex()));
}

namespace {

/// Device 1 as this console saw it say these, ten seconds apart.
fleetview::DevicePtr deviceThatSaid(const std::vector<trust::ReceiptEntry>& entries)
{
    Fleet fleet(kBegin);
    fleet.take({}, {}, kBegin); // what comes first was there before
    std::uint64_t sequence = 0;
    UtcTime now = kBegin;
    for (const trust::ReceiptEntry& entry : entries) {
        auto report = reportOf(1, {entry});
        report.receipt.sequence = ++sequence;
        fleet.take({std::move(report)}, {known(2)}, now += 10s);
    }
    return fleet.picture(now)->devices.front();
}

std::vector<Leg> courseOfOne(const std::vector<trust::ReceiptEntry>& entries)
{
    return courseOf(*deviceThatSaid(entries), entries.back());
}

} // namespace

void TestWhy::tellsTheWayOfARelease()
{
    using State = Leg::State;
    const auto legs = courseOfOne({entryOf(Phase::Announced), entryOf(Phase::Accepted),
                                   entryOf(Phase::Downloading), entryOf(Phase::Verifying)});
    const std::vector<Leg> expected{
        {Phase::Announced, State::Done, {}}, // it came with the device, which was new
        {Phase::Accepted, State::Done, kBegin + 20s}, {Phase::Downloading, State::Done, kBegin + 30s},
        {Phase::Verifying, State::Now, kBegin + 40s}, {Phase::Staged, State::Ahead, {}},
        {Phase::Deploying, State::Ahead, {}},         {Phase::Checking, State::Ahead, {}},
        {Phase::Healthy, State::Ahead, {}},
    };
    QCOMPARE(legs.size(), expected.size());
    for (std::size_t i = 0; i < legs.size(); ++i)
        QVERIFY2(legs[i] == expected[i], phaseName(expected[i].phase).data());
    QVERIFY(legStateName(State::Ahead) == "ahead");
}

void TestWhy::knowsNoTimeOfPhasesThatItDidNotSee()
{
    const auto legs = courseOfOne({entryOf(Phase::Announced), entryOf(Phase::Healthy)});
    QCOMPARE(legs.size(), std::size_t{8});
    QVERIFY(legs[4].state == Leg::State::Done && !legs[4].at);
    QVERIFY(legs[7].state == Leg::State::Now && legs[7].at == kBegin + 20s);
    const auto before = courseOfOne({entryOf(Phase::Healthy)});
    QVERIFY(before[7].state == Leg::State::Now && !before[7].at);
}

void TestWhy::tellsOnlyWhatWasSeenOfOneThatFailed()
{
    const auto phases = [](const std::vector<Leg>& legs) {
        std::string names;
        for (const Leg& leg : legs)
            names += std::string(phaseName(leg.phase)) + ':' + std::string(legStateName(leg.state)) + ' ';
        return names;
    };
    QCOMPARE(phases(courseOfOne({entryOf(Phase::Accepted), entryOf(Phase::Checking),
                                 entryOf(Phase::RollingBack), entryOf(Phase::RolledBack)})),
             std::string("accepted:done checking:done rolling-back:done rolled-back:now "));
    QCOMPARE(phases(courseOfOne({entryOf(Phase::Deploying), entryOf(Phase::RollingBack)})),
             std::string("deploying:done rolling-back:now rolled-back:ahead "));
    QCOMPARE(phases(courseOfOne({entryOf(Phase::Failed)})), std::string("failed:now "));
}

void TestWhy::mixesNoTwoReleasesOfAResource()
{
    const auto legs =
        courseOfOne({entryOf(Phase::Announced, 1), entryOf(Phase::Healthy, 1), entryOf(Phase::Accepted, 2)});
    QVERIFY(legs[0].phase == Phase::Announced && !legs[0].at);
    QVERIFY(legs[1].at == kBegin + 30s);
    QVERIFY(legs[7].state == Leg::State::Ahead && !legs[7].at);
}

QTEST_APPLESS_MAIN(TestWhy)
#include "tst_why.moc"
