// SPDX-License-Identifier: Apache-2.0
/// Every screen in every theme, without an agent: names, contrast, keyboard, exports, and a picture to look
/// at.
#include "devices_page.h"
#include "error_card.h"
#include "gui_fixture.h"
#include "keys_page.h"
#include "log_page.h"
#include "main_window.h"
#include "map_accessible.h"
#include "map_page.h"
#include "network_samples.h"
#include "profile.h"
#include "rollouts_page.h"

#include <QAccessible>
#include <QClipboard>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QStackedWidget>
#include <QStyleFactory>
#include <QTableView>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTextBrowser>
#include <QToolButton>

using namespace starling;
using namespace starling::gui_test;
using window::Look;
using window::MainWindow;
using window::Theme;

class TestScreens : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void everyWidgetHasAName();
    void looksWell_data();
    void looksWell();
    void textHasContrastInEveryTheme();
    void reachesEveryScreenByKeyboard();
    void filtersByFacetAndQuery();
    void saysThatAQueryIsWrongAndKeepsWhatWasShown();
    void walksTheGridByKeyboard();
    void paintsOnlyCellsThatChanged();
    void paintsTheSamePixelsEachTime();
    void tellsTheSameInTheTable();
    void tellsTheGridToScreenReadersAsATable();
    void exportsPictureDrawingAndTable();
    void showsKeysByRoleWithTheirFingerprints();
    void offersFirstStepsWhereThereAreNoKeys();
    void showsTheLogNewestFirstAndFiltersIt();
    void saysWhichLineOfTheLogIsBad();
    void showsRolloutsWithReasonsAndStragglers();
    void saysThatNoAgentAnswers();
    void saysHowOldItIsWhenTheAgentFallsSilent();
    void keepsItsState();

private:
    QTemporaryDir m_settings;
};

namespace {

QString s(const char* text)
{
    return QString::fromUtf8(text);
}

void goTo(MainWindow& main, const char* name)
{
    auto* const button = find<QToolButton>(main, s(name));
    QVERIFY(button != nullptr);
    button->click();
}

/// What Qt makes within its own widgets, which speak for it.
bool isInner(const QWidget& widget)
{
    if (widget.objectName().startsWith(s("qt_")) || widget.inherits("QScrollBar")
        || widget.inherits("QHeaderView"))
        return true;
    for (const QWidget* above = widget.parentWidget(); above != nullptr; above = above->parentWidget())
        for (const char* name : {"QLineEdit", "QComboBox", "QAbstractItemView", "QTabBar", "QTextBrowser",
                                 "QPlainTextEdit", "QSpinBox"})
            if (above->inherits(name))
                return true;
    return false;
}

/// Of a fleet with two release keys, one of which is here.
console::FleetKeys keysOfSample()
{
    const auto key = [](std::uint32_t number) { return *KeyId::fromBytes(samples::nodeOf(number).bytes()); };
    trust::RootDocument root;
    root.number = 3;
    root.expires = 1'830'000'000;
    root.root = {{key(1), key(2), key(3)}, 2};
    root.admit = {{key(4)}, 1};
    root.observe = trust::Role{{key(5)}, 1};
    root.scopes = {{*ResourceUri::parse("fw"), {{key(6), key(7)}, 2}, 0}};
    console::FleetKeys keys = console::keysOf(root, FleetId(), {});
    keys.isFromAgent = true;
    for (console::FleetKey& each : keys.keys)
        if (each.id == key(6) || each.id == key(4))
            each.file =
                console::KeyFile{each.id == key(4) ? "admit-1.key" : "release-1.key", {each.id, true}};
    keys.strangers.push_back({"old-release.key", {key(9), true}});
    keys.unreadable.emplace_back("torn.key", Error{Errc::KeyUnreadable, "ends early"});
    return keys;
}

/// In the order of Ctrl+1 and so on.
constexpr std::array kScreens{"Overview", "Devices", "Releases", "Rollouts", "Map", "Keys", "Log", "Network"};

QWidget* currentPage(const MainWindow& main)
{
    return find<QStackedWidget>(main, s("Screens"))->currentWidget();
}

} // namespace

