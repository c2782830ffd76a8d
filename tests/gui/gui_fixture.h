// SPDX-License-Identifier: Apache-2.0
/// What tests of windows share: snapshots made up, pictures of screens, widgets by their accessible names.
#pragma once

#include "feed.h"
#include "fleetview_samples.h"
#include "resources.h"

#include <QAbstractItemView>
#include <QDateTime>
#include <QDir>
#include <QLabel>
#include <QTest>
#include <QWidget>

namespace starling::gui_test {

/// A fleet's view with steps over some minutes, so that waves have something to show.
inline fleetview::PicturePtr pictureOf(std::uint32_t devices, std::uint32_t sites)
{
    fleetview::Fleet fleet(samples::kBegin);
    auto reports = samples::reportsOf(devices, sites);
    const auto known = [](std::uint64_t version, const char* label) {
        return fleetview::KnownRelease{*ResourceUri::parse("fw/gateway"),
                                       {0, version},
                                       InfoHash(),
                                       label,
                                       48'200'000 * version,
                                       samples::kBegin};
    };
    std::uint32_t steps = devices > 10'000 ? 1 : 8;
    for (std::uint32_t step = 0; step < steps; ++step) {
        auto now = reports;
        for (std::uint32_t i = 0; i < now.size() && step + 1 < steps; ++i)
            if ((i * 7 + i % sites * 3) % steps > step)
                now[i].receipt.entries[0].phase = trust::Phase::Downloading;
        fleet.take(std::move(now), {known(1, "first"), known(2, "2.4.1 spring")},
                   samples::kBegin + std::chrono::seconds(40 * step));
    }
    return fleet.picture(samples::kBegin + std::chrono::seconds(40 * steps));
}

inline window::SnapshotPtr snapshotOf(fleetview::PicturePtr picture)
{
    auto snapshot = std::make_shared<window::Snapshot>();
    snapshot->picture = std::move(picture);
    snapshot->status.name = "gw-0";
    snapshot->status.isObserver = true;
    snapshot->status.rootNumber = 1;
    snapshot->status.links.resize(5);
    for (control::LinkLine& link : snapshot->status.links)
        link.isUp = true;
    snapshot->status.traffic.push_back({InfoHash(), NodeId(), 231'000'000, 406'000'000});
    snapshot->takenAt = QDateTime::currentMSecsSinceEpoch();
    return snapshot;
}

template <class Widget> Widget* find(const QWidget& root, const QString& accessibleName)
{
    for (Widget* widget : root.findChildren<Widget*>())
        if (widget->accessibleName() == accessibleName)
            return widget;
    return nullptr;
}

inline void keepPicture(QWidget& widget, const QString& name)
{
    const QDir directory(QStringLiteral(STARLING_BINARY_DIR "/screenshots"));
    QVERIFY(directory.mkpath(QStringLiteral(".")));
    QCoreApplication::processEvents(); // what was set is laid out
    QVERIFY(widget.grab().save(directory.filePath(name + QStringLiteral(".png"))));
}

} // namespace starling::gui_test
