// SPDX-License-Identifier: Apache-2.0
/// A table of texts that an agent is asked for again and again. Rows are known by a key, so that what is
/// selected, has the focus and is scrolled to stays while others come and go.
#pragma once

#include <QAbstractTableModel>
#include <QTableView>

#include <vector>

namespace starling::window {

struct TextRow
{
    QByteArray key; ///< of no other row
    QStringList cells; ///< one for each heading; plain text
    QString hint = {}; ///< shown over the first cell
    bool operator==(const TextRow&) const = default;
};

class RowsModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    explicit RowsModel(QStringList headings, QObject* parent = nullptr);
    /// Those whose keys were there before remain the same rows.
    void setRows(std::vector<TextRow> rows);
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    void dropMissing(const std::vector<TextRow>& rows);
    QStringList m_headings;
    std::vector<TextRow> m_rows;
};

/// Whole rows are selected, and copied with Ctrl+C, tabs between cells. Columns become as wide as what comes
/// into them, within reason; the last one takes the rest.
class RowsTable : public QTableView
{
    Q_OBJECT
public:
    RowsTable(const QString& name, QStringList headings);
    void setRows(std::vector<TextRow> rows);
    /// What stands there in the row that has the focus; empty if none has.
    QString currentText(int column) const;

private:
    void copyRows() const;
    void widen();
    RowsModel* m_model;
    bool m_isFitted = false; ///< columns are as wide as what was in them first, and grow from there
};

} // namespace starling::window
