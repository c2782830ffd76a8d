// SPDX-License-Identifier: Apache-2.0
#include "model/map_csv.h"

#include "fleetview/spread.h"
#include "model/csv_cell.h"
#include "model/words.h"

#include <QDateTime>

namespace starling::console {

namespace {

QByteArray timeOf(const std::optional<UtcTime>& at)
{
    return at ? QDateTime::fromSecsSinceEpoch(at->time_since_epoch().count(), Qt::UTC)
                    .toString(Qt::ISODate)
                    .toUtf8()
              : QByteArray();
}

} // namespace

QByteArray mapCsv(const fleetview::Picture& picture, const std::string& field, const fleetview::Sites& sites)
{
    QByteArray csv("name,id,group,state,resource,version,phase,code,receipt_sequence,receipt_came,"
                   "holds_latest,latitude,longitude\r\n");
    const fleetview::Release* const latest = fleetview::latestRelease(picture);
    std::string buffer;
    for (const fleetview::DevicePtr& device : picture.devices) {
        const trust::ReceiptEntry* const entry = device->decisiveEntry();
        const auto code = entry == nullptr ? std::nullopt : errcOf(entry->code);
        const auto at = fleetview::coordinatesOf(*device, sites);
        const QByteArrayList cells{
            csvCell(text(device->name)),
            csvCell(text(device->node.hex())),
            csvCell(text(fleetview::groupView(*device, field, buffer))),
            csvCell(text(fleetview::standingName(device->standing))),
            csvCell(entry == nullptr ? QString() : text(entry->uri.text())),
            csvCell(entry == nullptr ? QString() : text(trust::toString(entry->revision))),
            csvCell(entry == nullptr ? QString() : text(trust::phaseName(entry->phase))),
            csvCell(code ? text(codeName(*code)) : QString()),
            QByteArray::number(static_cast<qulonglong>(device->receipt.sequence)),
            timeOf(device->heardAt),
            latest == nullptr                        ? ""
                : fleetview::holds(*device, *latest) ? "yes"
                                                     : "no",
            at ? QByteArray::number(at->latitude, 'g', 10) : QByteArray(),
            at ? QByteArray::number(at->longitude, 'g', 10) : QByteArray()};
        csv += cells.join(',') + "\r\n";
    }
    return csv;
}

} // namespace starling::console
