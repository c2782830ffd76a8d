// SPDX-License-Identifier: Apache-2.0
#include "rollouts_page.h"

#include "error_card.h"
#include "fitting.h"
#include "fleetview/query.h"
#include "map_views.h"
#include "model/rollout_text.h"
#include "node/disk.h"
#include "words.h"

#include <QFileDialog>
#include <QHeaderView>
#include <QJsonDocument>
#include <QLocale>
#include <QPushButton>
#include <QTableView>
#include <QTableWidget>

namespace starling::window {

using fleetview::Course;
using fleetview::Rollout;
using fleetview::Standing;

namespace {

constexpr int kRow = 32, kHeading = 42;
constexpr int kListHeight = kHeading + 5 * kRow; ///< more rollouts scroll
constexpr int kGlyph = 16;
constexpr int kQueryRole = Qt::UserRole;

QString number(std::size_t value)
{
    return QLocale().toString(static_cast<qulonglong>(value));
}

Standing glyphOf(Course course)
{
    switch (course) {
    case Course::Unknown:
        return Standing::Unknown;
    case Course::Running:
        return Standing::Installing;
    case Course::Slow:
        return Standing::Stalled;
    case Course::Failing:
        return Standing::Failed;
    case Course::Done:
        return Standing::Healthy;
    case Course::Passed:
    case Course::Withdrawn:
        return Standing::Held;
    }
    return Standing::Unknown;
}

bool isSame(const Rollout& a, const Rollout& b)
{
    return a.uri == b.uri && a.revision == b.revision && a.infoHash == b.infoHash;
}

QString text(const Rollout& rollout, int column)
{
    const auto count = [](std::size_t value) { return value == 0 ? QStringLiteral("–") : number(value); };
    switch (column) {
    case RolloutModel::State:
        return console::courseWord(rollout.course);
    case RolloutModel::Release:
        return releaseName(rollout.uri, rollout.revision)
            + (rollout.known && !rollout.known->label.empty()
                   ? QStringLiteral("  ·  ") + plain(rollout.known->label, 60)
                   : QString());
    case RolloutModel::Progress:
        return rollout.eligible == 0
            ? QStringLiteral("–")
            : RolloutModel::tr("%1 of %2").arg(number(rollout.healthy), number(rollout.eligible));
    case RolloutModel::UnderWay:
        return count(rollout.underWay);
    case RolloutModel::Trouble:
        return count(rollout.trouble);
    case RolloutModel::Held:
        return count(rollout.held);
    case RolloutModel::Ends:
        return rollout.remaining ? RolloutModel::tr("in %1").arg(console::remainingText(rollout)) : QString();
    default:
        return {};
    }
}

QString summaryOf(const Rollout& rollout)
{
    if (rollout.eligible + rollout.held == 0)
        return RolloutsPage::tr("%1: no receipt that this console has seen names this release.")
            .arg(console::courseWord(rollout.course));
    QString words =
        RolloutsPage::tr("%1: %2 of %3 eligible devices are healthy")
            .arg(console::courseWord(rollout.course), number(rollout.healthy), number(rollout.eligible));
    if (rollout.underWay > 0)
        words += RolloutsPage::tr(", %1 under way").arg(number(rollout.underWay));
    if (rollout.trouble > 0)
        words += RolloutsPage::tr(", %1 failed or went back").arg(number(rollout.trouble));
    if (rollout.held > 0)
        words += RolloutsPage::tr("; %1 are held").arg(number(rollout.held));
    if (rollout.silent > 0)
        words += RolloutsPage::tr("; %1 say nothing of this resource, and whether it is for them is unknown")
                     .arg(number(rollout.silent));
    if (rollout.remaining)
        words += RolloutsPage::tr(". At the pace of %1 completions it ends in %2")
                     .arg(number(rollout.completions), console::remainingText(rollout));
    else if (rollout.underWay > 0 && rollout.course != Course::Passed)
        words += RolloutsPage::tr(". When it ends is not said before this console has seen %1 completions")
                     .arg(fleetview::kMinCompletions);
    return words + QLatin1Char('.');
}

void setText(QLabel* label, const QString& text)
{
    label->setText(text);
    label->setAccessibleName(text);
}

} // namespace

void RolloutModel::setRollouts(std::vector<Rollout> rollouts)
{
    const bool isSameSet = rollouts.size() == m_rollouts.size()
        && std::equal(rollouts.begin(), rollouts.end(), m_rollouts.begin(), isSame);
    if (!isSameSet)
        beginResetModel(); // a release has come, or another one needs attention first: not often
    m_rollouts = std::move(rollouts);
    if (!isSameSet)
        endResetModel();
    else if (!m_rollouts.empty())
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, Columns - 1));
}

