// SPDX-License-Identifier: Apache-2.0
/// Real scripts in real process groups; Puppet has a test of its own.
#include "deploy/output_tail.h"
#include "deploy_fixture.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QProcess>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace starling;
using namespace starling::deploy;

namespace {

using namespace std::chrono_literals;

/// What a script may need on a busy machine until it has set its traps and begun what is to be killed.
constexpr Duration kTimeToBegin = 3s;

bool isGroupGone(int group)
{
    return kill(-group, 0) != 0 && errno == ESRCH;
}

/// Another process that runs a step until it is killed: `tst_deployer --step DIRECTORY`.
int runAgent(int& argc, char** argv)
{
    QCoreApplication app(argc, argv);
    Deployer deployer{Config{}};
    const std::string directory = argv[2];
    deployer.start({StepKind::Install, release::Method::Script, "run.sh", directory + "/payload",
                    directory + "/root", ResourceUri::parse("fw/a").value(), trust::Revision{0, 1},
                    std::chrono::seconds(60)});
    return QCoreApplication::exec();
}

} // namespace

class TestDeployer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // What a script gets
    void reportsSuccessWithTheOutput();
    void runsInThePayloadDirectoryWithExactlyTheDocumentedEnvironment();
    void givesNoStandardInputAndNoOpenFiles();
    void givesNoCoreFilesAndDefaultSignals();
    void runsAScriptByItsInterpreterWithoutTheExecutableBit();
    void runsAScriptWithoutInterpreterLineByTheShell();

    // Failures
    void reportsFailureWithStatusAndLastLine();
    void reportsAFailedCheckAsHealthFailure();
    void reportsAKilledScriptWithItsSignal();
    void refusesWhatIsNotAScriptOfThePayload_data();
    void refusesWhatIsNotAScriptOfThePayload();

    // Time limits and left-over processes
    void killsGrandchildrenThatIgnoreTerminationWhenTimeIsUp();
    void letsAScriptEndWithinTheGraceTime();
    void reportsAHangingCheckAsHealthTimeout();
    void killsAProcessThatLeftTheGroupWhenTimeIsUp();
    void killsManyProcessesAtOnce();
    void killsWhatASuccessfulScriptLeavesBehindInItsGroup();
    void leavesAServiceWithItsOwnSessionAlone();
    void abandonsWithoutAnswer();
    void abandonsAnAnswerOnItsWay();
    void killsTheGroupWhenDestroyed();
    void leavesNothingRunningWhenTheAgentIsKilled();
    void survivesTheDeathOfItsWarden();
    void leavesNoZombiesAndNoDescriptors();
    void runsOneStepAfterAnother();

    // Output
    void keepsTheTailOfHugeOutput();
    void showsTerminalSequencesAsHarmlessText();
    void cutsTheTailBetweenCharacters();
    void keepsOutputThatIsHarmlessUnchanged();
};

void TestDeployer::reportsSuccessWithTheOutput()
{
    const Device device;
    const Outcome outcome = runScript(device, "#!/bin/sh\necho one\necho two >&2\n");
    QVERIFY2(!outcome.error, describe(outcome).constData());
    QCOMPARE(outcome.exitCode, 0);
    QCOMPARE(outcome.output, std::string("one\ntwo\n"));
}

