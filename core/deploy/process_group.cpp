// SPDX-License-Identifier: Apache-2.0
#include "deploy/process_group.h"

#include "base/assert.h"
#include "deploy/warden.h"

#include <QSocketNotifier>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace starling::deploy {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReadBytes = 64 * 1024; // the capacity of a pipe on Linux
constexpr int kDrainReads = 16; // at the end; whoever still writes then has left the group
constexpr milliseconds kKillLimit{1'500}; // the warden gives up after one second
constexpr int kAbandonMilliseconds = 2'000;

milliseconds timerInterval(Duration duration)
{
    return std::chrono::ceil<milliseconds>(duration);
}

/// A descriptor that is closed unless taken, and that no program started by others inherits.
class Descriptor
{
public:
    Descriptor() = default;
    explicit Descriptor(int value)
        : m_value(value)
    {
    }
    Descriptor(Descriptor&& other) noexcept
        : m_value(other.take())
    {
    }
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        std::swap(m_value, other.m_value);
        return *this;
    }
    ~Descriptor()
    {
        if (m_value >= 0)
            ::close(m_value);
    }
    int get() const { return m_value; }
    int take() { return std::exchange(m_value, -1); }
    /// Out of the way of the places where the warden puts them.
    void moveUp() { *this = Descriptor(fcntl(m_value, F_DUPFD_CLOEXEC, kLowestTaskDescriptor)); }

private:
    int m_value = -1;
};

struct Channels
{
    Descriptor control;
    Descriptor wardenControl;
    Descriptor output;
    Descriptor wardenOutput;
    Descriptor null;
};

Result<Channels> openChannels()
{
    Channels channels;
    std::array<int, 2> pair{-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) == 0) {
        channels.control = Descriptor(pair[0]);
        channels.wardenControl = Descriptor(pair[1]);
        channels.wardenControl.moveUp();
    }
    if (pipe2(pair.data(), O_CLOEXEC) == 0) {
        channels.output = Descriptor(pair[0]);
        channels.wardenOutput = Descriptor(pair[1]);
        channels.wardenOutput.moveUp();
        fcntl(channels.output.get(), F_SETFL, O_NONBLOCK); // our end only: scripts expect a blocking one
    }
    channels.null = Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC));
    channels.null.moveUp();
    for (const Descriptor* each : {&channels.wardenControl, &channels.wardenOutput, &channels.null})
        if (each->get() < 0)
            return fail(Errc::DeployFailed, std::string("cannot start a process: ") + std::strerror(errno));
    return channels;
}

std::vector<char*> pointersTo(const std::vector<std::string>& strings)
{
    std::vector<char*> pointers;
    for (const std::string& string : strings)
        pointers.push_back(const_cast<char*>(string.c_str())); // execve() writes to none of them
    pointers.push_back(nullptr);
    return pointers;
}

ProcessEnd endOf(int status)
{
    if (WIFSIGNALED(status))
        return {ProcessEnd::How::Signalled, WTERMSIG(status), {}};
    return {ProcessEnd::How::Exited, WEXITSTATUS(status), {}};
}

} // namespace

ProcessGroup::ProcessGroup(Duration killGrace, ByteCount outputLimit, QObject* parent)
    : QObject(parent)
    , m_killGrace(killGrace)
    , m_outputLimit(outputLimit)
    , m_tail(outputLimit)
{
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &ProcessGroup::handleTimer);
}

ProcessGroup::~ProcessGroup()
{
    abandon();
}

Status ProcessGroup::start(const Command& command, Duration timeout)
{
    STARLING_ASSERT(!isRunning());
    auto channels = openChannels();
    if (!channels)
        return fail(std::move(channels.error()), "process group");
    const std::vector<char*> arguments = pointersTo(command.arguments);
    const std::vector<char*> environment = pointersTo(command.environment);
    const WardenTask task{arguments.data(),
                          environment.data(),
                          command.directory.c_str(),
                          channels->wardenControl.get(),
                          channels->wardenOutput.get(),
                          channels->null.get()};

    // Blocked across the fork: a signal that reached the child before it dropped the agent's handlers would
    // write into the agent's own wake-up pipe.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t warden = fork();
    if (warden == 0)
        runWarden(task);
    const int forkError = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (warden < 0)
        return fail(Errc::DeployFailed, std::string("cannot start a process: ") + std::strerror(forkError));

    m_warden = warden;
    m_leader = 0;
    m_stage = Stage::Running;
    m_end.reset();
    m_tail = OutputTail(m_outputLimit);
    m_control = channels->control.take();
    m_output = channels->output.take();
    m_controlNotifier = std::make_unique<QSocketNotifier>(m_control, QSocketNotifier::Read);
    m_outputNotifier = std::make_unique<QSocketNotifier>(m_output, QSocketNotifier::Read);
    connect(m_controlNotifier.get(), &QSocketNotifier::activated, this, &ProcessGroup::handleReports);
    connect(m_outputNotifier.get(), &QSocketNotifier::activated, this, &ProcessGroup::readOutput);
    m_timer.start(timerInterval(timeout));
    return {};
}

