// SPDX-License-Identifier: Apache-2.0
/// Answers what links ask about trust, from this device's identity and the newest root on the board. Pure.
#pragma once

#include "base/time.h"
#include "link/authenticator.h"
#include "release/board.h"

#include <functional>

namespace starling::board {

/// Whether a certificate that ends at `notAfter` is over. A clock that was never set finds none over.
bool hasExpired(const std::optional<std::uint64_t>& notAfter, UtcTime now);

class LinkAuthenticator final : public link::Authenticator
{
public:
    using Calendar = std::function<UtcTime()>;

    /// This device's link key and its certificate's envelope. They and `board` must outlive it; `calendar`
    /// says what time it is.
    LinkAuthenticator(const crypto::LinkKeyPair& linkKey, const Bytes& certificate,
                      const release::Board& board, Calendar calendar);

    /// Whether others will take our certificate: verifyAdmit's codes, or NotAdmitted if it is without a link
    /// key or for another one.
    Status checkOwn() const;

    FleetId fleet() const override;
    const crypto::LinkKeyPair& linkKey() const override;
    ByteView certificate() const override;
    /// TrustSet::verifyAdmit's codes; NotAdmitted if it is for another link key, Denied.
    Result<link::Credential> verify(ByteView certificate, const LinkKey& linkKey) const override;

private:
    const crypto::LinkKeyPair& m_linkKey;
    const Bytes& m_certificate;
    const release::Board& m_board;
    Calendar m_calendar;
};

} // namespace starling::board
