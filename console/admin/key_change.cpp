// SPDX-License-Identifier: Apache-2.0
#include "admin/key_change.h"

#include "admin/signing.h"

#include <algorithm>

namespace starling::console {

namespace {

constexpr std::size_t kLeastDigits = 8; ///< as ids are shown in short
constexpr std::size_t kReleasesShown = 20; ///< guess: a list that is read

Result<std::vector<std::string>> requireRoles(const trust::RootDocument& root, const KeyId& key,
                                              const std::optional<KeyId>& to)
{
    auto roles = rolesOf(root, key);
    if (roles.empty())
        return fail(Errc::NotFound,
                    "root " + std::to_string(root.number) + " does not name key " + key.shortHex());
    if (to && *to == key)
        return fail(Errc::Usage, "a key does not follow itself");
    if (!to)
        return roles;
    // A key of the root role has no other, and the other way round.
    const auto others = rolesOf(root, *to);
    for (const std::string& role : roles)
        if (std::find(others.begin(), others.end(), role) != others.end())
            return fail(Errc::Usage, role + " has key " + to->shortHex() + " already");
    return roles;
}

bool isRoom(const trust::RootDocument& root, const std::string& name)
{
    trust::RootDocument copy = root;
    const auto role = roleNamed(copy, name);
    return role && (*role)->keys.size() > (*role)->threshold;
}

std::string countOf(const Holders& holders)
{
    return std::to_string(holders.trusting) + " of " + std::to_string(holders.devices) + " devices";
}

std::string joined(const std::vector<std::string>& items)
{
    std::string text;
    for (const std::string& item : items)
        text += (text.empty() ? "" : ", ") + item;
    return text;
}

} // namespace

std::set<std::uint64_t> rootsNaming(const trust::TrustSet& trust, const KeyId& key)
{
    std::set<std::uint64_t> numbers;
    for (const Bytes& bytes : trust.chain()) {
        const auto envelope = trust::Envelope::parse(bytes, trust::kMaxRootBytes);
        const auto root = envelope ? trust::RootDocument::parse(envelope->payload)
                                   : Result<trust::RootDocument>(tl::unexpected(envelope.error()));
        if (root && !rolesOf(*root, key).empty())
            numbers.insert(root->number);
    }
    return numbers;
}

Holders holdersOf(const std::vector<std::uint64_t>& rootsOfDevices, const std::set<std::uint64_t>& roots)
{
    return {
        rootsOfDevices.size(),
        static_cast<std::size_t>(std::count_if(rootsOfDevices.begin(), rootsOfDevices.end(),
                                               [&](std::uint64_t root) { return roots.contains(root); }))};
}

KeyImpact impactOf(const trust::TrustSet& trust, const KeyId& key,
                   const std::vector<std::uint64_t>& rootsOfDevices, const AuditTrail& trail)
{
    KeyImpact impact;
    impact.roles = rolesOf(trust.root(), key);
    for (const std::string& role : impact.roles)
        if (!isRoom(trust.root(), role))
            impact.blocked.push_back(role);
    impact.holders = holdersOf(rootsOfDevices, rootsNaming(trust, key));
    impact.newest = holdersOf(rootsOfDevices, {trust.root().number});
    for (auto line = trail.lines.rbegin(); line != trail.lines.rend(); ++line)
        if (line->entry.act == actName(Act::ReleaseSigned)
            && line->entry.detail.find(key.hex()) != std::string::npos
            && impact.releases.size() < kReleasesShown
            && std::find(impact.releases.begin(), impact.releases.end(), line->entry.scope)
                == impact.releases.end())
            impact.releases.push_back(line->entry.scope);
    return impact;
}

std::vector<std::string> textOf(const KeyImpact& impact)
{
    std::vector<std::string> lines{"It may sign for: " + joined(impact.roles) + "."};
    if (impact.holders.devices == 0)
        lines.push_back("How many devices trust it is not known: no receipt tells.");
    else
        lines.push_back(countOf(impact.holders) + " trust it now; " + countOf(impact.newest)
                        + " hold the newest root, by their signed receipts.");
    lines.push_back(
        impact.releases.empty() ? "The audit log here names no release that was signed with it."
                                : "Signed with it, by the audit log here: " + joined(impact.releases)
                + ". Where the key leaves, what then lacks signatures leaves all boards; floors stay.");
    if (!impact.blocked.empty())
        lines.push_back("Without another key in its place there are too few for: " + joined(impact.blocked)
                        + ".");
    return lines;
}

Result<RootChange> rotation(const trust::RootDocument& root, const KeyId& key, const KeyId& to)
{
    const auto roles = requireRoles(root, key, to);
    if (!roles)
        return tl::unexpected<Error>(roles.error());
    RootChange change;
    for (const std::string& role : *roles)
        change.added.push_back({role, to});
    return change;
}

Result<RootChange> removal(const trust::RootDocument& root, const KeyId& key, const std::optional<KeyId>& to,
                           Epochs epochs)
{
    const auto roles = requireRoles(root, key, to);
    if (!roles)
        return tl::unexpected<Error>(roles.error());
    RootChange change;
    for (const std::string& role : *roles) {
        change.dropped.push_back({role, key});
        if (to)
            change.added.push_back({role, *to});
        if (epochs == Epochs::Raise && role.starts_with("scope:"))
            change.raisedScopes.push_back(role.substr(role.find(':') + 1));
    }
    return change;
}

Result<Drafted> draftRoot(const trust::TrustSet& trust, const RootChange& change,
                          const std::filesystem::path& directory)
{
    const auto root = changedRoot(trust, change);
    if (!root)
        return fail(Error(root.error()), "the root after number " + std::to_string(trust.root().number));
    Drafted drafted{root->number,
                    directory / ("root-" + std::to_string(root->number) + ".request"),
                    {trust.fleet(), trust::Kind::Root, root->serialize(), {}}};
    // Signatures that others gave to the very same draft stay.
    if (const auto held = readRequest(drafted.file); held && held->payload == drafted.request.payload)
        drafted.request.signatures = held->signatures;
    if (auto written = writeRequest(drafted.file, drafted.request); !written)
        return fail(std::move(written.error()),
                    "another change is under way: sign and push that one, or delete it");
    return drafted;
}

Result<KeyId> keyNamed(const trust::RootDocument& root, const std::string& text)
{
    if (const auto key = KeyId::fromHex(text))
        return *key;
    std::set<KeyId> all = root.root.keys;
    all.insert(root.admit.keys.begin(), root.admit.keys.end());
    for (const trust::Scope& scope : root.scopes)
        all.insert(scope.role.keys.begin(), scope.role.keys.end());
    for (const auto& role : {root.observe, root.beacon})
        if (role)
            all.insert(role->keys.begin(), role->keys.end());
    std::vector<KeyId> meant;
    for (const KeyId& key : all)
        if (text.size() >= kLeastDigits && key.hex().starts_with(text))
            meant.push_back(key);
    if (meant.size() == 1)
        return meant.front();
    if (meant.size() > 1)
        return fail(Errc::Usage, "several keys begin with " + text);
    const auto file = inspectKeyFile(text);
    if (!file)
        return fail(Errc::Usage,
                    "'" + text
                        + "' is no key of the root (eight digits of its id, at least), and no key file: "
                        + file.error().context);
    return file->header.id;
}

} // namespace starling::console
