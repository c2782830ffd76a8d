// SPDX-License-Identifier: Apache-2.0
#include "device_model.h"

#include "words.h"

namespace starling::window {

using fleetview::Device;
using fleetview::DevicePtr;

DeviceModel::DeviceModel(QObject* parent)
    : QAbstractTableModel(parent)
{
    m_pool.setMaxThreadCount(1);
}

DeviceModel::~DeviceModel()
{
    m_pool.waitForDone();
}

void DeviceModel::setPicture(fleetview::PicturePtr picture)
{
    m_picture = std::move(picture);
    refresh();
}

void DeviceModel::setQuery(fleetview::Query query)
{
    m_query = std::move(query);
    refresh();
}

void DeviceModel::setTheme(const Theme& theme)
{
    for (const fleetview::Standing standing : fleetview::kAllStandings)
        m_glyphs[static_cast<std::size_t>(standing)] = theme.glyphIcon(standing, 16);
    if (!m_rows.empty())
        Q_EMIT dataChanged(index(0, State), index(rowCount() - 1, State), {Qt::DecorationRole});
}

void DeviceModel::refresh()
{
    if (!m_picture)
        return;
    m_isStale = m_isWorking;
    if (m_isWorking)
        return; // once more when that is done
    m_isWorking = true;
    m_pool.start([this, picture = m_picture, query = m_query, by = m_sortBy, order = m_sortOrder] {
        auto rows =
            std::make_shared<std::vector<DevicePtr>>(fleetview::selectRows(*picture, query, by, order));
        // The destructor waits for this; what is queued for a model that is gone is dropped by Qt.
        QMetaObject::invokeMethod(
            this,
            [this, rows] {
                m_isWorking = false;
                show(std::move(*rows));
                if (m_isStale)
                    refresh();
                else
                    Q_EMIT settled();
            },
            Qt::QueuedConnection);
    });
}

void DeviceModel::show(std::vector<DevicePtr> rows)
{
    const auto isSame = [](const DevicePtr& a, const DevicePtr& b) { return a == b || a->node == b->node; };
    const std::size_t shorter = std::min(rows.size(), m_rows.size());
    std::size_t head = 0, tail = 0;
    while (head < shorter && isSame(rows[head], m_rows[head]))
        ++head;
    while (tail < shorter - head && isSame(rows[rows.size() - 1 - tail], m_rows[m_rows.size() - 1 - tail]))
        ++tail;
    const std::size_t gone = m_rows.size() - head - tail, come = rows.size() - head - tail;
    const auto at = [](std::size_t row) { return static_cast<int>(row); };
    const auto place = m_rows.begin() + static_cast<std::ptrdiff_t>(head);
    if (gone > 0) {
        beginRemoveRows({}, at(head), at(head + gone - 1));
        m_rows.erase(place, place + static_cast<std::ptrdiff_t>(gone));
        endRemoveRows();
    }
    if (come > 0) {
        beginInsertRows({}, at(head), at(head + come - 1));
        m_rows.insert(m_rows.begin() + static_cast<std::ptrdiff_t>(head),
                      rows.begin() + static_cast<std::ptrdiff_t>(head),
                      rows.begin() + static_cast<std::ptrdiff_t>(head + come));
        endInsertRows();
    }
    std::size_t first = rows.size(), last = 0;
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i] != m_rows[i]) {
            first = std::min(first, i);
            last = i;
        }
    m_rows = std::move(rows);
    if (first <= last && first < m_rows.size())
        Q_EMIT dataChanged(index(at(first), 0), index(at(last), Columns - 1));
    else if (!m_rows.empty()) // ages go on
        Q_EMIT dataChanged(index(0, Heard), index(rowCount() - 1, Heard), {Qt::DisplayRole});
}

const Device* DeviceModel::deviceAt(int row) const
{
    return row >= 0 && row < rowCount() ? m_rows[static_cast<std::size_t>(row)].get() : nullptr;
}

int DeviceModel::rowOf(const NodeId& node) const
{
    for (std::size_t i = 0; i < m_rows.size(); ++i)
        if (m_rows[i]->node == node)
            return static_cast<int>(i);
    return -1;
}

int DeviceModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int DeviceModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : Columns;
}

QString DeviceModel::text(const Device& device, int column) const
{
    const trust::ReceiptEntry* entry = device.decisiveEntry();
    switch (column) {
    case State:
        return standingWord(device.standing);
    case Name:
        return device.name.empty() ? plain(device.node.shortHex()) : plain(device.name);
    case Site:
        return plain(device.label("site"));
    case Resource:
        return entry == nullptr ? QString() : plain(entry->uri.text());
    case Version:
        return entry == nullptr ? QString() : plain(trust::toString(entry->revision));
    case Says:
        return entry == nullptr ? QString() : saysOf(*entry);
    case Heard:
        return heardOf(device, m_picture->at);
    default:
        return {};
    }
}

QVariant DeviceModel::data(const QModelIndex& index, int role) const
{
    const Device* device = index.isValid() ? deviceAt(index.row()) : nullptr;
    if (device == nullptr)
        return {};
    if (role == Qt::DisplayRole || role == Qt::AccessibleTextRole)
        return text(*device, index.column());
    if (role == Qt::ToolTipRole && index.column() == Says)
        return text(*device, Says).toHtmlEscaped();
    if (role == Qt::DecorationRole && index.column() == State)
        return m_glyphs[static_cast<std::size_t>(device->standing)];
    return {};
}

QVariant DeviceModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (role == Qt::TextAlignmentRole && orientation == Qt::Horizontal)
        return QVariant(Qt::AlignLeft | Qt::AlignVCenter);
    if (role != Qt::DisplayRole || orientation != Qt::Horizontal)
        return {};
    switch (section) {
    case State:
        return tr("State");
    case Name:
        return tr("Name");
    case Site:
        return tr("Site");
    case Resource:
        return tr("Resource");
    case Version:
        return tr("Version");
    case Says:
        return tr("Says");
    case Heard:
        return tr("Receipt came");
    default:
        return {};
    }
}

void DeviceModel::sort(int column, Qt::SortOrder order)
{
    m_sortBy = static_cast<fleetview::SortBy>(column);
    m_sortOrder =
        order == Qt::AscendingOrder ? fleetview::SortOrder::Ascending : fleetview::SortOrder::Descending;
    refresh();
}

} // namespace starling::window
