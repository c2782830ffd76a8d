// SPDX-License-Identifier: Apache-2.0
#include "node/disk.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace starling::node {

Descriptor::~Descriptor()
{
    if (m_fd >= 0)
        ::close(m_fd);
}

Descriptor::Descriptor(Descriptor&& other) noexcept
    : m_fd(std::exchange(other.m_fd, -1))
{
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept
{
    std::swap(m_fd, other.m_fd);
    return *this;
}

UtcTime writtenAt(const std::filesystem::path& file)
{
    struct stat info
    {
    };
    return ::stat(file.c_str(), &info) == 0 ? UtcTime(std::chrono::seconds(info.st_mtime)) : UtcTime();
}

Error diskError(int errnoValue, const std::filesystem::path& file)
{
    const std::string context = file.string() + ": " + std::strerror(errnoValue);
    if (errnoValue == ENOSPC || errnoValue == EDQUOT)
        return {Errc::DiskFull, context};
    if (errnoValue == ENOENT)
        return {Errc::NotFound, context};
    return {Errc::Io, context};
}

Result<Bytes> readFile(const std::filesystem::path& file, std::size_t limit)
{
    const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info
    {
    };
    if (!fd.isOpen() || ::fstat(fd.get(), &info) != 0)
        return tl::unexpected<Error>(diskError(errno, file));
    if (!S_ISREG(info.st_mode))
        return fail(Errc::Io, file.string() + ": not a regular file");
    if (static_cast<std::uint64_t>(info.st_size) > limit)
        return fail(Errc::TooLarge, file.string() + ": over " + std::to_string(limit) + " bytes");
    Bytes contents(static_cast<std::size_t>(info.st_size));
    std::size_t done = 0;
    while (done < contents.size()) {
        const ssize_t got = ::read(fd.get(), contents.data() + done, contents.size() - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tl::unexpected<Error>(diskError(errno, file));
        if (got == 0)
            break;
        done += static_cast<std::size_t>(got);
    }
    contents.resize(done);
    return contents;
}

namespace {

Status writeAll(int fd, ByteView contents, const std::filesystem::path& file)
{
    while (!contents.empty()) {
        const ssize_t put = ::write(fd, contents.data(), contents.size());
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return tl::unexpected<Error>(diskError(errno, file));
        contents = contents.subspan(static_cast<std::size_t>(put));
    }
    return {};
}

} // namespace

Status writeFile(const std::filesystem::path& file, ByteView contents, FileMode mode, Existing existing)
{
    const std::filesystem::path beside = file.string() + ".new";
    ::unlink(beside.c_str());
    Status status;
    {
        const Descriptor fd(
            ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(mode)));
        if (!fd.isOpen())
            return tl::unexpected<Error>(diskError(errno, beside));
        status = writeAll(fd.get(), contents, beside);
        if (status && ::fsync(fd.get()) != 0)
            status = tl::unexpected<Error>(diskError(errno, beside));
    }
    // link() refuses to replace, rename() replaces: both are atomic.
    if (status && existing == Existing::Keep && ::link(beside.c_str(), file.c_str()) != 0)
        status = errno == EEXIST ? Status(fail(Errc::AlreadyExists, file.string()))
                                 : Status(tl::unexpected<Error>(diskError(errno, file)));
    if (status && existing == Existing::Replace && ::rename(beside.c_str(), file.c_str()) != 0)
        status = tl::unexpected<Error>(diskError(errno, file));
    ::unlink(beside.c_str());
    if (!status)
        return status;
    const auto parent = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.isOpen() || ::fsync(directory.get()) != 0)
        return tl::unexpected<Error>(diskError(errno, parent));
    return {};
}

Status syncTree(const std::filesystem::path& directory)
{
    const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.isOpen() || ::syncfs(fd.get()) != 0)
        return tl::unexpected<Error>(diskError(errno, directory));
    return {};
}

} // namespace starling::node
