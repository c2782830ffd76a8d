// SPDX-License-Identifier: Apache-2.0
#include "node/member_proof.h"

namespace starling::node {

namespace {
constexpr std::size_t kMaxCertificateBytes = 16 * 1024;
}

DeviceProof::DeviceProof(const Identity& identity, trust::TrustSet trust)
    : m_key(identity.key)
    , m_certificate(identity.certificateEnvelope)
    , m_trust(std::make_shared<const trust::TrustSet>(std::move(trust)))
{
}

void DeviceProof::setTrust(trust::TrustSet trust)
{
    m_trust = std::make_shared<const trust::TrustSet>(std::move(trust));
}

Bytes DeviceProof::certificate() const
{
    return m_certificate;
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
    const auto trust = m_trust.load();
    auto admitted = trust->verifyAdmit(*envelope);
    if (!admitted)
        return fail(std::move(admitted.error()), "peer's certificate");
    const NodeId node = (*admitted)->node;
    auto key = KeyId::fromBytes(node.bytes());
    if (!key)
        return fail(std::move(key.error()), "peer's key");
    if (auto proven = crypto::verify(*key, challenge, signature); !proven)
        return fail(std::move(proven.error()), "peer's proof of membership");
    return node;
}

} // namespace starling::node
