// SPDX-License-Identifier: Apache-2.0
#include "board/link_authenticator.h"

namespace starling::board {

namespace {

Result<trust::Certificate> verified(ByteView bytes, const trust::TrustSet& trust)
{
    auto envelope = trust::Envelope::parse(bytes, link::kMaxCertificateBytes);
    if (!envelope)
        return tl::unexpected<Error>(envelope.error());
    auto admitted = trust.verifyAdmit(*envelope);
    if (!admitted)
        return tl::unexpected<Error>(admitted.error());
    return **admitted;
}

Status requireKey(const trust::Certificate& certificate, const LinkKey& linkKey)
{
    if (certificate.linkKey.isZero())
        return fail(Errc::NotAdmitted,
                    "certificate of " + certificate.name + " has no link key: it needs a new one");
    if (certificate.linkKey != linkKey)
        return fail(Errc::NotAdmitted, "certificate of " + certificate.name + " is for another link key");
    return {};
}

} // namespace

bool hasExpired(const std::optional<std::uint64_t>& notAfter, UtcTime now)
{
    return notAfter && now.time_since_epoch().count() > 0
        && *notAfter < static_cast<std::uint64_t>(now.time_since_epoch().count());
}

LinkAuthenticator::LinkAuthenticator(const crypto::LinkKeyPair& linkKey, const Bytes& certificate,
                                     const release::Board& board, Calendar calendar)
    : m_linkKey(linkKey)
    , m_certificate(certificate)
    , m_board(board)
    , m_calendar(std::move(calendar))
{
}

Status LinkAuthenticator::checkOwn() const
{
    const auto own = verified(certificate(), m_board.trust());
    if (!own)
        return tl::unexpected<Error>(own.error());
    return requireKey(*own, linkKey().publicKey());
}

FleetId LinkAuthenticator::fleet() const
{
    return m_board.trust().fleet();
}

const crypto::LinkKeyPair& LinkAuthenticator::linkKey() const
{
    return m_linkKey;
}

ByteView LinkAuthenticator::certificate() const
{
    return m_certificate;
}

Result<link::Credential> LinkAuthenticator::verify(ByteView certificate, const LinkKey& linkKey) const
{
    const auto admitted = verified(certificate, m_board.trust());
    if (!admitted)
        return fail(admitted.error(), "link");
    if (auto same = requireKey(*admitted, linkKey); !same)
        return fail(std::move(same.error()), "link");
    if (m_board.denials().contains(admitted->node))
        return fail(Errc::Denied, "link: certificate of " + admitted->name);
    return link::Credential{admitted->node, admitted->notAfter, hasExpired(admitted->notAfter, m_calendar())};
}

} // namespace starling::board
