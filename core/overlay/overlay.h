// SPDX-License-Identifier: Apache-2.0
/// The overlay: carries notices to every node and tells who holds which payload. A notice is opaque here;
/// whether it is valid and newer is the Mediator's word, asked before anything is forwarded. Pure: no socket,
/// no clock.
///
/// Notices spread along a tree that the overlay finds by itself (broadcast.h); comparing boards brings what
/// was missed. Who is a neighbour is membership.h's to say. Messages: message.h.
#pragma once

#include "base/endpoint.h"
#include "base/flat_map.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "base/uri.h"
#include "overlay/mediator.h"
#include "overlay/petition.h"
#include "overlay/receipts.h"
#include "overlay/tally.h"

#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace starling::overlay {

/// Names a neighbour while its link is up (the same number as its link); never reused.
enum class NeighborId : std::uint64_t {};

/// Whoever holds pieces of a payload.
struct Provider
{
    NodeId node;
    Bytes descriptor; ///< signed by `node`, with all that it takes to verify it; at most 2 KiB
    bool isComplete = false;
    bool operator==(const Provider&) const = default;
};

struct Timer
{
    enum class What : std::uint8_t { AntiEntropy, AskProviders, Expire, Tell, Graft, Collect } what{};
    std::uint64_t generation = 0;
    bool operator==(const Timer&) const = default;
};

// Inputs
struct NeighborUp
{
    NeighborId neighbor{};
    NodeId node;
    std::optional<Duration> roundTrip = {}; ///< as far as is known
    /// Its certificate is over: it gets, and may bring, roots and what is in Mediator::urgentRange() alone.
    bool isRestricted = false;
};
struct NeighborDown
{
    NeighborId neighbor{};
};
struct MessageReceived
{
    NeighborId from{};
    ByteView bytes;
};
struct TimerExpired
{
    Timer timer;
};
struct Publish
{ ///< a notice of our own; it must be on the board already
    NoticeKey key;
};
struct Provide
{ ///< we hold pieces of `payload`; repeated when it becomes complete
    InfoHash payload;
    Bytes descriptor;
    bool isComplete = false;
};
struct StopProviding
{
    InfoHash payload;
};
struct FindProviders
{ ///< until StopFinding: ask now and at intervals, and report each new provider
    InfoHash payload;
};
struct StopFinding
{
    InfoHash payload;
};
using Input =
    std::variant<NeighborUp, NeighborDown, MessageReceived, TimerExpired, Publish, Provide, StopProviding,
                 FindProviders, StopFinding, Observe, Report, ReceiptKept, Petition, Grant, Renew, Renewed>;

// Outputs
/// Once: neither acknowledged nor sent again, for what others say as well.
enum class Delivery : std::uint8_t { Assured, Once };
struct SendMessage
{
    NeighborId to{};
    Bytes bytes;
    Delivery delivery = Delivery::Assured;
};
struct NoticeTaken
{ ///< after it was forwarded: to be stored, then acted on
    NeighborId from{};
    Head head;
};
struct NoticeRefused
{
    NeighborId from{};
    Error error;
};
struct ProviderFound
{
    InfoHash payload;
    Provider provider;
};
struct ScheduleTimer
{
    Duration delay;
    Timer timer;
};
using Output = std::variant<SendMessage, NoticeTaken, NoticeRefused, ProviderFound, ScheduleTimer,
                            ReceiptArrived, PetitionArrived, GrantArrived, RenewalAsked, RenewalArrived>;

