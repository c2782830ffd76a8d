// SPDX-License-Identifier: Apache-2.0
#include "fleetview/forecast.h"
#include "fleetview/grid_layout.h"
#include "fleetview/hints.h"
#include "fleetview/pick.h"
#include "fleetview/waves.h"
#include "fleetview/why.h"
#include "fleetview_samples.h"

#include <QtTest>

using namespace starling;
using namespace starling::fleetview;
using namespace starling::samples;
using namespace std::chrono_literals;
using trust::Phase;

namespace {

Standing standingNow(Fleet& fleet, std::uint32_t number, UtcTime now)
{
    const Device* device = fleet.picture(now)->find(nodeOf(number));
    return device == nullptr ? Standing::Unknown : device->standing;
}

KnownRelease known(std::uint64_t version)
{
    return {*ResourceUri::parse("fw/gateway"), {0, version}, InfoHash(), "label", 1'000, std::nullopt};
}

} // namespace

class TestFleetview : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void paintsGreenOnlyWhatSaysHealthyOfTheNewest();
    void addsUpHintsAndNothingBeyondThem();
    void saysAboutHowMany();
    void letsTheWorstResourceDecide();
    void callsStalledWhatSaysNothingForLong();
    void saysWhenItHeardOnlyOfWhatCameSince();
    void sharesDevicesThatDidNotChange();
    void forgetsDevicesThatAreToldNoMore();
    void hearsOfSomeDevicesAlone();
    void isReadPartByPart();
    void takesUpNoMoreDevicesThanItHasRoomFor();
    void keepsALimitedHistory();
    void countsDevicesOnEachRelease();
    void moodFollowsTheWorst();
    void gathersNeedsByWhatAilsLargestFirst();
    void countsFacets();
    void ordersNamesByTheNumbersInThem();
    void laysTheGridOutDeterministically();
    void findsTheCellUnderAPoint();
    void fillsWavesAsDevicesBecomeHealthy();
    void mergesWavesBeyondTen();
    void keepsOneCopyOfTheSameLabels();
    void namesTheFieldsOfFacets();
    void picksDevicesAndCountsThemAnew();
    void forecastsWhoTakesAReleaseAndWhyOthersDoNot();
    void countsNoConsole();
    void asksTheMoreTheLargerTheStep();
};

void TestFleetview::paintsGreenOnlyWhatSaysHealthyOfTheNewest()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy, 1)}), reportOf(2, {})}, {}, kBegin);
    QCOMPARE(standingNow(fleet, 1, kBegin), Standing::Healthy);
    QCOMPARE(standingNow(fleet, 2, kBegin), Standing::Unknown);
    // The agent holds a verified notice of version 2: what says "healthy" of 1 waits for it.
    fleet.take({reportOf(1, {entryOf(Phase::Healthy, 1)})}, {known(2)}, kBegin + 1s);
    QCOMPARE(standingNow(fleet, 1, kBegin + 1s), Standing::Waiting);
    // So it does when another device names a newer one.
    Fleet other(kBegin);
    other.take({reportOf(1, {entryOf(Phase::Healthy, 1)}), reportOf(2, {entryOf(Phase::Downloading, 2)})}, {},
               kBegin);
    QCOMPARE(standingNow(other, 1, kBegin), Standing::Waiting);
    QCOMPARE(standingNow(other, 2, kBegin), Standing::Downloading);
}

void TestFleetview::letsTheWorstResourceDecide()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy, 1, "fw/a"), entryOf(Phase::Failed, 1, "fw/b", 404)})},
               {}, kBegin);
    const PicturePtr picture = fleet.picture(kBegin);
    QCOMPARE(picture->devices[0]->standing, Standing::Failed);
    QCOMPARE(picture->devices[0]->decisiveEntry()->uri.text(), std::string("fw/b"));
    fleet.take({reportOf(1, {entryOf(Phase::Failed, 1, "fw/a", 407)})}, {}, kBegin + 1s);
    QCOMPARE(standingNow(fleet, 1, kBegin + 1s), Standing::Held);
}