void TestDeployer::runsInThePayloadDirectoryWithExactlyTheDocumentedEnvironment()
{
    qputenv("STARLING_SECRET", "must not leak");
    const Device device;
    // A shell would add variables of its own (PWD, SHLVL, _).
    device.write("run", "#!/usr/bin/env -S sh -c 'pwd; tr \"\\\\0\" \"\\\\n\" </proc/$$/environ | sort'\n");
    const Outcome outcome = run(device.step("run", StepKind::Rollback));
    QVERIFY2(!outcome.error, describe(outcome).constData());
    const QString root = device.path("root");
    const QString payload = device.path("payload");
    QStringList expected{QStringLiteral("HOME=") + root,
                         QStringLiteral("LANG=C.UTF-8"),
                         QStringLiteral("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
                         QStringLiteral("STARLING_EPOCH=3"),
                         QStringLiteral("STARLING_PAYLOAD=") + payload,
                         QStringLiteral("STARLING_ROOT=") + root,
                         QStringLiteral("STARLING_STEP=rollback"),
                         QStringLiteral("STARLING_URI=fw/gateway/rootfs"),
                         QStringLiteral("STARLING_VERSION=17")};
    expected.prepend(payload);
    QCOMPARE(QString::fromStdString(outcome.output).split(u'\n', Qt::SkipEmptyParts), expected);
}

void TestDeployer::givesNoStandardInputAndNoOpenFiles()
{
    const Device device;
    const int inheritable = open("/dev/null", O_RDONLY); // without O_CLOEXEC on purpose
    const Outcome outcome = runScript(
        device, "#!/bin/sh\nread line && exit 3\nreadlink /proc/self/fd/0\nls /proc/$$/fd | sort\n");
    ::close(inheritable);
    QVERIFY2(!outcome.error, describe(outcome).constData());
    // 10 is the script itself, as dash holds it open.
    QCOMPARE(outcome.output, std::string("/dev/null\n0\n1\n10\n2\n"));
}

void TestDeployer::givesNoCoreFilesAndDefaultSignals()
{
    const Device device;
    const auto before = signal(SIGPIPE, SIG_IGN); // as a daemon that writes to sockets would
    const Outcome outcome = runScript(
        device, "#!/bin/sh\nulimit -c; umask; grep -E 'SigBlk|SigIgn' /proc/self/status | cut -f2\n");
    signal(SIGPIPE, before);
    QVERIFY2(!outcome.error, describe(outcome).constData());
    QCOMPARE(outcome.output, std::string("0\n0022\n0000000000000000\n0000000000000000\n"));
}

void TestDeployer::runsAScriptByItsInterpreterWithoutTheExecutableBit()
{
    const Device device;
    device.write("run.awk", "#! /usr/bin/awk -f \nBEGIN { print \"by awk\"; exit 4 }\n");
    const Outcome outcome = run(device.step("run.awk"));
    QCOMPARE(outcome.exitCode, 4);
    QCOMPARE(outcome.output, std::string("by awk\n"));
}

void TestDeployer::runsAScriptWithoutInterpreterLineByTheShell()
{
    const Device device;
    const Outcome outcome = runScript(device, "echo $0");
    QVERIFY2(!outcome.error, describe(outcome).constData());
    QVERIFY(QByteArray::fromStdString(outcome.output).endsWith("/payload/run.sh\n"));
}

void TestDeployer::reportsFailureWithStatusAndLastLine()
{
    const Device device;
    const Outcome outcome = runScript(device, "#!/bin/sh\necho first\necho 'no space left' >&2\nexit 7\n");
    QCOMPARE(outcome.exitCode, 7);
    QCOMPARE(outcome.output, std::string("first\nno space left\n"));
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::DeployFailed);
    QCOMPARE(outcome.error->context, std::string("install run.sh: exit status 7; last line: no space left"));
}

void TestDeployer::reportsAFailedCheckAsHealthFailure()
{
    const Device device;
    const Outcome outcome = runScript(device, "#!/bin/sh\nexit 2\n", StepKind::Check);
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::HealthFailed);
}

void TestDeployer::reportsAKilledScriptWithItsSignal()
{
    const Device device;
    const Outcome outcome = runScript(device, "#!/bin/sh\nkill -SEGV $$\n");
    QCOMPARE(outcome.exitCode, 128 + SIGSEGV);
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::DeployFailed);
    QVERIFY(outcome.error->context.find("signal 11") != std::string::npos);
}

