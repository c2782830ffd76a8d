// SPDX-License-Identifier: Apache-2.0
/// tunnel::Tunnel from both sides: any bytes, cut into packets. What parses as a part encodes to the same;
/// what comes out is uTP of a known peer, and fits.
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
    const auto carried = parseCarried(datagram);
    if (!carried)
        return;
    if (const auto* part = std::get_if<PacketPart>(&*carried))
        STARLING_ASSERT(std::ranges::equal(serialize(*part), datagram));
    else
        STARLING_ASSERT(utpHeader(datagram).has_value());
}

void areResets(const Tunnel::Resets& resets)
{
    STARLING_ASSERT(resets.size() <= Connections::kMax);
    for (const Bytes& reset : resets) {
        const auto header = utpHeader(reset);
        STARLING_ASSERT(header && header->type == UtpHeader::Type::Reset && reset.size() == kUtpHeaderBytes);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Config config;
    config.port = kPort;
    config.maxDatagramBytes = kMaxDatagram;
    config.maxPeers = 3;
    Tunnel tunnel(config);
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
            const auto carried = tunnel.fromLink(node, bytes, now);
            const auto* to = std::get_if<Tunnel::ToSwarm>(&carried);
            STARLING_ASSERT(!to || (utpHeader(to->packet) && to->from == tunnel.addressOf(node, now)));
            if (const auto* resets = std::get_if<Tunnel::Resets>(&carried))
                areResets(*resets);
            if ((head & 32) != 0)
                areResets(tunnel.peerGone(node).second);
            continue;
        }
        const auto address = tunnel.addressOf(node, now);
        STARLING_ASSERT(!address || address->isLoopback());
        const auto out =
            tunnel.fromSwarm(address.value_or(Endpoint::ipv4(127, head, wanted, 1, kPort)), bytes, now);
        for (std::size_t i = 0; out && i < out->count; ++i)
            STARLING_ASSERT(out->datagrams[i].size() <= kMaxDatagram && parseCarried(out->datagrams[i]));
    }
    for (const auto& [node, resets] : tunnel.endAll())
        areResets(resets);
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
    for (const Bytes& step : {said(17, syn), said(1, large), said(1, large),
                              said(17, serialize(PacketPart{true, 1, ByteView(large).subspan(50)})),
                              said(17, serialize(PacketPart{false, 1, ByteView(large).first(50)}))})
        append(story, step);
    return {story, said(16, syn), said(0, syn)};
}
