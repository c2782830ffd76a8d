// SPDX-License-Identifier: Apache-2.0
#include "device_model.h"
#include "gui_fixture.h"
#include "rows_table.h"

#include <QAbstractItemModelTester>
#include <QClipboard>
#include <QGuiApplication>
#include <QScrollBar>
#include <QSignalSpy>

using namespace starling;
using namespace starling::samples;
using window::DeviceModel;

class TestDeviceModel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void obeysTheRulesWhileRowsComeChangeAndGo();
    void tellsOnlyOfWhatChanged();
    void filtersAndSorts();
    void showsForeignTextLiterally();
    void endsWhileItWorks();
    void keepsRowsOfAnAgentsAnswerWhileOthersComeAndGo();
};

namespace {

fleetview::PicturePtr picture(std::vector<fleetview::Report> reports, std::chrono::seconds later = {})
{
    static fleetview::Fleet fleet(kBegin);
    fleet.take(std::move(reports), {}, kBegin + later);
    return fleet.picture(kBegin + later);
}

bool settle(DeviceModel& model, fleetview::PicturePtr next)
{
    QSignalSpy settled(&model, &DeviceModel::settled);
    model.setPicture(std::move(next));
    return settled.wait(30'000);
}

} // namespace

void TestDeviceModel::obeysTheRulesWhileRowsComeChangeAndGo()
{
    DeviceModel model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    for (const std::uint32_t count : {0u, 5u, 200u, 150u, 151u, 0u, 3u}) {
        QVERIFY(settle(model, picture(reportsOf(count, 3))));
        QCOMPARE(model.rowCount(), static_cast<int>(count));
    }
}

void TestDeviceModel::tellsOnlyOfWhatChanged()
{
    DeviceModel model;
    model.sort(DeviceModel::Name, Qt::AscendingOrder);
    auto reports = reportsOf(100, 3);
    QVERIFY(settle(model, picture(reports)));
    QSignalSpy changed(&model, &DeviceModel::dataChanged), reset(&model, &DeviceModel::modelReset),
        inserted(&model, &DeviceModel::rowsInserted);
    reports[42].receipt.entries[0].phase = trust::Phase::Verifying;
    QVERIFY(settle(model, picture(reports, std::chrono::seconds(1))));
    QCOMPARE(changed.count(), 1);
    const auto from = changed[0][0].toModelIndex(), to = changed[0][1].toModelIndex();
    QCOMPARE(from.row(), to.row());
    QCOMPARE(model.deviceAt(from.row())->name, std::string("gw-42"));
    QCOMPARE(reset.count() + inserted.count(), 0);
}

void TestDeviceModel::filtersAndSorts()
{
    DeviceModel model;
    QVERIFY(settle(model, picture(reportsOf(100, 4))));
    QSignalSpy settled(&model, &DeviceModel::settled);
    model.setQuery(*fleetview::Query::parse("site=site-1 and state=healthy"));
    QVERIFY(settled.wait(30'000));
    QVERIFY(model.rowCount() > 0 && model.rowCount() < 26);
    model.sort(DeviceModel::Name, Qt::DescendingOrder);
    QVERIFY(settled.wait(30'000));
    for (int row = 0; row < model.rowCount(); ++row) {
        QCOMPARE(model.index(row, DeviceModel::Site).data().toString(), QStringLiteral("site-1"));
        QVERIFY(row == 0 || model.deviceAt(row)->name < model.deviceAt(row - 1)->name);
    }
    QCOMPARE(model.total(), std::size_t{100});
}

void TestDeviceModel::showsForeignTextLiterally()
{
    DeviceModel model;
    auto report = reportOf(1, {entryOf(trust::Phase::Failed, 2, "fw/a", 404)});
    report.name = "<b>x</b>\n\x1b[31m\xe2\x80\xae";
    report.receipt.entries[0].detail = "<img src=x>\t";
    QVERIFY(settle(model, picture({report})));
    QCOMPARE(model.index(0, DeviceModel::Name).data().toString(), QStringLiteral("<b>x</b>??[31m?"));
    QVERIFY(model.index(0, DeviceModel::Says).data().toString().contains(QStringLiteral("<img src=x>?")));
    QVERIFY(model.index(0, DeviceModel::Says)
                .data(Qt::ToolTipRole)
                .toString()
                .contains(QStringLiteral("&lt;img")));
}

void TestDeviceModel::endsWhileItWorks()
{
    const auto large = picture(reportsOf(50'000, 30));
    for (int i = 0; i < 3; ++i) {
        DeviceModel model;
        model.setPicture(large);
        model.setQuery(*fleetview::Query::parse("gw-1"));
    }
    QCoreApplication::processEvents(); // nothing of what was queued arrives
}

void TestDeviceModel::keepsRowsOfAnAgentsAnswerWhileOthersComeAndGo()
{
    const QString heading = QStringLiteral("With");
    window::RowsTable table(QStringLiteral("Links"), {heading, QStringLiteral("Link")});
    const QAbstractItemModelTester tester(table.model(),
                                          QAbstractItemModelTester::FailureReportingMode::QtTest);
    table.resize(300, 200);
    table.show();
    table.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&table)); // else nobody hears shortcuts
    // Written as one letter for each row, which has its name and the turn in which it was told.
    int turn = 0;
    const auto tell = [&](const char* letters) {
        std::vector<window::TextRow> rows;
        ++turn;
        for (const char* letter = letters; *letter != '\0'; ++letter)
            rows.push_back({QByteArray(1, *letter), {QString(QLatin1Char(*letter)), QString::number(turn)}});
        table.setRows(std::move(rows));
    };
    const auto shown = [&] {
        QString text;
        for (int row = 0; row < table.model()->rowCount(); ++row)
            text += table.model()->index(row, 0).data().toString()
                + table.model()->index(row, 1).data().toString();
        return text;
    };
    tell("abcdefghijklmnopqrstuvwxyz");
    table.selectRow(20); // u
    table.scrollTo(table.model()->index(20, 0));
    const int scrolled = table.verticalScrollBar()->value();
    QVERIFY(scrolled > 0);
    for (const char* letters : {"abcdefghijklmnopqrstuvwxyz", "zbcdefghijklmnopqrsutvwxy0",
                                "1uvwxyzbcdefghijklmnopqrst", "abcdefghijklmnopqrstuvwxyz"}) {
        tell(letters);
        QString expected;
        for (const char* letter = letters; *letter != '\0'; ++letter)
            expected += QLatin1Char(*letter) + QString::number(turn);
        QCOMPARE(shown(), expected);
        QCOMPARE(table.currentIndex().data().toString(), QStringLiteral("u"));
        QCOMPARE(table.selectionModel()->selectedRows().size(), qsizetype{1});
    }
    QCOMPARE(table.verticalScrollBar()->value(), scrolled);
    QTest::keyClick(&table, Qt::Key_Down, Qt::ShiftModifier);
    QTest::keyClick(&table, Qt::Key_C, Qt::ControlModifier);
    QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("u\t%1\nv\t%1").arg(turn));
    tell("abc"); // and what was chosen has gone
    QCOMPARE(table.model()->rowCount(), 3);
    QVERIFY(!shown().contains(QLatin1Char('u')));
}

QTEST_MAIN(TestDeviceModel)
#include "tst_device_model.moc"
