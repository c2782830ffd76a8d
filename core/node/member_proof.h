// SPDX-License-Identifier: Apache-2.0
/// Membership on BitTorrent connections, from the device's key and the trust set. Used on libtorrent's
/// thread: the trust set is exchanged as a whole when a new root arrives.
#pragma once

#include "node/identity.h"
#include "swarm/swarm.h"

#include <atomic>

namespace starling::node {

class DeviceProof final : public swarm::MemberProof
{
public:
    DeviceProof(const Identity& identity, trust::TrustSet trust);
    void setTrust(trust::TrustSet trust);

    Bytes certificate() const override;
    crypto::Signature prove(ByteView challenge) const override;
    Result<NodeId> verify(ByteView certificate, ByteView challenge,
                          const crypto::Signature& signature) const override;

private:
    std::shared_ptr<const crypto::SecretKey> m_key;
    Bytes m_certificate;
    std::atomic<std::shared_ptr<const trust::TrustSet>> m_trust;
};

} // namespace starling::node
