// SPDX-License-Identifier: Apache-2.0
/// Preferences: what each does, that it is kept, that it is found, and how it looks; and what is told of as
/// news.
#include "fleetview_samples.h"
#include "gui_fixture.h"
#include "main_window.h"
#include "notices.h"
#include "preferences_page.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QHeaderView>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStackedWidget>
#include <QStatusBar>
#include <QStyleFactory>
#include <QStyleOptionButton>
#include <QTableView>
#include <QTemporaryDir>
#include <QToolButton>
#include <QVBoxLayout>

using namespace starling;
using namespace starling::gui_test;
using window::Look;
using window::MainWindow;
using window::Preferences;
using window::PreferencesPage;

namespace {

QString s(const char* text)
{
    return QString::fromUtf8(text);
}

QPushButton* resetOf(const QWidget& root, const char* item)
{
    return find<QPushButton>(root, s("Back to the default: ") + s(item));
}

} // namespace

class TestPreferences : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { QSettings().clear(); }
    void keepsWhatIsChangedAndGoesBackToDefaults();
    void takesNonsenseAsTheDefault();
    void findsByWords();
    void namesEveryWidget();
    void takesEffectAtOnce();
    void beginsWithTheScreenThatIsWanted();
    void asksAnotherAgent();
    void tellsWhatIsNews();
    void looksWell_data();
    void looksWell();
    void ticksACheckBoxThatIsOn_data() { looksWell_data(); }
    void ticksACheckBoxThatIsOn();
    void showsTheFocusAndHasRoomForFingers_data() { looksWell_data(); }
    void showsTheFocusAndHasRoomForFingers();

private:
    QTemporaryDir m_settings;
};

void TestPreferences::initTestCase()
{
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_settings.path());
    qputenv("XDG_DATA_HOME", m_settings.path().toUtf8());
    QCoreApplication::setOrganizationName(s("starling"));
    QCoreApplication::setApplicationName(s("starling-console-test"));
    QApplication::setStyle(QStyleFactory::create(s("Fusion")));
    window::loadResources();
}

void TestPreferences::keepsWhatIsChangedAndGoesBackToDefaults()
{
    PreferencesPage page;
    QSignalSpy changed(&page, &PreferencesPage::changed);
    const std::vector<const char*> items{"Screen to begin with",
                                         "Density",
                                         "Reduce motion",
                                         "How often the agent is asked",
                                         "Numbers",
                                         "A device asks to join",
                                         "A device fails",
                                         "A release is healthy everywhere",
                                         "Lock after",
                                         "Offer the keychain",
                                         "Always type the number of devices"};
    for (const char* item : items)
        QVERIFY2(!resetOf(page, item)->isEnabled(), item);
    for (auto* const box : page.findChildren<QCheckBox*>())
        box->toggle();
    for (auto* const choice : page.findChildren<QComboBox*>())
        choice->setCurrentIndex(1);
    find<QSpinBox>(page, s("Lock after"))->setValue(0);
    QCOMPARE(find<QSpinBox>(page, s("Lock after"))->text(), s("Never"));
    QCOMPARE(changed.count(), 11); // the theme is the window's own
    const Preferences kept = Preferences::load();
    QVERIFY(!kept.tellsApplicants && !kept.tellsFailures && !kept.tellsDone && !kept.offersKeychain
            && kept.alwaysTypesCount && kept.lockAfter.count() == 0 && kept.reducesMotion
            && kept.pace == window::Pace::Second && kept.numbers == window::Numbers::English
            && kept.density == window::Density::Compact && kept.opening == window::Opening::Overview);
    PreferencesPage again;
    for (const char* item : items) {
        QVERIFY2(resetOf(again, item)->isEnabled(), item);
        resetOf(again, item)->click();
        QVERIFY2(!resetOf(again, item)->isEnabled(), item);
    }
    QVERIFY(Preferences::load() == Preferences());
}

void TestPreferences::takesNonsenseAsTheDefault()
{
    QSettings settings;
    settings.setValue(s("safety/lock-after-minutes"), s("-3"));
    settings.setValue(s("appearance/density"), s("purple"));
    QVERIFY(Preferences::load() == Preferences());
    settings.setValue(s("network/pace"), s("9s"));
    settings.setValue(s("safety/lock-after-minutes"), s("100000"));
    QVERIFY(Preferences::load() == Preferences());
}

