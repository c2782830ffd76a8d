// SPDX-License-Identifier: Apache-2.0
/// What is to be signed by somebody else, on a machine that may have no network: the exact bytes that a
/// signature covers, for which fleet, and the signatures that there are. A file of it goes to a holder of a
/// key and back. Nothing in it carries meaning besides the payload, and nothing in it is trusted: who signs
/// reads the payload, and who merges verifies each signature. Pure.
///
///     d 5:fleet <32 bytes> 6:format i1e 4:kind <"release" or "root"> 7:payload <bytes> 10:signatures d … e e
#pragma once

#include "release/torrent_file.h"

namespace starling::release {

struct SigningRequest
{
    /// A release's info at its largest, and room for the names and 16 signatures.
    static constexpr std::size_t kMaxBytes = InfoLimits::kMaxInfoBytes + 8 * 1024;

    FleetId fleet;
    trust::Kind kind = trust::Kind::Release; ///< or Root
    Bytes payload; ///< a release's `info`, or a root document
    trust::Signatures signatures; ///< may be empty

    static SigningRequest of(const FleetId& fleet, const TorrentFile& torrent);
    static SigningRequest of(const FleetId& fleet, const trust::Envelope& root);

    Bytes serialize() const;
    /// Strict. Fails with the decoder's codes, UnsupportedFormat, Malformed (another kind, or anything
    /// besides the fields), the codes of ReleaseInfo::parse() and RootDocument::parse(), or InvalidRoot for a
    /// first root: that is what a fleet begins with, and names it.
    static Result<SigningRequest> parse(ByteView bytes);

    Digest payloadHash() const;
    /// BadSignature unless `key` has signed the payload.
    Status verify(const KeyId& key) const;
    void sign(const crypto::SecretKey& key);
};

} // namespace starling::release
