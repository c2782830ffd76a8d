// SPDX-License-Identifier: Apache-2.0
#include "release_samples.h"

#include <QtTest>
#include <ctime>

using namespace starling;
using namespace starling::release;
using namespace starling::release::samples;

namespace {

using bencode::Dict;
using bencode::Integer;
using bencode::Value;

Dict fileOf(Integer length)
{
    Dict properties;
    properties.emplace("length", length);
    if (length > 0)
        properties.emplace("pieces root", Bytes(32, std::byte{7}));
    Dict node;
    node.emplace("", std::move(properties));
    return node;
}

/// A valid `info` of one file "f" with 5 bytes.
Dict plainInfo()
{
    Dict fields;
    fields.emplace("format", Integer{1});
    fields.emplace("uri", "fw/a");
    fields.emplace("epoch", Integer{0});
    fields.emplace("version", Integer{1});
    Dict tree;
    tree.emplace("f", fileOf(5));
    Dict info;
    info.emplace("file tree", std::move(tree));
    info.emplace("meta version", Integer{2});
    info.emplace("name", "f");
    info.emplace("piece length", Integer{16'384});
    info.emplace("update", std::move(fields));
    return info;
}

/// `plainInfo` as a directory "d" with another tree.
Dict infoWith(Dict tree)
{
    Dict info = plainInfo();
    info.at("name") = "d";
    info.at("file tree") = std::move(tree);
    return info;
}

Errc codeOf(const Dict& info)
{
    const auto parsed = ReleaseInfo::parse(bencode::encode(info));
    return parsed ? Errc::NotFound : parsed.error().code;
}

/// The code for plainInfo with `key` of `update` (or of `deploy` in it) set to `value`.
Errc codeWith(std::string_view key, Value value)
{
    Dict info = plainInfo();
    info.at("update").dict()->insert_or_assign(std::string(key), std::move(value));
    return codeOf(info);
}

Errc codeWithDeploy(std::initializer_list<std::pair<const char*, Value>> fields)
{
    Dict deploy;
    for (const auto& [key, value] : fields)
        deploy.emplace(key, value);
    return codeWith("deploy", std::move(deploy));
}

/// Fails the running test when `codeOf` took longer than a refusal may.
Errc codeWithin50Milliseconds(const Dict& info)
{
    const Bytes bytes = bencode::encode(info);
    // Time of the processor, not of the wall: the machine of the tests may be busy.
    const std::clock_t begun = std::clock();
    const auto parsed = ReleaseInfo::parse(bytes);
    const double milliseconds = 1'000.0 * static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
    if (milliseconds > 50)
        qWarning("refusing took %.0f ms", milliseconds);
    // Twenty times the bound, for sanitizers and builds without optimisation, still tells a linear parser
    // from a quadratic one.
    return milliseconds > 1'000 ? Errc::Timeout : parsed ? Errc::NotFound : parsed.error().code;
}

} // namespace

class TestReleaseInfo : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }
    void comesBackAsItWas();
    void leavesOutWhatIsDefault();
    void refusesLegacyTorrents_data();
    void refusesLegacyTorrents();
    void refusesOtherTopLevelKeys_data();
    void refusesOtherTopLevelKeys();
    void refusesMissingAndIllTypedKeys();
    void refusesUnsafeNames_data();
    void refusesUnsafeNames();
    void takesOrdinaryNames_data();
    void takesOrdinaryNames();
    void refusesNamesAlikeButForCase();
    void refusesSymbolicLinksAndBrokenTrees();
    void refusesASingleFileWithTwoNames();
    void takesTheLimitsAndRefusesOneMore();
    void handlesSizesExactly();
    void refusesUpdateFieldsOutOfRange();
    void refusesDeployPlansThatCannotRun();
    void ignoresUnknownUpdateKeysUnlessCritical();
    void takesOneFormOnly();
};

