// SPDX-License-Identifier: Apache-2.0
/// The overlay: carries notices to every node and tells who holds which payload. A notice is opaque here;
/// whether it is valid and newer is the Mediator's word, asked before anything is forwarded. Pure: no socket,
/// no clock.
///
/// Notices spread along a tree that the overlay finds by itself (broadcast.h); comparing boards brings what
/// was missed. Who is a neighbour is membership.h's to say. Messages: message.h.
#pragma once

#include "base/endpoint.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "base/uri.h"
#include "overlay/receipts.h"

#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace starling::overlay {

/// Names a neighbour while its link is up (the same number as its link); never reused.
enum class NeighborId : std::uint64_t {};

/// Names a place on the board. Opaque here but for its order, in which boards are compared and sent.
struct NoticeKey
{
    std::uint8_t kind = 0;
    std::string name; ///< at most 200 bytes
    auto operator<=>(const NoticeKey&) const = default;
};

/// The keys from `from` on, up to and without `to`; to the end if there is none.
struct KeyRange
{
    NoticeKey from;
    std::optional<NoticeKey> to;
    bool operator==(const KeyRange&) const = default;
};

/// Orders notices of one key.
struct NoticeRank
{
    std::uint64_t major = 0, minor = 0;
    auto operator<=>(const NoticeRank&) const = default;
};

/// What a board holds at one place.
struct Head
{
    NoticeKey key;
    NoticeRank rank;
    NoticeId id;
    bool operator==(const Head&) const = default;
};

/// Answers of the owner to what the overlay must know.
class Mediator
{
public:
    enum class Verdict : std::uint8_t {
        Taken, ///< valid and newer: on the board now, to be forwarded
        Known, ///< held already, or harmlessly old
        Refused, ///< counted against the neighbour, never forwarded
    };
    struct Opinion
    {
        Verdict verdict = Verdict::Refused;
        Head head; ///< unless Refused
        std::optional<Error> error; ///< if Refused
    };
    virtual ~Mediator() = default;
    /// Verifies; takes it onto the board if it is valid and newer.
    virtual Opinion examine(ByteView notice) = 0;
    /// All that the board holds, in the order of the keys.
    virtual std::vector<Head> heads() const = 0;
    /// The notice at `key`, or empty.
    virtual Bytes notice(const NoticeKey& key) const = 0;
    /// Whether `descriptor` (opaque, signed) is valid; its owner and sequence if so.
    struct DescriptorInfo
    {
        NodeId node;
        std::uint64_t sequence = 0;
        std::vector<Endpoint> endpoints = {}; ///< where its links are, best first
    };
    virtual Result<DescriptorInfo> examineDescriptor(ByteView descriptor) const = 0;
    /// The same, of a device whose certificate may not have come yet otherwise than with it.
    virtual Result<DescriptorInfo> examineContact(ByteView descriptor, ByteView certificate) const
    {
        static_cast<void>(certificate);
        return examineDescriptor(descriptor);
    }

    // Roots (root_exchange.h). Those who hold none leave these as they are.
    /// The number of the newest root held.
    virtual std::uint64_t rootNumber() const { return 0; }
    /// The notice of root `number`; empty if it is not held.
    virtual Bytes root(std::uint64_t /*number*/) const { return {}; }
    /// The part of the board that neighbours compare before the rest.
    virtual KeyRange urgentRange() const { return {{}, NoticeKey()}; }
    /// A refusal with `error` is taken back: the notice is examined again when newer roots are here.
    virtual void excuse(const Error& /*error*/) { }

    // Receipts (collection.h). Those who pass none on leave these as they are.
    /// Whether `pulse` (opaque, signed) is of an observer whose subscription is held: NotAdmitted otherwise.
    virtual Result<PulseInfo> examinePulse(ByteView) const { return fail(Errc::NotAdmitted, "pulse"); }
    /// Whether `receipt` (opaque, signed, with all that it takes to verify it) is valid; whose it is, if so.
    virtual Result<ReceiptInfo> examineReceipt(ByteView) const { return fail(Errc::NotAdmitted, "receipt"); }
    /// Whether the subscription of `observer` is held and not over.
    virtual bool isObserver(const NodeId&) const { return false; }
    /// Whether `observer` is to have `receipt`, a valid one.
    virtual bool isWantedBy(const NodeId& /*observer*/, ByteView /*receipt*/) const { return true; }
};

/// Whoever holds pieces of a payload.
struct Provider
{
    NodeId node;
    Bytes descriptor; ///< signed by `node`, at most 1 KiB
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
using Input = std::variant<NeighborUp, NeighborDown, MessageReceived, TimerExpired, Publish, Provide,
                           StopProviding, FindProviders, StopFinding, Observe, Report, ReceiptKept>;

// Outputs
struct SendMessage
{
    NeighborId to{};
    Bytes bytes;
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
using Output =
    std::variant<SendMessage, NoticeTaken, NoticeRefused, ProviderFound, ScheduleTimer, ReceiptArrived>;

struct Config
{
    Duration antiEntropy = std::chrono::seconds(30); ///< guess: heals what link-up and eager push missed
    Duration tellDelay = std::chrono::milliseconds(100); ///< guess: some notices for one message
    /// Guess: above the differences between ways through the overlay, so that what is on its way is not asked
    /// for.
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
    std::size_t maxNeighbors = 128; ///< guess; membership wants 5
    std::size_t maxMessageBytes = 1024 * 1024; ///< as link's
    std::uint64_t refusalsBeforeMute =
        1'000; ///< guess: a neighbour with more refused notices is no longer listened to
};

struct NeighborStats
{
    NodeId node;
    std::uint64_t noticesIn = 0, noticesOut = 0, duplicates = 0, refused = 0;
};

class Overlay
{
public:
    Overlay(NodeId self, Config config, Mediator& mediator, RandomSource& random);
    ~Overlay();
    /// Schedules the first timers; call once.
    std::vector<Output> start(Instant now);
    std::vector<Output> handle(const Input& input, Instant now);
    const std::map<NeighborId, NeighborStats>& neighbors() const;
    /// Which neighbour is the way to `observer`, if one is.
    std::optional<NeighborId> parent(const NodeId& observer) const;
    /// Receipts held on their way to observers, our own among them.
    std::size_t receiptsHeld() const;

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace starling::overlay
