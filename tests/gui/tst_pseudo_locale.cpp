// SPDX-License-Identifier: Apache-2.0
/// The window in a language that does not exist: every text that is translated is longer by two fifths, with
/// accents and in brackets. What is seen without brackets cannot be translated, and what is cut off would be
/// in German, too. At a scale factor of two, of which pictures are kept.
#include "devices_page.h"
#include "gui_fixture.h"
#include "main_window.h"
#include "map_page.h"
#include "map_spread.h"
#include "map_views.h"
#include "network_samples.h"
#include "painted_text.h"
#include "profile.h"

#include "admin/audit_log.h"
#include "crypto/signing.h"

#include <QApplication>
#include <QComboBox>
#include <QGroupBox>
#include <QHeaderView>
#include <QLineEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QSettings>
#include <QStackedWidget>
#include <QStyleFactory>
#include <QTabBar>
#include <QTabWidget>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTextBrowser>
#include <QTextDocumentFragment>
#include <QToolButton>
#include <QTranslator>

using namespace starling;
using namespace starling::gui_test;
using window::MainWindow;
using window::MapPage;

namespace {

QString s(const char* text)
{
    return QString::fromUtf8(text);
}

const QChar kOpen(0x27E6), kClose(0x27E7); // brackets that no text of ours has

/// What a translator would make of it: the same words with accents, and more of them.
class Longer : public QTranslator
{
public:
    QString translate(const char* /*context*/, const char* source, const char* /*disambiguation*/,
                      int /*n*/) const override
    {
        static const QString kFrom(s("aceilnosuyzACEIOSU")), kTo(s("áçéíłñöšüýžÁÇÉÍÖŠÜ"));
        QString text = QString::fromUtf8(source);
        qsizetype letters = 0;
        bool isMarkup = false;
        for (qsizetype i = 0; i < text.size(); ++i) {
            const QChar c = text[i];
            if (c == QLatin1Char('<') || c == QLatin1Char('&'))
                isMarkup = true;
            const bool isPlace = i > 0 && text[i - 1] == QLatin1Char('%');
            if (!isMarkup && !isPlace && kFrom.contains(c))
                text[i] = kTo[kFrom.indexOf(c)];
            letters += isMarkup ? 0 : 1;
            if (c == QLatin1Char('>') || c == QLatin1Char(';')
                || (c == QLatin1Char('&') && text.mid(i + 1, 1) == s(" ")))
                isMarkup = false;
        }
        return kOpen + text + QString((letters * 2 + 4) / 5, QLatin1Char('~')) + kClose;
    }
    bool isEmpty() const override { return false; }
};

/// What remains of a text without what was translated, and without what is nobody's language: names of
/// devices and sites of the sample, versions, codes, ids, units.
QString untranslated(QString text)
{
    if (Qt::mightBeRichText(text))
        text = QTextDocumentFragment::fromHtml(text).toPlainText();
    QString left;
    int depth = 0;
    for (const QChar c : std::as_const(text)) {
        depth += c == kOpen ? 1 : 0;
        if (depth == 0)
            left += c;
        depth -= c == kClose ? 1 : 0;
    }
    static const QRegularExpression kData(
        s("gw-?[0-9]*|site(-[0-9]+)?|fw/gateway|2\\.4\\.1 spring|first|STAR-[A-Z]+-[0-9]+|[0-9a-f]{8,}"
          "|[0-9.,:]+ ?(B|KiB|MiB|GiB|B/s|s|min|h|d|ms|%)?\\b|model|Site|Model|starling|Starling|agent\\.sock"
          "|Ctrl\\+\\S+|PNG|SVG|JSON|root@\\S+|[A-Za-z0-9_-]+@\\S+|/\\S+"));
    return left.remove(kData);
}

bool hasLetters(const QString& text)
{
    static const QRegularExpression kWord(s("[A-Za-z]{2,}"));
    return kWord.match(text).hasMatch();
}

/// Of the first rows, and of those below them.
QStringList textsOf(const QAbstractItemModel& model, const QModelIndex& parent)
{
    QStringList texts;
    for (int column = 0; column < model.columnCount(parent); ++column) {
        if (!parent.isValid())
            texts += model.headerData(column, Qt::Horizontal).toString();
        for (int row = 0; row < std::min(12, model.rowCount(parent)); ++row)
            texts += model.index(row, column, parent).data().toString();
    }
    for (int row = 0; row < std::min(12, model.rowCount(parent)); ++row)
        texts += textsOf(model, model.index(row, 0, parent));
    return texts;
}

/// Every text that a widget shows by itself.
QStringList textsOf(const QWidget& widget)
{
    QStringList texts;
    if (const auto* const label = qobject_cast<const QLabel*>(&widget))
        texts += label->text();
    if (const auto* const button = qobject_cast<const QAbstractButton*>(&widget))
        texts += button->text();
    if (const auto* const box = qobject_cast<const QGroupBox*>(&widget))
        texts += box->title();
    if (const auto* const edit = qobject_cast<const QLineEdit*>(&widget))
        texts += edit->placeholderText();
    if (const auto* const tabs = qobject_cast<const QTabBar*>(&widget))
        for (int i = 0; i < tabs->count(); ++i)
            texts += tabs->tabText(i);
    if (const auto* const combo = qobject_cast<const QComboBox*>(&widget))
        for (int i = 0; i < combo->count(); ++i)
            texts += combo->itemText(i);
    if (const auto* const browser = qobject_cast<const QTextBrowser*>(&widget))
        texts += browser->toPlainText();
    if (const auto* const view = qobject_cast<const QAbstractItemView*>(&widget); view && view->model())
        texts += textsOf(*view->model(), {});
    texts += widget.toolTip();
    texts += widget.accessibleName();
    texts += widget.accessibleDescription();
    return texts;
}

QString nameOf(const QWidget& widget)
{
    return s(widget.metaObject()->className()) + s(" ") + widget.objectName() + s(" “")
        + textsOf(widget).join(s("|")).left(160) + s("”");
}

/// A column that shows less than its heading, or than the words of ours in it: names may be as long as they
/// like, and the column that takes what the others leave tells the rest in tooltips.
QString narrowColumn(const QTableView& table)
{
    const QHeaderView& header = *table.horizontalHeader();
    for (int column = 0; column < header.count(); ++column) {
        int needed = header.sectionSizeHint(column);
        const bool isElastic = header.sectionResizeMode(column) == QHeaderView::Stretch;
        for (int row = 0; row < std::min(12, isElastic ? 0 : table.model()->rowCount()); ++row) {
            const QModelIndex cell = table.model()->index(row, column);
            const QString text = cell.data().toString();
            // One word or two, a state say: a sentence is elided, and tells the rest in its tooltip.
            if (text.startsWith(kOpen) && text.endsWith(kClose) && text.count(QLatin1Char(' ')) < 2
                && text.count(kOpen) == 1)
                needed = std::max(needed, table.sizeHintForIndex(cell).width());
        }
        if (header.sectionSize(column) < needed)
            return s("column %1 is %2 px wide, needs %3")
                .arg(column)
                .arg(header.sectionSize(column))
                .arg(needed);
    }
    return {};
}

constexpr int kSettling = 20'000; ///< ms; until texts are laid out on a busy machine

/// Why it does not show all of its text; empty if it does.
QString cutOff(const QWidget& widget)
{
    if (const auto* const label = qobject_cast<const QLabel*>(&widget); label && !label->text().isEmpty()) {
        if (label->wordWrap())
            return label->height() >= label->heightForWidth(label->width())
                ? QString()
                : s("%1 px high, needs %2").arg(label->height()).arg(label->heightForWidth(label->width()));
        return label->width() >= label->sizeHint().width()
            ? QString()
            : s("%1 px wide, needs %2").arg(label->width()).arg(label->sizeHint().width());
    }
    if (const auto* const button = qobject_cast<const QAbstractButton*>(&widget);
        button && !button->text().isEmpty())
        return button->width() >= button->minimumSizeHint().width()
                && button->height() >= button->minimumSizeHint().height()
            ? QString()
            : s("%1 px wide, needs %2").arg(button->width()).arg(button->minimumSizeHint().width());
    if (const auto* const table = qobject_cast<const QTableView*>(&widget);
        table && table->model()->rowCount() > 0)
        return narrowColumn(*table);
    return {};
}

/// Faults of what is painted: words that were not translated, words without their end, and words beyond the
/// edge.
QStringList faultsOf(const std::vector<PaintedText>& painted, QSize size)
{
    QStringList faults;
    QString all;
    for (const PaintedText& each : painted) {
        all += each.text + QLatin1Char('\n');
        const bool isShortened =
            each.text.contains(QChar(0x2026)) && each.text.contains(kOpen) && !each.text.contains(kClose);
        const bool isOutside = each.area.right() > size.width() + 1 || each.area.left() < -1
            || each.area.bottom() > size.height() + 1 || each.area.top() < -1;
        if (isShortened || (isOutside && each.text.contains(kOpen)))
            faults += s("painted and cut off: ") + each.text;
        if (isShortened)
            all += kClose; // what follows is looked at by itself
    }
    if (hasLetters(untranslated(all)))
        faults += s("painted and not translated: ") + untranslated(all).simplified();
    return faults;
}

/// What it paints; the grid, which keeps an image, as it is painted for export.
std::vector<PaintedText> paintedText(QWidget& widget)
{
    if (const auto* const grid = qobject_cast<const window::GridView*>(&widget))
        return paintedBy(grid->size(), [grid](QPainter& painter) { grid->painter().paint(painter); });
    return paintedBy(widget);
}

bool isOfQt(const QWidget& widget)
{
    for (const QWidget* each = &widget; each != nullptr; each = each->parentWidget())
        if (each->objectName().startsWith(s("qt_")) || each->inherits("QScrollBar")
            || each->inherits("QHeaderView"))
            return true;
    return false;
}

} // namespace

