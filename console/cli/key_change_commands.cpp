// SPDX-License-Identifier: Apache-2.0
/// `starling key rotate|retire|revoke`: another key in place of one, announced, then without the old one; or
/// at once.
#include "admin/key_change.h"
#include "admin/root_pushing.h"
#include "admin/signing.h"
#include "fleet_picture.h"
#include "key_commands.h"
#include "note.h"
#include "passphrase.h"
#include "report.h"

#include <QJsonArray>

namespace starling::cli {

namespace {

enum class KeyStep : std::uint8_t { Rotate, Retire, Revoke };

struct KeyStepOptions
{
    KeyStep step = KeyStep::Rotate;
    std::string key, successor, directory = ".";
    std::vector<std::string> signers;
    bool raisesEpochs = false, isPreview = false, isSure = false;
    PassphraseSource passphrase;
};

/// The roots of all devices that the agent knows; nothing if none answers.
std::vector<std::uint64_t> rootsOfDevices(const CommandLine& line)
{
    std::vector<std::uint64_t> roots;
    const auto reply = askDevices(line);
    if (!reply) {
        remark(line, plain("Note: no agent tells which root devices hold: " + toString(reply.error())));
        return roots;
    }
    for (const control::DeviceLine& device : reply->lines)
        roots.push_back(device.receipt.rootNumber);
    return roots;
}

Result<console::RootChange> changeFor(const KeyStepOptions& options, const trust::RootDocument& root,
                                      const KeyId& key)
{
    std::optional<KeyId> successor;
    if (!options.successor.empty()) {
        const auto named = console::keyNamed(root, options.successor);
        if (!named)
            return fail(Error(named.error()), "the new key");
        successor = *named;
    }
    if (options.step == KeyStep::Rotate)
        return console::rotation(root, key, *successor);
    return console::removal(root, key, successor,
                            options.raisesEpochs ? console::Epochs::Raise : console::Epochs::Keep);
}

/// A key is retired once every device that is known has heard of those that stay.
Status requireKnown(const KeyStepOptions& options, const console::KeyImpact& impact)
{
    if (options.step != KeyStep::Retire || options.isSure)
        return {};
    if (impact.newest.devices == 0 || impact.newest.trusting < impact.newest.devices)
        return fail(Errc::Refused,
                    std::to_string(impact.newest.trusting) + " of " + std::to_string(impact.newest.devices)
                        + " devices hold the newest root: wait for the others, or give --yes");
    return {};
}

void printImpact(const KeyId& key, const console::KeyImpact& impact)
{
    QJsonArray roles, releases;
    for (const std::string& role : impact.roles)
        roles.append(toQString(role));
    for (const std::string& each : impact.releases)
        releases.append(toQString(each));
    printJson({{QStringLiteral("key"), toQString(key.hex())},
               {QStringLiteral("roles"), roles},
               {QStringLiteral("devices"), jsonNumber(impact.holders.devices)},
               {QStringLiteral("devices_trusting"), jsonNumber(impact.holders.trusting)},
               {QStringLiteral("devices_with_newest_root"), jsonNumber(impact.newest.trusting)},
               {QStringLiteral("releases"), releases}});
}

/// Signs with the keys that were given, and writes the root once there are enough.
Result<Exit> signDraft(const CommandLine& line, const KeyStepOptions& options, const trust::TrustSet& trust,
                       console::Drafted drafted)
{
    std::string with;
    for (const std::string& file : options.signers) {
        const auto key = openKey(file, options.passphrase);
        if (!key)
            return tl::unexpected<Error>(key.error());
        if (auto done = console::sign(drafted.request, trust, *key); !done)
            return tl::unexpected<Error>(done.error());
        with += "key " + key->id().hex() + ", ";
    }
    if (auto written = console::writeRequest(drafted.file, drafted.request); !written)
        return tl::unexpected<Error>(written.error());
    if (!with.empty())
        note(line, console::Act::RootSigned, console::subjectOf(drafted.request),
             with + "payload " + drafted.request.payloadHash().hex());
    const auto counts = console::countSignatures(drafted.request, trust);
    if (!counts)
        return tl::unexpected<Error>(counts.error());
    const bool isEnough = console::isEnough(*counts);
    const std::string root = console::rootFile(options.directory, drafted.number).string();
    if (isEnough)
        if (auto kept = console::keepRoot(
                {trust::Kind::Root, drafted.request.payload, drafted.request.signatures}, options.directory);
            !kept)
            return tl::unexpected<Error>(kept.error());
    if (line.json)
        printJson({{QStringLiteral("root"), jsonNumber(drafted.number)},
                   {QStringLiteral("file"), toQString(isEnough ? root : drafted.file.string())},
                   {QStringLiteral("threshold_reached"), isEnough}});
    for (const std::string& text : console::textOf(*counts))
        say(line, plain("Signatures  " + text));
    say(line,
        plain(isEnough
                  ? "Written     " + root + "  (spread it: starling root push " + root + ")"
                  : "Written     " + drafted.file.string() + "  (others sign it: starling request sign)"));
    return isEnough ? Exit::Ok : Exit::Partial;
}

Result<Exit> changeKey(const CommandLine& line, const KeyStepOptions& options)
{
    const auto trust = readRoot(console::rootFile(options.directory, 1));
    if (!trust)
        return tl::unexpected<Error>(trust.error());
    const auto key = console::keyNamed(trust->root(), options.key);
    if (!key)
        return tl::unexpected<Error>(key.error());
    const auto change = changeFor(options, trust->root(), *key);
    if (!change)
        return tl::unexpected<Error>(change.error());
    const auto trail = console::AuditLog().read();
    const auto impact =
        console::impactOf(*trust, *key, rootsOfDevices(line), trail.value_or(console::AuditTrail{}));
    for (const std::string& text : console::textOf(impact))
        say(line, plain(text));
    const auto next = console::changedRoot(*trust, *change);
    if (!next)
        return tl::unexpected<Error>(next.error());
    say(line, "Root " + std::to_string(next->number) + ":");
    for (const std::string& difference : console::differencesOf(trust->root(), *next))
        say(line, plain("  " + difference));
    if (options.isPreview) {
        if (line.json)
            printImpact(*key, impact);
        return Exit::Ok;
    }
    if (auto known = requireKnown(options, impact); !known)
        return tl::unexpected<Error>(known.error());
    if (options.step == KeyStep::Revoke && !options.isSure) {
        const auto isWanted = confirm("Revoke key " + key->shortHex() + "?");
        if (!isWanted || !*isWanted)
            return isWanted ? fail(Errc::Cancelled, "nothing was signed")
                            : tl::unexpected<Error>(Error{Errc::Usage,
                                                          "there is no terminal to ask on: look at "
                                                          "--preview, then give --yes"});
    }
    auto drafted = console::draftRoot(*trust, *change, options.directory);
    if (!drafted)
        return tl::unexpected<Error>(drafted.error());
    return signDraft(line, options, *trust, std::move(*drafted));
}

std::shared_ptr<KeyStepOptions> addStep(CLI::App& group, CommandLine& line, KeyStep step, const char* name,
                                        const char* help, const char* example, CLI::App** command)
{
    auto options = std::make_shared<KeyStepOptions>();
    options->step = step;
    *command = addCommand(group, line, name, help, example, [&line, options, name]() -> Result<Exit> {
        auto ended = changeKey(line, *options);
        if (!ended)
            return fail(std::move(ended.error()), std::string("key ") + name);
        return ended;
    });
    (*command)->add_option("KEY", options->key, "Its id, eight digits of that, or its file")->required();
    (*command)
        ->add_option("--fleet", options->directory,
                     "The fleet's directory, with root.envelope and later roots")
        ->capture_default_str();
    (*command)->add_option("--key", options->signers,
                           "Key file of the root role; may be given several times. Others sign by file");
    (*command)->add_flag("--preview", options->isPreview, "Say what it means for the fleet, and do nothing");
    options->passphrase.addToOpening(**command);
    return options;
}

} // namespace

void addKeyChangeCommands(CLI::App& group, CommandLine& line)
{
    CLI::App* command = nullptr;
    auto options = addStep(group, line, KeyStep::Rotate, "rotate", "Announce another key beside one",
                           "  starling key rotate 4f1c0d22 --new release-4.key --fleet harbour --key "
                           "harbour/keys/root-1.key --key harbour/keys/root-2.key",
                           &command);
    command->add_option("--new", options->successor, "The key that follows: its id or its file")->required();

    options =
        addStep(group, line, KeyStep::Retire, "retire",
                "Drop a key that has a successor, once every device knows that",
                "  starling key retire 4f1c0d22 --fleet harbour --key harbour/keys/root-1.key", &command);
    command->add_flag("--yes", options->isSure, "Also while devices do not hold the newest root");

    options =
        addStep(group, line, KeyStep::Revoke, "revoke", "Drop a key at once: it is lost or stolen",
                "  starling key revoke 4f1c0d22 --new release-4.key --raise-epoch --fleet harbour --key "
                "harbour/keys/root-1.key --key harbour/keys/root-2.key",
                &command);
    command->add_option("--new", options->successor, "A key that takes its place: its id or its file");
    command->add_flag("--raise-epoch", options->raisesEpochs,
                      "Versions of its scopes begin anew: it may have signed a high one");
    command->add_flag("--yes", options->isSure, "Without being asked");
}

} // namespace starling::cli