void TestFleetview::callsStalledWhatSaysNothingForLong()
{
    const auto stalledAfter = std::chrono::duration_cast<std::chrono::seconds>(kStalledAfter);
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Downloading)}), reportOf(2, {entryOf(Phase::Healthy)})}, {},
               kBegin);
    QCOMPARE(standingNow(fleet, 1, kBegin + stalledAfter - 1s), Standing::Downloading);
    QCOMPARE(standingNow(fleet, 1, kBegin + stalledAfter), Standing::Stalled);
    QCOMPARE(standingNow(fleet, 2, kBegin + 1'000h), Standing::Healthy);
    fleet.take({reportOf(1, {entryOf(Phase::Checking)})}, {}, kBegin + stalledAfter + 1s);
    QCOMPARE(standingNow(fleet, 1, kBegin + stalledAfter + 1s), Standing::Installing);
}

void TestFleetview::saysWhenItHeardOnlyOfWhatCameSince()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Downloading)})}, {}, kBegin);
    QVERIFY(!fleet.picture(kBegin)->devices[0]->heardAt);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy)})}, {}, kBegin + 5s);
    const PicturePtr picture = fleet.picture(kBegin + 9s);
    QVERIFY(picture->devices[0]->heardAt == kBegin + 5s);
    QCOMPARE(picture->devices[0]->history.size(), std::size_t{2});
    QVERIFY(picture->devices[0]->history[1].at == kBegin + 5s);
}

void TestFleetview::sharesDevicesThatDidNotChange()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Downloading)}), reportOf(2, {entryOf(Phase::Healthy)})}, {},
               kBegin);
    const PicturePtr before = fleet.picture(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Checking)}), reportOf(2, {entryOf(Phase::Healthy)})}, {},
               kBegin + 1s);
    const PicturePtr after = fleet.picture(kBegin + 1s);
    QVERIFY(before->find(nodeOf(2)) == after->find(nodeOf(2)));
    QVERIFY(before->find(nodeOf(1)) != after->find(nodeOf(1)));
    QCOMPARE(before->find(nodeOf(1))->standing, Standing::Downloading);
    QCOMPARE(before->steps->size(), std::size_t{2});
    QCOMPARE(after->steps->size(), std::size_t{3});
}

void TestFleetview::forgetsDevicesThatAreToldNoMore()
{
    Fleet fleet(kBegin);
    fleet.take(reportsOf(5, 2), {}, kBegin);
    fleet.take(reportsOf(3, 2), {}, kBegin + 1s);
    QCOMPARE(fleet.picture(kBegin + 1s)->devices.size(), std::size_t{3});
}

void TestFleetview::hearsOfSomeDevicesAlone()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy, 2)}), reportOf(2, {entryOf(Phase::Downloading, 2)})}, {},
               kBegin);
    const PicturePtr before = fleet.picture(kBegin);
    fleet.hear({reportOf(2, {entryOf(Phase::Healthy, 2)}), reportOf(3, {entryOf(Phase::Accepted, 3)})},
               {known(3)}, kBegin + 5s);
    const PicturePtr after = fleet.picture(kBegin + 5s);
    QCOMPARE(after->devices.size(), 3U);
    QCOMPARE(after->find(nodeOf(2))->heardAt, kBegin + 5s);
    QCOMPARE(after->find(nodeOf(1))->heardAt, std::nullopt);
    // What one device names is out for all.
    QCOMPARE(before->find(nodeOf(1))->standing, Standing::Healthy);
    QCOMPARE(after->find(nodeOf(1))->standing, Standing::Waiting);
    QCOMPARE(after->steps->size(), before->steps->size() + 3);
}

