// SPDX-License-Identifier: Apache-2.0
/// The networks of Figure 2: node 1 is public, node 2 behind a NAT, nodes 3 and 4 behind a firewall that lets
/// in nothing but what comes to one UDP port, that of node 3's links, and nothing of node 4 out.
#pragma once

#include "fleet.h"
#include "internet.h"

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

class Figure2Networks
{
public:
    static constexpr unsigned kNatSeconds = 20; ///< links say something every 17 s
    /// Needs enterLab(). The NAT forgets a binding after so many seconds of silence.
    static Result<std::unique_ptr<Figure2Networks>> create(unsigned natSeconds = kNatSeconds);
    static constexpr std::size_t agentOf(unsigned node) { return node - 1; }

    /// Puts the four agents of a fleet there: each knows another one, but node 3, which all others hear of.
    /// This must outlive the fleet.
    void place(support::FleetPlan& plan) const;
    Endpoint listenOf(unsigned node) const; ///< of its links
    /// Where everybody is, in a sentence.
    std::string description() const;

    Result<Crossings> crossings() const;
    /// The same, read again while they disagree: counters of one packet are not read at one moment.
    Result<Crossings> settledCrossings() const;
    /// Lets everything of `node` out from now on: for seeing that the counters tell.
    Status leak(unsigned node) const;
    /// Somebody outside sends to ports that are not opened, and node 4 to the outside.
    Status knock() const;
    /// How often the NAT has made a binding for node 2's link to node 1.
    Result<std::uint64_t> natBindings() const;
    unsigned natSeconds() const { return m_natSeconds; }
    /// Why the NAT does not forget in natSeconds(), as it should; some kernels do not let that be set.
    const std::string& natObstacle() const { return m_natObstacle; }

private:
    explicit Figure2Networks(unsigned natSeconds)
        : m_natSeconds(natSeconds)
    {
    }
    Status make();
    Status setRules();
    const Internet::Host& host(unsigned node) const { return m_hosts[node - 1]; }

    unsigned m_natSeconds;
    std::unique_ptr<Internet> m_internet;
    Internet::Site m_nat, m_firewall;
    std::array<Internet::Host, kFigure2Nodes> m_hosts;
    std::string m_natObstacle;
};

} // namespace starling::lab
