// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"
#include "release/builder.h"

#include <algorithm>
#include <utility>

namespace starling::release {

namespace {

/// BEP 52: "a merkle tree with a branching factor of 2, constructed from 16KiB blocks of the file".
constexpr std::uint64_t kBlockBytes = 16 * 1024;

/// Hashes `level` upwards `height` times, in place. `padding` stands for every node to the right of the last
/// one; it rises with the level, so that absent subtrees are never built.
Digest rootAtHeight(std::vector<Digest> level, unsigned height, Digest padding)
{
    for (; height > 0; --height) {
        if (level.size() % 2 == 1)
            level.push_back(padding);
        for (std::size_t i = 0; i < level.size() / 2; ++i)
            level[i] = crypto::sha256(level[2 * i], level[2 * i + 1]);
        level.resize(level.size() / 2);
        padding = crypto::sha256(padding, padding);
    }
    STARLING_ASSERT(level.size() <= 1);
    return level.empty() ? padding : level.front();
}

/// The least h with 2^h >= count.
unsigned heightFor(std::uint64_t count)
{
    unsigned height = 0;
    while ((std::uint64_t{1} << height) < count)
        ++height;
    return height;
}

} // namespace

Digest merkleRoot(std::vector<Digest> leaves, Digest padding)
{
    const unsigned height = heightFor(leaves.size());
    return rootAtHeight(std::move(leaves), height, padding);
}

Digest paddingForPiece(std::uint64_t pieceBytes)
{
    // "The remaining leaf hashes beyond the end of the file … are set to zero."
    return rootAtHeight({}, heightFor(pieceBytes / kBlockBytes), Digest());
}

PieceHasher::PieceHasher(std::uint64_t fileBytes, std::uint64_t pieceBytes)
    : m_isOnlyPiece(fileBytes <= pieceBytes)
    , m_pieceBytes(pieceBytes)
{
    STARLING_ASSERT(pieceBytes >= kBlockBytes && (pieceBytes & (pieceBytes - 1)) == 0);
}

void PieceHasher::update(ByteView bytes)
{
    STARLING_ASSERT(bytes.size() <= m_pieceBytes - m_fed);
    m_fed += bytes.size();
    while (!bytes.empty()) {
        const auto portion =
            static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), kBlockBytes - m_inBlock));
        m_block.update(bytes.first(portion));
        m_inBlock += static_cast<std::uint32_t>(portion);
        bytes = bytes.subspan(portion);
        if (m_inBlock == kBlockBytes)
            closeBlock();
    }
}

void PieceHasher::closeBlock()
{
    m_blocks.push_back(m_block.finish());
    m_inBlock = 0;
}

Digest PieceHasher::finish()
{
    if (m_inBlock > 0)
        closeBlock();
    m_fed = 0;
    std::vector<Digest> blocks = std::exchange(m_blocks, {});
    // A file of one piece has no piece layer: its tree ends with its own blocks, however large a piece is.
    const std::uint64_t leaves = m_isOnlyPiece ? blocks.size() : m_pieceBytes / kBlockBytes;
    return rootAtHeight(std::move(blocks), heightFor(leaves), Digest());
}

FileHasher::FileHasher(std::uint64_t fileBytes, std::uint64_t pieceBytes)
    : m_fileBytes(fileBytes)
    , m_pieceBytes(pieceBytes)
    , m_piece(fileBytes, pieceBytes)
{
}

void FileHasher::update(ByteView bytes)
{
    STARLING_ASSERT(bytes.size() <= m_fileBytes - m_fed);
    while (!bytes.empty()) {
        const std::uint64_t missing = m_pieceBytes - m_fed % m_pieceBytes;
        const auto portion = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), missing));
        m_piece.update(bytes.first(portion));
        m_fed += portion;
        bytes = bytes.subspan(portion);
        if (portion == missing)
            m_pieces.push_back(m_piece.finish());
    }
}

FileHasher::Result FileHasher::finish()
{
    STARLING_ASSERT(m_fed == m_fileBytes);
    if (m_fed % m_pieceBytes != 0)
        m_pieces.push_back(m_piece.finish());
    return combine(std::move(m_pieces), m_pieceBytes);
}

FileHasher::Result FileHasher::combine(std::vector<Digest> pieces, std::uint64_t pieceBytes)
{
    if (pieces.empty())
        return {};
    if (pieces.size() == 1)
        return {.piecesRoot = pieces.front(), .layer = {}};
    Result result;
    result.layer.reserve(pieces.size() * Digest::kSize);
    for (const Digest& piece : pieces)
        append(result.layer, piece.bytes());
    result.piecesRoot = merkleRoot(std::move(pieces), paddingForPiece(pieceBytes));
    return result;
}

} // namespace starling::release