void TestScreens::initTestCase()
{
    QVERIFY(m_settings.isValid());
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_settings.path());
    qputenv("XDG_DATA_HOME", m_settings.path().toUtf8()); // of the audit log
    QCoreApplication::setOrganizationName(s("starling"));
    QCoreApplication::setApplicationName(s("starling-console-test"));
    QApplication::setStyle(QStyleFactory::create(s("Fusion")));
    const console::AuditLog log;
    for (int i = 2; i <= 9; ++i) {
        const std::string scope = "fw/gateway " + std::to_string(i);
        QVERIFY(log.record(console::Act::ReleaseSigned, scope, "key 4f1c0d22, info-hash 9f3ce1"));
        QVERIFY(log.record(console::Act::ReleasePushed, scope, "info-hash 9f3ce1",
                           i == 5 ? std::optional(Errc::Rollback) : std::nullopt));
    }
    window::loadResources();
    window::installMapAccessibility();
}

void TestScreens::everyWidgetHasAName()
{
    MainWindow main(s("agent.sock"));
    main.show(snapshotOf(pictureOf(20, 3)));
    main.show();
    int named = 0;
    // Every screen, and every step of those that have steps.
    for (auto* const stack : main.findChildren<QStackedWidget*>())
        for (int i = 0; i < stack->count(); ++i)
            stack->widget(i)->setVisible(true);
    for (const QWidget* widget : main.findChildren<QWidget*>()) {
        const bool isTold = widget->focusPolicy() != Qt::NoFocus || widget->inherits("QLabel")
            || widget->inherits("QAbstractButton");
        const auto* const words = qobject_cast<const QLabel*>(widget);
        const bool isEmpty = words != nullptr && words->text().isEmpty() && words->pixmap().isNull();
        if (!isTold || isInner(*widget) || isEmpty || !widget->isVisibleTo(&main))
            continue;
        ++named;
        QVERIFY2(!widget->accessibleName().isEmpty(),
                 qPrintable(s(widget->metaObject()->className()) + s(" ") + widget->objectName()));
    }
    QVERIFY(named > 70);
}

