// SPDX-License-Identifier: Apache-2.0
/// What links carry of uTP (BEP 29): whole packets as they are, or one that is too large in two parts, each
/// in a datagram that is numbered (recovery.h). Integers are big-endian. Pure.
///
///     numbered  0xd0; epoch (2): of the sender's numbers; number (2); a whole packet or a part
///     arrived   0xa0; epoch (2): of the other side's numbers; number (2) that did not arrive or is the next;
///               up to 32 bytes: bit i of them, from the lowest of each on, tells whether that many plus one
///               numbers later has arrived
///     whole   a uTP packet: type and version (1), with types 0 to 4 and version 1 that is 0x01, 0x11, 0x21,
///             0x31 or 0x41; connection (2) at byte 2, number (2) at byte 16, number that is acknowledged (2)
///             at byte 18; 20 bytes at least
///     part    0xf1 or 0xf2: first or second; packet (2): chosen by the sender; bytes
#pragma once

#include "base/bytes.h"

#include <optional>
#include <variant>

namespace starling::tunnel {

constexpr std::size_t kUtpHeaderBytes = 20;
constexpr std::size_t kPartHeaderBytes = 3;

/// What is looked at in a uTP packet; the rest is BitTorrent's.
struct UtpHeader
{
    enum class Type : std::uint8_t { Data, Fin, State, Reset, Syn } type{};
    std::uint16_t connection = 0;
    std::uint16_t number = 0;
    std::uint16_t acknowledged = 0;
};
struct WholePacket
{
    UtpHeader header;
    ByteView bytes; ///< header included
};
struct PacketPart
{
    bool isSecond = false;
    std::uint16_t packet = 0;
    ByteView bytes; ///< never empty
};
using Carried = std::variant<WholePacket, PacketPart>;

constexpr std::size_t kNumberedHeaderBytes = 5;
struct Numbered
{
    std::uint16_t epoch = 0, number = 0;
    ByteView carried; ///< never empty
};
struct Arrived
{
    static constexpr std::size_t kMaxBeyond = 32;
    std::uint16_t epoch = 0, next = 0;
    ByteView beyond;
};
/// A whole packet without a number is a RESET (connections.h) of somebody who has no tunnel.
using Datagram = std::variant<Numbered, Arrived, WholePacket>;

/// Views refer to `bytes`. Fails with Truncated, TooLarge or UnsupportedFormat.
Result<Datagram> parseDatagram(ByteView bytes);
Bytes serialize(const Numbered& datagram);
Bytes serialize(const Arrived& arrived);

/// Views refer to `datagram`. Fails with Truncated or UnsupportedFormat.
Result<Carried> parseCarried(ByteView datagram);
/// Nothing if it is no uTP packet.
std::optional<UtpHeader> utpHeader(ByteView packet);
/// Of the packet that is carried: the second of two parts does not tell.
std::optional<UtpHeader> headerOf(const Carried& carried);
Bytes serialize(const PacketPart& part);
/// A packet of nothing but this: no times, no window.
Bytes serialize(const UtpHeader& header);

} // namespace starling::tunnel
