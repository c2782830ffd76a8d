// SPDX-License-Identifier: Apache-2.0
#include "sums_bar.h"

#include "page.h"

#include <QLocale>
#include <QPushButton>

namespace starling::window {

SumsBar::SumsBar(QWidget* parent)
    : QFrame(parent)
{
    named(this, tr("A fleet that is told in sums"), "offline");
    auto* const row = new QHBoxLayout(this);
    row->setContentsMargins(24, 6, 24, 6);
    row->setSpacing(10);
    row->addWidget(m_text = label({}), 1);
    m_text->setWordWrap(true);
    auto* const ask = named(new QPushButton(tr("Ask for receipts…")), tr("Ask for signed receipts"));
    row->addWidget(ask);
    connect(ask, &QPushButton::clicked, this, &SumsBar::receiptsWanted);
    hide();
}

void SumsBar::show(const Snapshot& snapshot)
{
    setVisible(snapshot.hints.has_value());
    if (!snapshot.hints)
        return;
    m_text->setText(
        tr("The agent is told of about %1 devices in sums that nobody verified. Shown are the %2 whose "
           "signed "
           "receipts it has: those that were asked for, or came before.")
            .arg(QLocale().toString(static_cast<qulonglong>(fleetview::aboutSo(snapshot.hints->devices))),
                 QLocale().toString(static_cast<qulonglong>(snapshot.picture->devices.size()))));
    m_text->setAccessibleName(m_text->text());
}

} // namespace starling::window
