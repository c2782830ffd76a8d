// SPDX-License-Identifier: Apache-2.0
/// What the agent told while this console listened: updates, links, receipts, what was refused. Kept in
/// memory alone.
#pragma once

#include "feed.h"

#include <QAbstractTableModel>
#include <QWidget>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QTableView;

namespace starling::window {

/// Events of one kind, or of all, that contain a text; newest first.
class EventModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { When, What, Of, Says, Columns };
    using QAbstractTableModel::QAbstractTableModel;
    void setSnapshot(const SnapshotPtr& snapshot);
    /// Nothing: of all kinds.
    void setFilter(const QString& text, std::optional<control::Event::What> kind);
    std::size_t total() const { return m_events ? m_events->size() : 0; }
    const SeenEvent& eventAt(int row) const { return (*m_events)[m_rows[static_cast<std::size_t>(row)]]; }
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    void select();
    QString text(const SeenEvent& seen, int column) const;
    EventsPtr m_events;
    fleetview::PicturePtr m_picture; ///< of which devices' names are
    std::vector<std::size_t> m_rows;
    QString m_filter;
    std::optional<control::Event::What> m_kind;
};

class EventsView : public QWidget
{
    Q_OBJECT
public:
    explicit EventsView(QWidget* parent = nullptr);
    void show(const SnapshotPtr& snapshot);
    using QWidget::show;
    /// What is shown, oldest first.
    QByteArray json() const;

private:
    void filter();
    void showCount();
    EventModel* m_model;
    QLineEdit* m_filter;
    QComboBox* m_kind;
    QLabel *m_count, *m_empty;
    QTableView* m_table;
    QPushButton* m_copy;
};

} // namespace starling::window
