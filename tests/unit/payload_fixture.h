// SPDX-License-Identifier: Apache-2.0
/// Releases whose payloads lie on a disk, for the tests of core/node.
#pragma once

#include "base/assert.h"
#include "node/disk.h"
#include "node/payload_files.h"
#include "release_samples.h"

#include <QDirIterator>
#include <QTemporaryDir>
#include <QTest>

namespace starling::node::fixture {

namespace fs = std::filesystem;
namespace samples = starling::release::samples;

inline int code(Errc errc)
{
    return static_cast<int>(errc);
}

/// The code of a failed result; 0 for success, so that QCOMPARE shows numbers.
template <class Any> int code(const Any& result)
{
    return result ? 0 : code(result.error().code);
}

class Directory
{
public:
    fs::path path() const { return m_directory.path().toStdString(); }
    fs::path operator/(const std::string& name) const { return path() / name; }
    /// Everything below, sorted.
    QStringList names() const
    {
        QStringList found;
        for (QDirIterator at(m_directory.path(),
                             QDir::AllEntries | QDir::NoDotAndDotDot | QDir::Hidden | QDir::System,
                             QDirIterator::Subdirectories);
             at.hasNext();)
            found.append(QDir(m_directory.path()).relativeFilePath(at.next()));
        found.sort();
        return found;
    }

private:
    QTemporaryDir m_directory;
};

inline void put(const fs::path& file, ByteView bytes)
{
    fs::create_directories(file.parent_path());
    QVERIFY(writeFile(file, bytes, FileMode::Public).has_value());
}

/// A directory "site" with files of several sizes, one of them empty, one of more than a piece.
inline samples::Contents contents()
{
    return {{"a.sh", toBytes("#!/bin/sh\n")},
            {"data/big.bin", samples::pattern(300'000, 7)},
            {"data/empty", {}},
            {"z", samples::pattern(100, 8)}};
}

inline release::TorrentFile torrentOf(const samples::Contents& files,
                                      release::UpdateInfo update = samples::update())
{
    auto torrent = samples::tryBuild("site", false, files, std::move(update));
    STARLING_ASSERT(torrent.has_value());
    return std::move(*torrent);
}

/// Writes the payload below `parent`, as the directory called "site".
inline void putPayload(const fs::path& parent, const samples::Contents& files)
{
    for (const auto& [name, bytes] : files)
        put(parent / "site" / name, bytes);
}

/// The payload as one stream, in the order in which a release hashes it.
inline Bytes streamOf(const release::TorrentFile& torrent, const samples::Contents& files)
{
    Bytes stream;
    for (const release::PayloadFile& file : torrent.info.files)
        append(stream, files.at(file.path));
    return stream;
}

} // namespace starling::node::fixture
