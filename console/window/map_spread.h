// SPDX-License-Identifier: Apache-2.0
/// The lens Spread: who holds the latest release, and what the agent that is asked gave and took.
#pragma once

#include "aside.h"
#include "fleetview/spread.h"
#include "group_table.h"
#include "theme.h"

#include <QWidget>

namespace starling::window {

/// A ring of standings, and in its middle what `text` says: what a group looks like where its devices are not
/// drawn.
void paintDonut(QPainter& painter, const Theme& theme, QPointF centre, double radius,
                const std::array<std::size_t, fleetview::kStandings>& standings, const QString& text);

/// Arrows go from group to group, or from device to device; Enter opens, Home goes to the agent.
class SpreadView : public QWidget, public GroupTable
{
    Q_OBJECT
public:
    explicit SpreadView(QWidget* parent = nullptr);
    void setTheme(const Theme& theme);
    void setFrozen(bool isFrozen);
    void show(fleetview::PicturePtr picture, const std::string& field, fleetview::Vantage vantage);
    /// The same once it is counted, so that nobody waits for it.
    void showSoon(fleetview::PicturePtr picture, const std::string& field, fleetview::Vantage vantage);
    using QWidget::show;
    const fleetview::SpreadPlan& plan() const { return m_plan; }
    void paint(QPainter& painter, QSize size) const;
    /// What is drawn, what is left out, and what nobody here knows.
    QString caption() const;
    /// Of a group, for the table that says the same: holders, first held, bytes taken and given, links.
    QStringList cellsOf(const std::string& group) const;
    QSize minimumSizeHint() const override { return {640, 460}; }

    int groupCount() const override;
    QString groupName(int group) const override;
    const Counts& groupCounts(int group) const override;
    QRect groupArea(int group) const override;

Q_SIGNALS:
    void deviceChosen(const starling::NodeId& node);
    void deviceOpened(const starling::NodeId& node);
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
    void take(fleetview::SpreadPlan plan);
    void choose(std::size_t node);
    void open(std::size_t node);
    void walk(int steps);
    QString nameOf(const fleetview::SpreadNode& node) const;
    QString wordsOf(const fleetview::SpreadNode& node) const;
    void paintDealings(QPainter& painter, const fleetview::SpreadPlan& plan) const;
    void paintNode(QPainter& painter, const fleetview::SpreadPlan& plan,
                   const fleetview::SpreadNode& node) const;
    void paintNames(QPainter& painter, const fleetview::SpreadPlan& plan) const;
    fleetview::PicturePtr m_picture;
    fleetview::Vantage m_vantage;
    fleetview::SpreadPlan m_plan;
    std::string m_field;
    Theme m_theme;
    std::optional<std::size_t> m_chosen; ///< of the plan's nodes, which stay where they are
    bool m_isFrozen = false;
    Aside m_counting;
};

} // namespace starling::window
