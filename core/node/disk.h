// SPDX-License-Identifier: Apache-2.0
/// Files as the agent needs them: whole, bounded, durable, with errors that say what to do.
#pragma once

#include "base/bytes.h"
#include "base/time.h"

#include <filesystem>

namespace starling::node {

/// The whole file. NotFound, TooLarge (over `limit`) or Io, each naming the file.
Result<Bytes> readFile(const std::filesystem::path& file, std::size_t limit);

/// When its contents were last changed; 1970 if that cannot be found out.
UtcTime writtenAt(const std::filesystem::path& file);

enum class FileMode : std::uint16_t { Private = 0600, Public = 0644 };
enum class Existing : std::uint8_t { Replace, Keep };
/// Writes beside it, syncs, renames, syncs the directory: afterwards the old file or the new one is there.
/// Fails with AlreadyExists (Keep), DiskFull or Io.
Status writeFile(const std::filesystem::path& file, ByteView contents, FileMode mode,
                 Existing existing = Existing::Replace);

/// Error for errno after a failed call on `file`: DiskFull for ENOSPC and EDQUOT, NotFound for ENOENT, Io
/// otherwise.
Error diskError(int errnoValue, const std::filesystem::path& file);
/// Makes what was written below `directory` survive a power loss: syncs its file system.
Status syncTree(const std::filesystem::path& directory);

/// A file descriptor that closes itself.
class Descriptor
{
public:
    explicit Descriptor(int fd = -1)
        : m_fd(fd)
    {
    }
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&& other) noexcept;
    int get() const { return m_fd; }
    bool isOpen() const { return m_fd >= 0; }

private:
    int m_fd;
};

} // namespace starling::node
