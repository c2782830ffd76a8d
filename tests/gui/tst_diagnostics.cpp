// SPDX-License-Identifier: Apache-2.0
/// Diagnostics: what they tell, and above all what they do not. What the overview says of hints, and the log
/// of what an agent told.
#include "crypto/signing.h"
#include "demo_bar.h"
#include "demo_feed.h"
#include "diagnostics_page.h"
#include "gui_fixture.h"
#include "log_page.h"
#include "main_window.h"
#include "node/config.h"
#include "node/disk.h"
#include "overview_page.h"
#include "sources.h"

#include <QClipboard>
#include <QComboBox>
#include <QDir>
#include <QGuiApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLineEdit>
#include <QListWidget>
#include <QLocale>
#include <QPlainTextEdit>
#include <QPointer>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTableView>
#include <QTemporaryDir>

using namespace starling;
using namespace starling::gui_test;

namespace {

QString s(const char* text)
{
    return QString::fromUtf8(text);
}

/// A fleet with names, labels and addresses that nobody else is to know.
window::SnapshotPtr secretive()
{
    fleetview::Fleet fleet(samples::kBegin);
    auto report = samples::reportOf(1,
                                    {samples::entryOf(trust::Phase::Failed, 2, "fw/secret-product",
                                                      static_cast<std::uint16_t>(Errc::HealthFailed))},
                                    {{"site", "secret-site"}});
    report.name = "secret-name";
    report.receipt.entries[0].detail = "secret-detail";
    fleet.take({report}, {}, samples::kBegin);
    auto snapshot = std::make_shared<window::Snapshot>(*snapshotOf(fleet.picture(samples::kBegin)));
    snapshot->status.name = "secret-agent";
    snapshot->status.listen = *node::parseEndpoint("192.0.2.77:7891");
    for (control::LinkLine& link : snapshot->status.links) {
        link.node = samples::nodeOf(3);
        link.endpoint = *node::parseEndpoint("198.51.100.78:7891");
    }
    return snapshot;
}

} // namespace

class TestDiagnostics : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("XDG_DATA_HOME", m_directory.path().toUtf8());
        qputenv("HOME", m_directory.path().toUtf8());
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_directory.path());
        window::loadResources();
    }
    void tellsVersionsStatesAndCodes();
    void tellsNoNamesAddressesOrPlaces();
    void savesWhatItShowsAndOverwritesNothing();
    void saysWhyThereIsNoAgent();
    void showsSumsAsHintsAndPaintsNothingByThem();
    void saysThatNobodyWasReachedForTwoMinutes();
    void listsWhatTheAgentToldNewestFirst();
    void tellsWhatHappensInADemo();
    void showsHowFarALargeDemoIsAndStopsIt();

private:
    QTemporaryDir m_directory;
};

