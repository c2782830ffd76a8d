// SPDX-License-Identifier: Apache-2.0
/// `starling device deny`: takes devices out of the fleet.
#include "control/client.h"
#include "node/disk.h"
#include "note.h"
#include "passphrase.h"
#include "release/board.h"
#include "report.h"

#include <QJsonArray>

#include <algorithm>

namespace starling::cli {

using namespace std::chrono_literals;

namespace {

struct DenyOptions
{
    std::vector<std::string> nodes;
    std::string key;
    std::string output;
    PassphraseSource passphrase;
};

Result<std::set<NodeId>> nodesOf(const DenyOptions& options)
{
    std::set<NodeId> nodes;
    for (const std::string& text : options.nodes) {
        const auto node = NodeId::fromHex(text);
        if (!node)
            return fail(Errc::Usage,
                        plain("'" + text
                              + "' is no device: its id has 64 hexadecimal digits, as starling "
                                "device list --json shows them"));
        nodes.insert(*node);
    }
    return nodes;
}

/// What an agent told of the fleet, taken apart. It is not trusted for more than the fleet's name: a list for
/// another fleet or epoch would be refused.
struct Known
{
    FleetId fleet;
    trust::RootDocument root;
    std::vector<trust::DenyList> lists; ///< of our key, of this admit epoch
};

Result<Known> parseReply(const control::TrustReply& reply)
{
    auto envelope = trust::Envelope::parse(reply.root, trust::kMaxRootBytes);
    if (!envelope)
        return fail(std::move(envelope.error()), "the agent's root");
    auto root = trust::RootDocument::parse(envelope->payload);
    if (!root)
        return fail(std::move(root.error()), "the agent's root");
    Known known{reply.fleet, std::move(*root), {}};
    for (const Bytes& bytes : reply.denyLists) {
        const auto list = trust::Envelope::parse(bytes);
        if (!list)
            return fail(Error(list.error()), "a deny list");
        auto document = trust::DenyList::parse(list->payload);
        if (!document)
            return fail(std::move(document.error()), "a deny list");
        if (document->admitEpoch == known.root.admitEpoch)
            known.lists.push_back(std::move(*document));
    }
    return known;
}

/// The list to sign: one of those signed before with `nodes` added, where there is room, or else another.
Result<trust::DenyList> nextList(const Known& known, const std::set<NodeId>& nodes)
{
    std::optional<trust::DenyList> best;
    for (const trust::DenyList& list : known.lists) {
        trust::DenyList grown = list;
        grown.nodes.insert(nodes.begin(), nodes.end());
        if (grown.nodes.size() <= trust::DenyList::kMaxNodes
            && (!best || grown.nodes.size() < best->nodes.size()))
            best = std::move(grown);
    }
    if (best)
        return std::move(*best);
    if (nodes.size() > trust::DenyList::kMaxNodes)
        return fail(Errc::TooLarge,
                    "a deny list names " + std::to_string(trust::DenyList::kMaxNodes) + " devices at most");
    if (known.lists.size() >= release::Denials::kMaxListsOfSigner)
        return fail(Errc::TooLarge,
                    "this key's deny lists are full: use another admit key, or a new root that raises the "
                    "admit epoch, and new certificates for all devices that stay");
    return trust::DenyList{nodes, known.root.admitEpoch};
}

bool areDenied(const Known& known, const std::set<NodeId>& nodes)
{
    return std::all_of(nodes.begin(), nodes.end(), [&](const NodeId& node) {
        return std::any_of(known.lists.begin(), known.lists.end(),
                           [&](const trust::DenyList& list) { return list.nodes.contains(node); });
    });
}

Result<Exit> deny(const CommandLine& line, const DenyOptions& options)
{
    const auto nodes = nodesOf(options);
    if (!nodes)
        return fail(Error(nodes.error()), "device deny");
    auto agent = control::Client::connect(toQString(line.agent));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    auto key = openKey(options.key, options.passphrase);
    if (!key)
        return tl::unexpected<Error>(key.error());
    const auto reply = agent->ask<control::TrustReply>(control::TrustRequest{key->id()});
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    const auto known = parseReply(*reply);
    if (!known)
        return fail(Error(known.error()), "device deny");
    if (!known->root.admit.keys.contains(key->id()))
        return fail(Errc::WrongScope,
                    "key " + key->id().shortHex() + " is none of the admit role; nothing was signed");
    bool isNew = false;
    if (!areDenied(*known, *nodes)) {
        const auto list = nextList(*known, *nodes);
        if (!list)
            return fail(Error(list.error()), "device deny");
        trust::Envelope envelope{trust::Kind::Deny, list->serialize(), {}};
        envelope.sign(known->fleet, *key);
        const Bytes signedList = envelope.serialize();
        if (!options.output.empty())
            if (auto written = node::writeFile(options.output, signedList, node::FileMode::Public); !written)
                return tl::unexpected<Error>(written.error());
        const auto published = agent->ask<control::PublishReply>(
            control::PublishRequest{release::noticeOf(trust::Kind::Deny, signedList)}, line.timeout(30s));
        if (!published)
            return tl::unexpected<Error>(published.error());
        isNew = published->isNew;
        for (const NodeId& node : *nodes)
            note(line, console::Act::DevicesDenied, node.hex(), "key " + key->id().hex());
    }
    if (line.json) {
        QJsonArray ids;
        for (const NodeId& node : *nodes)
            ids.append(toQString(node.hex()));
        printJson({{QStringLiteral("denied"), ids}, {QStringLiteral("published"), isNew}});
    }
    say(line,
        isNew ? "Denied      " + std::to_string(nodes->size())
                + " device(s): their links are cut wherever the list arrives"
              : "Nothing to do: this key has denied them already");
    return isNew ? Exit::Ok : Exit::NothingToDo;
}

} // namespace

void addDenyCommand(CLI::App& group, CommandLine& line)
{
    auto options = std::make_shared<DenyOptions>();
    CLI::App* command =
        addCommand(group, line, "deny", "Take devices out of the fleet: links to them are cut",
                   "  starling device deny 5f0c…64 digits… --key fleet/keys/admit-1.key",
                   [&line, options] { return deny(line, *options); });
    command->add_option("NODE", options->nodes, "Ids of the devices, 64 hexadecimal digits each")->required();
    command->add_option("--key", options->key, "A key of the admit role; one is enough")->required();
    command->add_option("-o,--output", options->output, "Keep the signed list in this file, too");
    options->passphrase.addToOpening(*command);
}

} // namespace starling::cli
