// SPDX-License-Identifier: Apache-2.0
/// The datagrams of a link: one frame each. Integers are big-endian. Pure.
///
/// Every frame begins with the same 22 bytes:
///
///      0        1        2                 6                         14                        22
///     +--------+--------+-----------------+-------------------------+-------------------------+
///     | 0x81   | type   | checksum        | to: receiver's token    | from: sender's token    |
///     +--------+--------+-----------------+-------------------------+-------------------------+
///
///     0x81      version 1. The top bit keeps frames apart from STUN (00......) and uTP (0x01 … 0x41) on one
///     socket. checksum  CRC-32C (RFC 9260 appendix A) of the whole datagram, these four bytes taken as zero.
///     tokens    64 random bits that each side chose for this link. A frame belongs to a link only if both
///     match.
///
/// and goes on by type:
///
///     1 HELLO      node id (32), zeros up to byte 64             `to` is 0. At least as long as its answer.
///     2 HELLO-ACK  node id (32)                                  `to` is the token of the HELLO
///     3 DATA       sequence (8) transmission (8) flags (1) length (2) bytes
///                  flags: 1 = last fragment of its message, 2 = acknowledge at once
///     4 ACK        next (8) echo (8) count (1) bits (count)      next: first sequence that is missing
///                  echo: highest transmission that arrived; bit i (least significant first): next + 1 + i
///                  arrived
///     5 PING       number (8)
///     6 PONG       number (8)                                    that of the PING
///     7 BYE        reason (1)                                    0 = closed, 1 = no such link here
///
/// Bytes after what a version knows are ignored; the checksum covers them.
#pragma once

#include "base/ids.h"

#include <bitset>
#include <variant>

namespace starling::link {

/// What each side chooses at random for a link, so that strangers cannot speak on it. 0 stands for "not
/// known".
enum class Token : std::uint64_t {};

constexpr std::size_t kHeaderBytes = 22;
constexpr std::size_t kHelloBytes = 64;
constexpr std::size_t kDataOverheadBytes = kHeaderBytes + 19;
/// How far beyond the first missing fragment a receiver keeps fragments, and an ACK speaks of them.
constexpr std::size_t kReceiveWindow = 256;

struct Hello
{
    NodeId node;
    bool operator==(const Hello&) const = default;
};
struct HelloAck
{
    NodeId node;
    bool operator==(const HelloAck&) const = default;
};
/// One fragment. `payload` refers to the datagram that it was parsed from.
struct Data
{
    std::uint64_t sequence = 0; ///< of the fragment on its link, from 0
    std::uint64_t transmission = 0; ///< of the sending, from 1: another for each retransmission
    bool isLast = false; ///< the message ends with this fragment
    bool wantsAck = false; ///< the sender has nothing more to send for now
    ByteView payload;
};
struct Ack
{
    std::uint64_t next = 0;
    std::uint64_t echo = 0;
    std::bitset<kReceiveWindow> beyond; ///< bit i: next + 1 + i arrived
    bool operator==(const Ack&) const = default;
};
struct Ping
{
    std::uint64_t number = 0;
    bool operator==(const Ping&) const = default;
};
struct Pong
{
    std::uint64_t number = 0;
    bool operator==(const Pong&) const = default;
};
struct Bye
{
    enum class Reason : std::uint8_t { Closed = 0, Unknown = 1 } reason{};
    bool operator==(const Bye&) const = default;
};
using Body = std::variant<Hello, HelloAck, Data, Ack, Ping, Pong, Bye>;

struct Frame
{
    Token to{};
    Token from{};
    Body body;
};

/// Fails with Truncated, UnsupportedFormat (version or type), or Malformed (checksum, token 0, lengths).
Result<Frame> parse(ByteView datagram);
/// A payload must fit 16 bits of length.
Bytes serialize(const Frame& frame);
/// Writes the checksum that belongs to `datagram`; one of fewer than kHeaderBytes stays as it is.
void writeChecksum(Bytes& datagram);

} // namespace starling::link
