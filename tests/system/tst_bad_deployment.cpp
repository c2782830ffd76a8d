// SPDX-License-Identifier: Apache-2.0
/// Deployments that fail, hang, are not there or leave the device unwell, over a version that is in place: it
/// is in place again afterwards, and the device says why.
#include "scenario.h"

#include <QtTest>

#include <csignal>
#include <sstream>

namespace starling::scenario {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using trust::Phase;

class TestBadDeployment : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_directory;
    std::unique_ptr<support::Fleet> m_fleet; ///< two agents in a line; both get everything
    fs::path m_work;
    std::uint64_t m_version = 1;

    Release make(PayloadPlan plan, const QStringList& more = {})
    {
        plan.version = ++m_version;
        return makeRelease(*m_fleet, m_work, plan, deployOptions(more));
    }

    void expectRolledBack(const Release& release, Errc code)
    {
        const auto pushed = push(*m_fleet, 0, release);
        QVERIFY2(pushed.exitCode == 0, pushed.errors.constData());
        for (const std::size_t i : {0u, 1u}) {
            QVERIFY2(waitForPhase(*m_fleet, i, release.version, Phase::RolledBack),
                     describe(*m_fleet, i).c_str());
            const auto line = updateOf(*m_fleet, i, release.version);
            QVERIFY2(line && line->code == static_cast<std::uint16_t>(code), describe(*m_fleet, i).c_str());
            QCOMPARE(installedVersion(m_fleet->deviceRoot(i)).value_or(9), 1u);
        }
    }

    std::vector<pid_t> pidsOf(std::size_t i, const char* file) const
    {
        std::vector<pid_t> pids;
        std::istringstream in(readText(m_fleet->deviceRoot(i) / file));
        for (pid_t pid = 0; in >> pid;)
            pids.push_back(pid);
        return pids;
    }

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_directory.isValid());
        m_fleet = makeFleet(m_directory, {.agents = 2});
        m_work = m_directory.path().toStdString();
        QVERIFY(startAll(*m_fleet));
        const Release first = makeRelease(*m_fleet, m_work, {.version = 1, .name = "first"}, deployOptions());
        QCOMPARE(push(*m_fleet, 0, first).exitCode, 0);
        for (const std::size_t i : {0u, 1u})
            QVERIFY2(waitForPhase(*m_fleet, i, 1, Phase::Healthy), describe(*m_fleet, i).c_str());
    }

    void rollsBackWhatDoesNotInstall()
    {
        expectRolledBack(make({.name = "failing", .installEnds = "echo 'no such slot' >&2\nexit 7"}),
                         Errc::DeployFailed);
        const auto line = updateOf(*m_fleet, 0, m_version);
        QVERIFY2(line && line->detail.find("no such slot") != std::string::npos,
                 describe(*m_fleet, 0).c_str());
        // The receipt follows the record after a moment.
        QByteArray devices;
        const auto saysSo = [&] {
            devices = m_fleet
                          ->starling({QStringLiteral("--agent"), q(m_fleet->socket(0)),
                                      QStringLiteral("device"), QStringLiteral("list")})
                          .output;
            return devices.contains("STAR-DEPLOY-001");
        };
        QVERIFY2(support::waitUntil(saysSo, std::chrono::seconds(90)), devices.constData());
    }

    void killsWhatHangs()
    {
        // The script, a child of it, and one that does not care for SIGTERM.
        const std::string install = "sleep 1000 &\necho $! >> pids\nsh -c 'trap \"\" TERM; echo $$ >> pids; "
                                    "sleep 1000; sleep 1000' &\n"
                                    "echo $$ >> pids\nwait\nwait";
        // Long enough for the script to begin them on a busy machine.
        expectRolledBack(make({.name = "hanging", .installEnds = install},
                              {QStringLiteral("--deploy-timeout"), QStringLiteral("6")}),
                         Errc::DeployTimeout);
        for (const std::size_t i : {0u, 1u}) {
            const auto pids = pidsOf(i, "pids");
            QCOMPARE(pids.size(), std::size_t{3});
            for (const pid_t pid : pids)
                QVERIFY2(support::waitUntil([&] { return ::kill(pid, 0) != 0; }, 60s),
                         "a process of the script goes on");
        }
    }

    void rollsBackWhatHasNoInterpreter()
    {
        PayloadPlan plan{.version = ++m_version, .name = "without-interpreter"};
        const fs::path payload = makePayload(m_work, plan);
        writeText(payload / "install.sh", "#!/nowhere/interpreter\n");
        const auto torrent = m_fleet->makeRelease(payload, kUri, plan.version, deployOptions());
        QVERIFY(torrent.has_value());
        expectRolledBack({*torrent, payload, plan.version, kUri}, Errc::DeployMissing);
    }

    void makesNoReleaseWhoseScriptIsMissing()
    {
        const fs::path payload = makePayload(m_work, {.version = 90, .name = "without-script"});
        const auto made =
            m_fleet->starling({QStringLiteral("release"), QStringLiteral("create"), q(payload),
                               QStringLiteral("--uri"), QStringLiteral("fw/app"), QStringLiteral("--version"),
                               QStringLiteral("90"), QStringLiteral("--run"), QStringLiteral("nowhere.sh"),
                               QStringLiteral("-o"), q(m_work / "without-script.torrent")});
        const QByteArray wrong = unlike(made, 1, Errc::DeployMissing);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        QVERIFY(!fs::exists(m_work / "without-script.torrent"));
    }

    void rollsBackWhatIsNotWell()
    {
        expectRolledBack(make({.name = "unwell", .checkEnds = "exit 3"}), Errc::HealthFailed);
    }

    void rollsBackWhoseHealthIsNeverKnown()
    {
        // Also the limit of its installation, which must not be what takes too long.
        expectRolledBack(make({.name = "silent", .checkEnds = "sleep 1000"},
                              {QStringLiteral("--deploy-timeout"), QStringLiteral("6")}),
                         Errc::HealthTimeout);
    }

    void saysSoToWhoeverWaits()
    {
        const Release release = make({.name = "awaited", .checkEnds = "exit 3"});
        const auto waited = push(*m_fleet, 0, release,
                                 {QStringLiteral("--wait"), QStringLiteral("2"), QStringLiteral("--timeout"),
                                  QStringLiteral("15")});
        QVERIFY2(waited.exitCode == 4, waited.errors.constData());
    }

    void goesOnWithTheNextGoodOne()
    {
        const Release release = make({.name = "good"});
        const auto waited = push(*m_fleet, 0, release,
                                 {QStringLiteral("--wait"), QStringLiteral("2"), QStringLiteral("--timeout"),
                                  QStringLiteral("60")});
        QVERIFY2(waited.exitCode == 0, waited.errors.constData());
        for (const std::size_t i : {0u, 1u})
            QCOMPARE(installedVersion(m_fleet->deviceRoot(i)).value_or(0), m_version);
    }
};

} // namespace starling::scenario

using starling::scenario::TestBadDeployment;
QTEST_GUILESS_MAIN(TestBadDeployment)
#include "tst_bad_deployment.moc"