void TestScreens::looksWell_data()
{
    QTest::addColumn<int>("look");
    QTest::addColumn<int>("devices");
    for (const Look look : {Look::Light, Look::Dark, Look::HighContrast})
        for (const int devices : {0, 9, 1'000})
            QTest::addRow("%s-%d", qPrintable(window::lookName(look)), devices)
                << static_cast<int>(look) << devices;
    QTest::newRow("light-100000") << static_cast<int>(Look::Light) << 100'000;
}

void TestScreens::looksWell()
{
    QFETCH(int, look);
    QFETCH(int, devices);
    MainWindow main(s("agent.sock"));
    main.resize(1'240, 800);
    main.setLook(static_cast<Look>(look));
    main.show();
    const auto snapshot =
        snapshotOf(pictureOf(static_cast<std::uint32_t>(devices), devices > 5'000 ? 24 : 5));
    main.show(snapshot);
    auto* const table = find<QTableView>(*find<window::DevicesPage>(main, s("Devices")), s("Devices"));
    QTRY_COMPARE(table->model()->rowCount(), devices);
    if (devices > 0) {
        find<window::KeysPage>(main, s("Keys"))->show(keysOfSample());
        find<window::DevicesPage>(main, s("Devices"))->choose(snapshot->picture->devices[0]->node);
        fillNetwork(main, "the other side has told no address at which it may be reached");
    }
    for (const char* name : kScreens) {
        goTo(main, name);
        QCoreApplication::processEvents();
        main.show(snapshot);
        if (auto* const grid = currentPage(main)->findChild<window::GridView*>())
            for (const Qt::Key key : {Qt::Key_Right, Qt::Key_Down, Qt::Key_Right})
                QTest::keyClick(grid, key);
        keepPicture(main, s("%1-%2").arg(s(QTest::currentDataTag()), s(name).toLower()));
        for (const QPushButton* button : currentPage(main)->findChildren<QPushButton*>())
            if (button->isVisible())
                QTRY_VERIFY2(button->height() >= 24 && button->width() >= button->minimumSizeHint().width(),
                             qPrintable(button->accessibleName()));
    }
    find<window::MapPage>(main, s("Map"))->setLens(window::MapPage::Lens::Waves);
    keepPicture(main, s("%1-waves").arg(s(QTest::currentDataTag())));
    if (devices != 9)
        return;
    auto* const screens = find<QStackedWidget>(main, s("Screens"));
    for (const char* name : {"New release", "First steps"}) {
        screens->setCurrentWidget(find<window::Page>(main, s(name)));
        auto* const steps = currentPage(main)->findChild<QStackedWidget*>();
        for (int i = 0; i < steps->count(); ++i) {
            steps->setCurrentIndex(i);
            keepPicture(main,
                        s("%1-%2-%3")
                            .arg(s(QTest::currentDataTag()),
                                 s(name).toLower().replace(QLatin1Char(' '), QLatin1Char('-')))
                            .arg(i));
        }
    }
}

void TestScreens::textHasContrastInEveryTheme()
{
    for (const Look look : {Look::Light, Look::Dark, Look::HighContrast}) {
        const Theme theme = Theme::of(look, QPalette());
        for (const QColor& ground : {theme.window, theme.surface, theme.raised})
            for (const QColor& text : {theme.text, theme.muted, theme.accent})
                QVERIFY2(window::contrast(text, ground) >= 4.5,
                         qPrintable(text.name() + s(" on ") + ground.name()));
        QVERIFY(window::contrast(theme.text, theme.soft) >= 4.5);
        for (const fleetview::Standing standing : fleetview::kAllStandings)
            QVERIFY2(
                std::max(window::contrast(theme.fill(standing), theme.surface),
                         window::contrast(theme.outline(standing), theme.surface))
                    >= 3,
                qPrintable(window::lookName(look) + s(" ") + s(fleetview::standingName(standing).data())));
    }
}

void TestScreens::reachesEveryScreenByKeyboard()
{
    MainWindow main(s("agent.sock"));
    main.show();
    QVERIFY(QTest::qWaitForWindowActive(&main));
    for (std::size_t i = kScreens.size(); i > 0; --i) { // it begins with the first
        QTest::keyClick(&main, static_cast<Qt::Key>(Qt::Key_0 + i), Qt::ControlModifier);
        QCOMPARE(currentPage(main)->accessibleName(), s(kScreens[i - 1]));
    }
    QTest::keyClick(&main, Qt::Key_F, Qt::ControlModifier);
    QCOMPARE(currentPage(main)->accessibleName(), s("Devices"));
    QTRY_VERIFY(find<QLineEdit>(main, s("Query"))->hasFocus());
    QTest::keyClick(&main, Qt::Key_K, Qt::ControlModifier);
    QLineEdit* command = nullptr;
    QTRY_VERIFY((command = find<QLineEdit>(main, s("Command or device"))) != nullptr);
    QTest::keyClicks(command, s("to rel"));
    QTest::keyClick(command, Qt::Key_Return);
    QTRY_COMPARE(currentPage(main)->accessibleName(), s("Releases"));
}

void TestScreens::filtersByFacetAndQuery()
{
    MainWindow main(s("agent.sock"));
    main.show(snapshotOf(pictureOf(100, 4)));
    main.show();
    auto* const page = find<window::DevicesPage>(main, s("Devices"));
    auto* const table = find<QTableView>(*page, s("Devices"));
    QTRY_COMPARE(table->model()->rowCount(), 100);
    find<QLineEdit>(main, s("Query"))->setText(s("site=site-2 and state!=healthy"));
    QTRY_VERIFY(table->model()->rowCount() > 0 && table->model()->rowCount() < 26);
    find<QLineEdit>(main, s("Query"))->setText(s("name=nobody"));
    QTRY_COMPARE(table->model()->rowCount(), 0);
    find<QPushButton>(main, s("Show all devices"))->click();
    QTRY_COMPARE(table->model()->rowCount(), 100);
}

void TestScreens::saysThatAQueryIsWrongAndKeepsWhatWasShown()
{
    MainWindow main(s("agent.sock"));
    main.show(snapshotOf(pictureOf(10, 2)));
    auto* const table = find<QTableView>(*find<window::DevicesPage>(main, s("Devices")), s("Devices"));
    QTRY_COMPARE(table->model()->rowCount(), 10);
    find<QLineEdit>(main, s("Query"))->setText(s("state=green"));
    QVERIFY(find<QLabel>(main, s("Not applied: query, at 7: there is no state 'green'")) != nullptr);
    QCOMPARE(table->model()->rowCount(), 10);
}

void TestScreens::walksTheGridByKeyboard()
{
    window::MapPage map;
    map.setTheme(Theme::of(Look::Light, QPalette()));
    map.resize(1'000, 700);
    map.show();
    const auto snapshot = snapshotOf(pictureOf(300, 3));
    map.show(snapshot);
    auto* const grid = map.findChild<window::GridView*>();
    QSignalSpy chosen(grid, &window::GridView::deviceChosen), opened(&map, &window::MapPage::deviceWanted);
    QTest::keyClick(grid, Qt::Key_Right);
    QTest::keyClick(grid, Qt::Key_Right);
    QTest::keyClick(grid, Qt::Key_Down, Qt::ControlModifier);
    QCOMPARE(chosen.count(), 3);
    const auto place = static_cast<std::size_t>(grid->painter().plan().columns) + 1;
    QVERIFY(chosen[2][0].value<NodeId>() == grid->painter().deviceAt(place)->node);
    QTest::keyClick(grid, Qt::Key_Return);
    QCOMPARE(opened.count(), 1);
    QVERIFY(grid->accessibleDescription().contains(s("Chosen: gw-")));
    QTest::keyClick(&map, Qt::Key_T);
    QCOMPARE(map.findChild<QStackedWidget*>()->currentIndex(),
             static_cast<int>(window::MapPage::Lens::Table));
}

void TestScreens::paintsOnlyCellsThatChanged()
{
    fleetview::Fleet fleet(samples::kBegin);
    auto reports = samples::reportsOf(2'000, 5);
    fleet.take(reports, {}, samples::kBegin);
    window::GridPainter painter, whole;
    for (window::GridPainter* each : {&painter, &whole})
        each->setTheme(Theme::of(Look::Dark, QPalette()));
    painter.show(fleet.picture(samples::kBegin), "site", {800, 500}, 1);
    QCOMPARE(painter.repainted(), std::size_t{2'000});
    for (const std::size_t i : {3u, 77u, 1'500u})
        reports[i].receipt.entries[0].phase = trust::Phase::RollingBack;
    fleet.take(reports, {}, samples::kBegin + std::chrono::seconds(1));
    const auto after = fleet.picture(samples::kBegin + std::chrono::seconds(1));
    painter.show(after, "site", {800, 500}, 1);
    QCOMPARE(painter.repainted(), std::size_t{3});
    whole.show(after, "site", {800, 500}, 1);
    QVERIFY(painter.image() == whole.image());
}

void TestScreens::paintsTheSamePixelsEachTime()
{
    for (const QSize size : {QSize(700, 400), QSize(1'000, 40'000)}) {
        std::array<window::GridPainter, 2> painters;
        for (window::GridPainter& painter : painters) {
            painter.setTheme(Theme::of(Look::Light, QPalette()));
            painter.show(pictureOf(500, 4), "site", size, 2);
        }
        QVERIFY(painters[0].image() == painters[1].image());
    }
}

void TestScreens::tellsTheSameInTheTable()
{
    window::MapPage map;
    map.setTheme(Theme::of(Look::Light, QPalette()));
    const auto snapshot = snapshotOf(pictureOf(700, 3));
    map.show(snapshot);
    map.setLens(window::MapPage::Lens::Table);
    const auto* const table = find<QTableWidget>(map, s("Groups by state: the map as a table"));
    QCOMPARE(table->rowCount(), 3);
    int healthy = 0;
    for (int row = 0; row < 3; ++row)
        healthy += table->item(row, 2)->text().toInt();
    QCOMPARE(static_cast<std::size_t>(healthy), snapshot->picture->count(fleetview::Standing::Healthy));
}

void TestScreens::tellsTheGridToScreenReadersAsATable()
{
    window::MapPage map;
    map.setTheme(Theme::of(Look::Light, QPalette()));
    map.resize(900, 600);
    map.show();
    const auto snapshot = snapshotOf(pictureOf(700, 3));
    map.show(snapshot);
    QAccessibleInterface* const grid =
        QAccessible::queryAccessibleInterface(map.findChild<window::GridView*>());
    QVERIFY(grid != nullptr);
    QCOMPARE(grid->role(), QAccessible::Table);
    QAccessibleTableInterface* const table = grid->tableInterface();
    QVERIFY(table != nullptr);
    QCOMPARE(table->rowCount(), 3);
    QCOMPARE(table->rowDescription(2), s("site-2"));
    std::size_t healthy = 0;
    for (int row = 0; row < 3; ++row)
        healthy += table->cellAt(row, 0)->text(QAccessible::Value).toULongLong();
    QCOMPARE(healthy, snapshot->picture->count(fleetview::Standing::Healthy));
    QVERIFY(table->cellAt(1, 0)->text(QAccessible::Name).startsWith(s("site-1, Healthy: ")));
    QVERIFY(table->cellAt(3, 0) == nullptr && table->cellAt(0, 9) == nullptr);
    QCOMPARE(grid->indexOfChild(grid->child(11)), 11);
}

void TestScreens::exportsPictureDrawingAndTable()
{
    using Format = window::MapPage::Format;
    QTemporaryDir directory;
    window::MapPage map;
    map.setTheme(Theme::of(Look::Light, QPalette()));
    QCOMPARE(map.exportTo(directory.filePath(s("a.csv")), Format::Csv).error().code, Errc::NotFound);
    map.resize(900, 600);
    map.show(snapshotOf(pictureOf(50, 3)));
    QVERIFY(map.exportTo(directory.filePath(s("a.png")), Format::Png));
    QVERIFY(map.exportTo(directory.filePath(s("a.svg")), Format::Svg));
    QVERIFY(map.exportTo(directory.filePath(s("a.csv")), Format::Csv));
    QVERIFY(QImage(directory.filePath(s("a.png"))).width() > 400);
    QFile svg(directory.filePath(s("a.svg"))), csv(directory.filePath(s("a.csv")));
    QVERIFY(svg.open(QIODevice::ReadOnly) && svg.readAll().contains("</svg>"));
    QVERIFY(csv.open(QIODevice::ReadOnly));
    QCOMPARE(csv.readAll().count("\r\n"), qsizetype{51});
    QCOMPARE(map.exportTo(directory.filePath(s("none/a.svg")), Format::Svg).error().code, Errc::Io);
}

void TestScreens::showsKeysByRoleWithTheirFingerprints()
{
    window::KeysPage page(s("nowhere.sock"));
    page.setTheme(Theme::of(Look::Light, QPalette()));
    const console::FleetKeys keys = keysOfSample();
    page.show(snapshotOf(pictureOf(9, 2)));
    page.show(keys);
    for (const console::FleetKey& key : keys.keys)
        QVERIFY(find<QLabel>(page, QString::fromStdString(key.words)) != nullptr);
    QVERIFY(find<QLabel>(page, s("2 of 3 keys must sign")) != nullptr);
    QVERIFY(find<QLabel>(page, s("0 of 9 devices hold it, by their signed receipts")) != nullptr);
    const auto button = [&](const char* name, std::size_t at) {
        return find<QPushButton>(page, s(name).arg(QString::fromStdString(keys.keys[at].id.shortHex())));
    };
    std::size_t backups = 0;
    for (std::size_t i = 0; i < keys.keys.size(); ++i)
        backups += button("Copy the sealed file of key %1", i) != nullptr ? 1 : 0;
    QCOMPARE(backups, std::size_t{2}); // of those that are here
    button("Copy the fingerprint of key %1", 0)->click();
    QVERIFY(QApplication::clipboard()->text().startsWith(QString::fromStdString(keys.keys[0].words)));
    QVERIFY(QApplication::clipboard()->text().endsWith(QString::fromStdString(keys.keys[0].id.hex())));
}

void TestScreens::offersFirstStepsWhereThereAreNoKeys()
{
    window::KeysPage page(s("nowhere.sock"));
    page.setTheme(Theme::of(Look::Light, QPalette()));
    page.QWidget::show();
    auto* const first = find<QPushButton>(page, s("Begin a fleet or join one"));
    QTRY_VERIFY(first->isVisible());
    QSignalSpy wanted(&page, &window::KeysPage::firstStepsWanted);
    first->click();
    QCOMPARE(wanted.count(), 1);
}

void TestScreens::showsTheLogNewestFirstAndFiltersIt()
{
    QTemporaryDir directory;
    const console::AuditLog log(directory.filePath(s("audit.log")).toStdString());
    for (int i = 1; i <= 3; ++i)
        QVERIFY(log.record(console::Act::ReleaseSigned, "fw/gateway " + std::to_string(i), "key <b>4f1c"));
    QVERIFY(log.record(console::Act::ReleasePushed, "fw/gateway 3", "", Errc::Rollback));
    window::LogPage page(log);
    page.setTheme(Theme::of(Look::Light, QPalette()));
    page.QWidget::show();
    auto* const table = find<QTableView>(page, s("Audit log, newest first"));
    QTRY_COMPARE(table->model()->rowCount(), 4);
    const auto cell = [&](int row, int column) {
        return table->model()->index(row, column).data().toString();
    };
    QCOMPARE(cell(0, window::AuditModel::What), s("Release pushed"));
    QCOMPARE(cell(0, window::AuditModel::Outcome), s("STAR-TRUST-006"));
    QCOMPARE(cell(3, window::AuditModel::Detail), s("key <b>4f1c"));
    QVERIFY(find<QLabel>(page, s("Whole: each of 4 entries follows the one before")) != nullptr);
    find<QLineEdit>(page, s("Filter the log"))->setText(s("SIGNED"));
    QCOMPARE(table->model()->rowCount(), 3);
    QVERIFY(page.exportTo(directory.filePath(s("out.json"))));
    QFile out(directory.filePath(s("out.json")));
    QVERIFY(out.open(QIODevice::ReadOnly));
    const QJsonArray entries = QJsonDocument::fromJson(out.readAll()).array();
    QCOMPARE(entries.size(), qsizetype{3});
    QCOMPARE(entries[0].toObject()[s("scope")].toString(), s("fw/gateway 1"));
    find<QPushButton>(page, s("Copy the hash of the newest entry"))->click();
    QCOMPARE(QApplication::clipboard()->text().toStdString(), log.read()->head.hex());
}

void TestScreens::saysWhichLineOfTheLogIsBad()
{
    QTemporaryDir directory;
    const QString file = directory.filePath(s("audit.log"));
    const console::AuditLog log(file.toStdString());
    for (int i = 0; i < 3; ++i)
        QVERIFY(log.record(console::Act::KeyMade, "", "key"));
    QFile changed(file);
    QVERIFY(changed.open(QIODevice::ReadWrite));
    QByteArray text = changed.readAll();
    text.replace("\n2\t", "\n7\t");
    QVERIFY(changed.seek(0) && changed.write(text) == text.size());
    changed.close();
    window::LogPage page(log);
    page.setTheme(Theme::of(Look::Light, QPalette()));
    page.QWidget::show();
    QTRY_VERIFY(page.findChild<QLabel*>(s("heading"))->text().startsWith(s("Not whole: line 3 is bad")));
    QVERIFY(changed.open(QIODevice::WriteOnly | QIODevice::Truncate));
    QVERIFY(changed.write("starling-audit 2\n") > 0);
    changed.close();
    find<QPushButton>(page, s("Read and verify the log again"))->click();
    auto* const card = page.findChild<window::ErrorCard*>();
    QTRY_VERIFY(card->isVisible());
    QCOMPARE(card->code(), s("STAR-LOCAL-003"));
}

void TestScreens::showsRolloutsWithReasonsAndStragglers()
{
    window::RolloutsPage page;
    page.setTheme(Theme::of(Look::Light, QPalette()));
    page.resize(1'000, 700);
    page.QWidget::show();
    QTemporaryDir directory;
    using Format = window::RolloutsPage::Format;
    QCOMPARE(page.exportTo(directory.filePath(s("a.csv")), Format::Csv).error().code, Errc::NotFound);
    const auto snapshot = snapshotOf(pictureOf(700, 3));
    page.show(snapshot);
    auto* const table = find<QTableView>(page, s("Rollouts, those that need attention first"));
    QCOMPARE(table->model()->rowCount(), 2);
    QCOMPARE(table->model()->index(0, window::RolloutModel::State).data().toString(), s("Failing"));
    auto* const reasons = find<QTableWidget>(page, s("Why devices are not healthy yet, worst first"));
    std::size_t counted = 0;
    for (int row = 0; row < reasons->rowCount(); ++row)
        counted += reasons->item(row, 1)->text().toULongLong();
    QCOMPARE(counted, 700 - snapshot->picture->count(fleetview::Standing::Healthy));
    QSignalSpy wanted(&page, &window::RolloutsPage::devicesWanted);
    find<QPushButton>(page, s("Show the devices that are not healthy in it yet"))->click();
    QCOMPARE(wanted.count(), 1);
    const auto query = fleetview::Query::parse(wanted[0][0].toString().toStdString());
    QVERIFY(query);
    const auto& devices = snapshot->picture->devices;
    QCOMPARE(
        static_cast<std::size_t>(std::count_if(devices.begin(), devices.end(),
                                               [&](const auto& device) { return query->matches(*device); })),
        counted);
    QVERIFY(page.exportTo(directory.filePath(s("a.csv")), Format::Csv));
    QVERIFY(page.exportTo(directory.filePath(s("a.json")), Format::Json));
    QFile csv(directory.filePath(s("a.csv"))), json(directory.filePath(s("a.json")));
    QVERIFY(csv.open(QIODevice::ReadOnly) && json.open(QIODevice::ReadOnly));
    QCOMPARE(csv.readAll().count("\r\n"), static_cast<qsizetype>(counted) + 1);
    const QJsonObject report = QJsonDocument::fromJson(json.readAll()).object();
    QCOMPARE(report[s("stragglers")].toArray().size(), static_cast<qsizetype>(counted));
    QCOMPARE(report[s("course")].toString(), s("failing"));
}

void TestScreens::saysThatNoAgentAnswers()
{
    window::Profile{{}, s("nowhere.sock"), {}}.save(); // not the first run
    MainWindow main(s("nowhere.sock"));
    window::Feed feed(s("nowhere.sock"));
    connect(&feed, &window::Feed::lost, &main, &MainWindow::showLost);
    main.show();
    feed.begin();
    const auto* const banner = main.findChild<QLabel*>(s("offline"));
    QTRY_VERIFY(banner->isVisible());
    QVERIFY(banner->text().startsWith(s("No agent answers.")));
    QVERIFY(banner->text().contains(s("STAR-NET-001")));
    keepPicture(main, s("no-agent"));
}

void TestScreens::saysHowOldItIsWhenTheAgentFallsSilent()
{
    MainWindow main(s("agent.sock"));
    auto snapshot = std::make_shared<window::Snapshot>(*snapshotOf(pictureOf(9, 2)));
    snapshot->takenAt -= 130'000;
    main.show(snapshot);
    main.show();
    main.showLost(s("the agent closed the connection"));
    const auto* const banner = main.findChild<QLabel*>(s("offline"));
    QVERIFY(banner->isVisible() && banner->text().startsWith(s("Frozen 2 min ago")));
    QVERIFY(find<QLabel>(main, s("Frozen 2 min ago")) != nullptr);
    goTo(main, "Map");
    keepPicture(main, s("frozen-map"));
    main.show(snapshotOf(pictureOf(9, 2)));
    QVERIFY(!banner->isVisible());
}

void TestScreens::keepsItsState()
{
    {
        MainWindow main(s("agent.sock"));
        main.show();
        main.resize(1'000, 700);
        main.setLook(Look::Dark);
        goTo(main, "Releases");
        main.close();
    }
    MainWindow main(s("agent.sock"));
    QCOMPARE(currentPage(main)->accessibleName(), s("Releases"));
    QCOMPARE(main.size(), QSize(1'000, 700));
    QCOMPARE(QApplication::palette().color(QPalette::Window), Theme::of(Look::Dark, QPalette()).window);
    QSettings().clear();
}

QTEST_MAIN(TestScreens)
#include "tst_screens.moc"
