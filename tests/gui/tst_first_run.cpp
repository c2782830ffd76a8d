// SPDX-License-Identifier: Apache-2.0
/// From a machine that has nothing to a device that is healthy in a release: by mouse, counting, and by
/// keyboard alone. The agents are real.
#include "device_model.h"
#include "devices_page.h"
#include "fleet.h"
#include "gui_console.h"
#include "membership_dialogs.h"
#include "passphrase_field.h"
#include "profile.h"
#include "welcome_page.h"

#include <QAction>
#include <QCheckBox>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QStyleFactory>
#include <QTableView>
#include <QTemporaryDir>
#include <QToolButton>

#include <csignal>
#include <fstream>

using namespace starling;
using namespace starling::gui_test;

namespace {

constexpr int kSlow = 60'000; ///< ms: an agent on a busy machine
constexpr int kMostActions = 25; ///< to the first push

QString s(const char* text)
{
    return QString::fromUtf8(text);
}

} // namespace

class TestFirstRun : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void getsFromNothingToHealthyInFewClicks();
    void getsThereByKeyboardAlone();
    void joinsAFleetWithAToken();
    void saysWhatIsMissing();
    void startsItsAgentAgain();

private:
    QString makePayload() const;
    void letIn(Console& admin);
    void takeOut(Console& admin);
    QString passphrase() const;
    void end(qint64 pid) const;
    std::unique_ptr<QTemporaryDir> m_directory;
};

void TestFirstRun::init()
{
    m_directory = std::make_unique<QTemporaryDir>();
    QVERIFY(m_directory->isValid());
    qputenv("HOME", m_directory->path().toUtf8());
    qputenv("XDG_DATA_HOME", m_directory->path().toUtf8());
    qputenv("PATH", QByteArray(STARLING_BINARY_DIR "/bin:") + qgetenv("PATH"));
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_directory->path());
    QCoreApplication::setOrganizationName(s("starling"));
    QCoreApplication::setApplicationName(s("starling-console-test"));
    QApplication::setStyle(QStyleFactory::create(s("Fusion")));
    window::loadResources();
}

/// Agents outlive their consoles, and a test that fails may not know of one yet: all whose configuration is
/// below this test's own folder.
void TestFirstRun::cleanup()
{
    const QByteArray below = QFile::encodeName(m_directory->path()) + '/';
    for (const QString& name : QDir(s("/proc")).entryList({s("[0-9]*")}, QDir::Dirs)) {
        QFile commandLine(s("/proc/%1/cmdline").arg(name));
        if (commandLine.open(QIODevice::ReadOnly) && commandLine.readAll().contains(below))
            end(name.toLongLong());
    }
}

/// Waits for the end, so that nothing writes where files are removed.
void TestFirstRun::end(qint64 pid) const
{
    if (pid <= 0)
        return;
    ::kill(static_cast<pid_t>(pid), SIGTERM);
    QTRY_VERIFY_WITH_TIMEOUT(::kill(static_cast<pid_t>(pid), 0) != 0, kSlow);
}

QString TestFirstRun::makePayload() const
{
    const QString place = m_directory->filePath(s("gateway-2.4.1"));
    QDir().mkpath(place);
    const std::string file = (place + s("/install.sh")).toStdString();
    std::ofstream(file) << "#!/bin/sh\nexit 0\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return place;
}

