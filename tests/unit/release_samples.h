// SPDX-License-Identifier: Apache-2.0
/// A small fleet with known keys and releases of payloads in memory, for the tests of core/release.
#pragma once

#include "crypto/noise.h"
#include "release/board.h"
#include "release/builder.h"

namespace starling::release::samples {

using Contents = std::map<std::string, Bytes>;

/// The key whose seed is 32 times `number`.
inline crypto::SecretKey key(unsigned char number)
{
    const Bytes seed(crypto::SecretKey::kSeedSize, static_cast<std::byte>(number));
    return std::move(*crypto::SecretKey::fromSeed(seed));
}

/// `size` bytes that are the same on every run and differ with `seed`.
inline Bytes pattern(std::size_t size, std::uint64_t seed = 1)
{
    Bytes bytes(size);
    SeededRandom(seed).fill(bytes);
    return bytes;
}

inline UpdateInfo update(std::string_view uri = "fw/gateway", std::uint64_t version = 1,
                         std::uint64_t epoch = 0)
{
    return {.uri = *ResourceUri::parse(uri),
            .revision = {epoch, version},
            .label = {},
            .created = {},
            .requirements = {},
            .deploy = {}};
}

/// Builds a release from contents; fails as Builder::create does.
inline Result<TorrentFile> tryBuild(std::string name, bool isSingleFile, const Contents& contents,
                                    UpdateInfo info)
{
    std::vector<SourceFile> files;
    for (const auto& [path, bytes] : contents)
        files.push_back({path, bytes.size()});
    auto builder = Builder::create(std::move(name), isSingleFile, std::move(files), std::move(info));
    if (!builder)
        return tl::unexpected(std::move(builder.error()));
    for (const PayloadFile& file : builder->files())
        builder->feed(contents.at(file.path));
    return builder->finish();
}

inline TorrentFile single(std::size_t size, UpdateInfo info = update(), std::uint64_t seed = 1)
{
    return std::move(*tryBuild("rootfs.img", true, {{"rootfs.img", pattern(size, seed)}}, std::move(info)));
}

/// Keys 1 to 3 are root's, 11 to 13 admit's, 21 to 23 those of scope `fw`, 31 that of `fw/secret`.
inline trust::RootDocument rootDocument()
{
    const auto role = [](std::vector<unsigned char> numbers, std::uint32_t threshold) {
        trust::Role made;
        for (const unsigned char number : numbers)
            made.keys.insert(key(number).id());
        made.threshold = threshold;
        return made;
    };
    trust::RootDocument root;
    root.root = role({1, 2, 3}, 2);
    root.admit = role({11, 12, 13}, 1);
    root.observe = role({41}, 1);
    root.scopes = {{*ResourceUri::parse("fw"), role({21, 22, 23}, 1), 0},
                   {*ResourceUri::parse("fw/pair"), role({21, 22, 23}, 2), 0},
                   {*ResourceUri::parse("fw/secret"), role({31}, 1), 0}};
    return root;
}

inline Bytes signRoot(const trust::RootDocument& root, const FleetId& fleet,
                      std::vector<unsigned char> signers)
{
    trust::Envelope envelope{trust::Kind::Root, root.serialize(), {}};
    for (const unsigned char signer : signers)
        envelope.sign(fleet, key(signer));
    return envelope.serialize();
}

/// What a device of the fleet trusts; made once, for signing takes its time.
inline const trust::TrustSet& trustSet()
{
    static const trust::TrustSet kTrust =
        std::move(*trust::TrustSet::fromAnchor(signRoot(rootDocument(), FleetId(), {1, 2})));
    return kTrust;
}

inline NodeId nodeOf(unsigned char number)
{
    return *NodeId::fromBytes(key(number).id().bytes());
}

inline Bytes certificateNotice(unsigned char device, std::optional<std::uint64_t> notAfter = {},
                               unsigned char signer = 11, std::uint64_t epoch = 0)
{
    trust::Certificate certificate;
    certificate.node = nodeOf(device);
    certificate.linkKey = crypto::LinkKeyPair::of(key(device)).publicKey();
    certificate.name = "device " + std::to_string(device);
    certificate.notAfter = notAfter;
    certificate.admitEpoch = epoch;
    trust::Envelope envelope{trust::Kind::Admit, certificate.serialize(), {}};
    envelope.sign(trustSet().fleet(), key(signer));
    return noticeOf(trust::Kind::Admit, envelope.serialize());
}

inline Bytes receiptNotice(unsigned char device, std::uint64_t sequence, std::uint64_t uptime = 5)
{
    trust::Receipt receipt;
    receipt.node = nodeOf(device);
    receipt.sequence = sequence;
    receipt.rootNumber = 1;
    receipt.uptimeSeconds = uptime;
    trust::Envelope envelope{trust::Kind::Receipt, receipt.serialize(), {}};
    envelope.sign(trustSet().fleet(), key(device));
    return noticeOf(trust::Kind::Receipt, envelope.serialize());
}

/// A parcel's document or certificate: a notice without the byte in front.
inline Bytes envelopeOf(const Bytes& notice)
{
    return Bytes(notice.begin() + 1, notice.end());
}

inline Bytes subscriptionNotice(unsigned char observer, std::uint64_t sequence = 1, unsigned char signer = 41)
{
    trust::Subscription subscription;
    subscription.observer = nodeOf(observer);
    subscription.sequence = sequence;
    subscription.expires = 4'000'000'000;
    trust::Envelope envelope{trust::Kind::Subscription, subscription.serialize(), {}};
    envelope.sign(trustSet().fleet(), key(signer));
    return noticeOf(trust::Kind::Subscription, envelope.serialize());
}

inline Bytes releaseNotice(TorrentFile torrent, std::vector<unsigned char> signers = {21})
{
    for (const unsigned char signer : signers)
        torrent.sign(trustSet().fleet(), key(signer));
    return noticeOf(trust::Kind::Release, torrent.notice());
}

} // namespace starling::release::samples
