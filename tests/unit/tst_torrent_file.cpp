// SPDX-License-Identifier: Apache-2.0
#include "release_samples.h"

#include <QtTest>

using namespace starling;
using namespace starling::release;
using namespace starling::release::samples;

namespace {

Contents someFiles()
{
    return {{"a", pattern(100'000, 1)}, {"b", pattern(16'384, 2)}, {"c", pattern(50'000, 3)}, {"d", {}}};
}

TorrentFile signedDirectory()
{
    TorrentFile torrent = std::move(*tryBuild("payload", false, someFiles(), update()));
    torrent.sign(trustSet().fleet(), key(21));
    return torrent;
}

/// The file with `change` made to its decoded form.
Bytes changed(const Bytes& file, const std::function<void(bencode::Dict&)>& change)
{
    auto value = bencode::decode(file, {.bytes = TorrentFile::kMaxBytes});
    change(*value->dict());
    return bencode::encode(*value);
}

Errc codeOf(const Bytes& file)
{
    const auto torrent = TorrentFile::parse(file);
    return torrent ? Errc::NotFound : torrent.error().code;
}

Errc verdict(const Bytes& file)
{
    auto torrent = TorrentFile::parse(file);
    if (!torrent)
        return torrent.error().code;
    const auto release = verifyRelease(std::move(*torrent), trustSet());
    return release ? Errc::NotFound : release.error().code;
}

} // namespace

class TestTorrentFile : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }
    void comesBackAsItWas();
    void keepsUnknownUpdateKeysInItsBytes();
    void writesPieceLayersEvenWhenThereAreNone();
    void givesTheSameBytesForTheSameInput();
    void fitsANoticeInto600Bytes();
    void takesAnUnsignedFile();
    void verifiesAgainstTheScope();
    void needsTheThreshold();
    void noticesEveryFlippedBit();
    void refusesAnotherFleetsSignature();
    void refusesUnsignedKeys_data();
    void refusesUnsignedKeys();
    void refusesSignaturesOfAnotherForm();
    void refusesWrongPieceLayers();
    void refusesTooLargeInfo();
    void refusesWhatIsNoTorrent();
};

void TestTorrentFile::comesBackAsItWas()
{
    const TorrentFile torrent = signedDirectory();
    const Bytes bytes = torrent.serialize();
    const auto parsed = TorrentFile::parse(bytes);
    QVERIFY2(parsed, parsed ? "" : toString(parsed.error()).c_str());
    QVERIFY(parsed->info == torrent.info);
    QVERIFY(parsed->layers == torrent.layers);
    QVERIFY(parsed->signatures == torrent.signatures);
    QCOMPARE(parsed->infoHash.hex(), torrent.infoHash.hex());
    QCOMPARE(parsed->infoHash.hex(), crypto::sha256(parsed->infoBytes).hex());
    QVERIFY(parsed->serialize() == bytes);
    QVERIFY(parsed->notice() == torrent.notice());

    const auto notice = TorrentFile::parse(torrent.notice());
    QVERIFY(notice);
    QVERIFY(notice->layers.empty());
    QVERIFY(notice->serialize() == torrent.notice());
    QCOMPARE(notice->infoHash.hex(), torrent.infoHash.hex());
}

void TestTorrentFile::keepsUnknownUpdateKeysInItsBytes()
{
    const auto add = [](bencode::Dict& file) {
        bencode::Dict& fields = *file.at("info").dict()->at("update").dict();
        fields.emplace("policy", "night");
    };
    const Bytes file = changed(single(5).serialize(), add);
    const auto torrent = TorrentFile::parse(file);
    QVERIFY(torrent);
    QVERIFY(torrent->serialize() == file);
    QVERIFY(torrent->info.serialize() != torrent->infoBytes);
    QCOMPARE(torrent->infoHash.hex(), crypto::sha256(torrent->infoBytes).hex());

    const Bytes critical = changed(file, [](bencode::Dict& top) {
        top.at("info").dict()->at("update").dict()->emplace("critical", bencode::List{"policy"});
    });
    QCOMPARE(codeOf(critical), Errc::UnsupportedFormat);
}

void TestTorrentFile::writesPieceLayersEvenWhenThereAreNone()
{
    const TorrentFile torrent = single(5);
    const std::string text = toText(torrent.serialize());
    QVERIFY(text.find("12:piece layersde") != std::string::npos);
    QVERIFY(toText(torrent.notice()).find("piece layers") == std::string::npos);
    const auto parsed = TorrentFile::parse(torrent.serialize());
    QVERIFY(parsed);
    QVERIFY(parsed->serialize() == torrent.serialize());
}

void TestTorrentFile::givesTheSameBytesForTheSameInput()
{
    QVERIFY(signedDirectory().serialize() == signedDirectory().serialize());
    QVERIFY(single(50'000).serialize() == single(50'000).serialize());
    QVERIFY(single(50'000).infoHash != single(50'000, update(), 2).infoHash);
    QVERIFY(single(50'000).infoHash != single(50'000, update("fw/gateway", 2)).infoHash);
}

void TestTorrentFile::fitsANoticeInto600Bytes()
{
    UpdateInfo info = update("fw/gateway/rootfs", 20'241'121, 1);
    info.label = "2.4.1";
    info.created = 1'732'190'000;
    info.requirements = {{"arch", "arm64"}, {"model", "gateway-3"}};
    info.deploy = {.method = Method::Script, .run = "rootfs-2.4.1.run", .check = {}, .rollback = {}};
    info.deploy.timeoutSeconds = 900;
    auto torrent = tryBuild("rootfs-2.4.1.run", true, {{"rootfs-2.4.1.run", pattern(50'000'000)}}, info);
    QVERIFY(torrent);
    torrent->sign(trustSet().fleet(), key(21));
    const std::size_t bytes = noticeOf(trust::Kind::Release, torrent->notice()).size();
    qInfo("a notice of a single file of 50 MB with one signature: %zu bytes", bytes);
    QVERIFY(bytes <= 600);
}

void TestTorrentFile::takesAnUnsignedFile()
{
    const auto torrent = TorrentFile::parse(single(5).serialize());
    QVERIFY(torrent);
    QVERIFY(torrent->signatures.empty());
    QCOMPARE(verdict(single(5).serialize()), Errc::Unsigned);
}

void TestTorrentFile::verifiesAgainstTheScope()
{
    const auto signedBy = [](UpdateInfo info, unsigned char signer) {
        TorrentFile torrent = single(5, std::move(info));
        torrent.sign(trustSet().fleet(), key(signer));
        return verdict(torrent.serialize());
    };
    QCOMPARE(signedBy(update("fw/a"), 22), Errc::NotFound);
    QCOMPARE(signedBy(update("fw/secret/a"), 31), Errc::NotFound);
    // The longest scope decides alone: the shorter one's key is not enough there, nor the other way round.
    QCOMPARE(signedBy(update("fw/secret/a"), 21), Errc::WrongScope);
    QCOMPARE(signedBy(update("fw/a"), 31), Errc::WrongScope);
    QCOMPARE(signedBy(update("fwx/a"), 21), Errc::WrongScope);
    QCOMPARE(signedBy(update("fw/a"), 1), Errc::WrongScope);
    QCOMPARE(signedBy(update("fw/a"), 99), Errc::UnknownKey);
    QCOMPARE(signedBy(update("fw/a", 1, 1), 21), Errc::WrongEpoch);
}

void TestTorrentFile::needsTheThreshold()
{
    TorrentFile torrent = single(5, update("fw/pair/a"));
    torrent.sign(trustSet().fleet(), key(21));
    QCOMPARE(verdict(torrent.serialize()), Errc::BelowThreshold);
    torrent.sign(trustSet().fleet(), key(21));
    QCOMPARE(verdict(torrent.serialize()), Errc::BelowThreshold);
    torrent.sign(trustSet().fleet(), key(99));
    QCOMPARE(verdict(torrent.serialize()), Errc::BelowThreshold);
    torrent.sign(trustSet().fleet(), key(22));
    QCOMPARE(verdict(torrent.serialize()), Errc::NotFound);
}

void TestTorrentFile::noticesEveryFlippedBit()
{
    TorrentFile torrent = single(5);
    torrent.sign(trustSet().fleet(), key(21));
    const Bytes notice = torrent.notice();
    for (std::size_t bit = 0; bit < notice.size() * 8; ++bit) {
        Bytes flipped = notice;
        flipped[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
        QVERIFY2(verdict(flipped) != Errc::NotFound, ("bit " + std::to_string(bit)).c_str());
    }
}

void TestTorrentFile::refusesAnotherFleetsSignature()
{
    TorrentFile torrent = single(5);
    torrent.sign(FleetId(), key(21));
    QCOMPARE(verdict(torrent.serialize()), Errc::BadSignature);
}

void TestTorrentFile::refusesUnsignedKeys_data()
{
    QTest::addColumn<QByteArray>("name");
    for (const char* name : {"announce", "announce-list", "comment", "created by", "creation date",
                             "httpseeds", "nodes", "url-list", "zzz"})
        QTest::newRow(name) << QByteArray(name);
}

void TestTorrentFile::refusesUnsignedKeys()
{
    QFETCH(const QByteArray, name);
    const Bytes file = changed(signedDirectory().serialize(), [&name](bencode::Dict& top) {
        top.emplace(name.toStdString(), "http://169.254.169.254/");
    });
    QCOMPARE(codeOf(file), Errc::Malformed);
}

void TestTorrentFile::refusesSignaturesOfAnotherForm()
{
    const Bytes file = signedDirectory().serialize();
    const auto with = [&file](bencode::Value signatures) {
        return codeOf(
            changed(file, [&](bencode::Dict& top) { top.at("signatures") = std::move(signatures); }));
    };
    QCOMPARE(with(bencode::Dict()), Errc::Malformed);
    QCOMPARE(with("none"), Errc::Malformed);
    TorrentFile many = single(5);
    for (unsigned char signer = 1; signer <= 17; ++signer)
        many.sign(trustSet().fleet(), key(signer));
    QCOMPARE(codeOf(many.serialize()), Errc::TooLarge);
    many.signatures.erase(many.signatures.begin());
    QCOMPARE(codeOf(many.serialize()), Errc::NotFound);
}

void TestTorrentFile::refusesWrongPieceLayers()
{
    const TorrentFile torrent = signedDirectory();
    QCOMPARE(torrent.layers.size(), std::size_t{2});
    const Digest root = torrent.layers.begin()->first;
    const auto with = [&torrent](const std::function<void(PieceLayers&)>& change) {
        TorrentFile other = torrent;
        change(other.layers);
        return codeOf(other.serialize());
    };
    QCOMPARE(with([&](PieceLayers& layers) { layers.at(root)[40] ^= std::byte{1}; }), Errc::PayloadMismatch);
    QCOMPARE(with([&](PieceLayers& layers) { layers.at(root).resize(layers.at(root).size() - 32); }),
             Errc::PayloadMismatch);
    QCOMPARE(with([&](PieceLayers& layers) { layers.at(root).push_back(std::byte{0}); }),
             Errc::PayloadMismatch);
    QCOMPARE(with([&](PieceLayers& layers) { layers.erase(root); }), Errc::Malformed);
    QCOMPARE(with([&](PieceLayers& layers) { layers.emplace(Digest(), Bytes(64)); }), Errc::Malformed);
    QCOMPARE(with([&](PieceLayers&) {}), Errc::NotFound);
    const Bytes shortKey = changed(torrent.serialize(), [](bencode::Dict& top) {
        top.at("piece layers").dict()->emplace("short", Bytes(32));
    });
    QCOMPARE(codeOf(shortKey), Errc::Malformed);
}

void TestTorrentFile::refusesTooLargeInfo()
{
    const auto padded = [](std::size_t extra) {
        return changed(single(5).notice(), [extra](bencode::Dict& top) {
            top.at("info").dict()->at("update").dict()->emplace("zz", Bytes(extra));
        });
    };
    // "2:zz", six digits and a colon besides the bytes themselves.
    const std::size_t room = InfoLimits::kMaxInfoBytes - single(5).infoBytes.size() - 11;
    QCOMPARE(codeOf(padded(room)), Errc::NotFound);
    QCOMPARE(codeOf(padded(room + 1)), Errc::TooLarge);
}

void TestTorrentFile::refusesWhatIsNoTorrent()
{
    QCOMPARE(codeOf({}), Errc::Truncated);
    QCOMPARE(codeOf(toBytes("hello")), Errc::NotBencode);
    QCOMPARE(codeOf(toBytes("le")), Errc::Malformed);
    QCOMPARE(codeOf(toBytes("de")), Errc::Malformed);
    QCOMPARE(codeOf(toBytes("d4:infodee")), Errc::Malformed);
    Bytes trailing = single(5).serialize();
    trailing.push_back(std::byte{'e'});
    QCOMPARE(codeOf(trailing), Errc::NotCanonical);
    // Two `info` dictionaries, of which different readers would take different ones.
    const Bytes info = single(5).infoBytes;
    Bytes twice = toBytes("d4:info");
    append(twice, info);
    append(twice, viewOf("4:info"));
    append(twice, info);
    append(twice, viewOf("e"));
    QCOMPARE(codeOf(twice), Errc::NotCanonical);
}

QTEST_GUILESS_MAIN(TestTorrentFile)
#include "tst_torrent_file.moc"
