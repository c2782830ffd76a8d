// SPDX-License-Identifier: Apache-2.0
/// Where in the world devices are, by what their certificates say, whatever that is.
#include "fleetview/places.h"
#include "fleetview_samples.h"

#include <QtTest>

using namespace starling;
using namespace starling::fleetview;
using namespace starling::samples;

namespace {

Report at(std::uint32_t number, const char* latitude, const char* longitude, const char* site = "x")
{
    return reportOf(number, {entryOf(trust::Phase::Healthy)},
                    {{"lat", latitude}, {"lon", longitude}, {"site", site}});
}

PicturePtr pictureOf(std::vector<Report> reports)
{
    Fleet fleet(kBegin);
    fleet.take(std::move(reports), {}, kBegin);
    return fleet.picture(kBegin);
}

} // namespace

class TestPlaces : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesDegreesAndNothingElse_data()
    {
        QTest::addColumn<QByteArray>("latitude");
        QTest::addColumn<QByteArray>("longitude");
        QTest::addColumn<bool>("isPlace");
        QTest::newRow("berlin") << QByteArray("52.52") << QByteArray("13.40") << true;
        QTest::newRow("south and west") << QByteArray("-31.4") << QByteArray("-64") << true;
        QTest::newRow("the ends") << QByteArray("90") << QByteArray("-180") << true;
        for (const char* const bad : {"", "91", "-90.1", "inf", "nan", "1e1", "+5", "5 ", " 5", "5N", "5,2",
                                      "0x10", "99999999999999999999999999"})
            QTest::newRow(QByteArray("latitude ") + bad) << QByteArray(bad) << QByteArray("0") << false;
        for (const char* const bad : {"", "180.5", "-181", "east"})
            QTest::newRow(QByteArray("longitude ") + bad) << QByteArray("0") << QByteArray(bad) << false;
    }
    void takesDegreesAndNothingElse()
    {
        QFETCH(QByteArray, latitude);
        QFETCH(QByteArray, longitude);
        QFETCH(bool, isPlace);
        const PicturePtr picture = pictureOf({at(1, latitude.constData(), longitude.constData())});
        const PlacesPlan plan = planPlaces(*picture, "site", 720, 284);
        QCOMPARE(plan.placed, std::size_t{isPlace ? 1U : 0U});
        QCOMPARE(plan.unplaced, std::size_t{isPlace ? 0U : 1U});
        QCOMPARE(plan.bubbles.size(), plan.placed);
    }

    void drawsThemWhereTheyAre()
    {
        const PicturePtr picture = pictureOf({at(1, "0", "0"), at(2, "84", "-180"), at(3, "-58", "180")});
        const PlacesPlan plan = planPlaces(*picture, "site", 720, 284); // two pixels for a degree
        const auto isThere = [&](double x, double y) {
            return std::any_of(plan.bubbles.begin(), plan.bubbles.end(), [&](const Bubble& each) {
                return qFuzzyCompare(each.x + 1, x + 1) && qFuzzyCompare(each.y + 1, y + 1);
            });
        };
        QVERIFY(isThere(360, 168) && isThere(0, 0) && isThere(720, 284));
    }

    void bubblesThatTouchBecomeOne()
    {
        std::vector<Report> reports;
        for (std::uint32_t i = 0; i < 30; ++i)
            reports.push_back(at(i, "52.5", "13.4", "berlin"));
        reports.push_back(at(90, "53.5", "10.0", "hamburg"));
        reports.push_back(at(91, "-33", "151", "sydney"));
        const PicturePtr picture = pictureOf(std::move(reports));
        const PlacesPlan far = planPlaces(*picture, "site", 720, 284);
        QCOMPARE(far.bubbles.size(), std::size_t{2});
        QCOMPARE(far.bubbles[0].name, std::string("berlin"));
        QCOMPARE(far.bubbles[0].others, std::size_t{1});
        QCOMPARE(far.bubbles[0].devices, std::size_t{31});
        QCOMPARE(far.bubbles[0].standings[0], std::size_t{31});
        QVERIFY(far.bubbles[0].groups == (std::vector<std::string>{"berlin", "hamburg"}));
        const PlacesPlan near = planPlaces(*picture, "site", 7'200, 2'840);
        QCOMPARE(near.bubbles.size(), std::size_t{3});
        QVERIFY(near.bubbleAt(near.bubbles[0].x, near.bubbles[0].y) == std::size_t{0});
        QVERIFY(!near.bubbleAt(0, 0));
    }

    void aPlaceIsNothingToFilterBy()
    {
        for (const Facet& facet : facetsOf(pictureOf({at(1, "1", "2"), at(2, "3", "4")})->devices))
            QVERIFY(facet.field != "lat" && facet.field != "lon");
    }

    void survivesAWindowWithoutRoom()
    {
        QCOMPARE(planPlaces(*pictureOf({at(1, "1", "2")}), "site", 0, 0).bubbles.size(), std::size_t{1});
        QVERIFY(planPlaces(*pictureOf({}), "", 100, 100).bubbles.empty());
    }
};

QTEST_GUILESS_MAIN(TestPlaces)
#include "tst_places.moc"
