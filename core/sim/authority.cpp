// SPDX-License-Identifier: Apache-2.0
#include "sim/authority.h"

#include "base/assert.h"
#include "crypto/noise.h"

#include <algorithm>

namespace starling::sim {

namespace {

constexpr std::string_view kUri = "fw/sim";
constexpr std::string_view kScope = "fw";

} // namespace

Authority::Authority(std::uint64_t seed)
    : m_seed(seed)
    , m_admit(key(Role::Admit))
    , m_scope(key(Role::Scope))
    , m_observe(key(Role::Observe))
    , m_stranger(key(Role::Stranger))
    , m_trust(makeTrust())
{
}

ResourceUri Authority::uri()
{
    return *ResourceUri::parse(kUri);
}

crypto::SecretKey Authority::key(Role role, std::uint32_t number) const
{
    ByteWriter writer;
    writer.u64(m_seed);
    writer.u8(static_cast<std::uint8_t>(role));
    writer.u32(number);
    auto secret = crypto::SecretKey::fromSeed(crypto::sha256(writer.take()).bytes());
    STARLING_ASSERT(secret);
    return std::move(*secret);
}

const crypto::SecretKey& Authority::deviceKey(std::uint32_t number) const
{
    const auto known = m_devices.find(number);
    if (known == m_devices.end() && m_devices.size() >= kMaxKept)
        m_devices.clear();
    return known != m_devices.end() ? known->second
                                    : m_devices.emplace(number, key(Role::Device, number)).first->second;
}

trust::TrustSet Authority::makeTrust() const
{
    const crypto::SecretKey root = key(Role::Root);
    trust::RootDocument document;
    document.root.keys = {root.id()};
    document.admit.keys = {m_admit.id()};
    document.observe.emplace().keys = {m_observe.id()};
    trust::Role scope;
    scope.keys = {m_scope.id()};
    document.scopes = {{*ResourceUri::parse(kScope), scope, 0}};
    trust::Envelope envelope{trust::Kind::Root, document.serialize(), {}};
    envelope.sign(FleetId(), root);
    auto trust = trust::TrustSet::fromAnchor(envelope.serialize());
    STARLING_ASSERT(trust);
    return std::move(*trust);
}

Bytes Authority::certificate(const NodeId& node, std::uint32_t number, std::string name,
                             std::map<std::string, std::string> labels) const
{
    trust::Certificate certificate;
    certificate.node = node;
    certificate.linkKey = crypto::LinkKeyPair::of(deviceKey(number)).publicKey();
    certificate.name = std::move(name);
    certificate.labels = std::move(labels);
    trust::Envelope envelope{trust::Kind::Admit, certificate.serialize(), {}};
    envelope.sign(m_trust.fleet(), m_admit);
    return envelope.serialize();
}

release::TorrentFile Authority::build(std::uint64_t version, std::uint64_t created) const
{
    release::UpdateInfo update{.uri = uri(),
                               .revision = {0, version},
                               .label = {},
                               .created = created,
                               .requirements = {},
                               .deploy = {}};
    const Bytes payload = toBytes("payload " + std::to_string(version));
    auto builder =
        release::Builder::create("payload", true, {{"payload", payload.size()}}, std::move(update));
    STARLING_ASSERT(builder);
    builder->feed(payload);
    auto torrent = builder->finish();
    STARLING_ASSERT(torrent);
    return std::move(*torrent);
}

release::TorrentFile Authority::release(std::uint64_t version, UtcTime created) const
{
    const auto seconds = std::max<std::int64_t>(created.time_since_epoch().count(), 0);
    auto torrent = build(version, static_cast<std::uint64_t>(seconds));
    torrent.sign(m_trust.fleet(), m_scope);
    return torrent;
}

release::TorrentFile Authority::forgedRelease(std::uint64_t version) const
{
    auto torrent = build(version, 0);
    torrent.sign(m_trust.fleet(), m_stranger);
    return torrent;
}

Bytes Authority::sealSubscription(Bytes payload) const
{
    trust::Envelope envelope{trust::Kind::Subscription, std::move(payload), {}};
    envelope.sign(m_trust.fleet(), m_observe);
    return envelope.serialize();
}

Bytes Authority::seal(trust::Kind kind, Bytes payload, std::uint32_t number) const
{
    trust::Envelope envelope{kind, std::move(payload), {}};
    envelope.sign(m_trust.fleet(), deviceKey(number));
    return envelope.serialize();
}

} // namespace starling::sim
