// SPDX-License-Identifier: Apache-2.0
/// Making, signing and pushing a release from the window, with real agents, by mouse and by keyboard; and
/// what bad input gets.
#include "admin/audit_log.h"
#include "fleet.h"
#include "gui_console.h"
#include "passphrase_field.h"
#include "profile.h"
#include "publish_page.h"
#include "publish_send.h"
#include "release_samples.h"
#include "withdraw_dialog.h"

#include <QClipboard>
#include <QComboBox>
#include <QDropEvent>
#include <QLineEdit>
#include <QMessageBox>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QStackedWidget>
#include <QStyleFactory>
#include <QTableView>
#include <QTemporaryDir>
#include <QTextBrowser>

#include <csignal>
#include <fstream>

using namespace starling;
using namespace starling::gui_test;
using window::MainWindow;

namespace {

constexpr int kSlow = 60'000; ///< ms: a fleet on a busy machine

QString s(const char* text)
{
    return QString::fromUtf8(text);
}

} // namespace

class TestPublish : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void signsAndPushesUntilItIsSafeToClose();
    void refusesWhatCannotBePublished();
    void refusesAScopeThatItHearsOfLate();
    void saysWhatIsWrongWithAKey();
    void letsGoOfALargeStepOnlyOnceItIsTyped();
    void keepsNothingOfAPassphrase();
    void withdrawsARelease();

private:
    QString makePayload(const char* name);
    QTemporaryDir m_directory;
    std::unique_ptr<support::Fleet> m_fleet;
};

void TestPublish::initTestCase()
{
    QVERIFY(m_directory.isValid());
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_directory.path());
    qputenv("XDG_DATA_HOME", m_directory.path().toUtf8());
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

QString TestPublish::makePayload(const char* name)
{
    const QString place = m_directory.filePath(s(name));
    QDir().mkpath(place);
    for (const char* script : {"/install.sh", "/check.sh"}) {
        const std::string file = (place + s(script)).toStdString();
        std::ofstream(file) << "#!/bin/sh\nexit 0\n";
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    }
    return place;
}

void TestPublish::signsAndPushesUntilItIsSafeToClose()
{
    Console console(QString::fromStdString(m_fleet->socket(0).string()));
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("links up"), kSlow);
    QMimeData dropped;
    dropped.setUrls({QUrl::fromLocalFile(makePayload("gateway-2.4.1"))});
    QDragEnterEvent enter({400, 300}, Qt::CopyAction, &dropped, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&console.main, &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent drop({400, 300}, Qt::CopyAction, &dropped, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&console.main, &drop);
    // The rest is filled in from the payload and the fleet.
    QTRY_COMPARE_WITH_TIMEOUT(console.widget<QLineEdit>("Resource")->text(), s("fw/gateway"), kSlow);
    QCOMPARE(console.widget<QLineEdit>("Label for people")->text(), s("2.4.1"));
    QTRY_COMPARE(console.widget<QComboBox>("Run")->currentText(), s("install.sh"));
    QCOMPARE(console.widget<QComboBox>("Then check with")->currentText(), s("check.sh"));
    keepPicture(console.main, s("publish-choose"));
    console.press("Next: hash the payload");
    auto* const manifest = console.widget<QPlainTextEdit>("Manifest");
    QTRY_VERIFY_WITH_TIMEOUT(manifest->isVisible(), kSlow);
    QVERIFY(manifest->toPlainText().contains(s("fw/gateway"))
            && manifest->toPlainText().contains(s("install.sh")));

    auto* const passphrase = console.widget<window::PassphraseField>("Passphrase of the key");
    QTest::keyClicks(passphrase, s("a wrong one"));
    keepPicture(console.main, s("publish-sign"));
    console.press("Sign the manifest");
    QTRY_COMPARE_WITH_TIMEOUT(console.error(), s("STAR-LOCAL-008"), kSlow);
    keepPicture(console.main, s("publish-wrong-passphrase"));
    console.press("Copy the error with its code");
    QVERIFY(QGuiApplication::clipboard()->text().startsWith(s("STAR-LOCAL-008")));
    QVERIFY(passphrase->text().isEmpty());
    QTest::keyClicks(passphrase, s("a lab fleet's passphrase"));
    console.press("Sign the manifest");

    auto* const push = console.widget<QPushButton>("Push");
    QTRY_VERIFY_WITH_TIMEOUT(push->isVisible() && push->text() == s("Push to 2 devices"), kSlow);
    keepPicture(console.main, s("publish-preview"));
    QTest::keyClick(push, Qt::Key_Return); // Enter never pushes
    QVERIFY(push->isVisible());
    ::kill(static_cast<pid_t>(m_fleet->pid(0)), SIGSTOP); // so that the push takes a while
    console.press("Push");
    const bool isClosed = console.main.close();
    ::kill(static_cast<pid_t>(m_fleet->pid(0)), SIGCONT);
    QVERIFY(!isClosed);
    auto* const box = console.main.findChild<QMessageBox*>();
    QVERIFY(box != nullptr && box->isVisible() && box->defaultButton()->text() == s("Keep sending"));
    box->defaultButton()->click();
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("is healthy on all 2"), kSlow);
    keepPicture(console.main, s("publish-spread"));
    QVERIFY(console.shows("2 of 2 devices hold the verified payload (2 are enough), 2 healthy, 0 failed"));
    const auto noted = console::AuditLog().read();
    QVERIFY(noted && noted->isGood() && noted->lines.size() >= 2); // and those of the command line
    QCOMPARE((noted->lines.end() - 2)->entry.act + " " + (noted->lines.end() - 2)->entry.scope,
             std::string("release-signed fw/gateway 1"));
    QCOMPARE(noted->lines.back().entry.act + " " + noted->lines.back().entry.outcome,
             std::string("release-pushed ok"));
    console.press("Show the devices of this release");
    QCOMPARE(console.widget<QStackedWidget>("Screens")->currentWidget()->accessibleName(), s("Devices"));
}