class TestPseudoLocale : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup() { QCoreApplication::removeTranslator(&m_longer); }
    void findsWhatItLooksFor();
    void showsEveryScreenAtTwiceTheScale();
    void translatesEveryTextAndCutsNoneOff();

private:
    /// Every screen, and every step of those that have steps.
    void visit(MainWindow& main, const window::SnapshotPtr& snapshot,
               const std::function<void(const QString& name)>& look);
    void collect(const QWidget& window, const QString& where, QStringList& faults) const;
    Longer m_longer;
    QTemporaryDir m_settings;
};

void TestPseudoLocale::initTestCase()
{
    QVERIFY(crypto::initialize().has_value());
    QVERIFY(m_settings.isValid());
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_settings.path());
    qputenv("XDG_DATA_HOME", m_settings.path().toUtf8()); // of the audit log
    QCoreApplication::setOrganizationName(s("starling"));
    QCoreApplication::setApplicationName(s("starling-console-pseudo-test"));
    QApplication::setStyle(QStyleFactory::create(s("Fusion")));
    QVERIFY(console::AuditLog().record(console::Act::ReleaseSigned, "fw/gateway 2", ""));
    window::loadResources();
}

void TestPseudoLocale::visit(MainWindow& main, const window::SnapshotPtr& snapshot,
                             const std::function<void(const QString& name)>& look)
{
    QStackedWidget* screens = nullptr;
    for (auto* const stack : main.findChildren<QStackedWidget*>())
        if (screens == nullptr || stack->count() > screens->count())
            screens = stack;
    for (int i = 0; i < screens->count(); ++i) {
        screens->setCurrentIndex(i);
        main.show(snapshot); // a map that nobody sees was not shown it
        QWidget* const page = screens->currentWidget();
        const QString name = s(page->metaObject()->className()).section(s("::"), -1);
        if (auto* const map = qobject_cast<MapPage*>(page)) {
            for (const auto lens : {MapPage::Lens::Waves, MapPage::Lens::Grid, MapPage::Lens::Spread,
                                    MapPage::Lens::Places, MapPage::Lens::Table}) {
                map->setLens(lens);
                look(s("%1-%2").arg(name).arg(static_cast<int>(lens)));
            }
            continue;
        }
        if (auto* const tabs = page->findChild<QTabWidget*>()) {
            for (int tab = 0; tab < tabs->count(); ++tab) {
                tabs->setCurrentIndex(tab);
                look(s("%1-%2").arg(name).arg(tab));
            }
            continue;
        }
        auto* const steps = page->findChild<QStackedWidget*>();
        const bool hasSteps = steps != nullptr;
        for (int step = 0; step < (hasSteps ? steps->count() : 1); ++step) {
            if (hasSteps)
                steps->setCurrentIndex(step);
            look(hasSteps ? s("%1-%2").arg(name).arg(step) : name);
        }
    }
}