void TestDeployer::refusesWhatIsNotAScriptOfThePayload_data()
{
    QTest::addColumn<QByteArray>("script");
    QTest::addColumn<QByteArray>("reason");
    QTest::newRow("empty") << QByteArray() << QByteArray("names no script");
    QTest::newRow("missing") << QByteArray("missing.sh") << QByteArray("No such file");
    QTest::newRow("directory") << QByteArray("modules") << QByteArray("not a file");
    QTest::newRow("payload itself") << QByteArray(".") << QByteArray("leads out");
    QTest::newRow("absolute") << QByteArray("/bin/true") << QByteArray("not a path inside");
    QTest::newRow("parent") << QByteArray("../root/outside.sh") << QByteArray("not a path inside");
    QTest::newRow("hidden parent") << QByteArray("modules/../run.sh") << QByteArray("not a path inside");
    QTest::newRow("symbolic link out") << QByteArray("link.sh") << QByteArray("leads out");
    QTest::newRow("linked directory out") << QByteArray("outer/outside.sh") << QByteArray("leads out");
    QTest::newRow("fifo") << QByteArray("fifo") << QByteArray("not a file");
    QTest::newRow("compiled program") << QByteArray("program") << QByteArray("compiled program");
    QTest::newRow("no interpreter") << QByteArray("perl7") << QByteArray("interpreter '/usr/bin/perl7'");
    QTest::newRow("DOS line end") << QByteArray("dos.sh") << QByteArray("interpreter '/bin/sh\xef\xbf\xbd'");
    QTest::newRow("relative interpreter") << QByteArray("relative") << QByteArray("interpreter 'sh'");
    QTest::newRow("endless line") << QByteArray("endless") << QByteArray("longer than 256");
}

void TestDeployer::refusesWhatIsNotAScriptOfThePayload()
{
    QFETCH(QByteArray, script);
    QFETCH(QByteArray, reason);
    const Device device;
    const QByteArray leavesMark = "#!/bin/sh\ntouch \"$STARLING_ROOT/mark\"\n";
    device.write("run.sh", leavesMark);
    device.write("../root/outside.sh", leavesMark);
    QVERIFY(QFile::link(device.path("root/outside.sh"), device.payload("link.sh")));
    QVERIFY(QFile::link(device.path("root"), device.payload("outer")));
    QCOMPARE(mkfifo(qPrintable(device.payload("fifo")), 0700), 0);
    QVERIFY(QFile::copy(QStringLiteral("/bin/true"), device.payload("program")));
    device.write("perl7", "#!/usr/bin/perl7\n");
    device.write("dos.sh", "#!/bin/sh\r\ntouch $STARLING_ROOT/mark\r\n");
    device.write("relative", "#!sh\n");
    device.write("endless", "#!/bin/sh " + QByteArray(300, 'x') + "\n");

    const Outcome outcome = run(device.step(script.constData()));
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::DeployMissing);
    QVERIFY2(outcome.error->context.find(reason.toStdString()) != std::string::npos,
             outcome.error->context.c_str());
    QVERIFY(!QFile::exists(device.path("root/mark")));
}

void TestDeployer::killsGrandchildrenThatIgnoreTerminationWhenTimeIsUp()
{
    const Device device;
    device.write("run.sh",
                 "#!/bin/sh\necho $$ >$STARLING_ROOT/group\ntrap '' TERM\n"
                 "(trap '' TERM; sleep 1000 & sleep 1000) &\necho waiting\nsleep 1000\nsleep 1000\n");
    Step step = device.step("run.sh");
    step.timeout = kTimeToBegin;
    QElapsedTimer timer;
    timer.start();
    const Outcome outcome = run(step);
    // All is to be over 5 s after the limit; the rest is for busy machines.
    QVERIFY2(timer.elapsed() < 15'000, qPrintable(QString::number(timer.elapsed())));
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::DeployTimeout);
    QCOMPARE(outcome.error->context, std::string("install run.sh: killed after 3 s; last line: waiting"));
    QCOMPARE(outcome.exitCode, 128 + SIGKILL);
    QVERIFY(device.group() > 1);
    QVERIFY(isGroupGone(device.group()));
}

