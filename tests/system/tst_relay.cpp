// SPDX-License-Identifier: Apache-2.0
/// What agents do for each other and for their machine: relays, restarts in the middle of a download,
/// signals, Puppet.
#include "base/random.h"
#include "scenario.h"

#include <QElapsedTimer>
#include <QNetworkDatagram>
#include <QStandardPaths>
#include <QUdpSocket>
#include <QtTest>

#include <csignal>

namespace starling::scenario {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using trust::Phase;

namespace {

constexpr std::size_t kLargePart = 5'000'000; ///< there are two of them
constexpr std::uint64_t kSomeBytes = 2'000'000;
/// An agent gives itself 2 s to say goodbye (core/node/node.cpp), and 3 s at most to what it kills; the rest
/// is for busy machines. What does not end by itself here would last for longer: a script 1,000 s, the
/// payload minutes.
constexpr qint64 kQuickMs = 8'000;

/// Carries the datagrams of one agent to another and back, and loses some of them.
class LossyPath
{
public:
    explicit LossyPath(const Endpoint& to)
        : m_to(to)
    {
        m_near.bind(QHostAddress::LocalHost, 0);
        m_far.bind(QHostAddress::LocalHost, 0);
        QObject::connect(&m_near, &QUdpSocket::readyRead, &m_near, [this] {
            carry(m_near, m_far, [this](const QNetworkDatagram& from) {
                m_from = static_cast<quint16>(from.senderPort());
                return m_to.port;
            });
        });
        QObject::connect(&m_far, &QUdpSocket::readyRead, &m_far, [this] {
            carry(m_far, m_near, [this](const QNetworkDatagram&) { return m_from; });
        });
    }
    Endpoint endpoint() const { return Endpoint::ipv4(127, 0, 0, 1, m_near.localPort()); }

private:
    template <class Port> void carry(QUdpSocket& in, QUdpSocket& out, Port port)
    {
        while (in.hasPendingDatagrams()) {
            const QNetworkDatagram datagram = in.receiveDatagram();
            const quint16 to = port(datagram);
            if (m_random.below(20) >= kLostOfTwenty)
                out.writeDatagram(datagram.data(), QHostAddress::LocalHost, to);
        }
    }
    static constexpr std::uint64_t kLostOfTwenty = 4;
    QUdpSocket m_near, m_far;
    Endpoint m_to;
    quint16 m_from = 0;
    SeededRandom m_random{1};
};

} // namespace

class TestRelay : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_directory;
    std::unique_ptr<support::Fleet> m_fleet; ///< three in a line
    fs::path m_work;

    std::uint64_t doneBytes(std::size_t i) const
    {
        const auto line = updateOf(*m_fleet, i, 1);
        return line ? line->doneBytes : 0;
    }

    bool waitForBytes(std::size_t i, std::uint64_t bytes) const
    {
        return support::waitUntil([&] { return doneBytes(i) >= bytes; }, 120s);
    }

    void expectQuickEnd(std::size_t i)
    {
        QElapsedTimer elapsed;
        elapsed.start();
        ::kill(static_cast<pid_t>(m_fleet->pid(i)), SIGTERM);
        const auto end = m_fleet->waitForEnd(i, 60s);
        const qint64 took = elapsed.elapsed();
        QVERIFY2(end.has_value(), "it runs on");
        QCOMPARE(*end, 0);
        QVERIFY2(took <= kQuickMs, QByteArray::number(took) + " ms");
    }

    /// The second agent is in the middle of a download of 10 MB from the first.
    void beginSlowDownload(const std::string& rate = "1 MiB/s", std::uint64_t untilBytes = kSomeBytes)
    {
        const Release release = makeRelease(
            *m_fleet, m_work, {.version = 1, .name = "large", .partBytes = kLargePart}, deployOptions());
        QVERIFY(m_fleet->configure(1, {{"swarm.download_limit", rate}}).has_value());
        QVERIFY(start(*m_fleet, 0));
        QVERIFY(start(*m_fleet, 1));
        QCOMPARE(push(*m_fleet, 0, release).exitCode, 0);
        QVERIFY2(waitForBytes(1, untilBytes), describe(*m_fleet, 1).c_str());
        const auto line = updateOf(*m_fleet, 1, 1);
        QVERIFY2(line && line->phase == Phase::Downloading, describe(*m_fleet, 1).c_str());
    }

