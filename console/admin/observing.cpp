// SPDX-License-Identifier: Apache-2.0
#include "admin/observing.h"

#include "admin/founding.h"
#include "release/board.h"
#include "trust/root.h"

namespace starling::console {

namespace {

/// What the agent tells is not trusted for more than what to sign for: a subscription of another fleet, or
/// by a key that its devices do not know, would be refused.
Status requireObserveKey(const control::TrustReply& reply, const KeyId& key)
{
    const auto envelope = trust::Envelope::parse(reply.root, trust::kMaxRootBytes);
    if (!envelope)
        return fail(Error(envelope.error()), "the agent's root");
    const auto root = trust::RootDocument::parse(envelope->payload);
    if (!root)
        return fail(Error(root.error()), "the agent's root");
    if (!root->observe || !root->observe->keys.contains(key))
        return fail(Errc::WrongScope,
                    "key " + key.shortHex() + " is none of the observe role; nothing was signed");
    if (root->observe->threshold > 1)
        return fail(Errc::BelowThreshold,
                    "who observes this fleet takes " + std::to_string(root->observe->threshold)
                        + " signatures, which cannot be collected yet; nothing was signed");
    return {};
}

} // namespace

NamedObserver signObserver(const FleetId& fleet, const NodeId& observer, const ObserverPlan& plan,
                           const crypto::SecretKey& key)
{
    NamedObserver named{subscriptionFor(observer, plan.scope, plan.days, plan.sumsAbove), key.id(), {}};
    trust::Envelope envelope{trust::Kind::Subscription, named.subscription.serialize(), {}};
    envelope.sign(fleet, key);
    named.envelope = envelope.serialize();
    return named;
}

Result<NamedObserver> nameObserver(control::Client& agent, const ObserverPlan& plan,
                                   const crypto::SecretKey& key, std::chrono::milliseconds timeout)
{
    const auto trust = agent.ask<control::TrustReply>(control::TrustRequest{key.id()});
    if (!trust)
        return tl::unexpected<Error>(trust.error());
    if (auto may = requireObserveKey(*trust, key.id()); !may)
        return tl::unexpected<Error>(may.error());
    std::optional<NodeId> observer = plan.observer;
    if (!observer) {
        const auto status = agent.ask<control::StatusReply>(control::StatusRequest{});
        if (!status)
            return tl::unexpected<Error>(status.error());
        observer = status->node;
    }
    NamedObserver named = signObserver(trust->fleet, *observer, plan, key);
    const auto published = agent.ask<control::PublishReply>(
        control::PublishRequest{release::noticeOf(trust::Kind::Subscription, named.envelope)}, timeout);
    if (!published)
        return tl::unexpected<Error>(published.error());
    return named;
}

} // namespace starling::console
