// SPDX-License-Identifier: Apache-2.0
/// Where a query is typed: completes fields and values, and keeps filters that are wanted again.
#pragma once

#include "fleetview/facets.h"

#include <QWidget>

class QCompleter;
class QLineEdit;
class QMenu;
class QPushButton;
class QStringListModel;

namespace starling::window {

class QueryBox : public QWidget
{
    Q_OBJECT
public:
    static constexpr int kMaxKept = 20; ///< guess: a menu that is read without scrolling

    explicit QueryBox(QWidget* parent = nullptr);
    QLineEdit* edit() const { return m_edit; }
    QString text() const;
    void setText(const QString& text);
    /// What is offered as values.
    void setFacets(std::vector<fleetview::Facet> facets) { m_facets = std::move(facets); }

Q_SIGNALS:
    void changed();

private:
    void complete(const QString& typed);
    void fillMenu();
    static QStringList kept();
    static void keep(const QStringList& filters);

    std::vector<fleetview::Facet> m_facets;
    QLineEdit* m_edit;
    QPushButton* m_button;
    QMenu* m_menu;
    QStringListModel* m_offers;
    QCompleter* m_completer;
};

} // namespace starling::window
