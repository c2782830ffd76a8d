// SPDX-License-Identifier: Apache-2.0
/// Who is whose neighbour: HyParView (Leitão, Pereira, Rodrigues: "HyParView: a membership protocol for
/// reliable gossip-based broadcast", DSN 2007), with neighbours chosen by latency. A few links make up the
/// active view; contacts of some more nodes, the passive view, stand by for those that fail. Pure: it says
/// which links to open and close, and is told what became of them. Messages: membership_message.h.
///
///     bootstrap ── Join ──> a neighbour ── ForwardJoin ──> ··· ──> who lacks one opens a link and Asks
///     candidate ── Ask ───> Answer: yes, or others that may have room
///
/// Of its links, a node keeps one that it chose at random, for good: those hold the overlay together. Up to
/// two others it chose because they are near, and exchanges for nearer ones as it finds them. What others
/// asked for fills the rest, up to a limit, so that nobody who floods a node with requests is all it knows.
///
/// Modifications: shuffles go to a neighbour instead of along a walk, which would cost a handshake; only
/// contacts signed by their devices are remembered; a full node gives way to a newcomer without neighbours
/// once in Config::eviction, and tells whom it drops of the newcomer; latency (compare Leitão et al.,
/// "X-BOT", 2012) without that protocol's exchange of four.
#pragma once

#include "base/endpoint.h"
#include "overlay/membership_message.h"
#include "overlay/passive_view.h"

#include <set>

namespace starling::overlay {

struct MembershipConfig
{
    std::size_t wanted = 5; ///< neighbours; HyParView section 5.1: an active view of 5
    std::size_t most = 6; ///< one more for who asks
    std::size_t near = 2; ///< performance.md: two best of thirty candidates
    /// Of those who asked, while there are candidates of our own: half of all.
    std::size_t inbound = 3;
    /// HyParView section 5.1 has 30, of which 0.8³⁶ of the survivors know nobody when four in five crash at
    /// once: one or two of 2,000, or one in a thousand. With 48 it is one in 170,000.
    std::size_t passive = 48;
    std::size_t attempts = 4; ///< at a time; guess. Twice as many without any neighbour
    unsigned tries = 2; ///< HELLOs for each; at 10 % loss 1 in 28 fails
    Duration answerTime = std::chrono::seconds(3); ///< guess: to an Ask; link::Config::maxRetransmit
    Duration eviction = std::chrono::seconds(10); ///< between two forced ones
    Duration silence = std::chrono::seconds(10); ///< guess: until a silent link is given up
    /// Two shuffles are 10 kB with all certificates, a measured candidate 2 kB: together 9 B/s. Guess.
    Duration shuffle = std::chrono::minutes(30);
    Duration measure = std::chrono::minutes(10); ///< between two measured candidates; guess
    /// Guess: so long after its start, and after a neighbour was lost, a node looks around quicker,
    Duration youth = std::chrono::seconds(180);
    Duration youngShuffle = std::chrono::seconds(15); ///< until the passive view is full. Guess.
    Duration youngMeasure = std::chrono::seconds(4); ///< guess: thirty candidates in two minutes
    Duration contactMin = std::chrono::milliseconds(500); ///< link's reconnectMin; doubled up to
    Duration contactMax = std::chrono::seconds(30); ///< link's reconnectMax
    /// Guess: now and then a bootstrap is heard, so that a fleet that fell apart grows together.
    Duration reunion = std::chrono::minutes(20);
    /// Links to devices whose certificates are over, beside the neighbours. Guess: as many as are wanted of
    /// others, so that a clock that is wrong here leaves as many ways to what would mend it.
    std::size_t restricted = 5;
};

/// What this node tells of itself; also when it is reached elsewhere from now on.
struct OwnContact
{
    Contact contact;
};
/// Addresses that are configured: where to begin, and to come back to.
struct Bootstrap
{
    std::vector<Endpoint> endpoints;
};
/// Contacts of an earlier life; they are verified again.
struct Remembered
{
    std::vector<Contact> contacts;
};
struct LinkUp
{
    NeighborId link{};
    NodeId node;
    Endpoint endpoint;
    std::optional<Duration> roundTrip; ///< of its handshake
    bool isRestricted = false; ///< its certificate is over
};
/// What ConnectTo was to try came to nothing.
struct LinkFailed
{
    Endpoint endpoint;
};
/// The other side has another address.
struct LinkMoved
{
    NeighborId link{};
    Endpoint endpoint;
};
struct LinkDown
{
    NeighborId link{};
};
/// Some timeouts in a row had no answer; or there is one again.
struct LinkSilence
{
    NeighborId link{};
    bool isSilent = false;
};
/// A message for the overlay came from no neighbour.
struct StrangeMessage
{
    NeighborId from{};
};
struct MembershipTimer
{
    std::uint64_t generation = 0;
};
using MembershipInput = std::variant<OwnContact, Bootstrap, Remembered, LinkUp, LinkFailed, LinkMoved,
                                     LinkDown, LinkSilence, StrangeMessage, MessageReceived, MembershipTimer>;

struct ConnectTo
{
    Endpoint to;
    unsigned tries = 0;
    std::optional<NodeId> node = {}; ///< who is to be found there; it may be reached elsewhere, too
};
struct CloseLink
{
    NeighborId link{};
};
/// Find out whether the other side is there.
struct ProbeLink
{
    NeighborId link{};
};
/// A contact that nobody may have passed on.
struct ContactRefused
{
    NeighborId from{};
    Error error;
};
struct ScheduleMembership
{
    Duration delay;
    MembershipTimer timer;
};
/// NeighborUp and NeighborDown: which links the overlay is to use.
using MembershipOutput = std::variant<ConnectTo, CloseLink, ProbeLink, SendMessage, NeighborUp, NeighborDown,
                                      ContactRefused, ScheduleMembership>;

class Membership
{
public:
    /// `mediator` and `random` must outlive it.
    Membership(const NodeId& self, const MembershipConfig& config, const Mediator& mediator,
               RandomSource& random);
    ~Membership();
    std::vector<MembershipOutput> handle(const MembershipInput& input, Instant now);

    /// Restricted ones, too.
    bool isNeighbor(NeighborId link) const;
    /// Who is at the other end of a link that is up.
    std::optional<NodeId> nodeOf(NeighborId link) const;

    /// A link as a neighbour, for status and tests.
    struct Neighbor
    {
        enum class Role : std::uint8_t { Random, Near, Inbound } role{};
        NodeId node;
        std::optional<Duration> roundTrip;
    };
    std::vector<Neighbor> neighbors() const;
    /// Contacts worth remembering over a restart, at most MembershipConfig::passive and those of neighbours.
    std::vector<Contact> known() const;
    const PassiveView& passive() const;

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace starling::overlay
