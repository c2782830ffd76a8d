// SPDX-License-Identifier: Apache-2.0
/// Payloads that change under a seeding agent, do not fit its disk, or not its quota.
#include "scenario.h"

#include <QtTest>

namespace starling::scenario {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using trust::Phase;

namespace {

/// Short waits before a blocked download is tried again; the real agent otherwise.
const std::string kImpatient = std::string(STARLING_BINARY_DIR) + "/tests/starling-agent-crashing";

} // namespace

class TestBadPayload : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_directory;
    std::unique_ptr<support::Fleet> m_fleet; ///< the second is the neighbour of the first
    fs::path m_work;

    Release make(const PayloadPlan& plan, const QStringList& options, const std::string& uri = kUri)
    {
        return makeRelease(*m_fleet, m_work, plan, options, uri);
    }

    support::CommandResult pushInPlace(const Release& release) const
    {
        return m_fleet->starling({QStringLiteral("--agent"), q(m_fleet->socket(0)), QStringLiteral("push"),
                                  q(release.torrent), QStringLiteral("--in-place"), q(release.payload)});
    }

    bool waitForCode(std::size_t i, std::uint64_t version, Errc code) const
    {
        return support::waitUntil(
            [&] {
                const auto line = updateOf(*m_fleet, i, version);
                return line && line->code == static_cast<std::uint16_t>(code);
            },
            90s);
    }

    /// Makes it whole again, and with it all that was waiting for it.
    void makeGood(const Release& release, const PayloadPlan& plan)
    {
        makePayload(m_work, plan);
        const auto again = pushInPlace(release);
        QVERIFY2(again.exitCode == 0, again.errors.constData());
        QVERIFY2(waitForPhase(*m_fleet, 1, plan.version, Phase::Healthy), describe(*m_fleet, 1).c_str());
        QCOMPARE(installedVersion(m_fleet->deviceRoot(1)).value_or(0), plan.version);
        const auto line = updateOf(*m_fleet, 0, plan.version);
        QVERIFY(line && line->code == 0);
    }

private Q_SLOTS:
    void init()
    {
        m_directory = std::make_unique<QTemporaryDir>();
        QVERIFY(m_directory->isValid());
        m_work = m_directory->path().toStdString();
        m_fleet = makeFleet(*m_directory, {.agents = 2});
    }

    void cleanup()
    {
        m_fleet.reset();
        m_directory.reset();
    }

    void givesNobodyAPayloadThatChangedInPlace_data()
    {
        QTest::addColumn<bool>("vanishes");
        QTest::newRow("changed") << false;
        QTest::newRow("vanished") << true;
    }

    void givesNobodyAPayloadThatChangedInPlace()
    {
        QFETCH(const bool, vanishes);
        const PayloadPlan plan{.version = 1, .name = "in-place", .partBytes = 100'000};
        const Release release = make(plan, deployOptions());
        QVERIFY(start(*m_fleet, 0));
        const auto pushed = pushInPlace(release);
        QVERIFY2(pushed.exitCode == 0, pushed.errors.constData());
        QVERIFY2(waitForPhase(*m_fleet, 0, 1, Phase::Healthy), describe(*m_fleet, 0).c_str());
        if (vanishes) {
            fs::remove(release.payload / "part-b");
        } else {
            std::string part = readText(release.payload / "part-b");
            part[50'000] = '!';
            writeText(release.payload / "part-b", part);
        }
        QVERIFY(start(*m_fleet, 1));
        QVERIFY2(waitForCode(0, 1, vanishes ? Errc::PayloadMissing : Errc::PayloadChanged),
                 describe(*m_fleet, 0).c_str());
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Downloading), describe(*m_fleet, 1).c_str());
        QCOMPARE(installedVersion(m_fleet->deviceRoot(1)).value_or(9), 0u);
        const auto said = m_fleet->starling({QStringLiteral("--agent"), q(m_fleet->socket(0)),
                                             QStringLiteral("status"), QStringLiteral("--json")});
        QVERIFY2(said.output.contains(vanishes ? "payload-missing" : "payload-changed"),
                 said.output.constData());
        makeGood(release, plan);
    }

