// SPDX-License-Identifier: Apache-2.0
#include "rows_table.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QShortcut>

#include <algorithm>
#include <set>

namespace starling::window {

namespace {
constexpr int kWidest =
    320; ///< px; guess: an IPv6 address with its port, and what is longer is in the tooltip
}

RowsModel::RowsModel(QStringList headings, QObject* parent)
    : QAbstractTableModel(parent)
    , m_headings(std::move(headings))
{
}

void RowsModel::dropMissing(const std::vector<TextRow>& rows)
{
    std::set<QByteArray> staying;
    for (const TextRow& row : rows)
        staying.insert(row.key);
    for (int i = rowCount() - 1; i >= 0; --i)
        if (!staying.contains(m_rows[static_cast<std::size_t>(i)].key)) {
            beginRemoveRows({}, i, i);
            m_rows.erase(m_rows.begin() + i);
            endRemoveRows();
        }
}

void RowsModel::setRows(std::vector<TextRow> rows)
{
    dropMissing(rows);
    for (int i = 0; i < static_cast<int>(rows.size()); ++i) {
        TextRow& row = rows[static_cast<std::size_t>(i)];
        const auto place = m_rows.begin() + i;
        const auto found =
            std::find_if(place, m_rows.end(), [&row](const TextRow& each) { return each.key == row.key; });
        if (found == m_rows.end()) {
            beginInsertRows({}, i, i);
            m_rows.insert(place, std::move(row));
            endInsertRows();
            continue;
        }
        if (found != place) {
            const int from = static_cast<int>(found - m_rows.begin());
            beginMoveRows({}, from, from, {}, i);
            std::rotate(place, found, found + 1);
            endMoveRows();
        }
        if (*place != row) {
            *place = std::move(row);
            Q_EMIT dataChanged(index(i, 0), index(i, columnCount() - 1));
        }
    }
}

int RowsModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int RowsModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_headings.size());
}

QVariant RowsModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    const TextRow& row = m_rows[static_cast<std::size_t>(index.row())];
    const QString text = row.cells.value(index.column());
    if (role == Qt::DisplayRole || role == Qt::AccessibleTextRole)
        return text;
    if (role == Qt::ToolTipRole)
        return (index.column() == 0 && !row.hint.isEmpty() ? row.hint : text).toHtmlEscaped();
    return {};
}

QVariant RowsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant(Qt::AlignLeft | Qt::AlignVCenter);
    return role == Qt::DisplayRole ? QVariant(m_headings.value(section)) : QVariant();
}

RowsTable::RowsTable(const QString& name, QStringList headings)
    : m_model(new RowsModel(std::move(headings), this))
{
    setAccessibleName(name);
    setModel(m_model);
    setSelectionBehavior(QAbstractItemView::SelectRows);
    setShowGrid(false);
    setWordWrap(false);
    setTabKeyNavigation(false);
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(32);
    horizontalHeader()->setStretchLastSection(true);
    connect(m_model, &QAbstractItemModel::rowsInserted, this, &RowsTable::widen, Qt::QueuedConnection);
    auto* const copy = new QShortcut(QKeySequence::Copy, this, nullptr, nullptr, Qt::WidgetShortcut);
    connect(copy, &QShortcut::activated, this, &RowsTable::copyRows);
}

void RowsTable::setRows(std::vector<TextRow> rows)
{
    m_model->setRows(std::move(rows));
}

QString RowsTable::currentText(int column) const
{
    return currentIndex().isValid() ? currentIndex().siblingAtColumn(column).data().toString() : QString();
}

void RowsTable::widen()
{
    if (m_model->rowCount() == 0)
        return;
    for (int column = 0; column + 1 < m_model->columnCount(); ++column) {
        const int wanted = std::max(horizontalHeader()->sectionSizeHint(column),
                                    std::min(kWidest, sizeHintForColumn(column)));
        if (!m_isFitted || wanted > columnWidth(column))
            setColumnWidth(column, wanted);
    }
    m_isFitted = true;
}

void RowsTable::copyRows() const
{
    QModelIndexList selected = selectionModel()->selectedRows();
    std::sort(selected.begin(), selected.end());
    QStringList lines;
    for (const QModelIndex& row : std::as_const(selected)) {
        QStringList cells;
        for (int column = 0; column < m_model->columnCount(); ++column)
            cells += row.siblingAtColumn(column).data().toString();
        lines += cells.join(QLatin1Char('\t'));
    }
    QGuiApplication::clipboard()->setText(lines.join(QLatin1Char('\n')));
}

} // namespace starling::window
