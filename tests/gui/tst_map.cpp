// SPDX-License-Identifier: Apache-2.0
/// The map and the demo fleet behind it, at a scale factor of two: what is live, what is recorded, and
/// pictures to look at.
#include "gui_fixture.h"
#include "main_window.h"
#include "map_accessible.h"
#include "map_page.h"
#include "sources.h"
#include "welcome_page.h"

#include <QAccessible>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>
#include <QRegularExpression>
#include <QSettings>
#include <QSignalSpy>
#include <QSlider>
#include <QStackedWidget>
#include <QStyleFactory>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QToolButton>

using namespace starling;
using namespace starling::gui_test;
using namespace std::chrono_literals;
using window::Look;
using window::MapPage;
using window::Theme;

namespace {

constexpr int kSlow = 90'000; ///< ms: a fleet begins on a busy machine

QString s(const char* text)
{
    return QString::fromUtf8(text);
}

/// What the feed told last.
struct Told
{
    explicit Told(window::Source& source)
    {
        QObject::connect(&source, &window::Source::snapshotTaken, &source,
                         [this](const window::SnapshotPtr& snapshot) { latest = snapshot; });
    }
    std::size_t devices() const { return latest ? latest->picture->devices.size() : 0; }
    window::SnapshotPtr latest;
};

/// Devices on five sites, of which one has no coordinates, and an agent that knows four of them.
window::SnapshotPtr worldOf(std::uint32_t devices)
{
    static constexpr std::array<std::array<const char*, 2>, 5> kPlaces{
        {{"52.52", "13.40"}, {"41.15", "-8.61"}, {"-1.29", "36.82"}, {"49.28", "-123.12"}, {"north", "91"}}};
    fleetview::Fleet fleet(samples::kBegin);
    auto reports = samples::reportsOf(devices, 5);
    for (std::uint32_t i = 0; i < devices; ++i) {
        reports[i].labels["lat"] = kPlaces[i % 5][0];
        reports[i].labels["lon"] = kPlaces[i % 5][1];
    }
    fleet.take(std::move(reports), {}, samples::kBegin);
    auto snapshot = std::make_shared<window::Snapshot>(*snapshotOf(fleet.picture(samples::kBegin + 60s)));
    control::StatusReply& status = snapshot->status;
    status.node = samples::nodeOf(0);
    status.links.clear();
    status.traffic.clear();
    for (const std::uint32_t peer : {3U, 6U})
        status.links.push_back({samples::nodeOf(peer), Endpoint(), true, 20'000});
    status.traffic.push_back({InfoHash(), samples::nodeOf(7), 48'200'000, 0});
    status.traffic.push_back({InfoHash(), samples::nodeOf(9), 0, 48'200'000});
    return snapshot;
}

std::unique_ptr<MapPage> mapOf(const window::SnapshotPtr& snapshot, Look look = Look::Light)
{
    auto map = std::make_unique<MapPage>();
    const Theme theme = Theme::of(look, QPalette());
    QApplication::setPalette(theme.palette());
    map->setStyleSheet(theme.styleSheet());
    map->setTheme(theme);
    map->resize(1'150, 700);
    map->show();
    map->show(snapshot);
    return map;
}

} // namespace

class TestMap : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(crypto::initialize().has_value());
        QVERIFY(m_settings.isValid());
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_settings.path());
        QCoreApplication::setOrganizationName(s("starling"));
        QCoreApplication::setApplicationName(s("starling-console-map-test"));
        QApplication::setStyle(QStyleFactory::create(s("Fusion")));
        window::loadResources();
    }

    // --- The demo fleet

