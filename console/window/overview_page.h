// SPDX-License-Identifier: Apache-2.0
/// Overview: is it going well, how far, and what needs a person.
#pragma once

#include "page.h"

class QListWidget;
class QPushButton;

namespace starling::window {

class WavesView;

/// Devices by standing, as one bar with hatches for trouble.
class StandingBar : public QWidget
{
    Q_OBJECT
public:
    explicit StandingBar(QWidget* parent = nullptr);
    void show(const std::array<std::size_t, fleetview::kStandings>& standings, const Theme& theme);
    QSize sizeHint() const override { return {200, 22}; }
    using QWidget::show;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::array<std::size_t, fleetview::kStandings> m_standings{};
    Theme m_theme;
};

class OverviewPage : public Page
{
    Q_OBJECT
public:
    explicit OverviewPage(QWidget* parent = nullptr);
    void show(const SnapshotPtr& snapshot) override;
    void setTheme(const Theme& theme) override;
    using Page::show;

Q_SIGNALS:
    /// Somebody wants to see the devices that match.
    void devicesWanted(const QString& query);
    void applicantChosen(const starling::window::Applicant& applicant);
    void observerWanted(); ///< the agent that is asked is to collect receipts
    void checkWanted(); ///< of the network

private:
    QWidget* makeVerdict();
    QLayout* makeTiles();
    QLayout* makeLists();
    void showVerdict();
    void showTiles();
    void showNeeds();
    void noteLinks();
    static QString applicantWords(const Applicant& applicant);
    void showReleases();
    void showLegend();
    void showHint();
    SnapshotPtr m_snapshot;
    NodeId m_vantage; ///< the agent that is asked
    bool m_knowsOthers = false; ///< it has told of somebody else
    std::optional<qint64> m_aloneSince; ///< ms since 1970: since then the agent has no link that is up
    QLabel *m_glyph, *m_verdict, *m_sentence, *m_legend, *m_hint, *m_needsEmpty, *m_releasesEmpty;
    QPushButton* m_action;
    StandingBar* m_bar;
    WavesView* m_waves;
    std::array<QLabel*, 4> m_figures{}, m_notes{};
    QListWidget *m_needs, *m_releases;
};

} // namespace starling::window
