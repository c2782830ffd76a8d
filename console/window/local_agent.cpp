// SPDX-License-Identifier: Apache-2.0
#include "local_agent.h"

#include "node/config.h"
#include "node/disk.h"

#include <QCoreApplication>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QStandardPaths>
#include <QUdpSocket>

#include <unistd.h>
#include <vector>

namespace starling::window {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxSocketPath = 100; ///< sun_path has 108 bytes (unix(7)); Qt adds some of its own
constexpr qint64 kTailBytes = 600;

/// The usual port, or one that is free now.
std::uint16_t portToListen()
{
    QUdpSocket socket;
    if (socket.bind(QHostAddress::AnyIPv4, node::AgentConfig().listen.port))
        return node::AgentConfig().listen.port;
    return socket.bind(QHostAddress::AnyIPv4, 0) ? socket.localPort() : std::uint16_t{0};
}

} // namespace

QString programNamed(const QString& name)
{
    const QString beside = QStandardPaths::findExecutable(name, {QCoreApplication::applicationDirPath()});
    if (!beside.isEmpty())
        return beside;
    const QString found = QStandardPaths::findExecutable(name);
    return found.isEmpty() ? QStandardPaths::findExecutable(name, {QStringLiteral("/usr/sbin")}) : found;
}

LocalAgent agentOf(const QString& config)
{
    const QString home = QFileInfo(config).path();
    return {config, home + QStringLiteral("/agent.sock"), home + QStringLiteral("/agent.log")};
}

Result<LocalAgent> configureAgent(const LocalAgentPlan& plan)
{
    const fs::path& home = plan.home;
    if ((home / "agent.sock").string().size() > kMaxSocketPath)
        return fail(Errc::Usage, home.string() + ": a control socket there would have too long a path");
    std::error_code error;
    fs::create_directories(home / "root", error);
    if (!error)
        fs::permissions(home, fs::perms::owner_all, error);
    if (error)
        return tl::unexpected<Error>(node::diskError(error.value(), home));
    const auto at = [&](const char* name) { return (home / name).string(); };
    std::string text = "[agent]\nstate = " + at("state") + "\ncontrol = " + at("agent.sock")
        + "\nlisten = 0.0.0.0:" + std::to_string(portToListen())
        + (plan.isConsole ? "\ndeploy = none\nlabels = role=console" : "") + "\n[trust]\nroot = "
        + at("root.envelope") + "\nkey = " + at("device.key") + "\ncertificate = " + at("device.admit")
        + "\nsubscription = " + at("observer.subscription") + "\n[deploy]\nroot = " + at("root") + "\n";
    if (!plan.token.empty()) {
        if (auto written =
                node::writeFile(home / "join.token", viewOf(plan.token + "\n"), node::FileMode::Private);
            !written)
            return tl::unexpected<Error>(written.error());
        text += "[enrolment]\ntoken_file = " + at("join.token") + "\nname = " + plan.name + "\n";
    }
    if (auto written = node::writeFile(home / "agent.conf", viewOf(text), node::FileMode::Public); !written)
        return tl::unexpected<Error>(written.error());
    if (auto read = node::readConfig(home / "agent.conf"); !read) // what no agent could read is not started
        return tl::unexpected<Error>(read.error());
    return agentOf(QString::fromStdString(at("agent.conf")));
}

Result<qint64> startAgent(const LocalAgent& agent)
{
    const QString program = programNamed(QStringLiteral("starling-agent"));
    if (program.isEmpty())
        return fail(Errc::NotFound,
                    "starling-agent: neither beside this program nor where programs are found");
    // ~QProcess would end its child: whoever goes on is never destroyed.
    static std::vector<QProcess*> goingOn;
    auto* const process = goingOn.emplace_back(new QProcess);
    process->setProgram(program);
    process->setArguments({QStringLiteral("--config"), agent.config});
    process->setStandardInputFile(QProcess::nullDevice());
    process->setStandardOutputFile(agent.log, QIODevice::Append);
    process->setStandardErrorFile(agent.log, QIODevice::Append);
    process->setChildProcessModifier([] { ::setsid(); }); // Ctrl+C is for this program
    process->start();
    if (!process->waitForStarted())
        return fail(Errc::Io, program.toStdString() + ": " + process->errorString().toStdString());
    return process->processId();
}

QString logTail(const LocalAgent& agent)
{
    QFile file(agent.log);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    file.seek(std::max<qint64>(0, file.size() - kTailBytes));
    return QString::fromUtf8(file.readAll()).trimmed();
}

} // namespace starling::window
