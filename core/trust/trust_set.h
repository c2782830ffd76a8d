// SPDX-License-Identifier: Apache-2.0
/// What a node trusts: the fleet, its newest root, and the devices that were admitted. Moves forward only.
/// The order of loading is the interface: first the anchor, then newer roots one by one, then the rest.
#pragma once

#include "crypto/signature_memo.h"
#include "trust/deny_list.h"
#include "trust/documents.h"
#include "trust/root.h"
#include "trust/subscription.h"
#include "trust/withdrawal.h"

#include <memory>

namespace starling::trust {

/// An envelope that verified: only TrustSet makes one, so holding it is the proof.
template <class Document> class Verified
{
public:
    const Document& operator*() const { return m_document; }
    const Document* operator->() const { return &m_document; }

private:
    friend class TrustSet;
    explicit Verified(Document document)
        : m_document(std::move(document))
    {
    }
    Document m_document;
};

class TrustSet
{
public:
    /// From the first root, which the device was given: its hash names the fleet, and it must be signed by
    /// its own threshold. Fails with the decoder's codes, Malformed (another kind), InvalidRoot, or a
    /// signature code.
    static Result<TrustSet> fromAnchor(ByteView rootEnvelope);

    /// Takes root number held + 1, signed by the threshold of both the held and the new one. Fails with
    /// RootGap, Rollback (an older number), WrongFleet (a first root that is not the anchor), Equivocation
    /// (another content for the held number, validly signed: without valid signatures it is no proof and the
    /// code is the signatures'), InvalidRoot, TooLarge (more than kMaxRootChain after the anchor) or a
    /// signature code; then nothing changed. The held root again is a success that changes nothing.
    Status advance(ByteView rootEnvelope);

    /// This one and its copies, from now on, ask `memo` about signatures of notices and descriptors: for
    /// simulations of many nodes in one process. Roots are always verified anew.
    void shareVerification(std::shared_ptr<crypto::SignatureMemo> memo) { m_memo = std::move(memo); }

    const FleetId& fleet() const { return m_fleet; }
    const RootDocument& root() const { return m_root; }
    /// Envelopes of all roots from the anchor to the newest.
    const std::vector<Bytes>& chain() const { return m_chain; }

    /// Whether `signatures` over a payload of `hash` reach the threshold of `role`, one of root()'s. Only
    /// valid signatures by members count; nothing else counts against them, so that keys can overlap while
    /// they are rotated. More than 16 signatures are TooLarge; when the threshold is not reached, the code is
    /// the first of these that holds:
    ///   Unsigned        no signature at all
    ///   BadSignature    a member's signature does not verify
    ///   BelowThreshold  at least one member signed, but fewer than the threshold
    ///   WrongScope      no member signed; a key of another role or scope of the root did, and it verifies
    ///   BadSignature    no member signed; keys of other roles or scopes are named, and none verifies
    ///   UnknownKey      no key of the root is among the signatures
    Status authorize(const Role& role, Kind kind, const Digest& hash, const Signatures& signatures) const;
    /// authorize() with the role of the longest scope that covers `uri`. Unsigned first of all, WrongScope if
    /// no scope covers it, and, once the signatures hold, WrongEpoch if `epoch` is not the scope's.
    Status authorizeRelease(const ResourceUri& uri, std::uint64_t epoch, const Digest& infoHash,
                            const Signatures& signatures) const;

    /// Signed by the admit role, with at most 3 signatures (TooLarge); then WrongEpoch unless the admit epoch
    /// is the root's. Malformed if the envelope is of another kind. Expiry is judged by the caller.
    Result<Verified<Certificate>> verifyAdmit(const Envelope& envelope) const;
    /// Signed by the device that `certificate` admits, and by nobody else (TooLarge): Unsigned, UnknownKey,
    /// BadSignature otherwise. NotAdmitted if it speaks for another node, Malformed if it is of another kind.
    Result<Verified<Receipt>> verifyReceipt(const Envelope& envelope, const Certificate& certificate) const;
    Result<Verified<Descriptor>> verifyDescriptor(const Envelope& envelope,
                                                  const Certificate& certificate) const;
    /// Signed by the observe role; WrongScope if the root names none. Malformed if the envelope is of another
    /// kind. Expiry is judged by the caller.
    Result<Verified<Subscription>> verifySubscription(const Envelope& envelope) const;
    /// Signed by the observer itself, whose subscription the caller knows: the codes of verifyReceipt.
    Result<Verified<Pulse>> verifyPulse(const Envelope& envelope, const NodeId& observer) const;

    /// Signed by one key of the admit role, whatever its threshold, and by nobody else (TooLarge): stopping
    /// needs one key. WrongEpoch unless the admit epoch is the root's; Malformed if it is of another kind.
    Result<Verified<DenyList>> verifyDeny(const Envelope& envelope) const;
    /// Signed by one key of the scope that covers its URI, whatever the scope's threshold, and by nobody else
    /// (TooLarge). WrongScope if no scope does, WrongEpoch unless the epoch is the scope's; Malformed if it is
    /// of another kind.
    Result<Verified<Withdrawal>> verifyWithdrawal(const Envelope& envelope) const;

private:
    TrustSet() = default;
    Status verifyByDevice(const Envelope& envelope, Kind kind, const NodeId& node) const;
    Status judgeKnownNumber(const RootDocument& document, const Envelope& envelope) const;
    Result<RootDocument> predecessorOfHeld() const;
    FleetId m_fleet;
    RootDocument m_root;
    Digest m_rootHash;
    std::vector<Bytes> m_chain;
    std::shared_ptr<crypto::SignatureMemo> m_memo; ///< none in an agent
};

} // namespace starling::trust
