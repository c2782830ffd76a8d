// SPDX-License-Identifier: Apache-2.0
/// The keys of a simulated fleet, made from the seed: root, admission, one scope, and the devices'. Signs
/// with the classes that the real ones are signed with. Pure.
#pragma once

#include "base/time.h"
#include "release/board.h"
#include "release/builder.h"

namespace starling::sim {

class Authority
{
public:
    explicit Authority(std::uint64_t seed);

    const trust::TrustSet& trust() const { return m_trust; }
    /// Copies of trust() that are made from now on verify each signature once, all together.
    void shareVerification() { m_trust.shareVerification(std::make_shared<crypto::SignatureMemo>()); }
    /// The resource that simulated releases update.
    static ResourceUri uri();

    /// A device's key, made when it is first asked for and kept, as long as there are at most kMaxKept: the
    /// kernel takes its time to lock the pages that keys live in, and gives a process so many of them. Good
    /// until the next one is asked for.
    const crypto::SecretKey& deviceKey(std::uint32_t number) const;
    /// The envelope that admits `node`, which is device `number`.
    Bytes certificate(const NodeId& node, std::uint32_t number, std::string name,
                      std::map<std::string, std::string> labels) const;
    /// A release of a small payload, signed by the scope's key. `created` is its maker's wall clock.
    release::TorrentFile release(std::uint64_t version, UtcTime created) const;
    /// The same, but signed by a key that the root does not name.
    release::TorrentFile forgedRelease(std::uint64_t version) const;
    /// Signs a subscription with the observe role's key.
    Bytes sealSubscription(Bytes payload) const;
    /// Signs a document of device `number`.
    Bytes seal(trust::Kind kind, Bytes payload, std::uint32_t number) const;

private:
    static constexpr std::size_t kMaxKept = 8'192; ///< vm.max_map_count is 65,530, and a key takes 3 of them
    enum class Role : std::uint8_t { Root, Admit, Scope, Stranger, Device, Observe };
    crypto::SecretKey key(Role role, std::uint32_t number = 0) const;
    trust::TrustSet makeTrust() const;
    release::TorrentFile build(std::uint64_t version, std::uint64_t created) const;

    std::uint64_t m_seed;
    crypto::SecretKey m_admit;
    crypto::SecretKey m_scope;
    crypto::SecretKey m_observe;
    crypto::SecretKey m_stranger;
    mutable std::map<std::uint32_t, crypto::SecretKey> m_devices;
    trust::TrustSet m_trust;
};

} // namespace starling::sim
