// SPDX-License-Identifier: Apache-2.0
#include "tunnel/packet.h"

namespace starling::tunnel {

namespace {

constexpr std::uint8_t kFirstPart = 0xf1, kSecondPart = 0xf2;
constexpr std::uint8_t kNumbered = 0xd0, kArrived = 0xa0;
constexpr std::uint8_t kUtpVersion = 1;
constexpr std::uint8_t kLastUtpType = 4; // ST_SYN

std::uint8_t at(ByteView bytes, std::size_t position)
{
    return std::to_integer<std::uint8_t>(bytes[position]);
}

std::uint16_t wordAt(ByteView bytes, std::size_t position)
{
    return static_cast<std::uint16_t>(at(bytes, position) << 8 | at(bytes, position + 1));
}

} // namespace

std::optional<UtpHeader> utpHeader(ByteView packet)
{
    if (packet.size() < kUtpHeaderBytes)
        return std::nullopt;
    const std::uint8_t first = at(packet, 0);
    if ((first & 0x0f) != kUtpVersion || first >> 4 > kLastUtpType)
        return std::nullopt;
    return UtpHeader{static_cast<UtpHeader::Type>(first >> 4), wordAt(packet, 2), wordAt(packet, 16),
                     wordAt(packet, 18)};
}

std::optional<UtpHeader> headerOf(const Carried& carried)
{
    if (const auto* whole = std::get_if<WholePacket>(&carried))
        return whole->header;
    const auto& part = std::get<PacketPart>(carried);
    return part.isSecond ? std::nullopt : utpHeader(part.bytes);
}

Result<Carried> parseCarried(ByteView datagram)
{
    if (datagram.empty())
        return fail(Errc::Truncated, "empty");
    const std::uint8_t first = at(datagram, 0);
    if (first == kFirstPart || first == kSecondPart) {
        if (datagram.size() <= kPartHeaderBytes)
            return fail(Errc::Truncated, "a part of a packet");
        return PacketPart{first == kSecondPart, wordAt(datagram, 1), datagram.subspan(kPartHeaderBytes)};
    }
    const auto header = utpHeader(datagram);
    if (!header)
        return fail(Errc::UnsupportedFormat, "neither uTP nor a part of it");
    return WholePacket{*header, datagram};
}

Bytes serialize(const PacketPart& part)
{
    ByteWriter writer;
    writer.u8(part.isSecond ? kSecondPart : kFirstPart);
    writer.u16(part.packet);
    writer.raw(part.bytes);
    return writer.take();
}

Bytes serialize(const UtpHeader& header)
{
    ByteWriter writer;
    writer.u8(static_cast<std::uint8_t>(static_cast<unsigned>(header.type) << 4 | kUtpVersion));
    writer.u8(0); // no extension
    writer.u16(header.connection);
    writer.u32(0); // time
    writer.u32(0); // difference of times
    writer.u32(0); // window
    writer.u16(header.number);
    writer.u16(header.acknowledged);
    return writer.take();
}

Result<Datagram> parseDatagram(ByteView bytes)
{
    if (bytes.empty())
        return fail(Errc::Truncated, "empty");
    const std::uint8_t first = at(bytes, 0);
    if (first != kNumbered && first != kArrived) {
        const auto header = utpHeader(bytes);
        if (!header)
            return fail(Errc::UnsupportedFormat, "nothing of a tunnel");
        return WholePacket{*header, bytes};
    }
    if (bytes.size() < kNumberedHeaderBytes + (first == kNumbered ? 1 : 0))
        return fail(Errc::Truncated, "a datagram of a tunnel");
    const ByteView rest = bytes.subspan(kNumberedHeaderBytes);
    if (first == kNumbered)
        return Numbered{wordAt(bytes, 1), wordAt(bytes, 3), rest};
    if (rest.size() > Arrived::kMaxBeyond)
        return fail(Errc::TooLarge, "what has arrived");
    return Arrived{wordAt(bytes, 1), wordAt(bytes, 3), rest};
}

Bytes serialize(const Numbered& datagram)
{
    ByteWriter writer;
    writer.u8(kNumbered);
    writer.u16(datagram.epoch);
    writer.u16(datagram.number);
    writer.raw(datagram.carried);
    return writer.take();
}

Bytes serialize(const Arrived& arrived)
{
    ByteWriter writer;
    writer.u8(kArrived);
    writer.u16(arrived.epoch);
    writer.u16(arrived.next);
    writer.raw(arrived.beyond);
    return writer.take();
}

} // namespace starling::tunnel
