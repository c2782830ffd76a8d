// SPDX-License-Identifier: Apache-2.0
/// Turns timers that are values into wake-ups: one QTimer for the earliest of them all. Also the only clock
/// of the node.
#pragma once

#include "base/time.h"

#include <QObject>
#include <QTimer>
#include <functional>
#include <map>
#include <optional>

namespace starling::node {

class TimerQueue : public QObject
{
    Q_OBJECT

public:
    explicit TimerQueue(QObject* parent = nullptr);

    Instant now() const;
    /// Calls `action` once after `delay` from the event loop. There is no cancelling: whoever may have lost
    /// interest looks at its own state when called (timers as values go stale by generation).
    void schedule(Duration delay, std::function<void()> action);
    /// As schedule(), in place of what was scheduled for this `owner` before: an idle process should not be
    /// woken by timers that have gone stale.
    void reschedule(std::uint64_t owner, Duration delay, std::function<void()> action);

private:
    struct Entry
    {
        std::function<void()> action;
        std::optional<std::uint64_t> owner;
    };
    using Pending = std::multimap<Instant, Entry>;
    void arm();
    void fire();
    QTimer m_timer;
    Pending m_pending;
    std::map<std::uint64_t, Pending::iterator> m_owned;
};

} // namespace starling::node
