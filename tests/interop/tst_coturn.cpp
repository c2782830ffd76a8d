// SPDX-License-Identifier: Apache-2.0
/// Anybody's STUN: Debian's coturn serves our client on loopback, and its clients ask our server.
#include "command.h"
#include "processes.h"
#include "stun_driver.h"

#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QtTest>

using namespace starling;
using namespace starling::support;
using namespace std::chrono_literals;

namespace {

constexpr int kPatienceMs = 60'000;
const Endpoint kHere = Endpoint::ipv4(127, 0, 0, 1, 0);

QString q(const std::string& text)
{
    return QString::fromStdString(text);
}

/// Ended with the object.
struct Program
{
    QProcess process;

    ~Program()
    {
        process.closeWriteChannel();
        process.kill();
        process.waitForFinished();
    }
    bool start(const QString& program, const QStringList& arguments)
    {
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.start(program, arguments);
        return process.waitForStarted(kPatienceMs);
    }
    /// Whether it says `text` within the patience.
    bool says(const QByteArray& text, QByteArray& output)
    {
        for (QDeadlineTimer deadline(kPatienceMs); !output.contains(text);) {
            if (deadline.hasExpired() || process.state() == QProcess::NotRunning)
                return false;
            process.waitForReadyRead(1'000);
            output += process.readAll();
        }
        return true;
    }
};

} // namespace

class TestCoturn : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        for (const char* program : {"turnserver", "turnutils_stunclient", "turnutils_natdiscovery"})
            if (QStandardPaths::findExecutable(QLatin1String(program)).isEmpty())
                QSKIP("Debian's package coturn is not installed");
    }

    void itsServerTellsOurClientOfMappingAndFiltering()
    {
        Program server;
        const Endpoint primary = startTurnServer(server);
        if (QTest::currentTestFailed())
            return;
        const auto found = lab::discover(kHere, {primary});
        QVERIFY(found);
        QVERIFY(found->mapping == nat::Mapping::None);
        QVERIFY(found->filtering == nat::Filtering::EndpointIndependent);
        QVERIFY(nat::prospectOf(*found) == nat::Prospect::Open);
        QVERIFY(found->mapped->address == kHere.address);
        QVERIFY(found->keepsPort);
    }

    void itsServerAnswersToAnotherPort()
    {
        Program server;
        const Endpoint primary = startTurnServer(server);
        if (QTest::currentTestFailed())
            return;
        nat::LifetimeProbe::Config config;
        config.server = primary;
        config.longest = 200ms;
        const auto found = lab::measureLifetime(kHere, config);
        QVERIFY2(found, found ? "" : found.error().context.c_str());
        QCOMPARE(*found, (nat::BindingLifetime{200ms, {}}));
    }

    void itsClientUnderstandsOurServer()
    {
        Program server;
        const Endpoint primary =
            startOurServer(server, QStringLiteral("127.0.0.1:0"), QStringLiteral("127.0.0.2:0"));
        if (QTest::currentTestFailed())
            return;
        const auto said = runCommand(QStringLiteral("turnutils_stunclient"),
                                     {QStringLiteral("-f"), QStringLiteral("-p"),
                                      QString::number(primary.port), QStringLiteral("127.0.0.1")},
                                     20s);
        QCOMPARE(said.exitCode, 0);
        QVERIFY2(said.output.contains("RFC 5780 response 3"), said.output.constData());
        QVERIFY2(said.output.contains("UDP reflexive addr: 127.0.0.1:"), said.output.constData());
        QVERIFY(said.output.contains("Response origin: : " + QByteArray::fromStdString(toString(primary))));
        QVERIFY(said.output.contains("Response origin: : " + m_alternate));
    }

    void itsBehaviourDiscoveryUnderstandsOurServer()
    {
        Program server;
        const Endpoint primary =
            startOurServer(server, QStringLiteral("127.0.0.1:0"), QStringLiteral("127.0.0.2:0"));
        if (QTest::currentTestFailed())
            return;
        const QStringList to{QStringLiteral("-p"), QString::number(primary.port),
                             QStringLiteral("127.0.0.1")};
        for (const char* padding : {"", "-P"}) {
            QStringList arguments{QStringLiteral("-m"), QStringLiteral("-f")};
            if (*padding != 0)
                arguments << QLatin1String(padding);
            const auto said = runCommand(QStringLiteral("turnutils_natdiscovery"), arguments + to, 60s);
            QVERIFY2(said.output.contains("Endpoint Independent Mapping!"), said.output.constData());
            QVERIFY2(said.output.contains("Endpoint Independent Filtering!"), said.output.constData());
            QVERIFY2(said.output.contains("No ALG"), said.output.constData());
        }
        const auto said = runCommand(
            QStringLiteral("turnutils_natdiscovery"),
            QStringList{QStringLiteral("-t"), QStringLiteral("-T"), QStringLiteral("1")} + to, 60s);
        QVERIFY2(said.output.contains("RFC 5780 response 2"), said.output.constData()); // by RESPONSE-PORT
    }

    void itsClientUnderstandsOurServerOverIpv6()
    {
        const Endpoint loopback{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0};
        if (!lab::UdpSocket::bind(loopback))
            QSKIP("there is no IPv6 here");
        Program server;
        const Endpoint primary = startOurServer(server, QStringLiteral("[::1]:0"), {});
        if (QTest::currentTestFailed())
            return;
        const auto said =
            runCommand(QStringLiteral("turnutils_stunclient"),
                       {QStringLiteral("-p"), QString::number(primary.port), QStringLiteral("::1")}, 60s);
        QVERIFY2(said.output.contains("UDP reflexive addr: ::1:"), said.output.constData());
    }

