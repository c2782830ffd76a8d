// SPDX-License-Identifier: Apache-2.0
/// What links must know of trust, answered by whoever holds it: links know neither roots nor certificates.
#pragma once

#include "base/ids.h"
#include "crypto/noise.h"

namespace starling::link {

/// A certificate and what the handshake adds to it fit one datagram of 1,186 bytes (packet.h), with a little
/// to spare: one with three signatures may have some 450 bytes of labels. A larger one makes no link.
constexpr std::size_t kMaxCertificateBytes = 1'024;

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
    virtual Result<NodeId> verify(ByteView certificate, const LinkKey& linkKey) const = 0;
};

} // namespace starling::link
