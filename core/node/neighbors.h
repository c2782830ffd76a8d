// SPDX-License-Identifier: Apache-2.0
/// Stands between links and the overlay: lets overlay::Membership decide which links there are and which of
/// them the overlay uses, and takes each message to whom it is for.
#pragma once

#include "link/link.h"
#include "node/timer_queue.h"
#include "overlay/membership.h"

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

namespace starling::node {

class Neighbors
{
public:
    /// Where what it decides goes.
    struct Wires
    {
        std::function<void(const link::Input&)> links;
        std::function<void(const overlay::Input&)> overlay;
        std::function<void(const Error&)> refused; ///< a contact that nobody may have passed on
        /// Whether a link that is no neighbour's must stay for something else.
        std::function<bool(link::LinkId)> isInUse;
    };
    /// `mediator`, `random` and `timers` must outlive it.
    Neighbors(const NodeId& self, const overlay::MembershipConfig& config, const overlay::Mediator& mediator,
              RandomSource& random, TimerQueue& timers, Wires wires);

    /// Addresses where it begins, and to which it comes back.
    void setBootstrap(const std::vector<Endpoint>& endpoints);
    /// Takes up what save() wrote; a file that is missing or damaged is as good as empty.
    void load(const std::filesystem::path& file);
    Status save(const std::filesystem::path& file) const;
    /// What this device says of itself; nothing is connected to before.
    void setOwn(overlay::Contact own);
    /// To be called for every output of the links.
    void take(const link::Output& output);
    /// Who is at the other end of a link that is up; zero if it is not.
    NodeId nodeOf(link::LinkId link) const;
    /// Where nodes are reached, in their own words; of those that are linked, and some others.
    std::map<NodeId, std::vector<Endpoint>> addresses() const;
    /// Of those: where they serve foreign clients, at most kMaxSwarmNodes.
    std::set<Endpoint> swarmNodes() const;
    static constexpr std::size_t kMaxSwarmNodes = 64; ///< guess: Kademlia finds the others through them

private:
    void feed(const overlay::MembershipInput& input);
    void act(const overlay::MembershipOutput& output);

    const overlay::Mediator& m_mediator;
    TimerQueue& m_timers;
    Wires m_wires;
    overlay::Membership m_membership;
    std::deque<overlay::MembershipOutput> m_outputs; ///< not carried out yet
    bool m_isActing = false;
};

} // namespace starling::node
