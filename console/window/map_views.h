// SPDX-License-Identifier: Apache-2.0
/// The lenses of the map: the grid of devices, and how groups became healthy over time.
#pragma once

#include "fleetview/waves.h"
#include "grid_painter.h"

#include <QWidget>

namespace starling::window {

/// One cell for each device. Arrows move, Enter opens, Home and End go to the ends.
class GridView : public QWidget
{
    Q_OBJECT
public:
    explicit GridView(QWidget* parent = nullptr);
    void setTheme(const Theme& theme);
    void show(fleetview::PicturePtr picture, const std::string& field, QSize viewport);
    void setFrozen(bool isFrozen);
    void choose(const NodeId& node);
    const GridPainter& painter() const { return m_painter; }
    QSize sizeHint() const override;
    using QWidget::show;

Q_SIGNALS:
    void deviceChosen(const starling::NodeId& node);
    void deviceOpened(const starling::NodeId& node);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    void moveTo(std::size_t place);
    void describe();
    fleetview::PicturePtr m_picture;
    GridPainter m_painter;
    Theme m_theme;
    std::optional<NodeId> m_chosen;
    bool m_isFrozen = false;
};

/// Time from left to right; a row for each group, filled as its devices become healthy, hatched where they
/// fail.
class WavesView : public QWidget
{
    Q_OBJECT
public:
    explicit WavesView(QWidget* parent = nullptr);
    void setTheme(const Theme& theme);
    void show(const fleetview::Picture& picture, const std::string& field);
    void setFrozen(bool isFrozen);
    void paint(QPainter& painter, QSize size) const;
    QSize minimumSizeHint() const override;
    using QWidget::show;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void paintRow(QPainter& painter, const fleetview::Wave& wave, const QRect& area) const;
    void paintAxis(QPainter& painter, const QRect& area) const;
    QString nameOf(const fleetview::Wave& wave) const;
    double xAt(UtcTime at, const QRect& area) const;
    fleetview::Waves m_waves;
    std::string m_field;
    Theme m_theme;
    bool m_isFrozen = false;
};

} // namespace starling::window
