// SPDX-License-Identifier: Apache-2.0
/// A device's request to be admitted (trust.md, kind `join`): what is to stand in its certificate, signed by
/// the device's own key, which proves that it holds it. It never stands on a board.
#pragma once

#include "trust/documents.h"

#include <optional>

namespace starling::trust {

/// The secret of a join token: whoever shows it to the token's issuer may have been given it.
using TokenSecret = std::array<std::byte, 16>;

struct JoinRequest
{
    NodeId node; ///< the device's Ed25519 key
    LinkKey linkKey; ///< of its links; not zero
    std::string name; ///< 1 to 64 bytes, plain text
    std::map<std::string, std::string> labels; ///< as in a Certificate
    std::optional<TokenSecret> token;
    /// Of a device that is admitted: when the certificate that it has ends, in seconds since 1970. It wants
    /// one that ends later.
    std::optional<std::uint64_t> renews = {};

    Bytes serialize() const;
    /// Fails as the documents of documents.h do.
    static Result<JoinRequest> parse(ByteView payload);
    bool operator==(const JoinRequest&) const = default;

    /// Whether the device asks to be a console's, which is not updated and not counted: the label
    /// role=console (ADR 43).
    bool isForConsole() const;
    /// Whether `certificate` grants it: it says the same, and ends later than what the device has.
    bool isGrantedBy(const Certificate& certificate) const;
    /// The certificate that grants it.
    Certificate certificate(std::uint64_t admitEpoch) const;
    /// Sealed for `fleet` by `key`, which must be the device's.
    Bytes seal(const FleetId& fleet, const crypto::SecretKey& key) const;
};

/// Of a request's envelope, so that it fits one datagram of the join channel (link/join_packet.h). A
/// certificate of the same words is shorter.
constexpr std::size_t kMaxJoinBytes = 1'024;

/// The request in `envelope`, signed by the device that it is for and by nobody else, for `fleet`. Malformed
/// if it is of another kind; TooLarge, UnknownKey, BadSignature, and the codes of parsing.
Result<JoinRequest> openJoinRequest(ByteView envelope, const FleetId& fleet);

} // namespace starling::trust
