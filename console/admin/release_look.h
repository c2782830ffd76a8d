// SPDX-License-Identifier: Apache-2.0
/// What a torrent-file++ is, who signed it, and whether devices of a fleet let it pass, for somebody who was
/// given the file. Reads it, and asks nobody.
#pragma once

#include "admin/signing.h"

namespace starling::console {

/// A signature under a release, and what it is worth in a fleet.
struct SignatureLook
{
    enum class Worth : std::uint8_t {
        Counts, ///< of a key of the scope, and valid
        Invalid, ///< of a key of the scope, over something else
        OtherRole, ///< of a key of the fleet that does not sign for this scope
        Unknown, ///< of no key of the fleet
    };
    KeyId key;
    Worth worth = Worth::Unknown;
    bool operator==(const SignatureLook&) const = default;
};

struct ReleaseLook
{
    release::TorrentFile torrent;
    std::string manifest; ///< of manifestOf(): text of others is not made harmless
    std::vector<SignatureLook> signatures; ///< without a fleet all are unknown
    std::vector<RoleCount> counts; ///< of the scope that covers it; empty if none does, or without a fleet
    std::optional<Error> refusal; ///< why devices refuse it; none if its signatures hold, or without a fleet
};

/// Judged by the newest root of `trust`; by nothing if that is null. As readRelease() fails.
Result<ReleaseLook> lookAtRelease(const std::filesystem::path& file, const trust::TrustSet* trust);

} // namespace starling::console
