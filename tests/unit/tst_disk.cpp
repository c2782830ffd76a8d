// SPDX-License-Identifier: Apache-2.0
#include "node/disk.h"

#include <QTemporaryDir>
#include <QTest>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace starling;
using namespace starling::node;

namespace {

int code(Errc errc)
{
    return static_cast<int>(errc);
}

template <class Any> int code(const Any& result)
{
    return result ? 0 : code(result.error().code);
}

mode_t modeOf(const fs::path& file)
{
    struct stat info
    {
    };
    return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

} // namespace

class TestDisk : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_directory = std::make_unique<QTemporaryDir>();
        m_file = path("file");
    }
    void cleanup() { m_directory.reset(); }

    void whatIsWrittenIsRead()
    {
        for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1'000'000}}) {
            const Bytes bytes(size, std::byte{7});
            QCOMPARE(code(writeFile(m_file, bytes, FileMode::Private)), 0);
            const auto read = readFile(m_file, size);
            QVERIFY(read && *read == bytes);
        }
        QCOMPARE(names(), QStringList{QStringLiteral("file")});
    }

    void setsTheMode()
    {
        const mode_t mask = ::umask(022);
        QCOMPARE(code(writeFile(m_file, viewOf("x"), FileMode::Private)), 0);
        QCOMPARE(modeOf(m_file), mode_t{0600});
        QCOMPARE(code(writeFile(m_file, viewOf("x"), FileMode::Public)), 0);
        QCOMPARE(modeOf(m_file), mode_t{0644});
        ::umask(mask);
    }

    void replacesAsAWhole()
    {
        QCOMPARE(code(writeFile(m_file, viewOf("the old contents"), FileMode::Private)), 0);
        // Whoever has the old file open goes on reading the old one: it was renamed over, not written into.
        const Descriptor old(::open(m_file.c_str(), O_RDONLY | O_CLOEXEC));
        QCOMPARE(code(writeFile(m_file, viewOf("new"), FileMode::Private)), 0);
        char buffer[32]{};
        QCOMPARE(::read(old.get(), buffer, sizeof buffer), ssize_t{16});
        QVERIFY(*readFile(m_file, 100) == toBytes("new"));
    }

    void keepsWhatIsThereWhenAsked()
    {
        QCOMPARE(code(writeFile(m_file, viewOf("first"), FileMode::Private, Existing::Keep)), 0);
        const auto again = writeFile(m_file, viewOf("second"), FileMode::Private, Existing::Keep);
        QCOMPARE(code(again), code(Errc::AlreadyExists));
        QVERIFY(again.error().context.find(m_file.string()) != std::string::npos);
        QVERIFY(*readFile(m_file, 100) == toBytes("first"));
        QCOMPARE(names(), QStringList{QStringLiteral("file")});
    }

    void keepsADanglingLinkToo()
    {
        fs::create_symlink(path("elsewhere"), m_file);
        QCOMPARE(code(writeFile(m_file, viewOf("second"), FileMode::Private, Existing::Keep)),
                 code(Errc::AlreadyExists));
        QVERIFY(!fs::exists(path("elsewhere")));
    }

    void whatAnInterruptedWriteLeftIsInNobodysWay()
    {
        QCOMPARE(code(writeFile(path("file.new"), viewOf("half"), FileMode::Public)), 0);
        QCOMPARE(code(writeFile(m_file, viewOf("whole"), FileMode::Private)), 0);
        QVERIFY(*readFile(m_file, 100) == toBytes("whole"));
        QCOMPARE(modeOf(m_file), mode_t{0600});
        QCOMPARE(names(), QStringList{QStringLiteral("file")});
    }

    void aFailedWriteLeavesTheOldFile()
    {
        fs::create_directory(m_file);
        QCOMPARE(code(writeFile(m_file, viewOf("x"), FileMode::Private)), code(Errc::Io));
        QVERIFY(fs::is_directory(m_file));
        QCOMPARE(names(), QStringList{QStringLiteral("file")});
        const auto nowhere = writeFile(path("missing/file"), viewOf("x"), FileMode::Private);
        QCOMPARE(code(nowhere), code(Errc::NotFound));
        QVERIFY(nowhere.error().context.find("missing") != std::string::npos);
    }

    void aFullDiskIsCalledThat()
    {
        if (::access("/dev/full", W_OK) != 0)
            QSKIP("no /dev/full here");
        fs::create_symlink("/dev/full", m_file);
        const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
        QVERIFY(::write(full.get(), "x", 1) < 0);
        QCOMPARE(code(diskError(errno, m_file).code), code(Errc::DiskFull));
        QCOMPARE(code(diskError(EDQUOT, m_file).code), code(Errc::DiskFull));
        QCOMPARE(code(diskError(ENOENT, m_file).code), code(Errc::NotFound));
        QCOMPARE(code(diskError(EIO, m_file).code), code(Errc::Io));
        QVERIFY(diskError(EIO, m_file).context.find(m_file.string()) != std::string::npos);
    }

    void readsUpToItsLimit()
    {
        QCOMPARE(code(writeFile(m_file, Bytes(100), FileMode::Private)), 0);
        QCOMPARE(code(readFile(m_file, 100)), 0);
        const auto larger = readFile(m_file, 99);
        QCOMPARE(code(larger), code(Errc::TooLarge));
        QVERIFY(larger.error().context.find(m_file.string()) != std::string::npos);
    }

    void readsNothingButFiles()
    {
        QCOMPARE(code(readFile(path("missing"), 100)), code(Errc::NotFound));
        QCOMPARE(code(readFile(fs::path(m_directory->path().toStdString()), 100)), code(Errc::Io));
        QCOMPARE(::mkfifo(path("fifo").c_str(), 0600), 0);
        QCOMPARE(code(readFile(path("fifo"), 100)), code(Errc::Io)); // and does not wait for a writer
        QCOMPARE(code(readFile("/dev/zero", 100)), code(Errc::Io));
    }

    void syncsATree()
    {
        QCOMPARE(code(syncTree(fs::path(m_directory->path().toStdString()))), 0);
        QCOMPARE(code(syncTree(path("missing"))), code(Errc::NotFound));
    }

    void descriptorsCloseOnceAndMove()
    {
        int number = -1;
        {
            Descriptor one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            number = one.get();
            Descriptor two(std::move(one));
            QVERIFY(!one.isOpen());
            QCOMPARE(two.get(), number);
            Descriptor three;
            three = std::move(two);
            QCOMPARE(three.get(), number);
            QVERIFY(::fcntl(number, F_GETFD) >= 0);
        }
        QVERIFY(::fcntl(number, F_GETFD) < 0);
    }

private:
    fs::path path(const std::string& name) const
    {
        return fs::path(m_directory->path().toStdString()) / name;
    }
    QStringList names() const
    {
        return QDir(m_directory->path())
            .entryList(QDir::AllEntries | QDir::NoDotAndDotDot | QDir::System | QDir::Hidden);
    }
    std::unique_ptr<QTemporaryDir> m_directory;
    fs::path m_file;
};

QTEST_GUILESS_MAIN(TestDisk)
#include "tst_disk.moc"
