// SPDX-License-Identifier: Apache-2.0
#include "events_view.h"

#include "model/why_text.h"
#include "page.h"
#include "words.h"

#include <QClipboard>
#include <QComboBox>
#include <QDateTime>
#include <QGuiApplication>
#include <QHeaderView>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QTableView>

namespace starling::window {

using Kind = control::Event::What;

namespace {

constexpr std::array kKinds{Kind::Update, Kind::Receipt, Kind::Refused, Kind::Link, Kind::Overflow};

QString kindWord(Kind what)
{
    switch (what) {
    case Kind::Update:
        return EventsView::tr("Update");
    case Kind::Refused:
        return EventsView::tr("Refused");
    case Kind::Link:
        return EventsView::tr("Link");
    case Kind::Receipt:
        return EventsView::tr("Receipt");
    case Kind::Overflow:
        return EventsView::tr("Missed");
    }
    return {};
}

/// As in the JSON of starling watch.
QString kindName(Kind what)
{
    static const std::array kNames{QStringLiteral("update"), QStringLiteral("refused"),
                                   QStringLiteral("link"), QStringLiteral("receipt"),
                                   QStringLiteral("overflow")};
    return kNames[static_cast<std::size_t>(what) - 1];
}

QJsonObject jsonOf(const SeenEvent& seen)
{
    const control::Event& event = seen.event;
    QJsonObject object{
        {QStringLiteral("at"), QDateTime::fromMSecsSinceEpoch(seen.at, Qt::UTC).toString(Qt::ISODateWithMs)},
        {QStringLiteral("event"), kindName(event.what)}};
    if (!event.uri.empty()) {
        object.insert(QStringLiteral("uri"), QString::fromStdString(event.uri));
        object.insert(QStringLiteral("version"), plain(trust::toString(event.revision)));
        object.insert(QStringLiteral("phase"), plain(trust::phaseName(event.phase)));
    }
    if (const auto code = errcOf(event.code))
        object.insert(QStringLiteral("code"), QString::fromStdString(codeName(*code)));
    if (!event.node.isZero())
        object.insert(QStringLiteral("node"), QString::fromStdString(event.node.hex()));
    if (!event.text.empty())
        object.insert(QStringLiteral("text"), QString::fromStdString(event.text));
    return object;
}

} // namespace

void EventModel::setSnapshot(const SnapshotPtr& snapshot)
{
    m_picture = snapshot->picture;
    if (snapshot->events == m_events)
        return;
    beginResetModel();
    m_events = snapshot->events;
    select();
    endResetModel();
}

void EventModel::setFilter(const QString& text, std::optional<Kind> kind)
{
    beginResetModel();
    m_filter = text.trimmed();
    m_kind = kind;
    select();
    endResetModel();
}

void EventModel::select()
{
    m_rows.clear();
    for (std::size_t i = total(); i > 0; --i) {
        const SeenEvent& seen = (*m_events)[i - 1];
        bool isShown = m_filter.isEmpty();
        for (int column = 0; column < Columns && !isShown; ++column)
            isShown = text(seen, column).contains(m_filter, Qt::CaseInsensitive);
        if (isShown && (!m_kind || seen.event.what == *m_kind))
            m_rows.push_back(i - 1);
    }
}

QString EventModel::text(const SeenEvent& seen, int column) const
{
    const control::Event& event = seen.event;
    switch (column) {
    case When:
        return QLocale().toString(QDateTime::fromMSecsSinceEpoch(seen.at),
                                  QStringLiteral("yyyy-MM-dd HH:mm:ss"));
    case What:
        return kindWord(event.what);
    case Of: {
        const fleetview::Device* const device =
            event.node.isZero() || !m_picture ? nullptr : m_picture->find(event.node);
        QStringList parts;
        if (!event.node.isZero())
            parts += device != nullptr ? plain(device->name, 64) : plain(event.node.shortHex());
        if (!event.uri.empty())
            parts += plain(event.uri + " " + trust::toString(event.revision));
        return parts.join(QStringLiteral(" · "));
    }
    default: {
        QStringList parts;
        if (!event.uri.empty())
            parts += phaseWord(event.phase);
        if (const auto code = errcOf(event.code))
            parts += console::codeText(*code)
                + QStringLiteral(" (%1)").arg(QString::fromStdString(codeName(*code)));
        if (!event.text.empty())
            parts += plain(event.text, 400);
        if (event.what == Kind::Overflow)
            parts += EventsView::tr("more happened than was told");
        return parts.join(QStringLiteral(" · "));
    }
    }
}

int EventModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int EventModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : Columns;
}

