// SPDX-License-Identifier: Apache-2.0
/// Payload of real agents between pairs of places, and by which way it goes.
#include "payload_pair.h"

#include <QTemporaryDir>
#include <QTest>

using namespace starling;
using namespace starling::lab;

class TestPayloadPairs : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (!enterLab().empty())
            QSKIP(enterLab().c_str());
    }

    void bringsPayloadToEveryPlace_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<bool>("isInside");
        QTest::newRow("prc:same") << "direct" << true;
        // Not by way of the NAT, which would let it through.
        QTest::newRow("hairpin:same") << "direct" << true;
        QTest::newRow("narrow:narrow") << "punched" << false;
        QTest::newRow("fw6:fw6") << "punched" << true;
        QTest::newRow("cgnsym:cgn") << "relayed" << false;
    }
    void bringsPayloadToEveryPlace()
    {
        QFETCH(const QString, path);
        QFETCH(const bool, isInside);
        const QTemporaryDir directory;
        const auto pair = PayloadPair::create({.directory = directory.path().toStdString(),
                                               .programs = std::filesystem::path(STARLING_BINARY_DIR) / "bin",
                                               .mebibytes = 1,
                                               .isBetterExpected = path != QLatin1String("relayed")},
                                              *pairNamed(QTest::currentDataTag()));
        QVERIFY2(pair, pair ? "" : toString(pair.error()).c_str());
        const auto outcome = (*pair)->play();
        QVERIFY2(outcome, outcome ? "" : toString(outcome.error()).c_str());
        // Two HELLOs at the same moment open both firewalls, and no punching is needed.
        const QString way = QString::fromStdString(outcome->path);
        QVERIFY2(way == path || (path == QLatin1String("punched") && way == QLatin1String("direct")),
                 qUtf8Printable(way));
        QCOMPARE(outcome->isInside, isInside);
        // What it is compared with works wherever a port can be opened.
        const auto plain = (*pair)->playPlain();
        QCOMPARE(plain.has_value(),
                 way != QLatin1String("relayed") && !QByteArray(QTest::currentDataTag()).contains("same"));
        // By that path, as the agent itself counts.
        QVERIFY2(outcome->bytesByPath >= 1024 * 1024, std::to_string(outcome->bytesByPath).c_str());
    }
};

int main(int argc, char** argv)
{
    enterLab(); // before there are threads
    const QCoreApplication application(argc, argv);
    TestPayloadPairs test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_payload_pairs.moc"
