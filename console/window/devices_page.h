// SPDX-License-Identifier: Apache-2.0
/// Devices: facets with counts, a query box, the table, and what there is to know of one.
#pragma once

#include "aside.h"
#include "device_model.h"
#include "fleetview/facets.h"
#include "job.h"
#include "page.h"

class QPushButton;
class QTableView;
class QTabWidget;
class QTextBrowser;
class QTreeWidget;

namespace starling::window {

class PiecesBar;
class QueryBox;

class DevicesPage : public Page
{
    Q_OBJECT
public:
    explicit DevicesPage(QWidget* parent = nullptr);
    void show(const SnapshotPtr& snapshot) override;
    void setTheme(const Theme& theme) override;
    void setQuery(const QString& text);
    /// Selects it, and shows all devices if the query hides it.
    void choose(const NodeId& node);
    void focusQuery();
    using Page::show;

Q_SIGNALS:
    void addWanted(); ///< of a device
    void denyWanted(const starling::fleetview::DevicePtr& device);

private:
    QWidget* makeFacets();
    QWidget* makeTable();
    QWidget* makeDock();
    void applyQuery();
    void countFacets();
    void showFacets(const std::vector<fleetview::Facet>& facets);
    void showCount();
    void showDetail();
    void readLog();
    void showPieces(const fleetview::Device* device);
    void pick(const QString& test, bool isAdded);
    void copyRows() const;
    SnapshotPtr m_snapshot;
    DeviceModel* m_model;
    QueryBox* m_query;
    QLabel *m_problem, *m_count;
    QPushButton *m_clear, *m_deny;
    QTreeWidget* m_facets;
    QTableView* m_table;
    QTabWidget* m_dock;
    QTextBrowser *m_why, *m_progress, *m_peers, *m_history, *m_health, *m_log, *m_identity;
    Job m_reading; ///< of the audit log
    std::optional<NodeId> m_logged; ///< whose lines m_log shows
    PiecesBar* m_pieces;
    std::optional<NodeId> m_chosen; ///< stays chosen while it is filtered away
    bool m_isSettling = false; ///< the model moves rows, nobody chooses
    std::vector<std::string> m_facetKey; ///< what the facets were built of
    Aside m_counting; ///< of facets
};

} // namespace starling::window
