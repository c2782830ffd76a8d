// SPDX-License-Identifier: Apache-2.0
/// Log: what this user signed, pushed, admitted and made, and whether each line follows the one before; and
/// what the agent told meanwhile.
#pragma once

#include "admin/audit_log.h"
#include "job.h"
#include "page.h"

#include <QAbstractTableModel>

class QLineEdit;
class QPushButton;
class QTableView;

namespace starling::window {

class ErrorCard;
class EventsView;

/// Entries that contain a text, newest first.
class AuditModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { When, Who, What, Scope, Outcome, Detail, Columns };
    using QAbstractTableModel::QAbstractTableModel;
    void setTrail(console::AuditTrail trail);
    void setFilter(const QString& text);
    const console::AuditTrail& trail() const { return m_trail; }
    const console::AuditLine& lineAt(int row) const
    {
        return m_trail.lines[m_rows[static_cast<std::size_t>(row)]];
    }
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    void select();
    console::AuditTrail m_trail;
    std::vector<std::size_t> m_rows;
    QString m_filter;
};

class LogPage : public Page
{
    Q_OBJECT
public:
    explicit LogPage(console::AuditLog log = {});
    void show(const SnapshotPtr& snapshot) override;
    using Page::show;
    /// Reads and verifies the log again.
    void reload();
    /// What is shown, as a JSON array. Io, DiskFull.
    Status exportTo(const QString& path) const;

protected:
    void showEvent(QShowEvent* event) override;

private:
    QWidget* makeAudit();
    void take(Result<console::AuditTrail> trail);
    void showCount();
    void askWhere();
    console::AuditLog m_log;
    Job m_reading;
    AuditModel* m_model;
    ErrorCard* m_error;
    QLabel *m_verdict, *m_head, *m_count, *m_empty;
    QLineEdit* m_filter;
    QTableView* m_table;
    EventsView* m_events;
    QPushButton *m_verify, *m_copy, *m_export;
};

} // namespace starling::window
