// SPDX-License-Identifier: Apache-2.0
/// `starling fleet observe`: entitles an agent to collect the devices' receipts.
#include "observe_command.h"

#include "admin/founding.h"
#include "admin/observing.h"
#include "control/client.h"
#include "key_commands.h"
#include "node/disk.h"
#include "note.h"
#include "passphrase.h"
#include "report.h"

namespace starling::cli {

using namespace std::chrono_literals;

namespace {

struct ObserveOptions
{
    std::string node, key, root, scope, output;
    unsigned days = console::kObserverDays;
    std::uint64_t sumsAbove = console::kSumsAbove;
    PassphraseSource passphrase;
};

Result<console::ObserverPlan> observerPlanOf(const ObserveOptions& options)
{
    console::ObserverPlan plan{{}, {}, options.days, options.sumsAbove};
    if (!options.node.empty()) {
        const auto node = NodeId::fromHex(options.node);
        if (!node)
            return fail(Errc::Usage,
                        plain("'" + options.node
                              + "' is no device: its id has 64 hexadecimal digits, as starling status --json "
                                "shows it there"));
        plan.observer = *node;
    }
    if (!options.scope.empty()) {
        auto scope = ResourceUri::parse(options.scope);
        if (!scope)
            return fail(std::move(scope.error()), "--scope");
        plan.scope = std::move(*scope);
    }
    return plan;
}

/// Without an agent: for the fleet of a root.envelope.
Result<console::NamedObserver> signByFile(const ObserveOptions& options, const console::ObserverPlan& plan)
{
    if (options.node.empty() || options.output.empty())
        return fail(Errc::Usage, "with --root no agent is asked; give NODE and --output, too");
    const auto root = node::readFile(options.root, trust::kMaxRootBytes + 8 * 1024);
    if (!root)
        return fail(Error(root.error()), "--root");
    const auto trust = trust::TrustSet::fromAnchor(*root);
    if (!trust)
        return fail(Error(trust.error()), "--root");
    const auto key = openKey(options.key, options.passphrase);
    if (!key)
        return fail(Error(key.error()), "--key");
    return console::signObserver(trust->fleet(), *plan.observer, plan, *key);
}

void noteObserver(const CommandLine& line, const console::NamedObserver& named)
{
    note(line, console::Act::ObserverNamed, named.subscription.observer.hex(), "key " + named.signer.hex());
}

Result<console::NamedObserver> signAtAgent(const CommandLine& line, const ObserveOptions& options,
                                           const console::ObserverPlan& plan)
{
    auto agent = control::Client::connect(toQString(line.agent));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    const auto key = openKey(options.key, options.passphrase);
    if (!key)
        return fail(Error(key.error()), "--key");
    auto named = console::nameObserver(*agent, plan, *key, line.timeout(30s));
    if (named) // whatever becomes of a file
        noteObserver(line, *named);
    return named;
}

Result<Exit> observe(const CommandLine& line, const ObserveOptions& options)
{
    const bool isOffline = !options.root.empty();
    const auto plan = observerPlanOf(options);
    if (!plan)
        return fail(Error(plan.error()), "fleet observe");
    const auto named = isOffline ? signByFile(options, *plan) : signAtAgent(line, options, *plan);
    if (!named)
        return fail(Error(named.error()), "fleet observe");
    const NodeId& observer = named->subscription.observer;
    if (!options.output.empty())
        if (auto written = node::writeFile(options.output, named->envelope, node::FileMode::Public); !written)
            return fail(std::move(written.error()), "fleet observe");
    if (isOffline)
        noteObserver(line, *named);
    if (line.json)
        printJson({{QStringLiteral("observer"), toQString(observer.hex())},
                   {QStringLiteral("expires"), static_cast<qint64>(named->subscription.expires)},
                   {QStringLiteral("file"),
                    options.output.empty() ? QJsonValue() : QJsonValue(toQString(options.output))}});
    say(line,
        "Observer    " + observer.shortHex() + " collects receipts for " + std::to_string(options.days)
            + " day(s)"
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
    command->add_option("--days", options->days, "How long it lasts")
        ->check(CLI::Range(1u, console::kMaxObserverDays));
    command
        ->add_option("--sums-above", options->sumsAbove,
                     "Told in sums once it holds receipts of more devices; 0: never")
        ->check(CLI::Range(std::uint64_t{0}, trust::Revision::kMaxVersion));
    options->passphrase.addToOpening(*command);
}

} // namespace starling::cli
