// SPDX-License-Identifier: Apache-2.0
/// Figure 2, played by real agents: node 1 is public, node 2 behind a NAT, nodes 3 and 4 behind a firewall
/// that lets in nothing but what comes to one UDP port, that of node 3's links, and nothing of node 4 out.
#pragma once

#include "fleet.h"
#include "internet.h"

#include <QElapsedTimer>

#include <array>

namespace starling::lab {

inline constexpr unsigned kFigure2Nodes = 4;

/// Packets that the firewall let through or kept out, by its named counters.
struct Crossings
{
    std::uint64_t openedPort = 0; ///< in, to the opened UDP port
    std::uint64_t cameIn = 0; ///< in, in all; counted behind the rules, which do not know of it
    std::uint64_t links = 0; ///< out, from the opened UDP port
    std::uint64_t wentOut = 0; ///< out, in all; likewise
    std::uint64_t nodeFour = 0; ///< of node 4 and to it, in either direction; likewise
    std::uint64_t keptOut = 0, keptIn = 0; ///< dropped; of node 4 and others on the inside

    /// What should not be, or nothing.
    std::string fault() const;
};

class Figure2
{
public:
    struct Plan
    {
        std::filesystem::path directory{}; ///< must exist; everything goes below it
        std::filesystem::path programs{}; ///< where starling and starling-agent are
        std::function<void(const std::string&)> say{}; ///< hears each step, one line
        std::function<bool()> isInterrupted{}; ///< asked while waiting; then it fails with Cancelled
    };

    /// Makes the networks and the identities. Needs enterLab(). Starts nothing.
    static Result<std::unique_ptr<Figure2>> create(Plan plan);

    /// Step a: starts the agents, until each is linked.
    Status join();
    /// Steps b to f: a release is pushed at `node`, until it is healthy on all four. Fails if what is
    /// installed is not what was signed, node 4 exchanged payload with anybody but node 3, or a refused
    /// release got anywhere.
    Status spread(unsigned node);
    /// Step 2b: a payload with another byte, and an update file that nobody signed, pushed at `node`: both
    /// must be refused there. That they reach nobody shows after the next spread().
    Status refuseWhatDoesNotMatch(unsigned node);
    /// Nothing happens for so long. Fails if the NAT forgot the binding of node 2's link to node 1 meanwhile.
    Status idle(std::chrono::seconds time);
    /// Somebody outside sends to ports that are not opened, and node 4 to the outside.
    Status knock();
    /// Lets everything of `node` out from now on: for seeing that the counters tell.
    Status leak(unsigned node);
    Result<Crossings> crossings() const;
    /// Says what the counters say. Fails if they say what should not be.
    Status judge();
    /// Whether the NAT forgets in 20 s; some kernels do not let that be set.
    bool isNatForgetful() const { return m_natObstacle.empty(); }
    /// Until Plan::isInterrupted.
    void linger();
    support::Fleet& fleet() { return *m_fleet; }
    static constexpr std::size_t agentOf(unsigned node) { return node - 1; }

private:
    struct Release
    {
        std::filesystem::path payload, torrent;
        std::uint64_t version = 0;
    };
    struct Seen
    {
        trust::Phase phase{};
        bool isKnown = false;
    };
    using Journal = std::array<Seen, kFigure2Nodes>;

    explicit Figure2(Plan plan);
    Status makeNetworks();
    Status makeFleet();
    Status addressAgents();
    const Internet::Host& host(unsigned node) const { return m_hosts[node - 1]; }
    Endpoint listenOf(unsigned node) const;
    bool isLinked(unsigned node, unsigned other) const;
    Result<Release> makeRelease(const std::string& name, bool isSigned);
    support::CommandResult push(unsigned node, const Release& release) const;
    Status expectRefused(unsigned node, const Release& release, Errc code);
    bool isHealthyEverywhere(const Release& release, unsigned origin, Journal& journal,
                             std::optional<Error>& trouble);
    void note(unsigned node, unsigned origin, trust::Phase phase, Seen& seen);
    Status inspect(const Release& release);
    Status tellSources(const Release& release);
    Result<std::uint64_t> natBindings() const;
    void say(char step, const std::string& text) const;
    void sayLogs() const;
    /// Timeout, or Cancelled.
    Status wait(const std::function<bool()>& isDone, std::chrono::milliseconds limit,
                const std::string& what) const;

    Plan m_plan;
    QElapsedTimer m_clock;
    std::unique_ptr<Internet> m_internet;
    Internet::Site m_nat, m_firewall;
    std::array<Internet::Host, kFigure2Nodes> m_hosts;
    std::unique_ptr<support::Fleet> m_fleet; ///< after the networks: its agents end before they do
    std::string m_natObstacle;
    std::uint64_t m_version = 0;
    std::vector<std::uint64_t> m_refused; ///< versions that nobody may know
};

} // namespace starling::lab
