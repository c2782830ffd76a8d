// SPDX-License-Identifier: Apache-2.0
/// The payload directory of an agent:
///
///     <state>/payloads/<info-hash>/release.torrent   the signed torrent-file++, with piece layers once
///     verified <state>/payloads/<info-hash>/verified          snapshot of the files when they were verified;
///     absent before <state>/payloads/<info-hash>/data/<name>       the payload, or a link to where it lies
///     (push --in-place) <state>/incoming/                              pushes that are arriving; emptied at
///     start
#pragma once

#include "node/payload_files.h"

namespace starling::node {

class PayloadStore
{
public:
    /// Makes the directories, removes what an interrupted push left. Fails with Io or DiskFull.
    static Result<PayloadStore> open(const std::filesystem::path& state);

    std::filesystem::path dataDirectory(const InfoHash& payload) const;
    /// The directory from which scripts run: that of the payload, links resolved.
    std::filesystem::path scriptDirectory(const release::ReleaseInfo& info, const InfoHash& payload) const;
    std::filesystem::path incomingDirectory(const InfoHash& payload) const;

    /// Directory and torrent file for a payload that is to arrive.
    Status prepare(const release::TorrentFile& torrent);
    /// Puts an incoming push in place of whatever is held of this payload.
    Status adopt(const release::TorrentFile& torrent);
    /// A payload that stays at `path`.
    Status link(const release::TorrentFile& torrent, const std::filesystem::path& path);
    /// Remembers that the files are what was signed, and the layers to serve them with.
    Status markVerified(const release::TorrentFile& torrent);
    void unmarkVerified(const InfoHash& payload);
    void discardIncoming(const InfoHash& payload);
    /// Forgets the files of a payload and keeps its torrent file.
    void discardData(const InfoHash& payload);

    enum class Condition : std::uint8_t {
        Absent, ///< not verified, or not here
        Verified, ///< verified, and untouched since
        Touched, ///< verified once, but a file changed or vanished since
    };
    Condition condition(const release::ReleaseInfo& info, const InfoHash& payload) const;
    bool isInPlace(const InfoHash& payload, const std::string& name) const;

    /// The torrent file kept for a payload. NotFound, or StateCorrupt if it is not of this info-hash.
    Result<release::TorrentFile> torrent(const InfoHash& payload) const;
    std::vector<InfoHash> held() const;
    void remove(const InfoHash& payload);
    /// Bytes stored in all payloads but `except`; those in place do not count.
    std::uint64_t usedBytes(const InfoHash& except) const;
    std::uint64_t freeBytes() const;

private:
    explicit PayloadStore(std::filesystem::path state);
    std::filesystem::path home(const InfoHash& payload) const;
    std::filesystem::path m_state;
};

} // namespace starling::node
