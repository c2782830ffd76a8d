// SPDX-License-Identifier: Apache-2.0
/// What a device has signed, on its way, with the certificate that it takes to verify it: nobody on the way
/// needs to know the device. Pure.
///
///     length u32 | certificate's envelope | length u32 | document's envelope
#pragma once

#include "release/denials.h"
#include "trust/trust_set.h"

namespace starling::board {

constexpr std::size_t kMaxParcelBytes = 64 * 1024; ///< overlay::kMaxReceiptBytes

/// Nothing is verified yet.
struct Parcel
{
    Bytes certificate, document; ///< envelopes

    Bytes serialize() const;
    /// Strict: TooLarge, Truncated or, with trailing bytes, Malformed.
    static Result<Parcel> parse(ByteView bytes);
    bool operator==(const Parcel&) const = default;
};

/// Who may speak: a certificate by the newest root, of a device that is not denied.
struct Admission
{
    const trust::TrustSet& trust;
    const release::Denials& denials;
};

/// What the parcel of a receipt says.
struct DeviceReceipt
{
    trust::Certificate certificate;
    trust::Receipt receipt;
};

/// What the parcel of a descriptor says.
struct DeviceDescriptor
{
    trust::Certificate certificate;
    trust::Descriptor descriptor;
};

/// parse()'s codes, those of verifyAdmit and verifyReceipt, and Denied.
Result<DeviceReceipt> verifyReceipt(ByteView parcel, const Admission& admission);
/// Of bytes that verifyReceipt() has taken by the very root that stands: signatures are not verified again,
/// denials are looked up. parse()'s codes and Denied.
Result<DeviceReceipt> recallReceipt(ByteView parcel, const release::Denials& denials);
/// The same for a descriptor.
Result<DeviceDescriptor> verifyDevice(ByteView parcel, const Admission& admission);
Result<DeviceDescriptor> verifyDevice(const Parcel& parcel, const Admission& admission);
Result<trust::Descriptor> verifyDescriptor(ByteView parcel, const Admission& admission);
Result<trust::Descriptor> verifyDescriptor(const Parcel& parcel, const Admission& admission);

/// Whether a subscription to `scope` (everything, if there is none) covers anything that `receipt` tells. A
/// device that has nothing to tell yet is everybody's.
bool isCovered(const trust::Receipt& receipt, const std::optional<ResourceUri>& scope);

} // namespace starling::board
