// SPDX-License-Identifier: Apache-2.0
#include "admin/root_change.h"

#include <algorithm>

namespace starling::console {

namespace {

using Roles = std::vector<std::pair<std::string, const trust::Role*>>;

Roles rolesIn(const trust::RootDocument& root)
{
    Roles roles{{"root", &root.root}};
    for (const trust::Scope& scope : root.scopes)
        roles.emplace_back("scope:" + std::string(scope.prefix.text()), &scope.role);
    roles.emplace_back("admit", &root.admit);
    if (root.observe)
        roles.emplace_back("observe", &*root.observe);
    if (root.beacon)
        roles.emplace_back("beacon", &*root.beacon);
    return roles;
}

const trust::Role* find(const Roles& roles, const std::string& name)
{
    const auto held =
        std::find_if(roles.begin(), roles.end(), [&](const auto& role) { return role.first == name; });
    return held == roles.end() ? nullptr : held->second;
}

std::uint64_t epochOf(const trust::RootDocument& root, const trust::Scope& scope)
{
    const auto held = std::find_if(root.scopes.begin(), root.scopes.end(),
                                   [&](const trust::Scope& each) { return each.prefix == scope.prefix; });
    return held == root.scopes.end() ? 0 : held->epoch;
}

void addRole(std::vector<std::string>& lines, const std::string& name, const trust::Role* before,
             const trust::Role* after)
{
    if (after == nullptr)
        return lines.push_back(name + ": the role is gone");
    for (const KeyId& key : after->keys)
        if (before == nullptr || !before->keys.contains(key))
            lines.push_back(name + ": key " + key.hex() + " joins");
    if (before == nullptr)
        return lines.push_back(name + ": a role of its own, of which " + std::to_string(after->threshold)
                               + " must sign");
    for (const KeyId& key : before->keys)
        if (!after->keys.contains(key))
            lines.push_back(name + ": key " + key.hex() + " leaves");
    if (before->threshold != after->threshold)
        lines.push_back(name + ": " + std::to_string(after->threshold) + " of "
                        + std::to_string(after->keys.size()) + " must sign, instead of "
                        + std::to_string(before->threshold) + " of " + std::to_string(before->keys.size()));
}

Status changeKeys(trust::RootDocument& root, const std::vector<RoleKey>& keys, bool isAdded)
{
    for (const RoleKey& each : keys) {
        auto role = roleNamed(root, each.role);
        if (!role)
            return tl::unexpected<Error>(role.error());
        const bool isChange =
            isAdded ? (*role)->keys.insert(each.key).second : (*role)->keys.erase(each.key) == 1;
        if (!isChange)
            return fail(Errc::Usage,
                        each.role + "=" + each.key.hex()
                            + (isAdded ? ": the role has this key" : ": the role has no such key"));
    }
    return {};
}

Status raiseEpochs(trust::RootDocument& root, const RootChange& change)
{
    if (change.raisesAdmitEpoch)
        ++root.admitEpoch;
    for (const std::string& prefix : change.raisedScopes) {
        const auto scope =
            std::find_if(root.scopes.begin(), root.scopes.end(),
                         [&](const trust::Scope& each) { return each.prefix.text() == prefix; });
        if (scope == root.scopes.end())
            return fail(Errc::Usage, "the root has no scope '" + prefix + "'");
        ++scope->epoch;
    }
    return {};
}

} // namespace

Result<trust::Role*> roleNamed(trust::RootDocument& root, const std::string& name)
{
    if (name == "root")
        return &root.root;
    if (name == "admit")
        return &root.admit;
    if (name == "observe")
        return &(root.observe ? *root.observe : root.observe.emplace());
    if (name == "beacon" && root.beacon)
        return &*root.beacon;
    for (trust::Scope& scope : root.scopes)
        if (name == "scope:" + std::string(scope.prefix.text()))
            return &scope.role;
    return fail(Errc::Usage, "'" + name + "' is no role: root, admit, observe or scope:PREFIX");
}

std::vector<std::string> rolesOf(const trust::RootDocument& root, const KeyId& key)
{
    std::vector<std::string> names;
    for (const auto& [name, role] : rolesIn(root))
        if (role->keys.contains(key))
            names.push_back(name);
    return names;
}

Result<trust::RootDocument> changedRoot(const trust::TrustSet& trust, const RootChange& change)
{
    const auto newest = trust::Envelope::parse(trust.chain().back(), trust::kMaxRootBytes);
    if (!newest)
        return tl::unexpected<Error>(newest.error());
    trust::RootDocument root = trust.root();
    ++root.number;
    root.previous = newest->payloadHash();
    for (const bool isAdded : {true, false})
        if (auto changed = changeKeys(root, isAdded ? change.added : change.dropped, isAdded); !changed)
            return tl::unexpected<Error>(changed.error());
    for (const auto& [name, threshold] : change.thresholds) {
        auto role = roleNamed(root, name);
        if (!role)
            return tl::unexpected<Error>(role.error());
        (*role)->threshold = threshold;
    }
    if (auto raised = raiseEpochs(root, change); !raised)
        return tl::unexpected<Error>(raised.error());
    // By the very rules that a device goes by.
    return trust::RootDocument::parse(root.serialize());
}

std::vector<std::string> differencesOf(const trust::RootDocument& previous, const trust::RootDocument& next)
{
    std::vector<std::string> lines;
    const Roles before = rolesIn(previous), after = rolesIn(next);
    for (const auto& [name, role] : after)
        addRole(lines, name, find(before, name), role);
    for (const auto& [name, role] : before)
        if (find(after, name) == nullptr)
            addRole(lines, name, role, nullptr);
    for (const trust::Scope& scope : next.scopes)
        if (const std::uint64_t epoch = epochOf(previous, scope); epoch != scope.epoch)
            lines.push_back("scope:" + std::string(scope.prefix.text()) + ": epoch "
                            + std::to_string(scope.epoch) + " instead of " + std::to_string(epoch)
                            + ": versions begin anew");
    if (previous.admitEpoch != next.admitEpoch)
        lines.push_back("admit epoch " + std::to_string(next.admitEpoch) + " instead of "
                        + std::to_string(previous.admitEpoch) + ": all certificates and deny lists end");
    if (previous.expires != next.expires)
        lines.push_back(
            "to be renewed by "
            + (next.expires ? std::to_string(*next.expires) + " s since 1970" : std::string("no day")));
    return lines;
}

std::string manifestOf(const trust::RootDocument& root)
{
    std::string text =
        "root          " + std::to_string(root.number) + "\nprevious      " + root.previous.hex() + '\n';
    if (root.created)
        text += "created       " + std::to_string(*root.created) + " s since 1970\n";
    if (root.expires)
        text += "renew by      " + std::to_string(*root.expires) + " s since 1970\n";
    text += "admit epoch   " + std::to_string(root.admitEpoch) + '\n';
    for (const trust::Scope& scope : root.scopes)
        text += "scope         " + std::string(scope.prefix.text()) + ", epoch " + std::to_string(scope.epoch)
            + '\n';
    for (const auto& [name, role] : rolesIn(root)) {
        text += '\n' + name + ": " + std::to_string(role->threshold) + " of "
            + std::to_string(role->keys.size()) + " must sign\n";
        for (const KeyId& key : role->keys)
            text += "  " + key.hex() + '\n';
    }
    return text;
}

std::filesystem::path rootFile(const std::filesystem::path& directory, std::uint64_t number)
{
    return directory
        / (number == 1 ? std::string("root.envelope") : "root-" + std::to_string(number) + ".envelope");
}

} // namespace starling::console