void TestDeployer::letsAScriptEndWithinTheGraceTime()
{
    const Device device;
    device.write("run.sh", "#!/bin/sh\ntrap 'echo tidied; exit 5' TERM\nsleep 1000 &\nwait\n");
    Step step = device.step("run.sh");
    step.timeout = kTimeToBegin;
    const Outcome outcome = run(step);
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::DeployTimeout);
    QCOMPARE(outcome.exitCode, 5);
    QCOMPARE(outcome.output, std::string("tidied\n"));
}

void TestDeployer::reportsAHangingCheckAsHealthTimeout()
{
    const Device device;
    device.write("run.sh", "#!/bin/sh\nsleep 1000\n");
    Step step = device.step("run.sh", StepKind::Check);
    step.timeout = std::chrono::milliseconds(200);
    const Outcome outcome = run(step);
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::HealthTimeout);
}

void TestDeployer::killsAProcessThatLeftTheGroupWhenTimeIsUp()
{
    const Device device;
    device.write("run.sh",
                 "#!/bin/sh\nsetsid sh -c 'echo $$ >$STARLING_ROOT/group; trap \"\" TERM; sleep 1000' &\n"
                 "trap '' TERM\nsleep 1000\nsleep 1000\n");
    Step step = device.step("run.sh");
    step.timeout = kTimeToBegin;
    Config config;
    config.killGrace = std::chrono::milliseconds(100);
    const Outcome outcome = run(step, config);
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::DeployTimeout);
    QVERIFY(device.group() > 1);
    QVERIFY(isGroupGone(device.group()));
}

void TestDeployer::killsManyProcessesAtOnce()
{
    const Device device;
    // Fifty at a time that start each other anew: a fork bomb with a lid on it.
    device.write("run.sh",
                 "#!/bin/sh\necho $$ >$STARLING_ROOT/group\ntrap '' TERM\n"
                 "for i in $(seq 50); do (while :; do sleep 0.2 & wait; done) & done\nwait\n");
    Step step = device.step("run.sh");
    step.timeout = kTimeToBegin;
    Config config;
    config.killGrace = std::chrono::milliseconds(200);
    const Outcome outcome = run(step, config);
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::DeployTimeout);
    QVERIFY(device.group() > 1);
    QVERIFY(isGroupGone(device.group()));
}

void TestDeployer::killsWhatASuccessfulScriptLeavesBehindInItsGroup()
{
    const Device device;
    const Outcome outcome = runScript(
        device,
        "#!/bin/sh\necho $$ >$STARLING_ROOT/group\n(trap '' TERM HUP; sleep 1000; sleep 1000) &\nexit 0\n");
    QVERIFY2(!outcome.error, describe(outcome).constData());
    QVERIFY(device.group() > 1);
    QVERIFY(isGroupGone(device.group()));
}

void TestDeployer::leavesAServiceWithItsOwnSessionAlone()
{
    const Device device;
    const Outcome outcome = runScript(
        device,
        "#!/bin/sh\nsetsid sh -c 'echo $$ >$STARLING_ROOT/new; mv $STARLING_ROOT/new $STARLING_ROOT/group; "
        "exec sleep 1000' >/dev/null 2>&1 &\nuntil [ -e $STARLING_ROOT/group ]; do sleep 0.02; done\n");
    QVERIFY2(!outcome.error, describe(outcome).constData());
    const int service = device.group();
    QVERIFY(service > 1);
    QVERIFY(!isGroupGone(service));
    QCOMPARE(kill(service, SIGKILL), 0);
}