void RolloutModel::setTheme(const Theme& theme)
{
    m_theme = theme;
    if (!m_rollouts.empty())
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, State));
}

const Rollout* RolloutModel::rolloutAt(int row) const
{
    return row >= 0 && row < rowCount() ? &m_rollouts[static_cast<std::size_t>(row)] : nullptr;
}

int RolloutModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rollouts.size());
}

int RolloutModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : Columns;
}

QVariant RolloutModel::data(const QModelIndex& index, int role) const
{
    const Rollout* rollout = index.isValid() ? rolloutAt(index.row()) : nullptr;
    if (rollout == nullptr)
        return {};
    if (role == Qt::DisplayRole)
        return text(*rollout, index.column());
    if (role == Qt::DecorationRole && index.column() == State)
        return m_theme.glyphIcon(glyphOf(rollout->course), kGlyph);
    if (role == Qt::TextAlignmentRole && index.column() >= Progress && index.column() <= Held)
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

QVariant RolloutModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    static const std::array kTitles{QT_TR_NOOP("State"),     QT_TR_NOOP("Release"), QT_TR_NOOP("Healthy"),
                                    QT_TR_NOOP("Under way"), QT_TR_NOOP("Failed"),  QT_TR_NOOP("Held"),
                                    QT_TR_NOOP("Ends")};
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant((section >= Progress && section <= Held ? Qt::AlignRight : Qt::AlignLeft)
                        | Qt::AlignVCenter);
    if (role == Qt::DisplayRole)
        return tr(kTitles[static_cast<std::size_t>(section)]);
    return {};
}

RolloutsPage::RolloutsPage(QWidget* parent)
    : Page(parent)
    , m_model(new RolloutModel(this))
{
    QVBoxLayout* const layout = column(this, 20, 12);
    auto* const bar = new QHBoxLayout;
    m_empty =
        label(tr("Nothing is on its way. Each release that is pushed shows here, as a rollout of one wave."),
              "muted");
    m_empty->setWordWrap(true);
    m_publish = named(new QPushButton(tr("New release…")), tr("Make, sign and push a release"), "primary");
    bar->addWidget(m_empty, 1);
    bar->addWidget(m_publish);
    layout->addLayout(bar);
    layout->addWidget(m_error = new ErrorCard);
    layout->addWidget(makeList());
    layout->addWidget(m_detail = makeDetail(), 1);
    layout->addStretch();
    m_detail->hide();
    m_table->hide();
    connect(m_publish, &QPushButton::clicked, this, &RolloutsPage::publishWanted);
}

QWidget* RolloutsPage::makeList()
{
    m_table = named(new QTableView, tr("Rollouts, those that need attention first"));
    m_table->setModel(m_model);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(kRow);
    m_table->horizontalHeader()->setSectionResizeMode(RolloutModel::Release, QHeaderView::Stretch);
    const std::array widths{230, 0, 140, 115, 90, 90, 150};
    for (std::size_t i = 0; i < widths.size(); ++i)
        if (widths[i] > 0)
            m_table->setColumnWidth(static_cast<int>(i), widths[i]);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this] {
        if (!m_isSettling)
            showDetail();
    });
    return m_table;
}

