// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel.h"

#include <algorithm>

namespace starling::tunnel {

namespace {

// Addresses are 127.64.0.0/10: none that others are likely to use, and no number comes again soon.
constexpr std::uint8_t kFirst = 127, kSecond = 64;
constexpr std::uint32_t kMaxNumber = (std::uint32_t(1) << 22) - 1;

} // namespace

Tunnel::Tunnel(Config config)
    : m_config(config)
{
}

Endpoint Tunnel::addressOf(const Peer& peer) const
{
    const std::uint32_t n = peer.number;
    return Endpoint::ipv4(kFirst, static_cast<std::uint8_t>(kSecond | n >> 16),
                          static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n), m_config.port);
}

std::optional<Endpoint> Tunnel::addressOf(const NodeId& node, Instant now)
{
    const auto peer = obtain(node, now);
    return peer == m_peers.end() ? std::nullopt : std::optional(addressOf(peer->second));
}

bool Tunnel::isInUse(const NodeId& node, Instant now) const
{
    const auto peer = m_peers.find(node);
    return peer != m_peers.end() && now - peer->second.lastUsed < m_config.idle;
}

PeerBytes Tunnel::bytesOf(const NodeId& node) const
{
    const auto peer = m_peers.find(node);
    return peer == m_peers.end() ? PeerBytes() : peer->second.bytes;
}

/// Whether one more may have an address; who was idle for longest gives way.
bool Tunnel::makeRoom(Instant now)
{
    if (m_peers.size() < m_config.maxPeers)
        return true;
    const auto oldest = std::min_element(m_peers.begin(), m_peers.end(), [](const auto& a, const auto& b) {
        return a.second.lastUsed < b.second.lastUsed;
    });
    if (oldest == m_peers.end() || now - oldest->second.lastUsed < m_config.idle)
        return false;
    m_numbers.erase(oldest->second.number);
    m_peers.erase(oldest);
    return true;
}

Tunnel::Peers::iterator Tunnel::obtain(const NodeId& node, Instant now)
{
    const auto known = m_peers.find(node);
    if (known != m_peers.end())
        return known;
    if (!makeRoom(now))
        return m_peers.end();
    // libtorrent remembers addresses, so that of somebody who went is not given to somebody else at once.
    do
        m_lastNumber = m_lastNumber % kMaxNumber + 1;
    while (m_numbers.contains(m_lastNumber));
    const auto peer = m_peers.try_emplace(node).first;
    peer->second.number = m_lastNumber;
    peer->second.lastUsed = now;
    m_numbers.emplace(m_lastNumber, peer);
    return peer;
}

std::optional<Tunnel::ToLink> Tunnel::fromSwarm(const Endpoint& to, ByteView packet, Instant now)
{
    const auto& a = to.address;
    const std::uint32_t number =
        static_cast<std::uint32_t>(a[13] & ~kSecond) << 16 | static_cast<std::uint32_t>(a[14]) << 8 | a[15];
    const auto known = m_numbers.find(number);
    const auto header = utpHeader(packet);
    const std::size_t most = m_config.maxDatagramBytes;
    const bool isPeers = to.isIpv4() && a[12] == kFirst && (a[13] & 0xc0) == kSecond;
    if (!isPeers || known == m_numbers.end() || !header || packet.size() > 2 * (most - kPartHeaderBytes)) {
        ++m_stats.refused;
        return std::nullopt;
    }
    Peer& peer = known->second->second;
    peer.connections.note(Side::Swarm, *header);
    peer.lastUsed = now;
    ++m_stats.packetsOut;
    peer.bytes.out += packet.size();
    if (packet.size() <= most)
        return ToLink{known->second->first, {packet}, 1};
    ++m_stats.split;
    ++peer.lastSplit;
    const std::size_t half = packet.size() / 2;
    m_parts = {serialize(PacketPart{false, peer.lastSplit, packet.first(half)}),
               serialize(PacketPart{true, peer.lastSplit, packet.subspan(half)})};
    return ToLink{known->second->first, {m_parts[0], m_parts[1]}, 2};
}

std::optional<ByteView> Tunnel::join(Peer& peer, const PacketPart& part)
{
    const auto other =
        std::find_if(peer.unfinished.begin(), peer.unfinished.end(), [&](const Unfinished& held) {
            return !held.bytes.empty() && held.packet == part.packet && held.isSecond != part.isSecond;
        });
    if (other == peer.unfinished.end()) {
        peer.unfinished[peer.nextUnfinished] = {part.packet, part.isSecond, toBytes(part.bytes)};
        peer.nextUnfinished = (peer.nextUnfinished + 1) % kUnfinished;
        return std::nullopt;
    }
    m_whole.clear();
    append(m_whole, part.isSecond ? ByteView(other->bytes) : part.bytes);
    append(m_whole, part.isSecond ? part.bytes : ByteView(other->bytes));
    other->bytes.clear();
    return m_whole;
}

Tunnel::Carry Tunnel::refuse()
{
    ++m_stats.refused;
    return {};
}

Tunnel::Carry Tunnel::refuse(const UtpHeader& unknown)
{
    ++m_stats.refused;
    return resetsFor(unknown);
}

Tunnel::Carry Tunnel::fromLink(const NodeId& node, ByteView datagram, Instant now)
{
    const auto carried = parseCarried(datagram);
    if (!carried || datagram.size() > m_config.maxDatagramBytes)
        return refuse();
    const auto* whole = std::get_if<WholePacket>(&*carried);
    const bool isNew = whole != nullptr && whole->header.type == UtpHeader::Type::Syn;
    const auto found = isNew ? obtain(node, now) : m_peers.find(node);
    if (found == m_peers.end()) {
        const auto header = headerOf(*carried);
        return header ? refuse(*header) : refuse();
    }
    Peer& peer = found->second;
    std::optional<ByteView> packet;
    if (whole != nullptr)
        packet = whole->bytes;
    else
        packet = join(peer, std::get<PacketPart>(*carried));
    if (!packet)
        return {};
    const auto header = utpHeader(*packet);
    if (!header)
        return refuse(); // of two parts that do not belong together
    if (!peer.connections.note(Side::Link, *header))
        return refuse(*header);
    peer.lastUsed = now;
    ++m_stats.packetsIn;
    peer.bytes.in += packet->size();
    return ToSwarm{addressOf(peer), *packet};
}

std::vector<std::pair<NodeId, Tunnel::Resets>> Tunnel::endAll()
{
    std::vector<std::pair<NodeId, Resets>> all;
    for (auto& [node, peer] : m_peers)
        all.emplace_back(node, peer.connections.end(Side::Link));
    return all;
}

std::pair<Endpoint, Tunnel::Resets> Tunnel::peerGone(const NodeId& node)
{
    const auto peer = m_peers.find(node);
    if (peer == m_peers.end())
        return {};
    return {addressOf(peer->second), peer->second.connections.end(Side::Swarm)};
}

} // namespace starling::tunnel