void TestDeployer::abandonsWithoutAnswer()
{
    const Device device;
    device.write("run.sh",
                 "#!/bin/sh\ntrap '' TERM\nsleep 1000 &\necho $$ >$STARLING_ROOT/new\n"
                 "mv $STARLING_ROOT/new $STARLING_ROOT/group\nwait\n");
    Deployer deployer{Config{}};
    int answers = 0;
    connect(&deployer, &Deployer::finished, this, [&] { ++answers; });
    deployer.start(device.step("run.sh"));
    QVERIFY(deployer.isRunning());
    QTRY_VERIFY(device.group() > 1);
    deployer.abandon();
    QVERIFY(!deployer.isRunning());
    QVERIFY(isGroupGone(device.group()));
    QCoreApplication::processEvents();
    QCOMPARE(answers, 0);
    deployer.abandon();
}

void TestDeployer::abandonsAnAnswerOnItsWay()
{
    const Device device;
    device.write("run.sh", "#!/bin/sh\n");
    Deployer deployer{Config{}};
    std::vector<Outcome> answers;
    connect(&deployer, &Deployer::finished, this,
            [&](const Outcome& outcome) { answers.push_back(outcome); });
    deployer.start(device.step("missing.sh"));
    deployer.abandon();
    deployer.start(device.step("run.sh"));
    QTRY_COMPARE(answers.size(), 1u);
    QVERIFY(!answers.front().error);
}

void TestDeployer::killsTheGroupWhenDestroyed()
{
    const Device device;
    device.write("run.sh",
                 "#!/bin/sh\necho $$ >$STARLING_ROOT/new\nmv $STARLING_ROOT/new $STARLING_ROOT/group\n"
                 "sleep 1000\n");
    {
        Deployer deployer{Config{}};
        deployer.start(device.step("run.sh"));
        QTRY_VERIFY(device.group() > 1);
    }
    QVERIFY(isGroupGone(device.group()));
}

void TestDeployer::leavesNothingRunningWhenTheAgentIsKilled()
{
    const Device device;
    device.write("run.sh",
                 "#!/bin/sh\ntrap '' TERM HUP\n"
                 "setsid sh -c 'echo $$ >$STARLING_ROOT/outside; sleep 1000; sleep 1000' &\n"
                 "(trap '' TERM HUP; sleep 1000; sleep 1000) &\n"
                 "until [ -s $STARLING_ROOT/outside ]; do sleep 0.02; done\n"
                 "echo $$ >$STARLING_ROOT/new\nmv $STARLING_ROOT/new $STARLING_ROOT/group\nsleep 1000\n");
    QProcess agent;
    agent.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--step"), device.directory.path()});
    QVERIFY(agent.waitForStarted());
    QTRY_VERIFY_WITH_TIMEOUT(device.group() > 1, kPatienceMs);
    QVERIFY(!isGroupGone(device.group()));
    agent.kill();
    QVERIFY(agent.waitForFinished(kPatienceMs));
    QTRY_VERIFY(isGroupGone(device.group()));
    QTRY_VERIFY(isGroupGone(device.group("root/outside")));
}

void TestDeployer::survivesTheDeathOfItsWarden()
{
    const Device device;
    // The script's parent is the warden.
    const Outcome outcome = runScript(
        device, "#!/bin/sh\necho $$ >$STARLING_ROOT/group\nsleep 1000 &\nkill -KILL $PPID\nsleep 1000\n");
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::DeployFailed);
    QVERIFY(outcome.error->context.find("supervising process") != std::string::npos);
    QTRY_VERIFY(isGroupGone(device.group()));
}

void TestDeployer::leavesNoZombiesAndNoDescriptors()
{
    const auto descriptors = [] { return QDir(QStringLiteral("/proc/self/fd")).entryList().size(); };
    const Device device;
    runScript(device, "#!/bin/sh\n");
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    const auto before = descriptors();
    for (int i = 0; i < 5; ++i) {
        QVERIFY(!runScript(device, "#!/bin/sh\n").error);
        QVERIFY(run(device.step("missing.sh")).error);
    }
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    QCOMPARE(descriptors(), before);
    QCOMPARE(waitpid(-1, nullptr, WNOHANG), -1);
    QCOMPARE(errno, ECHILD);
}

