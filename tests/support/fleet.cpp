// SPDX-License-Identifier: Apache-2.0
#include "fleet.h"

#include "node/disk.h"
#include "processes.h"

#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QEventLoop>
#include <QTimer>

#include <csignal>

namespace starling::support {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds kStartLimit = 60s; // most of it for busy machines
constexpr std::chrono::milliseconds kStopLimit = 30s;

QString q(const fs::path& path)
{
    return QString::fromStdString(path.string());
}

std::string logTail(const fs::path& log)
{
    const auto bytes = node::readFile(log, 64 * 1024 * 1024);
    if (!bytes)
        return "no log";
    const std::string text = toText(*bytes);
    return text.substr(text.size() < 1'500 ? 0 : text.size() - 1'500);
}

} // namespace

bool waitUntil(const std::function<bool()>& isDone, std::chrono::milliseconds limit)
{
    const QDeadlineTimer deadline(limit);
    while (!isDone()) {
        if (deadline.hasExpired())
            return false;
        QEventLoop loop;
        QTimer wake;
        QObject::connect(&wake, &QTimer::timeout, &loop, &QEventLoop::quit);
        wake.start(20ms);
        loop.exec();
    }
    return true;
}

Fleet::Fleet(FleetPlan plan)
    : m_plan(std::move(plan))
    , m_agents(m_plan.agents)
{
    if (!m_plan.neighbors)
        m_plan.neighbors = [](std::size_t i) {
            return i == 0 ? std::vector<std::size_t>() : std::vector<std::size_t>{i - 1};
        };
}

Fleet::~Fleet()
{
    for (std::size_t i = 0; i < m_agents.size(); ++i)
        kill(i);
}

Result<std::unique_ptr<Fleet>> Fleet::create(FleetPlan plan)
{
    std::unique_ptr<Fleet> fleet(new Fleet(std::move(plan)));
    if (auto made = fleet->makeIdentities(); !made)
        return tl::unexpected<Error>(made.error());
    if (!fleet->m_plan.listen)
        fleet->m_plan.listen = [ports = freePorts(fleet->size())](std::size_t i) {
            return Endpoint::ipv4(127, 0, 0, 1, ports[i]);
        };
    for (std::size_t i = 0; i < fleet->size(); ++i)
        fleet->m_agents[i].endpoint = fleet->m_plan.listen(i);
    for (std::size_t i = 0; i < fleet->size(); ++i)
        if (auto written = fleet->configure(i, fleet->m_plan.overrides); !written)
            return tl::unexpected<Error>(written.error());
    return fleet;
}

Status Fleet::makeIdentities()
{
    if (auto written =
            node::writeFile(passphrase(), viewOf("a lab fleet's passphrase\n"), node::FileMode::Private);
        !written)
        return written;
    QStringList init{QStringLiteral("fleet"),
                     QStringLiteral("init"),
                     q(m_plan.directory / "fleet"),
                     QStringLiteral("--quiet"),
                     QStringLiteral("--cost"),
                     QStringLiteral("interactive"),
                     QStringLiteral("--devices"),
                     QString::number(m_agents.size() + m_plan.spares),
                     QStringLiteral("--scope"),
                     QStringLiteral("fw"),
                     QStringLiteral("--passphrase-file"),
                     q(passphrase())};
    if (m_plan.isLab)
        init.append(QStringLiteral("--lab"));
    auto made = mustRun(program("starling"), init);
    if (!made)
        return tl::unexpected<Error>(made.error());
    for (std::size_t i = 0; i < m_agents.size(); ++i)
        if (auto read = rememberNode(i); !read)
            return read;
    return {};
}

fs::path Fleet::home(std::size_t i) const
{
    return m_plan.directory / "fleet" / "devices" / ("device-" + std::to_string(i + 1));
}

QString Fleet::program(const std::string& name) const
{
    return q(m_plan.programs / name);
}

Status Fleet::configure(std::size_t i, const Overrides& overrides)
{
    Agent& agent = m_agents[i];
    if (agent.settings.empty()) {
        std::string neighbors;
        for (const std::size_t other : m_plan.neighbors(i))
            neighbors += (neighbors.empty() ? "" : ", ") + toString(m_agents[other].endpoint);
        agent.settings = {{"agent.state", state(i).string()},
                          {"agent.control", socket(i).string()},
                          {"agent.listen", toString(agent.endpoint)},
                          {"agent.neighbours", neighbors},
                          {"trust.root", (home(i) / "root.envelope").string()},
                          {"trust.key", (home(i) / "device.key").string()},
                          {"trust.certificate", (home(i) / "device.admit").string()},
                          {"trust.subscription", (home(i) / "observer.subscription").string()},
                          {"deploy.root", deviceRoot(i).string()}};
    }
    for (const auto& [key, value] : overrides)
        agent.settings[key] = value;
    return writeConfiguration(i);
}

