// SPDX-License-Identifier: Apache-2.0
/// Passphrases in the desktop's keychain, from the window and from the command line. Runs itself once more
/// below a session bus with a real Secret Service (GNOME Keyring), with a keyring of its own; the process
/// that is started first has no such bus.
#include "admin/keychain.h"
#include "command.h"
#include "gui_fixture.h"
#include "idle_lock.h"
#include "key_chooser.h"
#include "passphrase_field.h"

#include <QApplication>
#include <QCheckBox>
#include <QMainWindow>
#include <QProcess>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>

using namespace starling;
using namespace starling::gui_test;
using window::KeyChooser;
using window::PassphraseField;

namespace {

constexpr int kSlow = 30'000; ///< ms: a keyring on a busy machine

QString s(const char* text)
{
    return QString::fromUtf8(text);
}

/// A window with a chooser for one sealed key, whose passphrase is "horse".
struct Desk
{
    Desk()
    {
        const auto sealed =
            console::writeSealedKey(directory.filePath(s("release-1.key")).toStdString(), key,
                                    crypto::SecretText("horse"), crypto::KdfCost::Interactive);
        if (!sealed)
            qFatal("%s", toString(sealed.error()).c_str());
        chooser = new KeyChooser;
        main.setCentralWidget(chooser);
        lock = new window::IdleLock(&main);
        chooser->offer(directory.path(), {key.id()});
        main.show();
    }
    /// The code that opening the key ends with; nothing: it is open.
    std::optional<Errc> open(const char* typed)
    {
        QTest::keyClicks(find<PassphraseField>(main, s("Passphrase of the key")), s(typed));
        bool isDone = false;
        std::optional<Errc> ended;
        chooser->open([&](Result<KeyChooser::OpenedKey> opened) {
            isDone = true;
            if (!opened) {
                ended = opened.error().code;
                context = opened.error().context;
            }
        });
        if (!QTest::qWaitFor([&] { return isDone; }, kSlow))
            ended = Errc::Timeout;
        return ended;
    }
    bool says(const char* text) const
    {
        for (const QLabel* label : main.findChildren<QLabel*>())
            if (label->text().contains(s(text)))
                return true;
        return false;
    }

    QTemporaryDir directory;
    const crypto::SecretKey key = crypto::SecretKey::generate();
    QMainWindow main;
    KeyChooser* chooser = nullptr;
    window::IdleLock* lock = nullptr;
    std::string context; ///< of the last error
};

/// `starling ARGUMENTS` without a terminal to ask on.
support::CommandResult runStarling(const QStringList& arguments)
{
    return support::runCommand(s("setsid"),
                               QStringList{s("--wait"), s(STARLING_BINARY_DIR "/bin/starling")} + arguments);
}

/// A lab fleet in `directory`/fleet, whose passphrases are "horse".
void makeFleet(const QTemporaryDir& directory)
{
    QFile secret(directory.filePath(s("secret")));
    QVERIFY(secret.open(QIODevice::WriteOnly) && secret.setPermissions(QFile::ReadOwner | QFile::WriteOwner)
            && secret.write("horse\n") > 0);
    secret.close();
    const auto made =
        runStarling({s("fleet"), s("init"), directory.filePath(s("fleet")), s("--lab"), s("--devices"),
                     s("1"), s("--cost"), s("interactive"), s("--passphrase-file"), secret.fileName()});
    QVERIFY2(made.exitCode == 0, made.errors.constData());
}

support::CommandResult makeRoot(const QTemporaryDir& directory)
{
    return runStarling({s("root"), s("next"), s("--anchor"), directory.filePath(s("fleet/root.envelope")),
                        s("--output"), directory.filePath(s("root-2.envelope")), s("--key"),
                        directory.filePath(s("fleet/keys/root.key")), s("--raise-admit-epoch"),
                        s("--keychain")});
}

} // namespace

class TestWithoutKeychain : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void saysInTheWindowWhatIsMissingAndTakesWhatIsTyped();
    void saysOnTheCommandLineWhatIsMissing();
};

