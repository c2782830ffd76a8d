// SPDX-License-Identifier: Apache-2.0
/// torrent-file++: a BEP 52 metainfo file with `signatures` (laid out after BEP 35) over its `info`.
///
///     d 4:info d … e [12:piece layers d … e] 10:signatures d … e e
///
/// As a notice it travels without `piece layers`: they are checked against the merkle root when peers send
/// them.
#pragma once

#include "release/release_info.h"
#include "trust/trust_set.h"

namespace starling::release {

/// Per file of more than one piece: merkle root → the concatenated piece hashes (BEP 52 `piece layers`).
using PieceLayers = std::map<Digest, Bytes>;

/// A parsed torrent-file++; nothing is verified yet.
struct TorrentFile
{
    /// Of the whole file: the largest `info`, 2 MiB of hashes for 65,536 pieces with the keys of their files,
    /// and room for 16 signatures.
    static constexpr std::size_t kMaxBytes = 4 * 1024 * 1024;
    /// Of a notice, which has no piece layers; below what a link carries in one message.
    static constexpr std::size_t kMaxNoticeBytes = InfoLimits::kMaxInfoBytes + 4 * 1024;

    ReleaseInfo info;
    Bytes infoBytes; ///< as received, canonical
    InfoHash infoHash;
    trust::Signatures signatures;
    PieceLayers layers; ///< empty in a notice

    /// From a finished info; unsigned.
    static TorrentFile of(ReleaseInfo info, PieceLayers layers);

    /// Whole file. Fails with the decoder's codes, LegacyTorrent, UnsafeName, TooLarge; Unsigned is not an
    /// error here: `signatures` is empty then. Present piece layers must hash to their roots
    /// (PayloadMismatch). Top-level keys other than the three are refused (Malformed): nothing unsigned may
    /// carry meaning (security-cases 20).
    static Result<TorrentFile> parse(ByteView bytes);
    /// With piece layers, if they are known: an empty dictionary if no file is larger than a piece, as BEP 52
    /// wants it.
    Bytes serialize() const;
    /// Without piece layers: what the overlay carries.
    Bytes notice() const;

    void sign(const FleetId& fleet, const crypto::SecretKey& key);
};

/// A release whose signatures reached the threshold of its scope; only verifyRelease makes one.
class VerifiedRelease
{
public:
    const TorrentFile& torrent() const { return m_torrent; }
    const ReleaseInfo& info() const { return m_torrent.info; }
    const UpdateInfo& update() const { return m_torrent.info.update; }
    const InfoHash& infoHash() const { return m_torrent.infoHash; }

private:
    friend Result<VerifiedRelease> verifyRelease(TorrentFile torrent, const trust::TrustSet& trust);
    explicit VerifiedRelease(TorrentFile torrent)
        : m_torrent(std::move(torrent))
    {
    }
    TorrentFile m_torrent;
};

/// Signatures against the trust set: see TrustSet::authorizeRelease for the codes.
Result<VerifiedRelease> verifyRelease(TorrentFile torrent, const trust::TrustSet& trust);

} // namespace starling::release
