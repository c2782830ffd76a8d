// SPDX-License-Identifier: Apache-2.0
/// The lens Places: the outline of land, and a ring of standings for each place that has devices.
#pragma once

#include "fleetview/places.h"
#include "theme.h"

#include <QWidget>

class QSvgRenderer;

namespace starling::window {

/// Arrows go from place to place, from west to east; Enter opens the devices of one that is a single group.
class PlacesView : public QWidget
{
    Q_OBJECT
public:
    explicit PlacesView(QWidget* parent = nullptr);
    void setTheme(const Theme& theme);
    void setFrozen(bool isFrozen);
    void show(fleetview::PicturePtr picture, const std::string& field);
    using QWidget::show;
    const fleetview::PlacesPlan& plan() const { return m_plan; }
    void paint(QPainter& painter, QSize size) const;
    /// How many devices have no place.
    QString caption() const;
    QSize minimumSizeHint() const override { return {560, 300}; }

Q_SIGNALS:
    void groupOpened(const QString& name);

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    void planAgain();
    void choose(std::size_t bubble);
    void open(std::size_t bubble);
    void walk(bool isEast);
    QString nameOf(const fleetview::Bubble& bubble) const;
    QString wordsOf(const fleetview::Bubble& bubble) const;
    fleetview::PicturePtr m_picture;
    fleetview::PlacesPlan m_plan;
    std::string m_field;
    Theme m_theme;
    QSvgRenderer* m_land; ///< in the theme's colour
    std::optional<std::size_t> m_chosen;
    bool m_isFrozen = false;
};

} // namespace starling::window
