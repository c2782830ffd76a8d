// SPDX-License-Identifier: Apache-2.0
/// Figure 2: real agents, a real NAT, and a real firewall with one opened UDP port.
#include "figure2.h"

#include <QTemporaryDir>
#include <QTest>

using namespace starling;
using namespace starling::lab;

class TestFigure2 : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_directory;
    std::unique_ptr<Figure2> m_figure;

    static void expect(const Status& status)
    {
        QVERIFY2(status, status ? "" : toString(status.error()).c_str());
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (!enterLab().empty())
            QSKIP(enterLab().c_str());
        m_directory = std::make_unique<QTemporaryDir>();
        QVERIFY(m_directory->isValid());
        auto figure = Figure2::create({.directory = m_directory->path().toStdString(),
                                       .programs = std::filesystem::path(STARLING_BINARY_DIR) / "bin",
                                       .say = [](const std::string& line) { qInfo("%s", line.c_str()); }});
        QVERIFY2(figure, figure ? "" : toString(figure.error()).c_str());
        m_figure = std::move(*figure);
        expect(m_figure->join());
    }

    void cleanupTestCase()
    {
        m_figure.reset();
        m_directory.reset();
    }

    void reachesAllFourFromThePublicNode() { expect(m_figure->spread(1)); }

    void refusesWhatDoesNotMatchAtTheFirstNode() { expect(m_figure->refuseWhatDoesNotMatch(1)); }

    /// And nobody has heard of what was refused before.
    void reachesAllFourFromTheNodeThatHasNoWayOut() { expect(m_figure->spread(4)); }

    void reachesAllFourFromTheNodeBehindTheNat() { expect(m_figure->spread(2)); }

    void reachesAllFourFromTheNodeWithTheOpenedPort() { expect(m_figure->spread(3)); }

    void crossesTheFirewallByTheOpenedPortAlone() { expect(m_figure->judge()); }

    void keepsOutWhatIsNotForTheOpenedPort()
    {
        const auto before = m_figure->networks().crossings();
        QVERIFY(before);
        expect(m_figure->networks().knock());
        const auto knocked = [&] {
            const auto now = m_figure->networks().crossings();
            return now && now->keptOut >= before->keptOut + 2 && now->keptIn >= before->keptIn + 1;
        };
        QTRY_VERIFY(knocked());
        expect(m_figure->judge());
    }

    /// Last: it opens the firewall.
    void noticesAFirewallThatLeaks()
    {
        expect(m_figure->networks().leak(4));
        expect(m_figure->networks().knock());
        const auto isNoticed = [&] {
            const auto now = m_figure->networks().crossings();
            return now && now->nodeFour > 0 && !now->fault().empty();
        };
        QTRY_VERIFY(isNoticed());
        QVERIFY(!m_figure->judge());
    }

    void seesWhatShouldNotBe()
    {
        const Crossings good{.openedPort = 5, .cameIn = 5, .links = 4, .wentOut = 4};
        QCOMPARE(good.fault(), std::string());
        Crossings bad = good;
        bad.cameIn = 6;
        QVERIFY(!bad.fault().empty());
        bad = good;
        bad.wentOut = 5;
        QVERIFY(!bad.fault().empty());
        bad = good;
        bad.nodeFour = 1;
        QVERIFY(!bad.fault().empty());
        QVERIFY(!Crossings().fault().empty());
    }
};

int main(int argc, char** argv)
{
    enterLab(); // before there are threads
    const QCoreApplication application(argc, argv);
    TestFigure2 test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_figure2.moc"
