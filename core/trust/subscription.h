// SPDX-License-Identifier: Apache-2.0
/// What entitles a node to collect receipts, and how it keeps the way to itself known (trust.md, "Kinds").
/// As documents.h: values with a serialize/parse pair each, verified by TrustSet.
#pragma once

#include "trust/documents.h"

namespace starling::trust {

/// Receipts of devices go to `observer` (kind `subscription`), signed by the root's observe role.
struct Subscription
{
    NodeId observer;
    std::optional<ResourceUri> scope; ///< receipts that tell of a URI below it; all if there is none
    std::uint64_t sequence = 0; ///< of those for this observer the highest counts; 0 is none
    std::uint64_t expires = 0; ///< seconds since 1970: from then on receipts go there no longer
    /// An observer that holds receipts of more devices than this is told in sums; 0: never. Its agent may
    /// say otherwise (node/config.h).
    std::uint64_t aggregateAbove = 0;

    Bytes serialize() const;
    static Result<Subscription> parse(ByteView payload);
    bool operator==(const Subscription&) const = default;
};

/// Which receipts an observer that is told in sums wants all the same. What is not named matters not; what
/// is, one entry of the receipt must have, all of it.
struct ReceiptAsk
{
    static constexpr std::uint32_t kMaxLimit = 1'024; ///< guess: what somebody looks through; 640 KiB

    std::uint64_t number = 0; ///< the highest counts; the same in every pulse that repeats the question
    std::uint32_t limit = 0; ///< 1 to kMaxLimit: receipts that any node passes on in answer
    std::optional<ResourceUri> uri = {};
    std::optional<Revision> revision = {};
    std::optional<Phase> phase = {};
    std::optional<std::string> site = {}; ///< the label `site`; "": of devices without one
    std::optional<NodeId> device = {}; ///< who answers even if it has been heard

    bool operator==(const ReceiptAsk&) const = default;
};

/// "I am here" (kind `pulse`), signed by the observer's own key and repeated: the neighbour that brings the
/// newest one first is the way back to it.
struct Pulse
{
    NodeId observer;
    std::uint64_t number = 0; ///< the highest counts
    bool wantsSums = false; ///< devices are to be added up on the way, and to answer for themselves if asked
    std::optional<ReceiptAsk> ask = {};

    Bytes serialize() const;
    static Result<Pulse> parse(ByteView payload);
    bool operator==(const Pulse&) const = default;
};

} // namespace starling::trust
