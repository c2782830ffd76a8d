// SPDX-License-Identifier: Apache-2.0
/// Another key in place of one: announced beside it (rotate), the old one dropped once devices know the new
/// one (retire), or dropped at once (revoke); each is the change of one root. And what that means for the
/// fleet, before anybody signs it.
#pragma once

#include "admin/audit_log.h"
#include "admin/root_change.h"
#include "release/signing_request.h"

namespace starling::console {

/// Numbers of the roots of `trust`, from the first to the newest, that name `key` in any role.
std::set<std::uint64_t> rootsNaming(const trust::TrustSet& trust, const KeyId& key);

/// Devices by the root that their newest receipts name.
struct Holders
{
    std::size_t devices = 0; ///< that are known
    std::size_t trusting = 0; ///< whose root is one of some set
    bool operator==(const Holders&) const = default;
};
Holders holdersOf(const std::vector<std::uint64_t>& rootsOfDevices, const std::set<std::uint64_t>& roots);

struct KeyImpact
{
    std::vector<std::string> roles; ///< of the newest root that the key is in
    std::vector<std::string> blocked; ///< of these: too few keys would be left for the threshold
    Holders holders; ///< devices whose root names the key
    /// The same for the newest root: where the key has a successor, these know it.
    Holders newest;
    std::vector<std::string> releases; ///< that this user signed with it, by the audit log; newest first
    bool operator==(const KeyImpact&) const = default;
};
KeyImpact impactOf(const trust::TrustSet& trust, const KeyId& key,
                   const std::vector<std::uint64_t>& rootsOfDevices, const AuditTrail& trail);
/// In sentences, one a line.
std::vector<std::string> textOf(const KeyImpact& impact);

/// `to` joins every role that `key` is in. NotFound if it is in none, Usage if `to` is in one of them.
Result<RootChange> rotation(const trust::RootDocument& root, const KeyId& key, const KeyId& to);
enum class Epochs : std::uint8_t {
    Keep, ///< what others signed goes on
    Raise, ///< versions of its scopes begin anew: it may have signed a high one
};
/// `key` leaves every role, and `to`, if there is one, takes its place. As rotation() fails.
Result<RootChange> removal(const trust::RootDocument& root, const KeyId& key, const std::optional<KeyId>& to,
                           Epochs epochs);

/// The request to sign the root that `change` makes, in the fleet's `directory` as root-N.request, where
/// those who sign find it. As changedRoot() and writeRequest() fail.
struct Drafted
{
    std::uint64_t number = 0;
    std::filesystem::path file;
    release::SigningRequest request;
};
Result<Drafted> draftRoot(const trust::TrustSet& trust, const RootChange& change,
                          const std::filesystem::path& directory);

/// The key that `text` names among those of `root`: its id, at least eight digits of it, or a key file. Usage
/// if none or several are meant.
Result<KeyId> keyNamed(const trust::RootDocument& root, const std::string& text);

} // namespace starling::console
