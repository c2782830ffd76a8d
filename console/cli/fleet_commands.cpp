// SPDX-License-Identifier: Apache-2.0
/// `starling fleet init`: a new fleet in a directory of its own (admin/founding.h).
#include "admin/founding.h"
#include "key_commands.h"
#include "note.h"
#include "passphrase.h"
#include "progress.h"
#include "report.h"

#include <QJsonArray>

namespace starling::cli {

namespace {

constexpr unsigned kMaxDevices = 4'096; ///< guess: more are admitted by request or token

struct InitOptions
{
    console::FleetPlan plan;
    std::string directory;
    std::vector<std::string> scopes;
    std::vector<std::string> labels;
    PassphraseSource passphrase;
};

Result<std::vector<ResourceUri>> scopesOf(const InitOptions& options)
{
    std::vector<ResourceUri> scopes;
    for (const std::string& text : options.scopes) {
        auto prefix = ResourceUri::parse(text);
        if (!prefix)
            return fail(std::move(prefix.error()), "--scope");
        scopes.push_back(std::move(*prefix));
    }
    return scopes;
}

Result<console::FleetPlan> planOf(const InitOptions& options)
{
    console::FleetPlan plan = options.plan;
    plan.directory = options.directory;
    auto scopes = scopesOf(options);
    if (!scopes)
        return tl::unexpected<Error>(scopes.error());
    plan.scopes = std::move(*scopes);
    auto labels = parseLabels(options.labels);
    if (!labels)
        return tl::unexpected<Error>(labels.error());
    plan.labels = std::move(*labels);
    return plan;
}

void showFleet(const CommandLine& line, const InitOptions& options, const console::NewFleet& fleet)
{
    if (line.json) {
        QJsonArray devices;
        for (const auto& [name, node] : fleet.devices)
            devices.append(QJsonObject{{QStringLiteral("name"), toQString(name)},
                                       {QStringLiteral("node"), toQString(node.hex())}});
        printJson({{QStringLiteral("fleet"), toQString(fleet.fleet.hex())},
                   {QStringLiteral("directory"), toQString(options.directory)},
                   {QStringLiteral("devices"), devices}});
    }
    say(line,
        "Fleet       " + fleet.fleet.hex() + "\nAnchor      " + options.directory
            + "/root.envelope  (goes onto every device)\nKeys        " + options.directory
            + "/keys  (sealed; root keys belong offline)\nDevices     " + std::to_string(fleet.devices.size())
            + " in " + options.directory + "/devices"
            + (fleet.devices.empty()
                   ? ""
                   : "\nObserver    " + fleet.devices.front().first + " collects the receipts of all for "
                       + std::to_string(console::kObserveDays) + " days"));
    if (options.plan.isLab)
        remark(line,
               "Warning: a lab fleet. One key may do everything in its role; whoever steals it can too.");
}

Result<Exit> initFleet(const CommandLine& line, const InitOptions& options)
{
    const auto plan = planOf(options);
    if (!plan)
        return fail(Error(plan.error()), "fleet init");
    std::optional<crypto::SecretText> passphrase;
    const bool asksPerRole = options.passphrase.fd < 0 && options.passphrase.file.empty();
    const auto passphraseFor = [&](const std::string& role) -> Result<const crypto::SecretText*> {
        if (!passphrase || asksPerRole) {
            auto text = readPassphrase(options.passphrase, "the " + role + " keys", Ask::Twice);
            if (!text)
                return tl::unexpected<Error>(text.error());
            passphrase.emplace(std::move(*text));
        }
        return &*passphrase;
    };
    std::optional<Progress> progress; // none while a passphrase is asked for
    const auto fleet = console::foundFleet(
        *plan,
        [&](const std::string& role) {
            progress.reset();
            return passphraseFor(role);
        },
        [&](const std::string& key, unsigned done, unsigned total) -> Status {
            if (!progress)
                progress.emplace(line, "Sealing keys", total);
            progress->update(done, key);
            return {};
        });
    progress.reset();
    if (!fleet)
        return fail(Error(fleet.error()), "fleet init");
    note(line, console::Act::FleetCreated, fleet->fleet.hex(), "directory " + options.directory);
    showFleet(line, options, *fleet);
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
    init->add_option("--devices", options->plan.devices, "How many device identities to make")
        ->check(CLI::Range(0u, kMaxDevices));
    init->add_option("--device-prefix", options->plan.prefix, "Devices are called PREFIX1, PREFIX2, …")
        ->capture_default_str();
    init->add_option("--scope", options->scopes, "Resource URI prefixes that the release keys may sign for")
        ->capture_default_str();
    init->add_option("--label", options->labels, "name=value labels in the certificates");
    init->add_flag(
        "--lab", options->plan.isLab,
        "One key for each role instead of root 2-of-3, release 2-of-3, admit 1-of-2; observe has one");
    auto cost = std::make_shared<crypto::KdfCost>(crypto::KdfCost::Moderate);
    addCostOption(*init, *cost);
    init->get_option("--cost")->description(
        "Seal all keys at this cost instead of root: sensitive (moderate in a lab), others: moderate");
    init->parse_complete_callback([options, cost, init] {
        if (init->get_option("--cost")->count() > 0)
            options->plan.cost = *cost;
    });
    options->passphrase.addTo(*init);
}

} // namespace starling::cli
