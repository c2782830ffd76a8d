// SPDX-License-Identifier: Apache-2.0
/// What the overlay must know about notices, descriptors and receipts, which are opaque to it: it asks its
/// owner.
#pragma once

#include "base/endpoint.h"
#include "base/ids.h"
#include "overlay/receipts.h"

#include <optional>
#include <string>
#include <vector>

namespace starling::overlay {

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
    bool contains(const NoticeKey& key) const { return !(key < from) && (!to || key < *to); }
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
    /// Whether `descriptor` (opaque, signed, with all that it takes to verify it) is valid; its owner and
    /// sequence if so.
    struct DescriptorInfo
    {
        NodeId node;
        std::uint64_t sequence = 0;
        std::vector<Endpoint> endpoints = {}; ///< where its links are, best first
    };
    virtual Result<DescriptorInfo> examineDescriptor(ByteView descriptor) const = 0;
    /// The same of a membership contact, whose certificate comes beside it.
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
    /// Whether a neighbour whose certificate is over may bring `notice`: a root, or what is in urgentRange().
    virtual bool isForRestricted(ByteView /*notice*/) const { return false; }
    /// A refusal with `error` is taken back: the notice is examined again when newer roots are here.
    virtual void excuse(const Error& /*error*/) { }

    // Petitions (petitions.h). Those who pass none on leave these as they are.
    /// Whether `request` (opaque, signed) is a device's own, for this fleet: whose. Denied if it may not
    /// join.
    virtual Result<NodeId> examineRequest(ByteView) const { return fail(Errc::NotAdmitted, "request"); }
    /// Whether `certificate` (opaque, signed) admits a device now: which. Denied if it was taken out since.
    virtual Result<NodeId> examineGrant(ByteView) const { return fail(Errc::NotAdmitted, "grant"); }

    // Receipts (collection.h). Those who pass none on leave these as they are.
    /// Whether `pulse` (opaque, signed) is of an observer whose subscription is held: NotAdmitted otherwise.
    virtual Result<PulseInfo> examinePulse(ByteView) const { return fail(Errc::NotAdmitted, "pulse"); }
    /// Whether `receipt` (opaque, signed, with all that it takes to verify it) is valid; whose it is, if so.
    virtual Result<ReceiptInfo> examineReceipt(ByteView) const { return fail(Errc::NotAdmitted, "receipt"); }
    /// Whether the subscription of `observer` is held and not over.
    virtual bool isObserver(const NodeId&) const { return false; }
    /// Whether `observer` is to have `receipt`, a valid one.
    virtual bool isWantedBy(const NodeId& /*observer*/, ByteView /*receipt*/) const { return true; }
    /// What of `receipt` `observer` may know, for sums; nothing if it is invalid, or not wanted at all.
    virtual std::optional<std::vector<TallyKey>> tallyOf(const NodeId& /*observer*/,
                                                         ByteView /*receipt*/) const
    {
        return std::nullopt;
    }
};

} // namespace starling::overlay
