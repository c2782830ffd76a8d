// SPDX-License-Identifier: Apache-2.0
/// Rollouts: each release on its way, how far it is and when it ends, and why devices are not healthy yet.
#pragma once

#include "aside.h"
#include "fleetview/rollout.h"
#include "page.h"

#include <QAbstractTableModel>

class QPushButton;
class QTableView;
class QTableWidget;

namespace starling::window {

class ErrorCard;
class WavesView;

class RolloutModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { State, Release, Progress, UnderWay, Trouble, Held, Ends, Columns };
    using QAbstractTableModel::QAbstractTableModel;
    void setRollouts(std::vector<fleetview::Rollout> rollouts);
    void setTheme(const Theme& theme);
    const fleetview::Rollout* rolloutAt(int row) const;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::vector<fleetview::Rollout> m_rollouts;
    Theme m_theme;
};

class RolloutsPage : public Page
{
    Q_OBJECT
public:
    enum class Format : std::uint8_t { Json, Csv };

    explicit RolloutsPage(QWidget* parent = nullptr);
    void show(const SnapshotPtr& snapshot) override;
    void setTheme(const Theme& theme) override;
    using Page::show;
    /// The report of the chosen rollout. NotFound if none is, Io, DiskFull.
    Status exportTo(const QString& path, Format format) const;

Q_SIGNALS:
    void devicesWanted(const QString& query);
    void publishWanted();

protected:
    void showEvent(QShowEvent* event) override;

private:
    QWidget* makeList();
    QWidget* makeDetail();
    void refresh();
    void take(std::vector<fleetview::Rollout> rollouts);
    void showDetail();
    void take(fleetview::RolloutReport report);
    void showReasons();
    void askWhere(Format format);

    SnapshotPtr m_snapshot;
    std::optional<fleetview::RolloutReport> m_report; ///< of the chosen rollout
    RolloutModel* m_model;
    QTableView* m_table;
    WavesView* m_waves;
    QTableWidget* m_reasons;
    ErrorCard* m_error;
    QLabel *m_empty, *m_title, *m_summary;
    QPushButton *m_publish, *m_stragglers, *m_json, *m_csv;
    QWidget* m_detail;
    bool m_isSettling = false; ///< rows move, nobody chooses
    Aside m_counting, m_reporting; ///< of all of them, and of the chosen one
};

} // namespace starling::window
