// SPDX-License-Identifier: Apache-2.0
/// The lens Places: the outline of land, and a ring of standings for each place that has devices.
#pragma once

#include "aside.h"
#include "fleetview/places.h"
#include "group_table.h"
#include "theme.h"

#include <QImage>
#include <QWidget>

class QAction;
class QPushButton;
class QSvgRenderer;

namespace starling::window {

/// Arrows go from place to place, from west to east, and the picture follows; Enter opens the devices of one
/// that is a single group. The wheel and +, - and 0 zoom; dragging and Shift with arrows move the picture.
class PlacesView : public QWidget, public GroupTable
{
    Q_OBJECT
public:
    explicit PlacesView(QWidget* parent = nullptr);
    void setTheme(const Theme& theme);
    void setFrozen(bool isFrozen);
    void show(fleetview::PicturePtr picture, const std::string& field);
    /// The same once it is counted, so that nobody waits for it.
    void showSoon(const fleetview::PicturePtr& picture, const std::string& field);
    using QWidget::show;
    /// Where devices are whose certificates do not tell.
    void setSites(fleetview::Sites sites);
    const fleetview::Sites& sites() const { return m_sites; }
    const fleetview::PlacesPlan& plan() const { return m_plan; }
    const fleetview::PlacesFrame& frame() const { return m_frame; }
    void paint(QPainter& painter, QSize size) const;
    /// How many devices have no place.
    QString caption() const;
    QSize minimumSizeHint() const override { return {560, 300}; }

    int groupCount() const override;
    QString groupName(int group) const override;
    const Counts& groupCounts(int group) const override;
    QRect groupArea(int group) const override;

Q_SIGNALS:
    void groupOpened(const QString& name);
    /// Somebody wants to say where sites are, by a file; or by none any more.
    void sitesWanted();
    void sitesUnwanted();

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    QPushButton* makeButton(const QString& text, const QString& name);
    void count();
    void planAgain();
    void describe();
    void choose(std::size_t bubble);
    void open(std::size_t bubble);
    void walk(bool isEast);
    void look(const fleetview::PlacesFrame& frame);
    void zoom(double factor, QPointF at);
    bool pan(int key);
    QImage land(const fleetview::PlacesPlan& plan, QSize size, qreal ratio) const;
    void paintBubbles(QPainter& painter, const fleetview::PlacesPlan& plan, QSize size) const;
    void paintNames(QPainter& painter, const fleetview::PlacesPlan& plan, QSize size) const;
    QString trayText() const;
    QString nameOf(const fleetview::Bubble& bubble) const;
    QString wordsOf(const fleetview::Bubble& bubble) const;
    fleetview::PicturePtr m_picture;
    fleetview::Sites m_sites;
    fleetview::Spots m_spots; ///< of the picture: zooming does not count again
    fleetview::PlacesFrame m_frame;
    fleetview::PlacesPlan m_plan;
    std::string m_field;
    Theme m_theme;
    QSvgRenderer* m_land; ///< in the theme's colour
    mutable QImage m_drawnLand; ///< as it was painted last
    mutable QRectF m_drawnWorld; ///< where that is
    std::optional<std::size_t> m_chosen;
    std::optional<QPointF> m_dragged; ///< where the pointer was last, while the picture is moved
    QPushButton *m_tray, *m_closer, *m_farther, *m_fit;
    QAction* m_forget;
    bool m_isFrozen = false;
    Aside m_counting;
};

} // namespace starling::window