void TestFleetview::isReadPartByPart()
{
    Fleet fleet(kBegin);
    const auto devices = [&](UtcTime now) { return fleet.picture(now)->devices.size(); };
    const auto all = reportsOf(5, 2);
    const auto part = [&](std::size_t first, std::size_t end) {
        return std::vector<Report>(all.begin() + static_cast<std::ptrdiff_t>(first),
                                   all.begin() + static_cast<std::ptrdiff_t>(end));
    };
    fleet.beginReading();
    fleet.hear(part(0, 2), {}, kBegin);
    QCOMPARE(devices(kBegin), std::size_t{2});
    fleet.hear(part(2, 5), {}, kBegin + 2s);
    fleet.endReading(kBegin + 2s);
    const PicturePtr whole = fleet.picture(kBegin + 2s);
    QCOMPARE(whole->devices.size(), std::size_t{5});
    for (const DevicePtr& device : whole->devices)
        QVERIFY(!device->heardAt); // the agent held all of it before
    fleet.hear({reportOf(2, {entryOf(Phase::Downloading)})}, {}, kBegin + 4s);
    QVERIFY(fleet.picture(kBegin + 4s)->find(nodeOf(2))->heardAt == kBegin + 4s);
    // Anew: what is told again stays as it is, and what is not goes, but not before the end.
    const PicturePtr before = fleet.picture(kBegin + 5s);
    fleet.beginReading();
    fleet.hear(part(0, 1), {}, kBegin + 6s);
    QCOMPARE(devices(kBegin + 6s), std::size_t{5});
    // The agent is lost meanwhile, and asked again.
    fleet.beginReading();
    fleet.hear(part(3, 5), {}, kBegin + 7s);
    fleet.endReading(kBegin + 7s);
    const PicturePtr after = fleet.picture(kBegin + 7s);
    QCOMPARE(after->devices.size(), std::size_t{2});
    QVERIFY(after->find(nodeOf(3)) == before->find(nodeOf(3)) && after->find(nodeOf(0)) == nullptr);
}

void TestFleetview::takesUpNoMoreDevicesThanItHasRoomFor()
{
    Fleet fleet(kBegin);
    const auto many = static_cast<std::uint32_t>(Fleet::kMaxDevices);
    std::vector<Report> reports;
    for (std::uint32_t i = 0; i < many + 3; ++i)
        reports.push_back(reportOf(i, {}));
    fleet.take(std::move(reports), {}, kBegin);
    QCOMPARE(fleet.devices(), Fleet::kMaxDevices);
    // Of those that are held it hears on.
    fleet.hear({reportOf(1, {entryOf(Phase::Healthy)}), reportOf(many + 1, {entryOf(Phase::Healthy)})}, {},
               kBegin + 1s);
    const PicturePtr picture = fleet.picture(kBegin + 1s);
    QCOMPARE(picture->devices.size(), Fleet::kMaxDevices);
    QCOMPARE(picture->find(nodeOf(1))->standing, Standing::Healthy);
    QVERIFY(picture->find(nodeOf(many + 1)) == nullptr);
}

void TestFleetview::keepsALimitedHistory()
{
    Fleet fleet(kBegin);
    for (std::uint32_t i = 1; i <= kMaxHistory + 3; ++i)
        fleet.take({reportOf(1, {entryOf(Phase::Healthy, i)})}, {}, kBegin + std::chrono::seconds(i));
    const PicturePtr picture = fleet.picture(kBegin + 1h);
    QCOMPARE(picture->devices[0]->history.size(), kMaxHistory);
    QCOMPARE(picture->devices[0]->history[0].entry.revision.version, std::uint64_t{4});
}

void TestFleetview::countsDevicesOnEachRelease()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy, 1)}), reportOf(2, {entryOf(Phase::Healthy, 2)}),
                reportOf(3, {entryOf(Phase::Failed, 2)})},
               {known(2)}, kBegin);
    const PicturePtr picture = fleet.picture(kBegin);
    QCOMPARE(picture->releases.size(), std::size_t{2});
    const Release& newest = picture->releases[0];
    QVERIFY(newest.isNewest && newest.known && newest.revision.version == 2);
    QCOMPARE(newest.devices(), std::size_t{2});
    QCOMPARE(newest.count(Standing::Healthy), std::size_t{1});
    QVERIFY(!picture->releases[1].isNewest && !picture->releases[1].known);
}

