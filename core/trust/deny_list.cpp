// SPDX-License-Identifier: Apache-2.0
// The payload, canonical bencoding:
//
//     d 11:admit-epoch <n> 6:format i1e 5:nodes <32 bytes each, strictly ascending, in one string> e
#include "trust/deny_list.h"

#include "base/assert.h"
#include "trust/fields.h"

namespace starling::trust {

namespace {

constexpr std::size_t kMaxPayloadBytes = 64 * 1024; ///< the default limit of an envelope
constexpr std::array<std::string_view, 4> kKnownKeys{"admit-epoch", "critical", "format", "nodes"};

Result<std::set<NodeId>> readNodes(const bencode::DictReader& from)
{
    auto bytes = from.bytes("nodes", DenyList::kMaxNodes * NodeId::kSize);
    if (!bytes)
        return tl::unexpected(std::move(bytes.error()));
    if (bytes->empty() || bytes->size() % NodeId::kSize != 0)
        return fail(Errc::Malformed,
                    "deny.nodes: " + std::to_string(bytes->size()) + " bytes are no whole ids, one at least");
    std::set<NodeId> nodes;
    for (ByteView rest = *bytes; !rest.empty(); rest = rest.subspan(NodeId::kSize)) {
        auto node = NodeId::fromBytes(rest.first(NodeId::kSize));
        if (!node)
            return tl::unexpected(std::move(node.error()));
        if (!nodes.empty() && !(*nodes.rbegin() < *node))
            return fail(Errc::NotCanonical,
                        "deny.nodes: " + node->shortHex() + " is unsorted or there twice");
        nodes.insert(nodes.end(), *node);
    }
    return nodes;
}

} // namespace

Bytes DenyList::serialize() const
{
    STARLING_ASSERT(nodes.size() <= kMaxNodes);
    Bytes ids;
    ids.reserve(nodes.size() * NodeId::kSize);
    for (const NodeId& node : nodes)
        append(ids, node.bytes());
    bencode::Dict dict;
    dict.emplace("format", fields::kFormat);
    dict.emplace("nodes", std::move(ids));
    dict.emplace("admit-epoch", fields::counter(admitEpoch));
    return bencode::encode(dict);
}

Result<DenyList> DenyList::parse(ByteView payload)
{
    auto value = bencode::decode(payload, {.bytes = kMaxPayloadBytes});
    if (!value)
        return fail(std::move(value.error()), "deny list");
    auto from = bencode::DictReader::of(*value, "deny");
    if (!from)
        return tl::unexpected(std::move(from.error()));
    if (auto status = from->requireFormat(fields::kFormat, kKnownKeys); !status)
        return tl::unexpected(std::move(status.error()));
    auto nodes = readNodes(*from);
    if (!nodes)
        return tl::unexpected(std::move(nodes.error()));
    auto epoch = fields::readCounter(*from, "admit-epoch");
    if (!epoch)
        return tl::unexpected(std::move(epoch.error()));
    return DenyList{std::move(*nodes), *epoch};
}

} // namespace starling::trust
