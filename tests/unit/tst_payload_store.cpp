// SPDX-License-Identifier: Apache-2.0
#include "node/payload_store.h"
#include "payload_fixture.h"

using namespace starling;
using namespace starling::node;
using namespace starling::node::fixture;
using Condition = PayloadStore::Condition;

class TestPayloadStore : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_state = std::make_unique<Directory>();
        m_elsewhere = std::make_unique<Directory>();
        m_store.emplace(std::move(*PayloadStore::open(m_state->path())));
    }

    void cleanup()
    {
        m_store.reset();
        m_state.reset();
        m_elsewhere.reset();
    }

    void beginsEmpty()
    {
        QVERIFY(m_store->held().empty());
        QVERIFY(condition() == Condition::Absent);
        QCOMPARE(code(m_store->torrent(hash())), code(Errc::NotFound));
        QCOMPARE(m_store->usedBytes(InfoHash()), std::uint64_t{0});
        QVERIFY(m_store->freeBytes() > 0);
    }

    void preparesForADownload()
    {
        QCOMPARE(code(m_store->prepare(m_torrent)), 0);
        QVERIFY(fs::is_directory(m_store->dataDirectory(hash())));
        QVERIFY(m_store->held() == std::vector{hash()});
        QVERIFY(m_store->torrent(hash())->infoHash == hash());
        QVERIFY(condition() == Condition::Absent);
    }

    void adoptsAPush()
    {
        adopt();
        QVERIFY(condition() == Condition::Verified);
        QCOMPARE(m_store->usedBytes(InfoHash()), m_torrent.info.payloadBytes());
        QCOMPARE(m_store->usedBytes(hash()), std::uint64_t{0});
        QVERIFY(!fs::exists(m_store->incomingDirectory(hash())));
        QVERIFY(*readFile(m_store->dataDirectory(hash()) / "site/data/big.bin", 1'000'000)
                == contents().at("data/big.bin"));
    }

    void keepsTheLayersThatServingNeeds()
    {
        QVERIFY(!m_torrent.layers.empty());
        adopt();
        QVERIFY(m_store->torrent(hash())->layers == m_torrent.layers);
        // The notice of the same release says less, and does not take its place.
        release::TorrentFile notice = m_torrent;
        notice.layers.clear();
        QCOMPARE(code(m_store->prepare(notice)), 0);
        QVERIFY(m_store->torrent(hash())->layers == m_torrent.layers);
    }

    void anAdoptedPushTakesThePlaceOfWhatWasThere()
    {
        QCOMPARE(code(m_store->prepare(m_torrent)), 0);
        put(m_store->dataDirectory(hash()) / "site/half", Bytes(10));
        adopt();
        QVERIFY(!fs::exists(m_store->dataDirectory(hash()) / "site/half"));
        QVERIFY(condition() == Condition::Verified);
    }

    void doesNotMarkWhatIsNotThere()
    {
        QCOMPARE(code(m_store->prepare(m_torrent)), 0);
        QCOMPARE(code(m_store->markVerified(m_torrent)), code(Errc::PayloadMissing));
        QVERIFY(condition() == Condition::Absent);
    }

    void noticesATouchedFile()
    {
        adopt();
        const fs::path file = m_store->dataDirectory(hash()) / "site/z";
        fs::last_write_time(file, fs::last_write_time(file) + std::chrono::hours(1));
        QVERIFY(condition() == Condition::Touched);
    }

    void noticesAVanishedFile()
    {
        adopt();
        fs::remove(m_store->dataDirectory(hash()) / "site/z");
        QVERIFY(condition() == Condition::Touched);
    }

    void noticesAReplacedFile()
    {
        adopt();
        put(m_store->dataDirectory(hash()) / "site/z", contents().at("z"));
        QVERIFY(condition() == Condition::Touched);
        // What was verified again is good again.
        QCOMPARE(code(m_store->markVerified(m_torrent)), 0);
        QVERIFY(condition() == Condition::Verified);
        m_store->unmarkVerified(hash());
        QVERIFY(condition() == Condition::Absent);
    }

    void isTheSameAfterAnotherStart()
    {
        adopt();
        m_store.emplace(std::move(*PayloadStore::open(m_state->path())));
        QVERIFY(condition() == Condition::Verified);
        QVERIFY(m_store->held() == std::vector{hash()});
    }

    void linksAPayloadThatStaysWhereItIs()
    {
        link();
        QVERIFY(condition() == Condition::Verified);
        QVERIFY(m_store->isInPlace(hash(), "site"));
        QCOMPARE(m_store->usedBytes(InfoHash()), std::uint64_t{0});
        QVERIFY(m_store->scriptDirectory(m_torrent.info, hash()) == fs::canonical(*m_elsewhere / "site"));
        put(*m_elsewhere / "site/z", Bytes(100));
        QVERIFY(condition() == Condition::Touched);
    }

    void removingALinkedPayloadNeverDeletesTheOriginal()
    {
        link();
        const QStringList before = m_elsewhere->names();
        m_store->remove(hash());
        QVERIFY(m_store->held().empty());
        QCOMPARE(m_elsewhere->names(), before);
        QVERIFY(*readFile(*m_elsewhere / "site/z", 1'000) == contents().at("z"));
    }

    void adoptingOverALinkNeverDeletesTheOriginal()
    {
        link();
        const QStringList before = m_elsewhere->names();
        adopt();
        QVERIFY(!m_store->isInPlace(hash(), "site"));
        QCOMPARE(m_elsewhere->names(), before);
        link();
        QVERIFY(m_store->isInPlace(hash(), "site"));
        QCOMPARE(m_elsewhere->names(), before);
    }

    void openingNeverDeletesThroughALink()
    {
        link();
        const QStringList before = m_elsewhere->names();
        fs::create_directory_symlink(m_elsewhere->path(), *m_state / "incoming/link");
        m_store.emplace(std::move(*PayloadStore::open(m_state->path())));
        QCOMPARE(m_elsewhere->names(), before);
        QVERIFY(condition() == Condition::Verified);
    }

    void emptiesInterruptedPushesAtTheStart()
    {
        put(m_store->incomingDirectory(hash()) / "site/half", Bytes(1'000));
        m_store.emplace(std::move(*PayloadStore::open(m_state->path())));
        QCOMPARE(m_state->names(), QStringList({QStringLiteral("incoming"), QStringLiteral("payloads")}));
    }

    void runsScriptsBesideALoneFile()
    {
        const auto lone = samples::single(100);
        put(m_store->incomingDirectory(lone.infoHash) / "rootfs.img", samples::pattern(100));
        QCOMPARE(code(m_store->adopt(lone)), 0);
        QVERIFY(m_store->scriptDirectory(lone.info, lone.infoHash)
                == fs::canonical(m_store->dataDirectory(lone.infoHash)));
    }

    void aForeignTorrentInItsPlaceIsCorrupt()
    {
        adopt();
        const fs::path kept = *m_state / ("payloads/" + hash().hex() + "/release.torrent");
        put(kept, samples::single(100).serialize());
        QCOMPARE(code(m_store->torrent(hash())), code(Errc::StateCorrupt));
        put(kept, viewOf("garbage"));
        QCOMPARE(code(m_store->torrent(hash())), code(Errc::StateCorrupt));
    }

    void strangeNamesAmongThePayloadsAreIgnored()
    {
        fs::create_directory(*m_state / "payloads/lost+found");
        put(*m_state / "payloads/readme", viewOf("x"));
        QVERIFY(m_store->held().empty());
        QCOMPARE(m_store->usedBytes(InfoHash()), std::uint64_t{0});
    }

    void saysWhyItCannotBeOpened()
    {
        put(*m_elsewhere / "file", viewOf("x"));
        QVERIFY(code(PayloadStore::open(*m_elsewhere / "file")) != 0);
    }

private:
    const InfoHash& hash() const { return m_torrent.infoHash; }
    Condition condition() const { return m_store->condition(m_torrent.info, hash()); }
    void adopt()
    {
        putPayload(m_store->incomingDirectory(hash()), contents());
        QCOMPARE(code(m_store->adopt(m_torrent)), 0);
    }
    void link()
    {
        putPayload(m_elsewhere->path(), contents());
        QCOMPARE(code(m_store->link(m_torrent, *m_elsewhere / "site")), 0);
    }

    const release::TorrentFile m_torrent = torrentOf(contents());
    std::unique_ptr<Directory> m_state, m_elsewhere;
    std::optional<PayloadStore> m_store;
};

QTEST_GUILESS_MAIN(TestPayloadStore)
#include "tst_payload_store.moc"