void TestFleetview::moodFollowsTheWorst()
{
    const auto mood = [](std::vector<Report> reports, std::chrono::seconds later = 0s) {
        Fleet fleet(kBegin);
        fleet.take(std::move(reports), {}, kBegin);
        return moodOf(*fleet.picture(kBegin + later));
    };
    QCOMPARE(mood({}), Mood::Empty);
    QCOMPARE(mood({reportOf(1, {})}), Mood::Idle);
    QCOMPARE(mood({reportOf(1, {entryOf(Phase::Healthy)})}), Mood::Good);
    QCOMPARE(mood({reportOf(1, {entryOf(Phase::Healthy)}), reportOf(2, {entryOf(Phase::Staged)})}),
             Mood::OnTrack);
    QCOMPARE(mood({reportOf(1, {entryOf(Phase::Staged)})}, 1h), Mood::Slow);
    QCOMPARE(mood({reportOf(1, {entryOf(Phase::Staged)}), reportOf(2, {entryOf(Phase::RolledBack)})}, 1h),
             Mood::Failing);
}

void TestFleetview::gathersNeedsByWhatAilsLargestFirst()
{
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Failed, 2, "fw/a", 401)}),
                reportOf(2, {entryOf(Phase::Failed, 2, "fw/a", 404)}),
                reportOf(3, {entryOf(Phase::Failed, 2, "fw/a", 404)}),
                reportOf(4, {entryOf(Phase::Healthy)})},
               {}, kBegin);
    const auto needs = needsOf(*fleet.picture(kBegin));
    QCOMPARE(needs.size(), std::size_t{2});
    QCOMPARE(needs[0].code, std::uint16_t{404});
    QCOMPARE(needs[0].devices.size(), std::size_t{2});
}

void TestFleetview::countsFacets()
{
    Fleet fleet(kBegin);
    fleet.take(reportsOf(700, 30), {}, kBegin);
    const auto facets = facetsOf(fleet.picture(kBegin)->devices);
    QCOMPARE(facets.size(), std::size_t{4});
    QCOMPARE(facets[0].field, std::string("state"));
    QVERIFY(facets[0].values[0] == (FacetValue{"healthy", 600}));
    std::size_t sum = facets[3].others;
    for (const FacetValue& value : facets[3].values)
        sum += value.devices;
    QCOMPARE(facets[3].field, std::string("site"));
    QCOMPARE(facets[3].values.size(), kMaxFacetValues);
    QCOMPARE(sum, std::size_t{700});
}

void TestFleetview::ordersNamesByTheNumbersInThem()
{
    const std::vector<std::string> ordered{"",     "1:2", "1:10", "a",     "a7",     "a07",
                                           "a07b", "a8",  "a10",  "a10b2", "a10b10", "b"};
    for (std::size_t i = 0; i < ordered.size(); ++i)
        for (std::size_t j = 0; j < ordered.size(); ++j)
            QVERIFY2(NaturalOrder()(ordered[i], ordered[j]) == (i < j)
                         || (ordered[i] == "a7" && ordered[j] == "a07")
                         || (ordered[i] == "a07" && ordered[j] == "a7"),
                     (ordered[i] + " " + ordered[j]).c_str());
    QVERIFY(NaturalOrder()("a7", "a07") != NaturalOrder()("a07", "a7"));
}