void TestPublish::withdrawsARelease()
{
    Console console(QString::fromStdString(m_fleet->socket(0).string()));
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("links up"), kSlow);
    QTest::keyClick(&console.main, Qt::Key_3, Qt::ControlModifier);
    auto* const table = console.widget<QTableView>("Releases");
    QTRY_VERIFY_WITH_TIMEOUT(table->isVisible() && table->model()->rowCount() > 0, kSlow);
    const auto version = [&] { return table->model()->index(0, 1).data().toString(); };
    QVERIFY2(version().endsWith(s("newest")), qPrintable(version()));
    auto* const button = console.widget<QPushButton>("Take the selected release back");
    QVERIFY(!button->isEnabled()); // nothing is selected
    table->setCurrentIndex(table->model()->index(0, 0));
    console.press("Take the selected release back");
    auto* const dialog = console.main.findChild<window::WithdrawDialog*>();
    QTRY_VERIFY(dialog != nullptr && dialog->isVisible());
    QVERIFY(console.shows("Devices that have it in place: 2. They keep it"));
    keepPicture(*dialog, s("withdraw"));
    auto* const passphrase = console.widget<window::PassphraseField>("Passphrase of the key");
    QTest::keyClicks(passphrase, s("a wrong one"));
    console.press("Sign and spread the withdrawal");
    QTRY_COMPARE_WITH_TIMEOUT(console.error(), s("STAR-LOCAL-008"), kSlow);
    QTest::keyClicks(passphrase, s("a lab fleet's passphrase"));
    console.press("Sign and spread the withdrawal");
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("It is withdrawn. The agent has it, and spreads it now."), kSlow);
    keepPicture(*dialog, s("withdrawn"));
    console.press("Close");
    QTRY_VERIFY_WITH_TIMEOUT(version().endsWith(s("withdrawn")), kSlow);
    QVERIFY(!button->isEnabled());
    keepPicture(console.main, s("releases-withdrawn"));
}

