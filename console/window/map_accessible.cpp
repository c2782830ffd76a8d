// SPDX-License-Identifier: Apache-2.0
#include "map_accessible.h"

#include "group_table.h"
#include "words.h"

#include <QAccessibleWidget>
#include <QLocale>

namespace starling::window {

namespace {

class MapAccessible;

/// One count: "site-berlin, Failed: 3".
class CountCell : public QAccessibleInterface, public QAccessibleTableCellInterface
{
public:
    CountCell(MapAccessible* table, int row, int column)
        : m_table(table)
        , m_row(row)
        , m_column(column)
    {
    }
    bool isValid() const override;
    QObject* object() const override { return nullptr; }
    QAccessibleInterface* childAt(int /*x*/, int /*y*/) const override { return nullptr; }
    QAccessibleInterface* parent() const override;
    QAccessibleInterface* child(int /*index*/) const override { return nullptr; }
    int childCount() const override { return 0; }
    int indexOfChild(const QAccessibleInterface* /*child*/) const override { return -1; }
    QString text(QAccessible::Text kind) const override;
    void setText(QAccessible::Text /*kind*/, const QString& /*text*/) override { }
    QRect rect() const override;
    QAccessible::Role role() const override { return QAccessible::Cell; }
    QAccessible::State state() const override { return {}; }
    void* interface_cast(QAccessible::InterfaceType type) override
    {
        return type == QAccessible::TableCellInterface ? static_cast<QAccessibleTableCellInterface*>(this)
                                                       : nullptr;
    }
    // As a cell
    bool isSelected() const override { return false; }
    QList<QAccessibleInterface*> columnHeaderCells() const override { return {}; }
    QList<QAccessibleInterface*> rowHeaderCells() const override { return {}; }
    int columnIndex() const override { return m_column; }
    int rowIndex() const override { return m_row; }
    int columnExtent() const override { return 1; }
    int rowExtent() const override { return 1; }
    QAccessibleInterface* table() const override;

private:
    MapAccessible* m_table;
    int m_row, m_column;
};

class MapAccessible : public QAccessibleWidget, public QAccessibleTableInterface
{
public:
    MapAccessible(QWidget* view, const GroupTable& groups)
        : QAccessibleWidget(view, QAccessible::Table)
        , m_groups(groups)
    {
    }
    ~MapAccessible() override
    {
        for (const auto& [place, id] : m_cells)
            QAccessible::deleteAccessibleInterface(id);
    }
    const GroupTable& groups() const { return m_groups; }

    void* interface_cast(QAccessible::InterfaceType type) override
    {
        if (type == QAccessible::TableInterface)
            return static_cast<QAccessibleTableInterface*>(this);
        return QAccessibleWidget::interface_cast(type);
    }
    int childCount() const override { return rowCount() * columnCount(); }
    QAccessibleInterface* child(int index) const override
    {
        return index < 0 ? nullptr : cellAt(index / columnCount(), index % columnCount());
    }
    int indexOfChild(const QAccessibleInterface* child) const override
    {
        const auto* const cell = dynamic_cast<const CountCell*>(child);
        return cell == nullptr ? -1 : cell->rowIndex() * columnCount() + cell->columnIndex();
    }

    // As a table
    int rowCount() const override { return m_groups.groupCount(); }
    int columnCount() const override { return static_cast<int>(fleetview::kStandings); }
    QAccessibleInterface* cellAt(int row, int column) const override
    {
        if (row < 0 || row >= rowCount() || column < 0 || column >= columnCount())
            return nullptr;
        const auto held = m_cells.find({row, column});
        if (held != m_cells.end())
            return QAccessible::accessibleInterface(held->second);
        auto* const cell = new CountCell(const_cast<MapAccessible*>(this), row, column);
        m_cells[{row, column}] = QAccessible::registerAccessibleInterface(cell);
        return cell;
    }
    QString rowDescription(int row) const override
    {
        return row < 0 || row >= rowCount() ? QString() : m_groups.groupName(row);
    }
    QString columnDescription(int column) const override
    {
        return column < 0 || column >= columnCount()
            ? QString()
            : standingWord(fleetview::kAllStandings[static_cast<std::size_t>(column)]);
    }
    QAccessibleInterface* caption() const override { return nullptr; }
    QAccessibleInterface* summary() const override { return nullptr; }
    // Rows and columns are for reading: nothing is selected by them.
    int selectedCellCount() const override { return 0; }
    QList<QAccessibleInterface*> selectedCells() const override { return {}; }
    int selectedColumnCount() const override { return 0; }
    int selectedRowCount() const override { return 0; }
    QList<int> selectedColumns() const override { return {}; }
    QList<int> selectedRows() const override { return {}; }
    bool isColumnSelected(int /*column*/) const override { return false; }
    bool isRowSelected(int /*row*/) const override { return false; }
    bool selectRow(int /*row*/) override { return false; }
    bool selectColumn(int /*column*/) override { return false; }
    bool unselectRow(int /*row*/) override { return false; }
    bool unselectColumn(int /*column*/) override { return false; }
    void modelChange(QAccessibleTableModelChangeEvent* /*event*/) override { }

private:
    const GroupTable& m_groups; ///< the widget itself: gone when it is
    mutable std::map<std::pair<int, int>, QAccessible::Id> m_cells;
};

bool CountCell::isValid() const
{
    return m_table->isValid() && m_row < m_table->groups().groupCount();
}

QAccessibleInterface* CountCell::parent() const
{
    return m_table;
}

QAccessibleInterface* CountCell::table() const
{
    return m_table;
}

QString CountCell::text(QAccessible::Text kind) const
{
    if (!isValid() || (kind != QAccessible::Name && kind != QAccessible::Value))
        return {};
    const GroupTable::Counts& counts = m_table->groups().groupCounts(m_row);
    const QString count =
        QLocale().toString(static_cast<qulonglong>(counts[static_cast<std::size_t>(m_column)]));
    if (kind == QAccessible::Value)
        return count;
    return QStringLiteral("%1, %2: %3")
        .arg(m_table->rowDescription(m_row), m_table->columnDescription(m_column), count);
}

QRect CountCell::rect() const
{
    if (!isValid())
        return {};
    return m_table->groups().groupArea(m_row).translated(m_table->rect().topLeft());
}

QAccessibleInterface* makeTable(const QString& /*className*/, QObject* object)
{
    auto* const view = qobject_cast<QWidget*>(object);
    const auto* const groups = dynamic_cast<const GroupTable*>(object);
    return view == nullptr || groups == nullptr ? nullptr : new MapAccessible(view, *groups);
}

} // namespace

void installMapAccessibility()
{
    QAccessible::installFactory(makeTable);
}

} // namespace starling::window