void TestFleetview::laysTheGridOutDeterministically()
{
    Fleet fleet(kBegin);
    fleet.take(reportsOf(1'000, 4), {}, kBegin);
    const auto devices = fleet.picture(kBegin)->devices;
    const GridPlan plan = planGrid(devices, "site", 900, 600);
    QCOMPARE(plan.groups.size(), std::size_t{4});
    QCOMPARE(plan.groups[0].name, std::string("site-0"));
    QVERIFY(plan.height <= 600);
    // What the devices do moves none.
    auto reports = reportsOf(1'000, 4);
    for (Report& report : reports)
        report.receipt.entries[0].phase = Phase::Failed;
    fleet.take(std::move(reports), {}, kBegin + 1s);
    QVERIFY(planGrid(fleet.picture(kBegin + 1s)->devices, "site", 900, 600).order == plan.order);
    QVERIFY(planGrid({devices.begin(), devices.begin() + 4}, "", 900, 600).hasCards());
    QCOMPARE(planGrid({}, "site", 900, 600).height, 0);
}

void TestFleetview::findsTheCellUnderAPoint()
{
    Fleet fleet(kBegin);
    fleet.take(reportsOf(500, 3), {}, kBegin);
    const GridPlan plan = planGrid(fleet.picture(kBegin)->devices, "site", 640, 480);
    for (std::size_t place = 0; place < plan.order.size(); ++place) {
        const auto [x, y] = plan.cellAt(place);
        QCOMPARE(plan.placeAt(x, y).value_or(9'999), place);
        QVERIFY(!plan.placeAt(x + plan.cellWidth - plan.gap, y));
    }
    QVERIFY(!plan.placeAt(-1, 5) && !plan.placeAt(5, 5) && !plan.placeAt(5, 10'000));
}

void TestFleetview::fillsWavesAsDevicesBecomeHealthy()
{
    const std::map<std::string, std::string> berlin{{"site", "berlin"}}, oslo{{"site", "oslo"}};
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Staged)}, berlin), reportOf(2, {entryOf(Phase::Staged)}, oslo)},
               {}, kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy)}, berlin), reportOf(2, {entryOf(Phase::Staged)}, oslo)},
               {}, kBegin + 3s);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy)}, berlin), reportOf(2, {entryOf(Phase::Failed)}, oslo)},
               {}, kBegin + 5s);
    const Waves waves = wavesOf(*fleet.picture(kBegin + 9s), "site");
    QCOMPARE(waves.rows.size(), std::size_t{2});
    QVERIFY(waves.from == kBegin && waves.to == kBegin + 9s && waves.merged == 0);
    QVERIFY((waves.rows[0].points == std::vector<WavePoint>{{kBegin, 0, 0}, {kBegin + 3s, 1, 0}}));
    QVERIFY((waves.rows[1].points == std::vector<WavePoint>{{kBegin, 0, 0}, {kBegin + 5s, 0, 1}}));
}

void TestFleetview::keepsOneCopyOfTheSameLabels()
{
    Fleet fleet(kBegin);
    fleet.take(reportsOf(12, 2), {}, kBegin); // two sites and two models: four kinds
    const PicturePtr before = fleet.picture(kBegin);
    std::set<const void*> kinds;
    for (const DevicePtr& device : before->devices)
        kinds.insert(device->labels.identity());
    QCOMPARE(kinds.size(), std::size_t{4});
    // Another name for one label, and only of one device.
    auto reports = reportsOf(12, 2);
    reports[3].labels["site"] = "elsewhere";
    fleet.take(std::move(reports), {}, kBegin + 1s);
    const PicturePtr after = fleet.picture(kBegin + 1s);
    for (const DevicePtr& device : after->devices) {
        const bool isMoved = device->node == nodeOf(3);
        QCOMPARE(kinds.contains(device->labels.identity()), !isMoved);
        QCOMPARE(device->label("site") == "elsewhere", isMoved);
    }
}

void TestFleetview::namesTheFieldsOfFacets()
{
    Fleet fleet(kBegin);
    auto reports = reportsOf(60, 3);
    for (std::size_t i = 0; i < reports.size(); ++i)
        for (std::size_t label = 0; label < 7 && label < i; ++label) // of seven, some more often than others
            reports[i].labels["l" + std::to_string(label)] = std::to_string(i);
    for (const std::size_t devices : {std::size_t{0}, std::size_t{1}, reports.size()}) {
        fleet.take({reports.begin(), reports.begin() + static_cast<std::ptrdiff_t>(devices)}, {}, kBegin);
        const auto shown = fleet.picture(kBegin)->devices;
        std::vector<std::string> fields;
        for (const Facet& facet : facetsOf(shown))
            fields.push_back(facet.field);
        QCOMPARE(fieldsOf(shown), fields);
    }
}

void TestFleetview::picksDevicesAndCountsThemAnew()
{
    Fleet fleet(kBegin);
    fleet.take(reportsOf(700, 5), {}, kBegin);
    const PicturePtr all = fleet.picture(kBegin);
    QVERIFY(pick(all, Query()) == all);
    const PicturePtr some = pick(all, *Query::parse("site=site-4 and state=failed"));
    QVERIFY(!some->devices.empty());
    QCOMPARE(some->count(Standing::Failed), some->devices.size());
    QCOMPARE(some->releases.size(), std::size_t{1});
    QCOMPARE(some->releases[0].count(Standing::Failed), some->devices.size());
    for (const DevicePtr& device : some->devices)
        QVERIFY(all->find(device->node) == device.get() && device->label("site") == "site-4");
    QCOMPARE(wavesOf(*some, "site").rows.size(), std::size_t{1});
    QVERIFY(pick(all, *Query::parse("site=nowhere"))->devices.empty());
}