void TestPseudoLocale::findsWhatItLooksFor()
{
    QCoreApplication::installTranslator(&m_longer);
    const auto faultsOf = [this](QWidget* widget, int width) {
        QWidget window;
        window.setAttribute(Qt::WA_DontShowOnScreen);
        widget->setParent(&window);
        widget->resize(width, widget->sizeHint().height());
        window.show();
        QStringList faults;
        collect(window, s("here"), faults);
        return faults.join(QLatin1Char(' '));
    };
    const QString good = tr("%1 devices").arg(s("gw-7"));
    QVERIFY(good.startsWith(kOpen) && good.contains(s("gw-7")) && good.size() > 14);
    QCOMPARE(faultsOf(new QLabel(good), 500), QString());
    QVERIFY(faultsOf(new QLabel(good), 30).contains(s("cut off: 30 px wide")));
    QVERIFY(faultsOf(new QPushButton(good), 30).contains(s("cut off: 30 px wide")));
    QVERIFY(faultsOf(new QLabel(s("twelve ") + good), 900).contains(s("not translated: twelve")));
    QVERIFY(faultsOf(new QLabel(s("<b>") + good + s("</b> of course")), 900)
                .contains(s("not translated: of course")));
    QVERIFY(faultsOf(new QTableWidget(1, 1), 900).isEmpty());
    auto* const table = new QTableWidget(1, 1);
    table->setItem(0, 0, new QTableWidgetItem(s("waiting")));
    QVERIFY(faultsOf(table, 900).contains(s("not translated: waiting")));
    // And what no property tells.
    const auto painting = [](const QString& text, int width) {
        return gui_test::paintedBy(QSize(width, 40), [&](QPainter& painter) {
            painter.translate(4, 0);
            const QString shown = painter.fontMetrics().elidedText(text, Qt::ElideRight, width - 8);
            painter.drawText(QRect(0, 0, width - 8, 40), Qt::AlignLeft | Qt::AlignVCenter, shown);
            painter.drawText(QPointF(0, 20), s("gw-7"));
        });
    };
    const auto told = [&](const QString& text, int width) {
        return ::faultsOf(painting(text, width), QSize(width, 40)).join(QLatin1Char(' '));
    };
    QCOMPARE(told(good, 600), QString());
    QVERIFY(told(s("twelve ") + good, 900).contains(s("painted and not translated: twelve")));
    QVERIFY(told(good, 60).contains(s("painted and cut off: ")));
    const auto beyond = gui_test::paintedBy(
        QSize(60, 40), [&](QPainter& painter) { painter.drawText(QPointF(10, 20), good); });
    QVERIFY(::faultsOf(beyond, QSize(60, 40)).join(QLatin1Char(' ')).contains(s("painted and cut off: ")));
}

