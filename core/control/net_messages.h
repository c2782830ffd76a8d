// SPDX-License-Identifier: Apache-2.0
/// What is asked over the control socket of the network around an agent; part of messages.h. Values only.
#pragma once

#include "base/ids.h"
#include "nat/behaviour.h"
#include "nat/lifetime_state.h"
#include "nat/port_mapping.h"

#include <string>
#include <vector>

namespace starling::control {

// --- Parts of answers

/// Bytes of BitTorrent, uTP's headers included, that went over links of one kind since the start.
struct PathLine
{
    std::string kind; ///< as PeerLine::kind
    std::uint64_t in = 0, out = 0;
    bool operator==(const PathLine&) const = default;
};

/// One link of this agent that is up.
struct PeerLine
{
    NodeId node;
    std::string kind; ///< "direct", "punched", "tcp" or "relayed"
    Endpoint endpoint; ///< of a relayed one, zeros
    NodeId relay; ///< of a relayed one: through whom; zero if that node has just gone
    std::uint64_t roundTripMicros = 0; ///< 0: not measured yet
    std::uint64_t ageSeconds = 0;
    std::string whyNotBetter; ///< a sentence; empty if nothing is better
    std::vector<PathLine> payload{}; ///< exchanged with this node, also by links that are gone
};

/// A device that has a link to a rendezvous.
struct SessionLine
{
    NodeId node;
    std::vector<Endpoint> internal; ///< its own addresses, in its own words; empty if it has not told yet
    Endpoint external; ///< where this agent sees it; zeros if the link is relayed
    nat::Mapping mapping = nat::Mapping::Unknown;
    std::uint64_t ageSeconds = 0; ///< of its link
};

// --- Requests

/// How do others see this agent? Takes some seconds.
struct NetCheckRequest
{
};

/// Which links does this agent have, and why none that is better?
struct PeersRequest
{
};
/// Who has a link to this rendezvous?
struct SessionsRequest
{
};

// --- Replies

/// Where UDP is blocked, links go over TCP.
struct TcpState
{
    bool isListening = false;
    std::uint64_t links = 0; ///< over TCP, as it is now
    std::string proxy; ///< "http://gateway:3128"; empty if none is set
    std::string proxyTrouble; ///< what it did the last time, with a code; empty if nothing is wrong
};

/// In the words of core/nat/behaviour.h.
struct NetCheckReply
{
    nat::NatBehaviour behaviour;
    std::vector<Endpoint> locals; ///< the device's own addresses
    std::vector<Endpoint> asked;
    TcpState tcp = {};
    nat::PortMapState portMapping = {};
    nat::LifetimeState lifetime = {};
};

struct PeersReply
{
    std::vector<PeerLine> peers;
    std::vector<PathLine> payload{}; ///< exchanged with all, also with nodes that are gone
    nat::PortMapState portMapping = {};
};
struct SessionsReply
{
    bool isRendezvous = false; ///< otherwise there are none
    std::vector<SessionLine> sessions;
};

} // namespace starling::control
