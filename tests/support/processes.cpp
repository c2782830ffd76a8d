// SPDX-License-Identifier: Apache-2.0
#include "processes.h"

#include <QFile>
#include <QTcpServer>
#include <QUdpSocket>

#include <memory>
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
    std::vector<std::uint16_t> ports;
    // All held until the end, so that none is found twice.
    std::vector<std::unique_ptr<QUdpSocket>> udp;
    std::vector<std::unique_ptr<QTcpServer>> tcp;
    while (ports.size() < count) {
        auto server = std::make_unique<QTcpServer>();
        auto socket = std::make_unique<QUdpSocket>();
        if (!server->listen(QHostAddress::LocalHost, 0) || !socket->bind(QHostAddress::LocalHost, server->serverPort()))
            continue;
        ports.push_back(server->serverPort());
        tcp.push_back(std::move(server));
        udp.push_back(std::move(socket));
    }
    return ports;
}

} // namespace starling::support
