// SPDX-License-Identifier: Apache-2.0
/// Releases: what is out, and how many devices are on it.
#pragma once

#include "page.h"

#include <QAbstractTableModel>

class QPushButton;
class QTableView;

namespace starling::window {

class ReleaseModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Resource, Version, Label, Size, Healthy, UnderWay, Trouble, Known, Columns };
    using QAbstractTableModel::QAbstractTableModel;
    void setReleases(std::vector<fleetview::Release> releases);
    const fleetview::Release* releaseAt(int row) const;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::vector<fleetview::Release> m_releases;
};

class ReleasesPage : public Page
{
    Q_OBJECT
public:
    explicit ReleasesPage(QWidget* parent = nullptr);
    void show(const SnapshotPtr& snapshot) override;
    using Page::show;

Q_SIGNALS:
    void devicesWanted(const QString& query);
    void publishWanted();
    void lookWanted(); ///< at a file
    void withdrawWanted(const starling::fleetview::Release& release);

private:
    const fleetview::Release* selected() const;
    void showSelected();

    ReleaseModel* m_model;
    QTableView* m_table;
    QPushButton* m_withdraw;
    QLabel* m_empty;
};

} // namespace starling::window
