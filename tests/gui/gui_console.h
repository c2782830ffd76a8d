// SPDX-License-Identifier: Apache-2.0
/// The window with its feed, as main() puts them together, and hands to use it with, which count.
#pragma once

#include "error_card.h"
#include "gui_fixture.h"
#include "main_window.h"
#include "patience.h"

#include <QApplication>
#include <QPushButton>

namespace starling::gui_test {

class Console
{
public:
    explicit Console(const QString& socket)
        : main(socket)
        , feed(socket)
    {
        QObject::connect(&feed, &window::Feed::snapshotTaken, &main,
                         [this](const window::SnapshotPtr& snapshot) { main.show(snapshot); });
        QObject::connect(&feed, &window::Feed::lost, &main, &window::MainWindow::showLost);
        QObject::connect(&main, &window::MainWindow::refreshWanted, &feed, &window::Feed::refresh);
        QObject::connect(&main, &window::MainWindow::agentChosen, &feed, &window::Feed::ask);
        main.resize(1'240, 800);
        main.setLook(window::Look::Light);
        main.show();
        main.activateWindow(); // where there is no window manager to do it
        feed.begin();
    }

    /// The one that is seen, if several have the name.
    template <class Widget> Widget* widget(const char* name) const
    {
        for (Widget* widget : main.findChildren<Widget*>())
            if (widget->isVisible() && widget->accessibleName() == QString::fromUtf8(name))
                return widget;
        return find<Widget>(main, QString::fromUtf8(name));
    }
    /// A click on the button of that name, where it is.
    void press(const char* name)
    {
        auto* const button = widget<QPushButton>(name);
        QVERIFY2(button != nullptr && button->isVisible() && button->isEnabled(), name);
        QTest::mouseClick(button, Qt::LeftButton);
        ++actions;
    }
    /// A key, wherever the focus is.
    void key(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier)
    {
        QWidget* const focused = QApplication::focusWidget();
        QTest::keyClick(focused != nullptr ? focused : &main, key, modifiers);
        ++actions;
    }
    /// Text, wherever the focus is: not counted, since a person knows it by heart.
    void type(const QString& text) { QTest::keyClicks(QApplication::focusWidget(), text); }
    /// Tab until the focus is on the widget of that name.
    void tabTo(const char* name)
    {
        for (int i = 0; i < 60; ++i) {
            const QWidget* const focused = QApplication::focusWidget();
            if (focused != nullptr && focused->accessibleName() == QString::fromUtf8(name))
                return;
            key(Qt::Key_Tab);
        }
        QFAIL(name);
    }
    /// On a label or a button.
    bool shows(const char* text) const { return shows(QString::fromUtf8(text)); }
    bool shows(const QString& text) const
    {
        const auto says = [&](const auto* widget) {
            return widget->isVisible() && widget->text().contains(text);
        };
        const auto labels = main.findChildren<QLabel*>();
        const auto buttons = main.findChildren<QPushButton*>();
        return std::any_of(labels.begin(), labels.end(), says)
            || std::any_of(buttons.begin(), buttons.end(), says);
    }
    /// The code of the error that is shown; empty if none is.
    QString error() const
    {
        for (const auto* card : main.findChildren<window::ErrorCard*>())
            if (card->isVisible())
                return card->code();
        return {};
    }

    window::MainWindow main;
    window::Feed feed;
    int actions = 0; ///< clicks and keystrokes
};

} // namespace starling::gui_test
