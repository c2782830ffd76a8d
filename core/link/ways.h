// SPDX-License-Identifier: Apache-2.0
/// How datagrams of links get to the other side: over UDP, on a stream (TCP), or by a detour (relay.h). To
/// the machines of links all of these are addresses. A stream is an IPv6 address of 1::/64, of a block that
/// nobody is given (RFC 4291 section 2.4), which names the stream. Also what links and those who have
/// connections say to each other; part of link.h. Values only.
#pragma once

#include "base/endpoint.h"

namespace starling::link {

/// Names a connection of this node; never reused. Those that links open have the highest bit; whoever accepts
/// one numbers it without.
enum class StreamId : std::uint64_t {};
constexpr std::uint64_t kOwnStreams = std::uint64_t(1) << 63;

Endpoint addressOf(StreamId stream);
bool isStream(const Endpoint& endpoint);
/// Of a stream's address.
StreamId streamAt(const Endpoint& endpoint);

/// How good a way is; the lower, the better.
enum class Way : std::uint8_t {
    Udp,
    Stream, ///< what is lost holds up what comes after it
    Detour, ///< costs others
};
Way wayOf(const Endpoint& endpoint);

// Inputs of Links
/// Somebody has opened a connection to this node.
struct StreamAccepted
{
    StreamId stream{};
    Endpoint remote;
};
/// A datagram came on it (framing.h).
struct StreamReceived
{
    StreamId stream{};
    ByteView bytes;
};
/// It has ended, or could not be opened.
struct StreamClosed
{
    StreamId stream{};
};

// Outputs of Links
/// What is sent on it before it is open waits for that.
struct OpenStream
{
    StreamId stream{};
    Endpoint to;
};
struct SendOnStream
{
    StreamId stream{};
    Bytes bytes; ///< a datagram
};
/// No answer to whoever is there; what was sent before may still go. Unknown ones are none any more.
struct CloseStream
{
    StreamId stream{};
};

} // namespace starling::link