void TestDiagnostics::showsSumsAsHintsAndPaintsNothingByThem()
{
    window::OverviewPage page;
    page.setTheme(window::Theme::of(window::Look::Light, QPalette()));
    const auto before = snapshotOf(pictureOf(20, 3));
    page.show(before);
    const auto textsOf = [&] {
        QStringList texts;
        for (const QLabel* label : page.findChildren<QLabel*>())
            if (!label->isHidden())
                texts += label->text();
        return texts;
    };
    const QStringList plain = textsOf();
    QVERIFY(plain.filter(s("hint")).isEmpty());

    auto summed = std::make_shared<window::Snapshot>(*before);
    summed->hints = fleetview::Hints{12'345, 0, 20, {}};
    summed->hints->hints = {
        {*ResourceUri::parse("fw/gateway"), {0, 2}, trust::Phase::Healthy, std::nullopt, 11'111}};
    page.show(summed);
    QStringList texts = textsOf();
    const QStringList hints = texts.filter(s("hint, not verified: about 12000 devices"));
    QCOMPARE(hints.size(), 1);
    QVERIFY2(hints[0].contains(s("about 11000 healthy")), qPrintable(hints[0]));
    texts.removeAll(hints[0]);
    QCOMPARE(texts, plain);
}

void TestDiagnostics::saysThatNobodyWasReachedForTwoMinutes()
{
    window::OverviewPage page;
    page.setTheme(window::Theme::of(window::Look::Light, QPalette()));
    QSignalSpy wanted(&page, &window::OverviewPage::checkWanted);
    auto* const needs = find<QListWidget>(page, s("What needs you, largest first"));
    const auto first = snapshotOf(pictureOf(20, 3));
    const auto showAt = [&](int seconds, bool isUp, std::size_t links) {
        auto snapshot = std::make_shared<window::Snapshot>(*first);
        snapshot->takenAt += seconds * 1'000;
        snapshot->status.links.resize(links);
        for (control::LinkLine& link : snapshot->status.links)
            link.isUp = isUp;
        page.show(window::SnapshotPtr(snapshot));
        return needs->count() > 0 && needs->item(0)->text().contains(s("has reached nobody"));
    };
    QVERIFY(!showAt(0, false, 3));
    QVERIFY(!showAt(119, false, 0)); // what it tries comes and goes
    QVERIFY(showAt(120, false, 0));
    QVERIFY(needs->item(0)->text().contains(s("for 2 min")));
    Q_EMIT needs->itemActivated(needs->item(0));
    QCOMPARE(wanted.count(), 1);
    QVERIFY(!showAt(130, true, 1));
    QVERIFY(!showAt(140, false, 1)); // it begins anew
    QVERIFY(!showAt(259, false, 1));
    QVERIFY(showAt(260, false, 1));
    // The first agent of a fleet has nobody to reach.
    window::OverviewPage alone;
    alone.setTheme(window::Theme::of(window::Look::Light, QPalette()));
    for (const int seconds : {0, 500}) {
        auto snapshot = std::make_shared<window::Snapshot>(*snapshotOf(pictureOf(1, 1)));
        snapshot->status.links.clear();
        snapshot->takenAt += seconds * 1'000;
        alone.show(window::SnapshotPtr(snapshot));
        const auto* const list = find<QListWidget>(alone, s("What needs you, largest first"));
        for (int row = 0; row < list->count(); ++row)
            QVERIFY(!list->item(row)->text().contains(s("has reached nobody")));
    }
}

void TestDiagnostics::listsWhatTheAgentToldNewestFirst()
{
    using What = control::Event::What;
    window::LogPage page(console::AuditLog(m_directory.filePath(s("audit.log")).toStdString()));
    page.setTheme(window::Theme::of(window::Look::Light, QPalette()));
    page.resize(1'000, 600);
    page.QWidget::show();
    page.findChild<QTabWidget*>()->setCurrentIndex(1);
    auto* const table = find<QTableView>(page, s("Events, newest first"));
    const auto before = snapshotOf(pictureOf(20, 3));
    page.show(before);
    QVERIFY(!table->isVisible());
    auto events = std::make_shared<std::deque<window::SeenEvent>>();
    const auto add = [&](What what, const char* uri, std::uint16_t code, std::uint32_t node) {
        control::Event event;
        event.what = what;
        event.uri = uri;
        event.revision = {0, 2};
        event.phase = trust::Phase::RollingBack;
        event.code = code;
        event.node = node == 0 ? NodeId() : samples::nodeOf(node);
        event.text = "<b>as it was told";
        events->push_back({1'795'000'000'000 + static_cast<qint64>(events->size()), event});
    };
    add(What::Link, "", 0, 3);
    add(What::Receipt, "fw/gateway", static_cast<std::uint16_t>(Errc::HealthFailed), 4);
    add(What::Refused, "", static_cast<std::uint16_t>(Errc::Rollback), 0);
    auto told = std::make_shared<window::Snapshot>(*before);
    told->events = events;
    page.show(window::SnapshotPtr(told));
    QVERIFY(table->isVisible());
    keepPicture(page, s("log-events"));
    const auto cell = [&](int row, int column) {
        return table->model()->index(row, column).data().toString();
    };
    QCOMPARE(table->model()->rowCount(), 3);
    QCOMPARE(cell(0, 1), s("Refused"));
    QVERIFY(cell(1, 2).startsWith(s("gw-4 · fw/gateway 2")));
    QVERIFY(cell(1, 3).startsWith(s("rolling back · ")) && cell(1, 3).contains(s("STAR-DEPLOY-004")));
    find<QLineEdit>(page, s("Filter the events"))->setText(s("GATEWAY"));
    QCOMPARE(table->model()->rowCount(), 1);
    find<QLineEdit>(page, s("Filter the events"))->clear();
    auto* const kind = find<QComboBox>(page, s("Kind of events"));
    kind->setCurrentIndex(kind->findText(s("Link")));
    QCOMPARE(table->model()->rowCount(), 1);
    QCOMPARE(cell(0, 2), s("gw-3"));
    kind->setCurrentIndex(0);
    find<QPushButton>(page, s("Copy the events that are shown, as JSON"))->click();
    const QJsonArray copied = QJsonDocument::fromJson(QGuiApplication::clipboard()->text().toUtf8()).array();
    QCOMPARE(copied.size(), qsizetype{3});
    QCOMPARE(copied[0].toObject()[s("event")].toString(), s("link")); // the oldest first
    QCOMPARE(copied[2].toObject()[s("code")].toString(), s("STAR-TRUST-006"));
    QCOMPARE(copied[1].toObject()[s("text")].toString(), s("<b>as it was told"));
}

void TestDiagnostics::tellsWhatHappensInADemo()
{
    QVERIFY(crypto::initialize());
    window::DemoFeed feed({6, 11, sim::DemoStory::Forged});
    std::map<control::Event::What, std::size_t> kinds;
    qint64 last = 0;
    connect(&feed, &window::DemoFeed::snapshotTaken, &feed, [&](const window::SnapshotPtr& snapshot) {
        kinds.clear();
        last = 0;
        if (snapshot->events)
            for (const window::SeenEvent& seen : *snapshot->events) {
                ++kinds[seen.event.what];
                QVERIFY(seen.at >= last);
                last = seen.at;
            }
    });
    feed.begin();
    feed.setSpeed(10);
    using What = control::Event::What;
    // Five devices' receipts of two phases, what the observer's own device does, a link to a neighbour, and
    // a forged notice.
    QTRY_VERIFY_WITH_TIMEOUT(kinds[What::Receipt] >= 10 && kinds[What::Update] >= 2 && kinds[What::Link] >= 1
                                 && kinds[What::Refused] >= 1,
                             60'000);
    // Whoever leaves it does not wait until all of it is given back.
    const QPointer<window::DemoFeed> left(new window::DemoFeed({300, 7, sim::DemoStory::Happy}));
    QSignalSpy told(left.data(), &window::DemoFeed::snapshotTaken);
    left->begin();
    QTRY_VERIFY(told.count() > 1);
    left->leave();
    QVERIFY(left);
    QTRY_VERIFY(!left);
    QVERIFY(last >= 1'767'225'600'000 && last < 1'767'225'600'000 + 3'600'000); // by the fleet's own calendar
}

void TestDiagnostics::showsHowFarALargeDemoIsAndStopsIt()
{
    window::MainWindow main{QString()};
    main.resize(1'240, 800);
    main.show();
    window::Sources sources(main, s("nowhere.sock"));
    sources.beginDemo({40'000, 7, sim::DemoStory::Happy});
    const auto* const bar = main.findChild<window::DemoBar*>();
    const auto* const progress = find<QProgressBar>(*bar, s("How far the demo is before it begins"));
    const auto says = [&](const char* text) {
        const auto labels = bar->findChildren<QLabel*>();
        return std::any_of(labels.begin(), labels.end(),
                           [&](const QLabel* label) { return label->text().contains(s(text)); });
    };
    QTRY_VERIFY_WITH_TIMEOUT(progress->isVisible() && progress->value() > 0, 60'000);
    const QString text =
        QLocale().toString(40'000) + s(" simulated devices get their keys and certificates, about ");
    QTRY_VERIFY_WITH_TIMEOUT(says(qPrintable(text)) && says(" left"), 60'000);
    keepPicture(main, s("demo-begins"));
    QTest::mouseClick(find<QPushButton>(*bar, s("Cancel the demo")), Qt::LeftButton);
    QVERIFY(!bar->isVisible() && !main.windowTitle().contains(s("[DEMO]")));
}

void TestDiagnostics::tellsVersionsStatesAndCodes()
{
    window::DiagnosticsPage page(s("agent.sock"));
    page.setTheme(window::Theme::of(window::Look::Light, QPalette()));
    page.show(secretive());
    page.resize(1'000, 700);
    page.QWidget::show();
    find<QPushButton>(page, s("Copy the diagnostics"))->click();
    const QString text = QGuiApplication::clipboard()->text();
    QCOMPARE(text, find<QPlainTextEdit>(page, s("Diagnostics"))->toPlainText());
    for (const char* told : {STARLING_VERSION, "libsodium 1.", "OpenSSL 3", "SQLite 3", "libtorrent 2.",
                             "STAR-DEPLOY-004", "\"failed\": 1", "\"listen_port\": 7891", "no entry yet"})
        QVERIFY2(text.contains(s(told)), told);
    QVERIFY(text.contains(QString::fromStdString(samples::nodeOf(3).shortHex())));
    QVERIFY(page.minimumSizeHint().width() < 800);
    for (const window::Look look : {window::Look::Light, window::Look::Dark, window::Look::HighContrast}) {
        const window::Theme theme = window::Theme::of(look, QPalette());
        QGuiApplication::setPalette(theme.palette());
        page.setStyleSheet(theme.styleSheet());
        page.setTheme(theme);
        keepPicture(page, s("diagnostics-") + window::lookName(look));
    }
}

void TestDiagnostics::tellsNoNamesAddressesOrPlaces()
{
    window::DiagnosticsPage page(s("agent.sock"));
    const QString home = m_directory.path();
    page.setFleet(home + s("/starling/agent.sock"), home + s("/starling"));
    page.show(secretive());
    page.refresh();
    QCOMPARE(page.files().size(), std::size_t{3});
    for (const console::DiagnosticFile& file : page.files()) {
        for (const char* secret : {"secret", "192.0.2", "198.51"})
            QVERIFY2(!file.contents.contains(secret), secret);
        QVERIFY2(!file.contents.contains(home.toUtf8()), file.contents.constData());
    }
    QVERIFY(page.files()[0].contents.contains("~/starling/agent.sock"));
}

void TestDiagnostics::savesWhatItShowsAndOverwritesNothing()
{
    window::DiagnosticsPage page(s("agent.sock"));
    page.show(secretive());
    page.refresh();
    const QString folder = m_directory.filePath(s("bundle"));
    QVERIFY(page.saveTo(folder));
    QCOMPARE(QDir(folder).entryList(QDir::Files).size(), static_cast<qsizetype>(page.files().size()));
    for (const console::DiagnosticFile& file : page.files()) {
        const auto bytes = node::readFile((folder + s("/") + file.name).toStdString(), 65'536);
        QVERIFY(bytes && bytes->size() == static_cast<std::size_t>(file.contents.size()));
    }
    QCOMPARE(page.saveTo(folder).error().code, Errc::AlreadyExists);
    QVERIFY(!page.saveTo(m_directory.filePath(s("none/bundle"))));
}

void TestDiagnostics::saysWhyThereIsNoAgent()
{
    window::DiagnosticsPage page(s("agent.sock"));
    page.showLost(s("nobody answers · STAR-NET-001"));
    page.refresh();
    QCOMPARE(page.files().size(), std::size_t{1});
    QVERIFY(page.files()[0].contents.contains("STAR-NET-001"));
}

QTEST_MAIN(TestDiagnostics)
#include "tst_diagnostics.moc"