void TestWithoutKeychain::saysInTheWindowWhatIsMissingAndTakesWhatIsTyped()
{
    Desk desk;
    QVERIFY(desk.open("") == Errc::Unreachable);
    QVERIFY2(desk.context.starts_with("no passphrase was typed, and no keychain answers")
                 && desk.context.find("org.freedesktop.secrets") != std::string::npos,
             desk.context.c_str());
    find<QCheckBox>(desk.main, s("Remember the passphrase in the desktop's keychain"))->setChecked(true);
    QVERIFY(desk.open("horse") == std::nullopt); // what could not be kept keeps nobody from signing
    QTRY_VERIFY_WITH_TIMEOUT(desk.says("Not remembered: STAR-NET-001"), kSlow);
}

void TestWithoutKeychain::saysOnTheCommandLineWhatIsMissing()
{
    QTemporaryDir directory;
    makeFleet(directory);
    const auto refused = makeRoot(directory);
    QVERIFY(refused.exitCode != 0);
    QVERIFY2(refused.errors.contains("org.freedesktop.secrets")
                 && refused.errors.contains("there is no terminal"),
             refused.errors.constData());
    QVERIFY(!QFile::exists(directory.filePath(s("root-2.envelope"))));
    const auto kept = runStarling({s("key"), s("remember"), directory.filePath(s("fleet/keys/root.key")),
                                   s("--passphrase-file"), directory.filePath(s("secret"))});
    QCOMPARE(kept.exitCode, 7);
    QVERIFY(kept.errors.contains("nothing was kept"));
}

class TestKeychain : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void signsWithWhatIsRemembered();
    void saysThatTheKeychainsPassphraseIsWrong();
    void wipesWhatWasTypedWhenNobodyIsThere();
    void asksForThePassphraseAfterALock();
    void remembersAndForgetsOnTheCommandLine();
};

