// SPDX-License-Identifier: Apache-2.0
#include "console_window.h"

#include <QEventLoop>
#include <QSocketNotifier>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace starling::demo {

namespace {

/// In the new process, which has this thread alone: waits for the socket's name and becomes the program.
[[noreturn]] void becomeConsole(const char* program, int told)
{
    std::string socket;
    for (char c = 0; ::read(told, &c, 1) == 1 && c != '\n';)
        socket += c;
    if (socket.empty())
        ::_exit(0); // the demo ended before
    ::execl(program, program, "--agent", socket.c_str(), nullptr);
    ::_exit(127);
}

} // namespace

ConsoleWindow::~ConsoleWindow()
{
    if (m_pid <= 0)
        return;
    ::kill(m_pid, SIGTERM);
    ::waitpid(m_pid, nullptr, 0);
    ::close(m_tell);
    ::close(m_ended);
}

Status ConsoleWindow::prepare(const std::filesystem::path& program)
{
    std::array<int, 2> tell{-1, -1}, ended{-1, -1};
    if (::access(program.c_str(), X_OK) != 0 || ::pipe2(tell.data(), O_CLOEXEC) != 0
        || ::pipe(ended.data()) != 0)
        return fail(Errc::Io, program.string() + ": " + std::strerror(errno));
    m_pid = ::fork();
    if (m_pid < 0)
        return fail(Errc::Io, std::string("fork: ") + std::strerror(errno));
    if (m_pid == 0) {
        ::close(tell[1]);
        ::close(ended[0]); // the other end is closed when it ends
        becomeConsole(program.c_str(), tell[0]);
    }
    ::close(tell[0]);
    ::close(ended[1]);
    m_tell = tell[1];
    m_ended = ended[0];
    return ::fcntl(m_ended, F_SETFD, FD_CLOEXEC) == 0 ? Status()
                                                      : Status(fail(Errc::Io, std::strerror(errno)));
}

Status ConsoleWindow::open(const std::filesystem::path& socket) const
{
    const std::string line = socket.string() + "\n";
    if (::write(m_tell, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        return fail(Errc::Io, std::string("starling-console: ") + std::strerror(errno));
    return {};
}

void ConsoleWindow::wait()
{
    if (m_pid <= 0 || ::waitpid(m_pid, nullptr, WNOHANG) != 0)
        return;
    std::fputs("\nThe fleet goes on until the console is closed.\n", stderr);
    QEventLoop loop;
    const QSocketNotifier ended(m_ended, QSocketNotifier::Read);
    QObject::connect(&ended, &QSocketNotifier::activated, &loop, &QEventLoop::quit);
    loop.exec();
}

} // namespace starling::demo
