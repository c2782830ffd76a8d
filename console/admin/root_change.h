// SPDX-License-Identifier: Apache-2.0
/// The root that follows another: what is changed, which document comes of it, and that in words.
#pragma once

#include "admin/keys.h"

#include <map>

namespace starling::console {

/// "root", "admit", "beacon", "observe" or "scope:PREFIX".
struct RoleKey
{
    std::string role;
    KeyId key;
    bool operator==(const RoleKey&) const = default;
};

struct RootChange
{
    std::vector<RoleKey> added, dropped; ///< added first
    std::map<std::string, std::uint32_t> thresholds; ///< by role
    std::vector<std::string> raisedScopes; ///< prefixes: versions begin anew
    bool raisesAdmitEpoch = false; ///< ends all certificates and deny lists
};

/// The role of that name in `root`; "observe" is made if the root has none. Usage.
Result<trust::Role*> roleNamed(trust::RootDocument& root, const std::string& name);
/// The names of all roles that `root` has and that `key` is in.
std::vector<std::string> rolesOf(const trust::RootDocument& root, const KeyId& key);

/// The document after the newest of `trust`. Usage if a key that is added is there, or one that is dropped is
/// not, or a scope is not; InvalidRoot if the rules of roots do not allow the outcome (too few keys for a
/// threshold, say).
Result<trust::RootDocument> changedRoot(const trust::TrustSet& trust, const RootChange& change);

/// What `next` does differently, one fact a line: "fw: key 4f1c0d22 joins", …; empty if nothing.
std::vector<std::string> differencesOf(const trust::RootDocument& previous, const trust::RootDocument& next);
/// Every field of a root, one a line.
std::string manifestOf(const trust::RootDocument& root);

/// Where the roots of a fleet's directory are: root.envelope, root-2.envelope, …
std::filesystem::path rootFile(const std::filesystem::path& directory, std::uint64_t number);

} // namespace starling::console
