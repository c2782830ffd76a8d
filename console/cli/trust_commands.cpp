// SPDX-License-Identifier: Apache-2.0
/// `starling device deny`: takes devices out of the fleet.
#include "admin/admission.h"
#include "control/client.h"
#include "node/disk.h"
#include "note.h"
#include "passphrase.h"
#include "report.h"

#include <QJsonArray>

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
    const auto keep = [&](const Bytes& envelope) {
        return options.output.empty() ? Status()
                                      : node::writeFile(options.output, envelope, node::FileMode::Public);
    };
    const auto denied = console::deny(*agent, *nodes, *key, line.timeout(30s), keep);
    if (!denied)
        return fail(Error(denied.error()), "device deny");
    const bool isNew = denied->isNew;
    if (!denied->envelope.empty())
        for (const NodeId& node : *nodes)
            note(line, console::Act::DevicesDenied, node.hex(), "key " + key->id().hex());
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