struct Config
{
    Duration antiEntropy = std::chrono::seconds(30); ///< guess: heals what link-up and eager push missed
    /// Between two messages that tell of notices; guess: some notices for one message.
    Duration tellDelay = std::chrono::milliseconds(100);
    /// What somebody told of, and does not come along the tree, is asked for after this time. Simulated
    /// (10,000 nodes, notices from any): 50 ms cost 0.02 superfluous copies a node, 70 ms 0.01, 30 ms 0.05.
    Duration graftLeast = std::chrono::milliseconds(60);
    /// At most, where that was in vain of late. Guess: above the differences between ways through the
    /// overlay.
    Duration graftTimeout = std::chrono::milliseconds(500);
    Duration graftRetry = std::chrono::seconds(1); ///< guess: a slow round trip; then the next is asked
    Duration askProviders = std::chrono::seconds(2); ///< while a payload is wanted; doubled up to
    Duration askProvidersMax = std::chrono::seconds(30);
    Duration providerLifetime = std::chrono::minutes(10); ///< providers repeat themselves at half of it
    std::size_t maxProvidersPerAnswer = 32; ///< architecture.md, "The way of an update", 4
    std::size_t maxProvidersPerPayload = 256; ///< guess
    std::size_t maxPayloads = 256; ///< guess: payloads about which providers are kept
    Duration receiptDelay = std::chrono::milliseconds(200); ///< guess: a batch of some, and nobody waits long
    Duration receiptRepeat = std::chrono::seconds(30); ///< guess: far above a way and back; doubled up to
    Duration receiptRepeatMax = std::chrono::hours(1);
    Duration acceptLimit = std::chrono::seconds(30); ///< guess: a parent that takes nothing so long is left
    std::size_t maxReceipts =
        4'096; ///< guess: waiting or on their way, for each observer; 2 MiB of usual ones
    std::size_t maxObservers = 8; ///< guess: administrators that watch at the same time
    Duration sumsDelay = std::chrono::seconds(1); ///< guess: some children for one message
    Duration sumsPace = std::chrono::seconds(5); ///< guess: of sums in the long run, as people look at them
    /// What did not change is told again. Guess: as often as an observer pulses.
    Duration sumsRepeat = std::chrono::minutes(2);
    /// Of a child that is silent; guess: two repetitions, and some more.
    Duration sumsAge = std::chrono::minutes(5);
    std::size_t maxNeighbors = 128; ///< guess; membership wants 5
    std::size_t maxMessageBytes = 1024 * 1024; ///< as link's
    std::uint64_t refusalsBeforeMute =
        1'000; ///< guess: a neighbour with more refused notices is no longer listened to
};

/// A configuration that many overlays look at, within what messages bear.
class SharedConfig
{
public:
    explicit SharedConfig(Config config);
    const Config& operator*() const { return *m_config; }

private:
    std::shared_ptr<const Config> m_config;
};

struct NeighborStats
{
    NodeId node;
    std::uint64_t noticesIn = 0, noticesOut = 0, duplicates = 0, refused = 0;
};

/// Something of each neighbour, with room for as many as membership has at most.
template <class Value> using PerNeighbor = FlatMap<NeighborId, Value, 6>;
using Neighbors = PerNeighbor<NeighborStats>;

class Overlay
{
public:
    Overlay(NodeId self, Config config, Mediator& mediator, RandomSource& random);
    Overlay(NodeId self, SharedConfig config, Mediator& mediator, RandomSource& random);
    ~Overlay();
    /// Schedules the first timers; call once.
    std::vector<Output> start(Instant now);
    std::vector<Output> handle(const Input& input, Instant now);
    /// The same; what is to be done comes after what `outputs` holds already.
    void handle(const Input& input, Instant now, std::vector<Output>& outputs);
    const Neighbors& neighbors() const;
    /// Which neighbour is the way to `observer`, if one is.
    std::optional<NeighborId> parent(const NodeId& observer) const;
    /// Receipts held on their way to observers, our own among them.
    std::size_t receiptsHeld() const;
    /// What an observer that wants sums was told in them, with our own device; nobody has verified it.
    std::optional<Hints> hints(Instant now) const;
    /// At an observer: devices that want to join and wait at other agents, in the order of their keys.
    std::vector<Waiting> waiting(Instant now) const;
    /// Petitions held on their way to observers, and at one.
    std::size_t petitionsHeld() const;
    /// For who runs thousands of these: brings what most inputs look at into the processor's cache, and a
    /// little later what `message` will (prefetch.h).
    void prefetch() const;
    void prefetchFor(ByteView message) const;

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace starling::overlay
