// SPDX-License-Identifier: Apache-2.0
// The payload, canonical bencoding:
//
//     join        d 6:format i1e 6:labels d <key> <value> … e 4:link <32 bytes> 4:name <text> 4:node <32
//     bytes>
//                   [6:renews i<n>e] [5:token <16 bytes>] e
#include "trust/join.h"

#include "trust/fields.h"

namespace starling::trust {

namespace {

constexpr std::array<std::string_view, 8> kJoinKeys{"critical", "format", "labels", "link",
                                                    "name",     "node",   "renews", "token"};

Result<std::optional<TokenSecret>> readToken(const bencode::DictReader& from)
{
    std::optional<TokenSecret> token;
    if (!from.has("token"))
        return token;
    auto bytes = from.bytes("token", sizeof(TokenSecret));
    if (!bytes)
        return tl::unexpected(std::move(bytes.error()));
    if (bytes->size() != sizeof(TokenSecret))
        return fail(Errc::Malformed, "join.token has 16 bytes, not " + std::to_string(bytes->size()));
    token.emplace();
    std::copy(bytes->begin(), bytes->end(), token->begin());
    return token;
}

} // namespace

Bytes JoinRequest::serialize() const
{
    bencode::Dict encodedLabels;
    for (const auto& [key, value] : labels)
        encodedLabels.emplace(key, fields::text(value));
    bencode::Dict dict;
    dict.emplace("format", fields::kFormat);
    dict.emplace("labels", std::move(encodedLabels));
    dict.emplace("link", fields::id(linkKey));
    dict.emplace("name", fields::text(name));
    dict.emplace("node", fields::id(node));
    if (renews)
        dict.emplace("renews", fields::counter(*renews));
    if (token)
        dict.emplace("token", toBytes(ByteView(*token)));
    return bencode::encode(dict);
}

Result<JoinRequest> JoinRequest::parse(ByteView payload)
{
    auto value = bencode::decode(payload, {.bytes = kMaxJoinBytes});
    if (!value)
        return fail(std::move(value.error()), "join request");
    auto from = bencode::DictReader::of(*value, "join");
    if (!from)
        return tl::unexpected(std::move(from.error()));
    if (auto status = from->requireFormat(fields::kFormat, kJoinKeys); !status)
        return tl::unexpected(std::move(status.error()));
    auto node = fields::readId<NodeId>(*from, "node");
    if (!node)
        return tl::unexpected(std::move(node.error()));
    auto linkKey = fields::readId<LinkKey>(*from, "link");
    if (!linkKey)
        return tl::unexpected(std::move(linkKey.error()));
    if (linkKey->isZero())
        return fail(Errc::Malformed, "join.link is zero");
    auto name = from->text("name", fields::kMaxNameBytes);
    if (!name)
        return tl::unexpected(std::move(name.error()));
    if (name->empty())
        return fail(Errc::Malformed, "join.name is empty");
    auto labels = fields::readLabels(*from);
    if (!labels)
        return tl::unexpected(std::move(labels.error()));
    auto token = readToken(*from);
    if (!token)
        return tl::unexpected(std::move(token.error()));
    auto renews = fields::readOptionalCounter(*from, "renews");
    if (!renews)
        return tl::unexpected(std::move(renews.error()));
    return JoinRequest{*node, *linkKey, std::move(*name), std::move(*labels), *token, *renews};
}

bool JoinRequest::isForConsole() const
{
    const auto role = labels.find("role");
    return role != labels.end() && role->second == "console";
}

bool JoinRequest::isGrantedBy(const Certificate& certificate) const
{
    return certificate.node == node && certificate.linkKey == linkKey && certificate.name == name
        && certificate.labels == labels
        && (!renews || !certificate.notAfter || *certificate.notAfter > *renews);
}

Certificate JoinRequest::certificate(std::uint64_t admitEpoch) const
{
    return {node, linkKey, name, labels, std::nullopt, admitEpoch};
}

Bytes JoinRequest::seal(const FleetId& fleet, const crypto::SecretKey& key) const
{
    Envelope envelope{Kind::Join, serialize(), {}};
    envelope.sign(fleet, key);
    return envelope.serialize();
}

Result<JoinRequest> openJoinRequest(ByteView bytes, const FleetId& fleet)
{
    auto envelope = Envelope::parse(bytes, kMaxJoinBytes);
    if (!envelope)
        return fail(std::move(envelope.error()), "join request");
    if (envelope->kind != Kind::Join)
        return fail(Errc::Malformed,
                    "a join request is wanted, not one of kind " + std::string(kindName(envelope->kind)));
    auto request = JoinRequest::parse(envelope->payload);
    if (!request)
        return tl::unexpected(std::move(request.error()));
    if (envelope->signatures.size() != 1)
        return fail(Errc::TooLarge, "a join request carries one signature, the device's");
    const auto& [signer, signature] = *envelope->signatures.begin();
    if (!std::ranges::equal(signer.bytes(), request->node.bytes()))
        return fail(Errc::UnknownKey, "a join request signed by another key than its device's");
    if (auto valid =
            crypto::verify(signer, signedMessage(Kind::Join, fleet, envelope->payloadHash()), signature);
        !valid)
        return fail(std::move(valid.error()), "join request, damaged or for another fleet");
    return request;
}

} // namespace starling::trust