void TestReleaseInfo::comesBackAsItWas()
{
    UpdateInfo info = update("fw/gateway/rootfs", 7, 3);
    info.label = "2.4.1 \xC3\xA4";
    info.created = 0;
    info.requirements = {{"arch", "arm64"}, {"site", ""}};
    info.deploy = {.method = Method::Puppet, .run = "m/site.pp", .check = "check", .rollback = "m/back"};
    info.deploy.timeoutSeconds = 86'400;
    const Contents contents = {
        {"m/site.pp", pattern(3)}, {"m/back", pattern(4)}, {"check", pattern(50'000)}, {"e", {}}};
    const auto torrent = tryBuild("payload", false, contents, info);
    QVERIFY(torrent);
    const auto parsed = ReleaseInfo::parse(torrent->infoBytes);
    QVERIFY2(parsed, parsed ? "" : toString(parsed.error()).c_str());
    QVERIFY(*parsed == torrent->info);
    QVERIFY(parsed->update == info);
    QVERIFY(parsed->serialize() == torrent->infoBytes);
    QCOMPARE(parsed->payloadBytes(), std::uint64_t{50'007});
    QCOMPARE(parsed->pieceCount(), std::uint64_t{6});
}

void TestReleaseInfo::leavesOutWhatIsDefault()
{
    const std::string text = toText(single(5).infoBytes);
    for (const char* key : {"deploy", "label", "created", "requires", "critical", "timeout"})
        QVERIFY2(text.find(key) == std::string::npos, key);
    QCOMPARE(codeOf(plainInfo()), Errc::NotFound);
    QCOMPARE(codeWithDeploy({{"method", "none"}}), Errc::NotFound);
}

void TestReleaseInfo::refusesLegacyTorrents_data()
{
    QTest::addColumn<QByteArray>("key");
    QTest::addColumn<bool>("isHybrid");
    for (const char* key : {"pieces", "files", "length"}) {
        QTest::addRow("v1 with %s", key) << QByteArray(key) << false;
        QTest::addRow("hybrid with %s", key) << QByteArray(key) << true;
    }
}

void TestReleaseInfo::refusesLegacyTorrents()
{
    QFETCH(const QByteArray, key);
    QFETCH(const bool, isHybrid);
    Dict info = isHybrid ? plainInfo() : Dict();
    info.emplace(key.toStdString(), Bytes(20));
    info.emplace("name", "f");
    QCOMPARE(codeOf(info), Errc::LegacyTorrent);
    Dict file;
    file.emplace("announce", "http://tracker.example/");
    file.emplace("info", std::move(info));
    QCOMPARE(TorrentFile::parse(bencode::encode(file)).error().code, Errc::LegacyTorrent);

    Dict versionOne = plainInfo();
    versionOne.at("meta version") = Integer{1};
    QCOMPARE(codeOf(versionOne), Errc::LegacyTorrent);
    versionOne.at("meta version") = Integer{3};
    QCOMPARE(codeOf(versionOne), Errc::UnsupportedFormat);
}

void TestReleaseInfo::refusesOtherTopLevelKeys_data()
{
    QTest::addColumn<QByteArray>("key");
    for (const char* key :
         {"private", "source", "similar", "collections", "ssl-cert", "name.utf-8", "root hash", "x"})
        QTest::newRow(key) << QByteArray(key);
}

void TestReleaseInfo::refusesOtherTopLevelKeys()
{
    QFETCH(const QByteArray, key);
    Dict info = plainInfo();
    info.emplace(key.toStdString(), Integer{1});
    QCOMPARE(codeOf(info), Errc::Malformed);
}

void TestReleaseInfo::refusesMissingAndIllTypedKeys()
{
    for (const char* key : {"file tree", "meta version", "name", "piece length", "update"}) {
        Dict info = plainInfo();
        info.erase(key);
        QCOMPARE(codeOf(info), Errc::Malformed);
        info.emplace(key, bencode::List());
        QCOMPARE(codeOf(info), Errc::Malformed);
    }
    for (const char* key : {"format", "uri", "epoch", "version"}) {
        Dict info = plainInfo();
        info.at("update").dict()->erase(key);
        QCOMPARE(codeOf(info), Errc::Malformed);
    }
    for (const char* key : {"label", "created", "requires", "deploy", "uri", "version"})
        QCOMPARE(codeWith(key, bencode::List()), Errc::Malformed);
    QCOMPARE(ReleaseInfo::parse(toBytes("le")).error().code, Errc::Malformed);
    QCOMPARE(ReleaseInfo::parse({}).error().code, Errc::Truncated);
}

void TestReleaseInfo::refusesUnsafeNames_data()
{
    QTest::addColumn<QByteArray>("name");
    const std::initializer_list<std::pair<const char*, QByteArray>> names = {
        {"empty", ""},
        {"dot", "."},
        {"dot dot", ".."},
        {"three dots", "..."},
        {"slash", "a/b"},
        {"absolute", "/etc"},
        {"parent", "../a"},
        {"hidden parent", "a/../../b"},
        {"backslash", "a\\b"},
        {"backslash parent", "..\\a"},
        {"drive", "C:"},
        {"drive and path", "C:\\a"},
        {"stream", "a:b"},
        {"asterisk", "a*"},
        {"question mark", "a?"},
        {"quote", "a\"b"},
        {"less", "a<b"},
        {"greater", "a>b"},
        {"pipe", "a|b"},
        {"NUL", QByteArray("a\0b", 3)},
        {"NUL at the end", QByteArray("a\0", 2)},
        {"line feed", "a\nb"},
        {"carriage return", "a\rb"},
        {"tab", "a\tb"},
        {"escape", "a\x1b[31mb"},
        {"bell", "a\x07"},
        {"backspace", "a\x08"},
        {"delete", "a\x7f"},
        {"C1 control", "a\xC2\x85"},
        {"trailing dot", "a."},
        {"trailing space", "a "},
        {"only a space", " "},
        {"trailing dots", "a.."},
        {"stray byte", "a\xFF"},
        {"truncated sequence", "a\xC3"},
        {"overlong slash", "a\xC0\xAF"},
        {"overlong dot", "\xC0\xAE\xC0\xAE"},
        {"surrogate", "a\xED\xA0\x80"},
        {"beyond Unicode", "a\xF4\x90\x80\x80"},
        {"right-to-left override",
         "gpj.\xE2\x80\xAE"
         "exe"},
        {"left-to-right override",
         "\xE2\x80\xAD"
         "a"},
        {"right-to-left embedding",
         "\xE2\x80\xAB"
         "a"},
        {"right-to-left mark", "a\xE2\x80\x8F"},
        {"left-to-right mark", "a\xE2\x80\x8E"},
        {"isolate", "a\xE2\x81\xA6"},
        {"Arabic letter mark", "a\xD8\x9C"},
        {"zero-width space", "a\xE2\x80\x8B"},
        {"zero-width joiner", "a\xE2\x80\x8D"},
        {"byte-order mark",
         "\xEF\xBB\xBF"
         "a"},
        {"soft hyphen", "a\xC2\xAD"},
        {"line separator", "a\xE2\x80\xA8"},
        {"combining accent", "e\xCC\x81"},
        {"private use", "a\xEE\x80\x80"},
        {"non-character", "a\xEF\xBF\xBF"},
        {"tag", "a\xF3\xA0\x81\x81"},
        {"CON", "CON"},
        {"nul", "nul"},
        {"aux with extension", "aux.txt"},
        {"COM1", "COM1"},
        {"lpt9 with extensions", "lpt9.tar.gz"},
        {"COM superscript one", "COM\xC2\xB9"},
        {"CONIN$", "ConIn$"},
        {"device and space", "prn .txt"},
        {"241 bytes", QByteArray(241, 'n')},
        {"300 bytes", QByteArray(300, 'n')},
    };
    for (const auto& [row, name] : names)
        QTest::newRow(row) << name;
}

void TestReleaseInfo::refusesUnsafeNames()
{
    QFETCH(const QByteArray, name);
    const std::string text = name.toStdString();
    QCOMPARE(requireSafeName(text).error().code, Errc::UnsafeName);
    // As the name of the release, of a file and of a directory.
    Dict info = plainInfo();
    info.at("name") = std::string_view(text);
    QCOMPARE(codeOf(info), Errc::UnsafeName);
    if (text.empty())
        return; // means something else in a file tree
    Dict tree;
    tree.emplace(text, fileOf(5));
    QCOMPARE(codeOf(infoWith(tree)), Errc::UnsafeName);
    Dict outer;
    outer.emplace("ok", fileOf(5));
    outer.emplace(text, std::move(tree));
    QCOMPARE(codeOf(infoWith(outer)), Errc::UnsafeName);
    if (text.find('/') == std::string::npos)
        QCOMPARE(Builder::create("d", false, {{"ok", 1}, {"x/" + text, 1}}, update()).error().code,
                 Errc::UnsafeName);
}

void TestReleaseInfo::takesOrdinaryNames_data()
{
    QTest::addColumn<QByteArray>("name");
    for (const char* name : {"a",
                             ".hidden",
                             "..a",
                             "a..b",
                             "a b",
                             " a",
                             "-rf",
                             "~",
                             "$HOME",
                             "a'b",
                             "a;b",
                             "a&b",
                             "%2e%2e",
                             "#",
                             "con1",
                             "COM",
                             "COM10",
                             "console",
                             "nul1",
                             "\xC3\xA4\xC3\xB6\xC3\xBC",
                             "\xE6\x96\x87\xE5\xAD\x97",
                             "\xD0\x94",
                             "\xF0\x9F\x90\xA6"})
        QTest::newRow(name) << QByteArray(name);
    QTest::newRow("240 bytes") << QByteArray(240, 'n');
}

void TestReleaseInfo::takesOrdinaryNames()
{
    QFETCH(const QByteArray, name);
    QVERIFY(requireSafeName(name.toStdString()));
    Dict tree;
    tree.emplace("ok", fileOf(5));
    tree.emplace(name.toStdString(), fileOf(5));
    QCOMPARE(codeOf(infoWith(tree)), Errc::NotFound);
}

void TestReleaseInfo::refusesNamesAlikeButForCase()
{
    const std::initializer_list<std::pair<const char*, const char*>> pairs = {
        {"readme", "README"},     {"\xC3\xA4", "\xC3\x84"}, // a with diaeresis
        {"\xC4\x8D", "\xC4\x8C"}, // c with caron
        {"\xC5\xBE", "\xC5\xBD"}, // z with caron
        {"\xCF\x83", "\xCE\xA3"}, // sigma
        {"\xCF\x82", "\xCE\xA3"}, // final sigma
        {"\xD0\xB6", "\xD0\x96"}, // zhe
        {"\xD1\x91", "\xD0\x81"}, // io
    };
    for (const auto& [one, other] : pairs) {
        Dict tree;
        tree.emplace(one, fileOf(5));
        tree.emplace(other, fileOf(5));
        QCOMPARE(codeOf(infoWith(tree)), Errc::UnsafeName);
        Dict inOne;
        inOne.emplace("x", fileOf(5));
        Dict inOther;
        inOther.emplace("y", fileOf(5));
        Dict directories;
        directories.emplace(one, std::move(inOne));
        directories.emplace(other, std::move(inOther));
        QCOMPARE(codeOf(infoWith(directories)), Errc::UnsafeName);
    }
}

void TestReleaseInfo::refusesSymbolicLinksAndBrokenTrees()
{
    const auto withFile = [](Dict node) {
        Dict tree;
        tree.emplace("a", std::move(node));
        tree.emplace("b", fileOf(5));
        return codeOf(infoWith(std::move(tree)));
    };
    QCOMPARE(withFile(fileOf(5)), Errc::NotFound);
    const auto withProperty = [&](const char* key, Value value) {
        Dict node = fileOf(5);
        node.at("").dict()->insert_or_assign(key, std::move(value));
        return withFile(std::move(node));
    };
    QCOMPARE(withProperty("symlink path", bencode::List{"b"}), Errc::UnsafeName);
    QCOMPARE(withProperty("attr", "l"), Errc::UnsafeName);
    QCOMPARE(withProperty("attr", "p"), Errc::UnsafeName);
    QCOMPARE(withProperty("mtime", Integer{1}), Errc::Malformed);
    QCOMPARE(withProperty("length", Integer{-1}), Errc::Malformed);
    QCOMPARE(withProperty("length", "5"), Errc::Malformed);
    QCOMPARE(withProperty("length", Integer{0}), Errc::Malformed); // a root without content
    QCOMPARE(withProperty("pieces root", Bytes(31)), Errc::Malformed);
    QCOMPARE(withProperty("pieces root", Bytes(33)), Errc::TooLarge);
    QCOMPARE(withProperty("pieces root", Bytes(32)), Errc::Malformed); // zeros, the hash of nothing
    Dict noRoot = fileOf(5);
    noRoot.at("").dict()->erase("pieces root");
    QCOMPARE(withFile(std::move(noRoot)), Errc::Malformed);
    Dict both = fileOf(5);
    both.emplace("x", fileOf(5));
    QCOMPARE(withFile(std::move(both)), Errc::Malformed);
    QCOMPARE(withFile(Dict()), Errc::Malformed);
    QCOMPARE(codeOf(infoWith(Dict())), Errc::Malformed);
    QCOMPARE(codeOf(infoWith(fileOf(5))), Errc::UnsafeName); // a file without a name
    Dict noDictionary;
    noDictionary.emplace("a", Integer{1});
    QCOMPARE(codeOf(infoWith(std::move(noDictionary))), Errc::Malformed);
    Dict nothing;
    nothing.emplace("a", fileOf(0));
    nothing.emplace("b", fileOf(0));
    QCOMPARE(codeOf(infoWith(std::move(nothing))), Errc::Malformed);
}

void TestReleaseInfo::refusesASingleFileWithTwoNames()
{
    Dict info = plainInfo();
    info.at("name") = "g";
    QCOMPARE(codeOf(info), Errc::Malformed);
}

void TestReleaseInfo::takesTheLimitsAndRefusesOneMore()
{
    Dict tree;
    for (std::size_t i = 0; i < InfoLimits::kMaxFiles; ++i)
        tree.emplace(std::to_string(i), fileOf(i == 0 ? 5 : 0));
    QCOMPARE(codeWithin50Milliseconds(infoWith(tree)), Errc::NotFound);
    tree.emplace("more", fileOf(0));
    QCOMPARE(codeWithin50Milliseconds(infoWith(std::move(tree))), Errc::TooLarge);

    // One file of exactly as many pieces as there may be, and one byte more.
    const auto withSize = [](std::uint64_t size) {
        Dict info = plainInfo();
        info.at("file tree").dict()->at("f") = fileOf(static_cast<Integer>(size));
        return codeWithin50Milliseconds(info);
    };
    QCOMPARE(withSize(InfoLimits::kMaxPieces * 16'384), Errc::NotFound);
    QCOMPARE(withSize(InfoLimits::kMaxPieces * 16'384 + 1), Errc::TooLarge);

    const auto withDepth = [](std::size_t components) {
        Dict node = fileOf(5);
        for (std::size_t i = 0; i < components; ++i) {
            Dict outer;
            outer.emplace("x", std::move(node));
            node = std::move(outer);
        }
        return codeWithin50Milliseconds(infoWith(std::move(node)));
    };
    QCOMPARE(withDepth(InfoLimits::kMaxPathComponents), Errc::NotFound);
    QCOMPARE(withDepth(InfoLimits::kMaxPathComponents + 1), Errc::TooDeep);
    QCOMPARE(withDepth(1'000), Errc::TooDeep);

    const auto withPieceBytes = [](Integer pieceBytes) {
        Dict info = plainInfo();
        info.at("piece length") = pieceBytes;
        return codeOf(info);
    };
    QCOMPARE(withPieceBytes(64 * 1024 * 1024), Errc::NotFound);
    QCOMPARE(withPieceBytes(128 * 1024 * 1024), Errc::TooLarge);
    QCOMPARE(withPieceBytes(8 * 1024), Errc::Malformed);
    QCOMPARE(withPieceBytes(24 * 1024), Errc::Malformed);
    QCOMPARE(withPieceBytes(0), Errc::Malformed);
    QCOMPARE(withPieceBytes(-16'384), Errc::Malformed);

    Dict large = plainInfo();
    const std::size_t room = InfoLimits::kMaxInfoBytes - bencode::encode(large).size() - 11;
    large.at("update").dict()->emplace("zz", Bytes(room));
    QCOMPARE(codeWithin50Milliseconds(large), Errc::NotFound);
    large.at("update").dict()->at("zz") = Bytes(room + 1);
    QCOMPARE(codeWithin50Milliseconds(large), Errc::TooLarge);
}

void TestReleaseInfo::handlesSizesExactly()
{
    const auto parse = [](std::vector<std::uint64_t> sizes, Integer pieceBytes) {
        Dict tree;
        for (std::size_t i = 0; i < sizes.size(); ++i)
            tree.emplace("f" + std::to_string(i), fileOf(static_cast<Integer>(sizes[i])));
        Dict info = infoWith(std::move(tree));
        info.at("piece length") = pieceBytes;
        return ReleaseInfo::parse(bencode::encode(info));
    };
    const Integer mib = 1024 * 1024;
    for (const std::uint64_t size : {(1ull << 31) + 1, (1ull << 32) + 1}) {
        const auto info = parse({size, 1}, mib);
        QVERIFY(info);
        QCOMPARE(info->files[0].size, size);
        QCOMPARE(info->payloadBytes(), size + 1);
        QCOMPARE(info->pieceCount(), size / static_cast<std::uint64_t>(mib) + 2);
    }
    const std::uint64_t most = InfoLimits::kMaxPayloadBytes;
    QVERIFY(parse({most / 2, most / 2}, 64 * mib));
    QCOMPARE(parse({most / 2, most / 2 + 1}, 64 * mib).error().code, Errc::TooLarge);
    // Three of them overflow 64 bits.
    const std::uint64_t huge = (1ull << 63) - 1;
    QCOMPARE(parse({huge, huge, 3}, 64 * mib).error().code, Errc::TooLarge);
    QCOMPARE(ReleaseInfo::parse(toBytes("d6:lengthi18446744073709551616ee")).error().code, Errc::TooLarge);
}

void TestReleaseInfo::refusesUpdateFieldsOutOfRange()
{
    const auto most = static_cast<Integer>(trust::Revision::kMaxVersion);
    QCOMPARE(codeWith("version", Integer{0}), Errc::Malformed);
    QCOMPARE(codeWith("version", Integer{-1}), Errc::Malformed);
    QCOMPARE(codeWith("version", most), Errc::NotFound);
    QCOMPARE(codeWith("version", most + 1), Errc::Malformed);
    QCOMPARE(codeWith("epoch", Integer{-1}), Errc::Malformed);
    QCOMPARE(codeWith("epoch", most + 1), Errc::Malformed);
    QCOMPARE(codeWith("format", Integer{2}), Errc::UnsupportedFormat);
    QCOMPARE(codeWith("label", std::string_view(std::string(64, 'x'))), Errc::NotFound);
    QCOMPARE(codeWith("label", std::string_view(std::string(65, 'x'))), Errc::TooLarge);
    QCOMPARE(codeWith("label", "\x1b[31m"), Errc::Malformed);
    QCOMPARE(codeWith("created", Integer{-1}), Errc::Malformed);
    for (const char* uri : {"", "FW/a", "fw//a", "fw/../os", "%2e%2e", "/fw", "fw/"})
        QCOMPARE(codeWith("uri", uri), Errc::InvalidUri);
    Dict many;
    for (int i = 0; i < 32; ++i)
        many.emplace("label" + std::to_string(i), "x");
    QCOMPARE(codeWith("requires", many), Errc::NotFound);
    many.emplace("one more", "x");
    QCOMPARE(codeWith("requires", std::move(many)), Errc::TooLarge);
    Dict illTyped;
    illTyped.emplace("arch", Integer{64});
    QCOMPARE(codeWith("requires", std::move(illTyped)), Errc::Malformed);
}

void TestReleaseInfo::refusesDeployPlansThatCannotRun()
{
    QCOMPARE(codeWithDeploy({{"method", "script"}, {"run", "f"}}), Errc::NotFound);
    QCOMPARE(codeWithDeploy({{"method", "puppet"}, {"run", "f"}, {"check", "f"}, {"rollback", "f"}}),
             Errc::NotFound);
    QCOMPARE(codeWithDeploy({{"method", "script"}}), Errc::DeployMissing);
    QCOMPARE(codeWithDeploy({{"method", "script"}, {"run", "g"}}), Errc::DeployMissing);
    QCOMPARE(codeWithDeploy({{"method", "script"}, {"run", "../f"}}), Errc::DeployMissing);
    QCOMPARE(codeWithDeploy({{"method", "script"}, {"run", "/bin/sh"}}), Errc::DeployMissing);
    QCOMPARE(codeWithDeploy({{"method", "script"}, {"run", "f"}, {"check", "g"}}), Errc::DeployMissing);
    QCOMPARE(codeWithDeploy({{"method", "script"}, {"run", "f"}, {"rollback", "g"}}), Errc::DeployMissing);
    QCOMPARE(codeWithDeploy({{"method", "none"}, {"run", "f"}}), Errc::Malformed);
    QCOMPARE(codeWithDeploy({{"run", "f"}}), Errc::Malformed);
    QCOMPARE(codeWithDeploy({{"method", "apt"}, {"run", "f"}}), Errc::UnsupportedFormat);
    for (const Integer timeout : {Integer{0}, Integer{-1}, Integer{86'401}})
        QCOMPARE(codeWithDeploy({{"method", "script"}, {"run", "f"}, {"timeout", timeout}}), Errc::Malformed);
    QCOMPARE(methodNamed("puppet"), std::optional(Method::Puppet));
    QCOMPARE(methodNamed("Puppet"), std::optional<Method>());
    QCOMPARE(methodName(Method::None), std::string_view("none"));
}

void TestReleaseInfo::ignoresUnknownUpdateKeysUnlessCritical()
{
    QCOMPARE(codeWith("delta", Dict()), Errc::NotFound);
    QCOMPARE(codeWith("critical", bencode::List{"deploy", "requires"}), Errc::NotFound);
    QCOMPARE(codeWith("critical", bencode::List{"delta"}), Errc::UnsupportedFormat);
}

void TestReleaseInfo::takesOneFormOnly()
{
    const std::string text = toText(bencode::encode(plainInfo()));
    const auto replaced = [&text](const std::string& what, const std::string& by) {
        std::string other = text;
        other.replace(other.find(what), what.size(), by);
        return ReleaseInfo::parse(viewOf(other)).error().code;
    };
    QCOMPARE(replaced("i16384e", "i016384e"), Errc::NotCanonical);
    QCOMPARE(replaced("i0e", "i-0e"), Errc::NotCanonical);
    QCOMPARE(replaced("4:name1:f", "4:name1:f4:name1:f"), Errc::NotCanonical);
    QCOMPARE(replaced("12:meta versioni2e4:name1:f", "4:name1:f12:meta versioni2e"), Errc::NotCanonical);
    QCOMPARE(replaced("i2e", "i2"), Errc::NotBencode);
    QCOMPARE(ReleaseInfo::parse(viewOf(text + "x")).error().code, Errc::NotCanonical);
}

QTEST_GUILESS_MAIN(TestReleaseInfo)
#include "tst_release_info.moc"
