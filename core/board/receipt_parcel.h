// SPDX-License-Identifier: Apache-2.0
/// A receipt on its way to an observer, with the certificate that it takes to verify it: nobody on the way
/// needs to know the device. Pure.
///
///     length u32 | certificate's envelope | length u32 | receipt's envelope
#pragma once

#include "trust/trust_set.h"

namespace starling::board {

constexpr std::size_t kMaxParcelBytes = 64 * 1024; ///< overlay::kMaxReceiptBytes

/// Nothing is verified yet.
struct ReceiptParcel
{
    Bytes certificate, receipt; ///< envelopes

    Bytes serialize() const;
    /// Strict: TooLarge, Truncated or, with trailing bytes, Malformed.
    static Result<ReceiptParcel> parse(ByteView bytes);
    bool operator==(const ReceiptParcel&) const = default;
};

/// What a parcel that verified says.
struct ParcelContent
{
    trust::Certificate certificate;
    trust::Receipt receipt;
};

/// parse()'s codes, and those of verifyAdmit and verifyReceipt.
Result<ParcelContent> verifyParcel(ByteView bytes, const trust::TrustSet& trust);

/// Whether a subscription to `scope` (everything, if there is none) covers anything that `receipt` tells. A
/// device that has nothing to tell yet is everybody's.
bool isCovered(const trust::Receipt& receipt, const std::optional<ResourceUri>& scope);

} // namespace starling::board
