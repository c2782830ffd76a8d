// SPDX-License-Identifier: Apache-2.0
/// A screen of the window: shows the snapshot that it was given.
#pragma once

#include "feed.h"
#include "theme.h"

#include <QLabel>
#include <QVBoxLayout>
#include <QWidget>

class QPlainTextEdit;

namespace starling::window {

class Page : public QWidget
{
    Q_OBJECT
public:
    explicit Page(QWidget* parent = nullptr);
    virtual void show(const SnapshotPtr& snapshot) = 0;
    virtual void setTheme(const Theme& theme) { m_theme = theme; }
    using QWidget::show;

protected:
    Theme m_theme;
};

/// Gives a widget the name that screen readers and tests know it by, and the style of that name.
template <class Widget>
Widget* named(Widget* widget, const QString& accessibleName, const char* style = nullptr)
{
    widget->setAccessibleName(accessibleName);
    if (style != nullptr)
        widget->setObjectName(QLatin1String(style));
    return widget;
}

/// Text of a style; of others' text only what was made plain, since it is shown as plain text.
QLabel* label(const QString& text, const char* style = nullptr);
/// Text as a file has it, to be read and copied: in a font of one width, without wrapping.
QPlainTextEdit* verbatim(const QString& accessibleName);
/// A framed surface with a vertical layout.
QWidget* card(const QString& accessibleName);
QVBoxLayout* column(QWidget* widget, int margin, int spacing);

} // namespace starling::window