private:
    Endpoint startTurnServer(Program& server)
    {
        Endpoint primary = kHere;
        const auto ports = freePorts(2);
        primary.port = ports[0];
        const QString alternate = QString::number(ports[1]);
        const auto option = [](const char* name) { return QStringLiteral("--") + QLatin1String(name); };
        const QStringList arguments{QStringLiteral("-n"),
                                    option("listening-ip=127.0.0.1"),
                                    option("listening-ip=127.0.0.2"),
                                    option("listening-port=") + QString::number(primary.port),
                                    option("alt-listening-port=") + alternate,
                                    option("stun-only"),
                                    option("no-auth"),
                                    option("no-tls"),
                                    option("no-dtls"),
                                    option("no-tcp"),
                                    option("no-cli"),
                                    option("relay-threads=1"),
                                    option("simple-log"),
                                    option("log-file=stdout"),
                                    option("pidfile=") + m_directory.filePath(QStringLiteral("pid")),
                                    option("userdb=") + m_directory.filePath(QStringLiteral("users"))};
        check(server.start(QStringLiteral("turnserver"), arguments), "turnserver does not start");
        // It says that it is ready before it is: its answer is the proof.
        const auto found = lab::discover(kHere, {primary});
        check(found && found->mapped, "turnserver does not answer");
        return primary;
    }

    Endpoint startOurServer(Program& server, const QString& first, const QString& second)
    {
        QStringList arguments{QStringLiteral("serve"), first};
        if (!second.isEmpty())
            arguments << second;
        QByteArray output;
        check(server.start(q(STARLING_BINARY_DIR "/tests/starling-lab-stun"), arguments), "no server");
        check(server.says("ready", output), output.constData());
        const auto lines = output.split('\n');
        m_alternate = lines.size() > 1 ? lines[1].mid(int(qstrlen("alternate "))) : QByteArray();
        const auto primary = lab::endpointOf(lines[0].mid(int(qstrlen("primary "))).toStdString());
        check(bool(primary), output.constData());
        return primary.value_or(Endpoint());
    }

    static void check(bool isTrue, const char* what) { QVERIFY2(isTrue, what); }

    QTemporaryDir m_directory;
    QByteArray m_alternate;
};

QTEST_GUILESS_MAIN(TestCoturn)
#include "tst_coturn.moc"
