// SPDX-License-Identifier: Apache-2.0
/// Releases that must not be taken, handed to a real agent by the real command line and, past that, by its
/// socket: each is refused with its code and exit status, and afterwards neither that agent nor its neighbour
/// has anything of it.
#include "crypto/key_file.h"
#include "node/disk.h"
#include "scenario.h"
#include "trust/trust_set.h"

#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>

#include <QtTest>

namespace starling::scenario {

namespace fs = std::filesystem;
namespace lt = libtorrent;
using namespace std::chrono_literals;
using trust::Phase;

namespace {

constexpr std::size_t kMaxFile = 4 * 1024 * 1024;

Bytes contents(const fs::path& file)
{
    auto bytes = node::readFile(file, kMaxFile);
    if (!bytes)
        qFatal("%s", bytes.error().context.c_str());
    return *bytes;
}

crypto::SecretKey openKey(const support::Fleet& fleet, const std::string& role)
{
    const std::string line = readText(fleet.passphrase());
    auto key =
        crypto::unsealKey(contents(fleet.key(role)), crypto::SecretText(line.substr(0, line.find('\n'))));
    if (!key)
        qFatal("key %s: %s", role.c_str(), toString(key.error()).c_str());
    return std::move(*key);
}

FleetId idOf(const support::Fleet& fleet)
{
    auto trust = trust::TrustSet::fromAnchor(contents(fleet.root()));
    if (!trust)
        qFatal("root: %s", toString(trust.error()).c_str());
    return trust->fleet();
}

/// `text` with `from` replaced by `to`, of the same length, wherever it is.
std::string replaced(std::string text, const std::string& from, const std::string& to)
{
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

} // namespace

class TestBadInput : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_directory;
    std::unique_ptr<support::Fleet> m_fleet; ///< two agents; the second is the neighbour
    fs::path m_work;
    Release m_old, m_held; ///< versions 1 and 2; 2 is in place
    QList<QStringList> m_before;

    Release make(const PayloadPlan& plan, const QStringList& more = {}, const std::string& uri = kUri)
    {
        return makeRelease(*m_fleet, m_work, plan, deployOptions(more), uri);
    }

    /// A release that was made but signed by nobody yet.
    Release makeUnsigned(const PayloadPlan& plan, const std::string& uri = kUri)
    {
        Release release{m_work / (plan.name + ".torrent"), makePayload(m_work, plan), plan.version, uri};
        const auto made = m_fleet->starling(
            QStringList{QStringLiteral("release"), QStringLiteral("create"), q(release.payload),
                        QStringLiteral("--uri"), QString::fromStdString(uri), QStringLiteral("--version"),
                        QString::number(plan.version), QStringLiteral("-o"), q(release.torrent)}
            + deployOptions());
        if (made.exitCode != 0)
            qFatal("%s", made.errors.constData());
        return release;
    }

    /// Signs it past the command line, which would refuse to.
    void signAnyway(const Release& release, const crypto::SecretKey& key) const
    {
        auto torrent = release::TorrentFile::parse(contents(release.torrent));
        if (!torrent)
            qFatal("%s", toString(torrent.error()).c_str());
        torrent->sign(idOf(*m_fleet), key);
        writeText(release.torrent, toText(torrent->serialize()));
    }

    QList<QStringList> standings() const { return {standingOf(*m_fleet, 0), standingOf(*m_fleet, 1)}; }

    /// What the agent itself says to it.
    std::optional<Errc> told(const fs::path& torrent) const
    {
        const auto reply = m_fleet->ask<control::PushReply>(0, control::PushRequest{contents(torrent), {}});
        return reply ? std::nullopt : std::optional(reply.error().code);
    }

