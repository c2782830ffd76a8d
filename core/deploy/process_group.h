// SPDX-License-Identifier: Apache-2.0
/// A command with a time limit whose every process is gone when it is over. The agent's side of warden.h: all
/// by socket notifiers and timers, nothing waits but abandon().
#pragma once

#include "deploy/output_tail.h"
#include "deploy/step_command.h"

#include <QObject>
#include <QTimer>
#include <sys/types.h>

class QSocketNotifier;

namespace starling::deploy {

/// How a command ended.
struct ProcessEnd
{
    enum class How : std::uint8_t {
        Exited, ///< `value`: exit status
        Signalled, ///< `value`: signal
        TimedOut, ///< `value`: exit status, 128 + signal if killed
        NotStarted, ///< `value`: errno
        Lost, ///< the warden was killed from outside, and the leader with it
    };
    How how = How::Lost;
    int value = 0;
    std::string output;
};

class ProcessGroup : public QObject
{
    Q_OBJECT

public:
    ProcessGroup(Duration killGrace, ByteCount outputLimit, QObject* parent);
    ~ProcessGroup() override; ///< abandon()

    bool isRunning() const { return m_warden > 0; }
    /// DeployFailed if the system refuses a process. Otherwise answers by finished(), never before this
    /// returns.
    Status start(const Command& command, Duration timeout);
    /// Kills everything without an answer. Waits until it is gone: milliseconds, two seconds at most.
    void abandon();

Q_SIGNALS:
    void finished(const starling::deploy::ProcessEnd& end);

private:
    enum class Stage : std::uint8_t { Running, Terminating, Killing };

    void readOutput();
    bool readReport();
    void handleReports();
    void handleTimer();
    void order(char what);
    void finish(ProcessEnd end);
    void close();

    const Duration m_killGrace;
    const ByteCount m_outputLimit;
    QTimer m_timer;
    Stage m_stage = Stage::Running;
    pid_t m_warden = 0;
    pid_t m_leader = 0;
    int m_control = -1;
    int m_output = -1;
    std::unique_ptr<QSocketNotifier> m_controlNotifier;
    std::unique_ptr<QSocketNotifier> m_outputNotifier;
    OutputTail m_tail;
    std::optional<ProcessEnd> m_end;
};

} // namespace starling::deploy
