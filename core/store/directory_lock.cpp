// SPDX-License-Identifier: Apache-2.0
#include "store/directory_lock.h"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace starling::store {

namespace {

std::string holderOf(int descriptor)
{
    std::array<char, 20> text{};
    const auto got = ::pread(descriptor, text.data(), text.size(), 0);
    std::string digits(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    digits.resize(std::min(digits.find_first_not_of("0123456789"), digits.size()));
    return digits.empty() ? "another process" : "process " + digits;
}

/// Only for people who are refused: a lock that could not be inscribed (full disk) is a lock all the same.
void inscribe(int descriptor)
{
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, pid.data(), pid.size(), 0) < 0)
        return;
}

} // namespace

tl::unexpected<Error> failSystem(int errorNumber, std::string what)
{
    const bool isFull = errorNumber == ENOSPC || errorNumber == EDQUOT;
    return fail(isFull ? Errc::DiskFull : Errc::Io,
                std::move(what) + ": " + std::generic_category().message(errorNumber));
}

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory)
{
    const auto path = directory / "lock";
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return failSystem(errno, "open " + path.string());
    DirectoryLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return fail(Errc::StateLocked, directory.string() + " is in use by " + holderOf(descriptor));
        return failSystem(errno, "lock " + path.string());
    }
    inscribe(descriptor);
    return lock;
}

DirectoryLock::~DirectoryLock()
{
    if (m_descriptor >= 0)
        ::close(m_descriptor);
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : m_descriptor(std::exchange(other.m_descriptor, -1))
{
}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept
{
    std::swap(m_descriptor, other.m_descriptor);
    return *this;
}

} // namespace starling::store