void TestFirstRun::getsFromNothingToHealthyInFewClicks()
{
    const QString payload = makePayload();
    Console console(m_directory->filePath(s("none.sock")));
    console.main.welcome()->setCost(crypto::KdfCost::Interactive);
    QTRY_VERIFY_WITH_TIMEOUT(console.widget<QPushButton>("New fleet")->isVisible(), kSlow);
    keepPicture(console.main, s("first-choose"));
    console.press("New fleet");
    auto* const passphrase = console.widget<window::PassphraseField>("Passphrase for its keys");
    QTest::keyClicks(passphrase, s("a newcomer's passphrase"));
    auto* const again = console.widget<window::PassphraseField>("The same again");
    QTest::mouseClick(again, Qt::LeftButton);
    ++console.actions;
    QTest::keyClicks(again, s("a newcomer's passphrase"));
    keepPicture(console.main, s("first-new-fleet"));
    console.press("Create the fleet");
    auto* const publish = console.widget<QPushButton>("Publish a first release");
    QTRY_VERIFY_WITH_TIMEOUT(publish->isVisible(), kSlow);
    QTRY_VERIFY_WITH_TIMEOUT(publish->isEnabled(), kSlow);
    keepPicture(console.main, s("first-agent"));
    console.press("Publish a first release");
    QTest::keyClicks(console.widget<QLineEdit>("File or folder"), payload);
    QTest::keyClick(console.widget<QLineEdit>("File or folder"), Qt::Key_Return);
    ++console.actions;
    QTRY_COMPARE_WITH_TIMEOUT(console.widget<QLineEdit>("Resource")->text(), s("fw/gateway"), kSlow);
    console.press("Next: hash the payload");
    QTRY_VERIFY_WITH_TIMEOUT(console.widget<QPlainTextEdit>("Manifest")->isVisible(), kSlow);
    QTest::keyClicks(console.widget<window::PassphraseField>("Passphrase of the key"),
                     s("a newcomer's passphrase"));
    console.press("Sign the manifest");
    QTRY_VERIFY_WITH_TIMEOUT(console.widget<QPushButton>("Push")->isVisible(), kSlow);
    console.press("Push");
    qInfo("%d clicks and keystrokes to the first push", console.actions);
    QVERIFY(console.actions <= kMostActions);
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("is healthy on all 1"), kSlow);
    keepPicture(console.main, s("first-healthy"));
}

void TestFirstRun::getsThereByKeyboardAlone()
{
    const QString payload = makePayload();
    Console console(m_directory->filePath(s("none.sock")));
    console.main.welcome()->setCost(crypto::KdfCost::Interactive);
    QVERIFY(QTest::qWaitForWindowActive(&console.main));
    QTRY_VERIFY_WITH_TIMEOUT(console.widget<QPushButton>("New fleet")->isVisible(), kSlow);
    console.tabTo("New fleet");
    console.key(Qt::Key_Space);
    console.type(s("a newcomer's passphrase")); // the focus is there
    console.key(Qt::Key_Return);
    console.type(s("a newcomer's passphrase"));
    console.key(Qt::Key_Return);
    auto* const publish = console.widget<QPushButton>("Publish a first release");
    QTRY_VERIFY_WITH_TIMEOUT(publish->isVisible(), kSlow);
    QTRY_VERIFY_WITH_TIMEOUT(publish->hasFocus(), kSlow);
    console.key(Qt::Key_Space);
    console.type(payload);
    console.key(Qt::Key_Return);
    QTRY_COMPARE_WITH_TIMEOUT(console.widget<QLineEdit>("Resource")->text(), s("fw/gateway"), kSlow);
    console.key(Qt::Key_Return, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(console.widget<window::PassphraseField>("Passphrase of the key")->hasFocus(),
                             kSlow);
    console.type(s("a newcomer's passphrase"));
    console.key(Qt::Key_Return);
    QTRY_VERIFY_WITH_TIMEOUT(console.widget<QPushButton>("Push")->hasFocus(), kSlow);
    console.key(Qt::Key_Space);
    qInfo("%d keystrokes to the first push", console.actions);
    QVERIFY(console.actions <= kMostActions);
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("is healthy on all 1"), kSlow);
}

/// Of the keys of the fleet that runs.
QString TestFirstRun::passphrase() const
{
    QFile file(m_directory->filePath(s("passphrase")));
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()).trimmed() : QString();
}

