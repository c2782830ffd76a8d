// SPDX-License-Identifier: Apache-2.0
/// Says, above every screen, that the agent is told of a large fleet in sums, so that the screens show only
/// devices whose signed receipts came; there more of them are asked for.
#pragma once

#include "feed.h"

#include <QFrame>

class QLabel;

namespace starling::window {

class SumsBar : public QFrame
{
    Q_OBJECT
public:
    explicit SumsBar(QWidget* parent = nullptr);
    void show(const Snapshot& snapshot);
    using QWidget::show;

Q_SIGNALS:
    void receiptsWanted();

private:
    QLabel* m_text;
};

} // namespace starling::window
