// SPDX-License-Identifier: Apache-2.0
/// Membership on a BitTorrent connection: the BEP 10 extension `st_member`. Private to core/swarm.
///
///     extended handshake (BEP 10), top level:
///         "m":  { …, "st_member": 22 }
///         "st_member": { "c": certificate envelope, "n": challenge[32] }          challenge: fresh for each
///         connection
///     message, once, as soon as the other side's handshake is read:
///         length u32 | 20 | its number for st_member | version = 1 | signature[64]
///
///     signature over these 96 bytes, in the layout of all our signed messages:
///         "starling/1/peer", zero-padded to 32 | info-hash[32] | SHA-256(
///             SHA-256(signer's certificate) | SHA-256(verifier's certificate) |
///             signer's challenge[32]        | verifier's challenge[32] )
///
/// A proof holds for one payload (info-hash), one connection (the verifier's challenge), one verifier (its
/// certificate) and one direction (signer first). Reflecting a proof at its maker would need its own
/// certificate: a peer that shows ours, or returns our challenge, is refused. The connection itself is not
/// encrypted: somebody on the path can pass proofs through and then read or break what follows; that costs
/// secrecy, and the merkle root keeps the payload right.
///
/// The proof overtakes nothing and need not be waited for: a member sends it on reading our extended
/// handshake, hence before it can answer our bitfield, which follows it. So whatever comes without it —
/// interest, requests, unchoking, pieces — is dropped. Piece hashes are given to anybody; they are no secret
/// of the payload.
///
/// Who is not to be asked (source_gate.h) is told NOT INTERESTED, and when it unchokes us all the same, that
/// is not heard. It is served like others. A connection is closed when both sides have everything.
#pragma once

#include "swarm/peer_ledger.h"
#include "swarm/source_gate.h"

#include <libtorrent/extensions.hpp>
#include <libtorrent/torrent_info.hpp>

namespace starling::swarm {

inline constexpr std::size_t kMaxCertificateBytes =
    8 * 1024; ///< a certificate with three signatures has under 2 KiB

/// What all connections of one session share; constant but for the ledger and the gate.
struct MemberContext
{
    explicit MemberContext(std::function<void()> wake)
        : ledger(std::move(wake))
    {
    }
    Admission admission = Admission::Members;
    Duration admissionTimeout{};
    std::shared_ptr<const MemberProof> proof; ///< null only in open swarms
    Bytes certificate; ///< ours; empty without a proof
    PeerLedger ledger;
    SourceGate gate;
};

/// The 96 bytes that `signer` signs for `verifier`.
struct PeerTranscript
{
    ByteView certificate;
    ByteView challenge;
};
Bytes proofMessage(const InfoHash& payload, const PeerTranscript& signer, const PeerTranscript& verifier);

/// To be given to the torrent of `payload` when it is added.
std::shared_ptr<lt::torrent_plugin> makeMemberExtension(std::shared_ptr<MemberContext> context,
                                                        InfoHash payload,
                                                        std::shared_ptr<const lt::torrent_info> info);

} // namespace starling::swarm
