// SPDX-License-Identifier: Apache-2.0
#include "key_commands.h"

#include "admin/fleet_keys.h"
#include "note.h"
#include "passphrase.h"
#include "report.h"

#include <QJsonArray>

namespace starling::cli {

namespace fs = std::filesystem;

namespace {

struct NewKey
{
    std::string file;
    crypto::KdfCost cost = crypto::KdfCost::Moderate;
    PassphraseSource passphrase;
};

QJsonObject keyJson(const fs::path& file, const crypto::KeyFileHeader& header)
{
    return {{QStringLiteral("file"), toQString(file.string())},
            {QStringLiteral("key"), toQString(header.id.hex())},
            {QStringLiteral("sealed"), header.isSealed}};
}

Result<Exit> makeKey(const CommandLine& line, const NewKey& options)
{
    std::error_code error;
    if (fs::exists(fs::symlink_status(options.file, error)))
        return fail(Errc::AlreadyExists, "key new: " + options.file);
    auto passphrase = readPassphrase(options.passphrase, "the new key", Ask::Twice);
    if (!passphrase)
        return fail(std::move(passphrase.error()), "key new");
    const crypto::SecretKey key = crypto::SecretKey::generate();
    if (auto written = writeSealedKey(options.file, key, *passphrase, options.cost); !written)
        return fail(std::move(written.error()), "key new");
    note(line, console::Act::KeyMade, key.id().hex(), "file " + options.file);
    if (line.json)
        printJson(keyJson(options.file, {key.id(), true}));
    say(line,
        "Key         " + key.id().hex() + "\nSealed in   " + options.file
            + "\nKeep a copy elsewhere: without this file and its passphrase nobody can sign with it.");
    return Exit::Ok;
}

Result<Exit> showKey(const CommandLine& line, const std::string& file)
{
    const auto key = console::inspectKeyFile(file);
    if (!key)
        return fail(Error(key.error()), "key show");
    if (line.json)
        printJson(keyJson(file, key->header));
    say(line,
        "Key         " + key->header.id.hex() + "\nFile        " + file
            + (key->header.isSealed ? "  (sealed)" : "  (not sealed: a device's own key)"));
    return Exit::Ok;
}

Result<Exit> listKeys(const CommandLine& line, const std::string& directory)
{
    const auto files = console::listKeyFiles(directory);
    if (!files)
        return tl::unexpected<Error>(files.error());
    QJsonArray keys;
    std::size_t broken = 0;
    for (const auto& [file, key] : *files) {
        if (!key) {
            ++broken;
            remark(line, plain(file.string() + ": " + toString(key.error())));
            continue;
        }
        keys.append(keyJson(file, key->header));
        say(line,
            key->header.id.hex() + "  " + (key->header.isSealed ? "sealed  " : "plain   ")
                + plain(file.filename().string()));
    }
    if (files->empty())
        say(line, "No key in " + directory + ". Make one: starling key new " + directory + "/release.key");
    if (line.json)
        printJson({{QStringLiteral("keys"), keys}});
    if (files->empty())
        return Exit::NothingToDo;
    return broken == 0 ? Exit::Ok : Exit::Partial;
}

/// The keys of the fleet's root, as the window's page Keys shows them.
Result<Exit> fleetKeys(const CommandLine& line, const std::string& directory)
{
    const auto fleet = console::readFleetKeys(toQString(line.agent), directory);
    if (!fleet)
        return fail(Error(fleet.error()), "key fleet");
    if (!fleet->isFromAgent)
        remark(line, plain("Note: from root.envelope in " + directory + ": " + fleet->trouble));
    QJsonArray keys;
    say(line, "Root " + std::to_string(fleet->rootNumber) + " of fleet " + fleet->fleet.shortHex());
    for (const console::FleetKey& key : fleet->keys) {
        QJsonArray duties;
        std::string roles;
        for (const console::KeyDuty& duty : key.duties) {
            duties.append(QJsonObject{{QStringLiteral("role"), toQString(duty.role)},
                                      {QStringLiteral("scope"), toQString(duty.scope)},
                                      {QStringLiteral("threshold"), static_cast<qint64>(duty.threshold)},
                                      {QStringLiteral("of"), jsonNumber(duty.keys)}});
            roles += (roles.empty() ? "" : ", ") + duty.role + (duty.scope.empty() ? "" : " " + duty.scope)
                + " (" + std::to_string(duty.threshold) + " of " + std::to_string(duty.keys) + ")";
        }
        const std::string file = key.file ? key.file->file.string() : "";
        keys.append(
            QJsonObject{{QStringLiteral("key"), toQString(key.id.hex())},
                        {QStringLiteral("words"), toQString(key.words)},
                        {QStringLiteral("duties"), duties},
                        {QStringLiteral("file"), key.file ? QJsonValue(toQString(file)) : QJsonValue()}});
        say(line, plain(key.id.shortHex() + "  " + key.words));
        say(line, plain("          " + roles + "; " + (key.file ? file : "not here")));
    }
    if (line.json)
        printJson({{QStringLiteral("fleet"), toQString(fleet->fleet.hex())},
                   {QStringLiteral("root"), jsonNumber(fleet->rootNumber)},
                   {QStringLiteral("keys"), keys}});
    return Exit::Ok;
}

struct CopyOptions
{
    std::string file, to, directory;
};

Result<Exit> backUp(const CommandLine& line, const CopyOptions& options)
{
    if (const auto done = console::backUpKey(options.file, options.to); !done)
        return fail(Error(done.error()), "key backup");
    if (line.json)
        printJson({{QStringLiteral("file"), toQString(options.to)}});
    say(line, plain("Copied      " + options.to + ", sealed as it was, and read back"));
    return Exit::Ok;
}

Result<Exit> exportKey(const CommandLine& line, const CopyOptions& options)
{
    const auto key = console::inspectKeyFile(options.file);
    if (!key)
        return fail(Error(key.error()), "key export");
    const auto fleet = console::readFleetKeys(toQString(line.agent), options.directory);
    if (!fleet)
        return fail(Error(fleet.error()), "key export");
    const auto held = std::find_if(fleet->keys.begin(), fleet->keys.end(),
                                   [&](const console::FleetKey& each) { return each.id == key->header.id; });
    if (held == fleet->keys.end())
        return fail(Errc::NotFound,
                    "key export: the fleet's root does not name key " + key->header.id.shortHex());
    if (const auto done = console::exportPublic(*held, fleet->fleet, options.to); !done)
        return fail(Error(done.error()), "key export");
    if (line.json)
        printJson({{QStringLiteral("file"), toQString(options.to)},
                   {QStringLiteral("key"), toQString(held->id.hex())}});
    say(line, plain("Written     " + options.to + "; nothing in it is secret"));
    return Exit::Ok;
}

void addCopyCommands(CLI::App& group, CommandLine& line)
{
    auto place = std::make_shared<std::string>(".");
    CLI::App* fleet =
        addCommand(group, line, "fleet", "Show the keys that the fleet's root names, and which are here",
                   "  starling key fleet harbour", [&line, place] { return fleetKeys(line, *place); });
    fleet->add_option("DIRECTORY", *place, "The fleet's directory: keys/ and root.envelope")
        ->capture_default_str();

    auto copy = std::make_shared<CopyOptions>();
    CLI::App* backup = addCommand(group, line, "backup", "Copy a sealed key file, and read it back",
                                  "  starling key backup harbour/keys/root-1.key usb/root-1.key",
                                  [&line, copy] { return backUp(line, *copy); });
    backup->add_option("FILE", copy->file, "The sealed key file")->required();
    backup->add_option("TO", copy->to, "The copy; must not exist")->required();

    auto exported = std::make_shared<CopyOptions>();
    exported->directory = ".";
    CLI::App* exporting =
        addCommand(group, line, "export", "Write what is public of a key: its id, its words, its roles",
                   "  starling key export harbour/keys/release-1.key release-1.pub --fleet harbour",
                   [&line, exported] { return exportKey(line, *exported); });
    exporting->add_option("FILE", exported->file, "The key file")->required();
    exporting->add_option("TO", exported->to, "The text to write; must not exist")->required();
    exporting->add_option("--fleet", exported->directory, "The fleet's directory, if no agent answers")
        ->capture_default_str();
}

} // namespace

void addCostOption(CLI::App& command, crypto::KdfCost& cost)
{
    const std::map<std::string, crypto::KdfCost> names{{"interactive", crypto::KdfCost::Interactive},
                                                       {"moderate", crypto::KdfCost::Moderate},
                                                       {"sensitive", crypto::KdfCost::Sensitive}};
    command
        .add_option("--cost", cost,
                    "What guessing a passphrase costs (Argon2id): interactive (labs), moderate (a second), "
                    "sensitive (12 s, 1 GiB)")
        ->transform(CLI::CheckedTransformer(names, CLI::ignore_case));
}

void addKeyCommands(CLI::App& app, CommandLine& line)
{
    CLI::App* group = app.add_subcommand("key", "Signing keys in files sealed with a passphrase")
                          ->require_subcommand(1)
                          ->fallthrough();

    addCopyCommands(*group, line);
    addKeychainCommands(*group, line);
    addKeyChangeCommands(*group, line);
    auto options = std::make_shared<NewKey>();
    CLI::App* make = addCommand(
        *group, line, "new", "Make a key",
        "  starling key new release.key\n  starling key new release.key --passphrase-file secret.txt",
        [&line, options] { return makeKey(line, *options); });
    make->add_option("FILE", options->file, "Where to write it; must not exist")->required();
    addCostOption(*make, options->cost);
    options->passphrase.addTo(*make);

    auto directory = std::make_shared<std::string>(".");
    CLI::App* list =
        addCommand(*group, line, "list", "List the keys of a directory", "  starling key list fleet/keys",
                   [&line, directory] { return listKeys(line, *directory); });
    list->add_option("DIRECTORY", *directory, "Where the *.key files are")->capture_default_str();

    auto file = std::make_shared<std::string>();
    CLI::App* show = addCommand(*group, line, "show", "Show which key a file holds, without opening it",
                                "  starling key show fleet/keys/release.key",
                                [&line, file] { return showKey(line, *file); });
    show->add_option("FILE", *file, "The key file")->required();
}

} // namespace starling::cli