void TestKeychain::signsWithWhatIsRemembered()
{
    Desk desk;
    QVERIFY(desk.open("") == Errc::NotFound);
    auto* const remember = find<QCheckBox>(desk.main, s("Remember the passphrase in the desktop's keychain"));
    QVERIFY(!remember->isChecked());
    QVERIFY(desk.open("horse") == std::nullopt);
    QVERIFY(desk.open("") == Errc::NotFound); // nobody asked for it to be remembered
    remember->setChecked(true);
    QVERIFY(desk.open("a wrong one") == Errc::WrongPassphrase);
    QVERIFY(desk.open("") == Errc::NotFound); // and what opens nothing is not
    QVERIFY(desk.open("horse") == std::nullopt);
    QTRY_VERIFY_WITH_TIMEOUT(desk.says("Remembered: next time leave the field empty."), kSlow);
    keepPicture(desk.main, s("keychain-remembered"));
    QVERIFY(desk.open("") == std::nullopt);
    QTest::mouseClick(
        find<QPushButton>(desk.main, s("Take the passphrase of this key out of the desktop's keychain")),
        Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(desk.says("The keychain has no passphrase of this key."), kSlow);
    QVERIFY(desk.open("") == Errc::NotFound);
}

void TestKeychain::saysThatTheKeychainsPassphraseIsWrong()
{
    Desk desk;
    std::optional<Status> kept;
    console::writeKeychain(desk.key.id(), crypto::SecretText("another"), &desk.main,
                           [&](Status done) { kept = std::move(done); });
    QTRY_VERIFY_WITH_TIMEOUT(kept && *kept, kSlow);
    QVERIFY(desk.open("") == Errc::WrongPassphrase);
    QVERIFY(desk.says("The keychain's passphrase does not open this key"));
    QVERIFY(desk.open("horse") == std::nullopt);
}

void TestKeychain::wipesWhatWasTypedWhenNobodyIsThere()
{
    Desk desk;
    auto* const field = find<PassphraseField>(desk.main, s("Passphrase of the key"));
    QSignalSpy locked(desk.lock, &window::IdleLock::changed);
    desk.lock->setPatience(std::chrono::milliseconds(200));
    QTest::keyClicks(field, s("half a secr"));
    const QString shared = field->text(); // the field's own memory
    QTRY_COMPARE(locked.count(), 1);
    QVERIFY(desk.lock->isLocked() && field->text().isEmpty() && !shared.contains(QLatin1Char('s')));
    desk.lock->setPatience(std::chrono::milliseconds(0));
}

void TestKeychain::asksForThePassphraseAfterALock()
{
    Desk desk;
    find<QCheckBox>(desk.main, s("Remember the passphrase in the desktop's keychain"))->setChecked(true);
    QVERIFY(desk.open("horse") == std::nullopt);
    QTRY_VERIFY_WITH_TIMEOUT(desk.says("Remembered"), kSlow);
    desk.lock->lock();
    QVERIFY(desk.open("") == Errc::WrongPassphrase);
    QVERIFY2(desk.context.find("type the passphrase once") != std::string::npos, desk.context.c_str());
    QVERIFY(desk.open("a wrong one") == Errc::WrongPassphrase && desk.lock->isLocked());
    QVERIFY(desk.open("horse") == std::nullopt && !desk.lock->isLocked());
    QVERIFY(desk.open("") == std::nullopt);
}

void TestKeychain::remembersAndForgetsOnTheCommandLine()
{
    QTemporaryDir directory;
    makeFleet(directory);
    const QString key = directory.filePath(s("fleet/keys/root.key"));
    const auto missing = makeRoot(directory);
    QVERIFY2(missing.exitCode != 0 && missing.errors.contains("the keychain has no passphrase"),
             missing.errors.constData());
    const auto kept = runStarling(
        {s("--json"), s("key"), s("remember"), key, s("--passphrase-file"), directory.filePath(s("secret"))});
    QVERIFY2(kept.exitCode == 0 && kept.output.contains("\"remembered\":true"), kept.errors.constData());
    const auto made = makeRoot(directory);
    QVERIFY2(made.exitCode == 0, made.errors.constData());
    QVERIFY(QFile::remove(directory.filePath(s("root-2.envelope"))));
    QCOMPARE(runStarling({s("key"), s("forget"), key}).exitCode, 0);
    QVERIFY(makeRoot(directory).exitCode != 0);
    QFile wrong(directory.filePath(s("secret")));
    QVERIFY(wrong.open(QIODevice::WriteOnly | QIODevice::Truncate) && wrong.write("mule\n") > 0);
    wrong.close();
    QVERIFY(runStarling({s("key"), s("remember"), key, s("--passphrase-file"), wrong.fileName()}).exitCode
            != 0);
}

namespace {

constexpr const char* kInner = "STARLING_TEST_KEYRING";

/// This program below a bus with a keyring that is open. 0, too, where the tools for it are missing.
int runWithKeyring(int argc, char** argv, const QString& home)
{
    for (const char* tool : {"dbus-run-session", "gnome-keyring-daemon"})
        if (QStandardPaths::findExecutable(s(tool)).isEmpty()) {
            std::printf("SKIP: there is no %s: no keychain to test with\n", tool);
            return 0;
        }
    QProcess inner;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.remove(s("DBUS_SESSION_BUS_ADDRESS"));
    for (const char* place : {"HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CACHE_HOME"})
        environment.insert(s(place), home);
    environment.insert(s(kInner), s("1"));
    inner.setProcessEnvironment(environment);
    inner.setProcessChannelMode(QProcess::ForwardedChannels);
    QStringList arguments{
        s("--"), s("sh"), s("-c"),
        s("printf %s secret | gnome-keyring-daemon --unlock --components=secrets --daemonize "
          "> /dev/null && exec \"$0\" \"$@\"")};
    for (int i = 0; i < argc; ++i)
        arguments += s(argv[i]);
    inner.start(s("dbus-run-session"), arguments);
    return inner.waitForFinished(-1) && inner.exitStatus() == QProcess::NormalExit ? inner.exitCode() : 1;
}

} // namespace

int main(int argc, char** argv)
{
    const bool isInner = qEnvironmentVariableIsSet(kInner);
    if (!isInner)
        qputenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    QApplication application(argc, argv);
    QTemporaryDir home;
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, home.path());
    QCoreApplication::setOrganizationName(s("starling"));
    QCoreApplication::setApplicationName(s("starling-console-test"));
    if (const auto ready = crypto::initialize(); !ready)
        return 1;
    if (isInner) {
        TestKeychain test;
        return QTest::qExec(&test, argc, argv);
    }
    TestWithoutKeychain test;
    const int without = argc > 1 ? 0 : QTest::qExec(&test, argc, argv);
    return without + runWithKeyring(argc, argv, home.path());
}
#include "tst_keychain.moc"
