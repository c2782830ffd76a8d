// SPDX-License-Identifier: Apache-2.0
/// The lenses of the map: the grid of devices, and how groups became healthy over time.
#pragma once

#include "aside.h"
#include "fleetview/waves.h"
#include "grid_painter.h"
#include "group_table.h"

#include <QWidget>

namespace starling::window {

/// One cell for each device. Left and right go from device to device, up and down from group to group, with
/// Ctrl from line to line; Enter opens, End goes to the last.
class GridView : public QWidget, public GroupTable
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

    int groupCount() const override { return static_cast<int>(m_painter.plan().groups.size()); }
    QString groupName(int group) const override;
    const Counts& groupCounts(int group) const override;
    QRect groupArea(int group) const override;

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
    void moveToGroup(int groups);
    void describe();
    fleetview::PicturePtr m_picture;
    GridPainter m_painter;
    Theme m_theme;
    std::optional<NodeId> m_chosen;
    bool m_isFrozen = false;
};

/// Time from left to right; a row for each group, filled as its devices become healthy, hatched where they
/// fail. Up and down go from row to row, Enter opens.
class WavesView : public QWidget, public GroupTable
{
    Q_OBJECT
public:
    explicit WavesView(QWidget* parent = nullptr);
    void setTheme(const Theme& theme);
    void show(const fleetview::Picture& picture, const std::string& field);
    /// The same once it is counted, so that nobody waits for it.
    void showSoon(const fleetview::PicturePtr& picture, const std::string& field);
    void setFrozen(bool isFrozen);
    void paint(QPainter& painter, QSize size) const;
    QSize minimumSizeHint() const override;
    using QWidget::show;

    int groupCount() const override { return static_cast<int>(m_waves.rows.size()); }
    QString groupName(int group) const override;
    const Counts& groupCounts(int group) const override;
    QRect groupArea(int group) const override;

Q_SIGNALS:
    void groupOpened(const QString& name);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void choose(int row);
    void open();
    void describe();
    int rowHeight(QSize size) const;
    void take(fleetview::Waves waves, const std::string& field);
    void paintRow(QPainter& painter, const fleetview::Wave& wave, const QRect& area) const;
    void paintAxis(QPainter& painter, const QRect& area) const;
    QString nameOf(const fleetview::Wave& wave) const;
    double xAt(UtcTime at, const QRect& area) const;
    fleetview::Waves m_waves;
    std::optional<std::string> m_chosen; ///< a row, by its name
    std::string m_field;
    Theme m_theme;
    bool m_isFrozen = false;
    Aside m_counting;
};

} // namespace starling::window
