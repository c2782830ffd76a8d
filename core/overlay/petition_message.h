// SPDX-License-Identifier: Apache-2.0
/// The messages by which devices that want to join reach whoever admits them (petitions.h); part of
/// message.h.
///
///    50 Petition   observer[32] | gate[32] | length u32 | request
///    51 Grant      observer[32] | device[32] | length u32 | certificate
///
/// With an observer of zeros they are between neighbours alone: a device that wants a new certificate
/// (renewals.h).
#pragma once

#include "overlay/petition.h"

namespace starling::overlay {

/// "This device waits at that gate: pass it on to the observer." To a parent.
struct PetitionMessage
{
    static constexpr std::uint8_t kKind = 50;
    NodeId observer;
    NodeId gate;
    Bytes request; ///< signed by the device, opaque; 1 to kMaxPetitionBytes
    bool operator==(const PetitionMessage&) const = default;
};

/// "The device is admitted: pass this on to where its petition came from."
struct GrantMessage
{
    static constexpr std::uint8_t kKind = 51;
    NodeId observer;
    NodeId device;
    Bytes certificate; ///< signed, opaque; 1 to kMaxGrantBytes
    bool operator==(const GrantMessage&) const = default;
};

/// Only what follows version and kind.
void write(ByteWriter& writer, const PetitionMessage& message);
void write(ByteWriter& writer, const GrantMessage& message);
/// They fail with Truncated, which a document above its limit is, too, or with Malformed if there is none.
Result<PetitionMessage> readPetition(ByteReader& reader);
Result<GrantMessage> readGrant(ByteReader& reader);

} // namespace starling::overlay
