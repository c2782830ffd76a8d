// SPDX-License-Identifier: Apache-2.0
/// The links that payload goes over: those there are, whoever opened them and for what, and beside them those
/// to nodes that have what we want. Membership closes links that it has no use for; of payload it hears here.
#pragma once

#include "link/link.h"
#include "node/timer_queue.h"

#include <functional>
#include <map>
#include <set>

namespace starling::node {

class PayloadLinks
{
public:
    /// Guess: what a swarm wants (libtorrent unchokes a few of them at a time), and far below what a device
    /// bears: a link costs some KiB and a PING in 17 s.
    static constexpr std::size_t kMaxWanted = 30;

    struct Wires
    {
        std::function<void(const link::Input&)> links;
        /// There is a link to `node`, and was none before.
        std::function<void(const NodeId& node)> linked;
        /// The last link to `node` is down.
        std::function<void(const NodeId& node)> unlinked;
        /// What a peer sent with SendUnreliable.
        std::function<void(const NodeId& from, ByteView datagram)> received;
        /// Whether payload was exchanged with `node` of late.
        std::function<bool(const NodeId& node)> isInUse;
    };
    /// `timers` must outlive it.
    PayloadLinks(TimerQueue& timers, Wires wires);

    /// To be called for every output of the links. A restricted link is as good as none.
    void take(const link::Output& output);

    /// A link to this node is wanted until it is said not to be, and is opened if there is none. False if too
    /// many are wanted; one that cannot be reached gives way.
    bool want(const NodeId& node, const std::vector<Endpoint>& addresses);
    /// All but these are wanted no longer.
    void wantOnly(const std::set<NodeId>& nodes);

    bool isLinked(const NodeId& node) const { return m_links.contains(node); }
    /// Whether this link must stay, for payload.
    bool isInUse(link::LinkId link) const;
    /// False if there is no link to `node`.
    bool send(const NodeId& node, ByteView datagram);

private:
    static constexpr std::size_t kMaxAddresses = 3; ///< of one node, tried at once; as membership's
    struct Wanted
    {
        std::vector<Endpoint> addresses;
        unsigned tries = 0; ///< in a row, in vain
        Instant nextTry;
    };

    bool giveOneUp();
    void connect(const NodeId& node, Wanted& wanted);
    void tryAgain();
    void schedule();
    void dropLink(link::LinkId link);

    TimerQueue& m_timers;
    Wires m_wires;
    std::map<NodeId, std::vector<link::LinkId>> m_links; ///< that are up; the last one is used
    std::map<link::LinkId, NodeId> m_nodes;
    std::set<link::LinkId> m_silent;
    std::map<NodeId, Wanted> m_wanted;
    bool m_isScheduled = false;
};

} // namespace starling::node
