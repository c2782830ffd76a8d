// SPDX-License-Identifier: Apache-2.0
/// What all links of a node do for detours (relay.h): finds a neighbour that has a link to a node which does
/// not answer by itself, takes datagrams to relays and from them, and carries those of others. Pure.
///
///     Connect{to, node} ── kPatience without a link ──> SEEK to every neighbour
///                       <── SEEN ─── one that has a link to the node: HELLO goes by way of it
///
/// Only links that are no detours themselves relay: no datagram goes through two relays.
#pragma once

#include "link/link_table.h"
#include "link/relay.h"

#include <set>

namespace starling::link {

class Detours
{
public:
    /// RFC 8305 section 5: so long the first way has for itself.
    static constexpr Duration kPatience = std::chrono::milliseconds(250);
    static constexpr Duration kAnswerTime = std::chrono::milliseconds(500); ///< of SEEK; guess
    static constexpr unsigned kAsks = 2;
    static constexpr std::size_t kMaxLost = 64; ///< of all links that are lost at once; guess
    static constexpr std::size_t kMaxSearches = 32; ///< guess: membership has eight at once
    static constexpr std::size_t kMaxRelays = 4; ///< that are tried for one node; guess

    /// Both must outlive it.
    Detours(Shared& shared, LinkTable& table);

    /// `to` is tried to reach `node`, which is to be sought as well if that does not do.
    void seek(const NodeId& node, const Endpoint& to, unsigned tries, Instant now);
    /// Whether the timer was of a search.
    bool onTimer(const Timer& timer, Instant now);

    /// What came by a detour.
    struct Arrived
    {
        Endpoint from;
        Bytes datagram;
    };
    /// Does what links left to do since the last time, and returns what has to be handled as a datagram.
    std::vector<Arrived> work(Instant now);
    /// Searches see what became of their attempts; whoever tried hears of a failure when all has failed.
    void review(std::vector<Output>& outputs, Instant now);
    /// Somebody whom this node did not call came in by itself.
    void onReached(Instant now) { relay(now).onReached(); }
    /// Whether a link to `node`, whose handshake came from there, is of use: not by a detour beside a better
    /// one.
    bool isNeeded(const Endpoint& from, const NodeId& node);
    /// Who relays this detour; nobody if it is none, or its relay is gone.
    std::optional<NodeId> relayOf(const Endpoint& detour) const;
    std::uint64_t carriedBytes() const { return m_relay ? m_relay->carriedBytes() : 0; }

private:
    struct Search
    {
        NodeId node;
        LinkId timer{}; ///< names its timers
        std::uint64_t generation = 0;
        unsigned tries = 0, asked = 0;
        std::set<Endpoint> targets; ///< of the attempts
        std::vector<Endpoint> failed; ///< of them
        std::optional<Endpoint> detour; ///< under way
        std::vector<NodeId> relays; ///< that have a link to it, and were tried or will be
        std::size_t tried = 0;
    };
    using Searches = std::map<NodeId, Search>;

    Relay& relay(Instant now);
    void rescue(Instant now);
    void arm(Search& search, Duration delay);
    void ask(Search& search, Instant now);
    void tryNext(Searches::iterator search, Instant now);
    void end(Searches::iterator search, std::vector<Output>& outputs);
    void succeed(const NodeId& node, const Endpoint& at);
    bool onFailed(const Endpoint& endpoint, Instant now, std::vector<Output>& outputs);
    LinkTable::Iterator direct(NodeTag node);
    void carry(const Errand& errand, Instant now);
    void dispatch(const Errand& errand, Instant now);
    void onSeen(const Errand& errand, Instant now);
    void onRefused(const Errand& errand, Instant now);

    Shared& m_shared;
    LinkTable& m_table;
    std::optional<Relay> m_relay; ///< from the first use on
    Searches m_searches;
    std::map<NodeTag, LinkId> m_lost; ///< links whose direct way is silent
    std::vector<Output> m_ended; ///< failures of searches that review() has not seen
};

} // namespace starling::link
