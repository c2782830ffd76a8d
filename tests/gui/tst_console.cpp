// SPDX-License-Identifier: Apache-2.0
/// The window on a real fleet: agents that are started here, a release that is signed and pushed here, and
/// what becomes of it read from the widgets; how its agents are linked, and who of them collects receipts.
#include "admin/audit_log.h"
#include "device_model.h"
#include "devices_page.h"
#include "fetch_dialog.h"
#include "fleet.h"
#include "gui_console.h"
#include "observe_dialog.h"
#include "passphrase_field.h"
#include "profile.h"
#include "read_only.h"
#include "sums_bar.h"

#include <QClipboard>
#include <QComboBox>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLineEdit>
#include <QListWidget>
#include <QMessageBox>
#include <QProcess>
#include <QPushButton>
#include <QSet>
#include <QSettings>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStackedWidget>
#include <QStatusBar>
#include <QStyleFactory>
#include <QTableView>
#include <QTemporaryDir>
#include <QTextBrowser>
#include <QToolButton>

#include <csignal>
#include <fstream>

using namespace starling;
using namespace starling::gui_test;
using namespace std::chrono_literals;

namespace {

constexpr int kSlow = 60'000; ///< ms: a fleet on a busy machine

QString s(const char* text)
{
    return QString::fromUtf8(text);
}

} // namespace

class TestConsole : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void showsADeviceBecomeHealthyAndFreezesWhenTheAgentEnds();
    void showsLinksAsTheCommandLineTellsThem();
    void checksTheNetworkByKeyboardAndStops();
    void collectsReceiptsHere();
    void onlyShowsIfItIsToldTo();
    void goesFromPartToPartAndAsksAgain();

private:
    /// The box that is open over the window, which is closed then; empty if there is none.
    QString dismissedBox(const window::MainWindow& main) const;
    QByteArray told(std::size_t agent, const QStringList& command) const;
    QJsonObject said(std::size_t agent, const QStringList& command) const
    {
        return QJsonDocument::fromJson(told(agent, command)).object();
    }
    /// By the command line, of agent 0, of a fleet of two.
    void exportTheMap(const support::Fleet& fleet) const;
    void asksForReceipts(support::Fleet& fleet, window::MainWindow& main) const;
    void write(const std::filesystem::path& file, const char* text, bool isProgram) const;
    QTemporaryDir m_directory;
    std::unique_ptr<support::Fleet> m_fleet;
};

void TestConsole::initTestCase()
{
    QVERIFY(m_directory.isValid());
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_directory.path());
    qputenv("XDG_DATA_HOME", m_directory.filePath(s("data")).toUtf8()); // of the audit log
    QCoreApplication::setOrganizationName(s("starling"));
    QCoreApplication::setApplicationName(s("starling-console-test"));
    QApplication::setStyle(QStyleFactory::create(s("Fusion")));
    window::loadResources();
    auto made = support::Fleet::create(
        {.directory = m_directory.path().toStdString(), .programs = STARLING_BINARY_DIR "/bin", .agents = 2});
    QVERIFY2(made, made ? "" : toString(made.error()).c_str());
    m_fleet = std::move(*made);
    QVERIFY(m_fleet->startAll());
    window::Profile{m_directory.filePath(s("fleet")), {}, {}}.save();
}

QByteArray TestConsole::told(std::size_t agent, const QStringList& command) const
{
    const QStringList asked{s("--agent"), QString::fromStdString(m_fleet->socket(agent).string()),
                            s("--json")};
    return m_fleet->starling(asked + command).output;
}

QString TestConsole::dismissedBox(const window::MainWindow& main) const
{
    for (QMessageBox* const box : main.findChildren<QMessageBox*>())
        if (box->isVisible()) {
            const QString title = box->accessibleName();
            box->reject();
            return title;
        }
    return {};
}

void TestConsole::write(const std::filesystem::path& file, const char* text, bool isProgram) const
{
    std::ofstream(file) << text;
    if (isProgram)
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
}

