// SPDX-License-Identifier: Apache-2.0
/// A Payload as libtorrent wants it. Private to core/swarm.
#pragma once

#include "swarm/swarm.h"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/torrent_info.hpp>

namespace starling::swarm {

inline constexpr std::size_t kMaxResumeBytes =
    16 * 1024 * 1024; ///< 65,536 pieces with their trees are a quarter of it

/// The metainfo from canonical `info` bytes, with piece layers if there are any. Fails with Malformed, also
/// when the bytes do not hash to the info-hash.
Result<std::shared_ptr<lt::torrent_info>> readInfo(const Payload& payload);

/// Everything but the extension. Resume data that is damaged or of another payload is ignored: it costs a
/// survey.
lt::add_torrent_params torrentParams(const Payload& payload, std::shared_ptr<lt::torrent_info> info);

/// Whether what lies in the directory must be surveyed before anything is fetched. libtorrent 2.0.8, reading
/// files whose piece hashes it does not have, keeps the hashes of wrong and missing blocks; when the right
/// ones arrive it takes the difference for corruption by whichever peer is sending that piece, and bans it.
/// So such files are read in a torrent that fetches nothing, and another one starts from what was found.
bool needsSurvey(const lt::add_torrent_params& params, const Payload& payload);

/// Starts from the pieces that `saved` has, and from no half-fetched ones.
void takePieces(lt::add_torrent_params& params, lt::add_torrent_params saved);

/// Starts from the files of which `saved` has all pieces: what a survey found.
void takeCompleteFiles(lt::add_torrent_params& params, lt::add_torrent_params saved);

/// Bytes of the payload's files, without padding.
std::uint64_t payloadBytes(const lt::torrent_info& info);

/// PayloadMissing, naming the file, unless all files are there in their full size.
Status requireFiles(const lt::torrent_info& info, const std::filesystem::path& directory);

} // namespace starling::swarm
