// SPDX-License-Identifier: Apache-2.0
/// What links must know of trust, answered by whoever holds it: links know neither roots nor certificates.
#pragma once

#include "base/ids.h"
#include "crypto/noise.h"

#include <optional>

namespace starling::link {

/// A certificate and what the handshake adds to it fit one datagram of 1,186 bytes (packet.h), with a little
/// to spare: one with three signatures may have some 450 bytes of labels. A larger one makes no link.
constexpr std::size_t kMaxCertificateBytes = 1'024;

/// Whom a certificate admits.
struct Credential
{
    NodeId node;
    std::optional<std::uint64_t> notAfter = {}; ///< seconds since 1970; nothing if it never ends
    /// It is over by this node's clock. There is a link all the same, for what may be wrong is the clock, and
    /// roots, denials and a new certificate must come: those alone go over it (trust.md, kind `admit`).
    bool isExpired = false;
};

class Authenticator
{
public:
    virtual ~Authenticator() = default;

    /// Goes into every handshake: fleets do not meet.
    virtual FleetId fleet() const = 0;
    /// Ours, for as long as this object.
    virtual const crypto::LinkKeyPair& linkKey() const = 0;
    /// Ours, which others verify; at most kMaxCertificateBytes.
    virtual ByteView certificate() const = 0;
    /// Whom `certificate` admits, if it is valid and for the device that proved to hold `linkKey`. Why not,
    /// otherwise.
    virtual Result<Credential> verify(ByteView certificate, const LinkKey& linkKey) const = 0;
};

} // namespace starling::link
