// SPDX-License-Identifier: Apache-2.0
#include "page.h"

#include <QFontDatabase>
#include <QFrame>
#include <QPlainTextEdit>

namespace starling::window {

Page::Page(QWidget* parent)
    : QWidget(parent)
{
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
}

QLabel* label(const QString& text, const char* style)
{
    auto* const label = new QLabel(text);
    label->setTextFormat(Qt::PlainText);
    label->setAccessibleName(text);
    if (style != nullptr)
        label->setObjectName(QLatin1String(style));
    return label;
}

QPlainTextEdit* verbatim(const QString& accessibleName)
{
    auto* const view = named(new QPlainTextEdit, accessibleName);
    view->setReadOnly(true);
    view->setTabChangesFocus(true);
    view->setLineWrapMode(QPlainTextEdit::NoWrap);
    view->setStyleSheet(QStringLiteral("font-family: \"%1\";")
                            .arg(QFontDatabase::systemFont(QFontDatabase::FixedFont).family()));
    return view;
}

QWidget* card(const QString& accessibleName)
{
    auto* const frame = named(new QFrame, accessibleName, "card");
    column(frame, 16, 8);
    return frame;
}

QVBoxLayout* column(QWidget* widget, int margin, int spacing)
{
    auto* const layout = new QVBoxLayout(widget);
    layout->setContentsMargins(margin, margin, margin, margin);
    layout->setSpacing(spacing);
    return layout;
}

} // namespace starling::window
