// SPDX-License-Identifier: Apache-2.0
#include "key_commands.h"

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

QJsonObject jsonOf(const fs::path& file, const crypto::KeyFileHeader& header)
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
    if (line.json)
        printJson(jsonOf(options.file, {key.id(), true}));
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
        printJson(jsonOf(file, key->header));
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
        keys.append(jsonOf(file, key->header));
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
