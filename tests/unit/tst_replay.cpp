// SPDX-License-Identifier: Apache-2.0
/// The fleet as it was: pictures of earlier moments say what the pictures of those moments said.
#include "fleetview/replay.h"
#include "fleetview/waves.h"
#include "fleetview_samples.h"

#include <QtTest>

using namespace starling;
using namespace starling::fleetview;
using namespace starling::samples;
using namespace std::chrono_literals;

namespace {

/// Releases, devices that go through phases, one that comes late: with the picture of each moment.
struct Past
{
    std::vector<PicturePtr> pictures;
    PicturePtr live() const { return pictures.back(); }
};

KnownRelease knownAt(std::uint64_t version, std::optional<UtcTime> since)
{
    return {*ResourceUri::parse("fw/gateway"), {0, version}, InfoHash(), {}, 1, since};
}

Past makePast()
{
    static constexpr std::array kPhases{trust::Phase::Downloading, trust::Phase::Verifying,
                                        trust::Phase::Checking, trust::Phase::Healthy};
    Past past;
    Fleet fleet(kBegin);
    std::vector<KnownRelease> known{knownAt(1, std::nullopt)};
    for (std::uint32_t minute = 0; minute < 8; ++minute) {
        const UtcTime now = kBegin + minute * 1min;
        if (minute == 2)
            known.push_back(knownAt(2, now));
        std::vector<Report> reports;
        for (std::uint32_t device = 0; device < (minute < 5 ? 6U : 7U); ++device) {
            const std::uint32_t turn = minute < 2 + device % 3 ? 0 : minute - 2 - device % 3;
            const bool isNew = minute >= 2 + device % 3;
            trust::Phase phase = isNew ? kPhases[std::min<std::size_t>(turn, 3)] : trust::Phase::Healthy;
            if (device == 4 && phase == trust::Phase::Healthy && isNew)
                phase = trust::Phase::RolledBack;
            reports.push_back(reportOf(
                device, {entryOf(phase, isNew ? 2 : 1), entryOf(trust::Phase::Healthy, 9, "fw/other")}));
            reports.back().receipt.sequence = minute + 1;
        }
        fleet.take(std::move(reports), known, now);
        past.pictures.push_back(fleet.picture(now));
    }
    return past;
}

} // namespace

class TestReplay : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void saysOfEachMomentWhatItsPictureSaid()
    {
        const Past past = makePast();
        for (const PicturePtr& then : past.pictures) {
            const PicturePtr again = pictureAt(past.live(), then->at);
            QCOMPARE(again->at, then->at);
            QVERIFY(again->standings == then->standings);
            QCOMPARE(again->devices.size(), then->devices.size());
            for (std::size_t i = 0; i < then->devices.size(); ++i) {
                const Device &a = *again->devices[i], &b = *then->devices[i];
                QVERIFY(a.node == b.node && a.standing == b.standing && a.decisive == b.decisive);
                QVERIFY(a.receipt.entries == b.receipt.entries);
            }
            QCOMPARE(again->releases.size(), then->releases.size());
            for (std::size_t i = 0; i < then->releases.size(); ++i) {
                const Release &a = again->releases[i], &b = then->releases[i];
                QVERIFY(a.revision == b.revision && a.isNewest == b.isNewest && a.standings == b.standings);
            }
        }
    }

    void wavesEndWhereTimeDoes()
    {
        const Past past = makePast();
        for (const PicturePtr& then : past.pictures) {
            const Waves again = wavesOf(*pictureAt(past.live(), then->at), ""), was = wavesOf(*then, "");
            QCOMPARE(again.to, was.to);
            QCOMPARE(again.rows.size(), was.rows.size());
            QVERIFY(again.rows[0].points.back() == was.rows[0].points.back());
        }
    }

    void betweenTwoMomentsTheEarlierStands()
    {
        const Past past = makePast();
        QVERIFY(pictureAt(past.live(), kBegin + 3min + 59s)->standings == past.pictures[3]->standings);
    }

    void outsideOfTheRecordItsEndsStand()
    {
        const Past past = makePast();
        QCOMPARE(pictureAt(past.live(), past.live()->at + 1h), past.live());
        QCOMPARE(pictureAt(past.live(), kBegin - 1h)->at, kBegin);
        QVERIFY(pictureAt(past.live(), kBegin - 1h)->standings == past.pictures[0]->standings);
    }

    void sharesWhatHasNotChanged()
    {
        const Past past = makePast();
        const PicturePtr again = pictureAt(past.live(), past.live()->at - 1s);
        QVERIFY(again->devices[0] == past.live()->devices[0]);
        QVERIFY(again->steps == past.live()->steps);
    }

    void leavesOutDevicesThatAreGone()
    {
        Fleet fleet(kBegin);
        fleet.take(
            {reportOf(1, {entryOf(trust::Phase::Healthy)}), reportOf(2, {entryOf(trust::Phase::Healthy)})},
            {}, kBegin);
        fleet.take({reportOf(1, {entryOf(trust::Phase::Failed)})}, {}, kBegin + 60s);
        const PicturePtr then = pictureAt(fleet.picture(kBegin + 60s), kBegin + 30s);
        QCOMPARE(then->devices.size(), std::size_t{1});
        QVERIFY(then->devices[0]->standing == Standing::Healthy);
    }

    void survivesAnEmptyFleet()
    {
        Fleet fleet(kBegin);
        const PicturePtr live = fleet.picture(kBegin + 10s);
        QVERIFY(pictureAt(live, kBegin + 5s)->devices.empty());
        QVERIFY(!changeBefore(*live, kBegin + 5s) && !changeAfter(*live, kBegin + 5s));
    }

    void findsTheChangesAround()
    {
        const Past past = makePast();
        const Picture& live = *past.live();
        QVERIFY(changeBefore(live, kBegin) == std::nullopt);
        QVERIFY(changeBefore(live, kBegin + 2min) == kBegin);
        QVERIFY(changeAfter(live, kBegin) == kBegin + 2min);
        QVERIFY(changeAfter(live, live.at) == std::nullopt);
    }
};

QTEST_GUILESS_MAIN(TestReplay)
#include "tst_replay.moc"
