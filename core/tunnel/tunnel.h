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
#include "base/random.h"
#include "base/time.h"
#include "tunnel/connections.h"
#include "tunnel/recovery.h"

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
    /// `random` must outlive it.
    Tunnel(Config config, RandomSource& random);

    /// Where libtorrent is to find `node`; given if it has none. Nothing if all are in use.
    std::optional<Endpoint> addressOf(const NodeId& node, Instant now);
    /// Whether there was a packet to or from `node` within Config::idle.
    bool isInUse(const NodeId& node, Instant now) const;

    struct ToLink
    {
        NodeId node;
        Bytes datagram;
        bool operator==(const ToLink&) const = default;
    };
    struct ToSwarm
    {
        Endpoint from;
        Bytes packet;
        bool operator==(const ToSwarm&) const = default;
    };
    using Output = std::variant<ToLink, ToSwarm>;
    using Outputs = std::vector<Output>;
    /// What becomes of a packet that libtorrent sent to `to`.
    Outputs fromSwarm(const Endpoint& to, ByteView packet, Instant now);
    /// What becomes of a datagram that the link to `node` brought: packets for libtorrent, or an answer to
    /// the peer. Only a new connection (SYN) gives a node an address.
    Outputs fromLink(const NodeId& node, ByteView datagram, Instant now);
    /// To be called each Recovery::kTick while isWaiting().
    Outputs onTick(Instant now);
    bool isWaiting() const;

    /// Our libtorrent goes: what says so to each peer. All connections are forgotten.
    Outputs endAll();
    /// The peer cannot be reached, and its libtorrent may be another one when it can: what ends all its
    /// connections here.
    Outputs peerGone(const NodeId& node);

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
        explicit Peer(std::uint16_t epoch)
            : recovery(epoch)
        {
        }
        std::uint32_t number = 0; ///< of its address
        Instant lastUsed;
        PeerBytes bytes;
        Connections connections;
        std::array<Unfinished, kUnfinished> unfinished;
        std::size_t nextUnfinished = 0;
        std::uint16_t lastSplit = 0;
        Recovery recovery;
    };
    using Peers = std::map<NodeId, Peer>;

    Endpoint addressOf(const Peer& peer) const;
    Peers::iterator obtain(const NodeId& node, Instant now);
    bool makeRoom(Instant now);
    /// The whole packet, if the other part is here.
    std::optional<ByteView> join(Peer& peer, const PacketPart& part);
    Outputs refuse();
    Outputs refuse(const NodeId& node, const UtpHeader& unknown);
    Outputs toLink(const NodeId& node, Recovery::Out& out);
    /// What the other side's tunnel took, in its order.
    void arrived(const NodeId& node, Peer& peer, ByteView carried, Instant now, Outputs& outputs);
    void packetArrived(const NodeId& node, Peer& peer, ByteView packet, Instant now, Outputs& outputs);

    const Config m_config;
    RandomSource& m_random;
    Peers m_peers;
    std::map<std::uint32_t, Peers::iterator> m_numbers;
    std::uint32_t m_lastNumber = 0;
    Bytes m_whole;
    Stats m_stats;
};

} // namespace starling::tunnel
