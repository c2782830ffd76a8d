// SPDX-License-Identifier: Apache-2.0
#include "admin/founding.h"

#include "crypto/noise.h"
#include "enrol/certificate.h"
#include "node/disk.h"
#include "release/release_info.h"

#include <algorithm>
#include <chrono>
#include <unistd.h>

namespace starling::console {

namespace fs = std::filesystem;

namespace {

/// How many keys a role has and how many must sign: trust.md's production defaults, or one key each in a lab.
struct RoleShape
{
    const char* name;
    unsigned keys, threshold;
    crypto::KdfCost cost;
};

std::vector<RoleShape> shapes(const FleetPlan& plan)
{
    const auto cost = [&](crypto::KdfCost usual) { return plan.cost.value_or(usual); };
    if (plan.isLab)
        return {{"root", 1, 1, cost(crypto::KdfCost::Moderate)},
                {"release", 1, 1, cost(crypto::KdfCost::Moderate)},
                {"admit", 1, 1, cost(crypto::KdfCost::Moderate)},
                {"observe", 1, 1, cost(crypto::KdfCost::Moderate)}};
    return {{"root", 3, 2, cost(crypto::KdfCost::Sensitive)},
            {"release", 3, 2, cost(crypto::KdfCost::Moderate)},
            {"admit", 2, 1, cost(crypto::KdfCost::Moderate)},
            {"observe", 1, 1, cost(crypto::KdfCost::Moderate)}};
}

struct MadeRole
{
    std::vector<crypto::SecretKey> keys;
    trust::Role role;
};

/// Everything of one fleet while it is made in a directory beside its final place.
struct Making
{
    fs::path directory;
    std::map<std::string, MadeRole> roles;
    NewFleet fleet;
    Bytes rootEnvelope;
};

/// Taken back in as an agent would: what no agent could read is never handed out.
Result<trust::Certificate> certificateOf(const FleetPlan& plan, const std::string& name, const NodeId& node,
                                         const LinkKey& linkKey)
{
    trust::Certificate certificate;
    certificate.node = node;
    certificate.linkKey = linkKey;
    certificate.name = name;
    certificate.labels = plan.labels;
    if (auto usable = enrol::requireUsable(certificate); !usable)
        return fail(Errc::Usage,
                    "no certificate for '" + name
                        + "' can be made with these names and labels: " + usable.error().context);
    return certificate;
}

/// "harbour/" names the same directory as "harbour", and what is made stands beside it.
fs::path targetOf(const FleetPlan& plan)
{
    return plan.directory.has_filename() ? plan.directory : plan.directory.parent_path();
}

Status makeKeys(const FleetPlan& plan, const PassphraseFor& passphraseFor, const SealWatch& watch,
                Making& making)
{
    const auto wanted = shapes(plan);
    unsigned total = 0, done = 0;
    for (const RoleShape& shape : wanted)
        total += shape.keys;
    for (const RoleShape& shape : wanted) {
        MadeRole& made = making.roles[shape.name];
        made.role.threshold = shape.threshold;
        const auto passphrase = passphraseFor(shape.name);
        if (!passphrase)
            return tl::unexpected<Error>(passphrase.error());
        for (unsigned i = 1; i <= shape.keys; ++i) {
            const std::string name =
                shape.keys == 1 ? shape.name : std::string(shape.name) + "-" + std::to_string(i);
            if (auto watched = watch(name, done++, total); !watched)
                return watched;
            crypto::SecretKey key = crypto::SecretKey::generate();
            if (auto written = writeSealedKey(making.directory / "keys" / (name + ".key"), key, **passphrase,
                                              shape.cost);
                !written)
                return written;
            made.role.keys.insert(key.id());
            made.keys.push_back(std::move(key));
        }
    }
    return {};
}

Status makeRoot(const FleetPlan& plan, Making& making)
{
    trust::RootDocument root;
    root.root = making.roles["root"].role;
    root.admit = making.roles["admit"].role;
    root.observe = making.roles["observe"].role;
    std::vector<ResourceUri> scopes = plan.scopes;
    std::sort(scopes.begin(), scopes.end());
    for (ResourceUri& prefix : scopes)
        root.scopes.push_back({std::move(prefix), making.roles["release"].role, 0});
    trust::Envelope envelope{trust::Kind::Root, root.serialize(), {}};
    for (const crypto::SecretKey& key : making.roles["root"].keys)
        envelope.sign(FleetId(), key); // the first root cannot name the fleet that it defines: trust.md
    making.rootEnvelope = envelope.serialize();
    // Taken back in as a device would, so that what cannot be used is never handed out.
    auto trust = trust::TrustSet::fromAnchor(making.rootEnvelope);
    if (!trust)
        return tl::unexpected<Error>(trust.error());
    making.fleet.fleet = trust->fleet();
    return node::writeFile(making.directory / "root.envelope", making.rootEnvelope, node::FileMode::Public);
}

/// Somebody has to be told how updates fare.
Status makeObserver(const Making& making, const NodeId& node, const fs::path& home)
{
    trust::Envelope envelope{
        trust::Kind::Subscription, subscriptionFor(node, {}, kObserveDays).serialize(), {}};
    envelope.sign(making.fleet.fleet, making.roles.at("observe").keys.front());
    return node::writeFile(home / "observer.subscription", envelope.serialize(), node::FileMode::Public);
}

Status makeDevice(const FleetPlan& plan, Making& making, const std::string& name)
{
    const crypto::SecretKey key = crypto::SecretKey::generate();
    auto node = NodeId::fromBytes(key.id().bytes());
    if (!node)
        return tl::unexpected<Error>(node.error());
    auto certificate = certificateOf(plan, name, *node, crypto::LinkKeyPair::of(key).publicKey());
    if (!certificate)
        return tl::unexpected<Error>(certificate.error());
    trust::Envelope envelope{trust::Kind::Admit, certificate->serialize(), {}};
    for (const crypto::SecretKey& admit : making.roles["admit"].keys)
        if (envelope.signatures.size() < making.roles["admit"].role.threshold)
            envelope.sign(making.fleet.fleet, admit);
    const fs::path home = making.directory / "devices" / name;
    std::error_code error;
    fs::create_directories(home, error);
    Bytes plain = crypto::plainKey(key);
    auto written = node::writeFile(home / "device.key", plain, node::FileMode::Private);
    std::fill(plain.begin(), plain.end(), std::byte{0});
    if (written)
        written = node::writeFile(home / "device.admit", envelope.serialize(), node::FileMode::Public);
    if (written)
        written = node::writeFile(home / "root.envelope", making.rootEnvelope, node::FileMode::Public);
    if (written && making.fleet.devices.empty())
        written = makeObserver(making, *node, home);
    making.fleet.devices.emplace_back(name, *node);
    return written;
}

Status make(const FleetPlan& plan, const PassphraseFor& passphraseFor, const SealWatch& watch, Making& making)
{
    if (auto keys = makeKeys(plan, passphraseFor, watch, making); !keys)
        return keys;
    if (auto root = makeRoot(plan, making); !root)
        return root;
    for (unsigned i = 1; i <= plan.devices; ++i)
        if (auto device = makeDevice(plan, making, plan.prefix + std::to_string(i)); !device)
            return device;
    return {};
}

} // namespace

Status requireSensible(const FleetPlan& plan)
{
    auto scopes = plan.scopes;
    std::sort(scopes.begin(), scopes.end());
    if (const auto twice = std::adjacent_find(scopes.begin(), scopes.end()); twice != scopes.end())
        return fail(Errc::Usage, "the scope " + twice->text() + " is given twice");
    const std::string longest = plan.prefix + std::to_string(std::max(1u, plan.devices));
    // The name is a directory's, too.
    if (auto safe = release::requireSafeName(longest); !safe)
        return fail(Errc::Usage, "the devices' names: " + safe.error().context);
    if (auto certificate = certificateOf(plan, longest, NodeId(), LinkKey()); !certificate)
        return tl::unexpected<Error>(certificate.error());
    std::error_code error;
    const fs::path target = targetOf(plan);
    if (fs::exists(fs::symlink_status(target, error)))
        return fail(Errc::AlreadyExists,
                    target.string() + ": a new fleet needs a directory that does not exist yet");
    return {};
}

Result<NewFleet> foundFleet(const FleetPlan& plan, const PassphraseFor& passphraseFor, const SealWatch& watch)
{
    if (auto sensible = requireSensible(plan); !sensible)
        return tl::unexpected<Error>(sensible.error());
    const fs::path target = targetOf(plan);
    Making making;
    making.directory = target.string() + ".making-" + std::to_string(::getpid());
    std::error_code error;
    fs::create_directories(making.directory / "keys", error);
    if (!error)
        fs::permissions(making.directory, fs::perms::owner_all, error);
    if (error)
        return tl::unexpected<Error>(node::diskError(error.value(), making.directory));
    auto made = make(plan, passphraseFor, watch, making);
    if (made) {
        fs::rename(making.directory, target, error);
        if (error)
            made = tl::unexpected<Error>(node::diskError(error.value(), target));
    }
    if (!made) {
        fs::remove_all(making.directory, error);
        return tl::unexpected<Error>(made.error());
    }
    return std::move(making.fleet);
}

trust::Subscription subscriptionFor(const NodeId& observer, std::optional<ResourceUri> scope, unsigned days,
                                    std::uint64_t sumsAbove)
{
    const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    const auto end = std::chrono::sys_seconds(today + std::chrono::days(days));
    trust::Subscription subscription;
    subscription.observer = observer;
    subscription.scope = std::move(scope);
    subscription.aggregateAbove = sumsAbove;
    subscription.expires = static_cast<std::uint64_t>(end.time_since_epoch().count());
    subscription.sequence =
        static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())
                                       .time_since_epoch()
                                       .count());
    return subscription;
}

} // namespace starling::console