void TestPseudoLocale::showsEveryScreenAtTwiceTheScale()
{
    MainWindow main(s("agent.sock"));
    main.setLook(window::Look::Light);
    main.resize(1'240, 800);
    main.show();
    const auto snapshot = snapshotOf(pictureOf(60, 3));
    main.show(snapshot);
    fillNetwork(main, "the other side has told no address at which it may be reached");
    QCOMPARE(main.devicePixelRatioF(), 2.0);
    int screens = 0;
    visit(main, snapshot, [&](const QString& name) {
        keepPicture(main, s("twice-") + name);
        ++screens;
    });
    QVERIFY(screens > 14);
    find<QToolButton>(main, s("Network"))->click();
    for (const window::Look look : {window::Look::Dark, window::Look::HighContrast}) {
        main.setLook(look);
        keepPicture(main, s("twice-NetworkPage-") + window::lookName(look));
    }
}

void TestPseudoLocale::collect(const QWidget& window, const QString& where, QStringList& faults) const
{
    for (QWidget* const widget : window.findChildren<QWidget*>()) {
        if (!widget->isVisible() || isOfQt(*widget))
            continue;
        // Labels and buttons are asked for their text below: they elide on purpose, and say so in tooltips.
        // And what stands in a field, somebody typed.
        if (!widget->inherits("QLabel") && !widget->inherits("QAbstractButton")
            && !widget->inherits("QLineEdit"))
            for (const QString& fault : faultsOf(paintedText(*widget), widget->size()))
                faults += s("%1: %2 in %3").arg(where, fault, nameOf(*widget));
        for (const QString& text : textsOf(*widget))
            if (hasLetters(untranslated(text)))
                faults += s("%1: not translated: %2 in %3")
                              .arg(where, untranslated(text).simplified(), nameOf(*widget));
        const QString why = cutOff(*widget);
        if (!why.isEmpty() && !faults.contains(why))
            faults += s("%1: cut off: %2: %3").arg(where, why, nameOf(*widget));
    }
}

void TestPseudoLocale::translatesEveryTextAndCutsNoneOff()
{
    QCoreApplication::installTranslator(&m_longer);
    MainWindow main(s("agent.sock"));
    main.setLook(window::Look::Light);
    main.resize(1'600, 900);
    main.show();
    auto snapshot = std::make_shared<window::Snapshot>(*snapshotOf(pictureOf(60, 3)));
    auto events = std::make_shared<std::deque<window::SeenEvent>>();
    control::Event event;
    event.uri = "fw/gateway";
    event.node = samples::nodeOf(1);
    event.what = control::Event::What::Receipt;
    events->push_back({snapshot->takenAt, event});
    snapshot->events = events;
    main.show(window::SnapshotPtr(snapshot));
    main.findChild<window::DevicesPage*>()->choose(snapshot->picture->devices[0]->node);
    fillNetwork(main, ""); // what an agent says in sentences is in its own words
    QStringList faults;
    visit(main, snapshot, [&](const QString& name) {
        // What is counted in another thread comes when it comes, and is laid out after that.
        QStringList found;
        static_cast<void>(QTest::qWaitFor(
            [&] {
                found.clear();
                collect(main, name, found);
                return found.isEmpty();
            },
            kSettling));
        faults += found;
        if (!name.contains(QLatin1Char('-')) || name.endsWith(s("-0")))
            keepPicture(main, s("pseudo-") + name); // the others look alike, and pictures take their time
    });
    faults.removeDuplicates();
    for (const QString& fault : std::as_const(faults))
        qWarning("%s", qPrintable(fault));
    QVERIFY2(faults.isEmpty(), "see above");
    // Nobody was deaf. Places paints names of places alone.
    auto* const map = main.findChild<MapPage*>();
    const std::array<std::pair<MapPage::Lens, QWidget*>, 3> lenses{
        {{MapPage::Lens::Waves, map->findChild<window::WavesView*>()},
         {MapPage::Lens::Grid, map->findChild<window::GridView*>()},
         {MapPage::Lens::Spread, map->findChild<window::SpreadView*>()}}};
    for (const auto& [lens, view] : lenses) {
        map->setLens(lens);
        const auto painted = paintedText(*view);
        QVERIFY2(std::any_of(painted.begin(), painted.end(),
                             [](const PaintedText& each) { return each.text.contains(kOpen); }),
                 view->metaObject()->className());
    }
}

int main(int argc, char** argv)
{
    qputenv("QT_SCALE_FACTOR", "2"); // before there is an application
    QApplication application(argc, argv);
    TestPseudoLocale test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_pseudo_locale.moc"
