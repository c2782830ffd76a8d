// SPDX-License-Identifier: Apache-2.0
#include "release_samples.h"

#include <QtTest>

using namespace starling;
using namespace starling::release;
using namespace starling::release::samples;

namespace {

constexpr std::size_t kBlock = 16 * 1024;

/// The definition itself, slow and plain: a tree over `leaves` leaves, of which those beyond the content are
/// zero.
Digest referenceRoot(ByteView content, std::size_t leaves)
{
    if (leaves == 1)
        return content.empty() ? Digest() : crypto::sha256(content);
    const std::size_t half = leaves / 2 * kBlock;
    const ByteView left = content.first(std::min(content.size(), half));
    const ByteView right = content.subspan(left.size());
    Bytes both = toBytes(referenceRoot(left, leaves / 2).bytes());
    append(both, referenceRoot(right, leaves / 2).bytes());
    return crypto::sha256(both);
}

Digest referenceFileRoot(ByteView content)
{
    std::size_t leaves = 1;
    while (leaves * kBlock < content.size())
        leaves *= 2;
    return referenceRoot(content, leaves);
}

Bytes referenceLayer(ByteView content, std::size_t pieceBytes)
{
    Bytes layer;
    if (content.size() <= pieceBytes)
        return layer;
    for (; !content.empty(); content = content.subspan(std::min(pieceBytes, content.size())))
        append(
            layer,
            referenceRoot(content.first(std::min(pieceBytes, content.size())), pieceBytes / kBlock).bytes());
    return layer;
}

FileHasher::Result hashInPortions(ByteView content, std::uint64_t pieceBytes, std::size_t portion)
{
    FileHasher hasher(content.size(), pieceBytes);
    while (!content.empty()) {
        const std::size_t now = std::min(portion, content.size());
        hasher.update(content.first(now));
        content = content.subspan(now);
    }
    return hasher.finish();
}

Contents someFiles()
{
    return {{"run.sh", toBytes("#!/bin/sh\n")},
            {"data/big", pattern(90'001, 2)},
            {"data/empty", {}},
            {"data.txt", pattern(16'384, 3)},
            {"zero", {}}};
}

Bytes streamOf(const TorrentFile& torrent, const Contents& contents)
{
    Bytes stream;
    for (const PayloadFile& file : torrent.info.files)
        append(stream, contents.at(file.path));
    return stream;
}

Status verifyInPortions(const ReleaseInfo& info, ByteView stream, std::size_t portion)
{
    PayloadVerifier verifier(info);
    while (!stream.empty()) {
        const std::size_t now = std::min(portion, stream.size());
        if (auto status = verifier.feed(stream.first(now)); !status)
            return status;
        stream = stream.subspan(now);
    }
    return verifier.finish();
}

Errc codeOf(const std::string& name, bool isSingleFile, std::vector<SourceFile> files,
            UpdateInfo info = update())
{
    const auto builder = Builder::create(name, isSingleFile, std::move(files), std::move(info));
    return builder ? Errc::NotFound : builder.error().code;
}

} // namespace

class TestBuilder : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }
    void hashesFilesAsTheDefinitionSays_data();
    void hashesFilesAsTheDefinitionSays();
    void padsAboveTheBlocks();
    void choosesThePieceSize_data();
    void choosesThePieceSize();
    void growsPiecesForManySmallFiles();
    void givesTheSameBytesInWhateverOrderAndPortions();
    void ordersFilesLikeTheFileTree();
    void agreesWithTheVerifier();
    void refusesAPayloadThatIsNotWhatWasSigned();
    void saysWhichFileIsWrongAsSoonAsItIsComplete();
    void refusesToFinishAnIncompletePayload();
    void refusesWhatCannotBeReleased();
    void refusesScriptsThatAreNotInThePayload();
    void refusesUpdatesOutOfRange();
    void refusesMoreThanTheLimits();
};

void TestBuilder::hashesFilesAsTheDefinitionSays_data()
{
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("pieceBytes");
    const int block = static_cast<int>(kBlock);
    for (const int piece : {block, 4 * block, 16 * block}) {
        for (const int size : {0, 1, block - 1, block, block + 1, 2 * block, 3 * block, piece - 1, piece,
                               piece + 1, 3 * piece - 7, 3 * piece, 4 * piece, 5 * piece + 17, 8 * piece})
            QTest::addRow("%d in pieces of %d", size, piece) << size << piece;
    }
}

void TestBuilder::hashesFilesAsTheDefinitionSays()
{
    QFETCH(const int, size);
    QFETCH(const int, pieceBytes);
    const Bytes content = pattern(static_cast<std::size_t>(size), static_cast<std::uint64_t>(size) + 1);
    const auto piece = static_cast<std::uint64_t>(pieceBytes);
    for (const std::size_t portion : {4'097u, 16'384u, 100'003u, 10'000'000u}) {
        const FileHasher::Result result = hashInPortions(content, piece, portion);
        QCOMPARE(result.piecesRoot.hex(),
                 content.empty() ? Digest().hex() : referenceFileRoot(content).hex());
        QCOMPARE(toHex(result.layer), toHex(referenceLayer(content, static_cast<std::size_t>(piece))));
    }
}

void TestBuilder::padsAboveTheBlocks()
{
    QCOMPARE(paddingForPiece(kBlock).hex(), Digest().hex());
    QCOMPARE(paddingForPiece(8 * kBlock).hex(), referenceRoot({}, 8).hex());
    QCOMPARE(merkleRoot({}, Digest()).hex(), Digest().hex());
}

void TestBuilder::choosesThePieceSize_data()
{
    QTest::addColumn<quint64>("payload");
    QTest::addColumn<quint64>("expected");
    const quint64 kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
    QTest::newRow("nothing") << quint64{0} << 16 * kib;
    QTest::newRow("2,048 pieces of 16 KiB") << 32 * mib << 16 * kib;
    QTest::newRow("one byte more") << 32 * mib + 1 << 32 * kib;
    QTest::newRow("50 MB") << quint64{50'000'000} << 32 * kib;
    QTest::newRow("1 GiB") << gib << 512 * kib;
    QTest::newRow("2 GiB") << 2 * gib << mib;
    QTest::newRow("above 2 GiB") << 2 * gib + 1 << mib;
    QTest::newRow("64 GiB") << 64 * gib << mib;
    QTest::newRow("above 64 GiB") << 64 * gib + 1 << 2 * mib;
    QTest::newRow("4 TiB") << quint64{InfoLimits::kMaxPayloadBytes} << 64 * mib;
}

void TestBuilder::choosesThePieceSize()
{
    QFETCH(const quint64, payload);
    QFETCH(const quint64, expected);
    QCOMPARE(quint64{pieceBytesFor(payload)}, expected);
}

void TestBuilder::growsPiecesForManySmallFiles()
{
    // 65,536 pieces of 1 MiB for the sum, but each file begins a piece of its own.
    std::vector<SourceFile> files;
    for (int i = 0; i < 1'000; ++i)
        files.push_back({"f" + std::to_string(i), 68'719'476});
    const auto builder = Builder::create("d", false, files, update());
    QVERIFY(builder);
    QVERIFY(builder->payloadBytes() < (64ull << 30));
    std::uint64_t pieces = 0;
    for (const PayloadFile& file : builder->files())
        pieces += (file.size + (2u << 20) - 1) / (2u << 20);
    QVERIFY(pieces <= InfoLimits::kMaxPieces);
}

void TestBuilder::givesTheSameBytesInWhateverOrderAndPortions()
{
    const Contents contents = someFiles();
    const auto expected = tryBuild("payload", false, contents, update());
    QVERIFY(expected);
    std::vector<SourceFile> files;
    for (const auto& [path, bytes] : contents)
        files.insert(files.begin(), {path, bytes.size()});
    const Bytes stream = streamOf(*expected, contents);
    for (const std::size_t portion : {1u, 999u, 1'000'000u}) {
        auto builder = Builder::create("payload", false, files, update());
        QVERIFY(builder);
        for (ByteView rest = stream; !rest.empty(); rest = rest.subspan(std::min(portion, rest.size())))
            builder->feed(rest.first(std::min(portion, rest.size())));
        QCOMPARE(builder->fedBytes(), std::uint64_t{stream.size()});
        const auto torrent = builder->finish();
        QVERIFY(torrent);
        QCOMPARE(toHex(torrent->serialize()), toHex(expected->serialize()));
    }
}

void TestBuilder::ordersFilesLikeTheFileTree()
{
    const auto torrent =
        tryBuild("d", false, {{"a.b", pattern(1)}, {"a/b", pattern(2)}, {"a-", {}}, {"B", {}}}, update());
    QVERIFY(torrent);
    std::vector<std::string> paths;
    for (const PayloadFile& file : torrent->info.files)
        paths.push_back(file.path);
    QCOMPARE(paths, (std::vector<std::string>{"B", "a/b", "a-", "a.b"}));
    const auto parsed = TorrentFile::parse(torrent->serialize());
    QVERIFY(parsed);
    QVERIFY(parsed->info == torrent->info);
}

void TestBuilder::agreesWithTheVerifier()
{
    const Contents contents = someFiles();
    const auto torrent = tryBuild("payload", false, contents, update());
    QVERIFY(torrent);
    for (const std::size_t portion : {1u, 16'384u, 50'001u, 1'000'000u})
        QVERIFY(verifyInPortions(torrent->info, streamOf(*torrent, contents), portion));
}

void TestBuilder::refusesAPayloadThatIsNotWhatWasSigned()
{
    const Contents contents = someFiles();
    const auto torrent = tryBuild("payload", false, contents, update());
    QVERIFY(torrent);
    const Bytes stream = streamOf(*torrent, contents);
    Bytes longer = stream;
    longer.push_back(std::byte{0});
    QCOMPARE(verifyInPortions(torrent->info, longer, 1'000).error().code, Errc::PayloadMismatch);
    for (const std::size_t cut : {std::size_t{1}, stream.size() / 2, stream.size()}) {
        const auto status =
            verifyInPortions(torrent->info, ByteView(stream).first(stream.size() - cut), 1'000);
        QCOMPARE(status.error().code, Errc::PayloadMismatch);
    }
    for (std::size_t at = 0; at < stream.size(); at += 7'919) {
        Bytes changed = stream;
        changed[at] ^= std::byte{1};
        QCOMPARE(verifyInPortions(torrent->info, changed, 100'000).error().code, Errc::PayloadMismatch);
    }
}

void TestBuilder::saysWhichFileIsWrongAsSoonAsItIsComplete()
{
    const Contents contents = {
        {"a", pattern(20'000, 1)}, {"b", pattern(20'000, 2)}, {"c", pattern(20'000, 3)}};
    const auto torrent = tryBuild("payload", false, contents, update());
    QVERIFY(torrent);
    PayloadVerifier verifier(torrent->info);
    QVERIFY(verifier.feed(contents.at("a")));
    Bytes wrong = contents.at("b");
    wrong[5] ^= std::byte{1};
    QVERIFY(verifier.feed(ByteView(wrong).first(19'999)));
    const Status status = verifier.feed(ByteView(wrong).subspan(19'999));
    QCOMPARE(status.error().code, Errc::PayloadMismatch);
    QVERIFY(status.error().context.find("\"b\"") != std::string::npos);
    QCOMPARE(verifier.feed(contents.at("c")).error().code, Errc::PayloadMismatch);
    QCOMPARE(verifier.finish().error().code, Errc::PayloadMismatch);
}

void TestBuilder::refusesToFinishAnIncompletePayload()
{
    auto builder = Builder::create("f", true, {{"f", 10}}, update());
    QVERIFY(builder);
    builder->feed(pattern(9));
    QCOMPARE(builder->finish().error().code, Errc::PayloadChanged);
}

void TestBuilder::refusesWhatCannotBeReleased()
{
    QCOMPARE(codeOf("d", false, {}), Errc::Malformed);
    QCOMPARE(codeOf("d", false, {{"empty", 0}}), Errc::Malformed);
    QCOMPARE(codeOf("f", true, {{"g", 1}}), Errc::Malformed);
    QCOMPARE(codeOf("f", true, {{"f", 1}, {"g", 1}}), Errc::Malformed);
    QCOMPARE(codeOf("d", false, {{"a", 1}, {"a", 1}}), Errc::AlreadyExists);
    QCOMPARE(codeOf("d", false, {{"Read.me", 1}, {"read.ME", 1}}), Errc::AlreadyExists);
    QCOMPARE(codeOf("d", false, {{"\xC3\x84", 1}, {"\xC3\xA4", 1}}), Errc::AlreadyExists);
    QCOMPARE(codeOf("d", false, {{"Dir/a", 1}, {"dir/b", 1}}), Errc::AlreadyExists);
    QCOMPARE(codeOf("d", false, {{"a", 1}, {"a/b", 1}}), Errc::AlreadyExists);
    QCOMPARE(codeOf("d", false, {{"../a", 1}, {"b", 1}}), Errc::UnsafeName);
    QCOMPARE(codeOf("d", false, {{"/a", 1}, {"b", 1}}), Errc::UnsafeName);
    QCOMPARE(codeOf("..", false, {{"a", 1}, {"b", 1}}), Errc::UnsafeName);
    QCOMPARE(codeOf("", false, {{"a", 1}, {"b", 1}}), Errc::UnsafeName);
}

void TestBuilder::refusesScriptsThatAreNotInThePayload()
{
    UpdateInfo info = update();
    info.deploy.method = Method::Script;
    QCOMPARE(codeOf("f", true, {{"f", 1}}, info), Errc::DeployMissing);
    info.deploy.run = "f";
    QVERIFY(Builder::create("f", true, {{"f", 1}}, info));
    for (std::string* script : {&info.deploy.run, &info.deploy.check, &info.deploy.rollback}) {
        const std::string before = *script;
        *script = "other";
        QCOMPARE(codeOf("f", true, {{"f", 1}}, info), Errc::DeployMissing);
        *script = before;
    }
    info.deploy.method = Method::None;
    QCOMPARE(codeOf("f", true, {{"f", 1}}, info), Errc::Malformed);
}

void TestBuilder::refusesUpdatesOutOfRange()
{
    const auto code = [](auto change) {
        UpdateInfo info = update();
        change(info);
        return codeOf("f", true, {{"f", 1}}, info);
    };
    QCOMPARE(code([](UpdateInfo& info) { info.revision.version = 0; }), Errc::Malformed);
    QCOMPARE(code([](UpdateInfo& info) { info.revision.version = trust::Revision::kMaxVersion + 1; }),
             Errc::Malformed);
    QCOMPARE(code([](UpdateInfo& info) { info.revision.version = trust::Revision::kMaxVersion; }),
             Errc::NotFound);
    QCOMPARE(code([](UpdateInfo& info) { info.label = std::string(65, 'x'); }), Errc::TooLarge);
    QCOMPARE(code([](UpdateInfo& info) { info.label = "\x1b[31m"; }), Errc::Malformed);
    QCOMPARE(code([](UpdateInfo& info) { info.requirements[""] = "x"; }), Errc::Malformed);
    QCOMPARE(code([](UpdateInfo& info) { info.requirements["x"] = std::string(65, 'x'); }), Errc::TooLarge);
    QCOMPARE(code([](UpdateInfo& info) { info.created = ~0ull; }), Errc::Malformed);
    QCOMPARE(code([](UpdateInfo& info) {
                 for (int i = 0; i < 33; ++i)
                     info.requirements["l" + std::to_string(i)] = "x";
             }),
             Errc::TooLarge);
    for (const std::uint32_t timeout : {0u, 86'401u}) {
        QCOMPARE(code([timeout](UpdateInfo& info) {
                     info.deploy = {.method = Method::Puppet, .run = "f", .check = {}, .rollback = {}};
                     info.deploy.timeoutSeconds = timeout;
                 }),
                 Errc::Malformed);
    }
}

void TestBuilder::refusesMoreThanTheLimits()
{
    std::vector<SourceFile> files;
    for (std::size_t i = 0; i < InfoLimits::kMaxFiles; ++i)
        files.push_back({std::to_string(i), i == 0 ? 1u : 0u});
    auto builder = Builder::create("d", false, files, update());
    QVERIFY(builder);
    builder->feed(pattern(1));
    const auto torrent = builder->finish();
    QVERIFY(torrent);
    QVERIFY(TorrentFile::parse(torrent->serialize()));
    files.push_back({"more", 0});
    QCOMPARE(codeOf("d", false, files), Errc::TooLarge);

    QCOMPARE(codeOf("f", true, {{"f", InfoLimits::kMaxPayloadBytes + 1}}), Errc::TooLarge);
    QCOMPARE(codeOf("d", false, {{"f", ~0ull}, {"g", ~0ull}}), Errc::TooLarge);
    QVERIFY(Builder::create("f", true, {{"f", InfoLimits::kMaxPayloadBytes}}, update()));

    QVERIFY(Builder::create("d", false, {{"1/2/3/4/5/6", 1}}, update()));
    std::string tooDeep = "0";
    for (std::size_t i = 0; i < InfoLimits::kMaxPathComponents; ++i)
        tooDeep += "/0";
    QCOMPARE(codeOf("d", false, {{tooDeep, 1}}), Errc::TooDeep);

    const std::string name(200, 'n');
    const std::string path = name + "/" + name + "/" + name + "/" + name + "/" + name;
    QCOMPARE(path.size(), std::size_t{1'004});
    QVERIFY(Builder::create("d", false, {{path + "/" + std::string(19, 'x'), 1}}, update()));
    QCOMPARE(codeOf("d", false, {{path + "/" + std::string(20, 'x'), 1}}), Errc::TooLarge);

    // As many directories as fit: whatever is built can be read.
    files = {{"first", 1}};
    for (int i = 0; i < 9'000; ++i)
        files.push_back({"a/" + std::to_string(i) + "/b/c/d/e", 0});
    builder = Builder::create("d", false, files, update());
    QVERIFY(builder);
    builder->feed(pattern(1));
    QVERIFY(TorrentFile::parse(builder->finish()->serialize()));

    // Files of long names fill `info` long before there are too many of them.
    files.clear();
    for (int i = 0; i < 4'000; ++i)
        files.push_back({std::to_string(i) + std::string(100, 'n'), 1});
    QCOMPARE(codeOf("d", false, files), Errc::TooLarge);
}

QTEST_GUILESS_MAIN(TestBuilder)
#include "tst_builder.moc"
