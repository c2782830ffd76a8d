// SPDX-License-Identifier: Apache-2.0
#include "error_card.h"

#include "model/why_text.h"
#include "page.h"
#include "words.h"

#include <QClipboard>
#include <QFile>
#include <QGuiApplication>
#include <QPushButton>

namespace starling::window {

QString adviceOn(Errc code)
{
    QFile table(QStringLiteral(":/docs/errors.md"));
    if (!table.open(QIODevice::ReadOnly))
        return {};
    const QString start = QStringLiteral("| %1 |").arg(QString::fromStdString(codeName(code)));
    while (!table.atEnd()) {
        const QString line = QString::fromUtf8(table.readLine()).trimmed();
        if (line.startsWith(start))
            return line.section(QLatin1Char('|'), 4, 4).trimmed().remove(QLatin1Char('`'));
    }
    return {};
}

ErrorCard::ErrorCard(QWidget* parent)
    : QFrame(parent)
{
    named(this, tr("What failed"), "error");
    auto* const row = new QHBoxLayout(this);
    row->setContentsMargins(16, 12, 16, 12);
    row->setSpacing(16);
    auto* const words = new QVBoxLayout;
    words->setSpacing(3);
    words->addWidget(m_what = label({}, "heading"));
    words->addWidget(m_why = label({}));
    words->addWidget(m_advice = label({}));
    words->addWidget(m_code = label({}, "muted"));
    for (QLabel* const text : {m_what, m_why, m_advice, m_code}) {
        text->setWordWrap(true);
        text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    }
    row->addLayout(words, 1);
    m_copy = named(new QPushButton(tr("Copy")), tr("Copy the error with its code"));
    connect(m_copy, &QPushButton::clicked, this, [this] {
        QGuiApplication::clipboard()->setText(
            QStringList{m_codeText, m_what->text(), m_why->text()}.join(QLatin1Char('\n')));
    });
    row->addWidget(m_copy, 0, Qt::AlignTop);
    hide();
}

void ErrorCard::tell(const QString& what, const Error& error)
{
    m_codeText = QString::fromStdString(codeName(error.code));
    const QString meaning = console::codeText(error.code);
    m_what->setText(what);
    m_why->setText(tr("Why: %1. %2").arg(meaning, plain(error.context, 600)));
    const QString advice = adviceOn(error.code);
    m_advice->setText(tr("What to do: %1").arg(advice));
    m_advice->setVisible(!advice.isEmpty());
    m_code->setText(m_codeText);
    for (QLabel* const text : {m_what, m_why, m_advice, m_code})
        text->setAccessibleName(text->text());
    show();
}

} // namespace starling::window
