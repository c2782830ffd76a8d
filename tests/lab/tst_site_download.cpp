// SPDX-License-Identifier: Apache-2.0
/// The payload crosses a site's uplink once, however many devices are behind it.
#include "site_download.h"

#include <QTemporaryDir>
#include <QTest>

using namespace starling;
using namespace starling::lab;

class TestSiteDownload : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (!enterLab().empty())
            QSKIP(enterLab().c_str());
    }

    void crossesTheUplinkOnce()
    {
        const QTemporaryDir directory;
        const auto site =
            SiteDownload::create({.directory = directory.path().toStdString(),
                                  .programs = std::filesystem::path(STARLING_BINARY_DIR) / "bin",
                                  .mebibytes = 12});
        QVERIFY2(site, site ? "" : toString(site.error()).c_str());
        const auto outcome = (*site)->play();
        QVERIFY2(outcome, outcome ? "" : toString(outcome.error()).c_str());
        qInfo("%.2f times the payload came in within %.1f s", outcome->times, outcome->seconds);
        // Headers are a tenth of it, and the devices begin before they know of each other.
        QVERIFY2(outcome->times <= 1.3, std::to_string(outcome->times).c_str());
        QVERIFY2(outcome->times >= 1, "less than the payload: the uplink was not where it was counted");
    }
};

int main(int argc, char** argv)
{
    enterLab(); // before there are threads
    const QCoreApplication application(argc, argv);
    TestSiteDownload test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_site_download.moc"