void TestPublish::refusesWhatCannotBePublished()
{
    Console console(QString::fromStdString(m_fleet->socket(0).string()));
    QVERIFY(QTest::qWaitForWindowActive(&console.main));
    QTest::keyClick(&console.main, Qt::Key_N, Qt::ControlModifier);
    auto* const next = console.widget<QPushButton>("Next: hash the payload");
    QTRY_VERIFY(next->isVisible());
    next->click();
    QCOMPARE(console.error(), s("STAR-LOAD-002")); // nothing is chosen
    auto* const payload = console.widget<QLineEdit>("File or folder");
    const QString place = makePayload("gateway-2.4.2");
    QTest::keyClicks(payload, place);
    QTest::keyClick(payload, Qt::Key_Tab);
    auto* const version = console.widget<QLineEdit>("Version");
    QTRY_COMPARE_WITH_TIMEOUT(version->text(), s("2"), kSlow);
    version->clear();
    QTest::keyClicks(version, s("1"));
    next->click();
    QCOMPARE(console.error(), s("STAR-TRUST-006"));
    QVERIFY(console.shows("take a higher one"));
    version->setText(s("2"));
    auto* const resource = console.widget<QLineEdit>("Resource");
    resource->setText(s("os/kernel"));
    next->click(); // said at once, or when the agent has said what the fleet trusts
    QTRY_COMPARE_WITH_TIMEOUT(console.error(), s("STAR-TRUST-004"), kSlow);
    QTRY_VERIFY_WITH_TIMEOUT(next->isVisible() && next->isEnabled(), kSlow);
    resource->setText(s("Fw gateway"));
    next->click();
    QCOMPARE(console.error(), s("STAR-FORM-010"));
    resource->setText(s("fw/gateway"));
    console.widget<QLineEdit>("Only devices with")->setText(s("model"));
    next->click();
    QCOMPARE(console.error(), s("STAR-USE-001"));
    console.widget<QLineEdit>("Only devices with")->clear();
    QVERIFY(QFile::remove(place + s("/check.sh"))); // gone since it was looked at
    version->setText(s("2"));
    next->click();
    QTRY_COMPARE_WITH_TIMEOUT(console.error(), s("STAR-DEPLOY-003"), kSlow);
    QVERIFY(QDir(place).removeRecursively());
    next->click();
    QTRY_COMPARE_WITH_TIMEOUT(console.error(), s("STAR-LOAD-002"), kSlow);

    Console alone(m_directory.filePath(s("nobody.sock")));
    alone.main.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&alone.main));
    QTest::keyClick(&alone.main, Qt::Key_N, Qt::ControlModifier);
    QTRY_COMPARE_WITH_TIMEOUT(alone.error(), s("STAR-NET-001"), kSlow);
}

/// What is filled in before the agent has said what the fleet trusts is held against that all the same.
void TestPublish::refusesAScopeThatItHearsOfLate()
{
    Console console(QString::fromStdString(m_fleet->socket(0).string()));
    QVERIFY(QTest::qWaitForWindowActive(&console.main));
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("links up"), kSlow);
    ::kill(static_cast<pid_t>(m_fleet->pid(0)), SIGSTOP);
    const auto goesOn = qScopeGuard([this] { ::kill(static_cast<pid_t>(m_fleet->pid(0)), SIGCONT); });
    QTest::keyClick(&console.main, Qt::Key_N, Qt::ControlModifier);
    auto* const payload = console.widget<QLineEdit>("File or folder");
    QTest::keyClicks(payload, makePayload("kernel-7"));
    QTest::keyClick(payload, Qt::Key_Tab);
    QTRY_COMPARE_WITH_TIMEOUT(console.widget<QComboBox>("Run")->currentText(), s("install.sh"), kSlow);
    console.widget<QLineEdit>("Resource")->setText(s("os/kernel"));
    console.widget<QLineEdit>("Version")->setText(s("1"));
    auto* const next = console.widget<QPushButton>("Next: hash the payload");
    next->click();
    QVERIFY(!next->isVisible() && console.error().isEmpty()); // it knows nothing against it
    ::kill(static_cast<pid_t>(m_fleet->pid(0)), SIGCONT);
    QTRY_COMPARE_WITH_TIMEOUT(console.error(), s("STAR-TRUST-004"), kSlow);
    QVERIFY(next->isVisible());
}

