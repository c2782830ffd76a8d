// SPDX-License-Identifier: Apache-2.0
/// An agent of this machine that the console starts for somebody who has none: its configuration, its
/// process, and where the programs are.
#pragma once

#include "base/result.h"

#include <QString>
#include <filesystem>

namespace starling::window {

/// What a device's directory gives, and is to hold.
struct LocalAgentPlan
{
    std::filesystem::path home; ///< keys, certificate and state are below it
    std::string token; ///< of a fleet to join; empty: home has key and certificate
    std::string name; ///< to ask for when joining
    /// Only to administer the fleet from here: it holds and serves releases, and installs none.
    bool isConsole = false;
};
struct LocalAgent
{
    QString config, socket, log;
};

/// A program of ours: beside this one, or where programs are found. Empty if there is none.
QString programNamed(const QString& name);

/// Writes agent.conf (and the token, mode 0600) below home. It listens on 7891 if that is free, else on a
/// port that is, deploys into home/root, and is asked at home/agent.sock. Fails with Usage if that path is
/// longer than a socket's may be, Io, DiskFull.
Result<LocalAgent> configureAgent(const LocalAgentPlan& plan);
/// As it was configured: for starting it again.
LocalAgent agentOf(const QString& config);
/// Starts it on its own, as the process that it returns: it goes on when this program ends. NotFound if there
/// is no starling-agent, Io.
Result<qint64> startAgent(const LocalAgent& agent);
/// The last lines it wrote; empty if none.
QString logTail(const LocalAgent& agent);

} // namespace starling::window
