// SPDX-License-Identifier: Apache-2.0
/// Links: messages of up to 1 MiB between two nodes over datagrams, acknowledged, once each, in the order
/// sent, encrypted, and authenticated by certificates (Noise XX). Pure: no socket, no clock. Datagrams are
/// drawn at the top of packet.h, what is sealed in them in frame.h.
#pragma once

#include "base/endpoint.h"
#include "base/ids.h"
#include "base/port_forecast.h"
#include "base/random.h"
#include "base/time.h"
#include "link/link_info.h"
#include "link/relay.h"
#include "link/ways.h"

#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace starling::link {

/// A timer as a value: comes back through TimerExpired. A link has one at most: scheduling it again replaces
/// the earlier one, which is ignored by its generation if it expires all the same.
struct Timer
{
    LinkId link{};
    std::uint64_t generation = 0;
    bool operator==(const Timer&) const = default;
};

// Inputs
struct DatagramReceived
{
    Endpoint from;
    ByteView bytes;
};
struct TimerExpired
{
    Timer timer;
};
/// Keep a link to this address up, with backoff, for good; one that came up here and followed the other side
/// elsewhere is enough. Or, with `tries`, send so many HELLOs at most until there is one, and let it end when
/// it ends. For good wins over tries. With `node`, to be found there, neighbours are asked to relay as well
/// if there is no link soon (detours.h); LinkFailed then follows when that has failed, too.
struct Connect
{
    Endpoint to;
    unsigned tries = 0; ///< 0: for good
    std::optional<NodeId> node = {};
};
/// Say goodbye on this link, and keep it up no longer; LinkDown follows, with Cancelled.
struct Close
{
    LinkId link{};
};
/// Find out now whether the other side of this link is there, instead of at the next keepalive.
struct Probe
{
    LinkId link{};
};
/// To a link that is not up: ignored. Over maxMessageBytes: dropped, and counted in refusedMessages. Over
/// maxQueuedBytes: the link goes down with Busy.
struct SendMessage
{
    LinkId link{};
    Bytes message;
    /// Neither acknowledged nor sent again, and in no order with others, as SendUnreliable. One that does not
    /// fit a datagram is sent like the others.
    bool isOnce = false;
};
/// A datagram inside the link: it arrives once or not at all, in no order with others. Dropped, and counted
/// in unreliableDropped, if it is over Links::maxUnreliableBytes() or its allowance, or if the other side is
/// silent. To a link that is not up: ignored.
struct SendUnreliable
{
    LinkId link{};
    ByteView bytes;
};
/// This node's address has changed, or may have: speak on every link, so that the other sides see where we
/// are, and greet those that are to be reached.
struct AddressChanged
{
};
/// Where this node may be reached, best first; over kMaxNamedCandidates are ignored. What links on detours
/// tell their other sides.
struct SetCandidates
{
    std::vector<Endpoint> endpoints;
    /// Where it is also to be looked for, if its NAT gives each destination another port.
    std::optional<PortForecast> forecast = {};
};
/// What stands before this node forgets it sooner than Config::keepalive expects: PINGs go over UDP that
/// often from now on. Never less often than Config says; nothing: as it says.
struct SetKeepalive
{
    std::optional<Duration> every = {};
};
struct CloseAll
{
}; ///< say goodbye on every link; afterwards every input is ignored
using Input = std::variant<DatagramReceived, TimerExpired, Connect, Close, Probe, SendMessage, SendUnreliable,
                           AddressChanged, SetCandidates, SetKeepalive, CloseAll, StreamAccepted,
                           StreamReceived, StreamClosed>;

