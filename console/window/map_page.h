// SPDX-License-Identifier: Apache-2.0
/// Map: the fleet as a picture, through four lenses and as the table that says the same; live, or as it was
/// at a moment that this console saw.
#pragma once

#include "map_export.h"
#include "map_places.h"
#include "map_spread.h"
#include "map_time.h"
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
    using Lens = MapLens;
    using Format = MapFormat;

    explicit MapPage(QWidget* parent = nullptr);
    void show(const SnapshotPtr& snapshot) override;
    void setTheme(const Theme& theme) override;
    void setFrozen(bool isFrozen);
    void setReducedMotion(bool isReduced);
    void setLens(Lens lens);
    TimeBar& time() { return *m_time; }
    /// Where sites are, from now on and the next time; empty: nobody says. Fails as console::readSites does.
    Status useSites(const QString& file);
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
    /// `text` has places for what is wrong and for its code.
    void warn(const QString& title, const QString& text, const Error& error);
    void chooseExport(Format format);
    void chooseSites();
    /// What takes long is shown once it is counted, if that is soon enough.
    void refresh(bool isSoon = false);
    void showFields();
    void showTable();
    QString noteText() const;
    fleetview::Vantage vantage() const;
    void openGroup(const QString& name);
    void pickAgain();
    void drill(const std::string& query);
    void goUp();
    void copySummary();
    void showGrid();
    double magnification() const;
    void zoomTo(int zoom);
    void focusLegend();
    void showLegend();
    void showSide();
    /// What all lenses show: live or recorded, and of the groups that were opened alone.
    const fleetview::PicturePtr& picture() const { return m_picture; }
    void moveInTime();
    std::string field() const;
    SnapshotPtr m_snapshot; ///< live
    fleetview::PicturePtr m_recorded; ///< of the moment that was chosen; nothing: live
    fleetview::PicturePtr m_picture;
    std::vector<std::string> m_drill; ///< queries: each a group within the one before
    Lens m_lens = Lens::Grid;
    Lens m_pictured = Lens::Grid; ///< whose twin the table is
    std::array<QPushButton*, 5> m_lenses{};
    QComboBox* m_groupBy;
    TimeBar* m_time;
    QStackedWidget* m_stack;
    QScrollArea *m_gridScroll, *m_wavesScroll, *m_spreadScroll;
    int m_zoom = 0; ///< steps; 0: all is seen at once
    GridView* m_grid;
    WavesView* m_waves;
    SpreadView* m_spread;
    PlacesView* m_places;
    QTableWidget* m_table;
    QWidget* m_legend;
    std::array<QPushButton*, fleetview::kStandings> m_marks{};
    QTextBrowser* m_side;
    QPushButton *m_open, *m_up;
    QLabel* m_note;
    QString m_sitesProblem; ///< why the sites file of the last time is not used
    std::optional<NodeId> m_chosen;
};

} // namespace starling::window
