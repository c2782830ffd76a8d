// SPDX-License-Identifier: Apache-2.0
#include "bench.h"
#include "fleet.h"
#include "processes.h"

#include <cstdio>

namespace starling::bench {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr double kGoalPrivateMiB = 4;
constexpr double kGoalResidentMiB = 24;
constexpr double kGoalCpuPercent = 0.05;
constexpr const char* kPeer = "serf agent + transmission-daemon";

struct Idle
{
    double privateMiB = 0, residentMiB = 0, cpuPercent = 0;
};

/// A program that runs until it is killed.
class Daemon
{
public:
    Daemon(const QString& program, const QStringList& arguments)
    {
        m_process.setProcessChannelMode(QProcess::MergedChannels);
        m_process.setStandardInputFile(QProcess::nullDevice());
        m_process.setStandardOutputFile(QProcess::nullDevice());
        m_process.start(program, arguments);
        m_process.waitForStarted();
    }
    ~Daemon()
    {
        m_process.kill();
        m_process.waitForFinished();
    }
    std::int64_t pid() const { return m_process.processId(); }
    bool isRunning() const { return m_process.state() == QProcess::Running; }

private:
    QProcess m_process;
};

/// The prototype's parts: a Serf agent that is joined to another one, and a transmission-daemon without
/// torrents.
class Prototype
{
public:
    explicit Prototype(const fs::path& directory)
    {
        if (installed("serf").isEmpty() || installed("transmission-daemon").isEmpty())
            return;
        const auto ports = support::freePorts(6);
        const auto serf = [&](const char* name, std::size_t at) {
            return QStringList{QStringLiteral("agent"), QStringLiteral("-node=%1").arg(QLatin1String(name)),
                               QStringLiteral("-bind=127.0.0.1:%1").arg(ports[at]),
                               QStringLiteral("-rpc-addr=127.0.0.1:%1").arg(ports[at + 1]),
                               QStringLiteral("-log-level=err")};
        };
        m_neighbor = std::make_unique<Daemon>(installed("serf"), serf("one", 0));
        m_serf = std::make_unique<Daemon>(
            installed("serf"),
            serf("two", 2) + QStringList{QStringLiteral("-retry-join=127.0.0.1:%1").arg(ports[0])});
        m_transmission = std::make_unique<Daemon>(
            installed("transmission-daemon"),
            QStringList{QStringLiteral("-f"), QStringLiteral("-g"), toQString(directory),
                        QStringLiteral("-w"), toQString(directory), QStringLiteral("-p"),
                        QString::number(ports[4]), QStringLiteral("-P"), QString::number(ports[5]),
                        QStringLiteral("--no-dht"), QStringLiteral("--no-lpd"),
                        QStringLiteral("--no-portmap"), QStringLiteral("--no-utp")});
    }
    bool isRunning() const
    {
        return m_serf && m_serf->isRunning() && m_transmission->isRunning() && m_neighbor->isRunning();
    }
    std::vector<std::int64_t> pids() const
    {
        return isRunning() ? std::vector{m_serf->pid(), m_transmission->pid()} : std::vector<std::int64_t>();
    }

private:
    std::unique_ptr<Daemon> m_neighbor, m_serf, m_transmission;
};

Idle memoryOf(const std::vector<std::int64_t>& pids)
{
    Idle sum;
    for (const std::int64_t pid : pids) {
        if (const auto use = support::processUse(pid)) {
            sum.privateMiB += static_cast<double>(use->privateBytes) / 1048576;
            sum.residentMiB += static_cast<double>(use->residentBytes) / 1048576;
        }
    }
    return sum;
}

void reportIdle(Report& report, const Idle& ours, const std::optional<Idle>& theirs)
{
    const auto line = [&](const char* of, double Idle::*what, const char* unit, double goal) {
        report.add({"idle-agent", of, ours.*what, unit, theirs ? kPeer : "",
                    theirs ? std::optional((*theirs).*what) : std::nullopt, Holds::AtMost, goal});
    };
    line("private memory", &Idle::privateMiB, "MiB", kGoalPrivateMiB);
    line("resident memory", &Idle::residentMiB, "MiB", kGoalResidentMiB);
    line("CPU", &Idle::cpuPercent, "%", kGoalCpuPercent);
}

} // namespace

Status measureIdle(const Bench& bench, Report& report)
{
    support::FleetPlan plan;
    plan.directory = bench.newDirectory("idle");
    plan.programs = bench.programs;
    plan.agents = 2;
    auto created = support::Fleet::create(plan);
    if (!created)
        return tl::unexpected<Error>(created.error());
    support::Fleet& fleet = **created;
    if (auto started = fleet.startAll(); !started)
        return started;
    const auto isSettled = [&] {
        // The first one collects receipts.
        const auto status = fleet.ask<control::StatusReply>(0, control::StatusRequest{});
        return status && !status->links.empty() && status->links[0].isUp && status->devices == 2;
    };
    if (!support::waitUntil(isSettled, 90s))
        return fail(Errc::Timeout, "the two agents find no link");
    const Prototype prototype(bench.newDirectory("transmission"));
    pass(bench.isQuick ? 2s : 30s);
    const std::vector<std::int64_t> agent{fleet.pid(1)};
    const std::vector<std::int64_t> peers = prototype.pids();
    const double before = cpuSecondsOf(agent), peersBefore = cpuSecondsOf(peers);
    const auto begin = std::chrono::steady_clock::now();
    pass(bench.isQuick ? 5s : 90s);
    const std::chrono::duration<double> window = std::chrono::steady_clock::now() - begin;
    Idle ours = memoryOf(agent);
    ours.cpuPercent = (cpuSecondsOf(agent) - before) / window.count() * 100;
    if (!fleet.isRunning(1))
        return fail(Errc::Unreachable, "the agent ended");
    std::optional<Idle> theirs;
    if (prototype.isRunning()) {
        theirs = memoryOf(peers);
        theirs->cpuPercent = (cpuSecondsOf(peers) - peersBefore) / window.count() * 100;
    } else {
        std::fprintf(stderr, "serf or transmission-daemon does not run: no peer\n");
    }
    reportIdle(report, ours, theirs);
    return {};
}

} // namespace starling::bench