/// One piece an activation, so that a script that prints without end does not starve the event loop.
void ProcessGroup::readOutput()
{
    std::array<char, kReadBytes> buffer;
    const ssize_t count = read(m_output, buffer.data(), buffer.size());
    if (count > 0)
        m_tail.append({buffer.data(), static_cast<std::size_t>(count)});
    else if (count == 0 || (errno != EAGAIN && errno != EINTR))
        m_outputNotifier->setEnabled(false);
}

/// Takes one report; true if it was the last: Ended, or the warden is gone.
bool ProcessGroup::readReport()
{
    Report report;
    const ssize_t count = recv(m_control, &report, sizeof report, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (count != sizeof report) {
        if (m_leader > 0)
            kill(-m_leader, SIGKILL); // it got a parent-death signal, its children did not
        if (!m_end)
            m_end = ProcessEnd{ProcessEnd::How::Lost, 0, {}};
        return true;
    }
    switch (report.kind) {
    case Report::Kind::Started:
        m_leader = report.value;
        return false;
    case Report::Kind::NotStarted:
        m_end = ProcessEnd{ProcessEnd::How::NotStarted, report.value, {}};
        return false;
    case Report::Kind::Ended:
        if (!m_end)
            m_end = endOf(report.value);
        return true;
    }
    return false;
}

void ProcessGroup::handleReports()
{
    if (!readReport())
        return;
    ProcessEnd end = *m_end;
    if (m_stage != Stage::Running)
        end = {ProcessEnd::How::TimedOut, end.value + (end.how == ProcessEnd::How::Signalled ? 128 : 0), {}};
    finish(std::move(end));
}

void ProcessGroup::handleTimer()
{
    switch (m_stage) {
    case Stage::Running:
        m_stage = Stage::Terminating;
        order(static_cast<char>(Order::Terminate));
        m_timer.start(timerInterval(m_killGrace));
        return;
    case Stage::Terminating:
        m_stage = Stage::Killing;
        order(static_cast<char>(Order::Kill));
        m_timer.start(kKillLimit);
        return;
    case Stage::Killing: // the warden does not answer: stopped, or held by the kernel
        if (m_leader > 0)
            kill(-m_leader, SIGKILL);
        finish({ProcessEnd::How::TimedOut, 128 + SIGKILL, {}});
        return;
    }
}

void ProcessGroup::order(char what)
{
    // When the socket is closed the end of it is on its way to handleReports().
    [[maybe_unused]] const ssize_t sent = send(m_control, &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void ProcessGroup::finish(ProcessEnd end)
{
    for (int i = 0; i < kDrainReads && m_outputNotifier->isEnabled(); ++i)
        readOutput();
    end.output = m_tail.text();
    close();
    Q_EMIT finished(end);
}

void ProcessGroup::abandon()
{
    if (!isRunning())
        return;
    order(static_cast<char>(Order::Kill));
    pollfd event{m_control, POLLIN, 0};
    while (poll(&event, 1, kAbandonMilliseconds) > 0 && !readReport()) { }
    close();
}

/// Lets go of the warden: it has sent its last report, was killed from outside, or failed to answer in time.
void ProcessGroup::close()
{
    m_timer.stop();
    // This may run inside a slot of theirs.
    for (auto* notifier : {&m_controlNotifier, &m_outputNotifier}) {
        (*notifier)->setEnabled(false);
        notifier->release()->deleteLater();
    }
    ::close(m_control);
    ::close(m_output);
    // With its part done it exits by itself, and has no child left; a signal hurries one that does not.
    kill(m_warden, SIGKILL);
    waitpid(m_warden, nullptr, 0);
    m_warden = 0;
    m_control = -1;
    m_output = -1;
}

} // namespace starling::deploy
