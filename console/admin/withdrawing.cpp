// SPDX-License-Identifier: Apache-2.0
#include "admin/withdrawing.h"

#include "release/board.h"

namespace starling::console {

Result<Withdrawn> withdraw(control::Client& agent, const trust::Withdrawal& withdrawal,
                           const crypto::SecretKey& key, std::chrono::milliseconds timeout)
{
    const auto reply = agent.ask<control::TrustReply>(control::TrustRequest{key.id()});
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    // Not trusted for more than what to sign for: a withdrawal for another fleet would be refused.
    auto rootEnvelope = trust::Envelope::parse(reply->root, trust::kMaxRootBytes);
    if (!rootEnvelope)
        return fail(std::move(rootEnvelope.error()), "the agent's root");
    const auto root = trust::RootDocument::parse(rootEnvelope->payload);
    if (!root)
        return fail(Error(root.error()), "the agent's root");
    const trust::Scope* scope = root->scopeFor(withdrawal.uri);
    if (scope == nullptr || !scope->role.keys.contains(key.id()))
        return fail(Errc::WrongScope,
                    "key " + key.id().shortHex() + " is none of the scope of " + withdrawal.uri.text()
                        + "; nothing was signed");
    trust::Envelope envelope{trust::Kind::Withdraw, withdrawal.serialize(), {}};
    envelope.sign(reply->fleet, key);
    Withdrawn done{envelope.serialize(), false};
    const auto published = agent.ask<control::PublishReply>(
        control::PublishRequest{release::noticeOf(trust::Kind::Withdraw, done.envelope)}, timeout);
    if (!published)
        return tl::unexpected<Error>(published.error());
    done.isNew = published->isNew;
    return done;
}

} // namespace starling::console
