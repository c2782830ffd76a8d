// SPDX-License-Identifier: Apache-2.0
/// The screen Devices beyond its table: what its dock tells of a device, filters that are completed and kept;
/// and that one console at a time uses a profile.
#include "admin/audit_log.h"
#include "devices_page.h"
#include "error_card.h"
#include "gui_fixture.h"
#include "main_window.h"
#include "pieces_bar.h"
#include "profile.h"
#include "publish_send.h"
#include "query_box.h"
#include "release_samples.h"

#include <QCompleter>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPushButton>
#include <QSettings>
#include <QStandardPaths>
#include <QStyleFactory>
#include <QTabWidget>
#include <QTableView>
#include <QTemporaryDir>
#include <QTextBrowser>

#include <fstream>

using namespace starling;
using namespace starling::gui_test;
using namespace std::chrono_literals;
using trust::Phase;
using window::DevicesPage;
using window::MainWindow;
using window::QueryBox;

namespace {

QString s(const char* text)
{
    return QString::fromUtf8(text);
}

/// Device 1 as it fetches, checks and is healthy; device 2 says no more than that it has heard of it.
window::SnapshotPtr snapshotAfter(const std::vector<Phase>& phases)
{
    fleetview::Fleet fleet(samples::kBegin);
    fleet.take({}, {}, samples::kBegin);
    UtcTime now = samples::kBegin;
    std::uint64_t sequence = 0;
    for (const Phase phase : phases) {
        auto first = samples::reportOf(1, {samples::entryOf(phase)}, {{"site", "Berlin 03"}});
        auto second = samples::reportOf(2, {samples::entryOf(Phase::Announced)}, {{"site", "lab"}});
        first.receipt.sequence = ++sequence;
        fleet.take({std::move(first), std::move(second)},
                   {{*ResourceUri::parse("fw/gateway"), {0, 2}, InfoHash(), "spring", 1'000, now}},
                   now += 10s);
    }
    return snapshotOf(fleet.picture(now));
}

} // namespace

class TestDevices : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_home.isValid());
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_home.path());
        qputenv("XDG_DATA_HOME", m_home.path().toUtf8());
        QCoreApplication::setOrganizationName(s("starling"));
        QCoreApplication::setApplicationName(s("starling-console-test"));
        QApplication::setStyle(QStyleFactory::create(s("Fusion")));
        window::loadResources();
    }

    void saysHowManyDevicesAreReadSoFar()
    {
        MainWindow main(s("agent.sock"));
        main.resize(1'240, 800);
        main.setLook(window::Look::Light);
        main.show();
        auto part = std::make_shared<window::Snapshot>(*snapshotOf(pictureOf(40, 3)));
        part->reading = window::Reading{4'096, 100'000};
        main.show(part);
        const auto says = [&](const QString& text) {
            const auto labels = main.findChildren<QLabel*>();
            return std::any_of(labels.begin(), labels.end(), [&](const QLabel* each) {
                return each->isVisible() && each->text().contains(text);
            });
        };
        const auto number = [](int value) { return QLocale().toString(value); };
        const QString soFar = s("Reading devices: %1 of %2").arg(number(4'096), number(100'000));
        QVERIFY(find<QLabel>(main, soFar) != nullptr); // in the status bar
        QVERIFY(says(soFar + s(" so far. Of these: ")));
        keepPicture(main, s("reading-devices"));
        // Nothing is pushed to devices that were not counted.
        const auto torrent = std::make_shared<release::TorrentFile>(release::samples::single(50'000));
        window::PublishSend send;
        send.show(part);
        send.begin(torrent, {}, s("agent.sock"), s("fw-gateway-1.torrent"));
        auto* const typed = find<QLineEdit>(send, s("Type to confirm"));
        typed->setText(typed->placeholderText());
        auto* const push = find<QPushButton>(send, s("Push"));
        QVERIFY(!push->isEnabled());

        auto whole = std::make_shared<window::Snapshot>(*part);
        whole->reading.reset();
        main.show(whole);
        send.show(whole);
        QVERIFY(!says(soFar));
        typed->setText(typed->placeholderText());
        QVERIFY(push->isEnabled());
        // And those for which there is no room at all.
        whole = std::make_shared<window::Snapshot>(*whole);
        whole->leftOut = 50'000;
        main.show(whole);
        auto* const needs = find<QListWidget>(main, s("What needs you, largest first"));
        QVERIFY(needs->item(0)->text().startsWith(s("About %1 more devices report").arg(number(50'000))));
        QVERIFY(needs->item(0)->text().endsWith(s("room for ") + number(200'000)));
    }
    void init() { QSettings().clear(); }

    void tellsHowFarADeviceIs();
    void tellsOfTheAskedDeviceWhichPiecesHaveCome();
    void tellsWhatTheAgentHasToDoWithADevice();
    void tellsWhatThisUserDidToADevice();
    void showsForeignTextOfTheDockLiterally();
    void completesAQueryByKeyboard();
    void keepsAndForgetsFilters();
    void letsOneConsoleUseAProfile();
    void saysThatTheClockIsFarOff();

private:
    static QString tab(DevicesPage& page, const char* name)
    {
        return find<QTextBrowser>(page, s(name))->toPlainText();
    }
    QTemporaryDir m_home;
};

void TestDevices::tellsHowFarADeviceIs()
{
    DevicesPage page;
    page.resize(1'100, 760);
    page.setTheme(window::Theme::of(window::Look::Light, QPalette()));
    page.show();
    page.show(snapshotAfter({Phase::Accepted, Phase::Downloading, Phase::Verifying}));
    page.choose(samples::nodeOf(1));
    const QString progress = tab(page, "Progress");
    QVERIFY2(progress.contains(s("✓ not seen when")), qPrintable(progress)); // announced
    QVERIFY2(progress.contains(s("● for 0 s")), qPrintable(progress)); // verifying
    QCOMPARE(progress.count(s("○ to come")), 4);
    QVERIFY(tab(page, "Health").contains(s("not checked yet")));
    page.show(snapshotAfter({Phase::Checking, Phase::Healthy}));
    QTRY_VERIFY2(tab(page, "Health").contains(s("passed its health check, 0 s ago")),
                 qPrintable(tab(page, "Health")));
    QCOMPARE(tab(page, "Progress").count(s("○ to come")), 0);
    page.findChild<QTabWidget*>()->setCurrentIndex(1);
    keepPicture(page, s("devices-progress"));
}

void TestDevices::tellsOfTheAskedDeviceWhichPiecesHaveCome()
{
    DevicesPage page;
    page.resize(1'100, 760);
    page.setTheme(window::Theme::of(window::Look::Light, QPalette()));
    page.show();
    auto snapshot = std::make_shared<window::Snapshot>(*snapshotAfter({Phase::Downloading}));
    snapshot->status.node = samples::nodeOf(1);
    control::UpdateLine update{
        *ResourceUri::parse("fw/gateway"), {0, 2}, InfoHash(), "spring", {}, 0, {}, 0, 0, {}, {}, 1, {}, 0};
    update.phase = Phase::Downloading;
    update.totalBytes = 1'000;
    update.doneBytes = 250;
    update.pieces = Bytes{std::byte{0xC0}};
    snapshot->status.updates.push_back(update);
    page.show(snapshot);
    page.choose(samples::nodeOf(1));
    auto* const bar = page.findChild<window::PiecesBar*>();
    QVERIFY(bar->isVisible());
    QCOMPARE(bar->accessibleDescription(), s("2 piece(s) have come"));
    QVERIFY2(tab(page, "Progress").contains(s("(25 %)")), qPrintable(tab(page, "Progress")));
    // The first quarter of the bar is filled, and the last is not.
    const QImage image = bar->grab().toImage();
    const int middle = image.height() / 2;
    QVERIFY(image.pixel(image.width() / 8, middle) != image.pixel(image.width() * 7 / 8, middle));
    keepPicture(page, s("devices-pieces"));
    page.choose(samples::nodeOf(2));
    QVERIFY(!bar->isVisible());
    QVERIFY(tab(page, "Progress").contains(s("only the device itself knows")));
}

void TestDevices::tellsWhatTheAgentHasToDoWithADevice()
{
    DevicesPage page;
    auto snapshot = std::make_shared<window::Snapshot>(*snapshotAfter({Phase::Healthy}));
    snapshot->status.links = {{samples::nodeOf(1), Endpoint::ipv4(127, 0, 0, 1, 7'891), true, 2'300}};
    snapshot->status.traffic = {{InfoHash(), samples::nodeOf(1), 3'000'000, 0}};
    page.show(snapshot);
    page.choose(samples::nodeOf(1));
    QString peers = tab(page, "Peers");
    QVERIFY2(peers.contains(s("up, 2.3 ms away")) && peers.contains(s("2.9 MiB")), qPrintable(peers));
    page.choose(samples::nodeOf(2));
    QVERIFY(tab(page, "Peers").contains(s("has no link to it")));
    auto asked = std::make_shared<window::Snapshot>(*snapshot);
    asked->status.node = samples::nodeOf(2);
    page.show(asked);
    QTRY_VERIFY2(tab(page, "Peers").contains(s("Its own links")), qPrintable(tab(page, "Peers")));
    QVERIFY(tab(page, "Peers").contains(s("gw-1")));
}

void TestDevices::tellsWhatThisUserDidToADevice()
{
    const console::AuditLog log;
    QVERIFY(log.record(console::Act::DeviceAdmitted, "<b>gw-1 " + samples::nodeOf(1).hex(), "admit <key>"));
    DevicesPage page;
    page.resize(1'100, 760);
    page.show();
    page.show(snapshotAfter({Phase::Healthy}));
    page.choose(samples::nodeOf(1));
    auto* const text = find<QTextBrowser>(page, s("Log"));
    page.findChild<QTabWidget*>()->setCurrentWidget(text);
    QTRY_VERIFY2(text->toPlainText().contains(s("device-admitted")), qPrintable(text->toPlainText()));
    QVERIFY(text->toPlainText().contains(s("admit <key>")));
    page.choose(samples::nodeOf(2));
    QTRY_VERIFY(text->toPlainText().contains(s("does not name it")));
    page.choose(samples::nodeOf(1));
    QTRY_VERIFY(text->toPlainText().contains(s("device-admitted")));
}

void TestDevices::showsForeignTextOfTheDockLiterally()
{
    fleetview::Fleet fleet(samples::kBegin);
    auto report = samples::reportOf(1, {samples::entryOf(Phase::Failed)}, {{"<u>site", "<i>x"}});
    report.name = "<b>bold</b>";
    report.receipt.entries[0].detail = "<img src=x>";
    report.receipt.alarms = {{"<s>alarm", 2}};
    fleet.take({report}, {}, samples::kBegin);
    DevicesPage page;
    auto snapshot = std::make_shared<window::Snapshot>(*snapshotOf(fleet.picture(samples::kBegin)));
    snapshot->status.name = "<h1>agent";
    page.show(snapshot);
    page.choose(samples::nodeOf(1));
    QVERIFY(tab(page, "Identity").contains(s("<b>bold</b>")) && tab(page, "Identity").contains(s("<i>x")));
    QVERIFY(tab(page, "Health").contains(s("<img src=x>")) && tab(page, "Health").contains(s("<s>alarm")));
    QVERIFY(tab(page, "History").contains(s("<img src=x>")));
    QVERIFY(tab(page, "Peers").contains(s("<h1>agent")));
}

void TestDevices::completesAQueryByKeyboard()
{
    DevicesPage page;
    page.resize(1'100, 760);
    page.show();
    QVERIFY(QTest::qWaitForWindowActive(&page));
    page.show(snapshotAfter({Phase::Healthy}));
    auto* const edit = page.findChild<QueryBox*>()->edit();
    edit->setFocus();
    QTest::keyClicks(edit, s("not si"));
    QWidget* const popup = edit->completer()->popup();
    QTRY_VERIFY(popup->isVisible());
    QTest::keyClick(popup, Qt::Key_Down);
    QTest::keyClick(popup, Qt::Key_Return);
    QCOMPARE(edit->text(), s("not site="));
    QTest::keyClicks(edit, s("b"));
    QTRY_VERIFY(popup->isVisible());
    QTest::keyClick(popup, Qt::Key_Down);
    QTest::keyClick(popup, Qt::Key_Return);
    QCOMPARE(edit->text(), s("not site=\"Berlin 03\""));
    QTRY_COMPARE(page.findChild<QTableView*>()->model()->rowCount(), 1);
}

void TestDevices::keepsAndForgetsFilters()
{
    const auto entries = [](QueryBox& box) {
        auto* const menu = box.findChild<QMenu*>();
        Q_EMIT menu->aboutToShow();
        return menu->actions();
    };
    {
        QueryBox box;
        QCOMPARE(entries(box).size(), 3);
        QVERIFY(!entries(box)[0]->isEnabled() && !entries(box)[2]->isEnabled()); // none, and nothing to keep
        box.setText(s("state=green"));
        QVERIFY(!entries(box)[2]->isEnabled()); // no query
        box.setText(s("site=lab & x"));
        box.setText(s(" site=\"R&D\" "));
        entries(box)[2]->trigger();
    }
    QueryBox box; // as after a start
    QCOMPARE(entries(box)[0]->text(), s("site=\"R&&D\""));
    entries(box)[0]->trigger();
    QCOMPARE(box.text(), s("site=\"R&D\""));
    QVERIFY(entries(box)[2]->text().startsWith(s("Forget")));
    entries(box)[2]->trigger();
    QVERIFY(!entries(box)[0]->isEnabled());
    for (int i = 0; i < QueryBox::kMaxKept + 1; ++i) {
        box.setText(s("name=gw-%1").arg(i));
        entries(box).last()->trigger();
    }
    QCOMPARE(entries(box).size(), QueryBox::kMaxKept + 2);
    QVERIFY(!entries(box).last()->isEnabled());
}

void TestDevices::letsOneConsoleUseAProfile()
{
    std::optional first = window::ProfileLock::take();
    QVERIFY2(first->has_value(), first->has_value() ? "" : toString(first->error()).c_str());
    const auto second = window::ProfileLock::take();
    QVERIFY(!second && second.error().code == Errc::StateLocked);
    QVERIFY(second.error().context.find("process " + std::to_string(QCoreApplication::applicationPid()))
            != std::string::npos);
    window::ErrorCard card;
    card.tell(s("This console does not open."), second.error());
    QCOMPARE(card.code(), s("STAR-LOCAL-002"));
    QVERIFY(find<QLabel>(card, card.code()) != nullptr);
    first.reset();
    QVERIFY(window::ProfileLock::take());
    QVERIFY(window::isProfileName(s("harbour-2")));
    for (const char* name : {"", "a/b", "..\n", "a b", "0123456789012345678901234567890123"})
        QVERIFY2(!window::isProfileName(s(name)), name);
}

void TestDevices::saysThatTheClockIsFarOff()
{
    const console::AuditLog log;
    QVERIFY(log.record(console::Act::KeyMade, "release", "a key"));
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    QVERIFY(log.checkClock(now));
    QVERIFY(log.checkClock(now - console::AuditLog::kClockTolerance + 1min));
    const auto before = log.checkClock(now - console::AuditLog::kClockTolerance - 1min);
    QVERIFY(!before && before.error().code == Errc::ClockWrong);
    {
        window::MainWindow main(s("nobody.sock"));
        QVERIFY(find<QLabel>(main, s("STAR-LOCAL-011")) == nullptr);
    }
    // A line of next year, as a console writes it whose clock is ahead.
    const auto trail = log.read();
    QVERIFY(trail.has_value());
    console::AuditEntry late = trail->lines.back().entry;
    ++late.number;
    late.at = now + std::chrono::hours(24 * 365);
    std::ofstream(log.file(), std::ios::app) << console::auditLineOf(late, trail->head);
    window::MainWindow main(s("nobody.sock"));
    main.resize(1'100, 760);
    main.show();
    QVERIFY(find<QLabel>(main, s("STAR-LOCAL-011")) != nullptr);
    QVERIFY(find<QLabel>(main, s("STAR-LOCAL-011"))->isVisible());
    keepPicture(main, s("clock-wrong"));
}

QTEST_MAIN(TestDevices)
#include "tst_devices.moc"
