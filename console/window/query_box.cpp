// SPDX-License-Identifier: Apache-2.0
#include "query_box.h"

#include "fleetview/completion.h"
#include "fleetview/query.h"
#include "page.h"

#include <QAbstractItemView>
#include <QCompleter>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSettings>
#include <QStringListModel>

namespace starling::window {

namespace {
const auto kKey = QStringLiteral("devices/filters");
}

QueryBox::QueryBox(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Filter"));
    auto* const row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    m_edit = named(new QLineEdit, tr("Query"));
    m_edit->setPlaceholderText(tr("Filter, as in: site=berlin* and state!=healthy"));
    m_edit->setMaxLength(static_cast<int>(fleetview::Query::kMaxBytes));
    m_edit->setToolTip(
        tr("Fields: name, id, state, uri, version, phase, code, or a label. = != ~ !~ < <= > >=, "
           "and, or, not, ( ). The same language as starling device list --where."));
    m_offers = new QStringListModel(this);
    m_completer = new QCompleter(m_offers, this);
    // They are whole queries already: which of them, completionsOf() says.
    m_completer->setCompletionMode(QCompleter::UnfilteredPopupCompletion);
    m_completer->popup()->setAccessibleName(tr("How the query may go on"));
    m_edit->setCompleter(m_completer);
    m_button = named(new QPushButton(tr("Filters")), tr("Filters that are kept"));
    m_menu = new QMenu(m_button);
    m_menu->setAccessibleName(tr("Filters that are kept"));
    m_button->setMenu(m_menu);
    row->addWidget(m_edit, 1);
    row->addWidget(m_button);
    connect(m_edit, &QLineEdit::textEdited, this, &QueryBox::complete);
    connect(m_edit, &QLineEdit::textChanged, this, &QueryBox::changed);
    connect(m_menu, &QMenu::aboutToShow, this, &QueryBox::fillMenu);
}

QString QueryBox::text() const
{
    return m_edit->text();
}

void QueryBox::setText(const QString& text)
{
    m_edit->setText(text);
}

void QueryBox::complete(const QString& typed)
{
    QStringList offers;
    if (m_edit->cursorPosition() == typed.size()) // within a query nothing is completed
        for (const std::string& offer : fleetview::completionsOf(m_facets, typed.toStdString()))
            offers += QString::fromStdString(offer);
    m_offers->setStringList(offers);
}

void QueryBox::fillMenu()
{
    m_menu->clear();
    const QStringList filters = kept();
    for (const QString& filter : filters) {
        QString shown = filter;
        connect(m_menu->addAction(shown.replace(QLatin1Char('&'), QStringLiteral("&&"))), &QAction::triggered,
                this, [this, filter] { setText(filter); });
    }
    if (filters.isEmpty())
        m_menu->addAction(tr("No filter is kept yet"))->setEnabled(false);
    m_menu->addSeparator();
    const QString present = text().trimmed();
    const bool isKept = filters.contains(present);
    QAction* const toggle =
        m_menu->addAction(isKept ? tr("Forget the present filter") : tr("Keep the present filter"));
    const bool isGood = !present.isEmpty() && fleetview::Query::parse(present.toStdString()).has_value();
    toggle->setEnabled(isKept || (isGood && filters.size() < kMaxKept));
    connect(toggle, &QAction::triggered, this, [filters = QStringList(filters), present, isKept]() mutable {
        isKept ? static_cast<void>(filters.removeAll(present)) : filters.append(present);
        keep(filters);
    });
}

QStringList QueryBox::kept()
{
    return QSettings().value(kKey).toStringList().mid(0, kMaxKept);
}

void QueryBox::keep(const QStringList& filters)
{
    QSettings().setValue(kKey, filters);
}

} // namespace starling::window
