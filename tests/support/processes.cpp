// SPDX-License-Identifier: Apache-2.0
#include "processes.h"

#include <QFile>
#include <QTcpServer>
#include <QUdpSocket>

#include <atomic>
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
    // Below the ports that the system hands out by itself (ip_local_port_range: from 32768 on): those may be
    // anybody's between this moment and the next start of an agent. Programs that run at the same time begin
    // at different places.
    constexpr std::uint32_t kFirst = 10'000, kCount = 22'000, kStride = 211;
    static std::atomic<std::uint32_t> next = static_cast<std::uint32_t>(::getpid()) * kStride;
    std::vector<std::uint16_t> ports;
    while (ports.size() < count) {
        const auto port = static_cast<std::uint16_t>(kFirst + next++ % kCount);
        QTcpServer server;
        QUdpSocket socket;
        if (server.listen(QHostAddress::LocalHost, port)
            && socket.bind(QHostAddress::LocalHost, port, QAbstractSocket::DontShareAddress))
            ports.push_back(port);
    }
    return ports;
}

} // namespace starling::support
