// SPDX-License-Identifier: Apache-2.0
/// Identities that cannot be mixed up: each is 32 bytes with a type of its own.
#pragma once

#include "base/bytes.h"

#include <algorithm>
#include <array>
#include <compare>

namespace starling {

/// 32 bytes that identify one kind of thing, named by `Tag`. Compared bytewise.
template <class Tag> class Id
{
public:
    static constexpr std::size_t kSize = 32;

    constexpr Id() = default;
    explicit constexpr Id(const std::array<std::byte, kSize>& bytes)
        : m_bytes(bytes)
    {
    }

    /// Fails with Malformed unless `bytes` are exactly 32.
    static Result<Id> fromBytes(ByteView bytes)
    {
        if (bytes.size() != kSize)
            return fail(Errc::Malformed, "an id has 32 bytes, not " + std::to_string(bytes.size()));
        Id id;
        std::copy(bytes.begin(), bytes.end(), id.m_bytes.begin());
        return id;
    }

    /// Fails with Malformed unless `hex` is 64 hexadecimal digits.
    static Result<Id> fromHex(std::string_view hex)
    {
        auto bytes = starling::fromHex(hex);
        if (!bytes)
            return fail(std::move(bytes.error()), "id");
        return fromBytes(*bytes);
    }

    ByteView bytes() const { return m_bytes; }
    std::string hex() const { return toHex(m_bytes); }
    /// The first 8 hexadecimal digits: for people, never for comparison.
    std::string shortHex() const { return hex().substr(0, 8); }
    bool isZero() const { return *this == Id(); }

    auto operator<=>(const Id&) const = default;

private:
    std::array<std::byte, kSize> m_bytes{};
};

using NodeId = Id<struct NodeIdTag>; ///< a device: its Ed25519 public key
using KeyId = Id<struct KeyIdTag>; ///< a signing key: its Ed25519 public key
using FleetId = Id<struct FleetIdTag>; ///< SHA-256 of the first root document's payload
using Digest = Id<struct DigestTag>; ///< a SHA-256
using NoticeId = Id<struct NoticeIdTag>; ///< SHA-256 of a notice's payload, signatures apart
using InfoHash = Id<struct InfoHashTag>; ///< BitTorrent v2 info-hash (BEP 52): SHA-256 of `info`
using LinkKey = Id<struct LinkKeyTag>; ///< a device on its links: its X25519 public key

} // namespace starling