void TestConsole::showsADeviceBecomeHealthyAndFreezesWhenTheAgentEnds()
{
    const std::filesystem::path directory = m_directory.path().toStdString();
    support::Fleet& fleet = *m_fleet;
    const QString socket = QString::fromStdString(fleet.socket(0).string());
    window::MainWindow main(socket);
    window::Feed feed(socket);
    connect(&feed, &window::Feed::snapshotTaken, &main,
            [&main](const window::SnapshotPtr& snapshot) { main.show(snapshot); });
    connect(&feed, &window::Feed::lost, &main, &window::MainWindow::showLost);
    main.resize(1'240, 800);
    main.setLook(window::Look::Light);
    main.show();
    feed.begin();
    auto* const page = find<window::DevicesPage>(main, s("Devices"));
    auto* const table = find<QTableView>(*page, s("Devices"));
    const auto* const model = table->model();

    const std::filesystem::path payload = directory / "gateway-1";
    std::filesystem::create_directory(payload);
    write(payload / "install.sh", "#!/bin/sh\nexit 0\n", true);
    write(payload / "check.sh", "#!/bin/sh\nexit 0\n", true);
    const auto torrent = fleet.makeRelease(
        payload, "fw/gateway", 1,
        {s("--run"), s("install.sh"), s("--check"), s("check.sh"), s("--label"), s("2.4.1 spring")});
    QVERIFY2(torrent, torrent ? "" : toString(torrent.error()).c_str());
    const auto pushed =
        fleet.starling({s("--agent"), socket, s("push"), QString::fromStdString(torrent->string()),
                        s("--payload"), QString::fromStdString(payload.string())});
    QCOMPARE(pushed.exitCode, 0);

    find<QToolButton>(main, s("Devices"))->click();
    const auto healthy = [&] {
        int count = 0;
        for (int row = 0; row < model->rowCount(); ++row)
            count += model->index(row, window::DeviceModel::State).data().toString() == s("Healthy") ? 1 : 0;
        return count;
    };
    QTRY_COMPARE_WITH_TIMEOUT(healthy(), 2, kSlow);
    table->setCurrentIndex(model->index(0, 0));
    const auto* const why = find<QTextBrowser>(main, s("Why"));
    QTRY_VERIFY(why->toPlainText().contains(s("it says “healthy” of version 1")));
    keepPicture(main, s("fleet-devices"));
    const auto listed = [&](const char* where) {
        const auto said = fleet.starling(
            {s("--agent"), socket, s("--json"), s("device"), s("list"), s("--where"), s(where)});
        return said.exitCode == 0
            ? QJsonDocument::fromJson(said.output).object()[s("devices")].toArray().size()
            : qsizetype{-said.exitCode};
    };
    const auto said = fleet.starling({s("--agent"), socket, s("--json"), s("why"), s("device-2")});
    QCOMPARE(said.exitCode, 0);
    const QJsonObject reason = QJsonDocument::fromJson(said.output).object()[s("resources")][0].toObject();
    QCOMPARE(reason[s("cause")].toString(), s("newest"));
    QVERIFY(reason[s("because")].toString().contains(s("it says “healthy” of version 1")));
    QCOMPARE(listed("state=healthy and uri=fw/* and version<2"), qsizetype{2});
    QCOMPARE(listed("state!=healthy"), qsizetype{0});
    QCOMPARE(listed("state=green"), qsizetype{-2}); // usage
    find<QToolButton>(main, s("Overview"))->click();
    QTRY_VERIFY(find<QLabel>(main, s("2 of 2 devices are healthy in the newest release.")) != nullptr);
    QVERIFY(find<QLabel>(main, s("All healthy")) != nullptr);
    keepPicture(main, s("fleet-overview"));
    find<QToolButton>(main, s("Log"))->click();
    const auto* const events = find<QTableView>(main, s("Events, newest first"));
    QVERIFY(events->model()->rowCount() > 0); // receipts of both devices, at least
    find<QToolButton>(main, s("Map"))->click();
    keepPicture(main, s("fleet-map"));
    exportTheMap(fleet);

    const auto* const banner = main.findChild<QLabel*>(s("offline"));
    QVERIFY(!banner->isVisible());
    QVERIFY(fleet.stop(0));
    QTRY_VERIFY_WITH_TIMEOUT(banner->isVisible() && banner->text().startsWith(s("Frozen")), kSlow);
    QCOMPARE(healthy(), 2); // what was seen stays, as what was seen
    QVERIFY(fleet.start(0));
    QTRY_VERIFY_WITH_TIMEOUT(!banner->isVisible(), kSlow);
    asksForReceipts(fleet, main);
}

/// Told in sums above one device, the window says that it shows only some, and asks for others.
void TestConsole::asksForReceipts(support::Fleet& fleet, window::MainWindow& main) const
{
    const auto* const bar = main.findChild<window::SumsBar*>();
    QVERIFY(!bar->isVisible());
    const auto pressAsk = [&] {
        QTest::mouseClick(find<QPushButton>(main, s("Ask for signed receipts")), Qt::LeftButton);
        return main.findChild<window::FetchDialog*>();
    };
    QVERIFY(fleet.stop(0) && fleet.configure(0, {{"observer.sums_above", "1"}}) && fleet.start(0));
    QTRY_VERIFY_WITH_TIMEOUT(bar->isVisible(), kSlow);
    QTRY_VERIFY_WITH_TIMEOUT(find<QLabel>(*bar,
                                          s("The agent is told of about 2 devices in sums that nobody "
                                            "verified. Shown are the 2 whose signed receipts it has: "
                                            "those that were asked for, or came before."))
                                 != nullptr,
                             kSlow);
    auto* const dialog = pressAsk();
    QVERIFY(dialog != nullptr && dialog->isVisible());
    const auto says = [&](const char* text) {
        const auto labels = dialog->findChildren<QLabel*>();
        return std::any_of(labels.begin(), labels.end(),
                           [&](const QLabel* label) { return label->text().contains(s(text)); });
    };
    auto* const release = find<QComboBox>(*dialog, s("Release"));
    QVERIFY(release->findText(s("fw/gateway 1")) > 0);
    release->setCurrentText(s("fw/gateway 1"));
    QVERIFY(says("about 2 devices are meant"));
    auto* const device = find<QLineEdit>(*dialog, s("One device, by its id"));
    auto* const ask = find<QPushButton>(*dialog, s("Ask the devices"));
    device->setText(s("gateway-7"));
    QVERIFY(says("no device's id") && !ask->isEnabled());
    device->clear();
    keepPicture(*dialog, s("fleet-ask"));
    QTest::mouseClick(ask, Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(says("Asked. Devices answer within seconds"), kSlow);
    dialog->close();
}

void TestConsole::exportTheMap(const support::Fleet& fleet) const
{
    const QString socket = QString::fromStdString(fleet.socket(0).string());
    const auto file = [&](const char* name) { return m_directory.filePath(s(name)); };
    const auto exported = [&](QStringList arguments) {
        return fleet.starling(QStringList{s("--agent"), socket, s("--json"), s("map"), s("export")}
                              + arguments);
    };
    const auto contents = [](const QString& path) {
        QFile read(path);
        return read.open(QIODevice::ReadOnly) ? read.readAll() : QByteArray();
    };
    for (const char* lens : {"waves", "grid", "spread", "places"}) {
        const QString picture = file(lens) + s(".png"), drawing = file(lens) + s(".svg");
        const auto said = exported({picture, s("--lens"), s(lens), s("--size"), s("640x480")});
        QVERIFY2(said.exitCode == 0, said.errors.constData());
        const QJsonObject object = QJsonDocument::fromJson(said.output).object();
        QCOMPARE(object[s("devices")].toInt(), 2);
        QCOMPARE(object[s("lens")].toString(), s(lens));
        const QImage drawn(picture);
        QCOMPARE(drawn.size(), QSize(640, 480));
        QSet<QRgb> colours; // something is on it
        for (int y = 0; y < drawn.height(); ++y)
            for (int x = 0; x < drawn.width(); ++x)
                colours.insert(drawn.pixel(x, y));
        QVERIFY2(colours.size() > 3, lens);
        QCOMPARE(exported({drawing, s("--lens"), s(lens), s("--theme"), s("dark")}).exitCode, 0);
        QVERIFY(contents(drawing).contains("</svg>"));
    }
    QVERIFY(contents(file("spread.svg")).contains("device-1")); // the agent that was asked
    // A table needs neither the other program nor a screen.
    std::ofstream(file("sites.conf").toStdString()) << "# where\nnone = 52.5 13.4\n";
    const auto table = exported({file("one.csv"), s("--where"), s("name=device-2"), s("--group-by"),
                                 s("version"), s("--sites"), file("sites.conf")});
    QCOMPARE(table.exitCode, 0);
    const QByteArrayList lines = contents(file("one.csv")).split('\n');
    QCOMPARE(lines.size(), qsizetype{3}); // heading, device, nothing
    QVERIFY(lines[1].startsWith("\"device-2\",") && lines[1].contains(",\"1\",\"healthy\",\"fw/gateway\",")
            && lines[1].contains(",yes,,"));
    // What is wrong is said as by every command.
    QCOMPARE(exported({file("a.bmp")}).exitCode, 2);
    QCOMPARE(exported({file("a.png"), s("--where"), s("state=green")}).exitCode, 2);
    QCOMPARE(exported({file("a.png"), s("--size"), s("9x9")}).exitCode, 2);
    QCOMPARE(exported({file("a.csv"), s("--where"), s("name=nobody")}).exitCode, 3);
    QCOMPARE(exported({file("none/a.png")}).exitCode, 1);
    std::ofstream(file("bad.conf").toStdString()) << "berlin 52.5\n";
    const auto bad = exported({file("a.png"), s("--sites"), file("bad.conf")});
    QVERIFY(bad.exitCode == 2 && bad.errors.contains("bad.conf:1: expected"));
    // Where the program that draws is missing, it is said what to install.
    QVERIFY(QFile::copy(s(STARLING_BINARY_DIR "/bin/starling"), file("alone")));
    const auto alone =
        support::runCommand(file("alone"), {s("--agent"), socket, s("map"), s("export"), file("b.png")}, 1min,
                            {}, [](QProcess& process) {
                                QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
                                environment.insert(s("PATH"), s("/nowhere"));
                                process.setProcessEnvironment(environment);
                            });
    QCOMPARE(alone.exitCode, 1);
    QVERIFY(alone.errors.contains("install the package starling-console"));
    QVERIFY(!QFile::exists(file("b.png")));
}

void TestConsole::showsLinksAsTheCommandLineTellsThem()
{
    Console console(QString::fromStdString(m_fleet->socket(0).string()));
    QVERIFY(QTest::qWaitForWindowActive(&console.main));
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("1 of 1 links up"), kSlow);
    const auto screen = [&] {
        return console.widget<QStackedWidget>("Screens")->currentWidget()->accessibleName();
    };
    console.tabTo("1 of 1 links up"); // in the status bar
    console.key(Qt::Key_Space);
    QCOMPARE(screen(), s("Network"));
    auto* const table = console.widget<QTableView>("Links of the agent, by name");
    QTRY_VERIFY_WITH_TIMEOUT(table->isVisible() && table->model()->rowCount() == 1, kSlow);
    const auto cell = [&](int column) { return table->model()->index(0, column).data().toString(); };
    const QJsonObject peer = said(0, {s("peers")})[s("peers")][0].toObject();
    QCOMPARE(peer[s("node")].toString(), QString::fromStdString(m_fleet->node(1).hex()));
    QTRY_COMPARE_WITH_TIMEOUT(cell(0), s("device-2"), kSlow);
    QCOMPARE(cell(1), peer[s("link")].toString());
    QCOMPARE(cell(2), peer[s("endpoint")].toString());
    QCOMPARE(cell(6), peer[s("why_not_better")].toString());
    QTRY_VERIFY_WITH_TIMEOUT(cell(3).endsWith(s("ms")), kSlow);
    QVERIFY(console.shows("One link, direct."));
    // It goes on by itself, and what is chosen stays.
    table->setFocus();
    table->selectRow(0);
    QVERIFY(console.shows("device-2: nothing would be better."));
    const QString before = cell(4);
    QTRY_VERIFY_WITH_TIMEOUT(cell(4) != before, kSlow);
    QCOMPARE(table->selectionModel()->selectedRows().size(), qsizetype{1});
    console.key(Qt::Key_C, Qt::ControlModifier);
    QVERIFY(QGuiApplication::clipboard()->text().startsWith(s("device-2\tdirect\t127.0.0.1:")));
    keepPicture(console.main, s("fleet-network"));
    QVERIFY(m_fleet->stop(1));
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("No link is up."), kSlow);
    QVERIFY(!table->isVisible());
    QVERIFY(m_fleet->start(1));
    QTRY_VERIFY_WITH_TIMEOUT(table->isVisible() && cell(0) == s("device-2"), kSlow);
}