Status Fleet::writeConfiguration(std::size_t i) const
{
    std::map<std::string, std::string> sections;
    for (const auto& [name, value] : m_agents[i].settings) {
        const auto dot = name.find('.');
        sections[name.substr(0, dot)] += name.substr(dot + 1) + " = " + value + "\n";
    }
    std::string text;
    for (const auto& [section, lines] : sections)
        text += "[" + section + "]\n" + lines;
    std::error_code error;
    fs::create_directories(deviceRoot(i), error);
    return node::writeFile(configuration(i), viewOf(text), node::FileMode::Public);
}

Status Fleet::start(std::size_t i)
{
    return start(i, m_plan.agentProgram);
}

Status Fleet::start(std::size_t i, const std::string& agentProgram, const QStringList& before)
{
    Agent& agent = m_agents[i];
    agent.process = std::make_unique<QProcess>();
    agent.process->setProcessChannelMode(QProcess::MergedChannels);
    agent.process->setStandardInputFile(QProcess::nullDevice());
    agent.process->setStandardOutputFile(q(log(i)), QIODevice::Append);
    if (m_plan.prepare)
        m_plan.prepare(i, *agent.process);
    QStringList command =
        before + QStringList{program(agentProgram), QStringLiteral("--config"), q(configuration(i))};
    const QString first = command.takeFirst();
    agent.process->start(first, command);
    const bool answers = waitUntil(
        [&] {
            return agent.process->state() == QProcess::NotRunning
                || control::Client::connect(q(socket(i)), 1s).has_value();
        },
        kStartLimit);
    if (answers && agent.process->state() != QProcess::NotRunning)
        return {};
    return fail(Errc::Unreachable, "agent " + std::to_string(i + 1) + " did not start: " + logTail(log(i)));
}

Status Fleet::startAll()
{
    for (std::size_t i = 0; i < m_agents.size(); ++i)
        if (auto started = start(i); !started)
            return started;
    return {};
}

Status Fleet::stop(std::size_t i)
{
    if (!isRunning(i))
        return {};
    m_agents[i].process->terminate();
    if (!m_agents[i].process->waitForFinished(static_cast<int>(kStopLimit.count())))
        return fail(Errc::Timeout, "agent " + std::to_string(i + 1) + " does not end on SIGTERM");
    return {};
}

void Fleet::reload(std::size_t i)
{
    if (isRunning(i))
        ::kill(static_cast<pid_t>(pid(i)), SIGHUP);
}

void Fleet::kill(std::size_t i)
{
    if (!m_agents[i].process)
        return;
    m_agents[i].process->kill();
    m_agents[i].process->waitForFinished();
}

bool Fleet::isRunning(std::size_t i) const
{
    return m_agents[i].process && m_agents[i].process->state() == QProcess::Running;
}

std::optional<int> Fleet::waitForEnd(std::size_t i, std::chrono::milliseconds limit)
{
    QProcess* process = m_agents[i].process.get();
    if (process == nullptr
        || (process->state() != QProcess::NotRunning
            && !process->waitForFinished(static_cast<int>(limit.count()))))
        return std::nullopt;
    return process->exitStatus() == QProcess::CrashExit ? -process->exitCode() : process->exitCode();
}

qint64 Fleet::pid(std::size_t i) const
{
    return m_agents[i].process ? m_agents[i].process->processId() : 0;
}

void Fleet::letGo()
{
    // ~QProcess kills its child; one that is never destroyed does not.
    for (Agent& agent : m_agents)
        [[maybe_unused]] const QProcess* kept = agent.process.release();
}

Result<control::Client> Fleet::client(std::size_t i) const
{
    return control::Client::connect(q(socket(i)));
}

CommandResult Fleet::starling(const QStringList& arguments, std::chrono::milliseconds limit) const
{
    return runCommand(program("starling"), arguments, limit);
}

Result<QByteArray> Fleet::runBeside(std::size_t i, const QString& program, const QStringList& arguments,
                                    std::chrono::milliseconds limit) const
{
    return mustRun(program, arguments, limit, {}, [&](QProcess& process) {
        if (m_plan.prepare)
            m_plan.prepare(i, process);
    });
}

Result<fs::path> Fleet::makeRelease(const fs::path& payload, const std::string& uri, std::uint64_t version,
                                    const QStringList& extra) const
{
    const fs::path torrent =
        m_plan.directory / (payload.filename().string() + "-" + std::to_string(version) + ".torrent");
    auto created = mustRun(program("starling"),
                           QStringList{QStringLiteral("--quiet"), QStringLiteral("release"),
                                       QStringLiteral("create"), q(payload), QStringLiteral("--uri"),
                                       QString::fromStdString(uri), QStringLiteral("--version"),
                                       QString::number(version), QStringLiteral("-o"), q(torrent)}
                               + extra);
    if (!created)
        return tl::unexpected<Error>(created.error());
    auto signedFile =
        mustRun(program("starling"),
                {QStringLiteral("--quiet"), QStringLiteral("release"), QStringLiteral("sign"), q(torrent),
                 QStringLiteral("--key"), q(key("release")), QStringLiteral("--root"), q(root()),
                 QStringLiteral("--passphrase-file"), q(passphrase())});
    if (!signedFile)
        return tl::unexpected<Error>(signedFile.error());
    return torrent;
}

} // namespace starling::support
