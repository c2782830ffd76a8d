// SPDX-License-Identifier: Apache-2.0
#include "admin/fleet_keys.h"

#include "admin/key_change.h"
#include "control/client.h"
#include "enrol/fingerprint.h"
#include "node/disk.h"
#include "node/identity.h"

#include <algorithm>

namespace starling::console {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto kPatience = 3s; ///< guess: a local agent answers in milliseconds

std::string wordsOf(const KeyId& id)
{
    const auto node = NodeId::fromBytes(id.bytes());
    return node ? enrol::fingerprintOf(*node) : std::string();
}

void add(std::vector<FleetKey>& keys, const trust::Role& role, const char* name, const std::string& scope)
{
    for (const KeyId& id : role.keys) {
        auto held = std::find_if(keys.begin(), keys.end(), [&](const FleetKey& key) { return key.id == id; });
        if (held == keys.end())
            held = keys.insert(keys.end(), FleetKey{id, wordsOf(id), {}, {}, {}});
        held->duties.push_back({name, scope, role.threshold, role.keys.size()});
    }
}

void addFiles(FleetKeys& fleet, const fs::path& directory)
{
    const auto files = listKeyFiles(directory);
    if (!files)
        return; // a fleet whose keys are elsewhere
    for (const auto& [file, key] : *files) {
        if (!key) {
            fleet.unreadable.emplace_back(file, key.error());
            continue;
        }
        // Clang 14 does not capture structured bindings.
        const auto held =
            std::find_if(fleet.keys.begin(), fleet.keys.end(),
                         [&id = key->header.id](const FleetKey& each) { return each.id == id; });
        if (held == fleet.keys.end())
            fleet.strangers.push_back(*key);
        else if (!held->file)
            held->file = *key;
    }
}

Result<trust::TrustSet> askAgent(const QString& socket, const fs::path& anchor)
{
    auto agent = control::Client::connect(socket, kPatience);
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    const auto reply = agent->ask<control::TrustReply>(control::TrustRequest{KeyId()}, kPatience);
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    return trustOf(*reply, anchor);
}

FleetKeys keysOfAll(const trust::TrustSet& trust, const fs::path& directory)
{
    FleetKeys keys = keysOf(trust.root(), trust.fleet(), directory);
    for (FleetKey& key : keys.keys)
        key.roots = rootsNaming(trust, key.id);
    return keys;
}

std::string dutyText(const KeyDuty& duty)
{
    return duty.role + (duty.scope.empty() ? "" : " " + duty.scope) + " (" + std::to_string(duty.threshold)
        + " of " + std::to_string(duty.keys) + ")";
}

} // namespace

FleetKeys keysOf(const trust::RootDocument& root, const FleetId& fleet, const fs::path& directory)
{
    FleetKeys found;
    found.fleet = fleet;
    found.rootNumber = root.number;
    found.rootCreated = root.created;
    found.rootExpires = root.expires;
    add(found.keys, root.root, "root", {});
    for (const trust::Scope& scope : root.scopes)
        add(found.keys, scope.role, "release", std::string(scope.prefix.text()));
    add(found.keys, root.admit, "admit", {});
    if (root.observe)
        add(found.keys, *root.observe, "observe", {});
    if (root.beacon)
        add(found.keys, *root.beacon, "beacon", {});
    if (!directory.empty())
        for (const fs::path& place : {directory / "keys", directory})
            addFiles(found, place);
    return found;
}

Result<FleetKeys> readFleetKeys(const QString& socket, const fs::path& directory)
{
    const fs::path held = directory.empty() ? fs::path() : directory / "root.envelope";
    std::error_code error;
    const fs::path anchor = !held.empty() && fs::exists(held, error) ? held : fs::path();
    const auto told = askAgent(socket, anchor);
    if (told) {
        FleetKeys keys = keysOfAll(*told, directory);
        keys.isFromAgent = true;
        return keys;
    }
    if (anchor.empty())
        return fail(Errc::NotFound,
                    "no agent tells its root (" + told.error().context + "), and no fleet's root is here");
    const auto own = readRoot(anchor);
    if (!own)
        return fail(Error(own.error()), anchor.string());
    FleetKeys keys = keysOfAll(*own, directory);
    keys.trouble = told.error().context;
    return keys;
}

std::string publicText(const FleetKey& key, const FleetId& fleet)
{
    std::string text = "key    " + key.id.hex() + "\nwords  " + key.words + "\nfleet  " + fleet.hex() + "\n";
    for (const KeyDuty& duty : key.duties)
        text += "role   " + dutyText(duty) + "\n";
    return text;
}

Status exportPublic(const FleetKey& key, const FleetId& fleet, const fs::path& to)
{
    return node::writeFile(to, viewOf(publicText(key, fleet)), node::FileMode::Public, node::Existing::Keep);
}

Status backUpKey(const fs::path& file, const fs::path& to)
{
    const auto bytes = node::readKeyFile(file);
    if (!bytes)
        return fail(Error(bytes.error()), "key");
    const auto header = crypto::inspectKey(*bytes);
    if (!header)
        return fail(Error(header.error()), "key " + file.string());
    if (!header->isSealed)
        return fail(Errc::Refused, file.string() + " is not sealed: whoever has a copy has the key");
    if (auto written = node::writeFile(to, *bytes, node::FileMode::Private, node::Existing::Keep); !written)
        return written;
    const auto copy = node::readKeyFile(to);
    if (!copy || *copy != *bytes)
        return fail(Errc::Io, to.string() + " does not hold what was written");
    return {};
}

} // namespace starling::console