void TestPublish::saysWhatIsWrongWithAKey()
{
    Console console(QString::fromStdString(m_fleet->socket(0).string()));
    QVERIFY(QTest::qWaitForWindowActive(&console.main));
    QTRY_VERIFY_WITH_TIMEOUT(console.shows("links up"), kSlow);
    QTest::keyClick(&console.main, Qt::Key_N, Qt::ControlModifier);
    auto* const payload = console.widget<QLineEdit>("File or folder");
    QTest::keyClicks(payload, makePayload("sensor-7"));
    QTest::keyClick(payload, Qt::Key_Return);
    QTRY_COMPARE_WITH_TIMEOUT(console.widget<QLineEdit>("Resource")->text(), s("fw/sensor"), kSlow);
    console.press("Next: hash the payload");
    auto* const passphrase = console.widget<window::PassphraseField>("Passphrase of the key");
    QTRY_VERIFY_WITH_TIMEOUT(passphrase->isVisible(), kSlow);
    auto* const keys = console.widget<QComboBox>("Key");
    QCOMPARE(keys->count(), 1); // of all keys of the fleet only this one may sign
    // A key of another role, as somebody may choose by hand.
    keys->setItemData(0, QString::fromStdString(m_fleet->key("admit").string()));
    QTest::keyClicks(passphrase, s("a lab fleet's passphrase"));
    console.press("Sign the manifest");
    QTRY_COMPARE_WITH_TIMEOUT(console.error(), s("STAR-TRUST-004"), kSlow);
    const QString damaged = m_directory.filePath(s("damaged.key"));
    {
        QFile file(damaged);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("no key") > 0
                && file.setPermissions(QFile::ReadOwner | QFile::WriteOwner));
    }
    keys->setItemData(0, damaged);
    QTest::keyClicks(passphrase, s("a lab fleet's passphrase"));
    console.press("Sign the manifest");
    QTRY_COMPARE_WITH_TIMEOUT(console.error(), s("STAR-LOCAL-007"), kSlow);
    // Left, the step forgets what was typed.
    QTest::keyClicks(passphrase, s("half a secr"));
    console.press("Back to what is published");
    QVERIFY(passphrase->text().isEmpty());
}

void TestPublish::letsGoOfALargeStepOnlyOnceItIsTyped()
{
    auto update = release::samples::update("fw/gateway", 3);
    update.requirements = {{"model", "gw3"}};
    const auto torrent = std::make_shared<release::TorrentFile>(release::samples::single(50'000, update));
    MainWindow main(s("agent.sock"));
    main.setLook(window::Look::Dark);
    main.resize(1'240, 800);
    window::PublishSend send(&main);
    main.setCentralWidget(&send);
    main.show();
    send.show(snapshotOf(pictureOf(1'000, 5)));
    send.begin(torrent, {}, s("agent.sock"), s("fw-gateway-3.torrent"));
    auto* const push = find<QPushButton>(send, s("Push"));
    auto* const typed = find<QLineEdit>(send, s("Type to confirm"));
    QCOMPARE(push->text(), s("Push to 666 devices"));
    QVERIFY(!push->isEnabled() && typed->isVisible());
    const QString outlook =
        find<QTextBrowser>(send, s("Who will take it, and who not and why"))->toPlainText();
    QVERIFY2(outlook.contains(s("334 will not: has model=gw2")), qPrintable(outlook));
    QTest::keyClicks(typed, s("3 to 66"));
    QVERIFY(!push->isEnabled());
    QTest::keyClicks(typed, s("6"));
    keepPicture(main, s("publish-large"));
    QVERIFY(push->isEnabled());
    QTest::keyClick(typed, Qt::Key_Return);
    QVERIFY(push->isVisible()); // nothing was pushed
}

void TestPublish::keepsNothingOfAPassphrase()
{
    window::PassphraseField field;
    QTest::keyClicks(&field, s("correct horse"));
    const QString shared = field.text(); // the field's own memory
    const crypto::SecretText secret = field.take();
    QCOMPARE(toText(toBytes(secret.bytes())), std::string("correct horse"));
    QVERIFY(field.text().isEmpty() && !field.isUndoAvailable());
    QVERIFY(!shared.contains(QLatin1Char('c')));
}

QTEST_MAIN(TestPublish)
#include "tst_publish.moc"
