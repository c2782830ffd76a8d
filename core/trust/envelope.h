// SPDX-License-Identifier: Apache-2.0
/// The one signed message (trust.md, "One signed message, 96 bytes"):
///
///     TAG(kind)[32] ‖ FLEET[32] ‖ SHA-256(payload)[32]      TAG(kind) = "starling/1/" + kind, zero-padded
///
/// and the envelope in which every kind but a release travels, canonical bencoding:
///
///     d 4:kind <name> 7:payload <bytes> 10:signatures d <key, 64 hex digits> d 9:signature <64 bytes> e … e
///     e
#pragma once

#include "bencode/bencode.h"
#include "crypto/signing.h"

#include <map>

namespace starling::trust {

enum class Kind : std::uint8_t {
    Root = 1,
    Admit = 2,
    Release = 3,
    Receipt = 4,
    Descriptor = 5,
    Deny = 10,
    Withdraw = 11,
    Join = 12,
    Subscription = 20,
    Pulse = 21,
};
std::string_view kindName(Kind kind);
std::optional<Kind> kindNamed(std::string_view name);

/// Signatures by key, strictly ascending, as BEP 35 lays them out.
using Signatures = std::map<KeyId, crypto::Signature>;
constexpr std::size_t kMaxSignatures = 16; ///< trust.md
constexpr std::size_t kMaxCertificateSignatures = 3; ///< trust.md: a handshake fits its datagrams

std::array<std::byte, 96> signedMessage(Kind kind, const FleetId& fleet, const Digest& payloadHash);

bencode::Value encodeSignatures(const Signatures& signatures);
/// Unsigned if `value` is null or empty, Malformed, NotCanonical (upper-case hex) or TooLarge (over 16). Each
/// entry is `signature` alone: nothing unsigned may carry meaning.
Result<Signatures> decodeSignatures(const bencode::Value* value);

/// A payload with the signatures over it; nothing is verified yet.
struct Envelope
{
    Kind kind = Kind::Root;
    Bytes payload; ///< canonical bencoding
    Signatures signatures;

    Bytes serialize() const;
    /// Strict; the payload is itself decoded to see that it is a canonical dictionary. `limit` in bytes for
    /// the whole. Fails with the decoder's codes, UnsupportedFormat (unknown kind), Malformed (a release,
    /// which has a form of its own, or anything besides the three fields), or decodeSignatures' codes.
    static Result<Envelope> parse(ByteView bytes, std::size_t limit = 64 * 1024);
    Digest payloadHash() const;
    /// Adds (or replaces) `key`'s signature. The first root, whose hash names the fleet, is signed for the
    /// zero FleetId.
    void sign(const FleetId& fleet, const crypto::SecretKey& key);
};

} // namespace starling::trust
