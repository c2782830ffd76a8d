// SPDX-License-Identifier: Apache-2.0
// The agent has threads (libtorrent's), so between fork() and execve() only async-signal-safe calls are
// allowed: nothing here allocates, locks or logs.
#include "deploy/warden.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace starling::deploy {

namespace {

constexpr int kControl = 3;
constexpr int kChildSignal = 4;
constexpr int kExitNotStarted = 127;
constexpr int kKillAttempts = 200;
constexpr int kKillPauseMilliseconds = 5; // 200 of them: a second in all

enum class Scope { Group, Descendants };

void report(Report::Kind kind, int value)
{
    const Report message{kind, value};
    // Nobody to tell when it fails: the agent is gone, and poll() reports that.
    [[maybe_unused]] const ssize_t sent = send(kControl, &message, sizeof message, MSG_NOSIGNAL);
}

void closeFrom(unsigned first)
{
    if (close_range(first, ~0u, 0) == 0)
        return;
    for (int descriptor = static_cast<int>(first); descriptor < 65'536; ++descriptor)
        close(descriptor); // a kernel before 5.9
}

/// The script itself: session, limits, directory, program.
[[noreturn]] void runLeader(const WardenTask& task, pid_t warden)
{
    setsid();
    // Should somebody kill the warden. The second line closes the gap before the first.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != warden)
        _exit(kExitNotStarted);

    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none); // a core file could hold secrets and fill the disk
    umask(022);
    fcntl(kControl, F_SETFD, FD_CLOEXEC);
    sigset_t nothing;
    sigemptyset(&nothing);
    sigprocmask(SIG_SETMASK, &nothing, nullptr);
    if (chdir(task.directory) == 0)
        execve(task.arguments[0], task.arguments, task.environment);
    report(Report::Kind::NotStarted, errno);
    _exit(kExitNotStarted);
}

/// SIGKILL to every child: ours to reap, so none of these numbers can belong to a stranger.
void killChildren()
{
    const int list = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (list < 0)
        return;
    std::array<char, 4096> text{};
    pid_t child = 0;
    for (ssize_t count; (count = read(list, text.data(), text.size())) > 0;)
        for (ssize_t i = 0; i < count; ++i) {
            const char character = text[static_cast<std::size_t>(i)];
            if (character >= '0' && character <= '9') {
                child = child * 10 + (character - '0');
            } else if (child > 0) {
                kill(child, SIGKILL);
                child = 0;
            }
        }
    close(list);
}

/// Kills until nothing of `scope` is left; returns the leader's wait status.
int killAndReap(pid_t leader, Scope scope)
{
    int leaderStatus = SIGKILL; // if it cannot be reaped
    bool isLeaderReaped = false;
    for (int attempt = 0; attempt < kKillAttempts; ++attempt) {
        // A group's number cannot be given to others while it has members: the leader until it is reaped, and
        // in group scope whoever made waitpid() return 0. One kill of a group is atomic against fork().
        if (!isLeaderReaped || scope == Scope::Group)
            kill(-leader, SIGKILL);
        if (scope == Scope::Descendants)
            killChildren();
        int status = 0;
        pid_t reaped = 0;
        while ((reaped = waitpid(scope == Scope::Group ? -leader : -1, &status, WNOHANG)) > 0)
            if (reaped == leader) {
                leaderStatus = status;
                isLeaderReaped = true;
            }
        if (reaped < 0)
            break;
        poll(nullptr, 0, kKillPauseMilliseconds);
    }
    return leaderStatus;
}

/// Reaps orphans that ended; true when the leader did, which is left for killAndReap().
bool hasLeaderEnded(pid_t leader)
{
    for (;;) {
        siginfo_t ended{};
        if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0)
            return false;
        if (ended.si_pid == leader)
            return true;
        waitpid(ended.si_pid, nullptr, WNOHANG);
    }
}

/// Until the leader ends, the agent says Kill or is gone; returns what is to be killed then.
Scope watch(pid_t leader)
{
    Scope scope = Scope::Group;
    std::array<pollfd, 2> events{pollfd{kControl, POLLIN, 0}, pollfd{kChildSignal, POLLIN, 0}};
    for (;;) {
        if (poll(events.data(), events.size(), -1) < 0)
            continue;
        if (events[0].revents != 0) {
            char order = 0;
            if (recv(kControl, &order, 1, 0) != 1 || order != static_cast<char>(Order::Terminate))
                return Scope::Descendants;
            kill(-leader, SIGTERM);
            scope = Scope::Descendants;
        }
        if (events[1].revents != 0) {
            signalfd_siginfo ignored{};
            while (read(kChildSignal, &ignored, sizeof ignored) > 0) { }
        }
        if (hasLeaderEnded(leader))
            return scope;
    }
}

} // namespace

void runWarden(const WardenTask& task)
{
    for (int number = 1; number < NSIG; ++number)
        signal(number, SIG_DFL); // the step starts with default dispositions; all stay blocked in the warden
    setsid(); // out of reach of the terminal's Ctrl-C and of signals to the agent's group
    prctl(PR_SET_NAME, "starling-warden");
    prctl(PR_SET_CHILD_SUBREAPER, 1);

    dup2(task.null, STDIN_FILENO);
    dup2(task.output, STDOUT_FILENO);
    dup2(task.output, STDERR_FILENO);
    dup2(task.control, kControl);
    closeFrom(kControl + 1); // no socket, database or lock of the agent lives on in here or in the step
    sigset_t childEnds;
    sigemptyset(&childEnds);
    sigaddset(&childEnds, SIGCHLD);
    if (signalfd(-1, &childEnds, SFD_NONBLOCK | SFD_CLOEXEC) != kChildSignal) {
        report(Report::Kind::NotStarted, errno);
        _exit(1);
    }

    const pid_t warden = getpid();
    const pid_t leader = fork();
    if (leader < 0) {
        report(Report::Kind::NotStarted, errno);
        _exit(1);
    }
    if (leader == 0)
        runLeader(task, warden);
    dup2(STDIN_FILENO, STDOUT_FILENO);
    dup2(STDIN_FILENO, STDERR_FILENO);
    report(Report::Kind::Started, leader);
    report(Report::Kind::Ended, killAndReap(leader, watch(leader)));
    _exit(0);
}

} // namespace starling::deploy
