// SPDX-License-Identifier: Apache-2.0
/// The map as a file: what the window writes when somebody exports what it shows, and what
/// `starling-console --export` draws without a window.
#pragma once

#include "feed.h"
#include "fleetview/sites.h"
#include "fleetview/spread.h"
#include "theme.h"

#include <QSize>

class QPainter;

namespace starling::window {

enum class MapLens : std::uint8_t { Waves, Grid, Spread, Places, Table };
enum class MapFormat : std::uint8_t { Png, Svg, Csv };

/// "waves", "grid", "spread", "places".
std::optional<MapLens> lensNamed(const QString& name);
/// By the file's ending; nothing: it is none of these.
std::optional<MapFormat> formatOf(const QString& path);

/// What the agent knows of itself, now.
fleetview::Vantage vantageOf(const control::StatusReply& status, const fleetview::Picture& picture);

/// What `paint` paints, with so many pixels for each px of a PNG. Fails with Io.
Status writePicture(const QString& path, MapFormat format, QSize size, int ratio, const QColor& ground,
                    const std::function<void(QPainter&)>& paint);
Status writeAll(const QString& path, const QByteArray& bytes);

struct MapWish
{
    MapLens lens = MapLens::Grid;
    std::string field; ///< by which devices are grouped; empty: by none
    QSize size; ///< px; a grid with more devices than fit into it is higher
    Look look = Look::Light;
    fleetview::Sites sites;
};
/// A picture of that size, of a format that is no CSV. Fails with Io.
Status exportMap(const QString& path, MapFormat format, const Snapshot& snapshot, const MapWish& wish);

} // namespace starling::window
