// SPDX-License-Identifier: Apache-2.0
#include "node/payload_verification.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <thread>

namespace starling::node {

namespace {

/// A thread takes about so much at a time: large against opening a file, small against a payload.
constexpr std::uint64_t kShareBytes = 4 * 1024 * 1024;
/// Guess: hashing is over sooner, and a device with many processors has something else to do, too.
constexpr unsigned kMaxThreads = 4;

/// Pieces of one file that follow each other.
struct Share
{
    std::size_t file = 0;
    std::size_t firstPiece = 0, pieces = 0;
};

std::size_t piecesOf(std::uint64_t fileBytes, std::uint64_t pieceBytes)
{
    return static_cast<std::size_t>((fileBytes + pieceBytes - 1) / pieceBytes);
}

class Verifier
{
public:
    Verifier(const release::ReleaseInfo& info, const std::filesystem::path& directory,
             const std::atomic<bool>& stop)
        : m_info(info)
        , m_directory(directory)
        , m_stop(stop)
        , m_pieces(info.files.size())
    {
        const auto perShare =
            static_cast<std::size_t>(std::max<std::uint64_t>(kShareBytes / info.pieceBytes, 1));
        for (std::size_t file = 0; file < info.files.size(); ++file) {
            const std::size_t pieces = piecesOf(info.files[file].size, info.pieceBytes);
            m_pieces[file].resize(pieces);
            // An empty file has a share, too: it must be there.
            for (std::size_t at = 0; at < std::max<std::size_t>(pieces, 1); at += perShare)
                m_shares.push_back({file, at, std::min(perShare, pieces - at)});
        }
    }

    Verification run()
    {
        const std::uint64_t useful = m_info.payloadBytes() / kShareBytes + 1;
        const auto threads = static_cast<unsigned>(
            std::min<std::uint64_t>({useful, std::thread::hardware_concurrency(), kMaxThreads}));
        std::vector<std::thread> others;
        for (unsigned i = 1; i < threads; ++i)
            others.emplace_back([this] { work(); });
        work();
        for (std::thread& other : others)
            other.join();
        if (m_error)
            return tl::unexpected<Error>(std::move(*m_error));
        return release::verifyPieces(m_info, std::move(m_pieces));
    }

private:
    void work()
    {
        ReadBuffer buffer;
        for (std::size_t i = m_next++; i < m_shares.size(); i = m_next++) {
            auto hashed = hash(m_shares[i], buffer);
            if (hashed)
                continue;
            // Shares are taken in order, so whoever comes first among those that failed is always heard.
            const std::lock_guard lock(m_mutex);
            if (i < m_failed) {
                m_failed = i;
                m_error = std::move(hashed.error());
            }
            m_next = m_shares.size();
        }
    }

    Status hash(const Share& share, ReadBuffer& buffer)
    {
        const release::PayloadFile& file = m_info.files[share.file];
        const std::uint64_t pieceBytes = m_info.pieceBytes;
        const std::uint64_t offset = share.firstPiece * pieceBytes;
        const std::uint64_t bytes = std::min(file.size - offset, share.pieces * pieceBytes);
        release::PieceHasher hasher(file.size, pieceBytes);
        std::uint64_t fed = 0;
        std::size_t piece = share.firstPiece;
        const FileRange range{pathOf(m_directory, m_info.name, m_info.isSingleFile, file.path), file.size,
                              offset, bytes};
        return readRange(buffer, range, [&](ByteView portion) -> Status {
            if (m_stop)
                return fail(Errc::Cancelled, "verification stopped");
            while (!portion.empty()) {
                const auto missing = pieceBytes - fed % pieceBytes;
                const auto part =
                    portion.first(static_cast<std::size_t>(std::min<std::uint64_t>(portion.size(), missing)));
                hasher.update(part);
                fed += part.size();
                portion = portion.subspan(part.size());
                if (part.size() == missing || fed == bytes)
                    m_pieces[share.file][piece++] = hasher.finish();
            }
            return {};
        });
    }

    const release::ReleaseInfo& m_info;
    const std::filesystem::path& m_directory;
    const std::atomic<bool>& m_stop;
    std::vector<Share> m_shares;
    std::vector<std::vector<Digest>> m_pieces; ///< of each file; every thread writes those of its shares
    std::atomic<std::size_t> m_next = 0;
    std::mutex m_mutex; ///< of what follows
    std::size_t m_failed = std::numeric_limits<std::size_t>::max();
    std::optional<Error> m_error;
};

} // namespace

Verification verifyPayload(const release::ReleaseInfo& info, const std::filesystem::path& directory,
                           const std::atomic<bool>& stop)
{
    return Verifier(info, directory, stop).run();
}

} // namespace starling::node
