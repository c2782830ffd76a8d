// SPDX-License-Identifier: Apache-2.0
#include "map_export.h"

#include "map_places.h"
#include "map_spread.h"
#include "map_views.h"

#include <QBuffer>
#include <QFileInfo>
#include <QPainter>
#include <QSaveFile>
#include <QSvgGenerator>

namespace starling::window {

std::optional<MapLens> lensNamed(const QString& name)
{
    static const std::array kNames{QStringLiteral("waves"), QStringLiteral("grid"), QStringLiteral("spread"),
                                   QStringLiteral("places")};
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (kNames[i] == name)
            return static_cast<MapLens>(i);
    return std::nullopt;
}

std::optional<MapFormat> formatOf(const QString& path)
{
    const QString ending = QFileInfo(path).suffix().toLower();
    if (ending == QLatin1String("png"))
        return MapFormat::Png;
    if (ending == QLatin1String("svg"))
        return MapFormat::Svg;
    if (ending == QLatin1String("csv"))
        return MapFormat::Csv;
    return std::nullopt;
}

fleetview::Vantage vantageOf(const control::StatusReply& status, const fleetview::Picture& picture)
{
    fleetview::Vantage vantage;
    vantage.self = status.node;
    const fleetview::Release* const release = fleetview::latestRelease(picture);
    if (release == nullptr)
        return vantage;
    std::map<NodeId, fleetview::Dealing> dealings;
    for (const control::LinkLine& link : status.links)
        if (link.isUp)
            dealings[link.node].isNeighbor = true;
    for (const control::TrafficLine& line : status.traffic)
        if (line.payload == release->infoHash) {
            dealings[line.node].bytesFrom += line.bytesFrom;
            dealings[line.node].bytesTo += line.bytesTo;
        }
    for (auto& [node, dealing] : dealings) {
        dealing.node = node;
        vantage.dealings.push_back(dealing);
    }
    return vantage;
}

Status writeAll(const QString& path, const QByteArray& bytes)
{
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
        return fail(Errc::Io, path.toStdString() + ": " + file.errorString().toStdString());
    return {};
}

Status writePicture(const QString& path, MapFormat format, QSize size, int ratio, const QColor& ground,
                    const std::function<void(QPainter&)>& paint)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    if (format == MapFormat::Svg) {
        QSvgGenerator generator;
        generator.setOutputDevice(&buffer);
        generator.setSize(size);
        generator.setViewBox(QRect(QPoint(), size));
        generator.setTitle(QStringLiteral("Starling"));
        QPainter painter(&generator);
        paint(painter);
        painter.end();
        return writeAll(path, bytes);
    }
    QImage image(size * ratio, QImage::Format_RGB32);
    image.setDevicePixelRatio(ratio);
    image.fill(ground);
    QPainter painter(&image);
    paint(painter);
    painter.end();
    if (!buffer.open(QIODevice::WriteOnly) || !image.save(&buffer, "PNG"))
        return fail(Errc::Io, path.toStdString() + ": the picture could not be made");
    return writeAll(path, bytes);
}

Status exportMap(const QString& path, MapFormat format, const Snapshot& snapshot, const MapWish& wish)
{
    const Theme theme = Theme::of(wish.look, QPalette());
    const auto write = [&](QSize size, const std::function<void(QPainter&)>& paint) {
        return writePicture(path, format, size, 1, theme.surface, paint);
    };
    const auto paintBy = [&](auto& view) {
        return write(wish.size, [&](QPainter& painter) { view.paint(painter, wish.size); });
    };
    if (wish.lens == MapLens::Waves) {
        WavesView view;
        view.setTheme(theme);
        view.show(*snapshot.picture, wish.field);
        return paintBy(view);
    }
    if (wish.lens == MapLens::Spread) {
        SpreadView view;
        view.setTheme(theme);
        view.show(snapshot.picture, wish.field, vantageOf(snapshot.status, *snapshot.picture));
        return paintBy(view);
    }
    if (wish.lens == MapLens::Places) {
        PlacesView view;
        view.setTheme(theme);
        view.setSites(wish.sites);
        view.show(snapshot.picture, wish.field);
        return paintBy(view);
    }
    GridPainter grid;
    grid.setTheme(theme);
    grid.show(snapshot.picture, wish.field, wish.size, 1);
    const QSize size = wish.size.expandedTo({grid.plan().width, grid.plan().height});
    return write(size, [&](QPainter& painter) { grid.paint(painter); });
}

} // namespace starling::window
