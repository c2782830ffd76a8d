// SPDX-License-Identifier: Apache-2.0
/// Ctrl+K: every action of the window by name, and every device.
#pragma once

#include "fleetview/fleet.h"

#include <QAction>
#include <QDialog>

class QLineEdit;
class QListWidget;

namespace starling::window {

class CommandPalette : public QDialog
{
    Q_OBJECT
public:
    CommandPalette(QList<QAction*> actions, fleetview::PicturePtr picture, QWidget* parent);

Q_SIGNALS:
    void deviceChosen(const starling::NodeId& node);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void fill();
    void run();
    QList<QAction*> m_actions;
    fleetview::PicturePtr m_picture;
    QLineEdit* m_text;
    QListWidget* m_list;
};

} // namespace starling::window
