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
    /// A fleet with more devices than this is told in sums; 0: never. In a subscription so that it need not
    /// be made anew when devices learn to add up.
    std::uint64_t aggregateAbove = 0;

    Bytes serialize() const;
    static Result<Subscription> parse(ByteView payload);
    bool operator==(const Subscription&) const = default;
};

/// "I am here" (kind `pulse`), signed by the observer's own key and repeated: the neighbour that brings the
/// newest one first is the way back to it.
struct Pulse
{
    NodeId observer;
    std::uint64_t number = 0; ///< the highest counts

    Bytes serialize() const;
    static Result<Pulse> parse(ByteView payload);
    bool operator==(const Pulse&) const = default;
};

} // namespace starling::trust
