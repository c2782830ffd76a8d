// SPDX-License-Identifier: Apache-2.0
/// What is known of links, for people and for tests; part of link.h. Values only.
#pragma once

#include "base/endpoint.h"
#include "base/ids.h"
#include "base/time.h"

#include <optional>

namespace starling::link {

/// Names a link within this process; never reused.
enum class LinkId : std::uint64_t {};

struct Stats
{
    std::uint64_t datagramsIn = 0, datagramsOut = 0, bytesIn = 0, bytesOut = 0;
    std::uint64_t messagesIn = 0, messagesOut = 0, retransmissions = 0;
    std::uint64_t unreliableIn = 0, unreliableOut = 0, unreliableDropped = 0;
    std::uint64_t malformed = 0; ///< datagrams that are forged, damaged, of strangers, or of no link here
    std::uint64_t replayed = 0; ///< datagrams that came before
    std::uint64_t refusedLinks = 0; ///< over a limit, to ourselves, or without a good certificate
    std::uint64_t refusedMessages = 0; ///< of our own: over a limit
    std::uint64_t moves = 0; ///< of links, to where the other side is now
    std::uint64_t cookiesAsked = 0; ///< handshakes that had to show where they come from
};

/// What is known of one link, for `status`.
struct LinkInfo
{
    LinkId link{};
    NodeId node;
    Endpoint endpoint; ///< of Tcp, the address to or from which the connection goes
    bool isUp = false;
    std::optional<Duration> roundTrip;
    enum class Kind : std::uint8_t {
        Direct,
        Punched, ///< by a detour first, from which both sides found the direct way
        Tcp,
        Relayed,
    } kind = Kind::Direct;
    Instant since = {}; ///< it is up
    bool isCalled = false; ///< of Tcp: this node opened the connection, so that the other side listens there
    std::optional<NodeId> relay = {}; ///< of Relayed: who carries it
    unsigned punches = 0; ///< of Tcp and Relayed: rounds that came to nothing
    std::size_t theirCandidates = 0; ///< of both: addresses that the other side has named
    std::optional<std::uint64_t> notAfter = {}; ///< of its certificate, in seconds since 1970
    bool isRestricted = false; ///< the certificate was over when the link came up
};

/// As people read it.
constexpr const char* nameOf(LinkInfo::Kind kind)
{
    switch (kind) {
    case LinkInfo::Kind::Direct:
        return "direct";
    case LinkInfo::Kind::Punched:
        return "punched";
    case LinkInfo::Kind::Tcp:
        return "tcp";
    case LinkInfo::Kind::Relayed:
        return "relayed";
    }
    return "";
}

} // namespace starling::link
