// SPDX-License-Identifier: Apache-2.0
/// The files of one payload, held open between one block and the next. libtorrent's own portable disk I/O
/// opens, reads and closes for each block of 16 KiB, which costs more than the block.
#pragma once

#include <libtorrent/error_code.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/peer_request.hpp>
#include <libtorrent/span.hpp>

#include <vector>

namespace starling::swarm {

/// Used on one thread. Files are opened when they are first needed; errors name the file and what was done to
/// it, and a read beyond the end of a file is `eof`.
class OpenFiles
{
public:
    /// `files` must outlive this. `directory` holds the payload.
    OpenFiles(const lt::file_storage& files, std::string directory);
    ~OpenFiles();
    OpenFiles(const OpenFiles&) = delete;
    OpenFiles& operator=(const OpenFiles&) = delete;

    /// Fills `into` from `offset` in `piece` on; padding between files reads as zeros.
    lt::storage_error read(lt::piece_index_t piece, int offset, lt::span<char> into);
    /// Writes to `offset` in `piece`; what falls on padding is dropped. Makes files and directories that are
    /// missing.
    lt::storage_error write(lt::piece_index_t piece, int offset, lt::span<const char> bytes);
    void close();

private:
    enum class Purpose : bool { Read, Write };
    struct Entry
    {
        lt::file_index_t file{};
        int fd = -1;
        Purpose purpose{};
        std::uint64_t used = 0;
    };
    /// The descriptor, or -1 with errno set.
    int descriptor(lt::file_index_t file, Purpose purpose);
    int open(lt::file_index_t file, Purpose purpose) const;
    void makeRoom();

    const lt::file_storage& m_files;
    const std::string m_directory;
    std::vector<Entry> m_entries;
    std::uint64_t m_uses = 0;
};

} // namespace starling::swarm
