// SPDX-License-Identifier: Apache-2.0
/// The command line: releases without an agent, and the JSON of what asks one.
#include "cli_fixture.h"
#include "fleet.h"

#include <QJsonArray>

using namespace starling;
using namespace starling::cli_test;
using support::CommandResult;

class TestCliRelease : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_cli = std::make_unique<Cli>();
        m_cli->write(s("secret"), "correct horse\n", node::FileMode::Private);
        ENDED(m_cli->run("fleet init fleet --scope fw --cost interactive --passphrase-file secret"), 0);
        ENDED(m_cli->run("fleet init other --lab --cost interactive --passphrase-file secret"), 0);
    }

    void init()
    {
        m_cli->write(s("site/install.sh"), "#!/bin/sh\nexit 0\n");
        m_cli->write(s("site/check.sh"), "#!/bin/sh\nexit 0\n");
        m_cli->write(s("site/data.bin"), QByteArray(100'000, 'x'));
        QFile::remove(m_cli->path(s("r.torrent")));
    }

    void cleanup()
    {
        QVERIFY(QDir(m_cli->path(s("site"))).removeRecursively());
        QDir(m_cli->path(s("empty"))).removeRecursively();
    }

    // --- create

    void theSameInputGivesTheSameBytes()
    {
        const char* options = "release create site --uri fw/site --version 3 --label 3.0 --run install.sh "
                              "--check check.sh --require site=Bergen -o ";
        ENDED(m_cli->run((QByteArray(options) + "a.torrent").constData()), 0);
        // Written anew, in another order and at another time.
        QVERIFY(QDir(m_cli->path(s("site"))).removeRecursively());
        m_cli->write(s("site/data.bin"), QByteArray(100'000, 'x'));
        m_cli->write(s("site/check.sh"), "#!/bin/sh\nexit 0\n");
        m_cli->write(s("site/install.sh"), "#!/bin/sh\nexit 0\n");
        ENDED(m_cli->run((QByteArray(options) + "b.torrent").constData()), 0);
        QVERIFY(!m_cli->read(s("a.torrent")).isEmpty());
        QCOMPARE(m_cli->read(s("a.torrent")), m_cli->read(s("b.torrent")));
    }

    void saysWhatItMade()
    {
        const auto made = create("--run install.sh --check check.sh --label 3.0 --deploy-timeout 60 --json");
        ENDED(made, 0);
        const QJsonObject object = json(made);
        QCOMPARE(object.value(QLatin1String("uri")).toString(), s("fw/site"));
        QCOMPARE(object.value(QLatin1String("version")).toInt(), 3);
        QCOMPARE(object.value(QLatin1String("label")).toString(), s("3.0"));
        QCOMPARE(object.value(QLatin1String("files")).toArray().size(), qsizetype{3});
        QCOMPARE(object.value(QLatin1String("bytes")).toInt(), 100'000 + 2 * 17);
        const QJsonObject deploy = object.value(QLatin1String("deploy")).toObject();
        QCOMPARE(deploy.value(QLatin1String("method")).toString(), s("script"));
        QCOMPARE(deploy.value(QLatin1String("timeout_s")).toInt(), 60);
        QVERIFY(object.value(QLatin1String("signed_by")).toArray().isEmpty());
        const auto text = create("--run install.sh");
        QVERIFY(text.output.contains("starling release sign r.torrent"));
        QVERIFY(text.output.contains("nobody yet"));
        const auto quiet = create("--run install.sh --quiet");
        QVERIFY(quiet.output.isEmpty() && quiet.errors.isEmpty());
    }

    void writesBesideTheCallerUnlessTold()
    {
        ENDED(m_cli->run("release create site --uri fw/site --version 3 --deploy none"), 0);
        QVERIFY(m_cli->exists(s("site.torrent")));
    }

    void takesItsOptions()
    {
        ENDED(create("--deploy none"), 0);
        m_cli->write(s("site/site.pp"), "notify { 'x': }\n");
        const auto puppet = create("--deploy puppet --run site.pp --json");
        ENDED(puppet, 0);
        QCOMPARE(
            json(puppet).value(QLatin1String("deploy")).toObject().value(QLatin1String("method")).toString(),
            s("puppet"));
        ENDED(create("--deploy none --epoch 4 --created 1700000000 --require a=1 --require b=2"), 0);
        const auto shown = m_cli->run("release show r.torrent");
        QVERIFY(shown.output.contains("Requires    a=1") && shown.output.contains("version 4:3"));
    }

    void refusesWhatNoDeviceWouldTake_data()
    {
        QTest::addColumn<QString>("options");
        QTest::addColumn<int>("exit");
        QTest::addColumn<QString>("name");
        const auto row = [](const char* options, int exit, const char* name) {
            QTest::newRow(options) << s(options) << exit << s(name);
        };
        row("--run missing.sh", 1, "deploy-missing");
        row("--run install.sh --check missing.sh", 1, "deploy-missing");
        row("--run install.sh --rollback ../../etc/passwd", 1, "deploy-missing");
        row("", 2, "usage");
        row("--run install.sh --require site", 2, "usage");
        row("--run install.sh --require =x", 2, "usage");
        row("--run install.sh --uri FW/site", 2, "");
        row("--deploy none --label 12345678901234567890123456789012345678901234567890123456789012345", 1, "");
    }

    void refusesWhatNoDeviceWouldTake()
    {
        QFETCH(QString, options);
        QFETCH(int, exit);
        QFETCH(QString, name);
        const auto refused = create(("--json " + options.toUtf8()).constData());
        ENDED(refused, exit);
        QVERIFY2(name.isEmpty() || errorName(refused) == name, refused.output.constData());
        QVERIFY(!m_cli->exists(s("r.torrent")));
    }

    void refusesABadUri()
    {
        for (const char* uri : {"FW/a", "fw//a", "fw/../os", "/fw", "fw/", "fw/%2e", "-fw"}) {
            const auto refused =
                m_cli->run({s("release"), s("create"), s("site"), QStringLiteral("--uri=") + s(uri),
                            s("--version"), s("1"), s("--deploy"), s("none"), s("-o"), s("r.torrent")});
            ENDED(refused, 2);
        }
        QVERIFY(!m_cli->exists(s("r.torrent")));
    }

    void refusesUnsafePayloads()
    {
        ENDED(m_cli->run("release create missing --uri fw/a --version 1 --deploy none"), 1);
        QVERIFY(QDir(m_cli->path()).mkdir(s("empty")));
        ENDED(m_cli->run("release create empty --uri fw/a --version 1 --deploy none"), 1);
        QVERIFY(QFile::link(s("/etc/passwd"), m_cli->path(s("site/link"))));
        const auto link = create("--deploy none --json");
        ENDED(link, 1);
        QCOMPARE(errorName(link), s("unsafe-name"));
        QVERIFY(QFile::remove(m_cli->path(s("site/link"))));
        for (const char* name : {"site/\x1b[31mred", "site/a:b", "site/con", "site/trailing ",
                                 "site/\xe2\x80\xae"
                                 "gpj.sh"}) {
            m_cli->write(s(name), "x");
            const auto refused = create("--deploy none --json");
            ENDED(refused, 1);
            QCOMPARE(errorName(refused), s("unsafe-name"));
            QVERIFY(!refused.errors.contains('\x1b') && !refused.errors.contains("\xe2\x80\xae"));
            QVERIFY(QFile::remove(m_cli->path(s(name))));
        }
        QVERIFY(!m_cli->exists(s("r.torrent")));
    }

    // --- sign, verify, show

    void signaturesAccumulate()
    {
        ENDED(create("--run install.sh"), 0);
        const auto unsignedOne = m_cli->run("--json release verify r.torrent --root fleet/root.envelope");
        ENDED(unsignedOne, 6);
        QCOMPARE(errorName(unsignedOne), s("unsigned"));

        const auto first = sign("fleet/keys/release-1.key", "--json");
        ENDED(first, 4);
        QVERIFY(!json(first).value(QLatin1String("threshold_reached")).toBool(true));
        const auto one = m_cli->run("--json release verify r.torrent --root fleet/root.envelope");
        ENDED(one, 6);
        QCOMPARE(errorName(one), s("threshold"));
        ENDED(sign("fleet/keys/release-1.key"), 4); // the same key twice is one signature

        const auto second = sign("fleet/keys/release-3.key", "--json");
        ENDED(second, 0);
        QCOMPARE(json(second).value(QLatin1String("signed_by")).toArray().size(), qsizetype{2});
        ENDED(m_cli->run("release verify r.torrent --root fleet/root.envelope"), 0);
    }

    void keepsWhatItCannotMakeAgain()
    {
        ENDED(create("--run install.sh"), 0);
        ENDED(create("--run install.sh --label again"), 0); // nobody signed the first one
        ENDED(sign("fleet/keys/release-1.key"), 4);
        const QByteArray before = m_cli->read(s("r.torrent"));
        const auto refused = create("--run install.sh --json");
        ENDED(refused, 1);
        QCOMPARE(errorName(refused), s("already-exists"));
        QCOMPARE(m_cli->read(s("r.torrent")), before);
        ENDED(create("--run install.sh --force"), 0);
        QVERIFY(m_cli->read(s("r.torrent")) != before);

        m_cli->write(s("r.torrent"), "notes\n");
        ENDED(create("--run install.sh"), 1);
        QCOMPARE(m_cli->read(s("r.torrent")), QByteArray("notes\n"));
    }

    void severalKeysMaySignAtOnce()
    {
        ENDED(create("--run install.sh"), 0);
        ENDED(m_cli->run("release sign r.torrent --key fleet/keys/release-1.key --key "
                         "fleet/keys/release-2.key --root fleet/root.envelope --passphrase-file secret"),
              0);
    }

    void aKeyThatMayNotSignChangesNothing()
    {
        ENDED(create("--run install.sh"), 0);
        const QByteArray before = m_cli->read(s("r.torrent"));
        for (const char* key :
             {"other/keys/release.key", "fleet/keys/root-1.key", "fleet/keys/admit-1.key"}) {
            const auto refused = sign(key, "--json");
            ENDED(refused, 6);
            QCOMPARE(errorName(refused), s("wrong-scope"));
        }
        // The first of two was good, but the second was not.
        ENDED(m_cli->run("release sign r.torrent --key fleet/keys/release-1.key --key fleet/keys/root-1.key "
                         "--root fleet/root.envelope --passphrase-file secret"),
              6);
        ENDED(m_cli->run("release create site --uri os/site --version 1 --deploy none -o os.torrent"), 0);
        ENDED(m_cli->run("release sign os.torrent --key fleet/keys/release-1.key --root fleet/root.envelope "
                         "--passphrase-file secret"),
              6);
        QCOMPARE(m_cli->read(s("r.torrent")), before);
    }

    void aWrongPassphraseChangesNothing()
    {
        ENDED(create("--run install.sh"), 0);
        const QByteArray before = m_cli->read(s("r.torrent"));
        m_cli->write(s("wrong"), "battery staple\n", node::FileMode::Private);
        const auto refused = m_cli->run("--json release sign r.torrent --key fleet/keys/release-1.key --root "
                                        "fleet/root.envelope --passphrase-file wrong");
        ENDED(refused, 1);
        QCOMPARE(errorName(refused), s("wrong-passphrase"));
        const auto silent =
            m_cli->run("release sign r.torrent --key fleet/keys/release-1.key --root fleet/root.envelope");
        ENDED(silent, 1);
        QVERIFY(silent.errors.contains("no terminal"));
        QVERIFY(silent.output.contains("fw/site")); // what is to be signed is shown before
        QCOMPARE(m_cli->read(s("r.torrent")), before);
    }

    void verifiesThePayload()
    {
        ENDED(create("--run install.sh"), 0);
        ENDED(m_cli->run("release sign r.torrent --key fleet/keys/release-1.key --key "
                         "fleet/keys/release-2.key --root fleet/root.envelope --passphrase-file secret"),
              0);
        const char* verify = "--json release verify r.torrent --root fleet/root.envelope --payload site";
        ENDED(m_cli->run(verify), 0);
        QCOMPARE(json(m_cli->run(verify)).value(QLatin1String("uri")).toString(), s("fw/site"));

        QByteArray data(100'000, 'x');
        data[99'999] = 'y';
        m_cli->write(s("site/data.bin"), data);
        const auto tampered = m_cli->run(verify);
        ENDED(tampered, 1);
        QCOMPARE(errorName(tampered), s("payload-mismatch"));
        QVERIFY(tampered.errors.contains("data.bin"));
        m_cli->write(s("site/data.bin"), QByteArray(99'999, 'x'));
        QCOMPARE(errorName(m_cli->run(verify)), s("payload-changed"));
        QVERIFY(QFile::remove(m_cli->path(s("site/data.bin"))));
        QCOMPARE(errorName(m_cli->run(verify)), s("payload-missing"));
        QCOMPARE(errorName(m_cli->run(
                     "--json release verify r.torrent --root fleet/root.envelope --payload fleet")),
                 s("payload-missing"));
        ENDED(m_cli->run("release verify r.torrent --root other/root.envelope"), 6);
    }

    void verifiesAPayloadOfOneFileByEitherName()
    {
        m_cli->write(s("box/only.sh"), "#!/bin/sh\n");
        ENDED(m_cli->run("release create box --uri fw/box --version 1 --run only.sh -o r.torrent"), 0);
        ENDED(m_cli->run("release sign r.torrent --key fleet/keys/release-1.key --key "
                         "fleet/keys/release-2.key --root fleet/root.envelope --passphrase-file secret"),
              0);
        ENDED(m_cli->run("release verify r.torrent --root fleet/root.envelope --payload box"), 0);
        ENDED(m_cli->run("release verify r.torrent --root fleet/root.envelope --payload box/only.sh"), 0);
    }

    void aDamagedFileIsRefusedClearly()
    {
        ENDED(create("--run install.sh"), 0);
        const QByteArray whole = m_cli->read(s("r.torrent"));
        m_cli->write(s("r.torrent"), whole.left(whole.size() / 2));
        const auto half = m_cli->run("--json release show r.torrent");
        ENDED(half, 1);
        QCOMPARE(errorName(half), s("truncated"));
        m_cli->write(s("r.torrent"), "no torrent at all");
        QCOMPARE(errorName(m_cli->run("--json release show r.torrent")), s("not-bencode"));
        QCOMPARE(errorName(m_cli->run("--json release show missing.torrent")), s("not-found"));
        m_cli->write(s("r.torrent"), whole);
        m_cli->write(s("bad.envelope"), "no root");
        ENDED(m_cli->run("release verify r.torrent --root bad.envelope"), 1);
        ENDED(m_cli->run("release verify r.torrent --root missing.envelope"), 1);
    }

    void namesInATorrentAreShownHarmlessly()
    {
        m_cli->write(s("harmless-name.bin"), "x");
        ENDED(m_cli->run("release create harmless-name.bin --uri fw/a --version 1 --deploy none --label "
                         "harmless-label -o r.torrent"),
              0);
        const QByteArray good = m_cli->read(s("r.torrent"));
        for (const auto& [from, to] :
             {std::pair<const char*, const char*>{"harmless-name.bin", "\x1b[2J\x1b[31mname.bin"},
              {"harmless-name.bin",
               "\xe2\x80\xae"
               "mless-name.bin"},
              {"harmless-label", "\x1b[2J\x1b[31mlabel"},
              {"harmless-label",
               "\xc2\x9b"
               "31mess-label"}}) {
            QCOMPARE(qstrlen(from), qstrlen(to));
            m_cli->write(s("evil.torrent"), QByteArray(good).replace(from, to));
            for (const char* command :
                 {"release show evil.torrent", "release verify evil.torrent --root fleet/root.envelope",
                  "release sign evil.torrent --key fleet/keys/release-1.key --root fleet/root.envelope "
                  "--passphrase-file secret"}) {
                const auto shown = m_cli->run(command);
                QVERIFY(shown.exitCode != 0);
                for (const char* bad : {"\x1b", "\xe2\x80\xae", "\xc2\x9b"})
                    QVERIFY2(!shown.output.contains(bad) && !shown.errors.contains(bad), command);
            }
        }
    }

    void showsARelease()
    {
        ENDED(create("--run install.sh --check check.sh"), 0);
        const auto text = m_cli->run("release show r.torrent");
        ENDED(text, 0);
        QVERIFY(text.output.contains("script install.sh, then check with check.sh")
                && text.output.contains("nothing here was verified"));
        const auto asJson = m_cli->run("release show r.torrent --json");
        ENDED(asJson, 0);
        QCOMPARE(json(asJson).value(QLatin1String("info_hash")).toString().size(), qsizetype{64});
    }

    // --- With an agent

    void everythingAboutAnAgentIsOneLineOfJson()
    {
        const QString directory = m_cli->path(s("running"));
        QVERIFY(QDir(m_cli->path()).mkdir(s("running")));
        auto fleet = support::Fleet::create(
            {.directory = directory.toStdString(), .programs = STARLING_BINARY_DIR "/bin", .agents = 1});
        QVERIFY2(fleet.has_value(), fleet ? "" : toString(fleet.error()).c_str());
        const auto started = (*fleet)->startAll();
        QVERIFY2(started.has_value(), started ? "" : toString(started.error()).c_str());
        const QString agent = QString::fromStdString(((*fleet)->home(0) / "agent.sock").string());
        const auto ask = [&](const QStringList& words) {
            return m_cli->run(QStringList{s("--json"), s("--agent"), agent} + words);
        };

        const auto torrent =
            (*fleet)->makeRelease(m_cli->file(s("site")), "fw/site", 3, {s("--deploy"), s("none")});
        QVERIFY2(torrent.has_value(), torrent ? "" : toString(torrent.error()).c_str());
        const QString file = QString::fromStdString(torrent->string());
        const auto pushed = ask({s("push"), file, s("--payload"), s("site"), s("--wait"), s("1")});
        ENDED(pushed, 0);
        QCOMPARE(json(pushed).value(QLatin1String("healthy")).toInt(), 1);
        const auto again = ask({s("push"), file, s("--payload"), s("site")});
        ENDED(again, 3);
        QVERIFY(!json(again).value(QLatin1String("published")).toBool(true));
        ENDED(ask({s("push"), m_cli->path(s("secret")), s("--payload"), s("site")}), 1);

        const auto older =
            (*fleet)->makeRelease(m_cli->file(s("site")), "fw/site", 2, {s("--deploy"), s("none")});
        const auto rollback =
            ask({s("push"), QString::fromStdString(older->string()), s("--payload"), s("site")});
        ENDED(rollback, 5);
        QCOMPARE(errorName(rollback), s("rollback"));

        const auto status = ask({s("status")});
        ENDED(status, 0);
        QCOMPARE(json(status).value(QLatin1String("name")).toString(), s("device-1"));
        QCOMPARE(
            json(status).value(QLatin1String("refused")).toObject().value(QLatin1String("rollback")).toInt(),
            1);
        QCOMPARE(json(ask({s("updates")})).value(QLatin1String("updates")).toArray().size(), qsizetype{1});
        QCOMPARE(json(ask({s("device"), s("list")})).value(QLatin1String("devices")).toArray().size(),
                 qsizetype{1});
        ENDED(ask({s("why"), s("nobody")}), 1);
        for (const char* command : {"status", "updates", "device list", "why device-1"}) {
            const auto text =
                m_cli->run(QStringList{s("--agent"), agent} + s(command).split(QLatin1Char(' ')));
            ENDED(text, 0);
            QVERIFY2(text.output.contains("fw/site"), command);
        }
        ENDED(ask({s("watch"), s("--timeout"), s("1")}), 0);

        const auto withdraw = [&](const char* key) {
            const auto path = (*fleet)->root().parent_path() / "keys" / key;
            return ask({s("release"), s("withdraw"), file, s("--key"), QString::fromStdString(path.string()),
                        s("--passphrase-file"), QString::fromStdString((*fleet)->passphrase().string())});
        };
        const auto stranger = withdraw("admit.key");
        ENDED(stranger, 6);
        QCOMPARE(errorName(stranger), s("wrong-scope"));
        const auto withdrawn = withdraw("release.key");
        ENDED(withdrawn, 0);
        QVERIFY(json(withdrawn).value(QLatin1String("published")).toBool());
        ENDED(withdraw("release.key"), 3);
        const auto late = ask({s("push"), file, s("--payload"), s("site")});
        ENDED(late, 5);
        QCOMPARE(errorName(late), s("withdrawn"));
    }

    void cleanupTestCase() { m_cli.reset(); }

private:
    CommandResult create(const char* options) const
    {
        return m_cli->run((QByteArray("release create site --version 3 -o r.torrent ")
                           + (QByteArray(options).contains("--uri") ? "" : "--uri fw/site ") + options)
                              .constData());
    }
    CommandResult sign(const char* key, const char* extra = "") const
    {
        return m_cli->run(
            (QByteArray("release sign r.torrent --root fleet/root.envelope --passphrase-file secret --key ")
             + key + ' ' + extra)
                .constData());
    }
    std::unique_ptr<Cli> m_cli;
};

QTEST_GUILESS_MAIN(TestCliRelease)
#include "tst_cli_release.moc"
