// SPDX-License-Identifier: Apache-2.0
/// Devices as a table. Shows the rows that it was given; which they are, and in which order, is worked out in
/// a thread of its own. Of new rows only what differs is told to the views.
#pragma once

#include "fleetview/rows.h"
#include "theme.h"

#include <QAbstractTableModel>
#include <QThreadPool>

namespace starling::window {

class DeviceModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { State, Name, Site, Resource, Version, Says, Heard, Columns };

    explicit DeviceModel(QObject* parent = nullptr);
    ~DeviceModel() override;
    void setPicture(fleetview::PicturePtr picture);
    void setQuery(fleetview::Query query);
    void setTheme(const Theme& theme);

    const fleetview::Device* deviceAt(int row) const;
    int rowOf(const NodeId& node) const; ///< -1: not shown
    std::size_t total() const { return m_picture ? m_picture->devices.size() : 0; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

Q_SIGNALS:
    /// Rows of the latest picture and query are shown.
    void settled();

private:
    void refresh();
    void show(std::vector<fleetview::DevicePtr> rows);
    QString text(const fleetview::Device& device, int column) const;
    std::vector<fleetview::DevicePtr> m_rows;
    fleetview::PicturePtr m_picture;
    fleetview::Query m_query;
    fleetview::SortBy m_sortBy = fleetview::SortBy::Standing;
    fleetview::SortOrder m_sortOrder = fleetview::SortOrder::Descending;
    std::array<QIcon, fleetview::kStandings> m_glyphs;
    bool m_isWorking = false, m_isStale = false;
    QThreadPool m_pool; ///< last: what it runs is over before the rest goes
};

} // namespace starling::window
