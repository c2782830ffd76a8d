// SPDX-License-Identifier: Apache-2.0
#include "trust/envelope.h"

#include "base/assert.h"
#include "crypto/sha256.h"

namespace starling::trust {

namespace {

constexpr std::string_view kTagPrefix = "starling/1/";

struct KindRow
{
    Kind kind;
    std::string_view name;
};
constexpr std::array kKinds{
    KindRow{Kind::Root, "root"},
    KindRow{Kind::Admit, "admit"},
    KindRow{Kind::Release, "release"},
    KindRow{Kind::Receipt, "receipt"},
    KindRow{Kind::Descriptor, "descriptor"},
    KindRow{Kind::Join, "join"},
    KindRow{Kind::Deny, "deny"},
    KindRow{Kind::Withdraw, "withdraw"},
    KindRow{Kind::Subscription, "subscription"},
    KindRow{Kind::Pulse, "pulse"},
};

Result<KeyId> decodeKey(const std::string& hex)
{
    auto key = KeyId::fromHex(hex);
    if (!key)
        return fail(std::move(key.error()), "signatures: key");
    // One key must have one spelling, or it could sign twice.
    if (key->hex() != hex)
        return fail(Errc::NotCanonical, "signatures: key " + key->shortHex() + " is not in lower case");
    return std::move(*key);
}

Result<crypto::Signature> decodeSignature(const bencode::Value& value, const KeyId& key)
{
    auto fields = bencode::DictReader::of(value, "signatures." + key.shortHex());
    if (!fields)
        return tl::unexpected(std::move(fields.error()));
    crypto::Signature signature{};
    auto bytes = fields->bytes("signature", signature.size());
    if (!bytes)
        return tl::unexpected(std::move(bytes.error()));
    if (bytes->size() != signature.size())
        return fail(Errc::Malformed,
                    fields->name() + ".signature has " + std::to_string(bytes->size()) + " bytes, not 64");
    if (fields->entries().size() != 1)
        return fail(Errc::Malformed, fields->name() + " holds more than a signature");
    std::copy(bytes->begin(), bytes->end(), signature.begin());
    return signature;
}

Status requireDictionary(ByteView payload, std::size_t limit)
{
    auto value = bencode::decode(payload, {.bytes = limit});
    if (!value)
        return fail(std::move(value.error()), "payload");
    if (!value->dict())
        return fail(Errc::Malformed, "payload is not a dictionary");
    return {};
}

} // namespace

std::string_view kindName(Kind kind)
{
    for (const KindRow& row : kKinds)
        if (row.kind == kind)
            return row.name;
    assertionFailed("every Kind has a name", __FILE__, __LINE__);
}

std::optional<Kind> kindNamed(std::string_view name)
{
    for (const KindRow& row : kKinds)
        if (row.name == name)
            return row.kind;
    return std::nullopt;
}

std::array<std::byte, 96> signedMessage(Kind kind, const FleetId& fleet, const Digest& payloadHash)
{
    std::array<std::byte, 96> message{};
    const ByteView prefix = viewOf(kTagPrefix);
    const ByteView name = viewOf(kindName(kind));
    STARLING_ASSERT(prefix.size() + name.size() <= 32);
    const auto afterPrefix = std::copy(prefix.begin(), prefix.end(), message.begin());
    std::copy(name.begin(), name.end(), afterPrefix);
    std::copy(fleet.bytes().begin(), fleet.bytes().end(), message.begin() + 32);
    std::copy(payloadHash.bytes().begin(), payloadHash.bytes().end(), message.begin() + 64);
    return message;
}

bencode::Value encodeSignatures(const Signatures& signatures)
{
    bencode::Dict byKey;
    for (const auto& [key, signature] : signatures) {
        bencode::Dict entry;
        entry.emplace("signature", Bytes(signature.begin(), signature.end()));
        byKey.emplace(key.hex(), std::move(entry));
    }
    return byKey;
}

Result<Signatures> decodeSignatures(const bencode::Value* value)
{
    if (!value)
        return fail(Errc::Unsigned, "there is no signature");
    const bencode::Dict* entries = value->dict();
    if (!entries)
        return fail(Errc::Malformed, "signatures is not a dictionary");
    if (entries->empty())
        return fail(Errc::Unsigned, "there is no signature");
    if (entries->size() > kMaxSignatures)
        return fail(Errc::TooLarge, std::to_string(entries->size()) + " signatures, 16 at most");
    Signatures signatures;
    for (const auto& [hex, entry] : *entries) {
        auto key = decodeKey(hex);
        if (!key)
            return tl::unexpected(std::move(key.error()));
        auto signature = decodeSignature(entry, *key);
        if (!signature)
            return tl::unexpected(std::move(signature.error()));
        signatures.emplace(*key, *signature);
    }
    return signatures;
}

Bytes Envelope::serialize() const
{
    bencode::Dict envelope;
    envelope.emplace("kind", kindName(kind));
    envelope.emplace("payload", payload);
    envelope.emplace("signatures", encodeSignatures(signatures));
    return bencode::encode(envelope);
}

Result<Envelope> Envelope::parse(ByteView bytes, std::size_t limit)
{
    auto value = bencode::decode(bytes, {.bytes = limit});
    if (!value)
        return fail(std::move(value.error()), "envelope");
    auto fields = bencode::DictReader::of(*value, "envelope");
    if (!fields)
        return tl::unexpected(std::move(fields.error()));
    auto name = fields->text("kind", 32);
    if (!name)
        return tl::unexpected(std::move(name.error()));
    const auto kind = kindNamed(*name);
    if (!kind)
        return fail(Errc::UnsupportedFormat, "envelope of unknown kind " + *name);
    // The signed message of a release covers `info` where BitTorrent clients find it: it has no second form.
    if (*kind == Kind::Release)
        return fail(Errc::Malformed, "a release does not travel in an envelope");
    auto payload = fields->bytes("payload", limit);
    if (!payload)
        return tl::unexpected(std::move(payload.error()));
    if (auto status = requireDictionary(*payload, limit); !status)
        return fail(std::move(status.error()), "envelope of kind " + *name);
    auto signatures = decodeSignatures(value->find("signatures"));
    if (!signatures)
        return fail(std::move(signatures.error()), "envelope of kind " + *name);
    // Nothing unsigned may carry meaning.
    if (fields->entries().size() != 3)
        return fail(Errc::Malformed, "envelope holds more than kind, payload and signatures");

    Envelope envelope;
    envelope.kind = *kind;
    envelope.payload = std::move(*payload);
    envelope.signatures = std::move(*signatures);
    return envelope;
}

Digest Envelope::payloadHash() const
{
    return crypto::sha256(payload);
}

void Envelope::sign(const FleetId& fleet, const crypto::SecretKey& key)
{
    signatures[key.id()] = key.sign(signedMessage(kind, fleet, payloadHash()));
}

} // namespace starling::trust