void TestDeployer::runsOneStepAfterAnother()
{
    const Device device;
    device.write("run.sh", "#!/bin/sh\necho $STARLING_STEP\n");
    Deployer deployer{Config{}};
    std::vector<std::string> outputs;
    connect(&deployer, &Deployer::finished, this, [&](const Outcome& outcome) {
        outputs.push_back(outcome.output);
        if (outputs.size() == 1)
            deployer.start(device.step("run.sh", StepKind::Check)); // from within the answer
    });
    deployer.start(device.step("run.sh"));
    QTRY_COMPARE(outputs.size(), 2u);
    QCOMPARE(outputs[0], std::string("install\n"));
    QCOMPARE(outputs[1], std::string("check\n"));
}

void TestDeployer::keepsTheTailOfHugeOutput()
{
    const Device device;
    const Outcome outcome =
        runScript(device, "#!/bin/sh\nhead -c 20000000 /dev/zero | tr '\\0' x\necho\necho end\n");
    QVERIFY2(!outcome.error, describe(outcome).left(200).constData());
    QCOMPARE(outcome.output.size(), std::size_t{16 * 1024});
    QVERIFY(QByteArray::fromStdString(outcome.output).endsWith("xxx\nend\n"));
}

void TestDeployer::showsTerminalSequencesAsHarmlessText()
{
    const Device device;
    const Outcome outcome =
        runScript(device,
                  "#!/bin/sh\nprintf '\\033[31mred\\007 \\000 \\177 \\302\\233 \\342\\200\\256txt.exe "
                  "\\377 <b>bold</b>\\tx\\rover\\r\\n'\nexit 1\n");
    const std::string bad = "\xef\xbf\xbd";
    QCOMPARE(outcome.output,
             bad + "[31mred" + bad + " " + bad + " " + bad + " " + bad + " " + bad + "txt.exe " + bad
                 + " <b>bold</b>\tx" + bad + "over\n");
    QVERIFY(outcome.error);
    QVERIFY(outcome.error->context.find('\x1b') == std::string::npos);
}

void TestDeployer::cutsTheTailBetweenCharacters()
{
    for (std::size_t limit = 1; limit < 12; ++limit) {
        OutputTail tail(ByteCount{limit});
        for (int i = 0; i < 5; ++i)
            tail.append("a\xe2\x82\xac\xf0\x9f\x90\xa6"); // 1, 3 and 4 bytes
        const std::string text = tail.text();
        QVERIFY(text.size() <= limit);
        QVERIFY2(text.find("\xef\xbf\xbd") == std::string::npos, text.c_str());
        QVERIFY(limit < 4 || text.ends_with("\xf0\x9f\x90\xa6"));
    }
    OutputTail grows(ByteCount{8});
    grows.append(std::string(8, '\x01'));
    QCOMPARE(grows.text(), std::string("\xef\xbf\xbd\xef\xbf\xbd"));
}

void TestDeployer::keepsOutputThatIsHarmlessUnchanged()
{
    const std::string text = "Gr\xc3\xbc\xc3\x9f"
                             "e, \xe4\xb8\xad\xe6\x96\x87\n\t1 < 2 & \"x\" \xf0\x9f\x90\xa6\n";
    QCOMPARE(cleanText(text), text);
    QCOMPARE(cleanText(""), std::string());
}

// Not QTEST_GUILESS_MAIN: one case needs an agent that can be killed.
int main(int argc, char** argv)
{
    if (argc == 3 && QByteArrayView(argv[1]) == "--step")
        return runAgent(argc, argv);
    QCoreApplication app(argc, argv);
    TestDeployer test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_deployer.moc"
