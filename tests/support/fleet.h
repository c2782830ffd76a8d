// SPDX-License-Identifier: Apache-2.0
/// A lab fleet of real agent processes, on loopback unless the plan says otherwise, each with a directory, a
/// device root and a control socket of its own.
#pragma once

#include "command.h"
#include "control/client.h"

#include <QProcess>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

namespace starling::support {

/// Adds to an agent's configuration: "section.key" → value. Overrides what the fleet sets.
using Overrides = std::map<std::string, std::string>;

struct FleetPlan
{
    std::filesystem::path directory{}; ///< must exist; everything goes below it
    std::filesystem::path programs{}; ///< where starling and starling-agent are
    std::size_t agents = 4;
    std::size_t spares = 0; ///< identities beyond those of the agents: home(size()) and so on
    /// One key for each role; otherwise `fleet init`'s own: keys "release-1" to "release-3", of which two
    /// must sign.
    bool isLab = true;
    std::string agentProgram = "starling-agent"; ///< below `programs`, or an absolute path
    /// Neighbours of agent `i` by index; by default a line: each knows the one before it.
    std::function<std::vector<std::size_t>(std::size_t)> neighbors{};
    /// Where agent `i` has its links; by default at a free port of 127.0.0.1.
    std::function<Endpoint(std::size_t)> listen{};
    Overrides overrides{}; ///< for every agent
    /// What else is done to the process of agent `i` before it starts: puts it into a network of its own,
    /// say.
    std::function<void(std::size_t, QProcess&)> prepare{};
};

class Fleet
{
public:
    /// Makes keys and identities with `starling fleet init --lab` and writes each agent's configuration.
    /// Starts nothing.
    static Result<std::unique_ptr<Fleet>> create(FleetPlan plan);
    ~Fleet(); ///< kills the agents that it started, unless they were let go

    std::size_t size() const { return m_agents.size(); }
    /// Entitles agent `i`, which runs, to collect receipts. The first one is already, if it kept its
    /// identity.
    Status observe(std::size_t i);
    /// Starts agent `i` and waits until its control socket answers. Unreachable, quoting its log, if it does
    /// not.
    Status start(std::size_t i);
    /// As start(i) with another program, below FleetPlan::programs or with an absolute path, which `before`
    /// may run:
    /// {"unshare", "-rm"}. It may end at once: that is Unreachable, too.
    Status start(std::size_t i, const std::string& agentProgram, const QStringList& before = {});
    Status startAll();
    /// SIGTERM, and waits for the end. Timeout if it does not end within 30 s.
    Status stop(std::size_t i);
    /// SIGHUP: reads its configuration again.
    void reload(std::size_t i);
    /// SIGKILL, and waits for the end.
    void kill(std::size_t i);
    bool isRunning(std::size_t i) const;
    /// Waits until agent `i` has ended by itself: its exit status, or minus the signal that ended it. Nothing
    /// if it runs on, or was never started.
    std::optional<int> waitForEnd(std::size_t i, std::chrono::milliseconds limit);
    qint64 pid(std::size_t i) const;
    /// They go on when this program ends.
    void letGo();

    /// Before agent `i` is started: it makes its own key in place of the one that it was given, and is
    /// admitted by `starling device request` and `admit`.
    Status enrolByFile(std::size_t i);
    /// Starts agent `i` without key, certificate and trust root, with a token of agent `issuer`, which runs,
    /// and admits it there.
    Status joinByToken(std::size_t i, std::size_t issuer);

    /// Runs a program in the network of agent `i`, as mustRun() does.
    Result<QByteArray> runBeside(std::size_t i, const QString& program, const QStringList& arguments,
                                 std::chrono::milliseconds limit) const;

    /// Rewrites the configuration of agent `i`; takes effect at its next start or SIGHUP.
    Status configure(std::size_t i, const Overrides& overrides);
    Result<control::Client> client(std::size_t i) const;
    /// One question on a connection of its own.
    template <class T> Result<T> ask(std::size_t i, const control::Request& request) const
    {
        auto connected = client(i);
        if (!connected)
            return fail(std::move(connected.error()), "agent " + std::to_string(i + 1));
        return connected->ask<T>(request);
    }

    /// `starling ARGUMENTS` with this fleet's programs.
    CommandResult starling(const QStringList& arguments,
                           std::chrono::milliseconds limit = std::chrono::minutes(2)) const;

    std::filesystem::path root() const { return m_plan.directory / "fleet" / "root.envelope"; }
    std::filesystem::path key(const std::string& role) const
    {
        return m_plan.directory / "fleet" / "keys" / (role + ".key");
    }
    std::filesystem::path passphrase() const { return m_plan.directory / "passphrase"; }
    std::filesystem::path home(std::size_t i) const;
    std::filesystem::path deviceRoot(std::size_t i) const { return home(i) / "root"; }
    std::filesystem::path state(std::size_t i) const { return home(i) / "state"; }
    std::filesystem::path socket(std::size_t i) const { return home(i) / "agent.sock"; }
    std::filesystem::path log(std::size_t i) const { return home(i) / "agent.log"; }
    std::filesystem::path configuration(std::size_t i) const { return home(i) / "agent.conf"; }
    const Endpoint& endpoint(std::size_t i) const { return m_agents[i].endpoint; }
    const NodeId& node(std::size_t i) const { return m_agents[i].node; }
    QString program(const std::string& name) const;

    /// `starling release create` and `sign` in one: returns the torrent-file++. `extra` goes to create.
    Result<std::filesystem::path> makeRelease(const std::filesystem::path& payload, const std::string& uri,
                                              std::uint64_t version, const QStringList& extra = {}) const;

private:
    struct Agent
    {
        Endpoint endpoint;
        NodeId node;
        Overrides settings;
        std::unique_ptr<QProcess> process;
    };
    explicit Fleet(FleetPlan plan);
    Status makeIdentities();
    Status writeConfiguration(std::size_t i) const;
    Status rememberNode(std::size_t i);
    Status forgetIdentity(std::size_t i);
    FleetPlan m_plan;
    std::vector<Agent> m_agents;
};

/// Asks `isDone` again and again, at most every 20 ms and with the event loop running in between, until it
/// says yes or `limit` is over. For conditions that only another process can fulfil.
bool waitUntil(const std::function<bool()>& isDone, std::chrono::milliseconds limit);

} // namespace starling::support
