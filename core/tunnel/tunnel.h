// SPDX-License-Identifier: Apache-2.0
/// BitTorrent inside links: each peer has a loopback address of its own towards libtorrent, and the uTP
/// packets to and from it travel as unreliable datagrams of the link to that peer. Pure: it says what goes
/// where.
///
///     libtorrent ── packet to 127.64.0.7 ──► fromSwarm() ── one or two datagrams ──► link to the peer
///     libtorrent ◄── packet from 127.64.0.7 ── fromLink() ◄── datagram ── link to the peer
///
/// uTP takes the MTU for 1,500 and finds out by losing packets; one that is too large for a link goes in two
/// parts, so that none is lost for its size. Whatever there is no room or link for is dropped: uTP sends it
/// again, slower.
#pragma once

#include "base/endpoint.h"
#include "base/ids.h"
#include "base/time.h"
#include "tunnel/connections.h"

#include <array>
#include <map>
#include <variant>

namespace starling::tunnel {

struct Config
{
    std::uint16_t port = 0; ///< of every peer's address
    std::size_t maxDatagramBytes = 1'148; ///< link::Links::maxUnreliableBytes()
    /// Guess: a few more than libtorrent has connections (swarm::Config::maxConnections).
    std::size_t maxPeers = 64;
    /// Without a packet for so long, a peer's address may be given up. libtorrent speaks on every connection
    /// once a minute (half of settings_pack::peer_timeout).
    Duration idle = std::chrono::seconds(75);
};

struct Stats
{
    std::uint64_t packetsIn = 0, packetsOut = 0; ///< whole ones, from peers and to them
    std::uint64_t split = 0; ///< of those to peers
    std::uint64_t refused = 0; ///< no uTP, too large even for two, of no connection, or of one peer too many
};

/// uTP bytes exchanged with one peer, without the link's own.
struct PeerBytes
{
    std::uint64_t in = 0, out = 0;
};

class Tunnel
{
public:
    explicit Tunnel(Config config);

    /// Where libtorrent is to find `node`; given if it has none. Nothing if all are in use.
    std::optional<Endpoint> addressOf(const NodeId& node, Instant now);
    /// Whether there was a packet to or from `node` within Config::idle.
    bool isInUse(const NodeId& node, Instant now) const;

    /// Views are good until the next call.
    struct ToLink
    {
        NodeId node;
        std::array<ByteView, 2> datagrams;
        std::size_t count = 0;
    };
    struct ToSwarm
    {
        Endpoint from;
        ByteView packet;
    };
    /// Whole packets (connections.h), few and rare.
    using Resets = std::vector<Bytes>;
    /// What becomes of a packet that libtorrent sent to `to`.
    std::optional<ToLink> fromSwarm(const Endpoint& to, ByteView packet, Instant now);
    using Carry = std::variant<std::monostate, ToSwarm, Resets>;
    /// What becomes of a datagram that the link to `node` brought: a packet for libtorrent, or an answer to
    /// the peer, that there is no such connection (any longer). Only a new connection (SYN) gives a node an
    /// address.
    Carry fromLink(const NodeId& node, ByteView datagram, Instant now);

    /// Our libtorrent goes: what says so to each peer. All connections are forgotten.
    std::vector<std::pair<NodeId, Resets>> endAll();
    /// The peer cannot be reached, and its libtorrent may be another one when it can: what ends all its
    /// connections here.
    std::pair<Endpoint, Resets> peerGone(const NodeId& node);

    const Stats& stats() const { return m_stats; }
    PeerBytes bytesOf(const NodeId& node) const;

private:
    static constexpr std::size_t kUnfinished = 4; ///< guess: a packet's parts follow each other
    struct Unfinished
    {
        std::uint16_t packet = 0;
        bool isSecond = false; ///< which part is here
        Bytes bytes; ///< of that part; empty: none
    };
    struct Peer
    {
        std::uint32_t number = 0; ///< of its address
        Instant lastUsed;
        PeerBytes bytes;
        Connections connections;
        std::array<Unfinished, kUnfinished> unfinished;
        std::size_t nextUnfinished = 0;
        std::uint16_t lastSplit = 0;
    };
    using Peers = std::map<NodeId, Peer>;

    Endpoint addressOf(const Peer& peer) const;
    Peers::iterator obtain(const NodeId& node, Instant now);
    bool makeRoom(Instant now);
    /// The whole packet, if the other part is here.
    std::optional<ByteView> join(Peer& peer, const PacketPart& part);
    Carry refuse();
    Carry refuse(const UtpHeader& unknown);

    const Config m_config;
    Peers m_peers;
    std::map<std::uint32_t, Peers::iterator> m_numbers;
    std::uint32_t m_lastNumber = 0;
    std::array<Bytes, 2> m_parts;
    Bytes m_whole;
    Stats m_stats;
};

} // namespace starling::tunnel