void TestConsole::checksTheNetworkByKeyboardAndStops()
{
    Console console(QString::fromStdString(m_fleet->socket(0).string()));
    QVERIFY(QTest::qWaitForWindowActive(&console.main));
    QTRY_VERIFY2_WITH_TIMEOUT(console.shows("1 of 1 links up"), told(0, {s("status")}).constData(), kSlow);
    console.key(Qt::Key_8, Qt::ControlModifier);
    QVERIFY(console.shows("Not checked yet"));
    console.tabTo("Check how others reach this agent");
    ::kill(static_cast<pid_t>(m_fleet->pid(1)), SIGSTOP); // so that nobody answers for a while
    console.key(Qt::Key_Space);
    auto* const stop = console.widget<QPushButton>("Stop waiting for the check");
    const bool isWaiting = stop->isVisible() && stop->hasFocus();
    keepPicture(console.main, s("fleet-network-waits"));
    console.key(Qt::Key_Space);
    const bool isStopped =
        QTest::qWaitFor([&] { return console.shows("Stopped: the agent ends its check by itself."); }, kSlow);
    ::kill(static_cast<pid_t>(m_fleet->pid(1)), SIGCONT);
    QVERIFY(isWaiting);
    QVERIFY(isStopped);
    QVERIFY(console.shows("Not checked yet"));
    QVERIFY(QApplication::focusWidget() == console.widget<QPushButton>("Check how others reach this agent"));
    console.key(Qt::Key_Space);
    const auto tellsItsAge = [&] {
        for (int seconds = 0; seconds < kSlow / 1'000; ++seconds)
            if (console.shows(s("Checked %1 s ago.").arg(seconds)))
                return true;
        return false;
    };
    QTRY_VERIFY_WITH_TIMEOUT(tellsItsAge(), kSlow);
    const QJsonObject found = said(0, {s("net"), s("check")});
    QVERIFY(console.shows(s("Network: ") + found[s("prospect")].toString()));
    QVERIFY(console.shows(found[s("meaning")].toString()));
    auto* const facts = console.widget<QTableView>("What the check found, one by one");
    console.tabTo("What is told of the network");
    console.key(Qt::Key_Right);
    QTRY_VERIFY(facts->isVisible());
    QCOMPARE(facts->model()->index(0, 0).data().toString(), s("Seen as"));
    QCOMPARE(facts->model()->index(0, 1).data().toString(), found[s("mapped")].toString());
    keepPicture(console.main, s("fleet-network-facts"));
    console.key(Qt::Key_Right);
    QTRY_VERIFY(console.shows("This agent is no rendezvous"));
    QVERIFY(!said(0, {s("sessions")})[s("rendezvous")].toBool());

    Console alone(m_directory.filePath(s("nobody.sock")));
    alone.main.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&alone.main));
    alone.key(Qt::Key_8, Qt::ControlModifier);
    alone.press("Check how others reach this agent");
    QTRY_COMPARE_WITH_TIMEOUT(alone.error(), s("STAR-NET-001"), kSlow);
    // A demo has no network, and nobody is asked.
    alone.main.beginDemo({10, 7, sim::DemoStory::Happy});
    QVERIFY(alone.shows("A demo has no network of its own"));
    QVERIFY(!alone.widget<QPushButton>("Check how others reach this agent")->isVisible());
    QVERIFY(alone.error().isEmpty());
    keepPicture(alone.main, s("demo-network"));
    alone.main.leaveDemo();
    QVERIFY(!alone.shows("A demo has no network of its own"));
}

