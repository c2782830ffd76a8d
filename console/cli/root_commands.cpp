// SPDX-License-Identifier: Apache-2.0
/// `starling root next|push`: who may do what in the fleet, from now on.
#include "control/client.h"
#include "node/disk.h"
#include "note.h"
#include "passphrase.h"
#include "release/board.h"
#include "report.h"

#include <algorithm>

namespace starling::cli {

using namespace std::chrono_literals;

namespace {

struct NextOptions
{
    std::string anchor, previous, output;
    std::vector<std::string> keys, added, dropped, thresholds, scopes;
    bool raisesAdmitEpoch = false;
    PassphraseSource passphrase;
};

struct ReadRoot
{
    trust::Envelope envelope;
    trust::RootDocument document;
};

Result<ReadRoot> readRootFile(const std::string& file)
{
    const auto bytes = node::readFile(file, trust::kMaxRootBytes);
    if (!bytes)
        return fail(Error(bytes.error()), "root");
    auto envelope = trust::Envelope::parse(*bytes, trust::kMaxRootBytes);
    if (!envelope)
        return fail(std::move(envelope.error()), file);
    if (envelope->kind != trust::Kind::Root)
        return fail(Errc::Malformed, file + " is no root");
    auto document = trust::RootDocument::parse(envelope->payload);
    if (!document)
        return fail(std::move(document.error()), file);
    return ReadRoot{std::move(*envelope), std::move(*document)};
}

/// "root", "admit", "observe" (made if the root has none) or a scope's prefix behind "scope:".
Result<trust::Role*> roleNamed(trust::RootDocument& root, const std::string& name)
{
    if (name == "root")
        return &root.root;
    if (name == "admit")
        return &root.admit;
    if (name == "observe")
        return &(root.observe ? *root.observe : root.observe.emplace());
    for (trust::Scope& scope : root.scopes)
        if (name == "scope:" + std::string(scope.prefix.text()))
            return &scope.role;
    return fail(Errc::Usage, plain("'" + name + "' is no role: root, admit, observe or scope:PREFIX"));
}

struct Change
{
    trust::Role* role = nullptr;
    std::string value;
};

/// "ROLE=VALUE".
Result<Change> changeOf(trust::RootDocument& root, const std::string& text)
{
    const auto equals = text.find('=');
    if (equals == std::string::npos)
        return fail(Errc::Usage, plain("'" + text + "' is not ROLE=VALUE"));
    auto role = roleNamed(root, text.substr(0, equals));
    if (!role)
        return tl::unexpected<Error>(role.error());
    return Change{*role, text.substr(equals + 1)};
}

Status changeKeys(const NextOptions& options, trust::RootDocument& root)
{
    const auto each = [&](const std::vector<std::string>& texts, bool isAdded) -> Status {
        for (const std::string& text : texts) {
            const auto change = changeOf(root, text);
            if (!change)
                return tl::unexpected<Error>(change.error());
            const auto key = KeyId::fromHex(change->value);
            if (!key)
                return fail(Errc::Usage, plain("'" + change->value + "' is no key: 64 hexadecimal digits"));
            const bool isChange =
                isAdded ? change->role->keys.insert(*key).second : change->role->keys.erase(*key) == 1;
            if (!isChange)
                return fail(
                    Errc::Usage,
                    plain(text + (isAdded ? ": the role has this key" : ": the role has no such key")));
        }
        return {};
    };
    if (auto added = each(options.added, true); !added)
        return added;
    if (auto dropped = each(options.dropped, false); !dropped)
        return dropped;
    for (const std::string& text : options.thresholds) {
        const auto change = changeOf(root, text);
        if (!change)
            return tl::unexpected<Error>(change.error());
        // Two digits at most: a role has 16 keys.
        if (change->value.empty() || change->value.size() > 2
            || change->value.find_first_not_of("0123456789") != std::string::npos)
            return fail(Errc::Usage, plain("'" + text + "': a threshold is a number of keys"));
        change->role->threshold = static_cast<std::uint32_t>(std::stoul(change->value));
    }
    return {};
}

Status raiseEpochs(const NextOptions& options, trust::RootDocument& root)
{
    if (options.raisesAdmitEpoch)
        ++root.admitEpoch;
    for (const std::string& prefix : options.scopes) {
        const auto scope = std::find_if(root.scopes.begin(), root.scopes.end(),
                                        [&](const trust::Scope& s) { return s.prefix.text() == prefix; });
        if (scope == root.scopes.end())
            return fail(Errc::Usage, plain("the root has no scope '" + prefix + "'"));
        ++scope->epoch;
    }
    return {};
}

std::size_t signers(const trust::Role& role, const trust::Envelope& envelope)
{
    return static_cast<std::size_t>(
        std::count_if(envelope.signatures.begin(), envelope.signatures.end(),
                      [&](const auto& item) { return role.keys.contains(item.first); }));
}

Result<Exit> nextRoot(const CommandLine& line, const NextOptions& options)
{
    const auto anchor = readRootFile(options.anchor);
    if (!anchor)
        return tl::unexpected<Error>(anchor.error());
    const auto previous = options.previous.empty() ? anchor : readRootFile(options.previous);
    if (!previous)
        return tl::unexpected<Error>(previous.error());
    if (anchor->document.number != 1)
        return fail(Errc::Usage, options.anchor + " is not the first root, which names the fleet");
    const auto fleet = FleetId::fromBytes(anchor->envelope.payloadHash().bytes());
    if (!fleet)
        return tl::unexpected<Error>(fleet.error());

    trust::RootDocument root = previous->document;
    ++root.number;
    root.previous = previous->envelope.payloadHash();
    if (auto changed = changeKeys(options, root); !changed)
        return tl::unexpected<Error>(changed.error());
    if (auto raised = raiseEpochs(options, root); !raised)
        return tl::unexpected<Error>(raised.error());
    trust::Envelope envelope{trust::Kind::Root, root.serialize(), {}};
    if (auto parsed = trust::RootDocument::parse(envelope.payload); !parsed)
        return fail(Error(parsed.error()), "root next");
    for (const std::string& file : options.keys) {
        auto key = openKey(file, options.passphrase);
        if (!key)
            return tl::unexpected<Error>(key.error());
        if (!previous->document.root.keys.contains(key->id()) && !root.root.keys.contains(key->id()))
            return fail(Errc::WrongScope,
                        "key " + key->id().shortHex() + " is none of the root role; nothing was written");
        envelope.sign(*fleet, *key);
    }
    if (auto written = node::writeFile(options.output, envelope.serialize(), node::FileMode::Public,
                                       node::Existing::Keep);
        !written)
        return tl::unexpected<Error>(written.error());
    note(line, console::Act::RootSigned, "root " + std::to_string(root.number) + " of " + fleet->hex(),
         std::to_string(envelope.signatures.size()) + " signature(s), payload "
             + envelope.payloadHash().hex());
    const bool isEnough = signers(previous->document.root, envelope) >= previous->document.root.threshold
        && signers(root.root, envelope) >= root.root.threshold;
    if (line.json)
        printJson({{QStringLiteral("root"), jsonNumber(root.number)},
                   {QStringLiteral("file"), toQString(options.output)},
                   {QStringLiteral("threshold_reached"), isEnough}});
    say(line,
        "Root        " + std::to_string(root.number) + " in " + plain(options.output)
            + (isEnough ? "" : "; it lacks signatures of the root role, the old one's or the new one's"));
    return isEnough ? Exit::Ok : Exit::Partial;
}

Result<Exit> pushRoot(const CommandLine& line, const std::string& file)
{
    const auto bytes = node::readFile(file, trust::kMaxRootBytes);
    if (!bytes)
        return fail(Error(bytes.error()), "root push");
    const auto envelope = trust::Envelope::parse(*bytes, trust::kMaxRootBytes);
    if (!envelope)
        return fail(Error(envelope.error()), file);
    const auto root = trust::RootDocument::parse(envelope->payload);
    if (!root)
        return fail(Error(root.error()), file);
    auto agent = control::Client::connect(toQString(line.agent));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    const auto published = agent->ask<control::PublishReply>(
        control::PublishRequest{release::noticeOf(trust::Kind::Root, *bytes)}, line.timeout(30s));
    if (!published)
        return tl::unexpected<Error>(published.error());
    if (published->isNew)
        note(line, console::Act::RootPushed, "root " + std::to_string(root->number), "agent " + line.agent);
    if (line.json)
        printJson({{QStringLiteral("root"), jsonNumber(root->number)},
                   {QStringLiteral("published"), published->isNew}});
    const std::string name = "root " + std::to_string(root->number);
    say(line, published->isNew ? "Published   " + name : "Nothing to do: the agent holds " + name);
    return published->isNew ? Exit::Ok : Exit::NothingToDo;
}

void addNextCommand(CLI::App& group, CommandLine& line)
{
    auto options = std::make_shared<NextOptions>();
    CLI::App* next = addCommand(
        group, line, "next", "Make and sign the root document that follows another",
        "  starling root next --anchor root.envelope --raise-epoch fw --drop-key scope:fw=… --add-key "
        "scope:fw=… --key root-1.key --key root-2.key --output root-2.envelope",
        [&line, options] { return nextRoot(line, *options); });
    next->add_option("--anchor", options->anchor, "The fleet's first root")->required();
    next->add_option("--previous", options->previous, "The root that it follows, if not the first");
    next->add_option("--output,-o", options->output, "Where to write it; must not exist")->required();
    next->add_option("--key", options->keys, "Key file of the root role; may be given several times")
        ->required();
    next->add_option("--add-key", options->added, "ROLE=KEY; ROLE is root, admit or scope:PREFIX");
    next->add_option("--drop-key", options->dropped,
                     "ROLE=KEY; what this key has signed leaves all boards, floors stay");
    next->add_option("--threshold", options->thresholds, "ROLE=N, how many keys of it must sign");
    next->add_option("--raise-epoch", options->scopes,
                     "PREFIX of a scope: versions begin anew, after a stolen key signed a high one");
    next->add_flag("--raise-admit-epoch", options->raisesAdmitEpoch,
                   "Ends all certificates and deny lists: devices that stay need new certificates");
    options->passphrase.addToOpening(*next);
}

} // namespace

void addRootCommands(CLI::App& app, CommandLine& line)
{
    CLI::App* group = app.add_subcommand("root", "Trust roots: who may do what in the fleet")
                          ->require_subcommand(1)
                          ->fallthrough();
    addNextCommand(*group, line);
    auto file = std::make_shared<std::string>();
    CLI::App* push =
        addCommand(*group, line, "push", "Hand a signed new root to an agent, which spreads it",
                   "  starling root push root-2.envelope", [&line, file] { return pushRoot(line, *file); });
    push->add_option("FILE", *file, "The root's envelope; its number follows that of the agent's root")
        ->required();
}

} // namespace starling::cli