void TestFleetview::mergesWavesBeyondTen()
{
    Fleet fleet(kBegin);
    fleet.take(reportsOf(400, 40), {}, kBegin);
    const Waves waves = wavesOf(*fleet.picture(kBegin), "site");
    QCOMPARE(waves.rows.size(), kMaxWaves);
    QCOMPARE(waves.merged, std::size_t{31});
    std::size_t sum = 0;
    for (const Wave& wave : waves.rows)
        sum += wave.devices;
    QCOMPARE(sum, std::size_t{400});
}

void TestFleetview::forecastsWhoTakesAReleaseAndWhyOthersDoNot()
{
    using fleetview::Prospect;
    Fleet fleet(kBegin);
    fleet.take({reportOf(1, {entryOf(Phase::Healthy, 1)}, {{"model", "gw2"}}),
                reportOf(2, {entryOf(Phase::Downloading, 2)}, {{"model", "gw2"}}),
                reportOf(3, {}, {{"model", "gw3"}}), reportOf(4, {}),
                reportOf(5, {entryOf(Phase::Healthy, 9, "fw/other")}, {{"model", "gw2"}})},
               {}, kBegin);
    const auto picture = fleet.picture(kBegin);
    const auto uri = *ResourceUri::parse("fw/gateway");
    const auto all = fleetview::forecastOf(*picture, uri, {0, 3}, {});
    QCOMPARE(all.takes, std::size_t{5});
    const auto some = fleetview::forecastOf(*picture, uri, {0, 2}, {{"model", "gw2"}});
    QCOMPARE(some.takes, std::size_t{2});
    QCOMPARE(some.held, std::size_t{2});
    QCOMPARE(some.newer, std::size_t{1});
    for (const fleetview::Outlook& outlook : some.devices) {
        const std::string why = outlook.device->name == "gw-2" ? "has version 2"
            : outlook.device->name == "gw-3"                   ? "has model=gw3"
            : outlook.device->name == "gw-4"                   ? "has no label model"
                                                               : "";
        QCOMPARE(outlook.why, why);
        QCOMPARE(outlook.prospect == Prospect::Takes, why.empty());
    }
    // A higher epoch is above every version before it.
    QCOMPARE(fleetview::forecastOf(*picture, uri, {1, 1}, {}).takes, std::size_t{5});
    QVERIFY(*fleetview::newestOf(*picture, uri) == (trust::Revision{0, 2}));
    QVERIFY(!fleetview::newestOf(*picture, *ResourceUri::parse("fw/none")));
}

void TestFleetview::addsUpHintsAndNothingBeyondThem()
{
    const ResourceUri gateway = *ResourceUri::parse("fw/gateway");
    const ResourceUri os = *ResourceUri::parse("os/base");
    Hints hints{100, 0, 4, {}};
    hints.hints = {{gateway, {0, 7}, Phase::Healthy, "Bergen", 60},
                   {gateway, {0, 7}, Phase::Healthy, {}, 30},
                   {gateway, {0, 7}, Phase::Failed, "", 4},
                   {gateway, {1, 1}, Phase::Downloading, "Bergen", 6},
                   {os, {0, 2}, Phase::Healthy, "", UINT64_MAX},
                   {os, {0, 2}, Phase::Healthy, "Bergen", UINT64_MAX},
                   {os, {0, 3}, Phase::Healthy, "", 0}};
    QVERIFY(hintedPhases(hints, gateway, {0, 7}) == (HintedPhases{{Phase::Healthy, 90}, {Phase::Failed, 4}}));
    QVERIFY(hintedPhases(hints, gateway, {0, 8}).empty());
    // No more than there are devices, whatever a row says.
    QVERIFY(hintedPhases(hints, os, {0, 2}) == (HintedPhases{{Phase::Healthy, 100}}));
    const auto releases = hintedReleases(hints);
    QCOMPARE(releases.size(), std::size_t{4});
    QVERIFY(releases[0].uri == gateway && releases[0].revision == (trust::Revision{1, 1}));
    QVERIFY(releases[1].phases == hintedPhases(hints, gateway, {0, 7}));
    QVERIFY(releases[2].uri == os && releases[2].phases.empty());
    // Whom a question is meant for: a device has a row for each resource, and is one device.
    const auto meant = [&](trust::ReceiptAsk ask) { return hintedDevices(hints, ask); };
    QCOMPARE(meant({1, 20}), std::uint64_t{100});
    QCOMPARE(meant({1, 20, gateway}), std::uint64_t{100});
    QCOMPARE(meant({1, 20, gateway, trust::Revision{0, 7}}), std::uint64_t{94});
    QCOMPARE(meant({1, 20, gateway, {}, Phase::Failed}), std::uint64_t{4});
    QCOMPARE(meant({1, 20, gateway, {}, {}, "Bergen"}), std::uint64_t{66});
    QCOMPARE(meant({1, 20, {}, {}, Phase::Failed, "Bergen"}), std::uint64_t{0});
}

