// SPDX-License-Identifier: Apache-2.0
#include "log_page.h"

#include "error_card.h"
#include "events_view.h"
#include "node/disk.h"
#include "words.h"

#include <QClipboard>
#include <QDateTime>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHeaderView>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QTabBar>
#include <QTabWidget>
#include <QTableView>

#include <numeric>

namespace starling::window {

namespace {

constexpr qsizetype kMaxShown = 600; ///< characters of a cell; a field has 512 bytes at most

/// The acts that this version knows, in words; others as they stand.
QString actWord(const std::string& act)
{
    using console::Act;
    static const std::array<std::pair<Act, const char*>, 11> kWords{
        {{Act::FleetCreated, QT_TR_NOOP("Fleet made")},
         {Act::KeyMade, QT_TR_NOOP("Key made")},
         {Act::ReleaseSigned, QT_TR_NOOP("Release signed")},
         {Act::ReleasePushed, QT_TR_NOOP("Release pushed")},
         {Act::DeviceAdmitted, QT_TR_NOOP("Device admitted")},
         {Act::DevicesDenied, QT_TR_NOOP("Device denied")},
         {Act::ObserverNamed, QT_TR_NOOP("Observer named")},
         {Act::RootSigned, QT_TR_NOOP("Root signed")},
         {Act::RootPushed, QT_TR_NOOP("Root pushed")},
         {Act::TokenIssued, QT_TR_NOOP("Token issued")},
         {Act::ReleaseWithdrawn, QT_TR_NOOP("Release withdrawn")}}};
    for (const auto& [known, word] : kWords)
        if (console::actName(known) == act)
            return AuditModel::tr(word);
    return plain(act);
}

QString text(const console::AuditEntry& entry, int column)
{
    switch (column) {
    case AuditModel::When:
        return QLocale().toString(QDateTime::fromSecsSinceEpoch(entry.at.time_since_epoch().count()),
                                  QStringLiteral("yyyy-MM-dd HH:mm:ss"));
    case AuditModel::Who:
        return plain(entry.who);
    case AuditModel::What:
        return actWord(entry.act);
    case AuditModel::Scope:
        return plain(entry.scope, kMaxShown);
    case AuditModel::Outcome:
        return entry.outcome == "ok" ? AuditModel::tr("done") : plain(entry.outcome);
    case AuditModel::Detail:
        return plain(entry.detail, kMaxShown);
    default:
        return {};
    }
}

void setText(QLabel* label, const QString& text)
{
    label->setText(text);
    label->setAccessibleName(text);
}

QTableView* makeTable(AuditModel* model)
{
    auto* const table = named(new QTableView, LogPage::tr("Audit log, newest first"));
    table->setModel(model);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setShowGrid(false);
    table->setWordWrap(false);
    table->setTabKeyNavigation(false);
    table->verticalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(32);
    table->horizontalHeader()->setSectionResizeMode(AuditModel::Detail, QHeaderView::Stretch);
    const std::array widths{160, 150, 130, 220, 130};
    for (std::size_t i = 0; i < widths.size(); ++i)
        table->setColumnWidth(static_cast<int>(i), widths[i]);
    return table;
}

} // namespace

void AuditModel::setTrail(console::AuditTrail trail)
{
    beginResetModel(); // when somebody opens the page or asks for it
    m_trail = std::move(trail);
    select();
    endResetModel();
}

void AuditModel::setFilter(const QString& text)
{
    beginResetModel();
    m_filter = text.trimmed();
    select();
    endResetModel();
}

void AuditModel::select()
{
    m_rows.resize(m_trail.lines.size());
    std::iota(m_rows.rbegin(), m_rows.rend(), std::size_t{0});
    if (m_filter.isEmpty())
        return;
    std::erase_if(m_rows, [this](std::size_t row) {
        for (int column = 0; column < Columns; ++column)
            if (text(m_trail.lines[row].entry, column).contains(m_filter, Qt::CaseInsensitive))
                return false;
        return true;
    });
}

int AuditModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int AuditModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : Columns;
}

QVariant AuditModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    if (role == Qt::DisplayRole)
        return text(lineAt(index.row()).entry, index.column());
    if (role == Qt::ToolTipRole && (index.column() == Scope || index.column() == Detail))
        return text(lineAt(index.row()).entry, index.column()).toHtmlEscaped();
    return {};
}

QVariant AuditModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    static const std::array kTitles{QT_TR_NOOP("When"),    QT_TR_NOOP("Who"),    QT_TR_NOOP("What"),
                                    QT_TR_NOOP("Of what"), QT_TR_NOOP("Result"), QT_TR_NOOP("With what")};
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant(Qt::AlignLeft | Qt::AlignVCenter);
    if (role == Qt::DisplayRole)
        return tr(kTitles[static_cast<std::size_t>(section)]);
    return {};
}

LogPage::LogPage(console::AuditLog log)
    : m_log(std::move(log))
    , m_model(new AuditModel(this))
{
    auto* const kinds = named(new QTabWidget, tr("Audit and events"));
    kinds->tabBar()->setAccessibleName(kinds->accessibleName());
    kinds->addTab(makeAudit(), tr("Audit"));
    auto* const events = named(new QWidget, tr("Events"));
    column(events, 12, 0)->addWidget(m_events = new EventsView);
    kinds->addTab(events, tr("Events"));
    column(this, 20, 10)->addWidget(kinds);
    connect(m_verify, &QPushButton::clicked, this, &LogPage::reload);
    connect(m_export, &QPushButton::clicked, this, &LogPage::askWhere);
    connect(m_copy, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(plain(m_model->trail().head.hex())); });
    connect(m_filter, &QLineEdit::textChanged, this, [this](const QString& text) {
        m_model->setFilter(text);
        showCount();
    });
    showCount();
}

