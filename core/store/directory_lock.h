// SPDX-License-Identifier: Apache-2.0
/// One process at a time in a directory: an advisory lock on a file in it, which the kernel lets go when the
/// process ends, however it ends.
#pragma once

#include "base/result.h"

#include <filesystem>

namespace starling::store {

/// DiskFull or Io for what the operating system said, with its words: "open /x: Permission denied".
[[nodiscard]] tl::unexpected<Error> failSystem(int errorNumber, std::string what);

class DirectoryLock
{
public:
    /// Fails with StateLocked, naming the process that holds it, DiskFull or Io.
    static Result<DirectoryLock> take(const std::filesystem::path& directory);
    ~DirectoryLock();
    DirectoryLock(DirectoryLock&& other) noexcept;
    DirectoryLock& operator=(DirectoryLock&& other) noexcept;

private:
    explicit DirectoryLock(int descriptor)
        : m_descriptor(descriptor)
    {
    }
    int m_descriptor = -1;
};

} // namespace starling::store