    /// A payload that is a manifest: it writes `motd` below the device root, and `more` of Puppet's language.
    Release makeManifest(std::uint64_t version, const std::string& more) const
    {
        const fs::path payload = m_work / ("site-" + std::to_string(version));
        fs::create_directories(payload);
        writeText(payload / "site.pp",
                  "file { \"${facts['starling_root']}/motd\":\n  content => \"version "
                      + std::to_string(version) + "\\n\",\n}\n" + more);
        writeText(payload / "check.sh", "grep -q \"version $STARLING_VERSION\" \"$STARLING_ROOT/motd\"\n");
        auto torrent = m_fleet->makeRelease(payload, kUri, version,
                                            {QStringLiteral("--deploy"), QStringLiteral("puppet"),
                                             QStringLiteral("--run"), QStringLiteral("site.pp"),
                                             QStringLiteral("--check"), QStringLiteral("check.sh"),
                                             QStringLiteral("--deploy-timeout"), QStringLiteral("120")});
        if (!torrent)
            qFatal("%s", toString(torrent.error()).c_str());
        return {*torrent, payload, version, kUri};
    }

    /// Puppet takes its time.
    bool waitLong(std::size_t i, std::uint64_t version, Phase phase) const
    {
        return support::waitUntil(
            [&] {
                const auto line = updateOf(*m_fleet, i, version);
                return line && line->phase == phase;
            },
            180s);
    }

private Q_SLOTS:
    void init()
    {
        m_directory = std::make_unique<QTemporaryDir>();
        QVERIFY(m_directory->isValid());
        m_work = m_directory->path().toStdString();
        m_fleet = makeFleet(*m_directory, {.agents = 3});
    }

    void cleanup()
    {
        m_fleet.reset();
        m_directory.reset();
    }

