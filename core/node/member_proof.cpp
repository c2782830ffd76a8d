// SPDX-License-Identifier: Apache-2.0
#include "node/member_proof.h"

#include "board/link_authenticator.h"
#include "node/wall_clock.h"

namespace starling::node {

namespace {
constexpr std::size_t kMaxCertificateBytes = 16 * 1024;
}

DeviceProof::DeviceProof(const Identity& identity, trust::TrustSet trust, std::set<NodeId> denied)
    : m_key(identity.key)
    , m_certificate(std::make_shared<const Bytes>(identity.certificateEnvelope))
    , m_known(std::make_shared<const Known>(Known{std::move(trust), std::move(denied)}))
{
}

void DeviceProof::setCertificate(Bytes certificate)
{
    m_certificate = std::make_shared<const Bytes>(std::move(certificate));
}

void DeviceProof::setTrust(trust::TrustSet trust, std::set<NodeId> denied)
{
    m_known = std::make_shared<const Known>(Known{std::move(trust), std::move(denied)});
}

Status DeviceProof::stillAdmits(const NodeId& node) const
{
    if (m_known.load()->denied.contains(node))
        return fail(Errc::Denied, "peer " + node.shortHex());
    return {};
}

Bytes DeviceProof::certificate() const
{
    return *m_certificate.load();
}

crypto::Signature DeviceProof::prove(ByteView challenge) const
{
    return m_key->sign(challenge);
}

Result<NodeId> DeviceProof::verify(ByteView certificate, ByteView challenge,
                                   const crypto::Signature& signature) const
{
    auto envelope = trust::Envelope::parse(certificate, kMaxCertificateBytes);
    if (!envelope)
        return fail(std::move(envelope.error()), "peer's certificate");
    auto admitted = m_known.load()->trust.verifyAdmit(*envelope);
    if (!admitted)
        return fail(std::move(admitted.error()), "peer's certificate");
    if (board::hasExpired((*admitted)->notAfter, wallClock()))
        return fail(Errc::NotAdmitted, "peer's certificate has expired");
    const NodeId node = (*admitted)->node;
    if (auto still = stillAdmits(node); !still)
        return tl::unexpected<Error>(still.error());
    auto key = KeyId::fromBytes(node.bytes());
    if (!key)
        return fail(std::move(key.error()), "peer's key");
    if (auto proven = crypto::verify(*key, challenge, signature); !proven)
        return fail(std::move(proven.error()), "peer's proof of membership");
    return node;
}

} // namespace starling::node
