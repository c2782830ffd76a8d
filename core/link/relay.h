// SPDX-License-Identifier: Apache-2.0
/// Detours: datagrams of a link that go through a third node, which has a link to both ends. It carries them
/// inside its own links, as they are: of what is in them it sees nothing. Pure.
///
///     A ── FORWARD(B, datagram) ──> relay ── FORWARDED(A, datagram) ──> B
///
/// To the machines of links a detour is an address like others: an IPv6 address of the prefix that is never
/// routed (RFC 6666, 100::/64), which names the node, and a port, which names the relay.
#pragma once

#include "base/endpoint.h"
#include "base/ids.h"
#include "link/allowance.h"

#include <map>
#include <optional>

namespace starling::link {

/// The first 64 bits of a node's id. Who shares them with another one is not reached by detours.
enum class NodeTag : std::uint64_t {};
NodeTag tagOf(const NodeId& node);

/// The way to `node` through `relay`.
Endpoint detourTo(NodeTag node, const NodeId& relay);
bool isDetour(const Endpoint& endpoint);
/// Of a detour: where it leads.
NodeTag targetOf(const Endpoint& detour);
/// Whether `node` may be there: not by a detour that names another one. A relay could make up as many as it
/// likes.
bool mayLeadTo(const Endpoint& endpoint, const NodeId& node);
bool leadsThrough(const Endpoint& detour, const NodeId& relay);

/// What one node carries for others.
struct RelayConfig
{
    /// Whether it carries more than introductions: by default only who was reached from outside.
    enum class Mode : std::uint8_t { Introduce, CarryIfReachable } mode = Mode::CarryIfReachable;
    std::size_t maxPairs = 128; ///< of nodes, at a time; guess
    /// With one and the same node, so that none takes all; guess: the peers that a swarm wants (nat.md).
    std::size_t maxPairsOfOne = 32;
    /// Of all pairs, in bytes. Guess: 64 Mbit/s, at a tenth of a core (nat.md).
    std::uint64_t perSecond = 8 * 1024 * 1024, burst = 1024 * 1024;
    /// Of one pair: so much within `pairTime`; guess: an update of some size. Then it is held to what
    /// keeps a link alive, until the time is over.
    std::uint64_t pairBytes = 256 * 1024 * 1024;
    Duration pairTime = std::chrono::hours(1);
    /// What everybody carries for a pair: handshakes, notices, and what it takes to do without a relay.
    std::uint64_t leastPerSecond = 8 * 1024, leastBurst = 96 * 1024; ///< guesses
    Duration forgetAfter = std::chrono::minutes(2); ///< of silence; guess: four keepalives and more
};

/// Decides what is carried.
class Relay
{
public:
    enum class Verdict : std::uint8_t {
        Carry,
        Drop, ///< too fast
        Refuse, ///< over its quota, or one pair too many: the sender is to know
    };
    Relay(RelayConfig config, Instant now);

    /// Somebody whom this node did not call came in by itself: it may carry.
    void onReached() { m_isReachable = true; }
    /// About `bytes` of `from` to `to`; they are counted if it carries them.
    Verdict judge(const NodeId& from, const NodeId& to, std::size_t bytes, Instant now);
    std::size_t pairs() const { return m_pairs.size(); }
    std::uint64_t carriedBytes() const { return m_carried; }

private:
    struct Pair
    {
        Allowance least;
        std::uint64_t bytes = 0;
        Instant since, used;
        std::optional<Instant> refused;
    };
    Pair* obtain(const NodeId& from, const NodeId& to, Instant now);

    RelayConfig m_config;
    Allowance m_all;
    std::map<std::pair<NodeId, NodeId>, Pair> m_pairs;
    std::uint64_t m_carried = 0;
    bool m_isReachable = false;
};

} // namespace starling::link
