// SPDX-License-Identifier: Apache-2.0
/// Signing by several people, each with a key of their own, by files that go from one to the other: a signing
/// request is written, shown, signed and merged. No network is asked.
#pragma once

#include "release/signing_request.h"

#include <filesystem>

namespace starling::console {

/// How many signatures of a role there are, valid ones by its keys alone.
struct RoleCount
{
    std::string role; ///< "scope:fw"; of a root: "root", once for the held root's and once for the new one's
    std::size_t held = 0, needed = 1;
    std::vector<KeyId> missing; ///< that may still sign; empty once there are enough
    bool isEnough() const { return held >= needed; }
    bool operator==(const RoleCount&) const = default;
};

/// Of a release one, of a root two. WrongFleet if `trust` is of another fleet, WrongScope if no scope covers
/// the release, RootGap or InvalidRoot if the root does not follow the newest of `trust`.
Result<std::vector<RoleCount>> countSignatures(const release::SigningRequest& request,
                                               const trust::TrustSet& trust);
bool isEnough(const std::vector<RoleCount>& counts);
/// "1 of 2 signatures of scope:fw, missing: one of 4f1c0d22, 9a81c2d0".
std::string textOf(const RoleCount& count);

/// The same of all, each line once: of a root, both roles often say the same.
std::vector<std::string> textOf(const std::vector<RoleCount>& counts);
/// What is signed, for a title and the audit log: "fw/gateway 2", or "root 2 of 4f1c…".
std::string subjectOf(const release::SigningRequest& request);

/// What a signature covers, in words: a release's manifest, or what a root changes and then all that it says.
/// Text of others is not made harmless here. As countSignatures() fails.
Result<std::string> contentOf(const release::SigningRequest& request, const trust::TrustSet& trust);

/// Adds the signature of `key`. WrongScope, and nothing is added, if it is not asked; as countSignatures()
/// fails.
Status sign(release::SigningRequest& request, const trust::TrustSet& trust, const crypto::SecretKey& key);

/// Takes the signatures of `from` that `into` lacks: how many. PayloadMismatch if they are about something
/// else, BadSignature if one of those that count does not verify, and nothing is taken then; others are left
/// out.
Result<std::size_t> merge(release::SigningRequest& into, const release::SigningRequest& from,
                          const trust::TrustSet& trust);

/// KeyUnreadable does not occur here: NotFound, Io, TooLarge, and the codes of SigningRequest::parse().
Result<release::SigningRequest> readRequest(const std::filesystem::path& file);
/// Of a torrent-file++, of a root's envelope or of a request: by what is in it. As the parsers fail.
Result<release::SigningRequest> requestFor(const std::filesystem::path& file, const trust::TrustSet& trust);
/// Replaces what is there only if that is a request about the same: AlreadyExists.
Status writeRequest(const std::filesystem::path& file, const release::SigningRequest& request);
/// Merges the signatures of `from` into the torrent-file++, the root's envelope or the request that is in
/// `file`, and writes it: what it then is about. As merge() fails, and requestFor().
Result<release::SigningRequest> mergeInto(const std::filesystem::path& file,
                                          const release::SigningRequest& from, const trust::TrustSet& trust);

} // namespace starling::console
