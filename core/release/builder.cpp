// SPDX-License-Identifier: Apache-2.0
#include "release/builder.h"

#include "base/assert.h"
#include "release/paths.h"

#include <algorithm>

namespace starling::release {

namespace {

/// Pieces never span files, so many small files make more pieces than their sum suggests.
std::uint64_t pieceBytesFor(ReleaseInfo info)
{
    info.pieceBytes = release::pieceBytesFor(info.payloadBytes());
    while (info.pieceCount() > InfoLimits::kMaxPieces && info.pieceBytes < InfoLimits::kMaxPieceBytes)
        info.pieceBytes *= 2;
    return info.pieceBytes;
}

Status requireSizes(const std::vector<SourceFile>& files)
{
    if (files.empty())
        return fail(Errc::Malformed, "no files");
    if (files.size() > InfoLimits::kMaxFiles)
        return fail(Errc::TooLarge,
                    std::to_string(files.size()) + " files, at most "
                        + std::to_string(InfoLimits::kMaxFiles));
    std::uint64_t left = InfoLimits::kMaxPayloadBytes;
    for (const SourceFile& file : files) {
        if (file.size > left)
            return fail(Errc::TooLarge, "payload of more than 4 TiB");
        left -= file.size;
    }
    return {};
}

} // namespace

Result<Builder> Builder::create(std::string name, bool isSingleFile, std::vector<SourceFile> files,
                                UpdateInfo update)
{
    if (auto status = requireSizes(files); !status)
        return tl::unexpected(std::move(status.error()));
    ReleaseInfo info{.name = std::move(name), .files = {}, .update = std::move(update)};
    for (SourceFile& file : files) {
        if (auto status = requireSafePath(file.path); !status)
            return tl::unexpected(std::move(status.error()));
        info.files.push_back({.path = std::move(file.path), .size = file.size, .piecesRoot = {}});
    }
    std::sort(info.files.begin(), info.files.end(),
              [](const PayloadFile& a, const PayloadFile& b) { return isBefore(a.path, b.path); });
    if (const std::string* path = findClash(info.files))
        return fail(Errc::AlreadyExists,
                    quoted(*path) + " and another path are the same, at least on systems that"
                        + " ignore case");
    const bool isLone = info.files.size() == 1 && info.files[0].path.find('/') == std::string::npos;
    if (isSingleFile && (!isLone || info.files[0].path != info.name))
        return fail(Errc::Malformed, "a release of a single file has that file's name: " + quoted(info.name));
    info.isSingleFile = isLone;
    if (isLone)
        info.name = info.files[0].path;
    info.pieceBytes = pieceBytesFor(info);
    if (auto status = requireValid(info); !status)
        return tl::unexpected(std::move(status.error()));
    // Hashes have a fixed size, so this is the final size already.
    if (const std::size_t bytes = info.serialize().size(); bytes > InfoLimits::kMaxInfoBytes)
        return fail(Errc::TooLarge,
                    "the file list takes " + std::to_string(bytes) + " bytes, at most "
                        + std::to_string(InfoLimits::kMaxInfoBytes) + ": pack the files into an archive");
    return Builder(std::move(info));
}

Builder::Builder(ReleaseInfo info)
    : m_info(std::move(info))
{
    openNext();
}

void Builder::openNext()
{
    // Empty files are complete without any content, and have no root.
    while (m_file < m_info.files.size() && m_info.files[m_file].size == 0)
        ++m_file;
    m_fileFed = 0;
    m_hasher.reset();
    if (m_file < m_info.files.size())
        m_hasher.emplace(m_info.files[m_file].size, m_info.pieceBytes);
}

void Builder::feed(ByteView bytes)
{
    m_fed += bytes.size();
    while (!bytes.empty()) {
        STARLING_ASSERT(m_file < m_info.files.size());
        PayloadFile& file = m_info.files[m_file];
        const auto portion =
            static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), file.size - m_fileFed));
        m_hasher->update(bytes.first(portion));
        m_fileFed += portion;
        bytes = bytes.subspan(portion);
        if (m_fileFed < file.size)
            continue;
        FileHasher::Result hashes = m_hasher->finish();
        file.piecesRoot = hashes.piecesRoot;
        if (!hashes.layer.empty())
            m_layers.emplace(hashes.piecesRoot, std::move(hashes.layer));
        ++m_file;
        openNext();
    }
}

starling::Result<TorrentFile> Builder::finish()
{
    if (m_file < m_info.files.size())
        return fail(Errc::PayloadChanged,
                    quoted(m_info.files[m_file].path) + " ended before its "
                        + std::to_string(m_info.files[m_file].size) + " bytes");
    return TorrentFile::of(std::move(m_info), std::move(m_layers));
}

} // namespace starling::release
