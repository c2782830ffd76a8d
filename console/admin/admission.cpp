// SPDX-License-Identifier: Apache-2.0
#include "admin/admission.h"

#include "enrol/certificate.h"
#include "release/board.h"

#include <algorithm>

namespace starling::console {

namespace {

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

Result<Known> ask(control::Client& agent, const crypto::SecretKey& key)
{
    const auto reply = agent.ask<control::TrustReply>(control::TrustRequest{key.id()});
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    auto known = parseReply(*reply);
    if (known && !known->root.admit.keys.contains(key.id()))
        return fail(Errc::WrongScope,
                    "key " + key.id().shortHex() + " is none of the admit role; nothing was signed");
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

} // namespace

Result<Bytes> admit(control::Client& agent, const trust::JoinRequest& request,
                    std::optional<std::uint64_t> notAfter, const crypto::SecretKey& key,
                    std::chrono::milliseconds timeout)
{
    const auto known = ask(agent, key);
    if (!known)
        return tl::unexpected<Error>(known.error());
    if (known->root.admit.threshold > 1)
        return fail(Errc::BelowThreshold,
                    "certificates of this fleet take " + std::to_string(known->root.admit.threshold)
                        + " signatures: starling device admit -o FILE collects them; nothing was signed");
    auto certificate = enrol::grant(request, known->root, notAfter);
    if (!certificate)
        return tl::unexpected<Error>(certificate.error());
    certificate->sign(known->fleet, key);
    Bytes bytes = certificate->serialize();
    const auto taken = agent.ask<control::AdmitReply>(control::AdmitRequest{bytes}, timeout);
    if (!taken)
        return tl::unexpected<Error>(taken.error());
    return bytes;
}

Result<Denied> deny(control::Client& agent, const std::set<NodeId>& nodes, const crypto::SecretKey& key,
                    std::chrono::milliseconds timeout, const std::function<Status(const Bytes&)>& keep)
{
    const auto known = ask(agent, key);
    if (!known)
        return tl::unexpected<Error>(known.error());
    if (areDenied(*known, nodes))
        return Denied();
    const auto list = nextList(*known, nodes);
    if (!list)
        return tl::unexpected<Error>(list.error());
    trust::Envelope envelope{trust::Kind::Deny, list->serialize(), {}};
    envelope.sign(known->fleet, key);
    Denied denied{envelope.serialize(), false};
    if (keep)
        if (auto kept = keep(denied.envelope); !kept)
            return tl::unexpected<Error>(std::move(kept.error()));
    const auto published = agent.ask<control::PublishReply>(
        control::PublishRequest{release::noticeOf(trust::Kind::Deny, denied.envelope)}, timeout);
    if (!published)
        return tl::unexpected<Error>(published.error());
    denied.isNew = published->isNew;
    return denied;
}

} // namespace starling::console
