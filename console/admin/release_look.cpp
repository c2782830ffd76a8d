// SPDX-License-Identifier: Apache-2.0
#include "admin/release_look.h"

#include "admin/manifest.h"
#include "admin/release_work.h"

namespace starling::console {

namespace {

using Worth = SignatureLook::Worth;

bool isOfFleet(const trust::RootDocument& root, const KeyId& key)
{
    const auto has = [&key](const trust::Role& role) { return role.keys.contains(key); };
    return has(root.root) || has(root.admit) || (root.beacon && has(*root.beacon))
        || (root.observe && has(*root.observe))
        || std::any_of(root.scopes.begin(), root.scopes.end(),
                       [&](const trust::Scope& scope) { return has(scope.role); });
}

Worth worthOf(const KeyId& key, const release::SigningRequest& signedBytes, const trust::RootDocument& root,
              const trust::Scope* scope)
{
    if (scope != nullptr && scope->role.keys.contains(key))
        return signedBytes.verify(key) ? Worth::Counts : Worth::Invalid;
    return isOfFleet(root, key) ? Worth::OtherRole : Worth::Unknown;
}

} // namespace

Result<ReleaseLook> lookAtRelease(const std::filesystem::path& file, const trust::TrustSet* trust)
{
    auto torrent = readRelease(file);
    if (!torrent)
        return tl::unexpected<Error>(torrent.error());
    auto manifest = manifestOf(*torrent);
    if (!manifest)
        return tl::unexpected<Error>(manifest.error());
    ReleaseLook look{std::move(*torrent), std::move(*manifest), {}, {}, {}};
    for (const auto& [key, signature] : look.torrent.signatures)
        look.signatures.push_back({key, Worth::Unknown});
    if (trust == nullptr)
        return look;
    const auto request = release::SigningRequest::of(trust->fleet(), look.torrent);
    const trust::Scope* scope = trust->root().scopeFor(look.torrent.info.update.uri);
    for (SignatureLook& each : look.signatures)
        each.worth = worthOf(each.key, request, trust->root(), scope);
    if (auto counts = countSignatures(request, *trust))
        look.counts = std::move(*counts);
    if (const auto verified = release::verifyRelease(look.torrent, *trust); !verified)
        look.refusal = verified.error();
    return look;
}

} // namespace starling::console
