// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <QStandardPaths>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace starling::lab {

namespace {

std::string systemError(const std::string& what)
{
    return what + ": " + std::strerror(errno);
}

Status writeFile(const std::string& path, const std::string& text)
{
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return fail(Errc::Io, systemError(path));
    const ssize_t written = ::write(file, text.data(), text.size());
    const std::string why = systemError(path);
    ::close(file);
    if (written != static_cast<ssize_t>(text.size()))
        return fail(Errc::Io, why);
    return {};
}

/// Says that this user is root inside (user_namespaces(7)).
Status mapUser(uid_t user, gid_t group)
{
    if (auto denied = writeFile("/proc/self/setgroups", "deny"); !denied)
        return denied;
    if (auto mapped = writeFile("/proc/self/uid_map", "0 " + std::to_string(user) + " 1"); !mapped)
        return mapped;
    return writeFile("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
}

/// Until it is up, nobody can have a socket at 127.0.0.1.
Status raiseLoopback()
{
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0)
        return fail(Errc::Io, systemError("socket"));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    const bool isUp = ::ioctl(socket, SIOCSIFFLAGS, &request) == 0;
    const std::string why = systemError("loopback");
    ::close(socket);
    return isUp ? Status() : Status(fail(Errc::Io, why));
}

Status enterOwnNetwork()
{
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) {
        if (auto mapped = mapUser(user, group); !mapped)
            return mapped;
    } else if (user != 0 || ::unshare(CLONE_NEWNET) != 0) {
        return fail(Errc::Io, systemError("no network namespace to be had"));
    }
    return raiseLoopback();
}

std::string missingPrograms()
{
    std::string missing;
    for (const char* program : {"ip", "nft"})
        if (QStandardPaths::findExecutable(QLatin1String(program)).isEmpty()
            && QStandardPaths::findExecutable(QLatin1String(program), {QStringLiteral("/usr/sbin")})
                   .isEmpty())
            missing += std::string(missing.empty() ? "" : ", ") + program;
    return missing;
}

/// Why enterOwnNetwork() would fail, or nothing. Tried in a process of its own: half-way in, a process that
/// goes on without a lab would have no user, and a network without loopback (AppArmor on Ubuntu does that).
std::string obstacleToEntering()
{
    std::array<int, 2> report{-1, -1};
    if (::pipe2(report.data(), O_CLOEXEC) != 0)
        return systemError("pipe");
    const pid_t trial = ::fork();
    if (trial == 0) {
        const auto entered = enterOwnNetwork();
        const std::string why = entered ? "" : entered.error().context;
        const bool isTold = ::write(report[1], why.data(), why.size()) == static_cast<ssize_t>(why.size());
        ::_exit(isTold ? 0 : 1);
    }
    ::close(report[1]);
    std::string why = trial < 0 ? systemError("fork") : std::string();
    std::array<char, 256> part{};
    for (ssize_t size = 0; trial > 0 && (size = ::read(report[0], part.data(), part.size())) > 0;)
        why.append(part.data(), static_cast<std::size_t>(size));
    ::close(report[0]);
    if (trial > 0)
        ::waitpid(trial, nullptr, 0);
    return why;
}

std::string findObstacle()
{
    const std::string missing = missingPrograms();
    if (!missing.empty())
        return "not installed: " + missing;
    if (std::string obstacle = obstacleToEntering(); !obstacle.empty())
        return obstacle;
    const auto entered = enterOwnNetwork();
    return entered ? std::string() : entered.error().context;
}

} // namespace

const std::string& enterLab()
{
    static const std::string obstacle = findObstacle();
    return obstacle;
}

Network::Network(std::string name, int descriptor)
    : m_name(std::move(name))
    , m_descriptor(descriptor)
{
}

Network::~Network()
{
    ::close(m_descriptor);
}

Result<std::unique_ptr<Network>> Network::create(std::string name)
{
    int descriptor = -1;
    std::string why;
    // A thread of its own goes there, so that this one need not come back.
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) == 0)
            descriptor = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        why = systemError("network " + name);
    }).join();
    if (descriptor < 0)
        return fail(Errc::Io, why);
    std::unique_ptr<Network> network(new Network(std::move(name), descriptor));
    if (auto up = network->ip("link set lo up\n"); !up)
        return tl::unexpected<Error>(up.error());
    return network;
}

QByteArray Network::path() const
{
    return "/proc/" + QByteArray::number(::getpid()) + "/fd/" + QByteArray::number(m_descriptor);
}

Status Network::inside(const std::function<Status()>& what) const
{
    Status status;
    std::thread([&] {
        if (::setns(m_descriptor, CLONE_NEWNET) == 0)
            status = what();
        else
            status = fail(Errc::Io, systemError(m_name));
    }).join();
    return status;
}

Status Network::set(const std::string& key, const std::string& value) const
{
    std::string path = key;
    for (char& c : path)
        c = c == '.' ? '/' : c;
    return inside([&] { return writeFile("/proc/sys/" + path, value); });
}

void Network::prepare(QProcess& process) const
{
    const int descriptor = m_descriptor;
    process.setChildProcessModifier([descriptor] {
        if (::setns(descriptor, CLONE_NEWNET) != 0 || ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
            ::_exit(126); // never in another network
    });
}

Result<QByteArray> Network::run(const QString& program, const QStringList& arguments, const QByteArray& input,
                                std::chrono::milliseconds limit) const
{
    auto process = start(program, arguments);
    if (!process)
        return tl::unexpected<Error>(process.error());
    (*process)->write(input);
    (*process)->closeWriteChannel();
    const bool isEnded = (*process)->waitForFinished(static_cast<int>(limit.count()));
    const QByteArray errors = (*process)->readAllStandardError();
    if (!isEnded || (*process)->exitStatus() != QProcess::NormalExit || (*process)->exitCode() != 0) {
        (*process)->kill();
        (*process)->waitForFinished();
        return fail(Errc::Io,
                    m_name + ": " + program.toStdString() + " "
                        + arguments.join(QLatin1Char(' ')).toStdString()
                        + (isEnded ? ": " : " takes too long: ") + errors.trimmed().toStdString());
    }
    return (*process)->readAllStandardOutput();
}

Result<std::unique_ptr<QProcess>> Network::start(const QString& program, const QStringList& arguments) const
{
    auto process = std::make_unique<QProcess>();
    prepare(*process);
    // Packet filters and routes are set by programs that a user's PATH often lacks.
    const QString beside = QStandardPaths::findExecutable(program, {QStringLiteral("/usr/sbin")});
    process->start(beside.isEmpty() ? program : beside, arguments);
    if (!process->waitForStarted())
        return fail(Errc::Io,
                    m_name + ": " + program.toStdString() + ": " + process->errorString().toStdString());
    return process;
}

Status Network::ip(const QByteArray& lines) const
{
    auto said = run(QStringLiteral("ip"), {QStringLiteral("-batch"), QStringLiteral("-")}, lines);
    if (!said)
        return fail(std::move(said.error()), lines.toStdString());
    return {};
}

Status Network::nft(const QByteArray& script) const
{
    auto said = run(QStringLiteral("nft"), {QStringLiteral("-f"), QStringLiteral("-")}, script);
    if (!said)
        return fail(std::move(said.error()), script.toStdString());
    return {};
}

Status connect(const Network& one, const QByteArray& here, const Network& other, const QByteArray& there)
{
    return one.ip("link add " + here + " type veth peer name " + there + " netns " + other.path() + "\n");
}

} // namespace starling::lab
