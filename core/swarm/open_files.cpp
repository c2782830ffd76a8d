// SPDX-License-Identifier: Apache-2.0
#include "swarm/open_files_lt.h"

#include <libtorrent/operations.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace starling::swarm {

namespace {

/// For each payload. Guess: peers ask for pieces next to each other, so few files are in use at a time.
constexpr std::size_t kMaxOpen = 8;

lt::storage_error failure(int errnoValue, lt::file_index_t file, lt::operation_t operation)
{
    return {lt::error_code(errnoValue, lt::generic_category()), file, operation};
}

} // namespace

OpenFiles::OpenFiles(const lt::file_storage& files, std::string directory)
    : m_files(files)
    , m_directory(std::move(directory))
{
}

OpenFiles::~OpenFiles()
{
    close();
}

void OpenFiles::close()
{
    for (const Entry& entry : m_entries)
        ::close(entry.fd);
    m_entries.clear();
}

int OpenFiles::open(lt::file_index_t file, Purpose purpose) const
{
    const std::string path = m_files.file_path(file, m_directory);
    // Without O_NONBLOCK a fifo in the file's place would make us wait for a writer.
    if (purpose == Purpose::Read)
        return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK;
    constexpr mode_t kMode = 0666; // what the process's umask leaves of it, as with any other program
    const int fd = ::open(path.c_str(), kFlags, kMode);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (error) {
        errno = error.value();
        return -1;
    }
    return ::open(path.c_str(), kFlags, kMode);
}

/// The one that was not used for the longest time gives way.
void OpenFiles::makeRoom()
{
    if (m_entries.size() < kMaxOpen)
        return;
    const auto oldest = std::min_element(m_entries.begin(), m_entries.end(),
                                         [](const Entry& a, const Entry& b) { return a.used < b.used; });
    ::close(oldest->fd);
    m_entries.erase(oldest);
}

int OpenFiles::descriptor(lt::file_index_t file, Purpose purpose)
{
    const auto held = std::find_if(m_entries.begin(), m_entries.end(),
                                   [&](const Entry& entry) { return entry.file == file; });
    if (held != m_entries.end()) {
        if (purpose == Purpose::Read || held->purpose == Purpose::Write) {
            held->used = ++m_uses;
            return held->fd;
        }
        ::close(held->fd);
        m_entries.erase(held);
    }
    makeRoom();
    const int fd = open(file, purpose);
    if (fd >= 0)
        m_entries.push_back({file, fd, purpose, ++m_uses});
    return fd;
}

lt::storage_error OpenFiles::read(lt::piece_index_t piece, int offset, lt::span<char> into)
{
    for (const lt::file_slice& slice : m_files.map_block(piece, offset, into.size())) {
        lt::span<char> rest = into.first(static_cast<std::ptrdiff_t>(slice.size));
        into = into.subspan(rest.size());
        if (m_files.pad_file_at(slice.file_index)) {
            std::memset(rest.data(), 0, static_cast<std::size_t>(rest.size()));
            continue;
        }
        const int fd = descriptor(slice.file_index, Purpose::Read);
        if (fd < 0)
            return failure(errno, slice.file_index, lt::operation_t::file_open);
        for (std::int64_t at = slice.offset; !rest.empty();) {
            const ssize_t got = ::pread(fd, rest.data(), static_cast<std::size_t>(rest.size()), at);
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                return failure(errno, slice.file_index, lt::operation_t::file_read);
            if (got == 0)
                return {boost::asio::error::eof, slice.file_index, lt::operation_t::file_read};
            rest = rest.subspan(got);
            at += got;
        }
    }
    return {};
}

lt::storage_error OpenFiles::write(lt::piece_index_t piece, int offset, lt::span<const char> bytes)
{
    for (const lt::file_slice& slice : m_files.map_block(piece, offset, bytes.size())) {
        lt::span<const char> rest = bytes.first(static_cast<std::ptrdiff_t>(slice.size));
        bytes = bytes.subspan(rest.size());
        if (m_files.pad_file_at(slice.file_index))
            continue;
        const int fd = descriptor(slice.file_index, Purpose::Write);
        if (fd < 0)
            return failure(errno, slice.file_index, lt::operation_t::file_open);
        for (std::int64_t at = slice.offset; !rest.empty();) {
            const ssize_t put = ::pwrite(fd, rest.data(), static_cast<std::size_t>(rest.size()), at);
            if (put < 0 && errno == EINTR)
                continue;
            if (put < 0)
                return failure(errno, slice.file_index, lt::operation_t::file_write);
            rest = rest.subspan(put);
            at += put;
        }
    }
    return {};
}

} // namespace starling::swarm
