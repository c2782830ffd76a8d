// SPDX-License-Identifier: Apache-2.0
/// One piece of blocking work in a thread of its own, with progress and cancel: hashing, opening keys, asking
/// an agent for something large.
#pragma once

#include "base/result.h"

#include <QElapsedTimer>
#include <QObject>
#include <atomic>
#include <memory>
#include <thread>

namespace starling::window {

class Job : public QObject
{
    Q_OBJECT
public:
    /// What the work tells, and is told; used by both threads.
    class Ticket
    {
    public:
        void expect(std::uint64_t total) { m_total = total; }
        /// Cancelled once somebody wants that.
        Status tell(std::uint64_t done)
        {
            m_done = done;
            return m_isCancelled ? Status(fail(Errc::Cancelled, "stopped on request")) : Status();
        }

        bool isCancelled() const { return m_isCancelled; }

    private:
        friend class Job;
        std::atomic<std::uint64_t> m_done = 0, m_total = 0;
        std::atomic<bool> m_isCancelled = false;
    };

    explicit Job(QObject* parent = nullptr);
    /// Cancels, and waits for the work to notice.
    ~Job() override;

    /// Runs `work`; `then` gets what it returned, in the window's thread, unless this is gone. One at a time:
    /// nothing happens while another runs.
    template <class T> void start(std::function<Result<T>(Ticket&)> work, std::function<void(Result<T>)> then)
    {
        if (m_thread.joinable())
            return;
        m_ticket.m_done = m_ticket.m_total = 0;
        m_ticket.m_isCancelled = false;
        m_clock.start();
        m_thread = std::thread([this, work = std::move(work), then = std::move(then)] {
            auto result = std::make_shared<Result<T>>(work(m_ticket));
            QMetaObject::invokeMethod(
                this,
                [this, result, then] {
                    m_thread.join();
                    then(std::move(*result));
                },
                Qt::QueuedConnection);
        });
    }
    void cancel() { m_ticket.m_isCancelled = true; }
    bool isRunning() const { return m_thread.joinable(); }
    std::uint64_t done() const { return m_ticket.m_done; }
    std::uint64_t total() const { return m_ticket.m_total; }
    /// "34 %, 120 MiB/s, 12 s left"; empty before anything is done.
    QString progressText() const;

private:
    Ticket m_ticket;
    QElapsedTimer m_clock;
    std::thread m_thread;
};

} // namespace starling::window
