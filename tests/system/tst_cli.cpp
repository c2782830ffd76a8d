// SPDX-License-Identifier: Apache-2.0
/// The command line: help, usage, keys, fleets. Releases and agents are tst_cli_release's.
#include "cli_fixture.h"
#include "crypto/key_file.h"
#include "fleet.h"
#include "trust/trust_set.h"

#include <QJsonArray>
#include <QProcess>

#include <sys/stat.h>

using namespace starling;
using namespace starling::cli_test;
using support::CommandResult;

namespace {

mode_t modeOf(const std::filesystem::path& file)
{
    struct stat info
    {
    };
    return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

trust::RootDocument rootOf(const Cli& cli, const QString& fleet)
{
    const auto bytes = node::readFile(cli.file(fleet + s("/root.envelope")), trust::kMaxRootBytes * 2);
    const auto trust =
        bytes ? trust::TrustSet::fromAnchor(*bytes) : Result<trust::TrustSet>(fail(Errc::NotFound, ""));
    return trust ? trust->root() : trust::RootDocument();
}

} // namespace

class TestCli : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_cli = std::make_unique<Cli>();
        m_cli->write(s("secret"), "correct horse\nnot read\n", node::FileMode::Private);
    }
    void cleanup() { m_cli.reset(); }

    // --- Help and usage

    void everyCommandShowsExamples_data()
    {
        QTest::addColumn<QString>("command");
        for (const char* command : {"fleet init",    "fleet observe",  "key new",      "key list",
                                    "key show",      "release create", "release sign", "release verify",
                                    "release show",  "push",           "status",       "updates",
                                    "device list",   "device request", "device admit", "device deny",
                                    "root next",     "root push",      "token create", "watch",
                                    "why",           "version",        "key fleet",    "key export",
                                    "key backup",    "audit list",     "audit verify", "rollout list",
                                    "rollout report"})
            QTest::newRow(command) << s(command);
    }

    void everyCommandShowsExamples()
    {
        QFETCH(QString, command);
        const auto help = m_cli->run(command.split(QLatin1Char(' ')) + QStringList{s("--help")});
        ENDED(help, 0);
        QVERIFY2(help.output.contains("Examples:\n  starling " + command.toUtf8())
                     || help.output.contains("  starling --agent"),
                 help.output.constData());
        QVERIFY(help.errors.isEmpty());
    }

    void theWholeHelpNamesTheExitStatuses()
    {
        const auto help = m_cli->run("--help");
        ENDED(help, 0);
        for (const char* word : {"fleet", "key", "release", "push", "status", "Exit status", "8 timeout"})
            QVERIFY2(help.output.contains(word), word);
    }

    void usageErrorsEndWithTwo_data()
    {
        QTest::addColumn<QString>("line");
        for (const char* line : {"",
                                 "fly",
                                 "--fly",
                                 "fleet",
                                 "key",
                                 "release",
                                 "device",
                                 "fleet init",
                                 "key new",
                                 "key show",
                                 "release create",
                                 "release sign x",
                                 "release create p --uri fw/a",
                                 "release create p --uri fw/a --version 0",
                                 "release create p --uri fw/a --version x",
                                 "release create p --uri fw/a --version 9007199254740992",
                                 "release create p --uri fw/a --version 1 --deploy wish",
                                 "release create p --uri fw/a --version 1 --deploy-timeout 0",
                                 "push",
                                 "push x",
                                 "push x --payload a --in-place b",
                                 "fleet init x --devices 5000",
                                 "fleet init x --devices -1",
                                 "fleet observe",
                                 "fleet observe --key x --root y",
                                 "fleet observe --key x --days 0",
                                 "key new x --cost dear",
                                 "status extra",
                                 "key new x --passphrase-fd 3 --passphrase-file y",
                                 "--timeout -1 status"})
            QTest::newRow(*line == 0 ? "nothing" : line) << s(line);
    }

    void usageErrorsEndWithTwo()
    {
        QFETCH(QString, line);
        const auto result = m_cli->run(line.toUtf8().constData());
        ENDED(result, 2);
        QVERIFY(!result.errors.isEmpty());
        const auto asJson = m_cli->run(("--json " + line.toUtf8()).constData());
        ENDED(asJson, 2);
        QCOMPARE(errorName(asJson), s("usage"));
    }

    void tellsItsVersion()
    {
        const auto text = m_cli->run("version");
        ENDED(text, 0);
        QCOMPARE(text.output, QByteArray("starling " STARLING_VERSION "\n"));
        QCOMPARE(json(m_cli->run("version --json")).value(QLatin1String("version")).toString(),
                 s(STARLING_VERSION));
    }

    void withoutAnAgentItSaysWhatToDo()
    {
        for (const char* command :
             {"status", "updates", "device list", "watch", "why gw", "rollout list", "rollout report fw/a"}) {
            const auto result =
                m_cli->run((QByteArray("--json --agent ./nobody.sock ") + command).constData());
            ENDED(result, 7);
            QCOMPARE(errorName(result), s("unreachable"));
            QVERIFY(result.errors.contains("--agent"));
        }
    }

    // --- Keys

    void makesAKeyThatOnlyItsOwnerMayRead()
    {
        const auto made = m_cli->run("--json key new a.key --cost interactive --passphrase-file secret");
        ENDED(made, 0);
        QCOMPARE(modeOf(m_cli->file(s("a.key"))), mode_t{0600});
        const QString key = json(made).value(QLatin1String("key")).toString();
        QCOMPARE(key.size(), qsizetype{64});
        QVERIFY(json(made).value(QLatin1String("sealed")).toBool());
        const auto shown = m_cli->run("--json key show a.key");
        ENDED(shown, 0);
        QCOMPARE(json(shown).value(QLatin1String("key")).toString(), key);
        QVERIFY(m_cli->run("key show a.key").output.contains("sealed"));
        // The passphrase is the first line of its file.
        const auto bytes = node::readFile(m_cli->file(s("a.key")), 4'096);
        QVERIFY(crypto::unsealKey(*bytes, crypto::SecretText("correct horse")).has_value());
    }

    void doesNotOverwriteAKey()
    {
        m_cli->write(s("a.key"), "precious");
        const auto refused = m_cli->run("--json key new a.key --cost interactive --passphrase-file secret");
        ENDED(refused, 1);
        QCOMPARE(errorName(refused), s("already-exists"));
        QCOMPARE(m_cli->read(s("a.key")), QByteArray("precious"));
    }

    void takesThePassphraseFromADescriptor()
    {
        ENDED(
            m_cli->shell(
                "exec 3<<<'from a descriptor'; $starling key new a.key --cost interactive --passphrase-fd 3"),
            0);
        const auto bytes = node::readFile(m_cli->file(s("a.key")), 4'096);
        QVERIFY(crypto::unsealKey(*bytes, crypto::SecretText("from a descriptor")).has_value());
    }

    void refusesAPassphraseFileThatOthersMayRead()
    {
        m_cli->write(s("open"), "secret\n", node::FileMode::Public);
        const auto refused = m_cli->run("--json key new a.key --cost interactive --passphrase-file open");
        ENDED(refused, 1);
        QCOMPARE(errorName(refused), s("key-unreadable"));
        QVERIFY(refused.errors.contains("chmod 600"));
        QVERIFY(!m_cli->exists(s("a.key")));
    }

    void refusesEmptyAndMissingPassphrases()
    {
        m_cli->write(s("empty"), "\nsecret\n", node::FileMode::Private);
        ENDED(m_cli->run("key new a.key --cost interactive --passphrase-file empty"), 1);
        ENDED(m_cli->run("key new a.key --cost interactive --passphrase-file missing"), 1);
        ENDED(m_cli->run("key new a.key --cost interactive --passphrase-fd 99"), 1);
        ENDED(m_cli->shell("exec 3</dev/null; $starling key new a.key --cost interactive --passphrase-fd 3"),
              1);
        QVERIFY(!m_cli->exists(s("a.key")));
    }

    void hasNoOptionForAPassphraseItself()
    {
        ENDED(m_cli->run("key new a.key --passphrase hunter2"), 2);
        const auto help = m_cli->run("--help-all");
        QVERIFY(!help.output.contains("--passphrase "));
        ENDED(m_cli->shell("STARLING_PASSPHRASE=x PASSPHRASE=x $starling key new a.key --cost interactive"),
              1);
    }

    void withoutATerminalItSaysHowElse()
    {
        const auto refused = m_cli->run("key new a.key --cost interactive");
        ENDED(refused, 1);
        QVERIFY2(refused.errors.contains("--passphrase-file or --passphrase-fd"), refused.errors.constData());
        QVERIFY(!m_cli->exists(s("a.key")));
    }

    void listsTheKeysOfADirectory()
    {
        QVERIFY(QDir(m_cli->path()).mkdir(s("keys")));
        const auto empty = m_cli->run("key list keys");
        ENDED(empty, 3);
        QVERIFY(empty.output.contains("starling key new"));
        const auto emptyJson = m_cli->run("--json key list keys");
        ENDED(emptyJson, 3);
        QVERIFY(json(emptyJson).value(QLatin1String("keys")).toArray().isEmpty());
        ENDED(m_cli->run("key list missing"), 1);

        ENDED(m_cli->run("key new keys/b.key --cost interactive --passphrase-file secret"), 0);
        ENDED(m_cli->run("key new keys/a.key --cost interactive --passphrase-file secret"), 0);
        m_cli->write(s("keys/readme"), "no key");
        const auto two = m_cli->run("--json key list keys");
        ENDED(two, 0);
        QCOMPARE(json(two).value(QLatin1String("keys")).toArray().size(), qsizetype{2});
        m_cli->write(s("keys/c.key"), "garbage", node::FileMode::Private);
        const auto damaged = m_cli->run("key list keys");
        ENDED(damaged, 4);
        QVERIFY(damaged.errors.contains("c.key"));
    }

    void namesOfFilesAreShownHarmlessly()
    {
        QVERIFY(QDir(m_cli->path()).mkdir(s("keys")));
        ENDED(m_cli->run({s("key"), s("new"), s("keys/\x1b[2J\x1b]0;x\x07.key"), s("--cost"),
                          s("interactive"), s("--passphrase-file"), s("secret"), s("-q")}),
              0);
        m_cli->write(s("keys/\x1b[31m.key"), "garbage", node::FileMode::Private);
        const auto listed = m_cli->run("key list keys");
        ENDED(listed, 4);
        QVERIFY(!listed.output.contains('\x1b') && !listed.errors.contains('\x1b')
                && !listed.output.contains('\x07'));
        QVERIFY(listed.output.contains("?[2J"));
        const auto missing = m_cli->run({s("key"), s("show"), s("\x1b[31m")});
        ENDED(missing, 1);
        QVERIFY(!missing.errors.contains('\x1b'));
    }

    // --- Fleets

    void makesALabFleet()
    {
        const auto made = m_cli->run("--json fleet init lab --lab --devices 2 --label site=Bergen --cost "
                                     "interactive --passphrase-file secret");
        ENDED(made, 0);
        QCOMPARE(m_cli->names(), QStringList({s("lab"), s("secret")}));
        QCOMPARE(modeOf(m_cli->file(s("lab"))), mode_t{0700});
        const auto root = rootOf(*m_cli, s("lab"));
        QVERIFY(root.root.keys.size() == 1 && root.admit.keys.size() == 1 && root.scopes.size() == 1);
        QVERIFY(root.observe && root.observe->keys.size() == 1 && root.observe->threshold == 1);
        QCOMPARE(json(made).value(QLatin1String("devices")).toArray().size(), qsizetype{2});
        for (const char* name : {"device.key", "device.admit", "root.envelope"})
            QVERIFY(m_cli->exists(s("lab/devices/device-2/") + s(name)));
        QCOMPARE(modeOf(m_cli->file(s("lab/devices/device-1/device.key"))), mode_t{0600});
        QVERIFY(m_cli->exists(s("lab/devices/device-1/observer.subscription")));
        QVERIFY(!m_cli->exists(s("lab/devices/device-2/observer.subscription")));
        QVERIFY(m_cli->run("fleet init other --lab --cost interactive --passphrase-file secret")
                    .errors.contains("Warning: a lab fleet"));
    }

    void makesAProductionFleet()
    {
        ENDED(m_cli->run("fleet init harbour/ --devices 1 --scope fw --scope os --cost interactive "
                         "--passphrase-file secret"),
              0);
        const auto root = rootOf(*m_cli, s("harbour"));
        QVERIFY(root.root.keys.size() == 3 && root.root.threshold == 2);
        QVERIFY(root.admit.keys.size() == 2 && root.admit.threshold == 1);
        QCOMPARE(root.scopes.size(), std::size_t{2});
        for (const trust::Scope& scope : root.scopes)
            QVERIFY(scope.role.keys.size() == 3 && scope.role.threshold == 2);
        const QStringList keys = m_cli->names(s("harbour/keys"));
        QCOMPARE(keys.size(), qsizetype{9});
        for (const QString& name : keys)
            QCOMPARE(modeOf(m_cli->file(s("harbour/keys/") + name)), mode_t{0600});
        QVERIFY(keys.contains(s("root-3.key")) && keys.contains(s("admit-2.key"))
                && keys.contains(s("release-1.key")) && keys.contains(s("observe.key")));
    }

    void entitlesAnObserverByFile()
    {
        ENDED(m_cli->run("fleet init watched --lab --devices 1 --cost interactive --passphrase-file secret"),
              0);
        const QString node(64, QLatin1Char('7'));
        const auto observe = [&](const QString& id, const QString& key) {
            return m_cli->run({s("--json"), s("fleet"), s("observe"), id, s("--root"),
                               s("watched/root.envelope"), s("--key"), s("watched/keys/") + key,
                               s("--passphrase-file"), s("secret"), s("--scope"), s("fw"), s("--days"),
                               s("3"), s("--output"), s("seventh")});
        };
        ENDED(observe(s("seven"), s("observe.key")), 2);
        ENDED(observe(node, s("nothing.key")), 1);
        QVERIFY(!m_cli->exists(s("seventh")));
        const auto made = observe(node, s("observe.key"));
        ENDED(made, 0);
        QCOMPARE(json(made).value(QLatin1String("observer")).toString(), node);
        const auto trust =
            trust::TrustSet::fromAnchor(*node::readFile(m_cli->file(s("watched/root.envelope")), 65'536));
        const auto file = node::readFile(m_cli->file(s("seventh")), 65'536);
        const auto subscription = trust->verifySubscription(*trust::Envelope::parse(*file));
        QVERIFY(subscription.has_value());
        QVERIFY((*subscription)->observer.hex() == node.toStdString()
                && (*subscription)->scope->text() == "fw");
    }

    void leavesAnExistingDirectoryAlone()
    {
        m_cli->write(s("lab/precious"), "data");
        const auto refused =
            m_cli->run("--json fleet init lab --lab --cost interactive --passphrase-file secret");
        ENDED(refused, 1);
        QCOMPARE(errorName(refused), s("already-exists"));
        QCOMPARE(m_cli->names(s("lab")), QStringList{s("precious")});
        QVERIFY(QDir(m_cli->path()).mkdir(s("empty")));
        ENDED(m_cli->run("fleet init empty --lab --cost interactive --passphrase-file secret"), 1);
        ENDED(m_cli->run("fleet init secret --lab --cost interactive --passphrase-file secret"), 1);
        QCOMPARE(m_cli->names(), QStringList({s("empty"), s("lab"), s("secret")}));
    }

    void refusesWhatNoAgentCouldRead_data()
    {
        QTest::addColumn<QStringList>("options");
        const auto row = [](const char* name, const QStringList& options) { QTest::newRow(name) << options; };
        row("a label without value", {s("--label"), s("site")});
        row("a label without name", {s("--label"), s("=x")});
        row("a label twice", {s("--label"), s("a=1"), s("--label"), s("a=2")});
        row("a long label", {s("--label"), s("a=") + QString(65, QLatin1Char('x'))});
        row("a label with an escape", {s("--label"), s("a=\x1b[31m")});
        row("a long prefix", {s("--device-prefix"), QString(64, QLatin1Char('x'))});
        row("a prefix with an escape", {s("--device-prefix"), s("\x1b[31m")});
        row("a prefix that leaves the directory", {s("--device-prefix"), s("../../x")});
        row("a prefix that is a path", {s("--device-prefix"), s("a/b")});
        row("a scope that is no URI", {s("--scope"), s("FW//x")});
        row("a scope twice", {s("--scope"), s("fw"), s("--scope"), s("fw")});
        QStringList many;
        for (int i = 0; i < 33; ++i)
            many << s("--label") << QStringLiteral("l%1=x").arg(i);
        row("too many labels", many);
        QStringList large; // fits a certificate, but no handshake
        for (int i = 0; i < 8; ++i)
            large << s("--label") << QStringLiteral("l%1=").arg(i) + QString(64, QLatin1Char('x'));
        row("labels too large for a link", large);
    }

    void refusesWhatNoAgentCouldRead()
    {
        QFETCH(QStringList, options);
        // At the dearest cost: refused before anything is sealed.
        const auto refused = m_cli->run(QStringList{s("fleet"), s("init"), s("lab"), s("--devices"), s("1"),
                                                    s("--passphrase-file"), s("secret")}
                                        + options);
        ENDED(refused, 2);
        QCOMPARE(m_cli->names(), QStringList{s("secret")});
        QVERIFY(!refused.errors.contains('\x1b'));
    }

    void anInterruptedInitLeavesNoHalfFleet()
    {
        QProcess process;
        process.setWorkingDirectory(m_cli->path());
        process.start(Cli::program(),
                      {s("fleet"), s("init"), s("lab"), s("--devices"), s("1"), s("--cost"), s("moderate"),
                       s("--passphrase-file"), s("secret")});
        const auto isSealing = [&] {
            const QStringList making = m_cli->names().filter(s("lab.making-"));
            return !making.isEmpty()
                && m_cli->names(making.first() + s("/keys")).filter(s(".key")).size() >= 2;
        };
        QVERIFY(support::waitUntil(isSealing, std::chrono::minutes(1)));
        process.kill();
        QVERIFY(process.waitForFinished());
        QVERIFY(process.exitStatus() == QProcess::CrashExit);
        QVERIFY(!m_cli->exists(s("lab")));
        ENDED(m_cli->run("fleet init lab --lab --cost interactive --passphrase-file secret"), 0);
        QVERIFY(m_cli->exists(s("lab/root.envelope")));
    }

    void aFailureRemovesWhatWasMade()
    {
        ENDED(m_cli->run("fleet init lab --lab --cost interactive --passphrase-file missing"), 1);
        QCOMPARE(m_cli->names(), QStringList{s("secret")});
        const auto nowhere =
            m_cli->run("fleet init secret/lab --lab --cost interactive --passphrase-file secret");
        ENDED(nowhere, 1);
        QCOMPARE(m_cli->names(), QStringList{s("secret")});
    }

private:
    std::unique_ptr<Cli> m_cli;
};

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
