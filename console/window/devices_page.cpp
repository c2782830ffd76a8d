// SPDX-License-Identifier: Apache-2.0
#include "devices_page.h"

#include "admin/audit_log.h"
#include "device_details.h"
#include "fitting.h"
#include "pieces_bar.h"
#include "query_box.h"
#include "words.h"

#include <QApplication>
#include <QClipboard>
#include <QDateTime>
#include <QHeaderView>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QShortcut>
#include <QSplitter>
#include <QTabWidget>
#include <QTableView>
#include <QTextBrowser>
#include <QTreeWidget>

namespace starling::window {

namespace {

QString number(std::size_t value)
{
    return QLocale().toString(static_cast<qulonglong>(value));
}

} // namespace

DevicesPage::DevicesPage(QWidget* parent)
    : Page(parent)
    , m_model(new DeviceModel(this))
{
    QVBoxLayout* const layout = column(this, 20, 10);
    auto* const across = named(new QSplitter(Qt::Horizontal), tr("Facets and devices"));
    across->setChildrenCollapsible(false);
    across->setHandleWidth(14);
    across->addWidget(makeFacets());
    auto* const down = named(new QSplitter(Qt::Vertical), tr("Devices and details"));
    down->setChildrenCollapsible(false);
    down->setHandleWidth(12);
    down->addWidget(makeTable());
    down->addWidget(makeDock());
    down->setStretchFactor(0, 1);
    down->setSizes({500, 210});
    across->addWidget(down);
    across->setStretchFactor(1, 1);
    across->setSizes({210, 900});
    layout->addWidget(across);
    connect(m_model, &DeviceModel::settled, this, [this] {
        showCount();
        if (m_chosen)
            if (const int at = m_model->rowOf(*m_chosen); at >= 0 && m_table->currentIndex().row() != at) {
                m_isSettling = true;
                m_table->setCurrentIndex(m_model->index(at, 0));
                m_isSettling = false;
            }
        showDetail();
    });
}

QWidget* DevicesPage::makeFacets()
{
    m_facets = named(new QTreeWidget, tr("Facets: how many devices have what"));
    m_facets->setColumnCount(2);
    m_facets->setHeaderHidden(true);
    m_facets->setRootIsDecorated(false);
    m_facets->setIndentation(8);
    m_facets->setMinimumWidth(205);
    m_facets->header()->setStretchLastSection(false);
    m_facets->header()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_facets->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    m_facets->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_facets->setToolTip(tr("Click shows these devices; Ctrl+click narrows what is shown"));
    const auto take = [this](const QTreeWidgetItem* item) {
        if (const QString test = item->data(0, Qt::UserRole).toString(); !test.isEmpty())
            pick(test, QApplication::keyboardModifiers().testFlag(Qt::ControlModifier));
    };
    connect(m_facets, &QTreeWidget::itemClicked, this, take);
    auto* const enter = new QShortcut(Qt::Key_Return, m_facets, nullptr, nullptr, Qt::WidgetShortcut);
    connect(enter, &QShortcut::activated, this, [this, take] {
        if (m_facets->currentItem() != nullptr)
            take(m_facets->currentItem());
    });
    return m_facets;
}

QWidget* DevicesPage::makeTable()
{
    auto* const part = named(new QWidget, tr("Devices"));
    QVBoxLayout* const layout = column(part, 0, 8);
    auto* const bar = new QHBoxLayout;
    m_query = new QueryBox;
    m_count = label({}, "muted");
    m_clear = named(new QPushButton(tr("Clear")), tr("Show all devices"));
    connect(m_clear, &QPushButton::clicked, this, [this] { m_query->setText({}); });
    bar->addWidget(m_query, 1);
    bar->addWidget(m_count);
    bar->addWidget(m_clear);
    auto* const add = named(new QPushButton(tr("Add…")), tr("Add a device"));
    connect(add, &QPushButton::clicked, this, &DevicesPage::addWanted);
    bar->addWidget(add);
    layout->addLayout(bar);
    layout->addWidget(m_problem = label({}, "muted"));
    m_problem->hide();
    m_table = named(new QTableView, tr("Devices"));
    m_table->setModel(m_model);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(DeviceModel::State, Qt::DescendingOrder);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(32);
    m_table->horizontalHeader()->setStretchLastSection(false);
    m_table->horizontalHeader()->setSectionResizeMode(DeviceModel::Says, QHeaderView::Stretch);
    const std::array widths{126, 120, 92, 116, 82, 0, 132};
    for (int i = 0; i < DeviceModel::Columns; ++i)
        if (widths[static_cast<std::size_t>(i)] > 0)
            m_table->setColumnWidth(i, widths[static_cast<std::size_t>(i)]);
    layout->addWidget(m_table, 1);
    connect(m_query, &QueryBox::changed, this, &DevicesPage::applyQuery);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            [this](const QModelIndex& current) {
                if (m_isSettling)
                    return;
                if (const fleetview::Device* device = m_model->deviceAt(current.row()); device != nullptr)
                    m_chosen = device->node;
                showDetail();
            });
    auto* const copy = new QShortcut(QKeySequence::Copy, m_table, nullptr, nullptr, Qt::WidgetShortcut);
    connect(copy, &QShortcut::activated, this, &DevicesPage::copyRows);
    return part;
}

