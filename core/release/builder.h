// SPDX-License-Identifier: Apache-2.0
/// Hashing payloads. Pure: file contents are handed in, in order, in portions of any size; core/node reads
/// files. Memory is one digest per 16 KiB block of the piece at hand plus one per piece: a 1 GiB file needs
/// well under 1 MiB.
#pragma once

#include "crypto/sha256.h"
#include "release/torrent_file.h"

namespace starling::release {

/// One piece of a file as BEP 52 wants it: SHA-256 over 16 KiB blocks, and over them a tree that is padded
/// with zero hashes. Pieces of one file can be hashed in any order, and by several threads at once.
class PieceHasher
{
public:
    /// For pieces of a file of `fileBytes`.
    PieceHasher(std::uint64_t fileBytes, std::uint64_t pieceBytes);
    /// Feeding more than one piece is a broken invariant.
    void update(ByteView bytes);
    /// The root of what was fed; the next piece may follow.
    Digest finish();

private:
    void closeBlock();
    bool m_isOnlyPiece;
    std::uint64_t m_pieceBytes;
    std::uint64_t m_fed = 0;
    std::uint32_t m_inBlock = 0;
    crypto::Sha256 m_block;
    std::vector<Digest> m_blocks;
};

/// Merkle tree of one file, fed from its beginning to its end.
class FileHasher
{
public:
    FileHasher(std::uint64_t fileBytes, std::uint64_t pieceBytes);
    /// Feeding more than `fileBytes` in all is a broken invariant.
    void update(ByteView bytes);

    struct Result
    {
        Digest piecesRoot; ///< zero for an empty file
        Bytes layer; ///< piece hashes, empty for a file of at most one piece
    };
    /// Broken invariant unless exactly `fileBytes` were fed.
    Result finish();
    /// The same from the hashes of all its pieces, in order; none for an empty file.
    static Result combine(std::vector<Digest> pieces, std::uint64_t pieceBytes);

private:
    std::uint64_t m_fileBytes;
    std::uint64_t m_pieceBytes;
    std::uint64_t m_fed = 0;
    PieceHasher m_piece;
    std::vector<Digest> m_pieces;
};

/// Root of a list of piece hashes: `leaves` padded to a power of two with `padding`.
Digest merkleRoot(std::vector<Digest> leaves, Digest padding);
/// Root of a subtree of `pieceBytes` whose blocks are all absent: BEP 52's padding above the block layer.
Digest paddingForPiece(std::uint64_t pieceBytes);

/// A file that goes into a release.
struct SourceFile
{
    std::string path; ///< relative to the payload's directory; for a single file its name
    std::uint64_t size = 0;
};

/// Builds a release: declare all files, feed their contents in the order of `files()`, finish.
/// The same input gives the same bytes.
class Builder
{
public:
    /// `name` and all paths must be safe, no two paths alike but for case, scripts in `update.deploy` among
    /// the files. A directory with but one file becomes a release of that file (see
    /// ReleaseInfo::isSingleFile). Fails with UnsafeName, TooLarge, TooDeep, DeployMissing, AlreadyExists,
    /// Malformed (no files, nothing but empty ones, a field of `update` out of its range).
    static starling::Result<Builder> create(std::string name, bool isSingleFile,
                                            std::vector<SourceFile> files, UpdateInfo update);
    /// In the order in which contents must be fed.
    const std::vector<PayloadFile>& files() const { return m_info.files; }
    std::uint64_t payloadBytes() const { return m_info.payloadBytes(); }

    /// Contents of the file at hand; moves to the next one when it is complete. Bytes beyond the last file
    /// are a broken invariant.
    void feed(ByteView bytes);
    std::uint64_t fedBytes() const { return m_fed; }
    /// Fails with PayloadChanged if fewer bytes were fed than declared.
    starling::Result<TorrentFile> finish();

private:
    explicit Builder(ReleaseInfo info);
    void openNext();
    ReleaseInfo m_info;
    PieceLayers m_layers;
    std::size_t m_file = 0;
    std::uint64_t m_fileFed = 0;
    std::uint64_t m_fed = 0;
    std::optional<FileHasher> m_hasher;
};

/// Compares a payload of which all pieces were hashed with a signed `info`: `pieces` for each of its files.
/// PayloadMismatch, naming the file, or the piece layers, which whoever serves the payload needs.
starling::Result<PieceLayers> verifyPieces(const ReleaseInfo& info, std::vector<std::vector<Digest>> pieces);

/// Compares contents with a signed `info`, fed like a Builder; says at once which file is wrong.
class PayloadVerifier
{
public:
    explicit PayloadVerifier(const ReleaseInfo& info);
    /// PayloadMismatch, naming the file, as soon as a completed file does not hash to its root or there is
    /// too much.
    Status feed(ByteView bytes);
    /// PayloadMismatch if contents are missing.
    Status finish();
    std::uint64_t fedBytes() const { return m_fed; }
    /// After a successful finish(): the piece layers, which whoever serves the payload needs.
    PieceLayers takeLayers() { return std::move(m_layers); }

private:
    void openNext();
    Status completeFile();
    Status refuse(std::string why);
    ReleaseInfo m_info;
    std::size_t m_file = 0;
    std::uint64_t m_fileFed = 0;
    std::uint64_t m_fed = 0;
    std::optional<FileHasher> m_hasher;
    PieceLayers m_layers;
    std::optional<Error> m_refusal; ///< once wrong, wrong for good
};

} // namespace starling::release
