// SPDX-License-Identifier: Apache-2.0
/// The main job from end to end: a fleet of real agents, two releases, an attack, and what became of it all.
#pragma once

#include "fleet.h"
#include "release/release_info.h"

#include <filesystem>
#include <optional>

namespace starling::demo {

struct Options
{
    std::string payload; ///< what to put into the release besides the program; empty: generated data
    ByteCount dataBytes = mebibytes(64); ///< of generated data
    std::size_t agents = 4;
    bool json = false;
    bool keep = false;
    bool console = false; ///< open starling-console on the observer, and go on until it is closed
    std::string
        loopbackBecause{}; ///< why the agents are not to be in the networks of Figure 2; empty if they are
    bool isFigure2 = false; ///< they are: agent 1 is its node 1, and so on
    std::filesystem::path programs; ///< where starling and starling-agent are
    std::function<Status(const std::filesystem::path& socket)>
        observed{}; ///< an agent sees the fleet from now on
};

/// What one agent ended with.
struct AgentResult
{
    std::string name;
    trust::Phase phase = trust::Phase::Announced; ///< by its signed receipt
    std::uint64_t version = 0; ///< by its signed receipt
    std::string installedSha256,
        signedSha256; ///< over all files of the payload, as installed and as released
    std::uint64_t bytesFromOrigin = 0, bytesFromPeers = 0;
    std::map<std::string, std::uint64_t> bytesFrom; ///< by name of the peer
    bool refusedRollback = false, refusedSignature = false, floorsUnchanged = false;

    bool isGood(std::uint64_t wantedVersion) const;
};

struct Outcome
{
    std::vector<AgentResult> agents;
    std::uint64_t version = 0;
    double seconds = 0;
    bool isFigure2 = false;
    std::string firewall{}; ///< what it should not have let through, or nothing
    bool isGood() const;
};

/// Runs it all. `view` hears what happens.
class View;
Result<Outcome> runDemo(const Options& options, support::Fleet& fleet, const std::filesystem::path& workspace,
                        View& view);

/// Makes the release's directory below `workspace`: the program, the scripts, a RELEASE file and the data.
Result<std::filesystem::path> makePayload(const Options& options, const std::filesystem::path& workspace,
                                          std::uint64_t version);

/// With the identity of the device whose directory is `home`: sends both notices to every endpoint over a
/// link of its own, and ends when they were acknowledged as received (not as accepted).
int runAttacker(const std::filesystem::path& home, const std::vector<std::string>& endpoints,
                const std::string& oldTorrent, const std::string& newTorrent);

/// Floors and refusals of an agent before and after the attack.
Status attackAll(const Options& options, support::Fleet& fleet, const std::filesystem::path& oldTorrent,
                 const std::filesystem::path& newTorrent, std::vector<AgentResult>& results);

/// SHA-256 over all of a payload's files in their order, for comparing what is installed with what was
/// signed.
Result<std::string> hashTree(const std::filesystem::path& directory,
                             const std::vector<release::PayloadFile>& files);

} // namespace starling::demo
