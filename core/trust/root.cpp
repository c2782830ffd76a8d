// SPDX-License-Identifier: Apache-2.0
// The payload of a root, canonical bencoding; every dictionary's keys in bytewise order:
//
//     d 5:admit <role> 11:admit-epoch <n> [6:beacon <role>] [7:created <n>] [7:expires <n>] 6:format i1e
//       6:number <n> [7:observe <role>] [8:previous <32 bytes>] 4:root <role> 6:scopes l <scope> … e e
//     role  = d 4:keys l <32 bytes> … e 9:threshold <n> e
//     scope = d 5:epoch <n> 4:keys l <32 bytes> … e 6:prefix <uri> 9:threshold <n> e
//
// What is optional is left out rather than empty, so that a document has one form only.
#include "trust/root.h"

#include "trust/fields.h"

#include <algorithm>
#include <limits>

namespace starling::trust {

namespace {

constexpr std::size_t kMaxRoleKeys = 16; ///< trust.md: as many as there can be signatures
constexpr std::size_t kMaxScopes = 512; ///< guess: leaves 128 of a root's 64 KiB to each

constexpr std::array<std::string_view, 12> kKnownKeys{
    "admit",  "admit-epoch", "beacon",  "created",  "critical", "expires",
    "format", "number",      "observe", "previous", "root",     "scopes",
};

bencode::Dict encodeRole(const Role& role)
{
    bencode::List keys;
    for (const KeyId& key : role.keys)
        keys.push_back(fields::id(key));
    bencode::Dict dict;
    dict.emplace("keys", std::move(keys));
    dict.emplace("threshold", fields::counter(role.threshold));
    return dict;
}

Result<std::set<KeyId>> decodeKeys(const bencode::DictReader& role)
{
    auto list = role.list("keys", kMaxRootBytes);
    if (!list)
        return tl::unexpected(std::move(list.error()));
    if ((*list)->size() > kMaxRoleKeys)
        return fail(Errc::InvalidRoot, role.name() + " has more than 16 keys");
    std::set<KeyId> keys;
    for (const bencode::Value& item : **list) {
        const bencode::String* bytes = item.string();
        if (!bytes)
            return fail(Errc::Malformed, role.name() + ".keys holds what is not a string");
        auto key = KeyId::fromBytes(*bytes);
        if (!key)
            return fail(std::move(key.error()), role.name() + ".keys");
        if (!keys.empty() && !(*keys.rbegin() < *key))
            return fail(Errc::InvalidRoot, role.name() + ".keys are not strictly ascending");
        keys.insert(*key);
    }
    return keys;
}

Result<Role> decodeRole(const bencode::DictReader& dict)
{
    auto keys = decodeKeys(dict);
    if (!keys)
        return tl::unexpected(std::move(keys.error()));
    auto threshold = dict.integer("threshold", std::numeric_limits<bencode::Integer>::min(),
                                  std::numeric_limits<bencode::Integer>::max());
    if (!threshold)
        return tl::unexpected(std::move(threshold.error()));
    if (*threshold < 1 || *threshold > static_cast<bencode::Integer>(keys->size()))
        return fail(Errc::InvalidRoot,
                    dict.name() + ": threshold " + std::to_string(*threshold) + " of "
                        + std::to_string(keys->size()) + " keys");
    return Role{std::move(*keys), static_cast<std::uint32_t>(*threshold)};
}

Result<Role> readRole(const bencode::DictReader& root, std::string_view key)
{
    auto dict = root.dict(key);
    if (!dict)
        return tl::unexpected(std::move(dict.error()));
    return decodeRole(*dict);
}

Result<std::optional<Role>> readOptionalRole(const bencode::DictReader& root, std::string_view key)
{
    if (!root.has(key))
        return std::optional<Role>();
    auto role = readRole(root, key);
    if (!role)
        return tl::unexpected(std::move(role.error()));
    return std::optional<Role>(std::move(*role));
}

Result<Scope> decodeScope(const bencode::Value& value, std::string name)
{
    auto dict = bencode::DictReader::of(value, std::move(name));
    if (!dict)
        return tl::unexpected(std::move(dict.error()));
    auto prefix = fields::readUri(*dict, "prefix");
    if (!prefix)
        return tl::unexpected(std::move(prefix.error()));
    auto role = decodeRole(*dict);
    if (!role)
        return tl::unexpected(std::move(role.error()));
    auto epoch = fields::readCounter(*dict, "epoch");
    if (!epoch)
        return tl::unexpected(std::move(epoch.error()));
    return Scope{std::move(*prefix), std::move(*role), *epoch};
}

Result<std::vector<Scope>> readScopes(const bencode::DictReader& root)
{
    auto list = root.list("scopes", kMaxScopes);
    if (!list)
        return tl::unexpected(std::move(list.error()));
    std::vector<Scope> scopes;
    for (const bencode::Value& item : **list) {
        auto scope = decodeScope(item, root.name() + ".scopes[" + std::to_string(scopes.size()) + "]");
        if (!scope)
            return tl::unexpected(std::move(scope.error()));
        if (!scopes.empty() && !(scopes.back().prefix < scope->prefix))
            return fail(Errc::InvalidRoot,
                        "root.scopes: " + scope->prefix.text() + " is unsorted or there twice");
        scopes.push_back(std::move(*scope));
    }
    return scopes;
}

/// Zero stands for none; written as 32 zero bytes it would be a second form of the same document.
Result<Digest> readPrevious(const bencode::DictReader& root, std::uint64_t number)
{
    if (root.has("previous") != (number > 1))
        return fail(Errc::InvalidRoot,
                    number > 1 ? "root.previous is missing" : "root.previous in the first root");
    if (number == 1)
        return Digest();
    auto previous = fields::readId<Digest>(root, "previous");
    if (previous && previous->isZero())
        return fail(Errc::InvalidRoot, "root.previous is zero");
    return previous;
}

/// A root key is offline; in a second role it would be used, and stolen, more easily.
Status requireSeparateRootKeys(const RootDocument& document)
{
    const auto shared = [&](const Role& role) {
        return std::any_of(role.keys.begin(), role.keys.end(),
                           [&](const KeyId& key) { return document.root.keys.contains(key); });
    };
    if (shared(document.admit))
        return fail(Errc::InvalidRoot, "a root key is in role admit");
    if (document.beacon && shared(*document.beacon))
        return fail(Errc::InvalidRoot, "a root key is in role beacon");
    if (document.observe && shared(*document.observe))
        return fail(Errc::InvalidRoot, "a root key is in role observe");
    for (const Scope& scope : document.scopes)
        if (shared(scope.role))
            return fail(Errc::InvalidRoot, "a root key is in scope " + scope.prefix.text());
    return {};
}

Status readRoles(const bencode::DictReader& from, RootDocument& into)
{
    auto root = readRole(from, "root");
    if (!root)
        return tl::unexpected(std::move(root.error()));
    auto admit = readRole(from, "admit");
    if (!admit)
        return tl::unexpected(std::move(admit.error()));
    auto beacon = readOptionalRole(from, "beacon");
    if (!beacon)
        return tl::unexpected(std::move(beacon.error()));
    auto observe = readOptionalRole(from, "observe");
    if (!observe)
        return tl::unexpected(std::move(observe.error()));
    auto scopes = readScopes(from);
    if (!scopes)
        return tl::unexpected(std::move(scopes.error()));
    if (admit->threshold > kMaxCertificateSignatures)
        return fail(Errc::InvalidRoot, "root.admit: a certificate carries at most 3 signatures");
    into.root = std::move(*root);
    into.admit = std::move(*admit);
    into.beacon = std::move(*beacon);
    into.observe = std::move(*observe);
    into.scopes = std::move(*scopes);
    return requireSeparateRootKeys(into);
}

} // namespace

Bytes RootDocument::serialize() const
{
    bencode::Dict dict;
    dict.emplace("format", fields::kFormat);
    dict.emplace("number", fields::counter(number));
    if (!previous.isZero())
        dict.emplace("previous", fields::id(previous));
    if (created)
        dict.emplace("created", fields::counter(*created));
    if (expires)
        dict.emplace("expires", fields::counter(*expires));
    dict.emplace("root", encodeRole(root));
    dict.emplace("admit", encodeRole(admit));
    if (beacon)
        dict.emplace("beacon", encodeRole(*beacon));
    if (observe)
        dict.emplace("observe", encodeRole(*observe));
    bencode::List list;
    for (const Scope& scope : scopes) {
        bencode::Dict entry = encodeRole(scope.role);
        entry.emplace("prefix", fields::text(scope.prefix.text()));
        entry.emplace("epoch", fields::counter(scope.epoch));
        list.push_back(std::move(entry));
    }
    dict.emplace("scopes", std::move(list));
    dict.emplace("admit-epoch", fields::counter(admitEpoch));
    return bencode::encode(dict);
}

Result<RootDocument> RootDocument::parse(ByteView payload)
{
    auto value = bencode::decode(payload, {.bytes = kMaxRootBytes});
    if (!value)
        return fail(std::move(value.error()), "root");
    auto from = bencode::DictReader::of(*value, "root");
    if (!from)
        return tl::unexpected(std::move(from.error()));
    if (auto status = from->requireFormat(fields::kFormat, kKnownKeys); !status)
        return tl::unexpected(std::move(status.error()));

    RootDocument document;
    auto number = fields::readCounter(*from, "number");
    if (!number)
        return tl::unexpected(std::move(number.error()));
    if (*number == 0)
        return fail(Errc::InvalidRoot, "root.number is 0, the first is 1");
    document.number = *number;
    auto previous = readPrevious(*from, *number);
    if (!previous)
        return tl::unexpected(std::move(previous.error()));
    document.previous = *previous;
    auto created = fields::readOptionalCounter(*from, "created");
    if (!created)
        return tl::unexpected(std::move(created.error()));
    document.created = *created;
    auto expires = fields::readOptionalCounter(*from, "expires");
    if (!expires)
        return tl::unexpected(std::move(expires.error()));
    document.expires = *expires;
    auto admitEpoch = fields::readCounter(*from, "admit-epoch");
    if (!admitEpoch)
        return tl::unexpected(std::move(admitEpoch.error()));
    document.admitEpoch = *admitEpoch;
    if (auto status = readRoles(*from, document); !status)
        return tl::unexpected(std::move(status.error()));
    return document;
}

const Scope* RootDocument::scopeFor(const ResourceUri& uri) const
{
    const Scope* longest = nullptr;
    for (const Scope& scope : scopes)
        if (uri.isWithin(scope.prefix)
            && (!longest || scope.prefix.text().size() > longest->prefix.text().size()))
            longest = &scope;
    return longest;
}

} // namespace starling::trust