    /// By the command line with that exit status, and by the agent itself.
    void expectRefused(const Release& release, int exitCode, Errc code) const
    {
        const QByteArray wrong = unlike(push(*m_fleet, 0, release), exitCode, code);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        const auto said = told(release.torrent);
        QVERIFY2(said == code, said ? codeName(*said).c_str() : "taken");
    }

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_directory.isValid());
        m_fleet = makeFleet(m_directory, {.agents = 2});
        m_work = m_directory.path().toStdString();
        m_old = make({.version = 1, .name = "old"});
        m_held = make({.version = 2, .name = "held"});
        QVERIFY(startAll(*m_fleet));
        QCOMPARE(push(*m_fleet, 0, m_held).exitCode, 0);
        for (const std::size_t i : {0u, 1u})
            QVERIFY2(waitForPhase(*m_fleet, i, 2, Phase::Healthy), describe(*m_fleet, i).c_str());
    }

    void init() { m_before = standings(); }

    void cleanup() { QCOMPARE(standings(), m_before); }

    void refusesWhatIsNotBencode()
    {
        Release release = m_held;
        release.torrent = m_work / "text.torrent";
        writeText(release.torrent, "This is no torrent.\n");
        expectRefused(release, 1, Errc::NotBencode);
    }

    void refusesOlderTorrents_data()
    {
        QTest::addColumn<int>("flags");
        QTest::newRow("v1") << static_cast<int>(static_cast<std::uint32_t>(lt::create_torrent::v1_only));
        QTest::newRow("hybrid") << 0;
    }

    void refusesOlderTorrents()
    {
        QFETCH(const int, flags);
        lt::file_storage files;
        files.add_file("legacy.bin", 40'000);
        lt::create_torrent creator(files, 16'384, lt::create_flags_t(static_cast<std::uint32_t>(flags)));
        for (const auto piece : files.piece_range()) {
            creator.set_hash(piece, lt::sha1_hash("01234567890123456789"));
            if (flags == 0)
                creator.set_hash2(lt::file_index_t(0), lt::piece_index_t::diff_type(static_cast<int>(piece)),
                                  lt::sha256_hash("01234567890123456789012345678901"));
        }
        std::vector<char> bytes;
        lt::bencode(std::back_inserter(bytes), creator.generate());
        Release release = m_held;
        release.torrent = m_work / "legacy.torrent";
        writeText(release.torrent, std::string(bytes.begin(), bytes.end()));
        expectRefused(release, 1, Errc::LegacyTorrent);
    }

    void refusesNamesThatASanitiserWouldChange_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::newRow("slash") << QByteArray("he/d");
        QTest::newRow("up") << QByteArray("../x");
        QTest::newRow("colon") << QByteArray("he:d");
        QTest::newRow("trailing dot") << QByteArray("hel.");
        QTest::newRow("control character") << QByteArray("he\x01"
                                                         "d");
        QTest::newRow("not UTF-8") << QByteArray("he\xff"
                                                 "d");
    }

    void refusesNamesThatASanitiserWouldChange()
    {
        QFETCH(const QByteArray, name);
        Release release = m_held;
        release.torrent = m_work / "named.torrent";
        writeText(release.torrent, replaced(readText(m_held.torrent), "4:held", "4:" + name.toStdString()));
        expectRefused(release, 1, Errc::UnsafeName);
    }

    void makesNoReleaseOfSuchNames()
    {
        const fs::path payload = makePayload(m_work, {.version = 5, .name = "odd"});
        writeText(payload / "a:b", "odd");
        const auto made = m_fleet->starling(
            QStringList{QStringLiteral("release"), QStringLiteral("create"), q(payload),
                        QStringLiteral("--uri"), QStringLiteral("fw/app"), QStringLiteral("--version"),
                        QStringLiteral("5"), QStringLiteral("-o"), q(m_work / "odd.torrent")}
            + deployOptions());
        const QByteArray wrong = unlike(made, 1, Errc::UnsafeName);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        QVERIFY(!fs::exists(m_work / "odd.torrent"));
    }

    void refusesUnsigned()
    {
        expectRefused(makeUnsigned({.version = 3, .name = "unsigned"}), 6, Errc::Unsigned);
    }

    void refusesATamperedRelease()
    {
        auto torrent = release::TorrentFile::parse(contents(m_held.torrent));
        QVERIFY(torrent.has_value());
        release::ReleaseInfo info = torrent->info;
        info.update.revision.version = 3;
        release::TorrentFile forged = release::TorrentFile::of(std::move(info), torrent->layers);
        forged.signatures = torrent->signatures;
        Release release = m_held;
        release.torrent = m_work / "tampered.torrent";
        writeText(release.torrent, toText(forged.serialize()));
        expectRefused(release, 6, Errc::BadSignature);
    }

    void refusesTheKeyOfAnotherFleet()
    {
        QTemporaryDir elsewhere;
        const auto other = makeFleet(elsewhere, {.agents = 1});
        const Release release =
            makeRelease(*other, m_work, {.version = 3, .name = "foreign"}, deployOptions());
        expectRefused(release, 6, Errc::UnknownKey);
    }

    void refusesTheKeyOfAnotherScopeOrRole_data()
    {
        QTest::addColumn<QByteArray>("role");
        QTest::addColumn<QByteArray>("uri");
        QTest::newRow("role") << QByteArray("admit") << QByteArray("fw/app");
        QTest::newRow("scope") << QByteArray("release") << QByteArray("boot/app");
    }

    void refusesTheKeyOfAnotherScopeOrRole()
    {
        QFETCH(const QByteArray, role);
        QFETCH(const QByteArray, uri);
        const Release release =
            makeUnsigned({.version = 3, .name = "by-" + role.toStdString()}, uri.toStdString());
        const Bytes before = contents(release.torrent);
        const auto signedOne = m_fleet->starling(
            {QStringLiteral("release"), QStringLiteral("sign"), q(release.torrent), QStringLiteral("--key"),
             q(m_fleet->key(role.toStdString())), QStringLiteral("--root"), q(m_fleet->root()),
             QStringLiteral("--passphrase-file"), q(m_fleet->passphrase())});
        const QByteArray wrong = unlike(signedOne, 6, Errc::WrongScope);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        QVERIFY2(contents(release.torrent) == before, "the file was written");
        signAnyway(release, openKey(*m_fleet, role.toStdString()));
        expectRefused(release, 6, Errc::WrongScope);
    }

    void refusesAnOlderVersion() { expectRefused(m_old, 5, Errc::Rollback); }

    void hasNothingToDoForTheSameVersion()
    {
        const auto pushed = push(*m_fleet, 0, m_held);
        QVERIFY2(pushed.exitCode == 3, pushed.errors.constData());
        const auto asJson = push(*m_fleet, 0, m_held, {QStringLiteral("--json")});
        QCOMPARE(asJson.exitCode, 3);
        QVERIFY2(asJson.output.contains("\"published\":false"), asJson.output.constData());
    }

    void refusesAnotherContentForTheSameVersion()
    {
        expectRefused(make({.version = 2, .name = "twin"}), 5, Errc::Equivocation);
    }

    void refusesAPayloadWithAnotherByte()
    {
        const Release release = make({.version = 3, .name = "altered"});
        std::string part = readText(release.payload / "part-a");
        part.back() = static_cast<char>(part.back() ^ 1);
        writeText(release.payload / "part-a", part);
        const QByteArray wrong = unlike(push(*m_fleet, 0, release), 1, Errc::PayloadMismatch);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        const auto inPlace =
            m_fleet->starling({QStringLiteral("--agent"), q(m_fleet->socket(0)), QStringLiteral("push"),
                               q(release.torrent), QStringLiteral("--in-place"), q(release.payload)});
        const QByteArray alsoWrong = unlike(inPlace, 1, Errc::PayloadMismatch);
        QVERIFY2(alsoWrong.isEmpty(), alsoWrong.constData());
    }

    void refusesAPayloadThatIsCutShort()
    {
        const Release release = make({.version = 3, .name = "cut"});
        fs::resize_file(release.payload / "part-b", 100);
        const QByteArray wrong = unlike(push(*m_fleet, 0, release), 1, Errc::PayloadChanged);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        // Past the command line: the end is announced before all is there.
        auto client = m_fleet->client(0);
        QVERIFY(client.has_value());
        QVERIFY(
            client->ask<control::PushReply>(control::PushRequest{contents(release.torrent), {}}).has_value());
        const auto ended = client->ask<control::PushReply>(control::PushEnd{});
        QVERIFY(!ended);
        QCOMPARE(codeName(ended.error().code), codeName(Errc::PayloadMismatch));
    }

    void refusesAPayloadOfAnotherName()
    {
        Release release = make({.version = 3, .name = "renamed"});
        fs::rename(release.payload, m_work / "called-otherwise");
        release.payload = m_work / "called-otherwise";
        const QByteArray wrong = unlike(push(*m_fleet, 0, release), 1, Errc::PayloadMissing);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
    }

    void saysThatNobodyAnswers()
    {
        const auto status = m_fleet->starling(
            {QStringLiteral("--agent"), q(m_work / "nobody.sock"), QStringLiteral("status")});
        const QByteArray wrong = unlike(status, 7, Errc::Unreachable);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
    }

    void wantsAsManySignaturesAsTheScopeSays()
    {
        QTemporaryDir directory;
        const auto fleet = makeFleet(directory, {.agents = 2, .isLab = false});
        QVERIFY(startAll(*fleet));
        const Release release = makeUnsigned({.version = 3, .name = "shared"});
        const auto signBy = [&](const char* key) {
            return fleet->starling({QStringLiteral("release"), QStringLiteral("sign"), q(release.torrent),
                                    QStringLiteral("--key"), q(fleet->key(key)), QStringLiteral("--root"),
                                    q(fleet->root()), QStringLiteral("--passphrase-file"),
                                    q(fleet->passphrase())});
        };
        const auto first = signBy("release-1");
        QVERIFY2(first.exitCode == 4, first.errors.constData());
        const QStringList before = standingOf(*fleet, 0);
        const QByteArray wrong = unlike(push(*fleet, 0, release), 6, Errc::BelowThreshold);
        QVERIFY2(wrong.isEmpty(), wrong.constData());
        QCOMPARE(signBy("release-1").exitCode, 4); // the same one twice is one
        const QByteArray still = unlike(push(*fleet, 0, release), 6, Errc::BelowThreshold);
        QVERIFY2(still.isEmpty(), still.constData());
        QCOMPARE(standingOf(*fleet, 0), before);
        QCOMPARE(standingOf(*fleet, 1), before);
        QCOMPARE(signBy("release-3").exitCode, 0);
        QCOMPARE(push(*fleet, 0, release).exitCode, 0);
        QVERIFY2(waitForPhase(*fleet, 1, 3, Phase::Healthy), describe(*fleet, 1).c_str());
    }

    /// Links deliver in order: had anything of the above been forwarded, the neighbour would have seen it by
    /// now.
    void forwardedNothing()
    {
        const Release release = make({.version = 4, .name = "last"});
        QCOMPARE(push(*m_fleet, 0, release).exitCode, 0);
        for (const std::size_t i : {0u, 1u})
            QVERIFY2(waitForPhase(*m_fleet, i, 4, Phase::Healthy), describe(*m_fleet, i).c_str());
        const auto pushedTo = m_fleet->ask<control::StatusReply>(0, control::StatusRequest{});
        const auto neighbor = m_fleet->ask<control::StatusReply>(1, control::StatusRequest{});
        QVERIFY(pushedTo && neighbor);
        for (const Errc code :
             {Errc::NotBencode, Errc::LegacyTorrent, Errc::UnsafeName, Errc::Unsigned, Errc::BadSignature,
              Errc::UnknownKey, Errc::WrongScope, Errc::Rollback, Errc::Equivocation})
            QVERIFY2(pushedTo->refused.contains(std::string(shortName(code))),
                     std::string(shortName(code)).c_str());
        QVERIFY(neighbor->refused.empty());
        QCOMPARE(installedVersion(m_fleet->deviceRoot(1)).value_or(0), 4u);
        m_before = standings();
    }

    void keptOnlyTheGoodOnesOnTheBoard()
    {
        for (const std::size_t i : {0u, 1u}) {
            QVERIFY(m_fleet->stop(i).has_value());
            const auto store = store::Store::open(m_fleet->state(i));
            const auto notices = store
                ? store->notices()
                : Result<std::vector<store::NoticeRow>>(tl::unexpected<Error>(store.error()));
            QVERIFY2(notices.has_value(), notices ? "" : toString(notices.error()).c_str());
            std::vector<std::string> releases;
            for (const store::NoticeRow& row : *notices)
                if (row.kind == static_cast<std::uint8_t>(trust::Kind::Release))
                    releases.push_back(row.name);
            QCOMPARE(releases, std::vector<std::string>{kUri});
        }
        m_before = standings();
    }
};

} // namespace starling::scenario

using starling::scenario::TestBadInput;
QTEST_GUILESS_MAIN(TestBadInput)
#include "tst_bad_input.moc"
