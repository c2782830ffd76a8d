// SPDX-License-Identifier: Apache-2.0
#include "swarm/torrent_params_lt.h"

#include "crypto/sha256.h"
#include "release/release_info.h"
#include "swarm/endpoint_lt.h"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/read_resume_data.hpp>
#include <libtorrent/torrent_flags.hpp>

namespace starling::swarm {

namespace {

constexpr int kMaxDepth = 100; // a path of 1,024 bytes is at most half as many directories of the file tree

/// A metainfo file around the info: the only form in which libtorrent takes piece layers.
Bytes metainfoOf(const Payload& payload)
{
    Bytes file = toBytes("d4:info");
    append(file, payload.infoBytes);
    append(file, viewOf("12:piece layersd"));
    for (const auto& [root, layer] : payload.layers) {
        append(file, viewOf("32:"));
        append(file, root.bytes());
        append(file, viewOf(std::to_string(layer.size()) + ":"));
        append(file, layer);
    }
    append(file, viewOf("ee"));
    return file;
}

lt::span<const char> charsOf(const Bytes& bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::ptrdiff_t>(bytes.size())};
}

lt::bdecode_node decode(const Bytes& bytes, lt::error_code& error)
{
    constexpr int kMaxItems = 4 * static_cast<int>(release::InfoLimits::kMaxInfoBytes);
    return lt::bdecode(charsOf(bytes), error, nullptr, kMaxDepth, kMaxItems);
}

/// Only what says which bytes we hold: no addresses, names or flags from an old file.
bool takeResumeData(lt::add_torrent_params& params, const Payload& payload)
{
    if (payload.resumeData.empty() || payload.resumeData.size() > kMaxResumeBytes)
        return false;
    lt::error_code error;
    auto saved = lt::read_resume_data(charsOf(payload.resumeData), error);
    if (error || saved.info_hashes.v2 != params.ti->info_hashes().v2)
        return false;
    params.unfinished_pieces = std::move(saved.unfinished_pieces);
    takePieces(params, std::move(saved));
    return true;
}

bool needsLayers(const lt::torrent_info& info)
{
    const auto& files = info.files();
    for (const auto file : files.file_range()) {
        if (!files.pad_file_at(file) && files.file_size(file) > info.piece_length())
            return true;
    }
    return false;
}

} // namespace

Result<std::shared_ptr<lt::torrent_info>> readInfo(const Payload& payload)
{
    if (payload.infoBytes.size() > release::InfoLimits::kMaxInfoBytes)
        return fail(Errc::TooLarge, "info of " + std::to_string(payload.infoBytes.size()) + " bytes");
    if (crypto::sha256(payload.infoBytes).bytes().size() != InfoHash::kSize
        || !std::ranges::equal(crypto::sha256(payload.infoBytes).bytes(), payload.infoHash.bytes()))
        return fail(Errc::Malformed, "info does not hash to " + payload.infoHash.shortHex());

    lt::error_code error;
    std::shared_ptr<lt::torrent_info> info;
    if (payload.layers.empty()) {
        const auto node = decode(payload.infoBytes, error);
        info = std::make_shared<lt::torrent_info>(lt::info_hash_t(toLibtorrent(payload.infoHash)));
        if (!error)
            info->parse_info_section(node, error, static_cast<int>(release::InfoLimits::kMaxPieces));
    } else {
        const auto file = metainfoOf(payload);
        const auto node = decode(file, error);
        if (!error)
            info = std::make_shared<lt::torrent_info>(node, error);
    }
    if (error)
        return fail(Errc::Malformed, "info " + payload.infoHash.shortHex() + ": " + error.message());
    if (!info->is_valid() || !info->info_hashes().has_v2() || info->info_hashes().has_v1())
        return fail(Errc::Malformed, "info " + payload.infoHash.shortHex() + " is not BitTorrent v2 alone");
    return info;
}

