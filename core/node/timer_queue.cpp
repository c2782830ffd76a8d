// SPDX-License-Identifier: Apache-2.0
#include "node/timer_queue.h"

namespace starling::node {

TimerQueue::TimerQueue(QObject* parent)
    : QObject(parent)
{
    m_timer.setSingleShot(true);
    m_timer.setTimerType(Qt::PreciseTimer);
    connect(&m_timer, &QTimer::timeout, this, &TimerQueue::fire);
}

Instant TimerQueue::now() const
{
    return Instant(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

void TimerQueue::schedule(Duration delay, std::function<void()> action)
{
    m_pending.emplace(now() + delay, Entry{std::move(action), std::nullopt});
    arm();
}

void TimerQueue::reschedule(std::uint64_t owner, Duration delay, std::function<void()> action)
{
    if (const auto held = m_owned.find(owner); held != m_owned.end())
        m_pending.erase(held->second);
    m_owned[owner] = m_pending.emplace(now() + delay, Entry{std::move(action), owner});
    arm();
}

void TimerQueue::arm()
{
    if (m_pending.empty())
        return;
    const Duration wait = std::max(Duration::zero(), m_pending.begin()->first - now());
    // Rounded up, so that a timer never fires just before it is due and spins.
    m_timer.start(std::chrono::ceil<std::chrono::milliseconds>(wait));
}

void TimerQueue::fire()
{
    const Instant due = now();
    while (!m_pending.empty() && m_pending.begin()->first <= due) {
        auto node = m_pending.extract(m_pending.begin());
        if (node.mapped().owner)
            m_owned.erase(*node.mapped().owner);
        node.mapped().action();
    }
    arm();
}

} // namespace starling::node
