// SPDX-License-Identifier: Apache-2.0
/// `starling fleet init`: a new fleet in a directory of its own.
///
///     root.envelope              the trust anchor, for every device
///     keys/<role>-<n>.key        sealed
///     devices/<name>/device.key  the device's own key, 0600
///     devices/<name>/device.admit, devices/<name>/root.envelope
///     devices/<first>/observer.subscription   the first device collects the receipts of all
#include "crypto/noise.h"
#include "enrol/certificate.h"
#include "key_commands.h"
#include "node/disk.h"
#include "observe_command.h"
#include "passphrase.h"
#include "progress.h"
#include "release/release_info.h"
#include "report.h"
#include "trust/trust_set.h"

#include <QJsonArray>

#include <cstdio>
#include <unistd.h>

namespace starling::cli {

namespace fs = std::filesystem;

namespace {

constexpr unsigned kMaxDevices = 4'096; ///< guess: more are admitted by request or token
constexpr unsigned kObserveDays = 365; ///< guess: nobody has to think of it for a year

struct InitOptions
{
    std::string directory;
    unsigned devices = 0;
    std::string prefix = "device-";
    std::vector<std::string> scopes;
    std::vector<std::string> labels;
    bool lab = false;
    std::optional<crypto::KdfCost> cost;
    PassphraseSource passphrase;
};

/// How many keys a role has and how many must sign: trust.md's production defaults, or one key each in a lab.
struct RoleShape
{
    const char* name;
    unsigned keys, threshold;
    crypto::KdfCost cost;
};

std::vector<RoleShape> shapes(const InitOptions& options)
{
    const auto cost = [&](crypto::KdfCost usual) { return options.cost.value_or(usual); };
    if (options.lab)
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
    FleetId fleet;
    Bytes rootEnvelope;
    std::vector<std::pair<std::string, NodeId>> devices;
};

/// Taken back in as an agent would: what no agent could read is never handed out.
Result<trust::Certificate> certificateOf(const InitOptions& options, const std::string& name,
                                         const NodeId& node, const LinkKey& linkKey)
{
    trust::Certificate certificate;
    certificate.node = node;
    certificate.linkKey = linkKey;
    certificate.name = name;
    auto labels = parseLabels(options.labels);
    if (!labels)
        return tl::unexpected<Error>(labels.error());
    certificate.labels = std::move(*labels);
    if (auto usable = enrol::requireUsable(certificate); !usable)
        return fail(Errc::Usage,
                    "no certificate for '" + name
                        + "' can be made with these names and labels: " + usable.error().context);
    return certificate;
}

Result<std::vector<ResourceUri>> scopesOf(const InitOptions& options)
{
    std::vector<ResourceUri> scopes;
    for (const std::string& text : options.scopes) {
        auto prefix = ResourceUri::parse(text);
        if (!prefix)
            return fail(std::move(prefix.error()), "--scope");
        scopes.push_back(std::move(*prefix));
    }
    std::sort(scopes.begin(), scopes.end());
    if (const auto twice = std::adjacent_find(scopes.begin(), scopes.end()); twice != scopes.end())
        return fail(Errc::Usage, "--scope " + twice->text() + " is given twice");
    return scopes;
}

/// Before anybody types a passphrase or waits for keys to be sealed.
Status requireSensible(const InitOptions& options)
{
    if (auto scopes = scopesOf(options); !scopes)
        return tl::unexpected<Error>(scopes.error());
    const std::string longest = options.prefix + std::to_string(std::max(1u, options.devices));
    // The name is a directory's, too.
    if (auto safe = release::requireSafeName(longest); !safe)
        return fail(Errc::Usage, "--device-prefix: " + safe.error().context);
    if (auto certificate = certificateOf(options, longest, NodeId(), LinkKey()); !certificate)
        return tl::unexpected<Error>(certificate.error());
    return {};
}

Status makeKeys(const CommandLine& line, const InitOptions& options, Making& making)
{
    const auto wanted = shapes(options);
    std::uint64_t total = 0;
    for (const RoleShape& shape : wanted)
        total += shape.keys;
    std::optional<crypto::SecretText> passphrase;
    const bool asksPerRole = options.passphrase.fd < 0 && options.passphrase.file.empty();
    std::uint64_t done = 0;
    for (const RoleShape& shape : wanted) {
        MadeRole& made = making.roles[shape.name];
        made.role.threshold = shape.threshold;
        if (!passphrase || asksPerRole) {
            auto text =
                readPassphrase(options.passphrase, std::string("the ") + shape.name + " keys", Ask::Twice);
            if (!text)
                return tl::unexpected<Error>(text.error());
            passphrase.emplace(std::move(*text));
        }
        Progress progress(line, "Sealing keys", total);
        for (unsigned i = 1; i <= shape.keys; ++i) {
            progress.update(done++,
                            std::string(shape.name) + " " + std::to_string(i) + " of "
                                + std::to_string(shape.keys));
            crypto::SecretKey key = crypto::SecretKey::generate();
            const std::string name =
                shape.keys == 1 ? shape.name : std::string(shape.name) + "-" + std::to_string(i);
            if (auto written =
                    writeSealedKey(making.directory / "keys" / (name + ".key"), key, *passphrase, shape.cost);
                !written)
                return written;
            made.role.keys.insert(key.id());
            made.keys.push_back(std::move(key));
        }
    }
    return {};
}

Status makeRoot(const InitOptions& options, Making& making)
{
    trust::RootDocument root;
    root.root = making.roles["root"].role;
    root.admit = making.roles["admit"].role;
    root.observe = making.roles["observe"].role;
    auto scopes = scopesOf(options);
    if (!scopes)
        return tl::unexpected<Error>(scopes.error());
    for (ResourceUri& prefix : *scopes)
        root.scopes.push_back({std::move(prefix), making.roles["release"].role, 0});
    trust::Envelope envelope{trust::Kind::Root, root.serialize(), {}};
    for (const crypto::SecretKey& key : making.roles["root"].keys)
        envelope.sign(FleetId(), key); // the first root cannot name the fleet that it defines: trust.md
    making.rootEnvelope = envelope.serialize();
    // Taken back in as a device would, so that what cannot be used is never handed out.
    auto trust = trust::TrustSet::fromAnchor(making.rootEnvelope);
    if (!trust)
        return tl::unexpected<Error>(trust.error());
    making.fleet = trust->fleet();
    return node::writeFile(making.directory / "root.envelope", making.rootEnvelope, node::FileMode::Public);
}

/// Somebody has to be told how updates fare.
Status makeObserver(const Making& making, const NodeId& node, const fs::path& home)
{
    trust::Envelope envelope{
        trust::Kind::Subscription, subscriptionFor(node, {}, kObserveDays).serialize(), {}};
    envelope.sign(making.fleet, making.roles.at("observe").keys.front());
    return node::writeFile(home / "observer.subscription", envelope.serialize(), node::FileMode::Public);
}

Status makeDevice(const InitOptions& options, Making& making, const std::string& name)
{
    const crypto::SecretKey key = crypto::SecretKey::generate();
    auto node = NodeId::fromBytes(key.id().bytes());
    if (!node)
        return tl::unexpected<Error>(node.error());
    auto certificate = certificateOf(options, name, *node, crypto::LinkKeyPair::of(key).publicKey());
    if (!certificate)
        return tl::unexpected<Error>(certificate.error());
    trust::Envelope envelope{trust::Kind::Admit, certificate->serialize(), {}};
    for (const crypto::SecretKey& admit : making.roles["admit"].keys)
        if (envelope.signatures.size() < making.roles["admit"].role.threshold)
            envelope.sign(making.fleet, admit);
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
    if (written && making.devices.empty())
        written = makeObserver(making, *node, home);
    making.devices.emplace_back(name, *node);
    return written;
}

Status make(const CommandLine& line, const InitOptions& options, Making& making)
{
    if (auto keys = makeKeys(line, options, making); !keys)
        return keys;
    if (auto root = makeRoot(options, making); !root)
        return root;
    for (unsigned i = 1; i <= options.devices; ++i)
        if (auto device = makeDevice(options, making, options.prefix + std::to_string(i)); !device)
            return device;
    return {};
}

void showFleet(const CommandLine& line, const InitOptions& options, const Making& making)
{
    if (line.json) {
        QJsonArray devices;
        for (const auto& [name, node] : making.devices)
            devices.append(QJsonObject{{QStringLiteral("name"), toQString(name)},
                                       {QStringLiteral("node"), toQString(node.hex())}});
        printJson({{QStringLiteral("fleet"), toQString(making.fleet.hex())},
                   {QStringLiteral("directory"), toQString(options.directory)},
                   {QStringLiteral("devices"), devices}});
    }
    say(line,
        "Fleet       " + making.fleet.hex() + "\nAnchor      " + options.directory
            + "/root.envelope  (goes onto every device)\nKeys        " + options.directory
            + "/keys  (sealed; root keys belong offline)\nDevices     "
            + std::to_string(making.devices.size()) + " in " + options.directory + "/devices"
            + (making.devices.empty() ? ""
                                      : "\nObserver    " + making.devices.front().first
                       + " collects the receipts of all for " + std::to_string(kObserveDays) + " days"));
    if (options.lab)
        remark(line,
               "Warning: a lab fleet. One key may do everything in its role; whoever steals it can too.");
}

Result<Exit> initFleet(const CommandLine& line, const InitOptions& options)
{
    if (auto sensible = requireSensible(options); !sensible)
        return fail(std::move(sensible.error()), "fleet init");
    // "harbour/" names the same directory as "harbour", and what is made stands beside it.
    const fs::path given = options.directory;
    const fs::path target = given.has_filename() ? given : given.parent_path();
    std::error_code error;
    if (fs::exists(fs::symlink_status(target, error)))
        return fail(Errc::AlreadyExists,
                    target.string() + ": a new fleet needs a directory that does not exist yet");
    Making making;
    making.directory = target.string() + ".making-" + std::to_string(::getpid());
    fs::create_directories(making.directory / "keys", error);
    fs::permissions(making.directory, fs::perms::owner_all, error);
    if (error)
        return tl::unexpected<Error>(node::diskError(error.value(), making.directory));
    auto made = make(line, options, making);
    if (made) {
        fs::rename(making.directory, target, error);
        if (error)
            made = tl::unexpected<Error>(node::diskError(error.value(), target));
    }
    if (!made) {
        fs::remove_all(making.directory, error);
        return fail(std::move(made.error()), "fleet init");
    }
    showFleet(line, options, making);
    return Exit::Ok;
}

} // namespace

void addFleetCommands(CLI::App& app, CommandLine& line)
{
    CLI::App* group = app.add_subcommand("fleet", "Fleets: the devices that trust one root")
                          ->require_subcommand(1)
                          ->fallthrough();
    addObserveCommand(*group, line);
    auto options = std::make_shared<InitOptions>();
    options->scopes = {"fw"};
    CLI::App* init =
        addCommand(*group, line, "init", "Make a fleet: its keys, its root document, and device identities",
                   "  starling fleet init harbour --devices 4 --scope fw\n"
                   "  starling fleet init lab --lab --devices 2 --passphrase-file secret.txt",
                   [&line, options] { return initFleet(line, *options); });
    init->add_option("DIRECTORY", options->directory, "Where to make it; must not exist")->required();
    init->add_option("--devices", options->devices, "How many device identities to make")
        ->check(CLI::Range(0u, kMaxDevices));
    init->add_option("--device-prefix", options->prefix, "Devices are called PREFIX1, PREFIX2, …")
        ->capture_default_str();
    init->add_option("--scope", options->scopes, "Resource URI prefixes that the release keys may sign for")
        ->capture_default_str();
    init->add_option("--label", options->labels, "name=value labels in the certificates");
    init->add_flag(
        "--lab", options->lab,
        "One key for each role instead of root 2-of-3, release 2-of-3, admit 1-of-2; observe has one");
    auto cost = std::make_shared<crypto::KdfCost>(crypto::KdfCost::Moderate);
    addCostOption(*init, *cost);
    init->get_option("--cost")->description(
        "Seal all keys at this cost instead of root: sensitive (moderate in a lab), others: moderate");
    init->parse_complete_callback([options, cost, init] {
        if (init->get_option("--cost")->count() > 0)
            options->cost = *cost;
    });
    options->passphrase.addTo(*init);
}

} // namespace starling::cli
