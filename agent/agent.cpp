// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.h"

#include "agent/control_service.h"
#include "agent/joining.h"
#include "agent/unix_signals.h"
#include "node/log.h"

#include <CLI/CLI.hpp>

#include <QCoreApplication>

#include <cstdio>
#include <malloc.h>

namespace starling::agent {

namespace {

constexpr int kFailure = 1;
constexpr int kUsage = 2;

int report(const Error& error)
{
    std::fprintf(stderr, "starling-agent: %s: %s\n  %s\n", codeName(error.code).c_str(),
                 std::string(describe(error.code)).c_str(), error.context.c_str());
    return error.code == Errc::ConfigInvalid ? kUsage : kFailure;
}

/// What an agent keeps small: its heap. One arena instead of one per thread, and freed memory goes back at
/// once.
void boundMemory()
{
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    ::mallopt(M_MMAP_THRESHOLD, 64 * 1024);
}

void reload(node::Node& node, const std::string& file)
{
    const auto config = node::readConfig(file);
    if (!config) {
        qCWarning(node::lcNode, "configuration not taken over: %ls",
                  qUtf16Printable(node::forLog(config.error())));
        return;
    }
    for (const std::string& key : node.reconfigure(*config))
        qCWarning(node::lcNode, "'%s' changed: restart the agent for it to take effect", key.c_str());
    qCInfo(node::lcNode, "configuration read again");
}

int serve(QCoreApplication& application, UnixSignals& signals, node::Node::Options options,
          const std::string& file)
{
    const std::filesystem::path socket = options.config.control;
    if (node::Joiner::isNeeded(options.config)) {
        const auto joined = joinFleet(options.config, signals);
        if (!joined)
            return report(joined.error());
        if (!*joined)
            return 0;
    }
    auto node = node::Node::start(std::move(options));
    if (!node)
        return report(node.error());
    ControlService control(**node, QString::fromStdString(socket.string()));
    if (auto listening = control.listen(); !listening)
        return report(listening.error());
    QObject::connect(&signals, &UnixSignals::terminate, node->get(), &node::Node::stop);
    QObject::connect(&signals, &UnixSignals::reload, node->get(), [&] { reload(**node, file); });
    QObject::connect(node->get(), &node::Node::stopped, &application, &QCoreApplication::quit);
    return QCoreApplication::exec();
}

} // namespace

int runAgent(int argc, char** argv, node::StepObserver observer, update::Limits limits)
{
    boundMemory();
    CLI::App app("starling-agent receives, verifies, applies and passes on signed software updates.\n"
                 "Ends on SIGTERM; reads its configuration again on SIGHUP. Logging: QT_LOGGING_RULES.",
                 "starling-agent");
    std::string file = "/etc/starling/agent.conf";
    bool checkOnly = false;
    bool printLifeCycle = false;
    app.add_option("--config", file, "Configuration file; *.conf in conf.d beside it are read after it")
        ->capture_default_str();
    app.add_flag("--check", checkOnly, "Read the configuration, say whether it is good, and end");
    app.add_flag("--print-life-cycle", printLifeCycle, "Print the table of an update's phases and end");
    app.set_version_flag("--version", STARLING_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : kUsage;
    }
    if (printLifeCycle) {
        std::fputs(update::printTransitions().c_str(), stdout);
        return 0;
    }
    auto config = node::readConfig(file);
    if (!config) {
        report(config.error());
        return kUsage;
    }
    if (checkOnly) {
        std::printf("%s: ok\n", file.c_str());
        return 0;
    }
    if (auto ready = crypto::initialize(); !ready)
        return report(ready.error());
    QCoreApplication application(argc, argv);
    UnixSignals signals;
    if (auto opened = signals.open(); !opened)
        return report(opened.error());
    return serve(application, signals, {std::move(*config), limits, std::move(observer)}, file);
}

} // namespace starling::agent
