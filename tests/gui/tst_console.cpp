// SPDX-License-Identifier: Apache-2.0
/// The window on a real fleet: agents that are started here, a release that is signed and pushed here, and
/// what becomes of it read from the widgets.
#include "device_model.h"
#include "devices_page.h"
#include "fleet.h"
#include "gui_fixture.h"
#include "main_window.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSettings>
#include <QStyleFactory>
#include <QTableView>
#include <QTemporaryDir>
#include <QTextBrowser>
#include <QToolButton>

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

private:
    void write(const std::filesystem::path& file, const char* text, bool isProgram) const;
    QTemporaryDir m_directory;
};

void TestConsole::initTestCase()
{
    QVERIFY(m_directory.isValid());
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_directory.path());
    QApplication::setStyle(QStyleFactory::create(s("Fusion")));
    window::loadResources();
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
    auto made =
        support::Fleet::create({.directory = directory, .programs = STARLING_BINARY_DIR "/bin", .agents = 2});
    QVERIFY2(made, made ? "" : toString(made.error()).c_str());
    support::Fleet& fleet = **made;
    QVERIFY(fleet.startAll());

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
    find<QToolButton>(main, s("Map"))->click();
    keepPicture(main, s("fleet-map"));

    const auto* const banner = main.findChild<QLabel*>(s("offline"));
    QVERIFY(!banner->isVisible());
    QVERIFY(fleet.stop(0));
    QTRY_VERIFY_WITH_TIMEOUT(banner->isVisible() && banner->text().startsWith(s("Frozen")), kSlow);
    QCOMPARE(healthy(), 2); // what was seen stays, as what was seen
    QVERIFY(fleet.start(0));
    QTRY_VERIFY_WITH_TIMEOUT(!banner->isVisible(), kSlow);
}

QTEST_MAIN(TestConsole)
#include "tst_console.moc"