void TestFirstRun::joinsAFleetWithAToken()
{
    auto made = support::Fleet::create({.directory = m_directory->path().toStdString(),
                                        .programs = STARLING_BINARY_DIR "/bin",
                                        .agents = 2});
    QVERIFY2(made, made ? "" : toString(made.error()).c_str());
    support::Fleet& fleet = **made;
    QVERIFY(fleet.startAll());
    Console console(m_directory->filePath(s("none.sock")));
    QTRY_VERIFY_WITH_TIMEOUT(console.widget<QPushButton>("Join")->isVisible(), kSlow);
    const auto home = QString::fromStdString(fleet.root().parent_path().string());
    const auto socket = QString::fromStdString(fleet.socket(0).string());
    Console admin(socket);
    QTRY_VERIFY_WITH_TIMEOUT(admin.shows("as device-1 sees it"), kSlow);
    for (QAction* const action : admin.main.actions())
        if (action->text().startsWith(s("Add a device")))
            action->trigger();
    admin.press("Make a token");
    QTRY_VERIFY_WITH_TIMEOUT(admin.widget<QLineEdit>("The token")->isVisible(), kSlow);
    keepPicture(*admin.main.findChild<window::TokenDialog*>(), s("add-device"));
    console.press("Join");
    console.widget<QLineEdit>("Token")->setText(admin.widget<QLineEdit>("The token")->text());
    admin.main.findChild<window::TokenDialog*>()->close();
    console.widget<QLineEdit>("Name of this device")->setText(s("newcomer"));
    console.widget<QCheckBox>("Only administer the fleet from here")->setChecked(true);
    console.press("Ask to join");
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("Waiting to be let in"), kSlow);
    QVERIFY(console.shows("words "));
    keepPicture(console.main, s("first-waiting"));
    window::Profile{home, socket, {}}.save(); // both consoles keep theirs in one place here
    letIn(admin);
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("newcomer runs, and is of the fleet"), kSlow);
    // Others can be taken out.
    window::Profile{home, socket, {}}.save();
    takeOut(admin);
}