    /// The agent finds out when it starts.
    void noticesWhatChangedWhileItDidNotRun()
    {
        const PayloadPlan plan{.version = 1, .name = "in-place"};
        const Release release = make(plan, deployOptions());
        QVERIFY(start(*m_fleet, 0));
        QCOMPARE(pushInPlace(release).exitCode, 0);
        QVERIFY2(waitForPhase(*m_fleet, 0, 1, Phase::Healthy), describe(*m_fleet, 0).c_str());
        QVERIFY(m_fleet->stop(0).has_value());
        writeText(release.payload / "part-b", "something else");
        QVERIFY(start(*m_fleet, 0));
        QVERIFY2(waitForCode(0, 1, Errc::PayloadChanged), describe(*m_fleet, 0).c_str());
        QVERIFY(start(*m_fleet, 1));
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Downloading), describe(*m_fleet, 1).c_str());
        makeGood(release, plan);
    }

    void waitsForRoomOnAFullDisk()
    {
        // A small disk for the state directory, in a namespace of its own.
        const QStringList onSmallDisk{QStringLiteral("unshare"),
                                      QStringLiteral("-rm"),
                                      QStringLiteral("sh"),
                                      QStringLiteral("-c"),
                                      QStringLiteral("mount -t tmpfs -o size=3m tmpfs \"$0\" && exec \"$@\""),
                                      q(m_fleet->state(1))};
        fs::create_directories(m_fleet->state(1));
        const auto possible =
            support::runCommand(QStringLiteral("unshare"), onSmallDisk.mid(1) << QStringLiteral("true"));
        if (possible.exitCode != 0)
            QSKIP("no mount in a user namespace on this machine");
        const Release release =
            make({.version = 1, .name = "roomy", .partBytes = 3'000'000}, deployOptions());
        QVERIFY(start(*m_fleet, 0));
        QCOMPARE(push(*m_fleet, 0, release).exitCode, 0);
        const auto started = m_fleet->start(1, kImpatient, onSmallDisk);
        QVERIFY2(started.has_value(), started ? "" : toString(started.error()).c_str());
        QVERIFY2(waitForCode(1, 1, Errc::DiskFull),
                 (describe(*m_fleet, 1) + tailOf(m_fleet->log(1))).c_str());
        const auto line = updateOf(*m_fleet, 1, 1);
        QVERIFY2(line && line->phase == Phase::Downloading, describe(*m_fleet, 1).c_str());
        QVERIFY(m_fleet->isRunning(1));
        const auto enlarged = support::runCommand(
            QStringLiteral("nsenter"),
            {QStringLiteral("-t"), QString::number(m_fleet->pid(1)), QStringLiteral("-U"),
             QStringLiteral("-m"), QStringLiteral("--preserve-credentials"), QStringLiteral("mount"),
             QStringLiteral("-o"), QStringLiteral("remount,size=30m"), q(m_fleet->state(1))});
        QVERIFY2(enlarged.exitCode == 0, enlarged.errors.constData());
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Healthy),
                 (describe(*m_fleet, 1) + tailOf(m_fleet->log(1))).c_str());
        QCOMPARE(installedVersion(m_fleet->deviceRoot(1)).value_or(0), 1u);
    }

    void refusesAPushOverTheQuota()
    {
        QVERIFY(m_fleet->configure(0, {{"swarm.quota", "100 KiB"}}).has_value());
        QVERIFY(startAll(*m_fleet));
        const Release release =
            make({.version = 1, .name = "too-large", .partBytes = 80'000}, deployOptions());
        const QStringList before = standingOf(*m_fleet, 0);
        const QByteArray wrong = unlike(push(*m_fleet, 0, release), 5, Errc::QuotaExceeded);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        QCOMPARE(standingOf(*m_fleet, 0), before);
        QCOMPARE(standingOf(*m_fleet, 1), before);
        const Release small = make({.version = 2, .name = "small"}, deployOptions());
        QCOMPARE(push(*m_fleet, 0, small).exitCode, 0);
        QVERIFY2(waitForPhase(*m_fleet, 1, 2, Phase::Healthy), describe(*m_fleet, 1).c_str());
    }

    /// One that is larger than the whole quota is given up; one that does not fit beside others waits.
    void keepsItsQuotaWhenItFetches()
    {
        QVERIFY(m_fleet->configure(1, {{"swarm.quota", "300 KiB"}}).has_value());
        QVERIFY(startAll(*m_fleet));
        const QStringList onlyKept{QStringLiteral("--deploy"), QStringLiteral("none")};
        const Release other =
            make({.version = 1, .name = "other", .partBytes = 100'000}, onlyKept, "fw/other");
        QCOMPARE(push(*m_fleet, 0, other).exitCode, 0);
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Healthy, "fw/other"), describe(*m_fleet, 1).c_str());
        QCOMPARE(push(*m_fleet, 0,
                      make({.version = 1, .name = "too-large", .partBytes = 200'000}, deployOptions()))
                     .exitCode,
                 0);
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Failed), describe(*m_fleet, 1).c_str());
        QVERIFY2(waitForCode(1, 1, Errc::QuotaExceeded), describe(*m_fleet, 1).c_str());
        QCOMPARE(
            push(*m_fleet, 0, make({.version = 2, .name = "waiting", .partBytes = 80'000}, deployOptions()))
                .exitCode,
            0);
        QVERIFY2(waitForCode(1, 2, Errc::QuotaExceeded), describe(*m_fleet, 1).c_str());
        const auto line = updateOf(*m_fleet, 1, 2);
        QVERIFY2(line && line->phase == Phase::Downloading && line->doneBytes == 0,
                 describe(*m_fleet, 1).c_str());
        // A smaller one takes its turn.
        QCOMPARE(push(*m_fleet, 0, make({.version = 3, .name = "fitting"}, deployOptions())).exitCode, 0);
        QVERIFY2(waitForPhase(*m_fleet, 1, 3, Phase::Healthy), describe(*m_fleet, 1).c_str());
        QCOMPARE(installedVersion(m_fleet->deviceRoot(1)).value_or(0), 3u);
    }

    void isNotStoppedByAReleaseForOtherDevices()
    {
        QVERIFY(m_fleet->configure(1, {{"swarm.quota", "300 KiB"}}).has_value());
        QVERIFY(startAll(*m_fleet));
        const QStringList onlyKept{QStringLiteral("--deploy"), QStringLiteral("none")};
        QCOMPARE(push(*m_fleet, 0,
                      make({.version = 1, .name = "other", .partBytes = 100'000}, onlyKept, "fw/other"))
                     .exitCode,
                 0);
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Healthy, "fw/other"), describe(*m_fleet, 1).c_str());
        QCOMPARE(
            push(*m_fleet, 0, make({.version = 1, .name = "waiting", .partBytes = 80'000}, deployOptions()))
                .exitCode,
            0);
        QVERIFY2(waitForCode(1, 1, Errc::QuotaExceeded), describe(*m_fleet, 1).c_str());
        const QStringList elsewhere =
            deployOptions({QStringLiteral("--require"), QStringLiteral("model=other")});
        QCOMPARE(push(*m_fleet, 0, make({.version = 2, .name = "elsewhere"}, elsewhere)).exitCode, 0);
        QVERIFY2(waitForCode(1, 2, Errc::Incompatible), describe(*m_fleet, 1).c_str());
        const auto line = updateOf(*m_fleet, 1, 1);
        QVERIFY2(line && line->phase == Phase::Downloading, describe(*m_fleet, 1).c_str());
        QVERIFY(m_fleet->stop(1).has_value());
        QVERIFY(m_fleet->configure(1, {{"swarm.quota", "1 MiB"}}).has_value());
        QVERIFY(start(*m_fleet, 1));
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Healthy), describe(*m_fleet, 1).c_str());
        QCOMPARE(installedVersion(m_fleet->deviceRoot(1)).value_or(0), 1u);
    }

    /// Older payloads make room for a newer one of the same URI.
    void forgetsOldPayloadsToMakeRoom()
    {
        QVERIFY(m_fleet->configure(1, {{"swarm.quota", "500 KiB"}}).has_value());
        QVERIFY(startAll(*m_fleet));
        for (std::uint64_t version = 1; version <= 4; ++version) {
            const Release release =
                make({.version = version, .name = "v" + std::to_string(version), .partBytes = 100'000},
                     deployOptions());
            QCOMPARE(push(*m_fleet, 0, release).exitCode, 0);
            QVERIFY2(waitForPhase(*m_fleet, 1, version, Phase::Healthy), describe(*m_fleet, 1).c_str());
        }
        QCOMPARE(installedVersion(m_fleet->deviceRoot(1)).value_or(0), 4u);
    }
};

} // namespace starling::scenario

using starling::scenario::TestBadPayload;
QTEST_GUILESS_MAIN(TestBadPayload)
#include "tst_bad_payload.moc"
