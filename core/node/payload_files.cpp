// SPDX-License-Identifier: Apache-2.0
#include "node/payload_files.h"

#include "node/disk.h"

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace starling::node {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPageBytes = 4'096;
constexpr std::size_t kPortionBytes = 256 * 1024; ///< guess: large enough for the disk, small for a device

Error missing(const fs::path& file)
{
    Error error = diskError(errno, file);
    if (error.code == Errc::NotFound)
        error.code = Errc::PayloadMissing;
    return error;
}

} // namespace

Result<PayloadListing> listPayload(const fs::path& given)
{
    std::error_code error;
    const fs::path path = fs::canonical(given, error);
    if (error)
        return fail(Errc::PayloadMissing, given.string() + ": " + error.message());
    PayloadListing listing;
    listing.name = path.filename().string();
    if (fs::is_regular_file(path, error)) {
        listing.files.push_back({listing.name, fs::file_size(path, error)});
        if (error)
            return fail(Errc::Io, path.string() + ": " + error.message());
        return listing;
    }
    if (!fs::is_directory(path, error))
        return fail(Errc::UnsafeName, path.string() + ": neither a file nor a directory");
    listing.isSingleFile = false;
    for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
        const fs::file_status status = at->symlink_status(error);
        if (error)
            break;
        if (fs::is_directory(status))
            continue;
        if (!fs::is_regular_file(status))
            return fail(Errc::UnsafeName,
                        at->path().string() + ": a payload holds regular files only, no links or devices");
        listing.files.push_back({at->path().lexically_relative(path).generic_string(), at->file_size(error)});
        if (listing.files.size() > release::InfoLimits::kMaxFiles)
            return fail(Errc::TooLarge,
                        path.string() + ": more than " + std::to_string(release::InfoLimits::kMaxFiles)
                            + " files");
    }
    if (error)
        return fail(Errc::Io, path.string() + ": " + error.message());
    if (listing.files.empty())
        return fail(Errc::PayloadMissing, path.string() + ": no file in it");
    return listing;
}

fs::path pathOf(const fs::path& directory, const std::string& name, bool isSingleFile,
                const std::string& file)
{
    return isSingleFile ? directory / name : directory / name / file;
}

Result<fs::path> locatePayload(const fs::path& given, const release::ReleaseInfo& info)
{
    std::error_code error;
    const fs::path path = fs::canonical(given, error);
    if (error)
        return fail(Errc::PayloadMissing, given.string() + ": " + error.message());
    if (path.filename() == info.name)
        return path.parent_path();
    if (info.isSingleFile && fs::is_regular_file(path / info.name, error))
        return path;
    return fail(Errc::PayloadMissing, given.string() + ": the release's payload is called " + info.name);
}

ReadBuffer::ReadBuffer()
    : m_memory(kPortionBytes + kPageBytes)
{
    void* start = m_memory.data();
    std::size_t space = m_memory.size();
    std::align(kPageBytes, kPortionBytes, start, space);
    m_portion = {static_cast<std::byte*>(start), kPortionBytes};
}

Status readContents(const fs::path& directory, const std::string& name, bool isSingleFile,
                    const std::vector<release::PayloadFile>& files, const ContentSink& sink)
{
    ReadBuffer buffer;
    for (const release::PayloadFile& file : files) {
        const fs::path path = pathOf(directory, name, isSingleFile, file.path);
        if (auto read = readRange(buffer, {path, file.size, 0, file.size}, sink); !read)
            return read;
    }
    return {};
}

Status readRange(ReadBuffer& buffer, const FileRange& range, const ContentSink& sink)
{
    const auto& [file, fileBytes, first, bytes] = range;
    // Without O_NONBLOCK a fifo in the file's place would make us wait for a writer.
    const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info
    {
    };
    if (!fd.isOpen() || ::fstat(fd.get(), &info) != 0)
        return tl::unexpected<Error>(missing(file));
    if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) != fileBytes)
        return fail(Errc::PayloadChanged,
                    file.string() + ": not a file of " + std::to_string(fileBytes) + " bytes any more");
    ::posix_fadvise(fd.get(), static_cast<off_t>(first), static_cast<off_t>(bytes), POSIX_FADV_SEQUENTIAL);
    const std::span portion = buffer.span();
    std::uint64_t done = 0;
    while (done < bytes) {
        const ssize_t got =
            ::pread(fd.get(), portion.data(), std::min<std::uint64_t>(portion.size(), bytes - done),
                    static_cast<off_t>(first + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tl::unexpected<Error>(diskError(errno, file));
        if (got == 0)
            return fail(Errc::PayloadChanged, file.string() + ": shrank while it was read");
        if (auto taken = sink(ByteView(portion).first(static_cast<std::size_t>(got))); !taken)
            return taken;
        done += static_cast<std::uint64_t>(got);
    }
    return {};
}

Result<Snapshot> snapshot(const fs::path& directory, const release::ReleaseInfo& info)
{
    Snapshot text;
    for (const release::PayloadFile& file : info.files) {
        const fs::path path = pathOf(directory, info.name, info.isSingleFile, file.path);
        struct stat found
        {
        };
        if (::stat(path.c_str(), &found) != 0)
            return tl::unexpected<Error>(missing(path));
        // The change time, because whoever may write a file may also set its modification time back.
        text += std::to_string(found.st_size) + ' ' + std::to_string(found.st_ctim.tv_sec) + '.'
            + std::to_string(found.st_ctim.tv_nsec) + ' ' + std::to_string(found.st_ino) + '\n';
    }
    return text;
}

} // namespace starling::node
