// SPDX-License-Identifier: Apache-2.0
/// tunnel::Tunnel from both sides: any bytes, cut into packets. What parses encodes to the same; what comes
/// out is uTP of a known peer, or fits the link.
#include "base/assert.h"
#include "fuzz.h"
#include "tunnel/tunnel.h"

#include <algorithm>

using namespace starling;
using namespace starling::tunnel;

namespace {

constexpr std::uint16_t kPort = 4'711;
constexpr std::size_t kMaxDatagram = 64; // small, so that much is too large

NodeId nodeOf(std::uint8_t number)
{
    std::array<std::byte, NodeId::kSize> bytes{};
    bytes[0] = std::byte{number};
    return NodeId(bytes);
}

void check(const ByteView datagram)
{
    const auto parsed = parseDatagram(datagram);
    if (!parsed)
        return;
    if (const auto* arrived = std::get_if<Arrived>(&*parsed))
        STARLING_ASSERT(std::ranges::equal(serialize(*arrived), datagram));
    const auto* numbered = std::get_if<Numbered>(&*parsed);
    if (numbered == nullptr)
        return;
    STARLING_ASSERT(std::ranges::equal(serialize(*numbered), datagram));
    const auto carried = parseCarried(numbered->carried);
    if (!carried)
        return;
    if (const auto* part = std::get_if<PacketPart>(&*carried))
        STARLING_ASSERT(std::ranges::equal(serialize(*part), numbered->carried));
    else
        STARLING_ASSERT(utpHeader(numbered->carried).has_value());
}

/// What comes out is uTP of a known peer, or fits the link.
void check(Tunnel& tunnel, const Tunnel::Outputs& outputs, Instant now)
{
    for (const auto& output : outputs)
        if (const auto* to = std::get_if<Tunnel::ToLink>(&output))
            STARLING_ASSERT(to->datagram.size() <= kMaxDatagram && parseDatagram(to->datagram));
        else if (const auto* packet = std::get_if<Tunnel::ToSwarm>(&output))
            STARLING_ASSERT(utpHeader(packet->packet) && packet->from.isLoopback());
    if (tunnel.isWaiting())
        for (const auto& output : tunnel.onTick(now))
            if (const auto* to = std::get_if<Tunnel::ToLink>(&output))
                STARLING_ASSERT(to->datagram.size() <= kMaxDatagram);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Config config;
    config.port = kPort;
    config.maxDatagramBytes = kMaxDatagram;
    config.maxPeers = 3;
    SeededRandom random(1);
    Tunnel tunnel(config, random);
    ByteReader reader(std::as_bytes(std::span(data, size)));
    Instant now{};
    while (reader.isGood() && !reader.rest().empty()) {
        const std::uint8_t head = reader.u8();
        const NodeId node = nodeOf(head & 7);
        const std::uint8_t wanted = reader.u8();
        const ByteView bytes = reader.raw(std::min<std::size_t>(wanted, reader.rest().size()));
        now += std::chrono::seconds(head & 8 ? 60 : 0);
        check(bytes);
        if ((head & 16) != 0) {
            check(tunnel, tunnel.fromLink(node, bytes, now), now);
            if ((head & 32) != 0)
                check(tunnel, tunnel.peerGone(node), now);
            continue;
        }
        const auto address = tunnel.addressOf(node, now);
        STARLING_ASSERT(!address || address->isLoopback());
        const Endpoint to = address.value_or(Endpoint::ipv4(127, head, wanted, 1, kPort));
        check(tunnel, tunnel.fromSwarm(to, bytes, now), now);
    }
    check(tunnel, tunnel.endAll(), now);
    return 0;
}

std::vector<Bytes> seeds()
{
    ByteWriter packet;
    packet.u8(0x41);
    packet.raw(Bytes(19));
    const Bytes syn = packet.take();
    const auto said = [](std::uint8_t head, ByteView bytes) {
        ByteWriter writer;
        writer.u8(head);
        writer.u8(static_cast<std::uint8_t>(bytes.size()));
        writer.raw(bytes);
        return writer.take();
    };
    Bytes large = syn;
    large.resize(100);
    Bytes story;
    const auto numbered = [](std::uint16_t number, ByteView carried) {
        return serialize(Numbered{5, number, carried});
    };
    for (const Bytes& step :
         {said(17, numbered(0, syn)), said(1, large), said(1, large),
          said(17, numbered(2, serialize(PacketPart{true, 1, ByteView(large).subspan(50)}))),
          said(17, numbered(1, serialize(PacketPart{false, 1, ByteView(large).first(50)}))),
          said(17, serialize(Arrived{1, 2, Bytes(3, std::byte{5})}))})
        append(story, step);
    return {story, said(16, numbered(0, syn)), said(16, syn), said(0, syn)};
}