lt::add_torrent_params torrentParams(const Payload& payload, std::shared_ptr<lt::torrent_info> info)
{
    lt::add_torrent_params params;
    params.ti = std::move(info);
    params.info_hashes = params.ti->info_hashes();
    params.save_path = payload.directory.string();
    params.storage_mode = lt::storage_mode_sparse;
    params.flags = lt::torrent_flags::duplicate_is_error | lt::torrent_flags::disable_dht
        | lt::torrent_flags::disable_lsd | lt::torrent_flags::disable_pex;
    const bool resumed = takeResumeData(params, payload);
    const bool hasLayers = !payload.layers.empty() || !needsLayers(*params.ti)
        || (resumed && params.have_pieces.size() == params.ti->num_pieces() && params.have_pieces.all_set());
    // What is complete may be somebody's own files: they are read and never written.
    if (payload.presence == Payload::Presence::Complete)
        params.flags |= lt::torrent_flags::upload_mode;
    // A seed must be able to show piece hashes. Without them it reads its files once and makes them anew.
    if (payload.presence == Payload::Presence::Complete && hasLayers)
        params.flags |= lt::torrent_flags::seed_mode;
    return params;
}

bool needsSurvey(const lt::add_torrent_params& params, const Payload& payload)
{
    if (payload.presence == Payload::Presence::Complete || !payload.layers.empty() || !needsLayers(*params.ti)
        || !params.have_pieces.empty())
        return false;
    const auto& files = params.ti->files();
    for (const auto file : files.file_range()) {
        std::error_code error;
        if (!files.pad_file_at(file) && files.file_size(file) > 0
            && std::filesystem::exists(files.file_path(file, params.save_path), error))
            return true;
    }
    return false;
}

void takePieces(lt::add_torrent_params& params, lt::add_torrent_params saved)
{
    params.have_pieces = std::move(saved.have_pieces);
    params.have_pieces.resize(params.ti->num_pieces(), false);
    params.merkle_trees = std::move(saved.merkle_trees);
    params.merkle_tree_mask = std::move(saved.merkle_tree_mask);
    params.verified_leaf_hashes = std::move(saved.verified_leaf_hashes);
}

void takeCompleteFiles(lt::add_torrent_params& params, lt::add_torrent_params saved)
{
    takePieces(params, std::move(saved));
    const auto& files = params.ti->files();
    for (const auto file : files.file_range()) {
        if (files.pad_file_at(file) || files.file_size(file) == 0)
            continue;
        const auto first = files.piece_index_at_file(file);
        const auto end = lt::piece_index_t(static_cast<int>(first) + files.file_num_pieces(file));
        bool isComplete = true;
        for (auto piece = first; piece != end; ++piece)
            isComplete = isComplete && params.have_pieces[piece];
        if (isComplete)
            continue;
        for (auto piece = first; piece != end; ++piece)
            params.have_pieces.clear_bit(piece);
        const auto forget = [file](auto& perFile) {
            if (file < perFile.end_index())
                perFile[file].clear();
        };
        forget(params.merkle_trees);
        forget(params.merkle_tree_mask);
        forget(params.verified_leaf_hashes);
    }
}

std::uint64_t payloadBytes(const lt::torrent_info& info)
{
    std::uint64_t total = 0;
    const auto& files = info.files();
    for (const auto file : files.file_range()) {
        if (!files.pad_file_at(file))
            total += static_cast<std::uint64_t>(files.file_size(file));
    }
    return total;
}

Status requireFiles(const lt::torrent_info& info, const std::filesystem::path& directory)
{
    const auto& files = info.files();
    for (const auto file : files.file_range()) {
        if (files.pad_file_at(file))
            continue;
        const auto path = files.file_path(file, directory.string());
        std::error_code error;
        const auto size = std::filesystem::file_size(path, error);
        if (error)
            return fail(Errc::PayloadMissing, path + ": " + error.message());
        if (size != static_cast<std::uint64_t>(files.file_size(file)))
            return fail(Errc::PayloadMissing, path + " has " + std::to_string(size) + " bytes");
    }
    return {};
}

} // namespace starling::swarm