QWidget* LogPage::makeAudit()
{
    auto* const audit = named(new QWidget, tr("Audit"));
    QVBoxLayout* const layout = column(audit, 12, 10);
    QWidget* const chain = card(tr("Whether the log is whole"));
    auto* const state = new QHBoxLayout;
    state->setSpacing(8);
    auto* const words = new QVBoxLayout;
    words->setSpacing(2);
    words->addWidget(m_verdict = label(tr("Not read yet."), "heading"));
    words->addWidget(m_head = label({}, "muted"));
    m_verdict->setWordWrap(true);
    m_head->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_head->setToolTip(
        tr("Keep this hash elsewhere: starling audit verify --head says later whether all up to here is "
           "still there."));
    state->addLayout(words, 1);
    m_copy = named(new QPushButton(tr("Copy hash")), tr("Copy the hash of the newest entry"));
    m_verify = named(new QPushButton(tr("Verify again")), tr("Read and verify the log again"));
    state->addWidget(m_copy, 0, Qt::AlignTop);
    state->addWidget(m_verify, 0, Qt::AlignTop);
    static_cast<QVBoxLayout*>(chain->layout())->addLayout(state);
    layout->addWidget(chain);
    layout->addWidget(m_error = new ErrorCard);
    auto* const bar = new QHBoxLayout;
    m_filter = named(new QLineEdit, tr("Filter the log"));
    m_filter->setPlaceholderText(tr("Filter, as in: pushed, or fw/gateway"));
    m_filter->setClearButtonEnabled(true);
    m_count = label({}, "muted");
    m_export = named(new QPushButton(tr("Export JSON…")), tr("Export what is shown as JSON"));
    bar->addWidget(m_filter, 1);
    bar->addWidget(m_count);
    bar->addWidget(m_export);
    layout->addLayout(bar);
    m_empty = label(
        tr("Nothing yet. What you sign, push, admit and make is noted here, from this window and from the "
           "command line alike."),
        "muted");
    m_empty->setWordWrap(true);
    layout->addWidget(m_empty);
    m_table = makeTable(m_model);
    layout->addWidget(m_table, 1);
    layout->addStretch();
    return audit;
}

void LogPage::show(const SnapshotPtr& snapshot)
{
    m_events->show(snapshot);
}

void LogPage::showEvent(QShowEvent* event)
{
    Page::showEvent(event);
    reload();
}

void LogPage::reload()
{
    m_reading.start<console::AuditTrail>(
        [log = m_log](Job::Ticket&) { return log.read(); },
        [this](Result<console::AuditTrail> trail) { take(std::move(trail)); });
}

void LogPage::take(Result<console::AuditTrail> trail)
{
    m_error->hide();
    if (!trail) {
        setText(m_verdict, tr("The log cannot be read; nothing in it was changed."));
        m_error->tell(tr("The log cannot be read."), trail.error());
        m_model->setTrail({});
        setText(m_head, {});
        return showCount();
    }
    const auto entries = QLocale().toString(static_cast<qulonglong>(trail->lines.size()));
    setText(m_verdict,
            trail->isGood()
                ? (trail->lines.empty() ? tr("No entry yet")
                                        : tr("Whole: each of %1 entries follows the one before").arg(entries))
                : tr("Not whole: %1").arg(plain(console::verdictOf(*trail), 400)));
    setText(m_head, trail->lines.empty() ? QString() : tr("Newest entry %1").arg(plain(trail->head.hex())));
    m_model->setTrail(std::move(*trail));
    showCount();
}

void LogPage::showCount()
{
    const std::size_t all = m_model->trail().lines.size();
    setText(
        m_count,
        tr("%1 of %2")
            .arg(QLocale().toString(m_model->rowCount()), QLocale().toString(static_cast<qulonglong>(all))));
    m_empty->setVisible(all == 0);
    m_table->setVisible(all > 0);
    m_copy->setVisible(all > 0);
    m_export->setEnabled(m_model->rowCount() > 0);
}

void LogPage::askWhere()
{
    auto* const dialog = new QFileDialog(this, tr("Export the log"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setNameFilters({tr("JSON (*.json)")});
    dialog->setDefaultSuffix(QStringLiteral("json"));
    dialog->selectFile(QStringLiteral("audit.json"));
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
        if (const auto done = exportTo(path); !done)
            m_error->tell(tr("The log was not exported."), done.error());
    });
    dialog->open();
}

Status LogPage::exportTo(const QString& path) const
{
    QJsonArray entries;
    for (int row = m_model->rowCount() - 1; row >= 0; --row)
        entries.append(console::jsonOf(m_model->lineAt(row)));
    const QByteArray bytes = QJsonDocument(entries).toJson();
    return node::writeFile(path.toStdString(),
                           viewOf({bytes.constData(), static_cast<std::size_t>(bytes.size())}),
                           node::FileMode::Private);
}

} // namespace starling::window
