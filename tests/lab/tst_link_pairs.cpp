// SPDX-License-Identifier: Apache-2.0
/// Everybody reaches everybody: the table of README.md, over real sockets through real NATs and firewalls.
#include "link_pairs.h"

#include <QTest>

using namespace starling;
using namespace starling::lab;

namespace {

/// Why nothing can be tried here; found out in main(), before there are threads.
std::string obstacle;

} // namespace

class TestLinkPairs : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<LinkPairs> m_pairs;

private Q_SLOTS:
    void initTestCase()
    {
        if (obstacle.empty())
            if (const auto missing = missingPrograms(); !missing.empty())
                obstacle = "not installed: " + missing;
        if (!obstacle.empty())
            QSKIP(obstacle.c_str());
        auto pairs = LinkPairs::create();
        QVERIFY2(pairs, pairs ? "" : toString(pairs.error()).c_str());
        m_pairs = std::move(*pairs);
    }

    void linksEveryPair_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<int>("limitMs");
        // Who is open is reached at once, and calls others by way of the one in the middle.
        for (const char* pair :
             {"open:open", "prc:open", "sym:open", "fw:open", "open:opennat", "prc:same", "sym:same"})
            QTest::newRow(pair) << "direct" << 1'000;
        for (const char* pair : {"open:prc", "open:sym", "open:fw", "prc:prc", "fw:prc", "prc:fw", "fw:fw"})
            QTest::newRow(pair) << "punched" << 2'000;
        for (const char* pair : {"prc:sym", "sym:prc", "fw:sym", "sym:sym"})
            QTest::newRow(pair) << "relayed" << 2'000;
    }

    void linksEveryPair()
    {
        QFETCH(const QString, kind);
        QFETCH(const int, limitMs);
        const auto pair = pairNamed(QTest::currentDataTag());
        QVERIFY(pair);
        const auto outcome = m_pairs->play(*pair);
        QVERIFY2(outcome, outcome ? "" : toString(outcome.error()).c_str());
        QCOMPARE(QString::fromStdString(outcome->kind), kind);
        QVERIFY2(outcome->settledMs <= limitMs, std::to_string(outcome->settledMs).c_str());
        QVERIFY(outcome->carriesMessages);
        // Two messages of 20,000 bytes went by way of the one in the middle, or did not.
        QCOMPARE(outcome->relayedBytes > 40'000, kind == QStringLiteral("relayed"));
    }
};

int main(int argc, char** argv)
{
    if (const auto entered = enterOwnNetwork(); !entered)
        obstacle = entered.error().context;
    const QCoreApplication application(argc, argv);
    TestLinkPairs test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_link_pairs.moc"
