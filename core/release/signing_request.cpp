// SPDX-License-Identifier: Apache-2.0
#include "release/signing_request.h"

#include "crypto/sha256.h"

#include <limits>

namespace starling::release {

namespace {

constexpr bencode::Integer kFormat = 1;

Status requirePayload(trust::Kind kind, ByteView payload)
{
    if (kind == trust::Kind::Release) {
        auto info = ReleaseInfo::parse(payload);
        return info ? Status() : fail(std::move(info.error()), "signing request");
    }
    const auto root = trust::RootDocument::parse(payload);
    if (!root)
        return fail(Error(root.error()), "signing request");
    if (root->number < 2)
        return fail(Errc::InvalidRoot, "signing request: a first root is made with its fleet");
    return {};
}

Result<FleetId> readFleet(const bencode::DictReader& from)
{
    const auto bytes = from.bytes("fleet", FleetId::kSize);
    if (!bytes)
        return tl::unexpected<Error>(bytes.error());
    return FleetId::fromBytes(*bytes);
}

Result<trust::Signatures> readSignatures(const bencode::Value& value)
{
    const bencode::Value* const signatures = value.find("signatures");
    const bencode::Dict* const entries = signatures != nullptr ? signatures->dict() : nullptr;
    if (entries != nullptr && entries->empty())
        return trust::Signatures();
    if (signatures == nullptr)
        return fail(Errc::Malformed, "signing request: no signatures, not even none");
    return trust::decodeSignatures(signatures);
}

} // namespace

SigningRequest SigningRequest::of(const FleetId& fleet, const TorrentFile& torrent)
{
    return {fleet, trust::Kind::Release, torrent.infoBytes, torrent.signatures};
}

SigningRequest SigningRequest::of(const FleetId& fleet, const trust::Envelope& root)
{
    return {fleet, trust::Kind::Root, root.payload, root.signatures};
}

Bytes SigningRequest::serialize() const
{
    bencode::Dict dict;
    dict.emplace("fleet", toBytes(fleet.bytes()));
    dict.emplace("format", kFormat);
    dict.emplace("kind", trust::kindName(kind));
    dict.emplace("payload", payload);
    dict.emplace("signatures", trust::encodeSignatures(signatures));
    return bencode::encode(dict);
}

Result<SigningRequest> SigningRequest::parse(ByteView bytes)
{
    auto value = bencode::decode(bytes, {.bytes = kMaxBytes});
    if (!value)
        return fail(std::move(value.error()), "signing request");
    const auto fields = bencode::DictReader::of(*value, "signing request");
    if (!fields)
        return tl::unexpected<Error>(fields.error());
    const auto format = fields->integer("format", 0, std::numeric_limits<bencode::Integer>::max());
    if (!format)
        return tl::unexpected<Error>(format.error());
    if (*format != kFormat)
        return fail(Errc::UnsupportedFormat, "signing request of format " + std::to_string(*format));
    if (fields->entries().size() != 5)
        return fail(Errc::Malformed, "signing request holds more or less than its five fields");
    const auto name = fields->text("kind", 32);
    if (!name)
        return tl::unexpected<Error>(name.error());
    const auto kind = trust::kindNamed(*name);
    if (kind != trust::Kind::Release && kind != trust::Kind::Root)
        return fail(Errc::Malformed, "signing request for neither a release nor a root");
    const auto fleet = readFleet(*fields);
    if (!fleet)
        return fail(Error(fleet.error()), "signing request");
    auto payload = fields->bytes("payload", kMaxBytes);
    if (!payload)
        return tl::unexpected<Error>(payload.error());
    if (auto good = requirePayload(*kind, *payload); !good)
        return tl::unexpected<Error>(good.error());
    auto signatures = readSignatures(*value);
    if (!signatures)
        return fail(std::move(signatures.error()), "signing request");
    return SigningRequest{*fleet, *kind, std::move(*payload), std::move(*signatures)};
}

Digest SigningRequest::payloadHash() const
{
    return crypto::sha256(payload);
}

Status SigningRequest::verify(const KeyId& key) const
{
    const auto held = signatures.find(key);
    if (held == signatures.end())
        return fail(Errc::BadSignature, "key " + key.shortHex() + " has not signed");
    return crypto::verify(key, trust::signedMessage(kind, fleet, payloadHash()), held->second);
}

void SigningRequest::sign(const crypto::SecretKey& key)
{
    signatures[key.id()] = key.sign(trust::signedMessage(kind, fleet, payloadHash()));
}

} // namespace starling::release
