// SPDX-License-Identifier: Apache-2.0
/// Keys, roots and envelopes for tests, the same on every run.
#pragma once

#include "base/assert.h"
#include "crypto/noise.h"
#include "trust/trust_set.h"

#include <initializer_list>

namespace starling::fixture {

/// The secret key whose seed is 32 times `number`.
inline crypto::SecretKey key(unsigned char number)
{
    auto secret = crypto::SecretKey::fromSeed(Bytes(32, static_cast<std::byte>(number)));
    STARLING_ASSERT(secret.has_value());
    return std::move(*secret);
}

inline KeyId keyId(unsigned char number)
{
    return key(number).id();
}

inline NodeId nodeId(unsigned char number)
{
    return *NodeId::fromBytes(keyId(number).bytes());
}

template <class Identity> Identity filled(unsigned char value)
{
    return *Identity::fromBytes(Bytes(32, static_cast<std::byte>(value)));
}

inline ResourceUri uri(std::string_view text)
{
    auto parsed = ResourceUri::parse(text);
    STARLING_ASSERT(parsed.has_value());
    return std::move(*parsed);
}

using Keys = std::vector<unsigned char>;

inline trust::Role role(const Keys& keys, std::uint32_t threshold)
{
    trust::Role result;
    for (const unsigned char number : keys)
        result.keys.insert(keyId(number));
    result.threshold = threshold;
    return result;
}

/// Root 2 of keys 1-3; admit 1 of 10, 11; scopes fw (2 of 20-22), fw/gateway (key 30), os (key 40).
inline trust::RootDocument firstRoot()
{
    trust::RootDocument root;
    root.root = role({1, 2, 3}, 2);
    root.admit = role({10, 11}, 1);
    root.beacon = role({12}, 1);
    root.scopes.push_back({uri("fw"), role({20, 21, 22}, 2), 0});
    root.scopes.push_back({uri("fw/gateway"), role({30}, 1), 0});
    root.scopes.push_back({uri("os"), role({40}, 1), 0});
    return root;
}

inline trust::Envelope seal(trust::Kind kind, Bytes payload, const FleetId& fleet, const Keys& signers)
{
    trust::Envelope envelope;
    envelope.kind = kind;
    envelope.payload = std::move(payload);
    for (const unsigned char number : signers)
        envelope.sign(fleet, key(number));
    return envelope;
}

inline Bytes anchor(const trust::RootDocument& root, const Keys& signers = {1, 2})
{
    return seal(trust::Kind::Root, root.serialize(), FleetId(), signers).serialize();
}

inline trust::TrustSet trustSet(const trust::RootDocument& root = firstRoot(), const Keys& signers = {1, 2})
{
    auto trust = trust::TrustSet::fromAnchor(anchor(root, signers));
    STARLING_ASSERT(trust.has_value());
    return std::move(*trust);
}

/// The root that follows `trust`'s, with the same roles.
inline trust::RootDocument nextRoot(const trust::TrustSet& trust)
{
    trust::RootDocument root = trust.root();
    root.number += 1;
    root.previous = trust::Envelope::parse(trust.chain().back())->payloadHash();
    return root;
}

inline Bytes sealRoot(const trust::TrustSet& trust, const trust::RootDocument& root,
                      const Keys& signers = {1, 2})
{
    return seal(trust::Kind::Root, root.serialize(), trust.fleet(), signers).serialize();
}

inline trust::Signatures signedBy(trust::Kind kind, const FleetId& fleet, const Digest& hash,
                                  const Keys& signers)
{
    trust::Signatures signatures;
    for (const unsigned char number : signers)
        signatures[keyId(number)] = key(number).sign(trust::signedMessage(kind, fleet, hash));
    return signatures;
}

/// Of device 50.
inline trust::Certificate certificate(unsigned char device = 50)
{
    trust::Certificate result;
    result.node = nodeId(device);
    result.linkKey = crypto::LinkKeyPair::of(key(device)).publicKey();
    result.name = "gateway-7";
    result.labels = {{"arch", "arm64"}, {"site", "Bergen"}};
    result.notAfter = 1'900'000'000;
    return result;
}

inline trust::Receipt receipt(unsigned char device = 50)
{
    trust::Receipt result;
    result.node = nodeId(device);
    result.sequence = 1'024;
    result.rootNumber = 1;
    result.uptimeSeconds = 86'400;
    result.entries.push_back({uri("fw/a"), {0, 2}, filled<InfoHash>(1), trust::Phase::Healthy, 0, ""});
    result.entries.push_back(
        {uri("os/b"), {1, 7}, filled<InfoHash>(2), trust::Phase::Failed, 401, "exit status 3"});
    result.alarms = {{"rollback", 2}, {"signature", 5}};
    return result;
}

inline trust::Descriptor descriptor(unsigned char device = 50)
{
    trust::Descriptor result;
    result.node = nodeId(device);
    result.sequence = 9;
    result.addresses = {Endpoint::ipv4(127, 0, 0, 1, 7001), Endpoint::ipv4(10, 0, 0, 7, 7002)};
    result.swarmPort = 6881;
    return result;
}

/// `payload` with its top dictionary changed.
template <class Change> Bytes changed(const Bytes& payload, Change change)
{
    auto value = bencode::decode(payload);
    STARLING_ASSERT(value.has_value() && value->dict());
    change(*value->dict());
    return bencode::encode(*value);
}

/// Everything that a refused input must leave alone.
struct Snapshot
{
    explicit Snapshot(const trust::TrustSet& trust)
        : root(trust.root())
        , fleet(trust.fleet())
        , chain(trust.chain())
    {
    }
    trust::RootDocument root;
    FleetId fleet;
    std::vector<Bytes> chain;
    bool operator==(const Snapshot&) const = default;
};

/// The code of a failed result; 0 for success, so that QCOMPARE shows numbers.
template <class Any> int code(const Any& result)
{
    return result ? 0 : static_cast<int>(result.error().code);
}
inline int code(Errc errc)
{
    return static_cast<int>(errc);
}

} // namespace starling::fixture

/// That `result` failed with exactly `errc`.
#define REFUSED(result, errc) QCOMPARE(fixture::code(result), fixture::code(errc))
/// That `result` succeeded; shows the error otherwise.
#define ACCEPTED(result)                                                                                     \
    do {                                                                                                     \
        const auto& judged = (result);                                                                       \
        QVERIFY2(judged.has_value(), judged ? "" : starling::toString(judged.error()).c_str());              \
    } while (false)
