// SPDX-License-Identifier: Apache-2.0
/// A release is an ordinary BitTorrent v2 torrent: libtorrent itself reads it, finds the same info-hash, the
/// same files and the same piece layers, and takes a notice, which has no piece layers.
#include "../unit/release_samples.h"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/torrent_info.hpp>

#include <QtTest>

using namespace starling;
using namespace starling::release;
using namespace starling::release::samples;

namespace {

struct Loaded
{
    std::shared_ptr<lt::torrent_info> info;
    lt::error_code error;
};

lt::span<const char> charsOf(const Bytes& bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::ptrdiff_t>(bytes.size())};
}

Loaded load(const Bytes& file)
{
    Loaded loaded;
    loaded.info = std::make_shared<lt::torrent_info>(charsOf(file), loaded.error, lt::from_span);
    return loaded;
}

std::string hexOf(const lt::sha256_hash& hash)
{
    return toHex(std::as_bytes(std::span(hash.data(), 32)));
}

Contents tree()
{
    return {{"a.txt", pattern(5)},
            {"bin/tool", pattern(100'000, 2)},
            {"bin.d/x", pattern(16'384, 3)},
            {"bin/empty", {}},
            {"deep/1/2/3/4/file", pattern(40'000, 4)},
            {std::string(InfoLimits::kMaxNameBytes, 'n'), pattern(1)},
            {"z \xC3\xA9\xE6\x96\x87", pattern(70'000, 5)}};
}

} // namespace

class TestLibtorrentReadsRelease : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }
    void readsASingleFile();
    void readsADirectory();
    void readsADirectoryWithOneFileAsThatFile();
    void readsANoticeWithoutPieceLayers();
    void readsTheLargestPieces();
    void wouldChangeALongerName();
};

void TestLibtorrentReadsRelease::readsASingleFile()
{
    for (const std::size_t size : {1u, 16'384u, 16'385u, 1'000'000u}) {
        TorrentFile torrent = single(size);
        torrent.sign(trustSet().fleet(), key(21));
        const Loaded loaded = load(torrent.serialize());
        QVERIFY2(!loaded.error, loaded.error.message().c_str());
        QVERIFY(loaded.info->info_hashes().has_v2());
        QVERIFY(!loaded.info->info_hashes().has_v1());
        QCOMPARE(hexOf(loaded.info->info_hashes().v2), torrent.infoHash.hex());
        // It fills the last piece up with a pad file of its own.
        const lt::file_storage& files = loaded.info->files();
        QVERIFY(files.num_files() == 1 || files.pad_file_at(lt::file_index_t{1}));
        QCOMPARE(files.file_path(lt::file_index_t{0}), std::string("rootfs.img"));
        QCOMPARE(files.file_size(lt::file_index_t{0}), static_cast<std::int64_t>(size));
    }
}

void TestLibtorrentReadsRelease::readsADirectory()
{
    const auto torrent = tryBuild("payload", false, tree(), update());
    QVERIFY(torrent);
    const Loaded loaded = load(torrent->serialize());
    QVERIFY2(!loaded.error, loaded.error.message().c_str());
    QVERIFY(!loaded.info->info_hashes().has_v1());
    QCOMPARE(hexOf(loaded.info->info_hashes().v2), torrent->infoHash.hex());
    const lt::file_storage& files = loaded.info->files();
    std::size_t seen = 0;
    for (const lt::file_index_t index : files.file_range()) {
        if (files.pad_file_at(index))
            continue;
        const PayloadFile& ours = torrent->info.files.at(seen++);
        QCOMPARE(files.file_path(index), "payload/" + ours.path);
        QCOMPARE(files.file_size(index), static_cast<std::int64_t>(ours.size));
        if (ours.size > 0)
            QCOMPARE(hexOf(files.root(index)), ours.piecesRoot.hex());
        if (ours.size > torrent->info.pieceBytes) {
            const auto layer = loaded.info->piece_layer(index);
            const Bytes& expected = torrent->layers.at(ours.piecesRoot);
            QCOMPARE(toHex(std::as_bytes(std::span(layer.data(), static_cast<std::size_t>(layer.size())))),
                     toHex(expected));
        }
    }
    QCOMPARE(seen, torrent->info.files.size());
}

void TestLibtorrentReadsRelease::readsADirectoryWithOneFileAsThatFile()
{
    const auto torrent = tryBuild("payload", false, {{"site.pp", pattern(9)}}, update());
    QVERIFY(torrent);
    QVERIFY(torrent->info.isSingleFile);
    const Loaded loaded = load(torrent->serialize());
    QVERIFY2(!loaded.error, loaded.error.message().c_str());
    QCOMPARE(loaded.info->files().file_path(lt::file_index_t{0}), torrent->info.files[0].path);

    const auto nested = tryBuild("payload", false, {{"manifests/site.pp", pattern(9)}}, update());
    QVERIFY(nested);
    QVERIFY(!nested->info.isSingleFile);
    const Loaded loadedNested = load(nested->serialize());
    QCOMPARE(loadedNested.info->files().file_path(lt::file_index_t{0}),
             std::string("payload/manifests/site.pp"));
}

void TestLibtorrentReadsRelease::readsANoticeWithoutPieceLayers()
{
    const auto torrent = tryBuild("payload", false, tree(), update());
    QVERIFY(torrent);
    const auto parsed = TorrentFile::parse(torrent->notice());
    QVERIFY(parsed);
    QVERIFY(parsed->layers.empty());
    lt::error_code error;
    const lt::bdecode_node node = lt::bdecode(charsOf(parsed->infoBytes), error);
    QVERIFY(!error);
    lt::torrent_info info(
        lt::info_hash_t(lt::sha256_hash(reinterpret_cast<const char*>(torrent->infoHash.bytes().data()))));
    QVERIFY2(info.parse_info_section(node, error, static_cast<int>(InfoLimits::kMaxPieces)),
             error.message().c_str());
    QCOMPARE(hexOf(info.info_hashes().v2), torrent->infoHash.hex());
    QCOMPARE(info.total_size() > 0, true);
}

void TestLibtorrentReadsRelease::readsTheLargestPieces()
{
    // Hashes are not verified when a torrent is read, so a huge file needs no huge content here.
    ReleaseInfo info = single(1).info;
    info.pieceBytes = InfoLimits::kMaxPieceBytes;
    info.files[0].size = InfoLimits::kMaxPayloadBytes;
    const TorrentFile torrent = TorrentFile::of(info, {});
    QVERIFY(TorrentFile::parse(torrent.notice()));
    lt::error_code error;
    const lt::bdecode_node node = lt::bdecode(charsOf(torrent.infoBytes), error);
    lt::torrent_info read(
        lt::info_hash_t(lt::sha256_hash(reinterpret_cast<const char*>(torrent.infoHash.bytes().data()))));
    QVERIFY2(read.parse_info_section(node, error, static_cast<int>(InfoLimits::kMaxPieces)),
             error.message().c_str());
    QCOMPARE(read.num_pieces(), static_cast<int>(InfoLimits::kMaxPieces));
}

/// Why kMaxNameBytes is what it is.
void TestLibtorrentReadsRelease::wouldChangeALongerName()
{
    ReleaseInfo info = single(1).info;
    info.name = std::string(InfoLimits::kMaxNameBytes + 1, 'n');
    info.files[0].path = info.name;
    const Loaded loaded = load(TorrentFile::of(info, {}).serialize());
    QVERIFY(!loaded.error);
    QVERIFY(loaded.info->files().file_path(lt::file_index_t{0}) != info.name);
    QCOMPARE(ReleaseInfo::parse(info.serialize()).error().code, Errc::UnsafeName);
}

QTEST_GUILESS_MAIN(TestLibtorrentReadsRelease)
#include "tst_libtorrent_reads_release.moc"