void TestPreferences::findsByWords()
{
    PreferencesPage page;
    page.resize(1'000, 700);
    page.show();
    auto* const search = find<QLineEdit>(page, s("Search the preferences"));
    QTest::keyClicks(search, s("passphrase KEY"));
    QVERIFY(find<QSpinBox>(page, s("Lock after"))->isVisible()
            && find<QCheckBox>(page, s("Offer the keychain"))->isVisible());
    QVERIFY(!find<QComboBox>(page, s("Density"))->isVisible()
            && !find<QFrame>(page, s("Appearance"))->isVisible());
    QTest::keyClicks(search, s(" quux"));
    bool isTold = false;
    for (const QLabel* label : page.findChildren<QLabel*>())
        isTold = isTold || (label->isVisible() && label->text() == s("No preference has these words."));
    QVERIFY(isTold);
    search->clear();
    QVERIFY(find<QComboBox>(page, s("Density"))->isVisible());
}

void TestPreferences::namesEveryWidget()
{
    PreferencesPage page;
    int named = 0;
    for (const QWidget* widget : page.findChildren<QWidget*>()) {
        if (widget->focusPolicy() == Qt::NoFocus || widget->inherits("QScrollBar")
            || widget->objectName().startsWith(s("qt_")) || widget->parentWidget()->inherits("QComboBox"))
            continue;
        QVERIFY2(!widget->accessibleName().isEmpty(), widget->metaObject()->className());
        ++named;
    }
    QVERIFY2(named > 20, qPrintable(QString::number(named)));
}

void TestPreferences::takesEffectAtOnce()
{
    MainWindow main(s("agent.sock"));
    main.show();
    auto* const page = main.findChild<PreferencesPage*>();
    auto* const table = find<QTableView>(main, s("Devices"));
    const int line = table->verticalHeader()->defaultSectionSize();
    find<QComboBox>(*page, s("Density"))->setCurrentIndex(1);
    QVERIFY(table->verticalHeader()->defaultSectionSize() < line * 3 / 4);
    find<QComboBox>(*page, s("Density"))->setCurrentIndex(0);
    QCOMPARE(table->verticalHeader()->defaultSectionSize(), line);
    QSignalSpy paces(&main, &MainWindow::paceWanted);
    find<QComboBox>(*page, s("How often the agent is asked"))->setCurrentIndex(2);
    QCOMPARE(paces.last()[0].value<std::chrono::milliseconds>(), std::chrono::milliseconds(5'000));
    QLocale::setDefault(QLocale(QLocale::German));
    find<QComboBox>(*page, s("Numbers"))->setCurrentIndex(1);
    QCOMPARE(QLocale().toString(12'345), s("12,345"));
    find<QComboBox>(*page, s("Numbers"))->setCurrentIndex(0);
    QVERIFY(QLocale() == QLocale::system());
    const auto* const speed = find<QComboBox>(main, s("Speed of playing"));
    QVERIFY(speed->isEnabled());
    find<QCheckBox>(*page, s("Reduce motion"))->setChecked(true);
    QVERIFY(!speed->isEnabled() && !QApplication::isEffectEnabled(Qt::UI_AnimateCombo));
    auto* const theme = find<QComboBox>(*page, s("Theme"));
    theme->setCurrentIndex(static_cast<int>(Look::Dark));
    const QColor dark = QApplication::palette().window().color();
    QVERIFY(dark.lightness() < 80);
    main.setLook(Look::Light); // by a command, say
    QCOMPARE(theme->currentIndex(), static_cast<int>(Look::Light));
    QVERIFY(QApplication::palette().window().color().lightness() > 180);
}

void TestPreferences::beginsWithTheScreenThatIsWanted()
{
    const auto current = [](const MainWindow& main) {
        return find<QStackedWidget>(main, s("Screens"))->currentWidget()->accessibleName();
    };
    {
        MainWindow main(s("agent.sock"));
        main.show();
        QVERIFY(QTest::qWaitForWindowActive(&main));
        QTest::keyClick(&main, Qt::Key_Comma, Qt::ControlModifier);
        QCOMPARE(current(main), s("Preferences"));
        main.close();
    }
    {
        MainWindow main(s("agent.sock"));
        QCOMPARE(current(main), s("Preferences"));
        find<QComboBox>(main, s("Screen to begin with"))->setCurrentIndex(1);
    }
    MainWindow main(s("agent.sock"));
    QCOMPARE(current(main), s("Overview"));
}

void TestPreferences::asksAnotherAgent()
{
    MainWindow main(s("agent.sock"));
    QSignalSpy chosen(&main, &MainWindow::agentChosen);
    auto* const line = find<QLineEdit>(main, s("Socket of the agent"));
    line->setText(s(" other.sock "));
    Q_EMIT line->editingFinished();
    QCOMPARE(chosen.count(), 1);
    QCOMPARE(chosen[0][0].toString(), s("other.sock"));
    QCOMPARE(window::Profile::load().socket, s("other.sock"));
    resetOf(main, "Socket of the agent")->click();
    QCOMPARE(chosen.last()[0].toString(), s("/run/starling/agent.sock"));
}

void TestPreferences::tellsWhatIsNews()
{
    const auto at = [](int step, trust::Phase phase) {
        fleetview::Fleet fleet(samples::kBegin);
        auto reports = samples::reportsOf(3, 1);
        for (auto& report : reports)
            report.receipt.entries[0].phase = trust::Phase::Healthy;
        reports[1].receipt.entries[0].phase = phase;
        fleet.take(std::move(reports), {}, samples::kBegin);
        return snapshotOf(fleet.picture(samples::kBegin + std::chrono::seconds(step)));
    };
    const auto before = at(1, trust::Phase::Downloading);
    auto after = std::make_shared<window::Snapshot>(*at(2, trust::Phase::Failed));
    after->applicants.push_back({s("gw-9"), s("otter amber"), s("gw-1"), 3});
    Preferences preferences;
    QVERIFY(window::newsOf(nullptr, *after, preferences).isEmpty());
    const QStringList news = window::newsOf(before, *after, preferences);
    QVERIFY2(news.size() == 2 && news[0].endsWith(s("has failed")) && news[1] == s("gw-9 asks to join"),
             qPrintable(news.join(s("; "))));
    QVERIFY(window::newsOf(after, *after, preferences).isEmpty());
    preferences.tellsFailures = false;
    QCOMPARE(window::newsOf(before, *after, preferences), QStringList{s("gw-9 asks to join")});
    preferences.tellsApplicants = false;
    QVERIFY(window::newsOf(before, *after, preferences).isEmpty());

    MainWindow main(s("agent.sock"));
    main.show();
    main.show(before);
    after->takenAt = before->takenAt + 6'000;
    main.show(window::SnapshotPtr(after));
    QVERIFY(main.statusBar()->currentMessage().contains(s("gw-9 asks to join")));
    // Whoever waits at another agent than the one that is asked is found there.
    const auto renewing = std::make_shared<window::Snapshot>(*after);
    renewing->applicants.push_back({s("gw-8"), s("lamp copper"), {}, 3, 1'800'000'000});
    QCOMPARE(window::newsOf(after, *renewing, Preferences()), QStringList{s("gw-8 wants a new certificate")});
    main.show(window::SnapshotPtr(renewing));
    QStringList needs;
    for (const QListWidget* list : main.findChildren<QListWidget*>())
        for (int row = 0; row < list->count(); ++row)
            needs += list->item(row)->text();
    QVERIFY2(needs.contains(s("gw-9 asks to join at gw-1: otter amber")), qPrintable(needs.join(s("; "))));
    QVERIFY2(needs.contains(s("gw-8 wants a new certificate, its own ends on 2027-01-15: lamp copper")),
             qPrintable(needs.join(s("; "))));
}

void TestPreferences::looksWell_data()
{
    QTest::addColumn<int>("look");
    for (const Look look : {Look::Light, Look::Dark, Look::HighContrast})
        QTest::newRow(qPrintable(window::lookName(look))) << static_cast<int>(look);
}

void TestPreferences::looksWell()
{
    QFETCH(int, look);
    MainWindow main(s("agent.sock"));
    main.resize(1'240, 800);
    main.setLook(static_cast<Look>(look));
    main.show();
    QVERIFY(QTest::qWaitForWindowActive(&main));
    QTest::keyClick(&main, Qt::Key_Comma, Qt::ControlModifier);
    auto* const page = main.findChild<PreferencesPage*>();
    QVERIFY(page->isVisible());
    keepPicture(main, s("preferences-") + window::lookName(static_cast<Look>(look)));
    // Nothing is wider than the page, and no control covers another.
    for (const QWidget* widget : page->findChildren<QWidget*>())
        if (widget->isVisible() && widget->focusPolicy() != Qt::NoFocus)
            QVERIFY2(page->rect().right() >= widget->mapTo(page, widget->rect().topRight()).x(),
                     qPrintable(widget->accessibleName()));
}

void TestPreferences::ticksACheckBoxThatIsOn()
{
    QFETCH(int, look);
    const auto theme = window::Theme::of(static_cast<Look>(look), QPalette());
    QWidget panel;
    panel.setObjectName(s("page"));
    panel.setAttribute(Qt::WA_StyledBackground);
    panel.setPalette(theme.palette());
    panel.setStyleSheet(theme.styleSheet());
    auto* const column = new QVBoxLayout(&panel);
    const auto box = [&](const char* text, bool isOn, bool isEnabled) {
        auto* const made = new QCheckBox(s(text));
        made->setChecked(isOn);
        made->setEnabled(isEnabled);
        column->addWidget(made);
        return made;
    };
    QCheckBox* const off = box("Off", false, true);
    QCheckBox* const on = box("On", true, true);
    QCheckBox* const offUnable = box("Off, and cannot be changed", false, false);
    QCheckBox* const onUnable = box("On, and cannot be changed", true, false);
    panel.show();
    QVERIFY(QTest::qWaitForWindowActive(&panel));
    on->setFocus(Qt::TabFocusReason);
    keepPicture(panel, s("check-boxes-") + window::lookName(static_cast<Look>(look)));
    /// Pixels of the indicator that are of that colour, within what smoothing leaves.
    const auto count = [](QCheckBox* const widget, const QColor& colour) {
        QStyleOptionButton option;
        option.initFrom(widget);
        const QRect area = widget->style()->subElementRect(QStyle::SE_CheckBoxIndicator, &option, widget);
        const QImage image = widget->grab().toImage();
        int found = 0;
        for (int y = area.top(); y <= area.bottom(); ++y)
            for (int x = area.left(); x <= area.right(); ++x) {
                const QColor seen = image.pixelColor(x, y);
                found += std::abs(seen.red() - colour.red()) + std::abs(seen.green() - colour.green())
                            + std::abs(seen.blue() - colour.blue())
                        < 90
                    ? 1
                    : 0;
            }
        return found;
    };
    constexpr int kTick = 6; // px of its two strokes that nothing smooths away
    QVERIFY(window::contrast(theme.accent, theme.onAccent) >= 4.5);
    QVERIFY(window::contrast(theme.muted, theme.onAccent) >= 3);
    QVERIFY(count(on, theme.onAccent) >= kTick && count(on, theme.accent) >= kTick);
    QVERIFY(count(onUnable, theme.onAccent) >= kTick && count(onUnable, theme.muted) >= kTick);
    QVERIFY(count(onUnable, theme.accent) == 0);
    QVERIFY(count(off, theme.accent) == 0 && count(offUnable, theme.accent) == 0);
}

/// On every screen: what has the focus looks otherwise than without it, can be hit, and is not covered.
void TestPreferences::showsTheFocusAndHasRoomForFingers()
{
    QFETCH(int, look);
    constexpr int kLeast = 24; // px: console specification, and WCAG 2.2, 2.5.8
    MainWindow main(s("agent.sock"));
    main.resize(1'240, 800);
    main.setLook(static_cast<Look>(look));
    main.show();
    QVERIFY(QTest::qWaitForWindowActive(&main));
    fleetview::Fleet fleet(samples::kBegin);
    fleet.take(samples::reportsOf(60, 3), {}, samples::kBegin);
    const auto snapshot = snapshotOf(fleet.picture(samples::kBegin + std::chrono::seconds(40)));
    main.show(snapshot);
    auto* const screens = find<QStackedWidget>(main, s("Screens"));
    auto* const elsewhere = find<QToolButton>(main, s("Overview"));
    QStringList faults;
    int seen = 0;
    for (int screen = 0; screen < screens->count(); ++screen) {
        screens->setCurrentIndex(screen);
        main.show(snapshot);
        QCoreApplication::processEvents();
        std::vector<QWidget*> controls;
        for (QWidget* const widget : screens->currentWidget()->findChildren<QWidget*>())
            if (widget->isVisible() && widget->isEnabled() && (widget->focusPolicy() & Qt::TabFocus) != 0
                && !widget->objectName().startsWith(s("qt_")) && widget->focusProxy() == nullptr)
                controls.push_back(widget);
        for (QWidget* const widget : controls) {
            const QString name = s("%1, %2 %3")
                                     .arg(screens->currentWidget()->accessibleName(),
                                          s(widget->metaObject()->className()), widget->accessibleName());
            elsewhere->setFocus(Qt::TabFocusReason);
            const QImage without = widget->grab().toImage();
            widget->setFocus(Qt::TabFocusReason);
            if (widget->hasFocus() && widget->grab().toImage() == without)
                faults += s("focus is not seen: ") + name;
            if (widget->height() < kLeast || widget->width() < kLeast)
                faults += s("%1 x %2 px: ").arg(widget->width()).arg(widget->height()) + name;
            const QRect area(widget->mapTo(&main, QPoint()), widget->size());
            for (const QWidget* const other : controls)
                if (other != widget && !other->isAncestorOf(widget) && !widget->isAncestorOf(other)
                    && other->parentWidget() == widget->parentWidget()
                    && QRect(other->mapTo(&main, QPoint()), other->size()).intersects(area))
                    faults += s("covers ") + other->accessibleName() + s(": ") + name;
            ++seen;
        }
    }
    QVERIFY2(seen > 60, qPrintable(QString::number(seen)));
    faults.removeDuplicates();
    for (const QString& fault : std::as_const(faults))
        qWarning("%s", qPrintable(fault));
    QVERIFY2(faults.isEmpty(), "see above");
}

QTEST_MAIN(TestPreferences)
#include "tst_preferences.moc"
