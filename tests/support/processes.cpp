// SPDX-License-Identifier: Apache-2.0
#include "processes.h"

#include <QFile>
#include <QTcpServer>
#include <QUdpSocket>

#include <cstddef>
#include <mutex>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace starling::support {

namespace {

/// "VmRSS:   1234 kB" → bytes.
std::uint64_t field(const QByteArray& text, const QByteArray& name)
{
    for (const QByteArray& line : text.split('\n'))
        if (line.startsWith(name + ':'))
            return line.mid(name.size() + 1).trimmed().split(' ').first().toULongLong() * 1024;
    return 0;
}

QByteArray contents(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// Ports that no other program of these tests takes while this one runs, not even those at which nobody
/// listens yet: an agent may be started minutes after its port was chosen. Below the ports that the system
/// hands out by itself (ip_local_port_range: from 32768 on), which may be anybody's.
class OwnPorts
{
public:
    std::uint16_t next()
    {
        const std::lock_guard lock(m_mutex);
        if (m_used == m_blocks.size() * kBlockPorts && !claimAnother())
            m_used = 0; // all that are left are other programs'
        const std::uint32_t block = m_blocks.at(m_used / kBlockPorts);
        return static_cast<std::uint16_t>(kFirst + block * kBlockPorts + m_used++ % kBlockPorts);
    }

private:
    bool claimAnother()
    {
        const auto start = static_cast<std::uint32_t>(::getpid()); // most find a free one at once
        for (std::uint32_t i = 0; i < kBlocks; ++i)
            if (const std::uint32_t block = (start + i) % kBlocks; claim(block)) {
                m_blocks.push_back(block);
                return true;
            }
        return false;
    }
    /// By a name that the kernel gives to one socket in a network, and takes back when the program ends,
    /// however it does (unix(7), abstract socket addresses). So the socket is never closed.
    static bool claim(std::uint32_t block)
    {
        const std::string name = "starling-test-ports-" + std::to_string(block);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (socket >= 0 && ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0)
            return true;
        ::close(socket);
        return false;
    }
    static constexpr std::uint32_t kFirst = 10'000, kBlockPorts = 200, kBlocks = 110;

    std::mutex m_mutex;
    std::vector<std::uint32_t> m_blocks;
    std::size_t m_used = 0;
};

} // namespace

Result<ProcessUse> processUse(std::int64_t pid)
{
    const QString base = QStringLiteral("/proc/%1/").arg(pid);
    const QByteArray status = contents(base + QStringLiteral("status"));
    const QByteArray stat = contents(base + QStringLiteral("stat"));
    if (status.isEmpty() || stat.isEmpty())
        return fail(Errc::NotFound, "no process " + std::to_string(pid));
    const QByteArray maps = contents(base + QStringLiteral("smaps_rollup"));
    ProcessUse use;
    use.residentBytes = field(status, "VmRSS");
    use.peakResidentBytes = field(status, "VmHWM");
    use.privateDirtyBytes = field(maps, "Private_Dirty");
    use.privateBytes = use.privateDirtyBytes + field(maps, "Private_Clean");
    // Fields 14 and 15, counted behind the name, which may hold anything.
    const QList<QByteArray> fields = stat.mid(stat.lastIndexOf(')') + 2).split(' ');
    const double ticks = fields.value(11).toDouble() + fields.value(12).toDouble();
    use.cpuSeconds = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return use;
}

std::vector<std::uint16_t> freePorts(std::size_t count)
{
    static OwnPorts own;
    std::vector<std::uint16_t> ports;
    while (ports.size() < count) {
        const std::uint16_t port = own.next();
        QTcpServer server;
        QUdpSocket socket;
        if (server.listen(QHostAddress::Any, port)
            && socket.bind(QHostAddress::Any, port, QAbstractSocket::DontShareAddress))
            ports.push_back(port);
    }
    return ports;
}

} // namespace starling::support
