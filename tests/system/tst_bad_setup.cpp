// SPDX-License-Identifier: Apache-2.0
/// Agents that must not start, and keys that must not open: each says why, with a code, and leaves everything
/// as it is.
#include "scenario.h"

#include <QtTest>

#include <sqlite3.h>
#include <sstream>

namespace starling::scenario {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using trust::Phase;

class TestBadSetup : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_directory;
    std::unique_ptr<support::Fleet> m_fleet; ///< the first agent runs and has a release; the others are tried
    fs::path m_work;
    std::size_t m_next = 1; ///< an agent for each case, so that none spoils another

    /// The agent, which is expected to end by itself.
    support::CommandResult run(std::size_t i) const
    {
        return support::runCommand(m_fleet->program("starling-agent"),
                                   {QStringLiteral("--config"), q(m_fleet->configuration(i))}, 20s);
    }

    void expectNoStart(std::size_t i, int exitCode, Errc code) const
    {
        const QByteArray wrong = unlike(run(i), exitCode, code);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        QVERIFY(!fs::exists(m_fleet->socket(i)));
    }

    void expectStart(std::size_t i)
    {
        const auto started = m_fleet->start(i);
        QVERIFY2(started.has_value(), started ? "" : toString(started.error()).c_str());
        QVERIFY(m_fleet->stop(i).has_value());
    }

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_directory.isValid());
        m_fleet = makeFleet(m_directory, {.agents = 10});
        m_work = m_directory.path().toStdString();
        QVERIFY(start(*m_fleet, 0));
        const Release release =
            makeRelease(*m_fleet, m_work, {.version = 1, .name = "first"}, deployOptions());
        QCOMPARE(push(*m_fleet, 0, release).exitCode, 0);
        QVERIFY2(waitForPhase(*m_fleet, 0, 1, Phase::Healthy), describe(*m_fleet, 0).c_str());
    }

    void sharesAStateDirectoryWithNobody()
    {
        const std::size_t i = m_next++;
        QVERIFY(m_fleet->configure(i, {{"agent.state", m_fleet->state(0).string()}}).has_value());
        const auto result = run(i);
        const QByteArray wrong = unlike(result, 1, Errc::StateLocked);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        QVERIFY2(result.errors.contains(QByteArray::number(m_fleet->pid(0))), result.errors.constData());
        // The one that was there first did not notice.
        const auto line = updateOf(*m_fleet, 0, 1);
        QVERIFY(line && line->phase == Phase::Healthy);
        QVERIFY(m_fleet->configure(i, {{"agent.state", m_fleet->state(i).string()}}).has_value());
        expectStart(i);
    }

    void leavesTheStateOfANewerVersionAlone()
    {
        const std::size_t i = m_next++;
        expectStart(i);
        const fs::path file = m_fleet->state(i) / "state.db";
        const auto execute = [&](const char* sql) {
            sqlite3* database = nullptr;
            const bool done = sqlite3_open(file.c_str(), &database) == SQLITE_OK
                && sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
            sqlite3_close(database);
            return done;
        };
        QVERIFY(execute("PRAGMA user_version = 4711"));
        const std::string before = readText(file);
        expectNoStart(i, 1, Errc::StateNewer);
        QVERIFY2(readText(file) == before, "the database was written");
    }

    void refusesTheStateOfAnotherFleet()
    {
        QTemporaryDir elsewhere;
        const auto other = makeFleet(elsewhere, {.agents = 1});
        QVERIFY(start(*other, 0));
        QVERIFY(other->stop(0).has_value());
        const std::size_t i = m_next++;
        QVERIFY(m_fleet->configure(i, {{"agent.state", other->state(0).string()}}).has_value());
        expectNoStart(i, 1, Errc::WrongFleet);
    }

    void namesATypoInTheConfiguration()
    {
        const std::size_t i = m_next++;
        QVERIFY(m_fleet->configure(i, {{"agent.lables", "model=a"}}).has_value());
        std::istringstream lines(readText(m_fleet->configuration(i)));
        int number = 0;
        for (std::string line; std::getline(lines, line) && line.find("lables") == std::string::npos;)
            ++number;
        const std::string where = m_fleet->configuration(i).string() + ":" + std::to_string(number + 1);
        const auto result = run(i);
        const QByteArray wrong = unlike(result, 2, Errc::ConfigInvalid);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        QVERIFY2(result.errors.contains(QByteArray::fromStdString(where)) && result.errors.contains("lables"),
                 result.errors.constData());
        QVERIFY(!fs::exists(m_fleet->state(i)));
    }

    void keepsItsConfigurationWhenTheNextOneHasATypo()
    {
        const std::string good = readText(m_fleet->configuration(0));
        writeText(m_fleet->configuration(0), good + "\n[nonsense]\nx = 1\n");
        m_fleet->reload(0);
        QVERIFY2(support::waitUntil(
                     [&] { return tailOf(m_fleet->log(0)).find("nonsense") != std::string::npos; }, 20s),
                 tailOf(m_fleet->log(0)).c_str());
        QVERIFY(m_fleet->isRunning(0));
        writeText(m_fleet->configuration(0), good);
    }

    void saysThatAPortIsTaken()
    {
        const std::size_t i = m_next++;
        QVERIFY(m_fleet->configure(i, {{"agent.listen", toString(m_fleet->endpoint(0))}}).has_value());
        expectNoStart(i, 1, Errc::PortInUse);
        QVERIFY(m_fleet->configure(i, {{"agent.listen", toString(m_fleet->endpoint(i))}}).has_value());
        expectStart(i);
    }

    void opensNoKeyThatOthersMayRead_data()
    {
        QTest::addColumn<QString>("trouble");
        QTest::newRow("0644") << QStringLiteral("mode");
        QTest::newRow("missing") << QStringLiteral("missing");
        QTest::newRow("garbage") << QStringLiteral("garbage");
    }

    void opensNoKeyThatOthersMayRead()
    {
        QFETCH(const QString, trouble);
        const std::size_t i = m_next++;
        const fs::path key = m_fleet->home(i) / "device.key";
        if (trouble == QStringLiteral("mode"))
            fs::permissions(key, fs::perms(0644));
        else if (trouble == QStringLiteral("missing"))
            fs::remove(key);
        else
            writeText(key, "no key at all");
        expectNoStart(i, 1, Errc::KeyUnreadable);
    }

    void needsItsOwnCertificate()
    {
        const std::size_t i = m_next++;
        QVERIFY(m_fleet->configure(i, {{"trust.certificate", (m_fleet->home(0) / "device.admit").string()}})
                    .has_value());
        expectNoStart(i, 1, Errc::NotAdmitted);
        QVERIFY(m_fleet->configure(i, {{"trust.certificate", (m_fleet->home(i) / "device.admit").string()}})
                    .has_value());
        expectStart(i);
    }

    void signsNothingWithAWrongPassphrase()
    {
        const Release release =
            makeRelease(*m_fleet, m_work, {.version = 2, .name = "second"}, deployOptions());
        const std::string before = readText(release.torrent);
        const fs::path wrongOne = m_work / "wrong-passphrase";
        writeText(wrongOne, "not that one\n");
        fs::permissions(wrongOne, fs::perms(0600));
        const auto result =
            m_fleet->starling({QStringLiteral("release"), QStringLiteral("sign"), q(release.torrent),
                               QStringLiteral("--key"), q(m_fleet->key("release")), QStringLiteral("--root"),
                               q(m_fleet->root()), QStringLiteral("--passphrase-file"), q(wrongOne)});
        const QByteArray wrong = unlike(result, 1, Errc::WrongPassphrase);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        QCOMPARE(readText(release.torrent), before);
    }
};

} // namespace starling::scenario

using starling::scenario::TestBadSetup;
QTEST_GUILESS_MAIN(TestBadSetup)
#include "tst_bad_setup.moc"
