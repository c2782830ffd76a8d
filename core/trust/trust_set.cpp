// SPDX-License-Identifier: Apache-2.0
#include "trust/trust_set.h"

#include "base/assert.h"

#include <algorithm>

namespace starling::trust {

namespace {

bool isKnown(const RootDocument& root, const KeyId& key)
{
    const auto holds = [&](const Role& role) { return role.keys.contains(key); };
    return holds(root.root) || holds(root.admit) || (root.beacon && holds(*root.beacon))
        || (root.observe && holds(*root.observe))
        || std::any_of(root.scopes.begin(), root.scopes.end(),
                       [&](const Scope& scope) { return holds(scope.role); });
}

/// How many signatures there are of each sort.
struct Count
{
    std::size_t valid = 0; ///< by members of the role
    std::size_t bad = 0; ///< in a member's name, but not verifying
    std::size_t foreign = 0; ///< valid, by keys of the root that are not members
    std::size_t badForeign = 0;
};

Status verifySignature(crypto::SignatureMemo* memo, const KeyId& key, ByteView message,
                       const crypto::Signature& signature)
{
    return memo == nullptr ? crypto::verify(key, message, signature) : memo->verify(key, message, signature);
}

Count count(const RootDocument& root, const Role& role, ByteView message, const Signatures& signatures,
            crypto::SignatureMemo* memo)
{
    Count result;
    for (const auto& [key, signature] : signatures) {
        const bool isMember = role.keys.contains(key);
        if (!isMember && !isKnown(root, key))
            continue;
        const bool isValid = verifySignature(memo, key, message, signature).has_value();
        ++(isMember ? (isValid ? result.valid : result.bad) : (isValid ? result.foreign : result.badForeign));
    }
    return result;
}

Status authorizeBy(const RootDocument& root, const Role& role, Kind kind, const FleetId& fleet,
                   const Digest& hash, const Signatures& signatures, crypto::SignatureMemo* memo = nullptr)
{
    STARLING_ASSERT(role.threshold >= 1);
    if (signatures.size() > kMaxSignatures)
        return fail(Errc::TooLarge, std::to_string(signatures.size()) + " signatures, 16 at most");
    if (signatures.empty())
        return fail(Errc::Unsigned, "there is no signature");
    const Count seen = count(root, role, signedMessage(kind, fleet, hash), signatures, memo);
    if (seen.valid >= role.threshold)
        return {};
    const std::string tally =
        std::to_string(seen.valid) + " of " + std::to_string(role.threshold) + " signatures needed";
    if (seen.bad > 0)
        return fail(Errc::BadSignature, tally + ", " + std::to_string(seen.bad) + " do not verify");
    if (seen.valid > 0)
        return fail(Errc::BelowThreshold, tally);
    if (seen.foreign > 0)
        return fail(Errc::WrongScope, tally + ": signed by keys of other roles or scopes");
    if (seen.badForeign > 0)
        return fail(Errc::BadSignature, tally + ": the signatures of other roles or scopes do not verify");
    return fail(Errc::UnknownKey,
                tally + ": " + signatures.begin()->first.shortHex() + " is no key of the root");
}

Status requireKind(const Envelope& envelope, Kind kind)
{
    if (envelope.kind == kind)
        return {};
    return fail(Errc::Malformed,
                "envelope of kind " + std::string(kindName(envelope.kind)) + " instead of "
                    + std::string(kindName(kind)));
}

Result<Envelope> parseRootEnvelope(ByteView bytes)
{
    auto envelope = Envelope::parse(bytes, kMaxRootBytes);
    if (!envelope)
        return fail(std::move(envelope.error()), "root");
    if (auto status = requireKind(*envelope, Kind::Root); !status)
        return fail(std::move(status.error()), "root");
    return envelope;
}

std::string nameOf(const RootDocument& root)
{
    return "root " + std::to_string(root.number);
}

} // namespace

Result<TrustSet> TrustSet::fromAnchor(ByteView rootEnvelope)
{
    auto envelope = parseRootEnvelope(rootEnvelope);
    if (!envelope)
        return tl::unexpected(std::move(envelope.error()));
    auto document = RootDocument::parse(envelope->payload);
    if (!document)
        return tl::unexpected(std::move(document.error()));
    if (document->number != 1)
        return fail(Errc::InvalidRoot, nameOf(*document) + " cannot be an anchor, only the first can");

    const Digest hash = envelope->payloadHash();
    auto status = authorizeBy(*document, document->root, Kind::Root, FleetId(), hash, envelope->signatures);
    if (!status)
        return fail(std::move(status.error()), nameOf(*document));

    auto fleet = FleetId::fromBytes(hash.bytes());
    STARLING_ASSERT(fleet.has_value());
    TrustSet trust;
    trust.m_fleet = *fleet;
    trust.m_root = std::move(*document);
    trust.m_rootHash = hash;
    trust.m_chain.push_back(toBytes(rootEnvelope));
    return trust;
}

Status TrustSet::advance(ByteView rootEnvelope)
{
    auto envelope = parseRootEnvelope(rootEnvelope);
    if (!envelope)
        return tl::unexpected(std::move(envelope.error()));
    auto document = RootDocument::parse(envelope->payload);
    if (!document)
        return tl::unexpected(std::move(document.error()));
    const Digest hash = envelope->payloadHash();
    const std::string name = nameOf(*document);
    if (document->number <= m_root.number)
        return judgeKnownNumber(*document, *envelope);
    if (document->number != m_root.number + 1)
        return fail(Errc::RootGap, name + " does not follow " + nameOf(m_root));
    if (m_chain.size() > kMaxRootChain)
        return fail(Errc::TooLarge, name + ": the chain has its 1,024 roots after the anchor");
    if (document->previous != m_rootHash)
        return fail(Errc::InvalidRoot, name + " does not name the held root as its previous one");
    if (auto status = authorize(m_root.root, Kind::Root, hash, envelope->signatures); !status)
        return fail(std::move(status.error()), name + " by the held root");
    if (auto status = authorizeBy(*document, document->root, Kind::Root, m_fleet, hash, envelope->signatures);
        !status)
        return fail(std::move(status.error()), name + " by itself");

    m_root = std::move(*document);
    m_rootHash = hash;
    m_chain.push_back(toBytes(rootEnvelope));
    return {};
}

/// For a root whose number is not above the held one's.
Status TrustSet::judgeKnownNumber(const RootDocument& document, const Envelope& envelope) const
{
    const Digest hash = envelope.payloadHash();
    if (hash == m_rootHash)
        return {};
    // The hash of the first root is the fleet.
    if (document.number == 1 && !std::ranges::equal(hash.bytes(), m_fleet.bytes()))
        return fail(Errc::WrongFleet, "this first root founds another fleet");
    if (document.number < m_root.number)
        return fail(Errc::Rollback, nameOf(document) + " is older than " + nameOf(m_root));

    // Whoever signed the held root must have signed this one too, or strangers could raise the alarm.
    const auto predecessor = predecessorOfHeld();
    if (!predecessor)
        return fail(Error(predecessor.error()), "the chain");
    if (auto status =
            authorizeBy(*predecessor, predecessor->root, Kind::Root, m_fleet, hash, envelope.signatures);
        !status)
        return fail(std::move(status.error()), nameOf(document) + " by the root before it");
    if (auto status = authorizeBy(document, document.root, Kind::Root, m_fleet, hash, envelope.signatures);
        !status)
        return fail(std::move(status.error()), nameOf(document) + " by itself");
    return fail(Errc::Equivocation, "another content for " + nameOf(document) + " is signed, too");
}

Result<RootDocument> TrustSet::predecessorOfHeld() const
{
    STARLING_ASSERT(m_chain.size() >= 2);
    auto envelope = Envelope::parse(m_chain[m_chain.size() - 2], kMaxRootBytes);
    if (!envelope)
        return tl::unexpected(std::move(envelope.error()));
    return RootDocument::parse(envelope->payload);
}

Status TrustSet::authorize(const Role& role, Kind kind, const Digest& hash,
                           const Signatures& signatures) const
{
    return authorizeBy(m_root, role, kind, m_fleet, hash, signatures, m_memo.get());
}

Status TrustSet::authorizeRelease(const ResourceUri& uri, std::uint64_t epoch, const Digest& infoHash,
                                  const Signatures& signatures) const
{
    if (signatures.empty())
        return fail(Errc::Unsigned, "release of " + uri.text() + " has no signature");
    const Scope* scope = m_root.scopeFor(uri);
    if (!scope)
        return fail(Errc::WrongScope, "no scope of the root covers " + uri.text());
    if (auto status = authorize(scope->role, Kind::Release, infoHash, signatures); !status)
        return fail(std::move(status.error()),
                    "release of " + uri.text() + ", scope " + scope->prefix.text());
    if (epoch != scope->epoch)
        return fail(Errc::WrongEpoch,
                    "release of " + uri.text() + " has epoch " + std::to_string(epoch) + ", its scope "
                        + std::to_string(scope->epoch));
    return {};
}

Result<Verified<Certificate>> TrustSet::verifyAdmit(const Envelope& envelope) const
{
    if (auto status = requireKind(envelope, Kind::Admit); !status)
        return tl::unexpected(std::move(status.error()));
    if (envelope.signatures.size() > kMaxCertificateSignatures)
        return fail(Errc::TooLarge,
                    "certificate with " + std::to_string(envelope.signatures.size())
                        + " signatures, 3 at most");
    if (auto status = authorize(m_root.admit, Kind::Admit, envelope.payloadHash(), envelope.signatures);
        !status)
        return fail(std::move(status.error()), "certificate");
    auto certificate = Certificate::parse(envelope.payload);
    if (!certificate)
        return tl::unexpected(std::move(certificate.error()));
    if (certificate->admitEpoch != m_root.admitEpoch)
        return fail(Errc::WrongEpoch,
                    "certificate of " + certificate->name + " has admit epoch "
                        + std::to_string(certificate->admitEpoch) + ", the root "
                        + std::to_string(m_root.admitEpoch));
    return Verified<Certificate>(std::move(*certificate));
}

Result<Verified<DenyList>> TrustSet::verifyDeny(const Envelope& envelope) const
{
    if (auto status = requireKind(envelope, Kind::Deny); !status)
        return tl::unexpected(std::move(status.error()));
    // One signer, whose place on a board it takes.
    if (envelope.signatures.size() > 1)
        return fail(Errc::TooLarge, "deny list with more than one signature");
    const Role anyOne{m_root.admit.keys, 1};
    if (auto status = authorize(anyOne, Kind::Deny, envelope.payloadHash(), envelope.signatures); !status)
        return fail(std::move(status.error()), "deny list");
    auto list = DenyList::parse(envelope.payload);
    if (!list)
        return tl::unexpected(std::move(list.error()));
    if (list->admitEpoch != m_root.admitEpoch)
        return fail(Errc::WrongEpoch,
                    "deny list of admit epoch " + std::to_string(list->admitEpoch) + ", the root's is "
                        + std::to_string(m_root.admitEpoch));
    return Verified<DenyList>(std::move(*list));
}

Result<Verified<Withdrawal>> TrustSet::verifyWithdrawal(const Envelope& envelope) const
{
    if (auto status = requireKind(envelope, Kind::Withdraw); !status)
        return tl::unexpected(std::move(status.error()));
    // One signer, whose place on a board it takes.
    if (envelope.signatures.size() > 1)
        return fail(Errc::TooLarge, "withdrawal with more than one signature");
    // Parsed unverified only to learn whose signature is needed.
    auto document = Withdrawal::parse(envelope.payload);
    if (!document)
        return tl::unexpected(std::move(document.error()));
    const std::string what = "withdrawal of " + document->uri.text();
    const Scope* scope = m_root.scopeFor(document->uri);
    if (!scope)
        return fail(Errc::WrongScope, what + ": no scope of the root covers it");
    const Role anyOne{scope->role.keys, 1};
    if (auto status = authorize(anyOne, Kind::Withdraw, envelope.payloadHash(), envelope.signatures); !status)
        return fail(std::move(status.error()), what + ", scope " + scope->prefix.text());
    if (document->revision.epoch != scope->epoch)
        return fail(Errc::WrongEpoch,
                    what + " has epoch " + std::to_string(document->revision.epoch) + ", its scope "
                        + std::to_string(scope->epoch));
    return Verified<Withdrawal>(std::move(*document));
}

Status TrustSet::verifyByDevice(const Envelope& envelope, Kind kind, const NodeId& node) const
{
    const std::string what = std::string(kindName(kind)) + " of " + node.shortHex();
    if (auto status = requireKind(envelope, kind); !status)
        return fail(std::move(status.error()), what);
    if (envelope.signatures.empty())
        return fail(Errc::Unsigned, what + " has no signature");
    if (envelope.signatures.size() > 1)
        return fail(Errc::TooLarge, what + " has more than the device's signature");
    const auto& [key, signature] = *envelope.signatures.begin();
    if (!std::ranges::equal(key.bytes(), node.bytes()))
        return fail(Errc::UnknownKey, what + " is signed by " + key.shortHex());
    if (auto status = verifySignature(m_memo.get(), key, signedMessage(kind, m_fleet, envelope.payloadHash()),
                                      signature);
        !status)
        return fail(std::move(status.error()), what);
    return {};
}

Result<Verified<Receipt>> TrustSet::verifyReceipt(const Envelope& envelope,
                                                  const Certificate& certificate) const
{
    if (auto status = verifyByDevice(envelope, Kind::Receipt, certificate.node); !status)
        return tl::unexpected(std::move(status.error()));
    auto receipt = Receipt::parse(envelope.payload);
    if (!receipt)
        return tl::unexpected(std::move(receipt.error()));
    if (receipt->node != certificate.node)
        return fail(Errc::NotAdmitted,
                    certificate.node.shortHex() + " signed a receipt for " + receipt->node.shortHex());
    return Verified<Receipt>(std::move(*receipt));
}

Result<Verified<Descriptor>> TrustSet::verifyDescriptor(const Envelope& envelope,
                                                        const Certificate& certificate) const
{
    if (auto status = verifyByDevice(envelope, Kind::Descriptor, certificate.node); !status)
        return tl::unexpected(std::move(status.error()));
    auto descriptor = Descriptor::parse(envelope.payload);
    if (!descriptor)
        return tl::unexpected(std::move(descriptor.error()));
    if (descriptor->node != certificate.node)
        return fail(Errc::NotAdmitted,
                    certificate.node.shortHex() + " signed a descriptor for " + descriptor->node.shortHex());
    return Verified<Descriptor>(std::move(*descriptor));
}

Result<Verified<Subscription>> TrustSet::verifySubscription(const Envelope& envelope) const
{
    if (auto status = requireKind(envelope, Kind::Subscription); !status)
        return tl::unexpected(std::move(status.error()));
    if (!m_root.observe)
        return fail(Errc::WrongScope, "subscription: " + nameOf(m_root) + " names nobody who may observe");
    if (auto status =
            authorize(*m_root.observe, Kind::Subscription, envelope.payloadHash(), envelope.signatures);
        !status)
        return fail(std::move(status.error()), "subscription");
    auto subscription = Subscription::parse(envelope.payload);
    if (!subscription)
        return tl::unexpected(std::move(subscription.error()));
    return Verified<Subscription>(std::move(*subscription));
}

Result<Verified<Pulse>> TrustSet::verifyPulse(const Envelope& envelope, const NodeId& observer) const
{
    if (auto status = verifyByDevice(envelope, Kind::Pulse, observer); !status)
        return tl::unexpected(std::move(status.error()));
    auto pulse = Pulse::parse(envelope.payload);
    if (!pulse)
        return tl::unexpected(std::move(pulse.error()));
    if (pulse->observer != observer)
        return fail(Errc::NotAdmitted,
                    observer.shortHex() + " signed a pulse for " + pulse->observer.shortHex());
    return Verified<Pulse>(std::move(*pulse));
}

} // namespace starling::trust
