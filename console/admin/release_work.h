// SPDX-License-Identifier: Apache-2.0
/// Making, signing and verifying releases, for the command line and the window. Blocks while it reads, so a
/// window calls it from a thread of its own.
#pragma once

#include "node/payload_files.h"
#include "release/torrent_file.h"

namespace starling::console {

/// Told of bytes that are done after every portion (256 KiB at most); an error stops the work and is what it
/// fails with, Errc::Cancelled where somebody pressed cancel.
using Watch = std::function<Status(std::uint64_t done)>;

/// A payload whose files were looked at and not read yet.
class ReleaseMaker
{
public:
    /// Fails as node::listPayload() and release::Builder::create() do.
    static Result<ReleaseMaker> open(const std::filesystem::path& payload, release::UpdateInfo update);

    const std::string& name() const { return m_listing.name; }
    std::uint64_t payloadBytes() const { return m_builder.payloadBytes(); }
    /// Reads and hashes all of it, once. PayloadMissing or PayloadChanged if a file has vanished or is of
    /// another size, Io, or what `watch` says.
    Result<release::TorrentFile> hash(const Watch& watch);

private:
    ReleaseMaker(std::filesystem::path directory, node::PayloadListing listing, release::Builder builder);
    std::filesystem::path m_directory; ///< that holds the payload
    node::PayloadListing m_listing;
    release::Builder m_builder;
};

/// A torrent-file++ of at most control::kMaxFrameBytes: what can be pushed.
Result<release::TorrentFile> readRelease(const std::filesystem::path& file);

/// A release that nobody signed can be made again at any time; signatures, or another file, cannot:
/// AlreadyExists.
Status requireReplaceable(const std::filesystem::path& file);

/// Adds the signature of `key`. WrongScope, and nothing is added, if it may not sign for the release's URI.
Status signRelease(release::TorrentFile& torrent, const trust::TrustSet& trust, const crypto::SecretKey& key);

/// Reads the payload at `given` and compares it with what was signed. PayloadMismatch and the codes of
/// ReleaseMaker::hash().
Status verifyPayload(const release::TorrentFile& torrent, const std::filesystem::path& given,
                     const Watch& watch);

} // namespace starling::console