void TestConsole::collectsReceiptsHere()
{
    QVERIFY(!m_fleet->ask<control::StatusReply>(1, control::StatusRequest{})->isObserver);
    Console console(QString::fromStdString(m_fleet->socket(1).string()));
    QVERIFY(QTest::qWaitForWindowActive(&console.main));
    auto* const needs = console.widget<QListWidget>("What needs you, largest first");
    const auto isOffered = [&] {
        return needs->isVisible() && needs->count() > 0
            && needs->item(needs->count() - 1)->text().contains(s("knows itself alone"));
    };
    QTRY_VERIFY_WITH_TIMEOUT(isOffered(), kSlow);
    console.tabTo("What needs you, largest first");
    needs->setCurrentRow(needs->count() - 1);
    console.key(Qt::Key_Return);
    auto* const dialog = console.main.findChild<window::ObserveDialog*>();
    QVERIFY(dialog != nullptr);
    QVERIFY(QTest::qWaitForWindowActive(dialog));
    QVERIFY(console.shows("The agent that this window asks will collect them: device-2"));
    keepPicture(*dialog, s("observe"));
    QCOMPARE(QApplication::focusWidget()->accessibleName(), s("Passphrase of the key"));
    console.tabTo("Observer, by name or id");
    console.key(Qt::Key_Tab);
    QCOMPARE(QApplication::focusWidget()->accessibleName(), s("For so long"));
    console.key(Qt::Key_Backtab);
    console.type(s("device-9"));
    auto* const sign = console.widget<QPushButton>("Sign and spread who collects receipts");
    QVERIFY(console.shows("No device of this name is known here.") && !sign->isEnabled());
    for (int i = 0; i < 8; ++i)
        console.key(Qt::Key_Backspace);
    QVERIFY(sign->isEnabled());
    const auto signWith = [&](const char* passphrase) {
        // Offscreen, names that are offered while one types take the dialog's place as the active window.
        dialog->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(dialog));
        console.tabTo("Passphrase of the key");
        console.type(s(passphrase));
        console.tabTo("Sign and spread who collects receipts");
        console.key(Qt::Key_Space);
    };
    signWith("a wrong one");
    QTRY_COMPARE_WITH_TIMEOUT(console.error(), s("STAR-LOCAL-008"), kSlow);
    // A key of another role, as somebody may choose by hand.
    auto* const keys = console.widget<QComboBox>("Key");
    QCOMPARE(keys->count(), 1); // of all keys of the fleet only this one may sign
    const QVariant good = keys->itemData(0);
    keys->setItemData(0, QString::fromStdString(m_fleet->key("admit").string()));
    signWith("a lab fleet's passphrase");
    QTRY_COMPARE_WITH_TIMEOUT(console.error(), s("STAR-TRUST-004"), kSlow);
    QVERIFY(console.shows("none of the observe role; nothing was signed")); // before the agent was told
    keepPicture(*dialog, s("observe-wrong-key"));
    QList<QWidget*> parts = dialog->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly);
    parts.removeIf([](const QWidget* part) { return !part->isVisible(); });
    for (qsizetype i = 0; i < parts.size(); ++i) // the card has pressed nothing together
        for (qsizetype j = i + 1; j < parts.size(); ++j)
            QTRY_VERIFY2(!parts[i]->geometry().intersects(parts[j]->geometry()),
                         qPrintable(parts[i]->accessibleName() + s(" | ") + parts[j]->accessibleName()));
    const auto* const sums = console.widget<QSpinBox>("Told in sums above");
    QVERIFY(sums->geometry().bottom() <= sums->parentWidget()->height());
    keys->setItemData(0, good);
    signWith("a lab fleet's passphrase");
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("This agent collects receipts for 90 days."), kSlow);
    QVERIFY(m_fleet->ask<control::StatusReply>(1, control::StatusRequest{})->isObserver);
    const auto noted = console::AuditLog().read();
    QVERIFY(noted && noted->isGood() && !noted->lines.empty());
    QCOMPARE(noted->lines.back().entry.act + " " + noted->lines.back().entry.scope,
             "observer-named " + m_fleet->node(1).hex());
    keepPicture(*dialog, s("observed"));
    console.key(Qt::Key_Return); // closes it
    QTRY_VERIFY_WITH_TIMEOUT(!isOffered(), kSlow);
    // And receipts of the other one come.
    QTRY_VERIFY_WITH_TIMEOUT(
        console.main.findChild<window::DevicesPage*>()->findChild<QTableView*>()->model()->rowCount() == 2,
        kSlow);
}

