// SPDX-License-Identifier: Apache-2.0
/// `starling request make|show|sign|merge`: signatures by several people, by files that go from one to the
/// other.
#include "admin/signing.h"
#include "key_commands.h"
#include "note.h"
#include "passphrase.h"
#include "report.h"

#include <QJsonArray>

namespace starling::cli {

namespace {

struct RequestOptions
{
    std::string file, root, output;
    std::vector<std::string> keys, from;
    bool isSure = false;
    PassphraseSource passphrase;
};

/// Says how many signatures there are, and ends as Partial while they are too few.
Result<Exit> tellStanding(const CommandLine& line, const release::SigningRequest& request,
                          const trust::TrustSet& trust, const std::string& file)
{
    const auto counts = console::countSignatures(request, trust);
    if (!counts)
        return tl::unexpected<Error>(counts.error());
    const bool isEnough = console::isEnough(*counts);
    QJsonArray roles;
    for (const console::RoleCount& count : *counts) {
        QJsonArray missing;
        for (const KeyId& key : count.missing)
            missing.append(toQString(key.hex()));
        roles.append(QJsonObject{{QStringLiteral("role"), toQString(count.role)},
                                 {QStringLiteral("signatures"), jsonNumber(count.held)},
                                 {QStringLiteral("needed"), jsonNumber(count.needed)},
                                 {QStringLiteral("missing"), missing}});
    }
    for (const std::string& text : console::textOf(*counts))
        say(line, plain("Signatures  " + text));
    if (line.json)
        printJson({{QStringLiteral("file"), toQString(file)},
                   {QStringLiteral("kind"), toQString(trust::kindName(request.kind))},
                   {QStringLiteral("sha256"), toQString(request.payloadHash().hex())},
                   {QStringLiteral("roles"), roles},
                   {QStringLiteral("threshold_reached"), isEnough}});
    return isEnough ? Exit::Ok : Exit::Partial;
}

/// Line by line, so that nobody's text can look like a line of ours.
Status showContent(const CommandLine& line, const release::SigningRequest& request,
                   const trust::TrustSet& trust)
{
    const auto content = console::contentOf(request, trust);
    if (!content)
        return tl::unexpected<Error>(content.error());
    for (std::size_t begin = 0; begin < content->size();) {
        const std::size_t end = std::min(content->find('\n', begin), content->size());
        say(line, plain(content->substr(begin, end - begin)));
        begin = end + 1;
    }
    return {};
}

Result<Exit> make(const CommandLine& line, const RequestOptions& options)
{
    const auto trust = readRoot(options.root);
    if (!trust)
        return fail(Error(trust.error()), "request make");
    const auto request = console::requestFor(options.file, *trust);
    if (!request)
        return fail(Error(request.error()), "request make");
    if (const auto roles = console::countSignatures(*request, *trust); !roles)
        return fail(Error(roles.error()), "request make");
    const std::string output = options.output.empty() ? options.file + ".request" : options.output;
    if (auto written = console::writeRequest(output, *request); !written)
        return fail(std::move(written.error()), "request make");
    say(line, plain("Written     " + output + ": give it to those who sign; nothing in it is secret"));
    return tellStanding(line, *request, *trust, output);
}

Result<Exit> show(const CommandLine& line, const RequestOptions& options)
{
    const auto trust = readRoot(options.root);
    if (!trust)
        return fail(Error(trust.error()), "request show");
    const auto request = console::readRequest(options.file);
    if (!request)
        return fail(Error(request.error()), "request show");
    if (auto shown = showContent(line, *request, *trust); !shown)
        return fail(std::move(shown.error()), "request show");
    return tellStanding(line, *request, *trust, options.file);
}

Result<Exit> sign(const CommandLine& line, const RequestOptions& options)
{
    const auto trust = readRoot(options.root);
    if (!trust)
        return fail(Error(trust.error()), "request sign");
    auto request = console::readRequest(options.file);
    if (!request)
        return fail(std::move(request.error()), "request sign");
    // Shown before a passphrase is asked for: what is signed is what was read here.
    if (auto shown = showContent(line, *request, *trust); !shown)
        return fail(std::move(shown.error()), "request sign");
    if (!options.isSure) {
        const auto isWanted = confirm("Sign this?");
        if (!isWanted)
            return tl::unexpected<Error>(isWanted.error());
        if (!*isWanted)
            return fail(Errc::Cancelled, "request sign: nothing was signed");
    }
    std::string with;
    for (const std::string& file : options.keys) {
        const auto key = openKey(file, options.passphrase);
        if (!key)
            return tl::unexpected<Error>(key.error());
        if (auto done = console::sign(*request, *trust, *key); !done)
            return fail(std::move(done.error()), "request sign");
        with += "key " + key->id().hex() + ", ";
    }
    const std::string output = options.output.empty() ? options.file : options.output;
    if (auto written = console::writeRequest(output, *request); !written)
        return fail(std::move(written.error()), "request sign");
    const bool isRoot = request->kind == trust::Kind::Root;
    note(line, isRoot ? console::Act::RootSigned : console::Act::ReleaseSigned, console::subjectOf(*request),
         with + "SHA-256 " + request->payloadHash().hex());
    say(line, plain("Signed      " + output + ": give it back to whoever asked"));
    return tellStanding(line, *request, *trust, output);
}

Result<Exit> mergeAll(const CommandLine& line, const RequestOptions& options)
{
    const auto trust = readRoot(options.root);
    if (!trust)
        return fail(Error(trust.error()), "request merge");
    std::optional<release::SigningRequest> merged;
    for (const std::string& file : options.from) {
        const auto request = console::readRequest(file);
        if (!request)
            return fail(Error(request.error()), "request merge");
        auto done = console::mergeInto(options.file, *request, *trust);
        if (!done)
            return fail(std::move(done.error()), "request merge: " + file);
        merged = std::move(*done);
    }
    return tellStanding(line, *merged, *trust, options.file);
}

CLI::App* addWithRoot(CLI::App& group, CommandLine& line, const std::shared_ptr<RequestOptions>& options,
                      const char* name, const char* help, const char* example,
                      Result<Exit> (*run)(const CommandLine&, const RequestOptions&))
{
    CLI::App* const command =
        addCommand(group, line, name, help, example, [&line, options, run] { return run(line, *options); });
    command
        ->add_option("--root", options->root,
                     "The fleet's root.envelope; later roots are read beside it: root-2.envelope, …")
        ->required();
    return command;
}

} // namespace

void addRequestCommands(CLI::App& app, CommandLine& line)
{
    CLI::App* group =
        app.add_subcommand("request", "Signatures by several people, by files that go from one to the other")
            ->require_subcommand(1)
            ->fallthrough();
    auto making = std::make_shared<RequestOptions>();
    CLI::App* command =
        addWithRoot(*group, line, making, "make", "Write a signing request for a release or a root",
                    "  starling request make gateway-2.4.1.torrent --root fleet/root.envelope", make);
    command->add_option("FILE", making->file, "The torrent-file++, or a root's envelope")->required();
    command->add_option("-o,--output", making->output, "The request to write (default: FILE.request)");

    auto showing = std::make_shared<RequestOptions>();
    command =
        addWithRoot(*group, line, showing, "show", "Show what a request asks to sign, and who has",
                    "  starling request show gateway-2.4.1.torrent.request --root fleet/root.envelope", show);
    command->add_option("FILE", showing->file, "The signing request")->required();

    auto signing = std::make_shared<RequestOptions>();
    command = addWithRoot(*group, line, signing, "sign", "Show what a request asks to sign, and sign it",
                          "  starling request sign gateway-2.4.1.torrent.request --root fleet/root.envelope "
                          "--key release-2.key",
                          sign);
    command->add_option("FILE", signing->file, "The signing request")->required();
    command->add_option("--key", signing->keys, "Key file; may be given several times")->required();
    command->add_option("-o,--output", signing->output, "Where to write it (default: where it was)");
    command->add_flag("--yes", signing->isSure, "Sign without being asked: what is shown was read before");
    signing->passphrase.addToOpening(*command);

    auto merging = std::make_shared<RequestOptions>();
    command =
        addWithRoot(*group, line, merging, "merge", "Take the signatures of requests that came back",
                    "  starling request merge gateway-2.4.1.torrent gateway-2.4.1.torrent.request --root "
                    "fleet/root.envelope",
                    mergeAll);
    command->add_option("FILE", merging->file, "The torrent-file++, root or request that takes them")
        ->required();
    command->add_option("REQUEST", merging->from, "Requests that were signed")->required();
}

} // namespace starling::cli
