// SPDX-License-Identifier: Apache-2.0
/// What neighbours say to each other. Every message starts with a version and a kind and may end with bytes
/// that a later version added: those are ignored. Integers are big-endian.
///
///     0        1        2
///     +--------+--------+----------------
///     | version|  kind  | fields by kind
///     +--------+--------+----------------
///
///     1 Notice     length u32 | notice | beside u8, if 1
///     2 Digest     hash[32]
///     3 Summary    from KEY | bounded u8 | to KEY, if bounded is 1 | count u32 | count × HEAD
///     4 Request    count u32 | count × KEY
///     5 More       remaining u32
///     6 Have       info-hash[32] | complete u8 | length u16 | descriptor
///     7 StopHave   info-hash[32]
///     8 WhoHas     info-hash[32]
///     9 Providers  info-hash[32] | count u8 | count × (complete u8 | age u16 | length u16 | descriptor)
///    10 IHave      count u16 | count × (KEY | tag[16])
///    11 Graft      count u16 | count × KEY | once u8, if 1
///    12 Prune
///    30 Standing   root number u64 | hash[32]
///    31 AskRoots   from u64
///    32 Roots      count u16 | count × (length u32 | notice)
///    33 Ranges     bounded u8 | to KEY, if bounded is 1 | count u8 | count × (from KEY | hash[16])
///    40 to 44     collection_message.h
///    50, 51       petition_message.h
///
///     KEY   kind u8 | length u8 | name
///     HEAD  KEY | rank major u64 | rank minor u64 | notice id[32]
#pragma once

#include "overlay/collection_message.h"
#include "overlay/overlay.h"
#include "overlay/petition_message.h"

#include <array>

