// SPDX-License-Identifier: Apache-2.0
/// Join tokens: a line that somebody carries from an agent of the fleet, its issuer, to a new device, which
/// may join with it once. It names the fleet and whom to ask under which key, so that the device asks nobody
/// else; its secret tells the issuer that the device was meant.
///
///     starling1-<base32 (RFC 4648, lower case, without padding) of:>
///         fleet (32) issuer (32) issuer's link key (32) address and port (18) secret (16) expiry (8)
///         checksum (4): the first bytes of the SHA-256 of all before, against typing errors
#pragma once

#include "base/endpoint.h"
#include "base/time.h"
#include "trust/join.h"

namespace starling::enrol {

constexpr Duration kMaxTokenLifetime = std::chrono::hours(24); ///< trust.md
constexpr std::size_t kMaxTokenLine = 512; ///< of a file that holds one, line end included

/// Whom the issuer lets in by itself for a token. It knows that of each of its own; the line does not say.
enum class TokenUse : std::uint8_t {
    Device, ///< who asks to be a console waits for somebody
    Console, ///< consoles, too
};

struct JoinToken
{
    FleetId fleet;
    NodeId issuer;
    LinkKey linkKey; ///< the issuer's
    Endpoint contact; ///< the issuer's; never with port 0
    trust::TokenSecret secret{};
    std::uint64_t expires = 0; ///< seconds since 1970, by the issuer's clock, which alone judges it

    std::string line() const;
    /// White space around it is no part of it. UnsupportedFormat for another version, Malformed for anything
    /// that is not line()'s own spelling.
    static Result<JoinToken> parse(std::string_view line);
    bool operator==(const JoinToken&) const = default;
};

} // namespace starling::enrol