/// The device that waits, by its row in the overview.
void TestFirstRun::letIn(Console& admin)
{
    auto* const needs = admin.widget<QListWidget>("What needs you, largest first");
    const auto row = [&]() -> QListWidgetItem* {
        for (int i = 0; i < needs->count(); ++i)
            if (needs->item(i)->text().startsWith(s("newcomer asks to join")))
                return needs->item(i);
        return nullptr;
    };
    QTRY_VERIFY_WITH_TIMEOUT(row() != nullptr, kSlow);
    const QString words = row()->text().section(s(": "), 1);
    Q_EMIT needs->itemActivated(row());
    auto* const dialog = admin.main.findChild<window::AdmitDialog*>();
    QVERIFY(dialog != nullptr && dialog->isVisible());
    QVERIFY(find<QLabel>(*dialog, words) != nullptr);
    QVERIFY(find<QLabel>(*dialog, s("Labels: role = console")) != nullptr);
    auto* const sign = find<QPushButton>(*dialog, s("Sign its certificate and hand it over"));
    QVERIFY(!sign->isEnabled()); // nobody has compared the words
    find<QCheckBox>(*dialog, s("The device shows the same words"))->setChecked(true);
    QTest::keyClicks(find<window::PassphraseField>(*dialog, s("Passphrase of the key")), s("wrong"));
    QTest::mouseClick(sign, Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(admin.error(), s("STAR-LOCAL-008"), kSlow);
    QTest::keyClicks(find<window::PassphraseField>(*dialog, s("Passphrase of the key")), passphrase());
    keepPicture(*dialog, s("let-in"));
    QTest::mouseClick(sign, Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(
        find<QLabel>(*dialog, s("newcomer is let in. It gets its certificate when it asks next.")) != nullptr,
        kSlow);
    dialog->close();
}

void TestFirstRun::takeOut(Console& admin)
{
    auto* const page = find<window::DevicesPage>(admin.main, s("Devices"));
    const auto* const model = find<QTableView>(*page, s("Devices"))->model();
    const auto rowOf = [&] {
        for (int row = 0; row < model->rowCount(); ++row)
            if (model->index(row, window::DeviceModel::Name).data().toString() == s("device-2"))
                return row;
        return -1;
    };
    for (QToolButton* const button : admin.main.findChildren<QToolButton*>())
        if (button->accessibleName() == s("Devices"))
            button->click();
    QTRY_VERIFY_WITH_TIMEOUT(rowOf() >= 0, kSlow);
    find<QTableView>(*page, s("Devices"))->setCurrentIndex(model->index(rowOf(), 0));
    admin.press("Take the chosen device out of the fleet");
    auto* const dialog = admin.main.findChild<window::DenyDialog*>();
    QVERIFY(dialog != nullptr);
    auto* const sign = find<QPushButton>(*dialog, s("Sign and spread a deny list that names the device"));
    QVERIFY(!sign->isEnabled());
    QTest::keyClicks(find<QLineEdit>(*dialog, s("Name of the device, typed")), s("device-2"));
    QVERIFY(sign->isEnabled());
    QTest::keyClicks(find<window::PassphraseField>(*dialog, s("Passphrase of the key")), passphrase());
    keepPicture(*dialog, s("take-out"));
    QTest::mouseClick(sign, Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(
        find<QLabel>(*dialog, s("device-2 is taken out. The agent has the list, and spreads it now."))
            != nullptr,
        kSlow);
    dialog->close();
}

void TestFirstRun::saysWhatIsMissing()
{
    Console console(m_directory->filePath(s("none.sock")));
    QTRY_VERIFY_WITH_TIMEOUT(console.widget<QPushButton>("New fleet")->isVisible(), kSlow);
    console.press("New fleet");
    console.press("Create the fleet");
    QCOMPARE(console.error(), s("STAR-USE-001")); // no passphrase
    QTest::keyClicks(console.widget<QLineEdit>("Passphrase for its keys"), s("one"));
    QTest::keyClicks(console.widget<QLineEdit>("The same again"), s("two"));
    console.press("Create the fleet");
    QVERIFY(console.shows("the two passphrases differ"));
    console.widget<QLineEdit>("The same again")->setText(s("one"));
    console.widget<QLineEdit>("Folder for keys and devices")->setText(m_directory->path());
    console.press("Create the fleet");
    QCOMPARE(console.error(), s("STAR-LOCAL-010")); // is there
    console.press("Back to how to begin");
    console.press("Join");
    keepPicture(console.main, s("first-join"));
    console.press("Ask to join");
    QCOMPARE(console.error(), s("STAR-USE-001")); // no token
    console.press("Back to how to begin");
    console.press("Demo fleet");
    QTRY_VERIFY(console.shows("agents start on this machine") || console.shows("./demo --console")
                || console.shows("Agents start on this machine"));
    keepPicture(console.main, s("first-demo"));
}

void TestFirstRun::startsItsAgentAgain()
{
    console::FleetPlan plan;
    plan.directory = m_directory->filePath(s("fleet")).toStdString();
    plan.devices = 1;
    plan.isLab = true;
    plan.cost = crypto::KdfCost::Interactive;
    plan.scopes.push_back(*ResourceUri::parse("fw"));
    const crypto::SecretText secret("x");
    const auto fleet = console::foundFleet(
        plan, [&](const std::string&) -> Result<const crypto::SecretText*> { return &secret; },
        [](const std::string&, unsigned, unsigned) { return Status(); });
    QVERIFY2(fleet, fleet ? "" : toString(fleet.error()).c_str());
    const auto agent = window::configureAgent({plan.directory / "devices" / "device-1", {}, {}});
    QVERIFY2(agent, agent ? "" : toString(agent.error()).c_str());
    window::Profile{m_directory->filePath(s("fleet")), agent->socket, agent->config}.save();
    Console console(agent->socket);
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("as device-1 sees it"), kSlow);
    QVERIFY(console.main.ownAgentPid() > 0);
}

QTEST_MAIN(TestFirstRun)
#include "tst_first_run.moc"