namespace starling::overlay {

constexpr std::uint8_t kMessageVersion = 1;
constexpr std::size_t kMaxMessageBytes = 1024 * 1024; ///< as link's
constexpr std::size_t kMaxNameBytes = ResourceUri::kMaxBytes; ///< the longest name of a key is a resource URI
constexpr std::size_t kMaxHeads = 8'192; ///< per Summary; guess: eight times the releases of a board
constexpr std::size_t kMaxKeys =
    4'096; ///< per Request: 4,096 of the longest keys are 808 KiB, below a message
constexpr std::size_t kMaxItems = 256; ///< per IHave and Graft; guess: 256 of the longest are 55 KiB
constexpr std::size_t kMaxDescriptorBytes = 1'024; ///< of a contact, without its certificate
/// Provider::descriptor: board::Parcel of a descriptor and a certificate of at most 1 KiB each.
constexpr std::size_t kMaxProviderBytes = 8 + 2 * 1'024;
constexpr std::size_t kMaxProviders = 32; ///< architecture.md, "The way of an update", 4

constexpr std::size_t kMaxParts = 16; ///< per Ranges: 3.5 KiB of the longest keys
constexpr std::size_t kMaxRoots = 1'024; ///< per Roots; trust.md: a chain of 1,024 can be walked

/// A signed document, opaque here.
struct NoticeMessage
{
    ByteView bytes; ///< not owned: into the message that was parsed
    bool isBeside = false; ///< on its way here it took a step that is none of the tree's (broadcast.h)
};

/// "My board is this": to be answered by Summary if it differs from the receiver's.
struct DigestMessage
{
    Digest hash; ///< digestOf() its heads
    bool operator==(const DigestMessage&) const = default;
};

/// All heads of the sender whose keys are in [from, to): what is not among them, the sender lacks.
struct SummaryMessage
{
    NoticeKey from;
    std::optional<NoticeKey> to; ///< to the end if there is none
    std::vector<Head> heads; ///< strictly ascending by key, at most kMaxHeads
    bool operator==(const SummaryMessage&) const = default;
};

/// "Send me these". Without a key: "go on", the answer to More.
struct RequestMessage
{
    std::vector<NoticeKey> keys; ///< strictly ascending, at most kMaxKeys
    bool operator==(const RequestMessage&) const = default;
};

/// "I have sent a batch and wait for your word before I send what remains": keeps a catch-up within the
/// link's queue.
struct MoreMessage
{
    std::uint32_t remaining = 0;
    bool operator==(const MoreMessage&) const = default;
};

/// "I hold pieces of this payload"; only ever in one's own name.
struct HaveMessage
{
    InfoHash payload;
    bool isComplete = false;
    Bytes descriptor;
    bool operator==(const HaveMessage&) const = default;
};

struct StopHaveMessage
{
    InfoHash payload;
    bool operator==(const StopHaveMessage&) const = default;
};

struct WhoHasMessage
{
    InfoHash payload;
    bool operator==(const WhoHasMessage&) const = default;
};

/// What the sender knows of who holds a payload, itself included.
struct ProvidersMessage
{
    struct Told
    {
        bool isComplete = false;
        std::uint16_t ageSeconds =
            0; ///< since the provider itself said so: hearsay must not keep itself alive
        Bytes descriptor;
        bool operator==(const Told&) const = default;
    };
    InfoHash payload;
    std::vector<Told> providers; ///< at most kMaxProviders
    bool operator==(const ProvidersMessage&) const = default;
};

/// The first 16 bytes of the SHA-256 of a notice, signatures and all: which notice IHave speaks of.
using NoticeTag = std::array<std::byte, 16>;
NoticeTag tagOf(ByteView notice);

/// "I have these; say so if nobody sends them to you."
struct IHaveMessage
{
    struct Item
    {
        NoticeKey key;
        NoticeTag tag{};
        bool operator==(const Item&) const = default;
    };
    std::vector<Item> items; ///< at most kMaxItems
    bool operator==(const IHaveMessage&) const = default;
};

/// "Send me these, and push to me from now on", or send them this once.
struct GraftMessage
{
    std::vector<NoticeKey> keys; ///< at most kMaxItems
    bool isOnce = false;
    bool operator==(const GraftMessage&) const = default;
};

/// "Others are quicker: only tell me from now on."
struct PruneMessage
{
    bool operator==(const PruneMessage&) const = default;
};

/// "This is the newest root that I hold, and this what I hold of the urgent part of the board."
struct StandingMessage
{
    std::uint64_t root = 0;
    Digest urgent; ///< digestOf() the heads in Mediator::urgentRange()
    bool operator==(const StandingMessage&) const = default;
};

/// "Send me the roots from this number on."
struct AskRootsMessage
{
    std::uint64_t from = 0;
    bool operator==(const AskRootsMessage&) const = default;
};

/// Roots one after the other, as many as fit a message: the answer to AskRoots. None: there is none of that
/// number.
struct RootsMessage
{
    std::vector<ByteView> notices; ///< not owned: into the message that was parsed; at most kMaxRoots
};

/// The first 16 bytes of the SHA-256 over heads.
using RangeHash = std::array<std::byte, 16>;

/// "My heads in this range, in parts": each part goes up to the next one's `from`. To be answered for the
/// parts that differ, by Summary or by Ranges within them.
struct RangesMessage
{
    struct Part
    {
        NoticeKey from; ///< of the first part: the range's
        RangeHash hash{};
        bool operator==(const Part&) const = default;
    };
    std::optional<NoticeKey> to; ///< of the range; to the end if there is none
    std::vector<Part> parts; ///< strictly ascending, 1 to kMaxParts
    bool operator==(const RangesMessage&) const = default;
};

using Message =
    std::variant<NoticeMessage, DigestMessage, SummaryMessage, RequestMessage, MoreMessage, HaveMessage,
                 StopHaveMessage, WhoHasMessage, ProvidersMessage, IHaveMessage, GraftMessage, PruneMessage,
                 StandingMessage, AskRootsMessage, RootsMessage, RangesMessage, PulseMessage, ReceiptsMessage,
                 AcceptedMessage, DeliveredMessage, SumsMessage, PetitionMessage, GrantMessage>;

/// The limits above must hold: a broken invariant otherwise.
Bytes serialize(const Message& message);
/// Whether `message` is one by which notices spread along the tree (broadcast.h); it need not be valid.
bool concernsTree(ByteView message);
/// Fails with UnsupportedFormat (another version, an unknown kind), Truncated, TooLarge, NotCanonical (keys
/// out of order) or Malformed.
Result<Message> parse(ByteView bytes);

/// Bytes that `key` and `head` take in a message.
std::size_t encodedSize(const NoticeKey& key);
std::size_t encodedSize(const Head& head);
void write(ByteWriter& writer, const Head& head);

} // namespace starling::overlay
