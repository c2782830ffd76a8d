// SPDX-License-Identifier: Apache-2.0
/// Turns timers that are values into wake-ups: one QTimer for the earliest of them all. Also the only clock of the node.
#pragma once

#include "base/time.h"

#include <QObject>
#include <QTimer>
#include <functional>
#include <map>

namespace starling::node {

class TimerQueue : public QObject {
    Q_OBJECT

public:
    explicit TimerQueue(QObject* parent = nullptr);

    Instant now() const;
    /// Calls `action` once after `delay` from the event loop. There is no cancelling: whoever may have lost interest looks
    /// at its own state when called (timers as values go stale by generation).
    void schedule(Duration delay, std::function<void()> action);

private:
    void arm();
    void fire();
    QTimer m_timer;
    std::multimap<Instant, std::function<void()>> m_pending;
};

} // namespace starling::node
