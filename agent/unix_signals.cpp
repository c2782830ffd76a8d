// SPDX-License-Identifier: Apache-2.0
#include "agent/unix_signals.h"

#include <QSocketNotifier>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/signalfd.h>
#include <unistd.h>

namespace starling::agent {

UnixSignals::UnixSignals(QObject* parent)
    : QObject(parent)
{
}

UnixSignals::~UnixSignals()
{
    if (m_fd >= 0)
        ::close(m_fd);
}

Status UnixSignals::open()
{
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&signals, signal);
    if (::pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0)
        return fail(Errc::Io, std::string("signals: ") + std::strerror(errno));
    // A control client that goes away must not take the agent with it.
    std::signal(SIGPIPE, SIG_IGN);
    m_fd = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (m_fd < 0)
        return fail(Errc::Io, std::string("signals: ") + std::strerror(errno));
    m_notifier = new QSocketNotifier(m_fd, QSocketNotifier::Read, this);
    connect(m_notifier, &QSocketNotifier::activated, this, &UnixSignals::read);
    return {};
}

void UnixSignals::read()
{
    signalfd_siginfo info{};
    while (::read(m_fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        if (info.ssi_signo == SIGHUP)
            Q_EMIT reload();
        else
            Q_EMIT terminate();
    }
}

} // namespace starling::agent
