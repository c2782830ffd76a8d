// SPDX-License-Identifier: Apache-2.0
/// Figure 2, played by real agents.
#pragma once

#include "figure2_networks.h"

#include <QElapsedTimer>

#include <array>

namespace starling::lab {

class Figure2
{
public:
    struct Plan
    {
        std::filesystem::path directory{}; ///< must exist; everything goes below it
        std::filesystem::path programs{}; ///< where starling and starling-agent are
        std::function<void(const std::string&)> say{}; ///< hears each step, one line
        std::function<bool()> isInterrupted{}; ///< asked while waiting; then it fails with Cancelled
        unsigned natSeconds = Figure2Networks::kNatSeconds; ///< of silence, and the NAT forgets a binding
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
    /// Until node 2 has measured by itself how long its NAT keeps a binding, and speaks as often as that
    /// needs.
    Status awaitMeasurement();
    /// Nothing happens for so long. Fails if the NAT forgot the binding of node 2's link to node 1 meanwhile.
    Status idle(std::chrono::seconds time);
    /// Says what the counters say. Fails if they say what should not be.
    Status judge();
    /// Until Plan::isInterrupted.
    void linger();
    support::Fleet& fleet() { return *m_fleet; }
    const Figure2Networks& networks() const { return *m_networks; }

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
    Status makeFleet();
    static constexpr std::size_t agentOf(unsigned node) { return Figure2Networks::agentOf(node); }
    bool isLinked(unsigned node, unsigned other) const;
    Result<Release> makeRelease(const std::string& name, bool isSigned);
    support::CommandResult push(unsigned node, const Release& release) const;
    Status expectRefused(unsigned node, const Release& release, Errc code);
    bool isHealthyEverywhere(const Release& release, unsigned origin, Journal& journal,
                             std::optional<Error>& trouble);
    void note(unsigned node, unsigned origin, trust::Phase phase, Seen& seen);
    Status inspect(const Release& release);
    Status tellSources(const Release& release);
    void say(char step, const std::string& text) const;
    void sayLogs() const;
    /// Timeout, or Cancelled.
    Status wait(const std::function<bool()>& isDone, std::chrono::milliseconds limit,
                const std::string& what) const;

    Plan m_plan;
    QElapsedTimer m_clock;
    std::unique_ptr<Figure2Networks> m_networks;
    std::unique_ptr<support::Fleet> m_fleet; ///< after the networks: its agents end before they do
    std::uint64_t m_version = 0;
    std::vector<std::uint64_t> m_refused; ///< versions that nobody may know
};

} // namespace starling::lab