QWidget* DevicesPage::makeDock()
{
    m_dock = named(new QTabWidget, tr("Details of the chosen device"));
    m_dock->setDocumentMode(false);
    m_dock->tabBar()->setAccessibleName(tr("Kinds of details"));
    const auto browser = [this](const QString& title) {
        auto* const text = named(new QTextBrowser, title);
        text->setOpenLinks(false);
        m_dock->addTab(text, title);
        return text;
    };
    m_why = browser(tr("Why"));
    m_progress = browser(tr("Progress"));
    m_peers = browser(tr("Peers"));
    m_history = browser(tr("History"));
    m_health = browser(tr("Health"));
    m_log = browser(tr("Log"));
    m_identity = browser(tr("Identity"));
    connect(m_dock, &QTabWidget::currentChanged, this, &DevicesPage::readLog);
    m_deny = named(new QPushButton(tr("Take out…")), tr("Take the chosen device out of the fleet"));
    m_deny->setEnabled(false);
    m_dock->setCornerWidget(m_deny);
    connect(m_deny, &QPushButton::clicked, this, [this] {
        const auto at = m_chosen && m_snapshot ? m_snapshot->picture->indexOf(*m_chosen) : std::nullopt;
        if (at)
            Q_EMIT denyWanted(m_snapshot->picture->devices[*at]);
    });
    auto* const part = named(new QWidget, tr("Details"));
    QVBoxLayout* const layout = column(part, 0, 6);
    layout->addWidget(m_dock, 1);
    layout->addWidget(m_pieces = new PiecesBar);
    m_pieces->hide();
    part->setMinimumHeight(150);
    return part;
}

void DevicesPage::setTheme(const Theme& theme)
{
    Page::setTheme(theme);
    m_model->setTheme(theme);
    const int wide = standingWidth(*m_table);
    m_table->setColumnWidth(DeviceModel::State, std::max(m_table->columnWidth(DeviceModel::State), wide));
    constexpr int kCount = 70; // px beside the words: how many, and room
    m_facets->setMinimumWidth(std::max(m_facets->minimumWidth(), wide + kCount));
    m_pieces->setTheme(theme);
    m_facetKey.clear();
    countFacets();
}

void DevicesPage::show(const SnapshotPtr& snapshot)
{
    m_snapshot = snapshot;
    m_model->setPicture(snapshot->picture);
    countFacets();
}

void DevicesPage::setQuery(const QString& text)
{
    m_query->setText(text);
}

void DevicesPage::choose(const NodeId& node)
{
    m_chosen = node;
    const int at = m_model->rowOf(node);
    if (at >= 0)
        m_table->setCurrentIndex(m_model->index(at, 0));
    else
        m_query->setText({});
    showDetail();
}

void DevicesPage::focusQuery()
{
    m_query->edit()->setFocus(Qt::ShortcutFocusReason);
    m_query->edit()->selectAll();
}

void DevicesPage::applyQuery()
{
    auto query = fleetview::Query::parse(m_query->text().toStdString());
    m_problem->setVisible(!query);
    if (!query) {
        // What is shown is still what the last good query says.
        m_problem->setText(tr("Not applied: %1").arg(plain(query.error().context)));
        m_problem->setAccessibleName(m_problem->text());
        return;
    }
    m_model->setQuery(std::move(*query));
}

void DevicesPage::pick(const QString& test, bool isAdded)
{
    const QString before = m_query->text().trimmed();
    if (!isAdded || before.isEmpty())
        m_query->setText(test);
    else
        m_query->setText(QStringLiteral("(%1) and %2").arg(before, test));
}

void DevicesPage::countFacets()
{
    if (!m_snapshot)
        return;
    const fleetview::PicturePtr& picture = m_snapshot->picture;
    m_counting.run<std::vector<fleetview::Facet>>(
        picture->devices.size(), [picture] { return fleetview::facetsOf(picture->devices); },
        [this](const std::vector<fleetview::Facet>& facets) { showFacets(facets); });
}

