// SPDX-License-Identifier: Apache-2.0
/// The map's grid as a picture: one cell for each device, in a cached image of which only changed cells are
/// painted anew. The same devices, size and theme give the same pixels.
#pragma once

#include "fleetview/grid_layout.h"
#include "theme.h"

#include <QImage>

namespace starling::window {

class GridPainter
{
public:
    void setTheme(const Theme& theme);
    /// Lays out and paints what has changed. `viewport` in device-independent pixels.
    void show(fleetview::PicturePtr picture, const std::string& field, QSize viewport, qreal ratio);
    /// Everything anew: what a first look, another theme or another size costs.
    void repaint();

    const QImage& image() const { return m_image; }
    const fleetview::GridPlan& plan() const { return m_plan; }
    const std::string& field() const { return m_field; }
    std::size_t repainted() const { return m_repainted; } ///< cells, by the latest show()
    const fleetview::Device* deviceAt(std::size_t place) const;
    std::optional<std::size_t> placeOf(const NodeId& node) const;
    QRect cell(std::size_t place) const; ///< without the gap
    /// The whole picture by a painter: for SVG, and what the image is made with where cells are large.
    void paint(QPainter& painter) const;

private:
    bool isSamePlaces(const fleetview::GridPlan& plan, const fleetview::Picture& picture) const;
    void fillCell(std::size_t place);
    void fillAll();
    QRgb pixel(fleetview::Standing standing, int x, int y, int width, int height) const;
    void paintCell(QPainter& painter, std::size_t place) const;
    void paintCard(QPainter& painter, const fleetview::Device& device, const QRect& area) const;
    void paintHeadings(QPainter& painter) const;
    void makeSprites();
    bool hasSprites() const { return m_plan.cellWidth >= kSpriteFrom; }
    static constexpr int kSpriteFrom = 15; ///< below it shapes vanish (console specification)
    Theme m_theme;
    fleetview::PicturePtr m_picture;
    fleetview::GridPlan m_plan;
    std::vector<fleetview::Standing> m_standings; ///< by place: devices lie scattered in memory
    std::string m_field;
    QSize m_viewport;
    qreal m_ratio = 1;
    QImage m_image;
    std::array<QPixmap, fleetview::kStandings> m_sprites;
    std::size_t m_repainted = 0;
};

} // namespace starling::window
