// SPDX-License-Identifier: Apache-2.0
#include "agent/unix_signals.h"
#include "demo.h"
#include "demo_view.h"
#include "verdict.h"

#include <CLI/CLI.hpp>
#include <QCoreApplication>
#include <QEventLoop>
#include <QProcess>
#include <QTemporaryDir>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace starling;
using namespace starling::demo;

constexpr int kInterrupted = 130; ///< as shells report an end by SIGINT

void showHowToGoOn(const support::Fleet& fleet, const std::filesystem::path& programs,
                   const std::filesystem::path& workspace)
{
    std::string pids;
    for (std::size_t i = 0; i < fleet.size(); ++i)
        pids += " " + std::to_string(fleet.pid(i));
    std::fprintf(stderr,
                 "\nThe fleet goes on. Look at it:\n  %s --agent %s status\n  %s --agent %s device "
                 "list\nStop it and remove it:\n  kill%s; rm -r %s\n",
                 (programs / "starling").c_str(), fleet.socket(0).c_str(), (programs / "starling").c_str(),
                 fleet.socket(fleet.size() - 1).c_str(), pids.c_str(), workspace.c_str());
}

/// The window that `--console` opens, as a process of its own.
class Console
{
public:
    explicit Console(const std::filesystem::path& program)
        : m_program(QString::fromStdString(program.string()))
    {
    }

    Status open(const std::filesystem::path& socket)
    {
        m_process.setProcessChannelMode(QProcess::ForwardedChannels);
        m_process.start(m_program, {QStringLiteral("--agent"), QString::fromStdString(socket.string())});
        if (!m_process.waitForStarted())
            return fail(Errc::Io, "starling-console: " + m_process.errorString().toStdString());
        return {};
    }
    /// Until somebody closes it.
    void wait()
    {
        if (m_process.state() == QProcess::NotRunning)
            return;
        std::fputs("\nThe fleet goes on until the console is closed.\n", stderr);
        QEventLoop loop;
        QObject::connect(&m_process, &QProcess::finished, &loop, &QEventLoop::quit);
        loop.exec();
    }

private:
    QString m_program;
    QProcess m_process;
};

int run(Options options)
{
    // Before anything can start a thread, which would not have them blocked.
    agent::UnixSignals signals;
    if (auto opened = signals.open(); !opened)
        std::fprintf(stderr, "starling-demo: %s\n", toString(opened.error()).c_str());
    View view(options.json ? View::Where::StandardError : View::Where::StandardOutput);
    QTemporaryDir workspace;
    if (!workspace.isValid()) {
        std::fprintf(stderr, "starling-demo: no temporary directory: %s\n",
                     qPrintable(workspace.errorString()));
        return 1;
    }
    const std::filesystem::path directory = workspace.path().toStdString();
    auto fleet = support::Fleet::create({.directory = directory,
                                         .programs = options.programs,
                                         .agents = options.agents,
                                         .spares = 1,
                                         .agentProgram = "starling-agent",
                                         .neighbors = {},
                                         .overrides = {}});
    if (!fleet) {
        std::fprintf(stderr, "starling-demo: %s\n", toString(fleet.error()).c_str());
        return 1;
    }
    // Ended by Ctrl+C or a SIGTERM, the demo takes its agents and its files with it.
    QObject::connect(&signals, &agent::UnixSignals::terminate, &signals, [&] {
        for (std::size_t i = 0; i < (*fleet)->size(); ++i)
            (*fleet)->kill(i);
        workspace.remove();
        std::fputs("\nstarling-demo: stopped; its agents and files are gone\n", stderr);
        std::_Exit(kInterrupted);
    });
    Console console(options.programs / "starling-console");
    if (options.console)
        options.observed = [&console](const auto& socket) { return console.open(socket); };
    const auto outcome = runDemo(options, **fleet, directory, view);
    if (!outcome) {
        std::fprintf(stderr, "starling-demo: %s\n", toString(outcome.error()).c_str());
        for (std::size_t i = 0; options.keep && i < (*fleet)->size(); ++i)
            std::fprintf(stderr, "  log of agent %zu: %s\n", i + 1, (*fleet)->log(i).c_str());
        workspace.setAutoRemove(!options.keep);
        return 1;
    }
    if (options.json)
        std::printf("%s\n", jsonLine(*outcome).c_str());
    else
        std::printf("\n%s\n%s in %.1f s\n", table(*outcome).c_str(),
                    outcome->isGood() ? "All of it holds:" : "NOT all of it holds:", outcome->seconds);
    std::fflush(stdout);
    console.wait();
    if (options.keep) {
        workspace.setAutoRemove(false);
        showHowToGoOn(**fleet, options.programs, directory);
        (*fleet)->letGo();
    }
    return outcome->isGood() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv)
{
    QCoreApplication application(argc, argv);
    CLI::App app("Makes a fleet of agents on this machine, spreads two signed releases through it, attacks "
                 "it, and shows what became of it.",
                 "demo");
    Options options;
    std::string bytes = "64 MiB";
    std::vector<std::string> attack;
    app.add_option("--payload", options.payload,
                   "File or directory to put into the releases instead of generated data")
        ->check(CLI::ExistingPath);
    app.add_option("--agents", options.agents, "How many agents")
        ->check(CLI::Range(std::size_t{2}, std::size_t{64}))
        ->capture_default_str();
    app.add_flag("--json", options.json, "One final line of JSON on standard output");
    app.add_flag("--keep", options.keep, "Leave the fleet running, and say how to look at it and stop it");
    app.add_flag("--console", options.console,
                 "Open the desktop console on the fleet, which goes on until that is closed");
    app.add_option("--data-bytes", bytes, "How much data to generate")->capture_default_str();
    app.add_option("--attack", attack)->group(""); // the attacker's own process: OLD NEW HOME ENDPOINT…
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (auto ready = crypto::initialize(); !ready)
        return 1;
    if (attack.size() >= 4)
        return runAttacker(attack[2], {attack.begin() + 3, attack.end()}, attack[0], attack[1]);
    const auto size = parseByteCount(bytes);
    if (!size) {
        std::fprintf(stderr, "demo: %s\n", size.error().context.c_str());
        return 2;
    }
    options.dataBytes = *size;
    options.programs = QCoreApplication::applicationDirPath().toStdString();
    return run(options);
}
