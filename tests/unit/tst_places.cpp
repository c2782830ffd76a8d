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

    void takesSitesFromAFile()
    {
        const auto sites =
            parseSites("# where they are\n\nberlin = 52.52 13.40\r\n  a = b =  -8\t 115.2\n", "f");
        QVERIFY(sites.has_value());
        QCOMPARE(sites->size(), std::size_t{2});
        QVERIFY((sites->at("berlin") == Coordinates{52.52, 13.40}));
        QVERIFY((sites->at("a = b") == Coordinates{-8, 115.2}));
        QVERIFY(parseSites("", "f")->empty());
    }

    void namesTheLineThatIsWrong_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("reason");
        const auto row = [](const char* name, const QByteArray& text, const char* reason) {
            QTest::newRow(name) << text << QByteArray(reason);
        };
        row("no equals", "a = 1 2\nberlin 52 13\n", "f:2: expected: NAME");
        row("no name", " = 1 2", "f:1: a name has");
        row("a long name", QByteArray(65, 'x') + " = 1 2", "f:1: a name has");
        row("twice", "a = 1 2\n#\na = 3 4", "f:3: 'a' stands here twice");
        row("one number", "a = 52", "f:1: expected two numbers");
        row("three numbers", "a = 1 2 3", "f:1: expected two numbers");
        row("a comma", "a = 1, 2", "f:1: expected two numbers");
        row("too far north", "a = 91 0", "f:1: expected two numbers");
        row("a control character", "a\x01 = 1 2", "f:1: not UTF-8");
        row("no UTF-8", "a\xff = 1 2", "f:1: not UTF-8");
        row("too large", QByteArray(SitesLimits::kMaxBytes + 1, '\n'), "f:1: more than 1048576");
    }
    void namesTheLineThatIsWrong()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, reason);
        const auto sites = parseSites(text.toStdString(), "f");
        QVERIFY(!sites);
        QCOMPARE(sites.error().code, Errc::ConfigInvalid);
        QVERIFY2(sites.error().context.starts_with(reason.toStdString()), sites.error().context.c_str());
    }

    void takesSoManySitesAndNoMore()
    {
        std::string text;
        for (std::size_t i = 0; i < SitesLimits::kMaxSites; ++i)
            text += "site-" + std::to_string(i) + " = 1 2\n";
        QCOMPARE(parseSites(text, "f")->size(), SitesLimits::kMaxSites);
        QVERIFY(!parseSites(text + "x = 1 2\n", "f"));
    }

    void asksTheFileWhereCertificatesDoNotTell()
    {
        const Sites sites{{"berlin", {52.5, 13.4}}, {"porto", {41.15, -8.6}}};
        const PicturePtr picture = pictureOf({at(1, "0", "0", "berlin"), at(2, "", "", "porto"),
                                              at(3, "north", "1", "lyon"), at(4, "", "", "")});
        const PlacesPlan plan = planPlaces(*picture, "site", 720, 284, sites);
        QCOMPARE(plan.placed, std::size_t{2});
        QCOMPARE(plan.unplaced, std::size_t{2});
        QCOMPARE(plan.sitesMissing, std::set<std::string>{"lyon"});
        QVERIFY((coordinatesOf(*picture->find(nodeOf(1)), sites) == Coordinates{0, 0})); // what was signed
        QVERIFY((coordinatesOf(*picture->find(nodeOf(2)), sites) == Coordinates{41.15, -8.6}));
    }

    void zoomsTowardsWhatIsUnderTheCursor()
    {
        const PicturePtr picture = pictureOf({at(1, "52.5", "13.4", "a"), at(2, "52.6", "13.9", "b")});
        const PlacesPlan far = planPlaces(*picture, "site", 720, 284);
        QCOMPARE(far.bubbles.size(), std::size_t{1});
        const double x = far.bubbles[0].x, y = far.bubbles[0].y;
        const PlacesFrame frame = zoomed({}, 128, x, y, 720, 284);
        const PlacesPlan near = planPlaces(*picture, "site", 720, 284, {}, frame);
        QCOMPARE(near.bubbles.size(), std::size_t{2});
        const auto first = std::find_if(near.bubbles.begin(), near.bubbles.end(),
                                        [](const Bubble& each) { return each.name == "a"; });
        QVERIFY(std::abs(first->x - x) < 1 && std::abs(first->y - y) < 1);
        // Zooming as far out shows the world again, wherever the cursor is.
        QVERIFY(within(zoomed(frame, 1e-9, 1, 1, 720, 284), 720, 284) == PlacesFrame());
        QCOMPARE(zoomed(frame, 1e9, x, y, 720, 284).zoom, PlacesFrame::kMaxZoom);
    }

    void isNotDraggedOffTheWorld()
    {
        const PlacesFrame frame = zoomed({}, 4, 360, 142, 720, 284);
        const PicturePtr picture = pictureOf({});
        const PlacesPlan west = planPlaces(*picture, "", 720, 284, {}, dragged(frame, 1e6, 0, 720, 284));
        QVERIFY(std::abs(west.left) < 1e-6);
        const PlacesPlan south = planPlaces(*picture, "", 720, 284, {}, dragged(frame, 0, -1e6, 720, 284));
        QVERIFY(std::abs(south.top + south.height - 284) < 1e-6);
        // Without zoom there is nowhere to go.
        QVERIFY(dragged({}, 50, 50, 720, 284) == PlacesFrame());
    }
};

QTEST_GUILESS_MAIN(TestPlaces)
#include "tst_places.moc"
