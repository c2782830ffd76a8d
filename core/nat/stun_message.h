// SPDX-License-Identifier: Apache-2.0
/// STUN messages of the Binding method (RFC 8489), with the attributes of behaviour discovery (RFC 5780).
/// Pure; without credentials. Integers are big-endian:
///
///     0                     16                    31
///     00 | class and method | length after header |      length: a multiple of 4
///     magic cookie 0x2112A442                     |
///     transaction id (96 bits)                    |
///     attributes: type (16), length (16), value, zeros up to a multiple of 4
///
/// The first two bits are 0, which links' datagrams (0x82, link/packet.h) never have; uTP's first bytes
/// (0x01 … 0x41) and DHT's ('d') differ by the cookie. FINGERPRINT tells by CRC-32 in case of doubt.
#pragma once

#include "base/endpoint.h"

#include <array>
#include <compare>
#include <optional>
#include <vector>

namespace starling::nat {

/// 96 random bits: an answer to what was never asked carries another.
using TransactionId = std::array<std::byte, 12>;

enum class StunClass : std::uint8_t { Request = 0, Indication = 1, Success = 2, Error = 3 };

/// By what an answer shall come (RFC 5780 section 7.2).
struct ChangeRequest
{
    bool address = false; ///< from the server's other address
    bool port = false; ///< from its other port
    bool operator==(const ChangeRequest&) const = default;
};

/// ERROR-CODE (RFC 8489 section 14.8).
struct StunError
{
    std::uint16_t code = 0; ///< 300 to 699
    std::string reason; ///< UTF-8 for people, as it came
    bool operator==(const StunError&) const = default;
};

constexpr std::uint16_t kStunBadRequest = 400; ///< RFC 8489 section 14.8
constexpr std::uint16_t kStunUnknownAttribute = 420;

constexpr std::size_t kStunHeaderBytes = 20;
constexpr std::size_t kMaxStunBytes = 2'048; ///< guess: PADDING of an Ethernet frame (1,500) and the rest
constexpr std::size_t kMaxStunPadding = 1'500; ///< RFC 5780 section 7.6: the MTU of the interface
constexpr std::size_t kMaxStunAttributes = 64; ///< guess: RFC 8489 and 5780 define 26
constexpr std::size_t kMaxStunText = 763; ///< RFC 8489 sections 14.8, 14.14: SOFTWARE, reason phrase

/// What this end understands of a message; an attribute that is empty is not there. Of attributes that come
/// twice the first counts (RFC 8489 section 14).
struct StunMessage
{
    StunClass kind = StunClass::Request;
    TransactionId id{};
    std::optional<Endpoint> mapped; ///< MAPPED-ADDRESS: what servers before RFC 5389 say
    std::optional<Endpoint> xorMapped; ///< XOR-MAPPED-ADDRESS
    std::optional<Endpoint> responseOrigin; ///< RESPONSE-ORIGIN: where the answer was sent from
    std::optional<Endpoint> other; ///< OTHER-ADDRESS: the server's other address and port
    std::optional<ChangeRequest> change; ///< CHANGE-REQUEST
    std::optional<std::uint16_t> responsePort; ///< RESPONSE-PORT: answer to this port of the sender's address
    std::optional<std::uint16_t> padding; ///< PADDING: bytes of it
    std::optional<std::string> software; ///< SOFTWARE
    std::optional<StunError> error; ///< ERROR-CODE
    std::vector<std::uint16_t> unknown; ///< UNKNOWN-ATTRIBUTES: what the server did not understand
    bool hasFingerprint = false;
    /// Comprehension-required attributes of the message that were not understood, credentials among them; in
    /// the order that they came, each once. Never written.
    std::vector<std::uint16_t> notUnderstood;

    bool operator==(const StunMessage&) const = default;
};

/// Whether a datagram claims to be STUN: what shares a socket is told apart by this, before it is parsed.
bool looksLikeStun(ByteView datagram);

/// Fails with Truncated, TooLarge (over a limit above), UnsupportedFormat (not STUN, or another method), or
/// Malformed (an attribute breaks its own rules, or FINGERPRINT is wrong or not the last).
Result<StunMessage> parseStun(ByteView datagram);
/// Text and padding must be within the limits above. Addresses of IPv4 are written as such.
Bytes serialize(const StunMessage& message);

} // namespace starling::nat
