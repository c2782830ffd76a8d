// SPDX-License-Identifier: Apache-2.0
#include "overlay.h"
#include "processes.h"

#include "command.h"
#include "fleet.h"

#include <QProcess>

#include <algorithm>

namespace starling::bench {

using namespace std::chrono_literals;

namespace {

constexpr auto kLaunchPause = 100ms; // performance.md 1.2: closer together it hardly forms
constexpr auto kFormationLimit = 150s;
constexpr auto kNoticeLimit = 20s;
constexpr std::size_t kPayloadBytes = 350; // performance.md, 1

using Clock = std::chrono::steady_clock;

/// One Serf agent; its log says when events arrive, and who failed.
class SerfAgent
{
public:
    SerfAgent(std::size_t number, std::uint16_t port, std::uint16_t rpcPort, std::uint16_t join)
        : rpc(QStringLiteral("-rpc-addr=127.0.0.1:%1").arg(rpcPort))
    {
        QStringList arguments{QStringLiteral("agent"), QStringLiteral("-node=n%1").arg(number),
                              QStringLiteral("-bind=127.0.0.1:%1").arg(port), rpc,
                              QStringLiteral("-log-level=info")};
        if (join != 0)
            arguments << QStringLiteral("-retry-join=127.0.0.1:%1").arg(join)
                      << QStringLiteral("-retry-interval=1s");
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.setStandardInputFile(QProcess::nullDevice());
        QObject::connect(&process, &QProcess::readyRead, &process, [this] { read(); });
        process.start(installed("serf"), arguments);
    }
    ~SerfAgent()
    {
        process.kill();
        process.waitForFinished();
    }

    QString rpc;
    QProcess process;
    std::map<std::string, Clock::time_point> heard; ///< by the event's name
    std::map<std::string, Clock::time_point> failed; ///< by the node's name

private:
    void read()
    {
        while (process.canReadLine()) {
            const std::string line = process.readLine().trimmed().toStdString();
            note(line, "Received event: user-event: ", heard);
            note(line, "EventMemberFailed: ", failed);
        }
    }
    static void note(const std::string& line, const std::string& mark,
                     std::map<std::string, Clock::time_point>& times)
    {
        const auto at = line.find(mark);
        if (at == line.npos)
            return;
        const std::string rest = line.substr(at + mark.size());
        times.try_emplace(rest.substr(0, rest.find(' ')), Clock::now());
    }
};

class SerfFleet
{
public:
    explicit SerfFleet(std::size_t nodes)
    {
        const auto ports = support::freePorts(2 * nodes);
        for (std::size_t i = 0; i < nodes; ++i) {
            m_agents.push_back(std::make_unique<SerfAgent>(i, ports[2 * i], ports[2 * i + 1],
                                                           i == 0 ? std::uint16_t{0} : ports[0]));
            pass(kLaunchPause);
        }
    }
    SerfAgent& operator[](std::size_t i) { return *m_agents[i]; }
    std::size_t size() const { return m_agents.size(); }
    std::vector<std::int64_t> pids() const
    {
        std::vector<std::int64_t> all;
        for (const auto& agent : m_agents)
            all.push_back(agent->process.processId());
        return all;
    }
    bool tell(std::size_t origin, const QString& name)
    {
        const auto said = support::runCommand(
            installed("serf"),
            {QStringLiteral("event"), m_agents[origin]->rpc, QStringLiteral("-coalesce=false"), name,
             QString(static_cast<qsizetype>(kPayloadBytes), QLatin1Char('x'))},
            kNoticeLimit);
        return said.exitCode == 0;
    }
    /// Who has not heard of it when the time is over, or 0.
    std::size_t await(const std::string& name, std::chrono::milliseconds limit) const
    {
        std::size_t missing = size();
        support::waitUntil(
            [&] {
                missing = static_cast<std::size_t>(
                    std::count_if(m_agents.begin(), m_agents.end(),
                                  [&](const auto& agent) { return !agent->heard.contains(name); }));
                return missing == 0;
            },
            limit);
        return missing;
    }
    double lastMs(std::size_t origin, const std::string& name) const
    {
        Clock::time_point last = m_agents[origin]->heard.at(name);
        for (const auto& agent : m_agents)
            if (const auto at = agent->heard.find(name); at != agent->heard.end())
                last = std::max(last, at->second);
        return std::chrono::duration<double, std::milli>(last - m_agents[origin]->heard.at(name)).count();
    }

private:
    std::vector<std::unique_ptr<SerfAgent>> m_agents;
};

/// Until somebody knows that the victim failed: Serf's agents all keep one list.
std::optional<double> crash(SerfFleet& fleet, std::size_t victim)
{
    const std::string name = "n" + std::to_string(victim);
    const auto begin = Clock::now();
    fleet[victim].process.kill();
    const auto knows = [&](std::size_t i) { return i == victim || fleet[i].failed.contains(name); };
    const bool isKnown = support::waitUntil(
        [&] {
            for (std::size_t i = 0; i < fleet.size(); ++i)
                if (knows(i) && i != victim)
                    return true;
            return false;
        },
        2min);
    if (!isKnown)
        return std::nullopt;
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

} // namespace

Result<OverlayRun> runSerf(const Bench& bench, const OverlayPlan& plan)
{
    if (installed("serf").isEmpty())
        return fail(Errc::NotFound, "serf is not installed");
    SerfFleet fleet(plan.nodes);
    const auto launched = Clock::now();
    OverlayRun run;
    const auto isFormed = [&] {
        const QString name = QStringLiteral("formed%1").arg((Clock::now() - launched) / 1ms);
        return fleet.tell(0, name) && fleet.await(name.toStdString(), 5s) == 0;
    };
    if (!support::waitUntil(isFormed, kFormationLimit))
        return fail(Errc::Timeout, "serf does not form");
    run.formationSeconds = std::chrono::duration<double>(Clock::now() - launched).count();
    pass(bench.isQuick ? 1s : 30s);
    double bytes = 0, seconds = 0;
    for (std::size_t i = 0; i < plan.notices; ++i) {
        const std::size_t origin = i * 37 % plan.nodes;
        const std::string name = "notice" + std::to_string(i);
        const double before = loopbackBytes();
        const auto begin = Clock::now();
        if (!fleet.tell(origin, QString::fromStdString(name)))
            return fail(Errc::Unreachable, "serf takes no event");
        run.missed += fleet.await(name, kNoticeLimit);
        if (fleet[origin].heard.contains(name))
            run.lastMs.push_back(fleet.lastMs(origin, name));
        pass(2s); // it goes on repeating for a while
        bytes += loopbackBytes() - before;
        seconds += std::chrono::duration<double>(Clock::now() - begin).count();
    }
    const auto nodes = static_cast<double>(plan.nodes);
    const double before = loopbackBytes(), cpu = cpuSecondsOf(fleet.pids());
    const auto begin = Clock::now();
    pass(std::min<std::chrono::seconds>(plan.idle, 150s)); // performance.md 1.2
    const double idle = std::chrono::duration<double>(Clock::now() - begin).count();
    run.idleBytesPerSecond = (loopbackBytes() - before) / idle / nodes;
    run.cpuPercent = (cpuSecondsOf(fleet.pids()) - cpu) / idle / nodes * 100;
    run.bytesPerNotice = (bytes / nodes - run.idleBytesPerSecond * seconds)
        / static_cast<double>(std::max<std::size_t>(plan.notices, 1));
    if (plan.hasCrash)
        run.crashKnownSeconds = crash(fleet, plan.nodes / 2);
    return run;
}

} // namespace starling::bench