void TestConsole::onlyShowsIfItIsToldTo()
{
    window::setReadOnly(true);
    const auto ended = qScopeGuard([] { window::setReadOnly(false); });
    Console console(QString::fromStdString(m_fleet->socket(0).string()));
    QTRY_VERIFY_WITH_TIMEOUT(console.main.windowTitle().endsWith(s("[READ-ONLY]")), kSlow);
    const auto* const pages = console.main.findChild<QStackedWidget*>();
    const QWidget* const before = pages->currentWidget();
    int refused = 0;
    for (QAction* const action : console.main.actions())
        for (const char* const changes : {"New release", "Add a device", "Collect receipts here"})
            if (action->text().startsWith(QString::fromUtf8(changes))) {
                action->trigger();
                QCOMPARE(dismissedBox(console.main), s("This console only shows"));
                QVERIFY(pages->currentWidget() == before);
                ++refused;
            }
    QCOMPARE(refused, 3);
    for (QAction* const action : console.main.actions())
        if (action->text().startsWith(s("First steps")))
            action->trigger();
    console.press("New fleet");
    QCOMPARE(dismissedBox(console.main), s("This console only shows"));
    QVERIFY(console.widget<QPushButton>("New fleet")->isVisible());
    window::setReadOnly(false);
    console.press("New fleet");
    QCOMPARE(dismissedBox(console.main), QString());
    QVERIFY(!console.widget<QPushButton>("New fleet")->isVisible());
}