void TestFleetview::saysAboutHowMany()
{
    for (const auto& [exact, about] : {std::pair<std::uint64_t, std::uint64_t>{0, 0},
                                       {7, 7},
                                       {99, 99},
                                       {104, 100},
                                       {105, 110},
                                       {995, 1'000},
                                       {12'345, 12'000},
                                       {999'999, 1'000'000}})
        QCOMPARE(aboutSo(exact), about);
    QVERIFY(aboutSo(UINT64_MAX) >= UINT64_MAX / 2);
}

/// The agent of somebody's console holds releases, and installs none.
void TestFleetview::countsNoConsole()
{
    Fleet fleet(samples::kBegin);
    const auto entry = samples::entryOf(Phase::Staged, 2);
    fleet.take({samples::reportOf(0, {entry}, {{"role", "console"}}),
                samples::reportOf(1, {entry}, {{"role", "x"}}),
                samples::reportOf(2, {samples::entryOf(Phase::Failed, 2)}, {{"role", "console"}})},
               {}, samples::kBegin);
    const auto picture = fleet.picture(samples::kBegin + 1h); // in which the other has stalled
    QCOMPARE(picture->count(Standing::Held), std::size_t{1});
    QCOMPARE(picture->count(Standing::Stalled), std::size_t{1});
    QCOMPARE(picture->count(Standing::Failed), std::size_t{1}); // what it says of failures is told
    QCOMPARE(picture->releases[0].count(Standing::Held), std::size_t{1});
    const fleetview::Device* const console = picture->find(samples::nodeOf(0));
    QVERIFY(fleetview::isConsole(*console));
    QVERIFY(fleetview::whyOf(*picture, *console).reasons[0].cause == fleetview::Cause::Console);
    QCOMPARE(fleetview::causeName(fleetview::Cause::Console), std::string_view("console"));
    QCOMPARE(fleetview::causeName(fleetview::Cause::Failed), std::string_view("failed"));
    const auto forecast = fleetview::forecastOf(*picture, entry.uri, {0, 3}, {});
    QCOMPARE(forecast.takes, std::size_t{1});
    QCOMPARE(forecast.held, std::size_t{2});
}

void TestFleetview::asksTheMoreTheLargerTheStep()
{
    using fleetview::Confirmation;
    QVERIFY(fleetview::confirmationFor(0, 0) == Confirmation::Press);
    QVERIFY(fleetview::confirmationFor(3, 3) == Confirmation::Press);
    QVERIFY(fleetview::confirmationFor(4, 4) == Confirmation::TypeAll);
    QVERIFY(fleetview::confirmationFor(20, 400) == Confirmation::Press);
    QVERIFY(fleetview::confirmationFor(20, 399) == Confirmation::TypeCount);
    QVERIFY(fleetview::confirmationFor(21, 100'000) == Confirmation::TypeCount);
    QVERIFY(fleetview::confirmationFor(50, 100) == Confirmation::TypeCount);
    QVERIFY(fleetview::confirmationFor(51, 100) == Confirmation::TypeAll);
}

QTEST_GUILESS_MAIN(TestFleetview)
#include "tst_fleetview.moc"