QVariant EventModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    if (role == Qt::DisplayRole)
        return text(eventAt(index.row()), index.column());
    if (role == Qt::ToolTipRole && index.column() >= Of)
        return text(eventAt(index.row()), index.column()).toHtmlEscaped();
    return {};
}

QVariant EventModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant(Qt::AlignLeft | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case When:
        return tr("When");
    case What:
        return tr("What");
    case Of:
        return tr("Of what");
    default:
        return tr("Says");
    }
}

EventsView::EventsView(QWidget* parent)
    : QWidget(parent)
    , m_model(new EventModel(this))
{
    QVBoxLayout* const layout = column(this, 0, 10);
    auto* const bar = new QHBoxLayout;
    m_filter = named(new QLineEdit, tr("Filter the events"));
    m_filter->setPlaceholderText(tr("Filter, as in: failed, or fw/gateway"));
    m_filter->setClearButtonEnabled(true);
    m_kind = named(new QComboBox, tr("Kind of events"));
    m_kind->addItem(tr("All kinds"));
    for (const auto kind : kKinds)
        m_kind->addItem(kindWord(kind), static_cast<int>(kind));
    m_count = label({}, "muted");
    m_copy = named(new QPushButton(tr("Copy as JSON")), tr("Copy the events that are shown, as JSON"));
    bar->addWidget(m_filter, 1);
    bar->addWidget(m_kind);
    bar->addWidget(m_count);
    bar->addWidget(m_copy);
    layout->addLayout(bar);
    m_empty =
        label(tr("Nothing yet. What the agent tells from now on is kept here until this window is closed."),
              "muted");
    m_empty->setWordWrap(true);
    layout->addWidget(m_empty);
    m_table = named(new QTableView, tr("Events, newest first"));
    m_table->setModel(m_model);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(32);
    m_table->horizontalHeader()->setSectionResizeMode(EventModel::Says, QHeaderView::Stretch);
    m_table->setColumnWidth(EventModel::When, 170);
    m_table->setColumnWidth(EventModel::What, 110);
    m_table->setColumnWidth(EventModel::Of, 280);
    layout->addWidget(m_table, 1);
    layout->addStretch();
    connect(m_filter, &QLineEdit::textChanged, this, &EventsView::filter);
    connect(m_kind, &QComboBox::currentIndexChanged, this, &EventsView::filter);
    connect(m_copy, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(QString::fromUtf8(json())); });
    showCount();
}

void EventsView::show(const SnapshotPtr& snapshot)
{
    m_model->setSnapshot(snapshot);
    showCount();
}

void EventsView::filter()
{
    const QVariant kind = m_kind->currentData();
    m_model->setFilter(m_filter->text(),
                       kind.isValid() ? std::optional(static_cast<Kind>(kind.toInt())) : std::nullopt);
    showCount();
}

void EventsView::showCount()
{
    m_count->setText(tr("%1 of %2")
                         .arg(QLocale().toString(m_model->rowCount()),
                              QLocale().toString(static_cast<qulonglong>(m_model->total()))));
    m_count->setAccessibleName(m_count->text());
    m_empty->setVisible(m_model->total() == 0);
    m_table->setVisible(m_model->total() > 0);
    m_copy->setEnabled(m_model->rowCount() > 0);
}

QByteArray EventsView::json() const
{
    QJsonArray events;
    for (int row = m_model->rowCount() - 1; row >= 0; --row)
        events.append(jsonOf(m_model->eventAt(row)));
    return QJsonDocument(events).toJson();
}

} // namespace starling::window
