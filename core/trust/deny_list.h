// SPDX-License-Identifier: Apache-2.0
/// The payload of a deny list (trust.md, kind `deny`): devices that are admitted no longer. Any one key of
/// the admit role signs it. Within an admit epoch a device is denied if any valid list names it: there is no
/// list that un-denies. A root that raises the admit epoch ends all lists, and all certificates with them.
#pragma once

#include "trust/envelope.h"

#include <set>

namespace starling::trust {

struct DenyList
{
    /// 32 bytes each: 60,800 of the 64 KiB that an envelope may have. Whoever has more to deny signs another
    /// list, and raises the admit epoch when those are used up (release::Denials).
    static constexpr std::size_t kMaxNodes = 1'900;

    std::set<NodeId> nodes; ///< 1 to kMaxNodes
    std::uint64_t admitEpoch = 0;

    Bytes serialize() const;
    /// Fails with the decoder's codes, UnsupportedFormat, TooLarge, NotCanonical (ids not strictly ascending)
    /// or Malformed (nobody is denied, or a part of an id).
    static Result<DenyList> parse(ByteView payload);
    bool operator==(const DenyList&) const = default;
};

} // namespace starling::trust
