// SPDX-License-Identifier: Apache-2.0
#include "admin/release_work.h"

#include "control/messages.h"
#include "node/disk.h"

namespace starling::console {

namespace fs = std::filesystem;

ReleaseMaker::ReleaseMaker(fs::path directory, node::PayloadListing listing, release::Builder builder)
    : m_directory(std::move(directory))
    , m_listing(std::move(listing))
    , m_builder(std::move(builder))
{
}

Result<ReleaseMaker> ReleaseMaker::open(const fs::path& payload, release::UpdateInfo update)
{
    auto listing = node::listPayload(payload);
    if (!listing)
        return fail(std::move(listing.error()), "payload");
    auto builder =
        release::Builder::create(listing->name, listing->isSingleFile, listing->files, std::move(update));
    if (!builder)
        return fail(std::move(builder.error()), "payload");
    std::error_code error;
    fs::path directory = fs::canonical(payload, error).parent_path();
    if (error)
        return fail(Errc::PayloadMissing, payload.string() + ": " + error.message());
    return ReleaseMaker(std::move(directory), std::move(*listing), std::move(*builder));
}

Result<release::TorrentFile> ReleaseMaker::hash(const Watch& watch)
{
    const auto files = m_builder.files();
    const auto read = node::readContents(m_directory, m_listing.name, m_listing.isSingleFile, files,
                                         [&](ByteView portion) -> Status {
                                             m_builder.feed(portion);
                                             return watch(m_builder.fedBytes());
                                         });
    if (!read)
        return tl::unexpected<Error>(read.error());
    auto torrent = m_builder.finish();
    if (!torrent)
        return fail(std::move(torrent.error()), "payload");
    return torrent;
}

Result<release::TorrentFile> readRelease(const fs::path& file)
{
    auto bytes = node::readFile(file, control::kMaxFrameBytes);
    if (!bytes)
        return fail(std::move(bytes.error()), "release");
    auto torrent = release::TorrentFile::parse(*bytes);
    if (!torrent)
        return fail(std::move(torrent.error()), file.string());
    return torrent;
}

Status requireReplaceable(const fs::path& file)
{
    std::error_code error;
    if (!fs::exists(fs::symlink_status(file, error)))
        return {};
    const auto held = readRelease(file);
    if (held && held->signatures.empty())
        return {};
    return fail(Errc::AlreadyExists, file.string() + (held ? " is signed" : " is not a release"));
}

Status signRelease(release::TorrentFile& torrent, const trust::TrustSet& trust, const crypto::SecretKey& key)
{
    const trust::Scope* scope = trust.root().scopeFor(torrent.info.update.uri);
    if (scope == nullptr || !scope->role.keys.contains(key.id()))
        return fail(Errc::WrongScope,
                    "key " + key.id().shortHex() + " may not sign " + torrent.info.update.uri.text());
    torrent.sign(trust.fleet(), key);
    return {};
}

Status verifyPayload(const release::TorrentFile& torrent, const fs::path& given, const Watch& watch)
{
    const auto directory = node::locatePayload(given, torrent.info);
    if (!directory)
        return tl::unexpected<Error>(directory.error());
    release::PayloadVerifier verifier(torrent.info);
    auto read = node::readContents(*directory, torrent.info.name, torrent.info.isSingleFile,
                                   torrent.info.files, [&](ByteView portion) -> Status {
                                       if (auto watched = watch(verifier.fedBytes()); !watched)
                                           return watched;
                                       return verifier.feed(portion);
                                   });
    return read ? verifier.finish() : read;
}

} // namespace starling::console
