// SPDX-License-Identifier: Apache-2.0
#include "swarm/open_files_lt.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <boost/asio/error.hpp>

#include <csignal>
#include <sys/resource.h>

using starling::swarm::OpenFiles;

namespace {

constexpr int kPiece = 16 * 1024;

/// "p/f0", "p/f1" … with padding between them, as in a v2 torrent: every file begins a piece.
lt::file_storage layout(int files, std::int64_t bytes)
{
    lt::file_storage storage;
    storage.set_piece_length(kPiece);
    for (int i = 0; i < files; ++i) {
        storage.add_file("p/f" + std::to_string(i), bytes);
        if (bytes % kPiece != 0 && i + 1 < files)
            storage.add_file("p/.pad/" + std::to_string(i), kPiece - bytes % kPiece,
                             lt::file_storage::flag_pad_file);
    }
    storage.set_num_pieces(static_cast<int>((storage.total_size() + kPiece - 1) / kPiece));
    return storage;
}

int openDescriptors()
{
    return static_cast<int>(QDir(QStringLiteral("/proc/self/fd"))
                                .entryList(QDir::Files | QDir::System | QDir::NoDotAndDotDot)
                                .size());
}

} // namespace

class TestOpenFiles : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_directory;

    std::string path() const { return m_directory->path().toStdString(); }
    QString at(const char* name) const { return m_directory->filePath(QString::fromLatin1(name)); }
    QByteArray contents(const char* name) const
    {
        QFile file(at(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("(not there)");
    }
    void put(const char* name, const QByteArray& bytes) const
    {
        QDir().mkpath(QFileInfo(at(name)).path());
        QFile file(at(name));
        QVERIFY(file.open(QIODevice::WriteOnly));
        QCOMPARE(file.write(bytes), qint64{bytes.size()});
    }

private Q_SLOTS:
    void init() { m_directory = std::make_unique<QTemporaryDir>(); }

    void readsAndDropsPadding()
    {
        const auto files = layout(2, 5'000);
        OpenFiles open(files, path());
        const std::string block(kPiece, 'x');
        QVERIFY(!open.write(lt::piece_index_t(0), 0, block));
        QCOMPARE(contents("p/f0"), QByteArray(5'000, 'x'));
        QVERIFY(!QFile::exists(at("p/.pad/0")));

        std::string back(kPiece, '?');
        QVERIFY(!open.read(lt::piece_index_t(0), 0, back));
        QVERIFY(back == std::string(5'000, 'x') + std::string(kPiece - 5'000, '\0'));
    }

    void makesDirectoriesThatAreMissing()
    {
        const auto files = layout(1, 100);
        OpenFiles open(files, path() + "/not/yet");
        QVERIFY(!open.write(lt::piece_index_t(0), 0, std::string(100, 'y')));
        QCOMPARE(contents("not/yet/p/f0"), QByteArray(100, 'y'));
    }

    /// One that was opened to be read is opened again when it is to be written.
    void writesWhatItHasRead()
    {
        put("p/f0", QByteArray(100, 'a'));
        const auto files = layout(1, 100);
        OpenFiles open(files, path());
        std::string back(100, '?');
        QVERIFY(!open.read(lt::piece_index_t(0), 0, back));
        QVERIFY(!open.write(lt::piece_index_t(0), 50, std::string(50, 'b')));
        QVERIFY(!open.read(lt::piece_index_t(0), 0, back));
        QVERIFY(back == std::string(50, 'a') + std::string(50, 'b'));
    }

    void saysWhichFileIsMissingAndWhichIsShort()
    {
        put("p/f0", QByteArray(100, 'a'));
        const auto files = layout(2, 5'000);
        OpenFiles open(files, path());
        std::string back(kPiece, '?');
        const auto cut = open.read(lt::piece_index_t(0), 0, back);
        QVERIFY(cut.ec == boost::asio::error::eof);
        QCOMPARE(static_cast<int>(cut.file()), 0);
        const auto missing = open.read(lt::piece_index_t(1), 0, lt::span<char>(back.data(), 5'000));
        QVERIFY(missing.ec == boost::system::errc::no_such_file_or_directory);
        QCOMPARE(static_cast<int>(missing.file()), 2); // the second is the padding
    }

    void keepsFewFilesOpen()
    {
        constexpr int kFiles = 40;
        const auto files = layout(kFiles, kPiece);
        const int before = openDescriptors();
        {
            OpenFiles open(files, path());
            for (int i = 0; i < kFiles; ++i)
                QVERIFY(
                    !open.write(lt::piece_index_t(i), 0, std::string(kPiece, static_cast<char>('A' + i))));
            QVERIFY(openDescriptors() - before <= 8);
            for (int i = kFiles - 1; i >= 0; --i) {
                std::string back(kPiece, '?');
                QVERIFY(!open.read(lt::piece_index_t(i), 0, back));
                QVERIFY(back == std::string(kPiece, static_cast<char>('A' + i)));
            }
            open.close();
            QCOMPARE(openDescriptors(), before);
            std::string back(kPiece, '?');
            QVERIFY(!open.read(lt::piece_index_t(0), 0, back));
        }
        QCOMPARE(openDescriptors(), before);
    }

    void saysThatThereIsNoRoom()
    {
        const auto files = layout(1, 2 * kPiece);
        OpenFiles open(files, path());
        rlimit before{};
        QCOMPARE(::getrlimit(RLIMIT_FSIZE, &before), 0);
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit small{kPiece + 100, before.rlim_max};
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &small), 0);
        const auto first = open.write(lt::piece_index_t(0), 0, std::string(kPiece, 'x'));
        const auto second = open.write(lt::piece_index_t(1), 0, std::string(kPiece, 'x'));
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &before), 0);
        QVERIFY(!first);
        QVERIFY(second.ec == boost::system::errc::file_too_large);
        QVERIFY(!open.write(lt::piece_index_t(1), 0, std::string(kPiece, 'x')));
        QCOMPARE(contents("p/f0").size(), qsizetype{2 * kPiece});
    }
};

QTEST_GUILESS_MAIN(TestOpenFiles)
#include "tst_open_files.moc"
