// SPDX-License-Identifier: Apache-2.0
/// A fleet that is simulated in the console, told as an agent would tell of it: what its observer has
/// verified goes the way that an agent's answers go. Nothing here opens a socket or a key chain.
#pragma once

#include "demo_events.h"
#include "sim/demo_fleet.h"

#include <QElapsedTimer>

namespace starling::window {

/// Lives in the feed's thread.
class DemoWorker : public QObject
{
    Q_OBJECT
public:
    explicit DemoWorker(const sim::DemoConfig& config);
    ~DemoWorker() override;
    void begin();
    /// So many seconds of the fleet for one of the wall clock.
    void setSpeed(int speed) { m_speed = speed; }

Q_SIGNALS:
    void snapshotTaken(const starling::window::SnapshotPtr& snapshot);

private:
    void tick();
    void takeReceipts();
    void tell();
    void updateFleet();
    void measure(qint64 now);
    DemoState state() const;
    SnapshotPtr snapshot();
    sim::DemoConfig m_config;
    int m_speed = 1;
    QTimer* m_timer = nullptr;
    std::unique_ptr<sim::DemoFleet> m_demo; ///< made in the thread: the keys of a large one take a while
    std::map<NodeId, fleetview::Report> m_reports; ///< that m_fleet was not told yet
    std::optional<fleetview::Fleet> m_fleet;
    DemoEvents m_events;
    QElapsedTimer m_clock;
    qint64 m_stageSince = 0; ///< ms of m_clock, when the stage of m_stage began
    DemoState::Stage m_stage = DemoState::Stage::Making;
    std::set<NodeId> m_opened; ///< devices that have the first release
    qint64 m_lastTick = 0, m_lastTold = 0; ///< ms of m_clock
    Duration m_target{}; ///< where the fleet should be
    // Of the last seconds, for the pace
    qint64 m_paceSince = 0;
    Duration m_paceFrom{};
    double m_pace = 1;
};

class DemoFeed : public Source
{
    Q_OBJECT
public:
    /// `config` must be valid.
    explicit DemoFeed(const sim::DemoConfig& config, QObject* parent = nullptr);
    ~DemoFeed() override;
    void begin() override;
    void leave() override;
    void setSpeed(int speed);

private:
    QThread m_thread;
    DemoWorker* m_worker;
};

} // namespace starling::window
