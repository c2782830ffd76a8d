// SPDX-License-Identifier: Apache-2.0
/// `starling fleet observe`: entitles an agent to collect the devices' receipts.
#include "observe_command.h"

#include "admin/founding.h"
#include "control/client.h"
#include "key_commands.h"
#include "node/disk.h"
#include "note.h"
#include "passphrase.h"
#include "release/board.h"
#include "report.h"

namespace starling::cli {

using namespace std::chrono_literals;

namespace {

constexpr unsigned kMaxDays = 3'650;

struct ObserveOptions
{
    std::string node, key, root, scope, output;
    unsigned days = 90; ///< guess: a quarter
    std::uint64_t sumsAbove = console::kSumsAbove;
    PassphraseSource passphrase;
};

struct Target
{
    FleetId fleet;
    NodeId observer;
};

/// Who is to observe, of which fleet: as the agent says, unless a file is to be written without one.
Result<Target> targetOf(const ObserveOptions& options, control::Client* agent)
{
    Target target;
    if (!options.node.empty()) {
        const auto node = NodeId::fromHex(options.node);
        if (!node)
            return fail(Errc::Usage,
                        plain("'" + options.node
                              + "' is no device: its id has 64 hexadecimal digits, as starling status --json "
                                "shows it there"));
        target.observer = *node;
    }
    if (agent == nullptr) {
        const auto root = node::readFile(options.root, trust::kMaxRootBytes + 8 * 1024);
        if (!root)
            return fail(Error(root.error()), "--root");
        const auto trust = trust::TrustSet::fromAnchor(*root);
        if (!trust)
            return fail(Error(trust.error()), "--root");
        target.fleet = trust->fleet();
        return target;
    }
    const auto status = agent->ask<control::StatusReply>(control::StatusRequest{});
    if (!status)
        return tl::unexpected<Error>(status.error());
    target.fleet = status->fleet;
    if (options.node.empty())
        target.observer = status->node;
    return target;
}

Status handOver(const CommandLine& line, const ObserveOptions& options, control::Client* agent,
                const Bytes& envelope)
{
    if (!options.output.empty())
        if (auto written = node::writeFile(options.output, envelope, node::FileMode::Public); !written)
            return written;
    if (agent == nullptr)
        return {};
    const auto published = agent->ask<control::PublishReply>(
        control::PublishRequest{release::noticeOf(trust::Kind::Subscription, envelope)}, line.timeout(30s));
    if (!published)
        return tl::unexpected<Error>(published.error());
    return {};
}

Result<Exit> observe(const CommandLine& line, const ObserveOptions& options)
{
    const bool isOffline = !options.root.empty();
    if (isOffline && (options.node.empty() || options.output.empty()))
        return fail(Errc::Usage, "fleet observe: with --root no agent is asked; give NODE and --output, too");
    std::optional<control::Client> agent;
    if (!isOffline) {
        auto connected = control::Client::connect(toQString(line.agent));
        if (!connected)
            return tl::unexpected<Error>(connected.error());
        agent.emplace(std::move(*connected));
    }
    const auto target = targetOf(options, agent ? &*agent : nullptr);
    if (!target)
        return fail(Error(target.error()), "fleet observe");
    std::optional<ResourceUri> scope;
    if (!options.scope.empty()) {
        auto parsed = ResourceUri::parse(options.scope);
        if (!parsed)
            return fail(std::move(parsed.error()), "--scope");
        scope = std::move(*parsed);
    }
    auto key = openKey(options.key, options.passphrase);
    if (!key)
        return fail(std::move(key.error()), "--key");
    const trust::Subscription subscription =
        console::subscriptionFor(target->observer, std::move(scope), options.days, options.sumsAbove);
    trust::Envelope envelope{trust::Kind::Subscription, subscription.serialize(), {}};
    envelope.sign(target->fleet, *key);
    if (auto handed = handOver(line, options, agent ? &*agent : nullptr, envelope.serialize()); !handed)
        return fail(Error(handed.error()), "fleet observe");
    note(line, console::Act::ObserverNamed, target->observer.hex(), "key " + key->id().hex());
    if (line.json)
        printJson({{QStringLiteral("observer"), toQString(target->observer.hex())},
                   {QStringLiteral("expires"), static_cast<qint64>(subscription.expires)},
                   {QStringLiteral("file"),
                    options.output.empty() ? QJsonValue() : QJsonValue(toQString(options.output))}});
    say(line,
        "Observer    " + target->observer.shortHex() + " collects receipts for "
            + std::to_string(options.days) + " day(s)"
            + (isOffline ? ", once an agent of the fleet starts with " + options.output
                       + " as 'subscription' in [trust]"
                         : ""));
    return Exit::Ok;
}

} // namespace

void addObserveCommand(CLI::App& group, CommandLine& line)
{
    auto options = std::make_shared<ObserveOptions>();
    CLI::App* command =
        addCommand(group, line, "observe", "Entitle an agent to collect the devices' receipts",
                   "  starling fleet observe --key harbour/keys/observe.key\n"
                   "  starling fleet observe 5f0c…64 digits… --root harbour/root.envelope "
                   "--key harbour/keys/observe.key --output observer.subscription",
                   [&line, options] { return observe(line, *options); });
    command->add_option("NODE", options->node,
                        "The observer's id, 64 hexadecimal digits (default: the agent that is asked)");
    command->add_option("--key", options->key, "A key of the observe role")->required();
    command->add_option("--root", options->root, "The fleet's root.envelope: ask no agent, write a file");
    command->add_option("-o,--output", options->output, "Keep the signed subscription in this file");
    command->add_option("--scope", options->scope, "Only receipts that tell of a URI below this prefix");
    command->add_option("--days", options->days, "How long it lasts")->check(CLI::Range(1u, kMaxDays));
    command
        ->add_option("--sums-above", options->sumsAbove,
                     "Told in sums once it holds receipts of more devices; 0: never")
        ->check(CLI::Range(std::uint64_t{0}, trust::Revision::kMaxVersion));
    options->passphrase.addToOpening(*command);
}

} // namespace starling::cli
