// SPDX-License-Identifier: Apache-2.0
/// Certificates for link tests.
#pragma once

#include "link/authenticator.h"

#include <algorithm>

namespace starling::link {

/// A fleet without signatures: a certificate is a node id and the link key that belongs to it.
class PlainAuthenticator final : public Authenticator
{
public:
    PlainAuthenticator(const NodeId& node, std::uint64_t seed)
        : m_node(node)
        , m_key(keyOf(seed))
        , m_certificate(certificateOf(node, m_key.publicKey()))
    {
    }
    static Bytes certificateOf(const NodeId& node, const LinkKey& key)
    {
        Bytes bytes = toBytes(node.bytes());
        append(bytes, key.bytes());
        return bytes;
    }

    FleetId fleet() const override { return m_fleet; }
    const crypto::LinkKeyPair& linkKey() const override { return m_key; }
    ByteView certificate() const override { return m_certificate; }
    Result<Credential> verify(ByteView certificate, const LinkKey& linkKey) const override
    {
        ++m_asked;
        if (m_refusal)
            return fail(*m_refusal, "as the test wants it");
        if (certificate.size() < 2 * NodeId::kSize
            || !std::ranges::equal(certificate.subspan(NodeId::kSize, LinkKey::kSize), linkKey.bytes()))
            return fail(Errc::NotAdmitted, "certificate of another key");
        return Credential{*NodeId::fromBytes(certificate.first(NodeId::kSize)), {}, m_isExpired};
    }

    void setFleet(const FleetId& fleet) { m_fleet = fleet; }
    void setCertificate(Bytes certificate) { m_certificate = std::move(certificate); }
    void refuseAll(std::optional<Errc> code) { m_refusal = code; }
    void takeAllForExpired(bool isExpired) { m_isExpired = isExpired; }
    int asked() const { return m_asked; }

private:
    static crypto::LinkKeyPair keyOf(std::uint64_t seed)
    {
        SeededRandom random(seed);
        return crypto::LinkKeyPair::generate(random);
    }
    NodeId m_node;
    FleetId m_fleet;
    crypto::LinkKeyPair m_key;
    Bytes m_certificate;
    std::optional<Errc> m_refusal;
    bool m_isExpired = false;
    mutable int m_asked = 0;
};

} // namespace starling::link
