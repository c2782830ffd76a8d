// SPDX-License-Identifier: Apache-2.0
/// Membership on BitTorrent connections, from the device's key and the trust set. Used on libtorrent's
/// thread: the trust set and who is denied are exchanged as a whole when a new root or deny list arrives.
#pragma once

#include "node/identity.h"
#include "swarm/swarm.h"

#include <atomic>

namespace starling::node {

class DeviceProof final : public swarm::MemberProof
{
public:
    DeviceProof(const Identity& identity, trust::TrustSet trust, std::set<NodeId> denied);
    /// Ours, from now on.
    void setCertificate(Bytes certificate);
    void setTrust(trust::TrustSet trust, std::set<NodeId> denied);

    Bytes certificate() const override;
    crypto::Signature prove(ByteView challenge) const override;
    Result<NodeId> verify(ByteView certificate, ByteView challenge,
                          const crypto::Signature& signature) const override;
    Status stillAdmits(const NodeId& node) const override;

private:
    struct Known
    {
        trust::TrustSet trust;
        std::set<NodeId> denied;
    };
    std::shared_ptr<const crypto::SecretKey> m_key;
    std::atomic<std::shared_ptr<const Bytes>> m_certificate;
    std::atomic<std::shared_ptr<const Known>> m_known;
};

} // namespace starling::node
