// SPDX-License-Identifier: Apache-2.0
#include "payload_fixture.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace starling;
using namespace starling::node;
using namespace starling::node::fixture;

class TestPayloadFiles : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_directory = std::make_unique<Directory>();
        putPayload(m_directory->path(), contents());
    }
    void cleanup() { m_directory.reset(); }

    void listsAFile()
    {
        const auto listing = listPayload(*m_directory / "site/z");
        QVERIFY(listing && listing->isSingleFile);
        QCOMPARE(listing->name, std::string("z"));
        QCOMPARE(listing->files.size(), std::size_t{1});
        QVERIFY(listing->files[0].path == "z" && listing->files[0].size == 100);
    }

    void listsADirectoryWithAllItsFiles()
    {
        fs::create_directory(*m_directory / "site/nothing-here");
        const auto listing = listPayload(*m_directory / "site/"); // a trailing slash changes nothing
        QVERIFY(listing && !listing->isSingleFile);
        QCOMPARE(listing->name, std::string("site"));
        std::map<std::string, std::uint64_t> sizes;
        for (const release::SourceFile& file : listing->files)
            sizes[file.path] = file.size;
        QVERIFY(sizes
                == (std::map<std::string, std::uint64_t>{
                    {"a.sh", 10}, {"data/big.bin", 300'000}, {"data/empty", 0}, {"z", 100}}));
    }

    void aLinkToThePayloadIsFollowedButNoneInIt()
    {
        fs::create_symlink(*m_directory / "site", *m_directory / "link");
        QCOMPARE(listPayload(*m_directory / "link")->name, std::string("site"));
        fs::create_symlink("/etc/passwd", *m_directory / "site/evil");
        const auto listing = listPayload(*m_directory / "site");
        QCOMPARE(code(listing), code(Errc::UnsafeName));
        QVERIFY(listing.error().context.find("evil") != std::string::npos);
    }

    void aLinkToADirectoryIsRefusedToo()
    {
        fs::create_directory_symlink("/etc", *m_directory / "site/etc");
        QCOMPARE(code(listPayload(*m_directory / "site")), code(Errc::UnsafeName));
    }

    void refusesFifosAndSockets()
    {
        QCOMPARE(::mkfifo((*m_directory / "site/fifo").c_str(), 0600), 0);
        QCOMPARE(code(listPayload(*m_directory / "site")), code(Errc::UnsafeName));
        QCOMPARE(code(listPayload(*m_directory / "site/fifo")), code(Errc::UnsafeName));
        fs::remove(*m_directory / "site/fifo");
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = *m_directory / "site/socket";
        std::copy(path.begin(), path.end(), address.sun_path);
        QCOMPARE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ::close(fd);
        QCOMPARE(code(listPayload(*m_directory / "site")), code(Errc::UnsafeName));
    }

    void refusesWhatHoldsNoFile()
    {
        fs::create_directories(*m_directory / "empty/deeper");
        QCOMPARE(code(listPayload(*m_directory / "empty")), code(Errc::PayloadMissing));
        const auto missing = listPayload(*m_directory / "missing");
        QCOMPARE(code(missing), code(Errc::PayloadMissing));
        QVERIFY(missing.error().context.find("missing") != std::string::npos);
    }

    void findsThePayloadOfARelease()
    {
        const auto torrent = torrentOf(contents());
        QVERIFY(*locatePayload(*m_directory / "site", torrent.info) == m_directory->path());
        QCOMPARE(code(locatePayload(*m_directory / "site/data", torrent.info)), code(Errc::PayloadMissing));
        QCOMPARE(code(locatePayload(*m_directory / "missing", torrent.info)), code(Errc::PayloadMissing));
        // A release of a directory with but one file is a release of that file; both are called the payload.
        const auto lone = *samples::tryBuild("box", false, {{"one.bin", toBytes("1")}}, samples::update());
        put(*m_directory / "box/one.bin", viewOf("1"));
        QVERIFY(*locatePayload(*m_directory / "box", lone.info) == *m_directory / "box");
        QVERIFY(*locatePayload(*m_directory / "box/one.bin", lone.info) == *m_directory / "box");
    }

    void readsInTheOrderOfTheReleaseAndInPortions()
    {
        const auto torrent = torrentOf(contents());
        Bytes seen;
        std::size_t largest = 0;
        const auto read = readContents(m_directory->path(), "site", false, torrent.info.files,
                                       [&](ByteView portion) -> Status {
                                           largest = std::max(largest, portion.size());
                                           append(seen, portion);
                                           return {};
                                       });
        QCOMPARE(code(read), 0);
        QVERIFY(seen == streamOf(torrent, contents()));
        QVERIFY(largest <= 256 * 1024);
    }

    void passesOnWhatTheSinkSays()
    {
        int calls = 0;
        const auto read = readContents(m_directory->path(), "site", false, torrentOf(contents()).info.files,
                                       [&](ByteView) -> Status {
                                           ++calls;
                                           return fail(Errc::Cancelled, "enough");
                                       });
        QCOMPARE(code(read), code(Errc::Cancelled));
        QCOMPARE(calls, 1);
    }

    void tellsAMissingFromAChangedFile()
    {
        const auto files = torrentOf(contents()).info.files;
        const auto read = [&] {
            return readContents(m_directory->path(), "site", false, files, [](ByteView) { return Status(); });
        };
        put(*m_directory / "site/z", Bytes(101));
        QCOMPARE(code(read()), code(Errc::PayloadChanged));
        put(*m_directory / "site/z", Bytes(99));
        QCOMPARE(code(read()), code(Errc::PayloadChanged));
        fs::remove(*m_directory / "site/z");
        QCOMPARE(code(read()), code(Errc::PayloadMissing));
        fs::create_directory(*m_directory / "site/z");
        QCOMPARE(code(read()), code(Errc::PayloadChanged));
    }

    void doesNotWaitAtAFifo()
    {
        fs::remove(*m_directory / "site/z");
        QCOMPARE(::mkfifo((*m_directory / "site/z").c_str(), 0600), 0);
        const auto read = readContents(m_directory->path(), "site", false, torrentOf(contents()).info.files,
                                       [](ByteView) { return Status(); });
        QCOMPARE(code(read), code(Errc::PayloadChanged));
    }

    void aSnapshotIsEqualUntilSomethingIsWritten()
    {
        const auto torrent = torrentOf(contents());
        const auto take = [&] { return *snapshot(m_directory->path(), torrent.info); };
        const Snapshot before = take();
        QVERIFY(take() == before);
        {
            const Descriptor file(::open((*m_directory / "site/z").c_str(), O_WRONLY | O_CLOEXEC));
            QCOMPARE(::write(file.get(), "x", 1), ssize_t{1});
        }
        QVERIFY(take() != before);
        put(*m_directory / "site/z", contents().at("z"));
        QVERIFY(take() != before); // another file in its place, though it is the same in contents
        fs::remove(*m_directory / "site/z");
        QCOMPARE(code(snapshot(m_directory->path(), torrent.info)), code(Errc::PayloadMissing));
    }

    void aSnapshotCannotBeFooledBySettingTheTimeBack()
    {
        const auto torrent = torrentOf(contents());
        const Snapshot before = *snapshot(m_directory->path(), torrent.info);
        const fs::path file = *m_directory / "site/z";
        struct stat info
        {
        };
        QCOMPARE(::stat(file.c_str(), &info), 0);
        {
            const Descriptor open(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
            QCOMPARE(::write(open.get(), "x", 1), ssize_t{1});
        }
        const timespec times[2]{info.st_atim, info.st_mtim};
        QCOMPARE(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
        QVERIFY(*snapshot(m_directory->path(), torrent.info) != before);
    }

private:
    std::unique_ptr<Directory> m_directory;
};

QTEST_GUILESS_MAIN(TestPayloadFiles)
#include "tst_payload_files.moc"
