// SPDX-License-Identifier: Apache-2.0
#include "map_page.h"

#include "fitting.h"
#include "fleetview/grid_layout.h"
#include "fleetview/pick.h"
#include "fleetview/replay.h"
#include "words.h"

#include <QComboBox>
#include <QHeaderView>
#include <QLocale>
#include <QMenu>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QStackedWidget>
#include <QTableWidget>
#include <QTextBrowser>

namespace starling::window {

using fleetview::Standing;

namespace {

/// Kept free for a scroll bar: cells do not move when it comes.
constexpr int kScrollBar = 14;
const QString kSitesKey = QStringLiteral("map/sites");

QString number(std::size_t value)
{
    return QLocale().toString(static_cast<qulonglong>(value));
}

} // namespace

MapPage::MapPage(QWidget* parent)
    : Page(parent)
{
    QVBoxLayout* const layout = column(this, 20, 10);
    layout->addWidget(makeBar());
    layout->addWidget(m_time = new TimeBar);
    connect(m_time, &TimeBar::moved, this, &MapPage::moveInTime);
    m_stack = named(new QStackedWidget, tr("Lens"));
    m_waves = new WavesView;
    m_grid = new GridView;
    const auto scrolled = [this](QWidget* view, const QString& name) {
        auto* const area = named(new QScrollArea, name);
        area->setFrameShape(QFrame::NoFrame);
        area->setWidget(view);
        area->setFocusPolicy(Qt::NoFocus);
        m_stack->addWidget(area);
        return area;
    };
    m_wavesScroll = scrolled(m_waves, tr("Waves"));
    m_wavesScroll->setWidgetResizable(true);
    m_gridScroll = scrolled(m_grid, tr("Grid"));
    m_gridScroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_spread = new SpreadView;
    m_spreadScroll = scrolled(m_spread, tr("Spread"));
    m_spreadScroll->setWidgetResizable(true);
    m_places = new PlacesView;
    scrolled(m_places, tr("Places"))->setWidgetResizable(true);
    m_table = named(new QTableWidget, tr("Groups by state: the map as a table"));
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setShowGrid(false);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_stack->addWidget(m_table);
    auto* const surface = named(new QWidget, tr("Map"), "card");
    surface->setAttribute(Qt::WA_StyledBackground);
    column(surface, 12, 6)->addWidget(m_stack);
    auto* const across = new QHBoxLayout;
    across->setSpacing(14);
    across->addWidget(surface, 1);
    across->addWidget(makeSide());
    layout->addLayout(across, 1);
    m_note = label({}, "muted");
    m_note->setWordWrap(true);
    m_note->setMinimumHeight(
        2 * m_note->fontMetrics().height()); // the lens keeps its size as words come and go
    m_note->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    layout->addWidget(m_note);
    connect(m_grid, &GridView::deviceChosen, this, [this](const NodeId& node) {
        m_chosen = node;
        const auto place = m_grid->painter().placeOf(node);
        if (place)
            m_gridScroll->ensureVisible(m_grid->painter().cell(*place).center().x(),
                                        m_grid->painter().cell(*place).center().y());
        showSide();
    });
    connect(m_grid, &GridView::deviceOpened, this, &MapPage::deviceWanted);
    connect(m_spread, &SpreadView::deviceChosen, this, [this](const NodeId& node) {
        m_chosen = node;
        m_grid->choose(node); // one selection for all lenses
        showSide();
    });
    connect(m_spread, &SpreadView::deviceOpened, this, &MapPage::deviceWanted);
    connect(m_spread, &SpreadView::groupOpened, this, &MapPage::openGroup);
    connect(m_waves, &WavesView::groupOpened, this, &MapPage::openGroup);
    connect(m_places, &PlacesView::groupOpened, this, &MapPage::openGroup);
    connect(m_places, &PlacesView::sitesWanted, this, &MapPage::chooseSites);
    connect(m_places, &PlacesView::sitesUnwanted, this, [this] { static_cast<void>(useSites({})); });
    if (const QString file = QSettings().value(kSitesKey).toString(); !file.isEmpty())
        if (const Status used = useSites(file); !used)
            m_sitesProblem = plain(toString(used.error()), 300);
    setLens(Lens::Grid);
}

QWidget* MapPage::makeBar()
{
    auto* const bar = named(new QWidget, tr("What the map shows"));
    auto* const row = new QHBoxLayout(bar);
    row->setContentsMargins(0, 0, 0, 0);
    const std::array titles{tr("Waves"), tr("Grid"), tr("Spread"), tr("Places"), tr("Table")};
    const std::array hints{tr("How groups became healthy over time"), tr("One cell for each device"),
                           tr("Who holds the latest release"), tr("Where in the world devices are"),
                           tr("The same as a table (T)")};
    for (std::size_t i = 0; i < titles.size(); ++i) {
        m_lenses[i] = named(new QPushButton(titles[i]), tr("Lens: %1").arg(titles[i]));
        m_lenses[i]->setCheckable(true);
        m_lenses[i]->setToolTip(hints[i]);
        connect(m_lenses[i], &QPushButton::clicked, this, [this, i] { setLens(static_cast<Lens>(i)); });
        row->addWidget(m_lenses[i]);
    }
    row->addSpacing(12);
    row->addWidget(label(tr("Group by"), "muted"));
    row->addWidget(m_groupBy = named(new QComboBox, tr("Group by")));
    m_groupBy->setMinimumWidth(130);
    connect(m_groupBy, &QComboBox::currentIndexChanged, this, [this] { refresh(); });
    row->addWidget(m_up = named(new QPushButton, tr("Up: all that was shown before")));
    m_up->setToolTip(tr("Up (Backspace)"));
    m_up->hide();
    connect(m_up, &QPushButton::clicked, this, &MapPage::goUp);
    row->addStretch(1);
    m_legend = named(new QWidget, tr("Legend: states and how many devices stand there"));
    auto* const legend = new QHBoxLayout(m_legend);
    legend->setContentsMargins(0, 0, 0, 0);
    legend->setSpacing(4);
    for (const Standing standing : fleetview::kAllStandings) {
        auto* const mark = new QPushButton;
        mark->setFlat(true);
        mark->hide();
        const QString query = QStringLiteral("state=") + plain(fleetview::standingName(standing));
        connect(mark, &QPushButton::clicked, this, [this, query] { Q_EMIT devicesWanted(query); });
        legend->addWidget(mark);
        m_marks[static_cast<std::size_t>(standing)] = mark;
    }
    row->addWidget(m_legend);
    auto* const save = named(new QPushButton(tr("Export")), tr("Export the map"), "menu");
    auto* const menu = named(new QMenu(save), tr("Export as"));
    menu->addAction(tr("Picture (PNG)"), this, [this] { chooseExport(Format::Png); });
    menu->addAction(tr("Drawing (SVG)"), this, [this] { chooseExport(Format::Svg); });
    menu->addAction(tr("Devices (CSV)"), this, [this] { chooseExport(Format::Csv); });
    save->setMenu(menu);
    row->addWidget(save);
    return bar;
}

QWidget* MapPage::makeSide()
{
    QWidget* const side = card(tr("Chosen device"));
    side->setFixedWidth(290);
    m_side = named(new QTextBrowser, tr("Why the chosen device stands where it does"));
    m_side->setFrameShape(QFrame::NoFrame);
    m_open = named(new QPushButton(tr("Open in Devices")), tr("Open the chosen device in Devices"));
    connect(m_open, &QPushButton::clicked, this, [this] {
        if (m_chosen)
            Q_EMIT deviceWanted(*m_chosen);
    });
    side->layout()->addWidget(label(tr("Chosen device"), "heading"));
    side->layout()->addWidget(m_side);
    side->layout()->addWidget(m_open);
    return side;
}

void MapPage::setLens(Lens lens)
{
    m_lens = lens;
    if (lens != Lens::Table)
        m_pictured = lens;
    m_stack->setCurrentIndex(static_cast<int>(lens));
    for (std::size_t i = 0; i < m_lenses.size(); ++i)
        m_lenses[i]->setChecked(i == static_cast<std::size_t>(lens));
    refresh();
}

void MapPage::setTheme(const Theme& theme)
{
    Page::setTheme(theme);
    m_grid->setTheme(theme);
    m_waves->setTheme(theme);
    m_spread->setTheme(theme);
    m_places->setTheme(theme);
    for (const Standing standing : fleetview::kAllStandings)
        m_marks[static_cast<std::size_t>(standing)]->setIcon(theme.glyphIcon(standing, 16));
    refresh();
}

void MapPage::setReducedMotion(bool isReduced)
{
    m_time->setReducedMotion(isReduced);
}

void MapPage::setFrozen(bool isFrozen)
{
    m_grid->setFrozen(isFrozen);
    m_waves->setFrozen(isFrozen);
    m_spread->setFrozen(isFrozen);
    m_places->setFrozen(isFrozen);
}

void MapPage::show(const SnapshotPtr& snapshot)
{
    m_snapshot = snapshot;
    m_time->show(snapshot->picture);
    showFields();
    pickAgain();
    // What is recorded stays as it was seen, whatever goes on meanwhile.
    if (!m_recorded)
        refresh(true);
}

void MapPage::moveInTime()
{
    m_recorded = m_time->cursor() ? fleetview::pictureAt(m_snapshot->picture, *m_time->cursor()) : nullptr;
    pickAgain();
    refresh();
}

std::string MapPage::field() const
{
    return m_groupBy->currentData().toString().toStdString();
}

void MapPage::showFields()
{
    QStringList fields{QString()};
    for (const std::string& field : fleetview::fieldsOf(m_snapshot->picture->devices))
        fields += QString::fromStdString(field);
    QStringList held;
    for (int i = 0; i < m_groupBy->count(); ++i)
        held += m_groupBy->itemData(i).toString();
    if (fields == held)
        return;
    const bool isFirst = held.size() < 2;
    const QString kept = isFirst && fields.contains(QStringLiteral("site"))
        ? QStringLiteral("site")
        : m_groupBy->currentData().toString();
    const QSignalBlocker blocker(m_groupBy);
    m_groupBy->clear();
    for (const QString& name : fields)
        m_groupBy->addItem(name.isEmpty() ? tr("Nothing") : fieldWord(name.toStdString()), name);
    m_groupBy->setCurrentIndex(std::max(0, m_groupBy->findData(kept)));
}

void MapPage::refresh(bool isSoon)
{
    if (!m_snapshot)
        return;
    if (m_lens == Lens::Grid)
        showGrid();
    else if (m_lens == Lens::Waves)
        isSoon ? m_waves->showSoon(picture(), field()) : m_waves->show(*picture(), field());
    else if (m_lens == Lens::Spread)
        isSoon ? m_spread->showSoon(picture(), field(), vantage())
               : m_spread->show(picture(), field(), vantage());
    else if (m_lens == Lens::Places)
        isSoon ? m_places->showSoon(picture(), field()) : m_places->show(picture(), field());
    else
        showTable();
    showLegend();
    showSide();
    QString note = noteText();
    if (!m_drill.empty())
        note.prepend(tr("Only %1. ").arg(plain(m_drill.back(), 60)));
    if (m_recorded)
        note.prepend(tr("Not live: %1, as this console saw it. ").arg(m_time->words()));
    m_note->setText(note);
    m_note->setAccessibleName(note);
}

/// Cells become larger as if there were more room for them; what there is not is scrolled.
void MapPage::showGrid()
{
    QSize room = m_gridScroll->maximumViewportSize() - QSize(kScrollBar, 0);
    room.setHeight(static_cast<int>(room.height() * magnification() * magnification()));
    m_grid->show(picture(), field(), room);
}

QString MapPage::noteText() const
{
    if (picture()->devices.empty())
        return tr("Nothing to show yet: no device has reported.");
    if (m_lens == Lens::Waves)
        return tr(
            "Filled: devices that are healthy in the newest release by their own signed receipts, as this "
            "console saw them come.");
    if (m_lens == Lens::Spread || (m_lens == Lens::Table && m_pictured == Lens::Spread))
        return m_recorded
            ? m_spread->caption() + QLatin1Char(' ') + tr("Lines of the past were not recorded.")
            : m_spread->caption();
    if (m_lens == Lens::Places)
        return m_sitesProblem.isEmpty()
            ? m_places->caption()
            : tr("%1 The sites file is not used: %2").arg(m_places->caption(), m_sitesProblem);
    return tr("%1 devices. Green is a receipt that the device signed. Arrows move, Enter opens, + and - "
              "zoom, Home fits, T shows the table.")
        .arg(number(picture()->devices.size()));
}

/// Lines of the past were not recorded.
fleetview::Vantage MapPage::vantage() const
{
    if (!m_recorded)
        return vantageOf(m_snapshot->status, *picture());
    fleetview::Vantage vantage;
    vantage.self = m_snapshot->status.node;
    return vantage;
}

/// Closer; of a group that is all there is to see, to its devices. A group without a value has no query.
void MapPage::openGroup(const QString& name)
{
    if (field().empty() || name.isEmpty())
        return;
    const std::string query = field() + "=" + fleetview::quoted(name.toStdString());
    if (std::find(m_drill.begin(), m_drill.end(), query) == m_drill.end())
        return drill(query);
    std::string all;
    for (const std::string& each : m_drill)
        all += (all.empty() ? "" : " and ") + each;
    Q_EMIT devicesWanted(QString::fromStdString(all));
}

void MapPage::pickAgain()
{
    m_picture = m_recorded ? m_recorded : m_snapshot->picture;
    for (const std::string& query : m_drill)
        if (const auto parsed = fleetview::Query::parse(query))
            m_picture = fleetview::pick(m_picture, *parsed);
}

void MapPage::drill(const std::string& query)
{
    m_drill.push_back(query);
    m_up->setText(tr("Up from %1").arg(plain(query, 40)));
    m_up->show();
    pickAgain();
    refresh();
}

void MapPage::goUp()
{
    if (m_drill.empty())
        return;
    m_drill.pop_back();
    m_up->setVisible(!m_drill.empty());
    if (!m_drill.empty())
        m_up->setText(tr("Up from %1").arg(plain(m_drill.back(), 40)));
    pickAgain();
    refresh();
}

void MapPage::showTable()
{
    if (m_pictured == Lens::Spread)
        m_spread->show(picture(), field(), vantage());
    const fleetview::GridPlan plan = fleetview::planGrid(picture()->devices, field(), 1'000, 1'000);
    QStringList titles{field().empty() ? tr("Group") : fieldWord(field()), tr("Devices")};
    for (const Standing standing : fleetview::kAllStandings)
        titles += standingWord(standing);
    const bool isSpread = m_pictured == Lens::Spread;
    if (isSpread)
        titles +=
            {tr("Hold it"), tr("First held"), tr("Took from the agent"), tr("Gave the agent"), tr("Links")};
    m_table->setColumnCount(static_cast<int>(titles.size()));
    m_table->setHorizontalHeaderLabels(titles);
    m_table->setRowCount(static_cast<int>(plan.groups.size()));
    for (int row = 0; row < m_table->rowCount(); ++row) {
        const fleetview::GridGroup& group = plan.groups[static_cast<std::size_t>(row)];
        QStringList cells{groupWord(field(), group.name), number(group.count)};
        for (const std::size_t count : group.standings)
            cells += count == 0 ? QStringLiteral("–") : number(count);
        if (isSpread)
            cells += m_spread->cellsOf(group.name);
        for (int i = 0; i < cells.size(); ++i) {
            QTableWidgetItem* item = m_table->item(row, i);
            if (item == nullptr) {
                item = new QTableWidgetItem;
                m_table->setItem(row, i, item);
            }
            item->setText(cells[i]);
        }
    }
    fitHeadings(m_table);
    m_table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
}

void MapPage::showLegend()
{
    for (const Standing standing : fleetview::kAllStandings) {
        const std::size_t count = picture()->count(standing);
        QPushButton* const mark = m_marks[static_cast<std::size_t>(standing)];
        mark->setText(QLatin1Char(' ') + number(count));
        mark->setAccessibleName(tr("%1: %2 devices").arg(standingWord(standing), number(count)));
        mark->setToolTip(tr("%1: %2 devices. Click shows them.").arg(standingWord(standing), number(count)));
        mark->setVisible(count > 0);
    }
}

void MapPage::showSide()
{
    const fleetview::Device* device = m_chosen ? picture()->find(*m_chosen) : nullptr;
    m_open->setEnabled(device != nullptr);
    const QString html = device == nullptr
        ? QStringLiteral("<p>%1</p>").arg(tr("Click a cell, or walk there with the arrows.").toHtmlEscaped())
        : QStringLiteral("<p><b>%1</b></p>%2")
              .arg(plain(device->name).toHtmlEscaped(), whyOf(*device, picture()->at));
    if (m_side->property("shown").toString() == html)
        return;
    m_side->setProperty("shown", html);
    m_side->setHtml(html);
}

void MapPage::resizeEvent(QResizeEvent* event)
{
    Page::resizeEvent(event);
    refresh();
}

} // namespace starling::window
