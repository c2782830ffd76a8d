// SPDX-License-Identifier: Apache-2.0
/// The root document: who may do what in a fleet (trust.md, kind `root`).
#pragma once

#include "base/uri.h"
#include "trust/envelope.h"

#include <set>

namespace starling::trust {

/// n keys of which `threshold` must sign.
struct Role
{
    std::set<KeyId> keys; ///< 1 to 16
    std::uint32_t threshold = 1; ///< 1 to keys.size()
    bool operator==(const Role&) const = default;
};

/// A role over all resource URIs below `prefix`.
struct Scope
{
    ResourceUri prefix;
    Role role;
    std::uint64_t epoch = 0; ///< raised to recover from a stolen key that signed a huge version
    bool operator==(const Scope&) const = default;
};

/// The payload of a root. Roles share no key with `root`; scopes are sorted by prefix and unique.
struct RootDocument
{
    std::uint64_t number = 1;
    Digest previous; ///< payload hash of root number - 1; zero in the first
    std::optional<std::uint64_t> created; ///< seconds since 1970, if the maker gave one
    std::optional<std::uint64_t> expires; ///< advisory: warns, never locks out
    Role root;
    Role admit;
    std::optional<Role> beacon;
    std::optional<Role> observe;
    std::vector<Scope> scopes;
    std::uint64_t admitEpoch = 0;

    Bytes serialize() const;
    /// Fails with InvalidRoot (number 0, threshold 0 or above n, more than 16 keys, unsorted or duplicate
    /// keys, a root key in another role, unsorted or duplicate scopes, `previous` zero or out of place, an
    /// admit threshold above the 3 signatures that a certificate can carry), besides the decoder's codes.
    static Result<RootDocument> parse(ByteView payload);
    /// The longest prefix that covers `uri`, terminating (a shorter one is never asked); nullptr if none
    /// does.
    const Scope* scopeFor(const ResourceUri& uri) const;
    bool operator==(const RootDocument&) const = default;
};

constexpr std::size_t kMaxRootBytes = 64 * 1024; ///< trust.md; of payload and envelope alike
constexpr std::size_t kMaxRootChain = 1024; ///< trust.md; roots after the anchor

} // namespace starling::trust