void TestConsole::goesFromPartToPartAndAsksAgain()
{
    Console console(QString::fromStdString(m_fleet->socket(0).string()));
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("links up"), kSlow);
    const QWidget* const screen = console.main.findChild<QStackedWidget*>();
    const auto isIn = [](const QWidget* part) { return part->isAncestorOf(QApplication::focusWidget()); };
    for (int i = 0; i < 3 && !(QApplication::focusWidget() != nullptr && isIn(screen)); ++i)
        console.key(Qt::Key_F6);
    QVERIFY(isIn(screen));
    console.key(Qt::Key_F6);
    QVERIFY(isIn(console.main.statusBar()));
    console.key(Qt::Key_F6);
    QVERIFY(!isIn(screen) && !isIn(console.main.statusBar()));
    console.key(Qt::Key_F6, Qt::ShiftModifier);
    QVERIFY(isIn(console.main.statusBar()));
    console.key(Qt::Key_F1);
    QCOMPARE(dismissedBox(console.main), s("Help"));
    // By itself it asks every hour now.
    console.feed.setPace(1h);
    QSignalSpy snapshots(&console.feed, &window::Feed::snapshotTaken);
    console.key(Qt::Key_F5);
    QVERIFY(snapshots.wait(kSlow));
}

QTEST_MAIN(TestConsole)
#include "tst_console.moc"
