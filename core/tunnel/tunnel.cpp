// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel.h"

#include <algorithm>

namespace starling::tunnel {

namespace {

// Addresses are 127.64.0.0/10: none that others are likely to use, and no number comes again soon.
constexpr std::uint8_t kFirst = 127, kSecond = 64;
constexpr std::uint32_t kMaxNumber = (std::uint32_t(1) << 22) - 1;

} // namespace

Tunnel::Tunnel(Config config, RandomSource& random)
    : m_config(config)
    , m_random(random)
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
    const auto peer = m_peers.try_emplace(node, static_cast<std::uint16_t>(m_random.u64())).first;
    peer->second.number = m_lastNumber;
    peer->second.lastUsed = now;
    m_numbers.emplace(m_lastNumber, peer);
    return peer;
}

Tunnel::Outputs Tunnel::toLink(const NodeId& node, Recovery::Out& out)
{
    Outputs outputs;
    for (Bytes& datagram : out.toPeer)
        outputs.emplace_back(ToLink{node, std::move(datagram)});
    return outputs;
}

Tunnel::Outputs Tunnel::fromSwarm(const Endpoint& to, ByteView packet, Instant now)
{
    const auto& a = to.address;
    const std::uint32_t number =
        static_cast<std::uint32_t>(a[13] & ~kSecond) << 16 | static_cast<std::uint32_t>(a[14]) << 8 | a[15];
    const auto known = m_numbers.find(number);
    const auto header = utpHeader(packet);
    const std::size_t most = m_config.maxDatagramBytes - kNumberedHeaderBytes;
    const bool isPeers = to.isIpv4() && a[12] == kFirst && (a[13] & 0xc0) == kSecond;
    if (!isPeers || known == m_numbers.end() || !header || packet.size() > 2 * (most - kPartHeaderBytes))
        return refuse();
    Peer& peer = known->second->second;
    peer.connections.note(Side::Swarm, *header);
    peer.lastUsed = now;
    ++m_stats.packetsOut;
    peer.bytes.out += packet.size();
    Recovery::Out out;
    if (packet.size() <= most) {
        peer.recovery.send(packet, now, out);
    } else {
        ++m_stats.split;
        ++peer.lastSplit;
        const std::size_t half = packet.size() / 2;
        peer.recovery.send(serialize(PacketPart{false, peer.lastSplit, packet.first(half)}), now, out);
        peer.recovery.send(serialize(PacketPart{true, peer.lastSplit, packet.subspan(half)}), now, out);
    }
    return toLink(known->second->first, out);
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

Tunnel::Outputs Tunnel::refuse()
{
    ++m_stats.refused;
    return {};
}

Tunnel::Outputs Tunnel::refuse(const NodeId& node, const UtpHeader& unknown)
{
    ++m_stats.refused;
    Outputs outputs;
    for (Bytes& reset : resetsFor(unknown))
        outputs.emplace_back(ToLink{node, std::move(reset)});
    return outputs;
}

Tunnel::Outputs Tunnel::fromLink(const NodeId& node, ByteView datagram, Instant now)
{
    const auto parsed = parseDatagram(datagram);
    if (!parsed || datagram.size() > m_config.maxDatagramBytes)
        return refuse();
    auto found = m_peers.find(node);
    if (found == m_peers.end()) {
        const auto* numbered = std::get_if<Numbered>(&*parsed);
        const auto carried =
            numbered != nullptr ? parseCarried(numbered->carried) : fail(Errc::Refused, "no peer");
        const auto header = carried ? headerOf(*carried) : std::nullopt;
        if (!header)
            return refuse();
        const bool isNew = header->type == UtpHeader::Type::Syn;
        found = isNew ? obtain(node, now) : found;
        if (found == m_peers.end())
            return refuse(node, *header);
        found->second.recovery.begin(*numbered);
    }
    Peer& peer = found->second;
    Recovery::Out out;
    Outputs outputs;
    if (const auto* numbered = std::get_if<Numbered>(&*parsed))
        peer.recovery.receive(*numbered, now, out);
    else if (const auto* acknowledgement = std::get_if<Arrived>(&*parsed))
        peer.recovery.receive(*acknowledgement, now, out);
    else
        packetArrived(node, peer, std::get<WholePacket>(*parsed).bytes, now, outputs);
    for (Output& output : toLink(node, out))
        outputs.push_back(std::move(output));
    for (const Bytes& carried : out.arrived)
        arrived(node, peer, carried, now, outputs);
    return outputs;
}

void Tunnel::arrived(const NodeId& node, Peer& peer, ByteView carried, Instant now, Outputs& outputs)
{
    const auto parsed = parseCarried(carried);
    if (!parsed) {
        ++m_stats.refused;
        return;
    }
    if (const auto* whole = std::get_if<WholePacket>(&*parsed))
        packetArrived(node, peer, whole->bytes, now, outputs);
    else if (const auto packet = join(peer, std::get<PacketPart>(*parsed)))
        packetArrived(node, peer, *packet, now, outputs);
}

void Tunnel::packetArrived(const NodeId& node, Peer& peer, ByteView packet, Instant now, Outputs& outputs)
{
    const auto header = utpHeader(packet);
    if (!header) {
        ++m_stats.refused; // of two parts that do not belong together
        return;
    }
    if (!peer.connections.note(Side::Link, *header)) {
        for (Output& answer : refuse(node, *header))
            outputs.push_back(std::move(answer));
        return;
    }
    peer.lastUsed = now;
    ++m_stats.packetsIn;
    peer.bytes.in += packet.size();
    outputs.emplace_back(ToSwarm{addressOf(peer), toBytes(packet)});
}

Tunnel::Outputs Tunnel::onTick(Instant now)
{
    Outputs outputs;
    for (auto& [node, peer] : m_peers) {
        if (!peer.recovery.isWaiting())
            continue;
        Recovery::Out out;
        peer.recovery.onTick(now, out);
        for (Output& output : toLink(node, out))
            outputs.push_back(std::move(output));
        for (const Bytes& carried : out.arrived)
            arrived(node, peer, carried, now, outputs);
    }
    return outputs;
}

bool Tunnel::isWaiting() const
{
    return std::any_of(m_peers.begin(), m_peers.end(),
                       [](const auto& entry) { return entry.second.recovery.isWaiting(); });
}

Tunnel::Outputs Tunnel::endAll()
{
    Outputs outputs;
    for (auto& [node, peer] : m_peers)
        for (Bytes& reset : peer.connections.end(Side::Link))
            outputs.emplace_back(ToLink{node, std::move(reset)});
    return outputs;
}

Tunnel::Outputs Tunnel::peerGone(const NodeId& node)
{
    Outputs outputs;
    const auto found = m_peers.find(node);
    if (found == m_peers.end())
        return outputs;
    Peer& peer = found->second;
    for (Bytes& reset : peer.connections.end(Side::Swarm))
        outputs.emplace_back(ToSwarm{addressOf(peer), std::move(reset)});
    peer.recovery = Recovery(static_cast<std::uint16_t>(m_random.u64()));
    return outputs;
}

} // namespace starling::tunnel