QWidget* RolloutsPage::makeDetail()
{
    QWidget* const box = card(tr("The chosen rollout"));
    auto* const layout = static_cast<QVBoxLayout*>(box->layout());
    auto* const row = new QHBoxLayout;
    row->setSpacing(8);
    auto* const words = new QVBoxLayout;
    words->setSpacing(2);
    words->addWidget(m_title = label({}, "heading"));
    words->addWidget(m_summary = label({}, "muted"));
    m_summary->setWordWrap(true);
    row->addLayout(words, 1);
    m_stragglers =
        named(new QPushButton(tr("Show stragglers")), tr("Show the devices that are not healthy in it yet"));
    m_json = named(new QPushButton(tr("Report JSON…")), tr("Export the report as JSON"));
    m_csv = named(new QPushButton(tr("CSV…")), tr("Export the stragglers as CSV"));
    for (QPushButton* const button : {m_stragglers, m_json, m_csv})
        row->addWidget(button, 0, Qt::AlignTop);
    layout->addLayout(row);
    layout->addWidget(
        label(tr("Healthy over time, each device in the newest of all its resources"), "muted"));
    layout->addWidget(m_waves = new WavesView, 1);
    m_waves->setFocusPolicy(Qt::NoFocus); // there is nothing to do with it here
    m_reasons = named(new QTableWidget(0, 3), tr("Why devices are not healthy yet, worst first"));
    m_reasons->setHorizontalHeaderLabels({tr("State"), tr("Devices"), tr("They say")});
    m_reasons->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_reasons->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_reasons->setShowGrid(false);
    m_reasons->setTabKeyNavigation(false);
    m_reasons->verticalHeader()->hide();
    m_reasons->verticalHeader()->setDefaultSectionSize(30);
    m_reasons->horizontalHeader()->setSectionResizeMode(2, QHeaderView::Stretch);
    m_reasons->horizontalHeaderItem(2)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_reasons->horizontalHeaderItem(0)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_reasons->setColumnWidth(0, 150);
    m_reasons->setColumnWidth(1, 90);
    m_reasons->setToolTip(tr("Enter or double click shows these devices"));
    layout->addWidget(m_reasons, 1);
    connect(m_reasons, &QTableWidget::itemActivated, this, [this](const QTableWidgetItem* item) {
        Q_EMIT devicesWanted(m_reasons->item(item->row(), 0)->data(kQueryRole).toString());
    });
    connect(m_stragglers, &QPushButton::clicked, this, [this] {
        if (m_report)
            Q_EMIT devicesWanted(QStringLiteral("uri=%1 and state!=healthy and state!=held")
                                     .arg(plain(m_report->rollout.uri.text())));
    });
    connect(m_json, &QPushButton::clicked, this, [this] { askWhere(Format::Json); });
    connect(m_csv, &QPushButton::clicked, this, [this] { askWhere(Format::Csv); });
    return box;
}

void RolloutsPage::setTheme(const Theme& theme)
{
    Page::setTheme(theme);
    m_model->setTheme(theme);
    m_waves->setTheme(theme);
    m_reasons->setColumnWidth(0, std::max(m_reasons->columnWidth(0), standingWidth(*m_reasons)));
    showReasons();
}

void RolloutsPage::showEvent(QShowEvent* event)
{
    Page::showEvent(event);
    refresh();
}

void RolloutsPage::show(const SnapshotPtr& snapshot)
{
    m_snapshot = snapshot;
    if (isVisible()) // what nobody sees is not counted
        refresh();
}

void RolloutsPage::refresh()
{
    if (!m_snapshot)
        return;
    const fleetview::PicturePtr& picture = m_snapshot->picture;
    m_counting.run<std::vector<Rollout>>(
        picture->devices.size(), [picture] { return fleetview::rolloutsOf(*picture); },
        [this](std::vector<Rollout> rollouts) { take(std::move(rollouts)); });
}

void RolloutsPage::take(std::vector<Rollout> rollouts)
{
    const Rollout* const before = m_model->rolloutAt(m_table->currentIndex().row());
    const std::optional<Rollout> chosen = before != nullptr ? std::optional(*before) : std::nullopt;
    m_isSettling = true;
    m_model->setRollouts(std::move(rollouts));
    int row = m_model->rowCount() > 0 ? 0 : -1;
    for (int i = 0; chosen && i < m_model->rowCount(); ++i)
        if (isSame(*m_model->rolloutAt(i), *chosen))
            row = i;
    if (row >= 0 && m_table->currentIndex().row() != row)
        m_table->setCurrentIndex(m_model->index(row, 0));
    m_isSettling = false;
    m_empty->setText(row >= 0 ? QString() : m_empty->accessibleName());
    m_table->setVisible(row >= 0);
    m_table->setFixedHeight(std::min(kListHeight, kHeading + kRow * std::max(1, m_model->rowCount())));
    showDetail();
}

