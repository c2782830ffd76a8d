// SPDX-License-Identifier: Apache-2.0
/// `starling key remember|forget`: a passphrase in the desktop's keychain.
#include "admin/keys.h"
#include "key_commands.h"
#include "keychain_wait.h"
#include "passphrase.h"
#include "report.h"

namespace starling::cli {

namespace {

struct RememberOptions
{
    std::string file;
    PassphraseSource passphrase;
};

void printKey(const CommandLine& line, const KeyId& id, bool isRemembered)
{
    if (line.json)
        printJson(
            {{QStringLiteral("key"), toQString(id.hex())}, {QStringLiteral("remembered"), isRemembered}});
}

Result<Exit> remember(const CommandLine& line, const RememberOptions& options)
{
    const auto key = console::inspectKeyFile(options.file);
    if (!key)
        return fail(Error(key.error()), "key remember");
    if (!key->header.isSealed)
        return fail(Errc::Usage, "key remember: " + options.file + " is not sealed: it has no passphrase");
    const KeyId id = key->header.id;
    auto passphrase = readPassphrase(
        options.passphrase, "key " + key->file.filename().string() + " (" + id.shortHex() + ")", Ask::Once);
    if (!passphrase)
        return fail(std::move(passphrase.error()), "key remember");
    if (const auto opened = console::openSealedKey(options.file, *passphrase); !opened)
        return fail(Error(opened.error()), "key remember");
    if (auto kept = awaitKeychainWrite(id, *passphrase); !kept)
        return fail(std::move(kept.error()), "key remember: nothing was kept");
    printKey(line, id, true);
    say(line,
        plain("Remembered  the passphrase of key " + id.shortHex()
              + " is in the keychain; use it with --keychain"));
    return Exit::Ok;
}

Result<Exit> forget(const CommandLine& line, const std::string& file)
{
    const auto key = console::inspectKeyFile(file);
    if (!key)
        return fail(Error(key.error()), "key forget");
    if (auto gone = awaitKeychainForget(key->header.id); !gone)
        return fail(std::move(gone.error()), "key forget");
    printKey(line, key->header.id, false);
    say(line, "Forgotten   the keychain has no passphrase of key " + key->header.id.shortHex());
    return Exit::Ok;
}

} // namespace

void addKeychainCommands(CLI::App& group, CommandLine& line)
{
    auto options = std::make_shared<RememberOptions>();
    CLI::App* remembering =
        addCommand(group, line, "remember", "Keep the passphrase of a key in the desktop's keychain",
                   "  starling key remember harbour/keys/release-1.key",
                   [&line, options] { return remember(line, *options); });
    remembering->add_option("FILE", options->file, "The sealed key file")->required();
    options->passphrase.addTo(*remembering);

    auto file = std::make_shared<std::string>();
    CLI::App* forgetting = addCommand(
        group, line, "forget", "Take the passphrase of a key out of the keychain",
        "  starling key forget harbour/keys/release-1.key", [&line, file] { return forget(line, *file); });
    forgetting->add_option("FILE", *file, "The key file")->required();
}

} // namespace starling::cli
