// SPDX-License-Identifier: Apache-2.0
/// Map: the fleet as a picture, through two lenses and as the table that says the same.
#pragma once

#include "map_views.h"
#include "page.h"

class QComboBox;
class QPushButton;
class QScrollArea;
class QStackedWidget;
class QTableWidget;
class QTextBrowser;

namespace starling::window {

class MapPage : public Page
{
    Q_OBJECT
public:
    enum class Lens : std::uint8_t { Waves, Grid, Table };
    enum class Format : std::uint8_t { Png, Svg, Csv };

    explicit MapPage(QWidget* parent = nullptr);
    void show(const SnapshotPtr& snapshot) override;
    void setTheme(const Theme& theme) override;
    void setFrozen(bool isFrozen);
    void setLens(Lens lens);
    /// Writes what the lens shows; a CSV has a line for each device. Fails with Io.
    Status exportTo(const QString& path, Format format) const;
    using Page::show;

Q_SIGNALS:
    void devicesWanted(const QString& query);
    void deviceWanted(const starling::NodeId& node);

protected:
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    QWidget* makeBar();
    QWidget* makeSide();
    void chooseExport(Format format);
    void refresh();
    void showFields();
    void showTable();
    void showLegend();
    void showSide();
    std::string field() const;
    QByteArray csv() const;
    SnapshotPtr m_snapshot;
    Lens m_lens = Lens::Grid;
    std::array<QPushButton*, 3> m_lenses{};
    QComboBox* m_groupBy;
    QStackedWidget* m_stack;
    QScrollArea *m_gridScroll, *m_wavesScroll;
    GridView* m_grid;
    WavesView* m_waves;
    QTableWidget* m_table;
    QWidget* m_legend;
    std::array<QPushButton*, fleetview::kStandings> m_marks{};
    QTextBrowser* m_side;
    QPushButton* m_open;
    QLabel* m_note;
    std::optional<NodeId> m_chosen;
};

} // namespace starling::window