    void showsReceiptsThatTheSimulatedObserverVerified()
    {
        const sim::DemoConfig config{6, 11, sim::DemoStory::Happy};
        window::DemoFeed feed(config);
        const Told told(feed);
        feed.begin();
        feed.setSpeed(10);
        QTRY_COMPARE_WITH_TIMEOUT(told.devices(), std::size_t{6}, kSlow);
        const window::SnapshotPtr shown = told.latest;
        QVERIFY(shown->demo && !shown->demo->isOpening() && shown->demo->story == "happy");
        QVERIFY(shown->status.isObserver && !shown->status.links.empty());
        // Another run of the same seed says the same, receipt by receipt.
        sim::DemoFleet again(config);
        const auto until = shown->demo->clock - sim::kBeginning + 1s;
        while (again.advance(until, 10'000)) { }
        const auto heard = again.collect();
        for (const fleetview::DevicePtr& device : shown->picture->devices)
            QVERIFY(std::any_of(heard.begin(), heard.end(), [&](const board::DeviceReceipt& each) {
                return each.receipt == device->receipt && each.certificate.name == device->name
                    && each.certificate.labels == device->labels;
            }));
        QVERIFY(shown->status.fleet == again.fleet() && shown->status.node == again.observer());
    }

    void saysThatItIsADemoAndLeavesIt()
    {
        window::MainWindow main{QString()};
        main.resize(1'240, 800);
        main.setLook(Look::Light);
        main.show();
        window::Sources sources(main, s("nowhere.sock"));
        sources.beginDemo({5, 7, sim::DemoStory::FailingVersion});
        auto* const bar = main.findChild<window::DemoBar*>();
        QVERIFY(bar->isVisible());
        QVERIFY(main.windowTitle().endsWith(s("[DEMO]")));
        const auto text = [&] {
            QString all;
            for (const QLabel* label : bar->findChildren<QLabel*>())
                all += label->text();
            return all;
        };
        const auto says = [&](const char* part) { return text().contains(s(part)); };
        const QRegularExpression isUnderWay(s("clock: ..:(00:[3-5]|0[1-9]|[1-5])")); // 30 s and more
        QTRY_VERIFY_WITH_TIMEOUT(says("DEMO – 5 simulated devices, seed 7") && text().contains(isUnderWay),
                                 kSlow);
        QVERIFY(says("a model of rates and peers"));
        const auto* const offline = find<QLabel>(main, s("No agent answers."));
        QVERIFY(offline == nullptr || !offline->isVisible());
        find<QToolButton>(main, s("Map"))->click();
        keepPicture(main, s("demo-map"));
        // It takes no releases of others.
        QTest::keyClick(&main, Qt::Key_N, Qt::ControlModifier);
        auto* const box = main.findChild<QMessageBox*>();
        QVERIFY(box != nullptr && box->text().contains(s("leave the demo")));
        box->close();
        // Another story begins anew.
        QSignalSpy wanted(&main, &window::MainWindow::demoWanted);
        auto* const inBar = bar->findChild<QComboBox*>();
        QVERIFY(inBar != nullptr);
        inBar->setFocus();
        QTest::keyClick(inBar, Qt::Key_Down);
        QTRY_COMPARE(wanted.count(), 1);
        QVERIFY(wanted[0][0].value<sim::DemoConfig>().story == sim::DemoStory::Partition);
        find<QPushButton>(main, s("Leave the demo"))->click();
        QVERIFY(!bar->isVisible() && !main.windowTitle().contains(s("[DEMO]")));
    }

    // A laptop of 1,366 by 768, less its panel and the bar of the demo.
    void fitsASmallScreenWhateverTheFleet()
    {
        window::MainWindow main(s("nowhere.sock"));
        main.setLook(Look::Light);
        main.show();
        main.show(snapshotOf(pictureOf(600, 24)));
        const auto tooLarge = [&] {
            QStringList pages;
            auto* const stack = find<QStackedWidget>(main, s("Screens"));
            for (int i = 0; i < stack->count(); ++i) {
                const QSize least = stack->widget(i)->minimumSizeHint();
                if (least.height() > 560 || least.width() > 1'200)
                    pages += s("%1: %2 x %3")
                                 .arg(stack->widget(i)->accessibleName())
                                 .arg(least.width())
                                 .arg(least.height());
            }
            return pages.join(s(", "));
        };
        QTRY_VERIFY2(tooLarge().isEmpty(), qPrintable(tooLarge()));
    }

    void offersTheDemoOnTheFirstRun()
    {
        window::MainWindow main{QString()};
        main.resize(1'240, 800);
        main.setLook(Look::Light);
        main.show();
        auto* const steps = main.welcome()->findChild<QStackedWidget*>();
        find<QStackedWidget>(main, s("Screens"))->setCurrentWidget(main.welcome());
        find<QPushButton>(main, s("Demo fleet"))->click();
        keepPicture(main, s("demo-offer"));
        QVERIFY(steps->currentWidget()->isVisible());
        QSignalSpy wanted(&main, &window::MainWindow::demoWanted);
        find<QPushButton>(main, s("Simulate a fleet"))->click();
        QCOMPARE(wanted.count(), 1);
        QCOMPARE(wanted[0][0].value<sim::DemoConfig>().devices, 1'000U);
    }

    // --- Lenses

    void looksWell_data()
    {
        QTest::addColumn<int>("look");
        QTest::addColumn<int>("lens");
        QTest::addColumn<int>("devices");
        for (const Look look : {Look::Light, Look::Dark, Look::HighContrast})
            for (const auto lens : {MapPage::Lens::Spread, MapPage::Lens::Places})
                for (const int devices : {12, 250, 2'000})
                    if (look == Look::Light || devices == 250)
                        QTest::addRow("%s-%s-%d", qPrintable(window::lookName(look)),
                                      lens == MapPage::Lens::Spread ? "spread" : "places", devices)
                            << static_cast<int>(look) << static_cast<int>(lens) << devices;
    }
    void looksWell()
    {
        QFETCH(int, look);
        QFETCH(int, lens);
        QFETCH(int, devices);
        const auto map = mapOf(worldOf(static_cast<std::uint32_t>(devices)), static_cast<Look>(look));
        map->setLens(static_cast<MapPage::Lens>(lens));
        keepPicture(*map, s(QTest::currentDataTag()));
        for (const QPushButton* button : map->findChildren<QPushButton*>())
            if (button->isVisible())
                QVERIFY2(button->height() >= 24 && button->width() >= button->minimumSizeHint().width(),
                         qPrintable(button->accessibleName()));
    }

    void spreadDrawsOnlyWhatTheAgentKnows()
    {
        const auto snapshot = worldOf(100);
        const auto map = mapOf(snapshot);
        map->setLens(MapPage::Lens::Spread);
        auto* const spread = map->findChild<window::SpreadView*>();
        const auto dealt = [&] {
            return std::count_if(spread->plan().nodes.begin(), spread->plan().nodes.end(),
                                 [](const auto& node) {
                                     return node.what == fleetview::SpreadNode::What::Device
                                         && (node.partners > 0 || node.links > 0);
                                 });
        };
        QCOMPARE(dealt(), 4); // worldOf() tells of so many
        QVERIFY(spread->caption().contains(s("Who gave it to the others no receipt tells")));
        map->time().goTo(samples::kBegin);
        QCOMPARE(dealt(), 0);
    }

    void walksTheSpreadByKeyboard()
    {
        const auto map = mapOf(worldOf(40));
        map->setLens(MapPage::Lens::Spread);
        auto* const spread = map->findChild<window::SpreadView*>();
        QSignalSpy opened(map.get(), &MapPage::deviceWanted), groups(map.get(), &MapPage::devicesWanted);
        QTest::keyClick(spread, Qt::Key_Right);
        QTest::keyClick(spread, Qt::Key_Right);
        QTest::keyClick(spread, Qt::Key_Right);
        QVERIFY(spread->accessibleDescription().contains(s("hold it")));
        QTest::keyClick(spread, Qt::Key_Return); // closer
        QCOMPARE(spread->groupCount(), 1);
        QTest::keyClick(spread, Qt::Key_Return); // and to its devices
        QCOMPARE(groups.count(), 1);
        QVERIFY(groups[0][0].toString().startsWith(s("site=site-")));
        QTest::keyClick(spread, Qt::Key_Backspace);
        QCOMPARE(spread->groupCount(), 5);
        QTest::keyClick(spread, Qt::Key_Down);
        QTest::keyClick(spread, Qt::Key_Return);
        QCOMPARE(opened.count(), 1);
        // The twin says the same.
        QTest::keyClick(map.get(), Qt::Key_T);
        const auto* const table = find<QTableWidget>(*map, s("Groups by state: the map as a table"));
        QVERIFY(table->isVisible());
        std::size_t holders = 0;
        for (int row = 0; row < table->rowCount(); ++row)
            holders += table->item(row, 2 + static_cast<int>(fleetview::kStandings))->text().toULongLong();
        QCOMPARE(holders, spread->plan().holders);
        QTest::keyClick(map.get(), Qt::Key_T);
        QVERIFY(spread->isVisible());
    }

    void placesAreWhereTheirLabelsSay()
    {
        const auto map = mapOf(worldOf(100));
        map->setLens(MapPage::Lens::Places);
        auto* const places = map->findChild<window::PlacesView*>();
        const fleetview::PlacesPlan& plan = places->plan();
        QCOMPARE(plan.placed, std::size_t{80});
        QCOMPARE(plan.unplaced, std::size_t{20});
        QSignalSpy groups(map.get(), &MapPage::devicesWanted);
        QVERIFY(places->accessibleDescription().contains(s("20 devices have no place")));
        QTest::keyClick(places, Qt::Key_Right);
        QTest::keyClick(places, Qt::Key_Return);
        QTest::keyClick(places, Qt::Key_Return);
        QCOMPARE(groups.count(), 1);
    }

    void zoomsIntoPlacesAndMovesThem()
    {
        const auto map = mapOf(worldOf(100));
        map->setLens(MapPage::Lens::Places);
        auto* const places = map->findChild<window::PlacesView*>();
        const auto bubbleOf = [&](const char* site) {
            for (const fleetview::Bubble& bubble : places->plan().bubbles)
                if (bubble.name == site)
                    return QPointF(bubble.x, bubble.y);
            return QPointF();
        };
        const QPointF before = bubbleOf("site-2");
        const auto turn = [&](int eighths) {
            QWheelEvent event(before, places->mapToGlobal(before), {}, {0, eighths}, Qt::NoButton,
                              Qt::NoModifier, Qt::NoScrollPhase, false);
            QApplication::sendEvent(places, &event);
        };
        turn(480);
        QVERIFY(qFuzzyCompare(places->frame().zoom, 4.0));
        QVERIFY((bubbleOf("site-2") - before).manhattanLength() < 1); // what is under the pointer stays there
        keepPicture(*map, s("places-zoomed"));
        const auto drag = [&](QEvent::Type type, QPointF at, Qt::MouseButtons buttons) {
            QMouseEvent event(type, at, places->mapToGlobal(at),
                              type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton, buttons,
                              Qt::NoModifier);
            QApplication::sendEvent(places, &event);
        };
        drag(QEvent::MouseButtonPress, {300, 200}, Qt::LeftButton);
        drag(QEvent::MouseMove, {340, 210}, Qt::LeftButton);
        drag(QEvent::MouseButtonRelease, {340, 210}, Qt::NoButton);
        drag(QEvent::MouseMove, {500, 300}, Qt::NoButton); // not held any more
        QVERIFY((bubbleOf("site-2") - before - QPointF(40, 10)).manhattanLength() < 1);
        QTest::keyClick(places, Qt::Key_Right, Qt::ShiftModifier);
        QVERIFY(qAbs(bubbleOf("site-2").x() - before.x() - 40 + places->width() / 8.0) < 1);
        QTest::keyClick(places, Qt::Key_Minus);
        QVERIFY(places->frame().zoom < 4);
        QTest::keyClick(places, Qt::Key_Plus);
        QTest::keyClick(places, Qt::Key_0);
        QVERIFY(places->frame() == fleetview::PlacesFrame());
        QVERIFY((bubbleOf("site-2") - before).manhattanLength() < 1);
        // Walking there by keyboard, the picture follows.
        find<QPushButton>(*places, s("Zoom in"))->click();
        for (int i = 0; i < 8; ++i)
            QTest::keyClick(places, Qt::Key_Plus);
        for (int i = 0; i < 4; ++i) {
            QTest::keyClick(places, Qt::Key_Right);
            const auto& bubbles = places->plan().bubbles;
            QVERIFY(std::any_of(bubbles.begin(), bubbles.end(), [&](const fleetview::Bubble& bubble) {
                return places->rect().contains(QPointF(bubble.x, bubble.y).toPoint());
            }));
        }
    }

    void takesASitesFileAndKeepsIt()
    {
        const QTemporaryDir directory;
        const auto write = [&](const char* name, const char* text) {
            QFile file(directory.filePath(s(name)));
            return file.open(QIODevice::WriteOnly) && file.write(text) > 0 ? file.fileName() : QString();
        };
        const QString good = write("good.conf", "# where\nsite-4 = -33.9 151.2\n"),
                      bad = write("bad.conf", "site-4 = -33.9\n");
        {
            const auto map = mapOf(worldOf(100));
            map->setLens(MapPage::Lens::Places);
            const auto* const places = map->findChild<window::PlacesView*>();
            auto* const tray = find<QPushButton>(*map, s("Devices without a place: say where sites are"));
            QVERIFY(tray->isVisible());
            QCOMPARE(tray->text(), s("20 devices without a place, as of site site-4"));
            const Status refused = map->useSites(bad);
            QVERIFY(!refused && refused.error().code == Errc::ConfigInvalid);
            QCOMPARE(places->plan().unplaced, std::size_t{20});
            QVERIFY(map->useSites(good));
            QCOMPARE(places->plan().unplaced, std::size_t{0});
            QVERIFY(places->caption().contains(s("else by the sites file")));
        }
        {
            const auto map = mapOf(worldOf(100)); // the next time
            map->setLens(MapPage::Lens::Places);
            QCOMPARE(map->findChild<window::PlacesView*>()->plan().unplaced, std::size_t{0});
        }
        QVERIFY(QFile::remove(good) && QFile::rename(bad, good));
        const auto map = mapOf(worldOf(100));
        map->setLens(MapPage::Lens::Places);
        const auto says = [&](const char* text) {
            for (const QLabel* label : map->findChildren<QLabel*>())
                if (label->text().contains(s(text)))
                    return true;
            return false;
        };
        QVERIFY(says("The sites file is not used: ") && says("good.conf:1: expected two numbers"));
        QVERIFY(map->useSites({}));
        QVERIFY(!says("The sites file is not used"));
    }

    // --- Groups, by keyboard and for screen readers

    void opensAGroupInEveryLensAndGoesUpAgain()
    {
        const auto map = mapOf(worldOf(100));
        map->setLens(MapPage::Lens::Waves);
        auto* const waves = map->findChild<window::WavesView*>();
        auto* const grid = map->findChild<window::GridView*>();
        QSignalSpy devices(map.get(), &MapPage::devicesWanted);
        const auto* const up = find<QPushButton>(*map, s("Up: all that was shown before"));
        QVERIFY(!up->isVisible());
        for (const Qt::Key key : {Qt::Key_Down, Qt::Key_Down, Qt::Key_Up, Qt::Key_Down, Qt::Key_Return})
            QTest::keyClick(waves, key);
        QCOMPARE(waves->groupCount(), 1);
        QCOMPARE(waves->groupName(0), s("site-1"));
        QVERIFY(up->isVisible());
        map->setLens(MapPage::Lens::Grid); // one selection for all lenses
        QCOMPARE(grid->painter().plan().order.size(), std::size_t{20});
        map->show(worldOf(100)); // and it stays while the fleet goes on
        QCOMPARE(grid->painter().plan().order.size(), std::size_t{20});
        map->setLens(MapPage::Lens::Waves);
        QTest::keyClick(waves, Qt::Key_Return);
        QCOMPARE(devices.count(), 1);
        QCOMPARE(devices[0][0].toString(), s("site=site-1"));
        QTest::keyClick(waves, Qt::Key_Backspace);
        QCOMPARE(waves->groupCount(), 5);
        QVERIFY(!up->isVisible());
        QTest::keyClick(waves, Qt::Key_Backspace); // nothing above
        QCOMPARE(waves->groupCount(), 5);
        // In the grid up and down go from group to group, with Ctrl from line to line, as in a grid of one
        // group.
        map->setLens(MapPage::Lens::Grid);
        for (std::size_t group = 0; group < 3; ++group) {
            QTest::keyClick(grid, Qt::Key_Down);
            const auto& plan = grid->painter().plan();
            const std::string name = grid->painter().deviceAt(plan.groups[group].first)->name;
            QVERIFY(grid->accessibleDescription().contains(s("Chosen: ") + QString::fromStdString(name)));
        }
    }

    void tellsEveryLensToScreenReadersAsATable()
    {
        window::installMapAccessibility();
        const auto snapshot = worldOf(100);
        const auto map = mapOf(snapshot);
        const std::array<std::pair<MapPage::Lens, QWidget*>, 4> views{
            {{MapPage::Lens::Waves, map->findChild<window::WavesView*>()},
             {MapPage::Lens::Grid, map->findChild<window::GridView*>()},
             {MapPage::Lens::Spread, map->findChild<window::SpreadView*>()},
             {MapPage::Lens::Places, map->findChild<window::PlacesView*>()}}};
        for (const auto& [lens, view] : views) {
            map->setLens(lens);
            QAccessibleInterface* const told = QAccessible::queryAccessibleInterface(view);
            QVERIFY(told != nullptr && told->role() == QAccessible::Table);
            QAccessibleTableInterface* const table = told->tableInterface();
            QVERIFY(table != nullptr && table->columnCount() == static_cast<int>(fleetview::kStandings));
            QVERIFY(table->rowCount() >= 3); // Berlin and Porto may be one place
            std::size_t devices = 0;
            for (int row = 0; row < table->rowCount(); ++row) {
                QVERIFY(table->rowDescription(row).startsWith(s("site-")));
                QVERIFY(told->rect().intersects(table->cellAt(row, 0)->rect()));
                for (int column = 0; column < table->columnCount(); ++column)
                    devices += table->cellAt(row, column)->text(QAccessible::Value).toULongLong();
            }
            QCOMPARE(devices, lens == MapPage::Lens::Places ? std::size_t{80} : std::size_t{100});
        }
    }

    void copiesWhatItSaysInASentence()
    {
        const auto map = mapOf(worldOf(100));
        QTest::keyClick(map->findChild<window::GridView*>(), Qt::Key_F2);
        const QString copied = QApplication::clipboard()->text();
        QVERIFY(copied.contains(s(" of 100 devices are healthy in the newest release")));
        const auto* const note = find<QLabel>(*map, s("Copied: ") + copied);
        QVERIFY(note != nullptr && note->isVisible());
    }

    void exportsEveryLens()
    {
        const QTemporaryDir directory;
        const auto map = mapOf(worldOf(60));
        for (const auto lens :
             {MapPage::Lens::Waves, MapPage::Lens::Grid, MapPage::Lens::Spread, MapPage::Lens::Places}) {
            map->setLens(lens);
            const QString name = directory.filePath(QString::number(static_cast<int>(lens)));
            QVERIFY(map->exportTo(name + s(".png"), MapPage::Format::Png));
            QVERIFY(map->exportTo(name + s(".svg"), MapPage::Format::Svg));
            QVERIFY(QImage(name + s(".png")).width() > 600);
            QVERIFY(QFileInfo(name + s(".svg")).size() > 2'000);
        }
    }

    // --- Time

    void showsTheSameMomentInEveryLens()
    {
        const auto snapshot = snapshotOf(pictureOf(200, 4));
        const auto map = mapOf(snapshot);
        auto* const grid = map->findChild<window::GridView*>();
        const auto shown = [&](std::size_t place) { return grid->painter().deviceAt(place)->standing; };
        std::size_t place = 0; // of one that was not healthy from the beginning
        while (shown(place) != fleetview::Standing::Healthy
               || snapshot->picture->find(grid->painter().deviceAt(place)->node)->history.size() < 2)
            ++place;
        map->time().goTo(samples::kBegin);
        QVERIFY(shown(place) == fleetview::Standing::Downloading);
        QVERIFY(find<QLabel>(*map, s("RECORDED"))->isVisible());
        keepPicture(*map, s("recorded-grid"));
        map->setLens(MapPage::Lens::Waves);
        keepPicture(*map, s("recorded-waves"));
        const auto* const waves = map->findChild<window::WavesView*>();
        const QString then = waves->accessibleDescription();
        map->time().goLive();
        QVERIFY(waves->accessibleDescription() != then);
        map->setLens(MapPage::Lens::Grid);
        QVERIFY(shown(place) == fleetview::Standing::Healthy);
        QVERIFY(!find<QLabel>(*map, s("RECORDED"))->isVisible());
    }

    void keepsWhatIsRecordedWhileTheFleetGoesOn()
    {
        const auto map = mapOf(snapshotOf(pictureOf(50, 3)));
        map->time().goTo(samples::kBegin + 80s);
        auto* const grid = map->findChild<window::GridView*>();
        const QImage before = grid->painter().image();
        map->show(snapshotOf(pictureOf(50, 3)));
        QVERIFY(map->time().cursor() == samples::kBegin + 80s);
        QVERIFY(grid->painter().image() == before);
        // A device that has gone, another fleet: nothing of it was recorded.
        fleetview::Fleet other(samples::kBegin + 1h);
        map->show(snapshotOf(other.picture(samples::kBegin + 2h)));
        QVERIFY(!map->time().cursor());
    }

    void movesInTimeByKeyboard()
    {
        const auto map = mapOf(snapshotOf(pictureOf(60, 3)));
        auto* const slider = find<QSlider>(*map, s("Moment that the map shows"));
        QSignalSpy moved(&map->time(), &window::TimeBar::moved);
        QTest::keyClick(slider, Qt::Key_Home);
        QVERIFY(map->time().cursor() == samples::kBegin);
        QTest::keyClick(slider, Qt::Key_Right);
        QVERIFY(map->time().cursor() == samples::kBegin + 1s);
        QTest::keyClick(map.get(), Qt::Key_Period); // the next change
        QVERIFY(map->time().cursor() == samples::kBegin + 40s);
        QTest::keyClick(map.get(), Qt::Key_Comma);
        QVERIFY(map->time().cursor() == samples::kBegin);
        QTest::keyClick(slider, Qt::Key_End);
        QVERIFY(!map->time().cursor());
        QCOMPARE(moved.count(), 5);
        QTest::keyClick(map.get(), Qt::Key_Home, Qt::ShiftModifier);
        QVERIFY(map->time().cursor() == samples::kBegin);
        QTest::keyClick(map.get(), Qt::Key_End);
        QVERIFY(!map->time().cursor());
    }

    void playsUntilItIsLive()
    {
        const auto map = mapOf(snapshotOf(pictureOf(60, 3)));
        find<QComboBox>(*map, s("Speed of playing"))->setCurrentIndex(2);
        map->time().goTo(samples::kBegin + 300s);
        QTest::keyClick(map.get(), Qt::Key_P);
        QVERIFY(map->time().isPlaying());
        QTRY_VERIFY_WITH_TIMEOUT(!map->time().cursor(), kSlow); // 20 s of it, at 60 times
        QVERIFY(!map->time().isPlaying());
    }

    void hasNoPastBeforeThereIsAFleet()
    {
        MapPage map;
        map.show();
        QTest::keyClick(&map, Qt::Key_Home, Qt::ShiftModifier);
        QTest::keyClick(&map, Qt::Key_Comma);
        QTest::keyClick(&map, Qt::Key_P);
        QVERIFY(!map.time().cursor() && !map.time().isPlaying());
    }

private:
    QTemporaryDir m_settings;
};

int main(int argc, char** argv)
{
    qputenv("QT_SCALE_FACTOR", "2"); // before there is an application
    QApplication application(argc, argv);
    TestMap test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_map.moc"
