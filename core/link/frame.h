// SPDX-License-Identifier: Apache-2.0
/// What two ends of a link say to each other once it is up: one frame in each sealed datagram (packet.h).
/// Integers are big-endian. Pure. The first byte tells the kind, and the rest goes on by kind:
///
///     1 DATA       sequence (8) transmission (8) flags (1) length (2) bytes
///                  flags: 1 = last fragment of its message, 2 = acknowledge at once
///     2 ACK        next (8) echo (8) count (1) bits (count)      next: first sequence that is missing
///                  echo: highest transmission that arrived; bit i (least significant first): next + 1 + i
///                  arrived
///     3 PING       number (8) seen (18)                          from 1
///     4 PONG       number (8) seen (18)                          that of the PING; 0 answers none
///                  seen: address and port from which the receiver's datagrams come; may be left out
///     5 BYE
///     6 CHALLENGE  nonce (8)                                     is answered where it came from
///     7 RESPONSE   nonce (8)                                     that of the CHALLENGE
///     8 UNRELIABLE length (2) bytes                              neither acknowledged nor sent again
///    32 ONCE       length (2) message                            likewise, for whom messages are for
///
/// Detours (relay.h, detours.h) and what it takes to do without one (punch.h); `node`: 64 bits of an id:
///
///     9 FORWARD    node (8) length (2) datagram                  carry this to that node
///    10 FORWARDED  node (8) length (2) datagram                  that node sent this
///    11 SEEK       node (8)                                      have you a link to it?
///    12 SEEN       node (8)                                      yes
///    13 REFUSED    node (8) reason (1)                           what was for it goes no further
///    14 CANDIDATES round (1) answer (1) count (1) count × (18)   where the sender may be reached
///                  last (18) step (1)                           and near which port; may be left out
///    15 GO         round (1)                                     both send challenges now
///
/// Bytes after what a version knows are ignored.
#pragma once

#include "base/port_forecast.h"

#include <bitset>
#include <optional>
#include <variant>
#include <vector>

namespace starling::link {

constexpr std::size_t kDataOverheadBytes = 1 + 8 + 8 + 1 + 2; ///< of a DATA frame around its bytes
constexpr std::size_t kUnreliableOverheadBytes = 1 + 2; ///< of an UNRELIABLE frame around its bytes
constexpr std::size_t kForwardOverheadBytes = 1 + 8 + 2; ///< of a FORWARD frame around its datagram
constexpr std::size_t kMaxNamedCandidates = 8; ///< in one CANDIDATES; as trust::Descriptor
/// Ports that one round of challenges tries where the other side has to be found by its NAT's next ports.
/// Guess: what a quiet site takes in some minutes; 5.5 KB.
constexpr std::size_t kMaxGuesses = 128;
/// How far beyond the first missing fragment a receiver keeps fragments, and an ACK speaks of them.
constexpr std::size_t kReceiveWindow = 256;

/// One fragment. `payload` refers to the bytes that it was parsed from.
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
    std::optional<Endpoint> seen = {};
    bool operator==(const Ping&) const = default;
};
struct Pong
{
    std::uint64_t number = 0;
    std::optional<Endpoint> seen = {};
    bool operator==(const Pong&) const = default;
};
struct Bye
{
    bool operator==(const Bye&) const = default;
};
/// Asks an address whether the other side is there (paths.h).
struct PathChallenge
{
    std::uint64_t nonce = 0;
    bool operator==(const PathChallenge&) const = default;
};
struct PathResponse
{
    std::uint64_t nonce = 0;
    bool operator==(const PathResponse&) const = default;
};
/// A datagram of whoever uses the link. `payload` refers to the bytes that it was parsed from.
struct Unreliable
{
    ByteView payload;
    bool isMessage = false; ///< ONCE
    std::uint8_t padding = 0; ///< bytes that are ignored, after it
};
/// `datagram` refers to the bytes that it was parsed from.
struct Forward
{
    std::uint64_t node = 0; ///< NodeTag: to whom
    ByteView datagram;
};
struct Forwarded
{
    std::uint64_t node = 0; ///< from whom
    ByteView datagram;
};
struct Seek
{
    std::uint64_t node = 0;
    bool operator==(const Seek&) const = default;
};
struct Seen
{
    std::uint64_t node = 0;
    bool operator==(const Seen&) const = default;
};
struct NotForwarded
{
    enum class Reason : std::uint8_t {
        NoLink = 1, ///< to that node
        Quota = 2, ///< a datagram was dropped, and more will be
    };
    std::uint64_t node = 0;
    Reason reason{}; ///< others may come
    bool operator==(const NotForwarded&) const = default;
};
struct Candidates
{
    std::uint8_t round = 0;
    bool isAnswer = false;
    std::vector<Endpoint> endpoints; ///< at most kMaxNamedCandidates
    std::optional<PortForecast> forecast = {};
    bool operator==(const Candidates&) const = default;
};
struct Go
{
    std::uint8_t round = 0;
    bool operator==(const Go&) const = default;
};
using Frame = std::variant<Data, Ack, Ping, Pong, Bye, PathChallenge, PathResponse, Unreliable, Forward,
                           Forwarded, Seek, Seen, NotForwarded, Candidates, Go>;

/// Fails with Truncated, UnsupportedFormat (kind), Malformed (lengths), or TooLarge (candidates).
Result<Frame> parseFrame(ByteView bytes);
/// A payload must fit 16 bits of length.
void write(ByteWriter& writer, const Frame& frame);

} // namespace starling::link
