// SPDX-License-Identifier: Apache-2.0
#include "node/payload_store.h"

#include "node/disk.h"

#include <sys/stat.h>

namespace starling::node {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxTorrentBytes =
    4 * 1024 * 1024; ///< control::kMaxFrameBytes: a pushed one passed that
constexpr std::size_t kMaxSnapshotBytes = 4 * 1024 * 1024; ///< 16,384 files of about 80 bytes, and room

Status makeDirectory(const fs::path& path)
{
    std::error_code error;
    fs::create_directories(path, error);
    if (error)
        return tl::unexpected<Error>(diskError(error.value(), path));
    return {};
}

} // namespace

PayloadStore::PayloadStore(fs::path state)
    : m_state(std::move(state))
{
}

Result<PayloadStore> PayloadStore::open(const fs::path& state)
{
    std::error_code error;
    fs::remove_all(state / "incoming", error);
    for (const char* part : {"incoming", "payloads"})
        if (auto made = makeDirectory(state / part); !made)
            return fail(std::move(made.error()), "payload directory");
    return PayloadStore(state);
}

fs::path PayloadStore::home(const InfoHash& payload) const
{
    return m_state / "payloads" / payload.hex();
}

fs::path PayloadStore::dataDirectory(const InfoHash& payload) const
{
    return home(payload) / "data";
}

fs::path PayloadStore::incomingDirectory(const InfoHash& payload) const
{
    return m_state / "incoming" / payload.hex();
}

fs::path PayloadStore::scriptDirectory(const release::ReleaseInfo& info, const InfoHash& payload) const
{
    std::error_code error;
    const fs::path real = fs::canonical(dataDirectory(payload) / info.name, error);
    if (error)
        return dataDirectory(payload);
    return info.isSingleFile ? real.parent_path() : real;
}

Status PayloadStore::prepare(const release::TorrentFile& torrent)
{
    if (auto made = makeDirectory(dataDirectory(torrent.infoHash)); !made)
        return made;
    // One with layers, from an earlier verification, says more than the notice.
    std::error_code error;
    if (fs::exists(home(torrent.infoHash) / "verified", error))
        return {};
    return writeFile(home(torrent.infoHash) / "release.torrent", torrent.serialize(), FileMode::Private);
}

Status PayloadStore::adopt(const release::TorrentFile& torrent)
{
    remove(torrent.infoHash);
    if (auto synced = syncTree(incomingDirectory(torrent.infoHash)); !synced)
        return synced;
    if (auto made = makeDirectory(home(torrent.infoHash)); !made)
        return made;
    std::error_code error;
    fs::rename(incomingDirectory(torrent.infoHash), dataDirectory(torrent.infoHash), error);
    if (error)
        return tl::unexpected<Error>(diskError(error.value(), dataDirectory(torrent.infoHash)));
    return markVerified(torrent);
}

Status PayloadStore::link(const release::TorrentFile& torrent, const fs::path& path)
{
    remove(torrent.infoHash);
    if (auto made = makeDirectory(dataDirectory(torrent.infoHash)); !made)
        return made;
    std::error_code error;
    fs::create_symlink(path, dataDirectory(torrent.infoHash) / torrent.info.name, error);
    if (error)
        return tl::unexpected<Error>(diskError(error.value(), dataDirectory(torrent.infoHash)));
    return markVerified(torrent);
}

Status PayloadStore::markVerified(const release::TorrentFile& torrent)
{
    auto seen = snapshot(dataDirectory(torrent.infoHash), torrent.info);
    if (!seen)
        return fail(std::move(seen.error()), "payload");
    if (auto written =
            writeFile(home(torrent.infoHash) / "release.torrent", torrent.serialize(), FileMode::Private);
        !written)
        return written;
    return writeFile(home(torrent.infoHash) / "verified", viewOf(*seen), FileMode::Private);
}

void PayloadStore::unmarkVerified(const InfoHash& payload)
{
    std::error_code error;
    fs::remove(home(payload) / "verified", error);
}

void PayloadStore::discardIncoming(const InfoHash& payload)
{
    std::error_code error;
    fs::remove_all(incomingDirectory(payload), error);
}

void PayloadStore::discardData(const InfoHash& payload)
{
    unmarkVerified(payload);
    std::error_code error;
    fs::remove_all(dataDirectory(payload), error);
}

PayloadStore::Condition PayloadStore::condition(const release::ReleaseInfo& info,
                                                const InfoHash& payload) const
{
    const auto noted = readFile(home(payload) / "verified", kMaxSnapshotBytes);
    if (!noted)
        return Condition::Absent;
    const auto seen = snapshot(dataDirectory(payload), info);
    return seen && *seen == toText(*noted) ? Condition::Verified : Condition::Touched;
}

bool PayloadStore::isInPlace(const InfoHash& payload, const std::string& name) const
{
    std::error_code error;
    return fs::is_symlink(dataDirectory(payload) / name, error);
}

Result<release::TorrentFile> PayloadStore::torrent(const InfoHash& payload) const
{
    auto bytes = readFile(home(payload) / "release.torrent", kMaxTorrentBytes);
    if (!bytes)
        return fail(std::move(bytes.error()), "kept release");
    auto torrent = release::TorrentFile::parse(*bytes);
    if (!torrent)
        return fail(Errc::StateCorrupt, "kept release: " + torrent.error().context);
    if (torrent->infoHash != payload)
        return fail(Errc::StateCorrupt, "kept release " + payload.shortHex() + " has another info-hash");
    return torrent;
}

std::vector<InfoHash> PayloadStore::held() const
{
    std::vector<InfoHash> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(m_state / "payloads", error))
        if (auto id = InfoHash::fromHex(entry.path().filename().string()))
            found.push_back(*id);
    return found;
}

void PayloadStore::remove(const InfoHash& payload)
{
    std::error_code error;
    fs::remove_all(home(payload), error);
}

std::uint64_t PayloadStore::usedBytes(const InfoHash& except) const
{
    std::uint64_t used = 0;
    std::error_code error;
    for (const InfoHash& payload : held()) {
        if (payload == except)
            continue;
        for (fs::recursive_directory_iterator at(dataDirectory(payload), error), end; !error && at != end;
             at.increment(error)) {
            std::error_code ignored;
            if (!at->is_symlink(ignored) && at->is_regular_file(ignored))
                used += at->file_size(ignored);
        }
    }
    return used;
}

std::uint64_t PayloadStore::freeBytes() const
{
    std::error_code error;
    const fs::space_info space = fs::space(m_state, error);
    return error ? 0 : space.available;
}

} // namespace starling::node
