// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "node/payload_verification.h"
#include "payload_fixture.h"

using namespace starling;
using namespace starling::node;
using namespace starling::node::fixture;

namespace {

Bytes noise(std::size_t bytes, std::uint64_t seed)
{
    Bytes content(bytes);
    SeededRandom(seed).fill(content);
    return content;
}

/// Enough for several threads, with files that end in the middle of a piece and of a thread's share.
samples::Contents large()
{
    return {{"a", noise(9'000'001, 1)}, {"b", noise(8 * 1024 * 1024, 2)}, {"c", noise(3, 3)}, {"d", {}}};
}

} // namespace

class TestPayloadVerification : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<Directory> m_directory;
    std::atomic<bool> m_stop = false;

    release::TorrentFile lay(const samples::Contents& contents)
    {
        for (const auto& [name, bytes] : contents)
            put(*m_directory / ("site/" + name), bytes);
        return torrentOf(contents);
    }
    Verification verify(const release::TorrentFile& torrent)
    {
        return verifyPayload(torrent.info, m_directory->path(), m_stop);
    }

private Q_SLOTS:
    void init()
    {
        m_directory = std::make_unique<Directory>();
        m_stop = false;
    }

    void findsTheLayersThatTheBuilderMade_data()
    {
        QTest::addColumn<bool>("isLarge");
        QTest::newRow("small") << false;
        QTest::newRow("large") << true;
    }
    void findsTheLayersThatTheBuilderMade()
    {
        QFETCH(bool, isLarge);
        const auto torrent = lay(isLarge ? large() : contents());
        const auto layers = verify(torrent);
        QCOMPARE(code(layers), 0);
        QVERIFY(!layers->empty());
        QVERIFY(*layers == torrent.layers);
    }

    void namesTheFileThatIsWrong_data()
    {
        QTest::addColumn<QString>("file");
        QTest::addColumn<qulonglong>("position");
        QTest::newRow("first byte") << "a" << 0ULL;
        QTest::newRow("last byte of a file") << "a" << 9'000'000ULL;
        QTest::newRow("in the middle") << "b" << 5'000'000ULL;
        QTest::newRow("a small file") << "c" << 1ULL;
    }
    void namesTheFileThatIsWrong()
    {
        QFETCH(QString, file);
        QFETCH(qulonglong, position);
        auto contents = large();
        const auto torrent = lay(contents);
        Bytes& wrong = contents.at(file.toStdString());
        wrong[position] ^= std::byte{1};
        put(*m_directory / ("site/" + file.toStdString()), wrong);
        const auto found = verify(torrent);
        QCOMPARE(code(found), code(Errc::PayloadMismatch));
        QVERIFY2(found.error().context.find("\"" + file.toStdString() + "\"") != std::string::npos,
                 found.error().context.c_str());
    }

    void tellsAMissingFromAChangedFile()
    {
        const auto torrent = lay(large());
        put(*m_directory / "site/b", Bytes(17));
        QCOMPARE(code(verify(torrent)), code(Errc::PayloadChanged));
        fs::remove(*m_directory / "site/b");
        QCOMPARE(code(verify(torrent)), code(Errc::PayloadMissing));
    }

    void missesAnEmptyFile()
    {
        const auto torrent = lay(large());
        fs::remove(*m_directory / "site/d");
        QCOMPARE(code(verify(torrent)), code(Errc::PayloadMissing));
    }

    void stopsWhenItIsTold()
    {
        const auto torrent = lay(large());
        m_stop = true;
        QCOMPARE(code(verify(torrent)), code(Errc::Cancelled));
    }
};

QTEST_GUILESS_MAIN(TestPayloadVerification)
#include "tst_payload_verification.moc"