    void seedsAndNeverDeploys()
    {
        QVERIFY(m_fleet->configure(1, {{"agent.deploy", "none"}}).has_value());
        // For another model than the relay's: it serves devices unlike itself.
        QVERIFY(m_fleet->configure(0, {{"agent.labels", "model=a"}}).has_value());
        QVERIFY(m_fleet->configure(2, {{"agent.labels", "model=a"}}).has_value());
        QVERIFY(start(*m_fleet, 0));
        QVERIFY(start(*m_fleet, 1));
        const Release release =
            makeRelease(*m_fleet, m_work, {.version = 1, .name = "app", .partBytes = 100'000},
                        deployOptions({QStringLiteral("--require"), QStringLiteral("model=a")}));
        QCOMPARE(push(*m_fleet, 0, release).exitCode, 0);
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Staged), describe(*m_fleet, 1).c_str());
        // The third one can have it from the relay alone.
        QVERIFY(m_fleet->stop(0).has_value());
        QVERIFY(start(*m_fleet, 2));
        QVERIFY2(waitForPhase(*m_fleet, 2, 1, Phase::Healthy),
                 (describe(*m_fleet, 2) + tailOf(m_fleet->log(2)) + tailOf(m_fleet->log(1))).c_str());
        QCOMPARE(installedVersion(m_fleet->deviceRoot(2)).value_or(0), 1u);
        const auto relay = m_fleet->ask<control::StatusReply>(1, control::StatusRequest{});
        QVERIFY(relay.has_value());
        QCOMPARE(relay->mode, std::string("relay"));
        QCOMPARE(relay->updates.size(), std::size_t{1});
        QVERIFY(relay->updates.front().phase == Phase::Staged);
        QVERIFY2(fs::is_empty(m_fleet->deviceRoot(1)), "the relay deployed something");
        // It still does after a restart.
        QVERIFY(m_fleet->stop(1).has_value());
        QVERIFY(start(*m_fleet, 1));
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Staged), describe(*m_fleet, 1).c_str());
        QVERIFY2(fs::is_empty(m_fleet->deviceRoot(1)), "the relay deployed something");
    }

    /// Notice and payload outlive whoever brought them: no console, no origin, nothing that must run.
    void reachesADeviceThatWasOffWhenTheOriginIsGoneForGood()
    {
        QVERIFY(start(*m_fleet, 0));
        QVERIFY(start(*m_fleet, 1));
        const Release release = makeRelease(
            *m_fleet, m_work, {.version = 1, .name = "app", .partBytes = 100'000}, deployOptions());
        QCOMPARE(push(*m_fleet, 0, release).exitCode, 0);
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Healthy), describe(*m_fleet, 1).c_str());
        m_fleet->kill(0);
        fs::remove_all(m_fleet->home(0));
        fs::remove_all(release.payload);
        fs::remove(release.torrent);
        m_fleet->kill(1);
        QVERIFY(start(*m_fleet, 1)); // what it gives on, it has from its disk
        QVERIFY(start(*m_fleet, 2));
        QVERIFY2(waitForPhase(*m_fleet, 2, 1, Phase::Healthy),
                 (describe(*m_fleet, 2) + tailOf(m_fleet->log(2)) + tailOf(m_fleet->log(1))).c_str());
        QCOMPARE(installedVersion(m_fleet->deviceRoot(2)).value_or(0), 1u);
    }

    void goesOnWithADownloadAfterARestart_data()
    {
        QTest::addColumn<bool>("isKilled");
        QTest::newRow("stopped") << false;
        QTest::newRow("killed") << true;
    }

    void goesOnWithADownloadAfterARestart()
    {
        QFETCH(const bool, isKilled);
        // What has come is noted every ten seconds; a stop notes it, too, and a kill does not: from what is
        // expected then up to the kill, more than ten seconds pass.
        constexpr std::uint64_t kNoted = 500'000;
        if (isKilled)
            beginSlowDownload("512 KiB/s", 7'000'000);
        else
            beginSlowDownload();
        if (QTest::currentTestFailed())
            return;
        if (isKilled) {
            m_fleet->kill(1);
        } else {
            expectQuickEnd(1);
        }
        // Nobody is there to give it anything: what it has, it had.
        QVERIFY(m_fleet->stop(0).has_value());
        QVERIFY(start(*m_fleet, 1));
        const std::uint64_t expected = isKilled ? kNoted : kSomeBytes;
        QVERIFY2(support::waitUntil([&] { return doneBytes(1) >= expected; }, 60s),
                 describe(*m_fleet, 1).c_str());
        QVERIFY(m_fleet->configure(1, {{"swarm.download_limit", "0"}}).has_value());
        m_fleet->reload(1);
        QVERIFY(start(*m_fleet, 0));
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Healthy), describe(*m_fleet, 1).c_str());
        QCOMPARE(installedVersion(m_fleet->deviceRoot(1)).value_or(0), 1u);
    }

    void endsQuicklyOnSigterm()
    {
        QVERIFY(startAll(*m_fleet));
        expectQuickEnd(2); // with nothing to do
        if (QTest::currentTestFailed())
            return;
        m_fleet->kill(0);
        m_fleet->kill(1);
        beginSlowDownload();
        if (QTest::currentTestFailed())
            return;
        expectQuickEnd(1); // downloading
        expectQuickEnd(0); // seeding
    }

    void endsQuicklyWhileAScriptRuns()
    {
        QVERIFY(start(*m_fleet, 0));
        const Release release = makeRelease(
            *m_fleet, m_work, {.version = 1, .name = "slow", .installEnds = "sleep 1000"}, deployOptions());
        QCOMPARE(push(*m_fleet, 0, release).exitCode, 0);
        QVERIFY2(waitForPhase(*m_fleet, 0, 1, Phase::Deploying), describe(*m_fleet, 0).c_str());
        expectQuickEnd(0);
    }

    void takesLimitsOverOnSighup()
    {
        QVERIFY(m_fleet->configure(1, {{"swarm.download_limit", "64 KiB/s"}}).has_value());
        QVERIFY(start(*m_fleet, 0));
        QVERIFY(start(*m_fleet, 1));
        const Release release = makeRelease(
            *m_fleet, m_work, {.version = 1, .name = "large", .partBytes = kLargePart}, deployOptions());
        QCOMPARE(push(*m_fleet, 0, release).exitCode, 0);
        QVERIFY2(waitForBytes(1, 64 * 1024), describe(*m_fleet, 1).c_str());
        // At that rate it takes two and a half minutes.
        QVERIFY(m_fleet->configure(1, {{"swarm.download_limit", "0"}}).has_value());
        m_fleet->reload(1);
        QVERIFY2(waitForPhase(*m_fleet, 1, 1, Phase::Healthy), describe(*m_fleet, 1).c_str());
    }

    /// A link must repeat what gets lost, from its first message on.
    void spreadsOverALossyPath()
    {
        LossyPath path(m_fleet->endpoint(0));
        QVERIFY(m_fleet->configure(1, {{"agent.neighbours", toString(path.endpoint())}}).has_value());
        QVERIFY(start(*m_fleet, 0));
        for (std::uint64_t version = 1; version <= 6; ++version) {
            const Release release =
                makeRelease(*m_fleet, m_work, {.version = version, .name = "v" + std::to_string(version)},
                            deployOptions());
            QCOMPARE(push(*m_fleet, 0, release).exitCode, 0);
            QVERIFY(start(*m_fleet, 1));
            QVERIFY2(waitForPhase(*m_fleet, 1, version, Phase::Healthy),
                     (describe(*m_fleet, 1) + tailOf(m_fleet->log(1))).c_str());
            QVERIFY(m_fleet->stop(1).has_value());
        }
    }

    void deploysByPuppet()
    {
        if (QStandardPaths::findExecutable(QStringLiteral("puppet")).isEmpty())
            QSKIP("Puppet is not installed");
        QVERIFY(start(*m_fleet, 0));
        QVERIFY(start(*m_fleet, 1));
        QCOMPARE(push(*m_fleet, 0, makeManifest(1, "")).exitCode, 0);
        for (const std::size_t i : {0u, 1u}) {
            QVERIFY2(waitLong(i, 1, Phase::Healthy),
                     (describe(*m_fleet, i) + tailOf(m_fleet->log(i))).c_str());
            QCOMPARE(readText(m_fleet->deviceRoot(i) / "motd"), std::string("version 1\n"));
        }
        // Applied in part, then undone by the manifest before it.
        QCOMPARE(push(*m_fleet, 0, makeManifest(2, "exec { '/bin/false': }\n")).exitCode, 0);
        for (const std::size_t i : {0u, 1u}) {
            QVERIFY2(waitLong(i, 2, Phase::RolledBack),
                     (describe(*m_fleet, i) + tailOf(m_fleet->log(i))).c_str());
            const auto line = updateOf(*m_fleet, i, 2);
            QVERIFY2(line && line->code == static_cast<std::uint16_t>(Errc::DeployFailed),
                     describe(*m_fleet, i).c_str());
            QCOMPARE(readText(m_fleet->deviceRoot(i) / "motd"), std::string("version 1\n"));
        }
    }

    void failsAManifestThatIsNone()
    {
        if (QStandardPaths::findExecutable(QStringLiteral("puppet")).isEmpty())
            QSKIP("Puppet is not installed");
        QVERIFY(start(*m_fleet, 0));
        QCOMPARE(push(*m_fleet, 0, makeManifest(1, "this is { no manifest\n")).exitCode, 0);
        QVERIFY2(waitLong(0, 1, Phase::Failed), (describe(*m_fleet, 0) + tailOf(m_fleet->log(0))).c_str());
        const auto line = updateOf(*m_fleet, 0, 1);
        QVERIFY2(line && line->code == static_cast<std::uint16_t>(Errc::DeployFailed),
                 describe(*m_fleet, 0).c_str());
        QVERIFY(!fs::exists(m_fleet->deviceRoot(0) / "motd"));
    }
};

} // namespace starling::scenario

using starling::scenario::TestRelay;
QTEST_GUILESS_MAIN(TestRelay)
#include "tst_relay.moc"