void DevicesPage::showFacets(const std::vector<fleetview::Facet>& facets)
{
    m_query->setFacets(facets);
    std::vector<std::string> key;
    for (const fleetview::Facet& facet : facets)
        for (const fleetview::FacetValue& value : facet.values)
            key.push_back(facet.field + "=" + value.value + " " + std::to_string(value.devices));
    if (key == m_facetKey)
        return; // what somebody walks through does not change under the cursor
    m_facetKey = std::move(key);
    const QString kept = m_facets->currentItem() == nullptr
        ? QString()
        : m_facets->currentItem()->data(0, Qt::UserRole).toString();
    m_facets->clear();
    for (const fleetview::Facet& facet : facets) {
        auto* const heading = new QTreeWidgetItem(m_facets, {fieldWord(facet.field), QString()});
        QFont bold = heading->font(0);
        bold.setBold(true);
        heading->setFont(0, bold);
        heading->setFlags(Qt::ItemIsEnabled);
        for (const fleetview::FacetValue& value : facet.values) {
            const bool isState = facet.field == "state";
            const auto standing =
                fleetview::standingNamed(isState ? value.value : "").value_or(fleetview::Standing::Unknown);
            auto* const item = new QTreeWidgetItem(
                heading, {isState ? standingWord(standing) : plain(value.value, 40), number(value.devices)});
            if (isState)
                item->setIcon(0, m_theme.glyphIcon(standing, 16));
            item->setTextAlignment(1, Qt::AlignRight | Qt::AlignVCenter);
            const QString test = QString::fromStdString(facet.field + "=" + fleetview::quoted(value.value));
            item->setData(0, Qt::UserRole, test);
            if (test == kept)
                m_facets->setCurrentItem(item);
        }
        if (facet.others > 0)
            (new QTreeWidgetItem(heading, {tr("others"), number(facet.others)}))->setFlags(Qt::ItemIsEnabled);
        heading->setExpanded(true);
    }
}

void DevicesPage::showCount()
{
    const auto shown = static_cast<std::size_t>(m_model->rowCount());
    m_count->setText(tr("%1 of %2").arg(number(shown), number(m_model->total())));
    m_count->setAccessibleName(tr("%1 devices shown").arg(m_count->text()));
    m_clear->setVisible(!m_query->text().isEmpty());
}

void DevicesPage::showDetail()
{
    const fleetview::Device* device = m_chosen && m_snapshot ? m_snapshot->picture->find(*m_chosen) : nullptr;
    m_deny->setEnabled(device != nullptr);
    showPieces(device);
    if (device == nullptr) {
        for (QTextBrowser* const text :
             {m_why, m_progress, m_peers, m_history, m_health, m_log, m_identity}) {
            text->setProperty("shown", QString());
            text->setPlainText(m_model->total() == 0
                                   ? tr("No device has reported yet.")
                                   : tr("Choose a device to see why it stands where it does."));
        }
        m_logged.reset();
        return;
    }
    const auto set = [](QTextBrowser* browser, const QString& html) {
        if (browser->property("shown").toString() == html)
            return; // scrolled and selected text stays
        browser->setProperty("shown", html);
        browser->setHtml(html);
    };
    set(m_why, whyOf(*m_snapshot->picture, *device));
    set(m_progress, progressOf(*m_snapshot, *device));
    set(m_peers, peersOf(*m_snapshot, *device));
    set(m_history, historyOf(*device));
    set(m_health, healthOf(*m_snapshot, *device));
    set(m_identity, identityOf(*device));
    readLog();
}

/// Only while somebody looks: the log is a file, and may be long.
void DevicesPage::readLog()
{
    if (m_dock->currentWidget() != m_log || !m_chosen || m_logged == m_chosen || m_reading.isRunning())
        return;
    m_logged = m_chosen;
    m_reading.start<console::AuditTrail>([](Job::Ticket&) { return console::AuditLog().read(); },
                                         [this](const Result<console::AuditTrail>& trail) {
                                             if (m_logged != m_chosen)
                                                 return readLog(); // another one meanwhile
                                             if (m_logged)
                                                 m_log->setHtml(trail ? logOf(*trail, *m_logged)
                                                                      : plain(toString(trail.error())));
                                         });
}

/// Of what the agent that is asked fetches itself.
void DevicesPage::showPieces(const fleetview::Device* device)
{
    const auto* const entry = device != nullptr ? device->decisiveEntry() : nullptr;
    const Bytes* pieces = nullptr;
    if (entry != nullptr && m_snapshot->status.node == device->node)
        for (const control::UpdateLine& update : m_snapshot->status.updates)
            if (update.uri == entry->uri && update.revision == entry->revision && !update.pieces.empty())
                pieces = &update.pieces;
    if (pieces != nullptr)
        m_pieces->setPieces(*pieces);
    m_pieces->setVisible(pieces != nullptr);
}

void DevicesPage::copyRows() const
{
    QStringList lines;
    for (const QModelIndex& index : m_table->selectionModel()->selectedRows()) {
        QStringList cells;
        for (int i = 0; i < DeviceModel::Columns; ++i)
            cells += m_model->index(index.row(), i).data().toString();
        lines += cells.join(QLatin1Char('\t'));
    }
    QApplication::clipboard()->setText(lines.join(QLatin1Char('\n')));
}

} // namespace starling::window