// Outputs
struct SendDatagram
{
    Endpoint to;
    Bytes bytes;
};
struct LinkUp
{
    LinkId link{};
    NodeId node; ///< whom its certificate admits; it proved to hold the key
    Endpoint endpoint;
    std::optional<Duration> roundTrip; ///< of the handshake, where nothing was sent again
    /// Its certificate is over (Credential::isExpired): nothing is carried for it.
    bool isRestricted = false;
};
/// A handshake ended because the other side's certificate is not good enough for a link.
struct LinkRefused
{
    Endpoint endpoint;
    Error error; ///< Authenticator::verify's
};
/// What Connect was to try came to nothing; of a link that was refused, LinkRefused says so before.
struct LinkFailed
{
    Endpoint endpoint;
};
/// The other side has another address, and has shown that it receives there; nothing else changed.
struct LinkMoved
{
    LinkId link{};
    Endpoint endpoint;
};
struct LinkDown
{
    LinkId link{};
    /// Timeout, Cancelled (goodbye), Busy (queue overflow), Unreachable (the other side restarted, and a new
    /// link takes this one's place), TooLarge (it sent a message over maxMessageBytes).
    Errc reason{};
};
/// The other side was silent for some retransmission timeouts in a row, or has been heard since.
struct LinkSilence
{
    LinkId link{};
    bool isSilent = false;
};
struct MessageReceived
{
    LinkId link{};
    Bytes message;
};
/// What the other side's SendUnreliable took.
struct UnreliableReceived
{
    LinkId link{};
    Bytes bytes;
};
/// From where the other side of this link sees our datagrams come, in its own words.
struct AddressSeen
{
    LinkId link{};
    Endpoint endpoint;
};
struct ScheduleTimer
{
    Duration delay;
    Timer timer;
};
using Output = std::variant<SendDatagram, LinkUp, LinkRefused, LinkFailed, LinkMoved, LinkDown, LinkSilence,
                            MessageReceived, UnreliableReceived, AddressSeen, ScheduleTimer, OpenStream,
                            SendOnStream, CloseStream>;

struct Config
{
    /// Of data; handshakes have their own, the same (kHelloBytes). What a relay sends of one has 46 bytes
    /// more, and fits the least MTU of IPv6: 1,280 - 40 - 8 (RFC 8200 section 5, RFC 768).
    std::size_t datagramBytes = 1'186;
    std::size_t maxMessageBytes = 1024 * 1024; ///< architecture.md
    std::size_t maxQueuedBytes = 4 * 1024 * 1024; ///< per link; guess: four of the largest messages
    /// Guess: enough for a site, bounded against strangers. When all are taken, the oldest handshake that
    /// waits for its end gives way.
    std::size_t maxIncomingLinks = 64;
    /// Of SendUnreliable, in bytes per link. What it carries has its own congestion control; this keeps one
    /// link from filling the socket. Guesses: twice what was measured (nat.md), and a quarter of its buffer.
    std::uint64_t unreliablePerSecond = 160 * 1024 * 1024, unreliableBurst = 256 * 1024;
    std::size_t windowFragments = 64; ///< in flight per link; 64 × 1,186 B = 74 KiB
    /// Guess: above a LAN's jitter. RFC 6298 section 2.4 says 1 s, for the internet of its time.
    Duration minRetransmit = std::chrono::milliseconds(50);
    Duration maxRetransmit = std::chrono::seconds(3); ///< guess
    unsigned maxRetries = 8; ///< timeouts in a row without any acknowledgement; then the link is down
    /// Without a datagram in one of both directions: a PING, and a PONG. NAT bindings of 30 s stay open, and
    /// with the probes after it the other side's end is known within 30 s (performance.md, 10).
    Duration keepalive = std::chrono::seconds(17);
    /// How often a PING is repeated, at retransmission timeouts, before its silence counts as the end. Guess:
    /// at 10 % loss, one link in 150 ends in error in a day.
    unsigned maxProbes = 6;
    Duration idleTimeout = std::chrono::seconds(60); ///< three keepalives and a little, whatever goes wrong
    Duration reconnectMin = std::chrono::milliseconds(500); ///< guess; doubled up to
    Duration reconnectMax = std::chrono::seconds(30); ///< guess
    Duration rekeyTime = std::chrono::hours(1); ///< trust.md
    std::uint64_t rekeyDatagrams = std::uint64_t(1) << 32; ///< far below what the cipher bears
    RelayConfig relay; ///< what is carried for others
    bool streams = false; ///< whether streams are opened to those who do not answer over UDP (streams.h)
};

class Authenticator;

/// All links of one node. Every call returns what is to be done, after its state is consistent.
class Links
{
public:
    /// `authenticator` and `random`, which makes keys, must outlive it.
    Links(NodeId self, Config config, Authenticator& authenticator, RandomSource& random);
    ~Links();
    std::vector<Output> handle(const Input& input, Instant now);
    const Stats& stats() const;
    std::vector<LinkInfo> links() const;
    /// The largest datagram that SendUnreliable takes: none is ever cut into several.
    std::size_t maxUnreliableBytes() const;
    /// Bytes of others that this node has carried.
    std::uint64_t carriedBytes() const;
    /// Handshakes of others that wait for their end.
    std::size_t halfOpen() const;

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace starling::link