void RolloutsPage::showDetail()
{
    const Rollout* const rollout = m_model->rolloutAt(m_table->currentIndex().row());
    m_detail->setVisible(rollout != nullptr);
    if (rollout == nullptr || (m_report && !isSame(m_report->rollout, *rollout)))
        m_report.reset();
    if (rollout == nullptr)
        return;
    const fleetview::Picture& picture = *m_snapshot->picture;
    setText(m_title, text(*rollout, RolloutModel::Release));
    setText(m_summary, summaryOf(*rollout));
    const bool hasSites = std::any_of(picture.devices.begin(), picture.devices.end(),
                                      [](const auto& device) { return !device->label("site").empty(); });
    m_waves->showSoon(m_snapshot->picture, hasSites ? "site" : "");
    m_reporting.run<fleetview::RolloutReport>(
        picture.devices.size(),
        [of = m_snapshot->picture, rollout = *rollout] { return fleetview::reportOf(*of, rollout); },
        [this](fleetview::RolloutReport report) { take(std::move(report)); });
}

void RolloutsPage::take(fleetview::RolloutReport report)
{
    const Rollout* const rollout = m_model->rolloutAt(m_table->currentIndex().row());
    if (rollout == nullptr || !isSame(*rollout, report.rollout))
        return; // another one was chosen meanwhile
    m_report = std::move(report);
    m_stragglers->setText(m_report->stragglers.size() == 1
                              ? tr("Show 1 straggler")
                              : tr("Show %1 stragglers").arg(number(m_report->stragglers.size())));
    m_stragglers->setEnabled(!m_report->stragglers.empty());
    showReasons();
}

void RolloutsPage::showReasons()
{
    if (!m_report)
        return;
    const int kept = m_reasons->currentRow();
    m_reasons->setRowCount(static_cast<int>(m_report->reasons.size()));
    const std::string of = "uri=" + std::string(m_report->rollout.uri.text());
    for (int row = 0; row < m_reasons->rowCount(); ++row) {
        const fleetview::RolloutReason& reason = m_report->reasons[static_cast<std::size_t>(row)];
        auto* const state =
            new QTableWidgetItem(m_theme.glyphIcon(reason.standing, kGlyph), standingWord(reason.standing));
        state->setData(kQueryRole,
                       QString::fromStdString(
                           of + " and state=" + std::string(fleetview::standingName(reason.standing))));
        auto* const devices = new QTableWidgetItem(number(reason.devices));
        devices->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        m_reasons->setItem(row, 0, state);
        m_reasons->setItem(row, 1, devices);
        m_reasons->setItem(row, 2,
                           new QTableWidgetItem(plain(console::reasonText(reason).toStdString(), 400)));
    }
    if (kept >= 0 && kept < m_reasons->rowCount())
        m_reasons->setCurrentCell(kept, 0);
    m_reasons->setVisible(m_reasons->rowCount() > 0);
}

void RolloutsPage::askWhere(Format format)
{
    if (!m_report)
        return;
    const QString suffix = format == Format::Json ? QStringLiteral("json") : QStringLiteral("csv");
    auto* const dialog = new QFileDialog(this, tr("Export the report"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(suffix);
    dialog->selectFile(QStringLiteral("rollout-%1.%2")
                           .arg(plain(trust::toString(m_report->rollout.revision))
                                    .replace(QLatin1Char(':'), QLatin1Char('-')),
                                suffix));
    connect(dialog, &QFileDialog::fileSelected, this, [this, format](const QString& path) {
        m_error->hide();
        if (const auto done = exportTo(path, format); !done)
            m_error->tell(tr("The report was not exported."), done.error());
    });
    dialog->open();
}

Status RolloutsPage::exportTo(const QString& path, Format format) const
{
    if (!m_report)
        return fail(Errc::NotFound, "no rollout is chosen");
    const QByteArray bytes = format == Format::Json
        ? QJsonDocument(console::jsonOf(*m_report, m_snapshot->picture->at)).toJson()
        : console::csvOf(*m_report);
    return node::writeFile(path.toStdString(),
                           viewOf({bytes.constData(), static_cast<std::size_t>(bytes.size())}),
                           node::FileMode::Public);
}

} // namespace starling::window
