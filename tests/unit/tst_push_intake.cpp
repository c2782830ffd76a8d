// SPDX-License-Identifier: Apache-2.0
#include "node/push_intake.h"
#include "payload_fixture.h"

using namespace starling;
using namespace starling::node;
using namespace starling::node::fixture;
using Condition = PayloadStore::Condition;

class TestPushIntake : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_stream = streamOf(m_torrent, contents());
        // As it is pushed: without the layers, which verification makes.
        m_layers = std::exchange(m_torrent.layers, {});
    }

    void init()
    {
        m_state = std::make_unique<Directory>();
        m_store.emplace(std::move(*PayloadStore::open(m_state->path())));
    }
    void cleanup()
    {
        m_store.reset();
        m_state.reset();
    }

    void takesAGoodPayloadInAnyPortions_data()
    {
        QTest::addColumn<int>("portion");
        for (const int portion : {7, 16'384, 262'144, 1'000'000})
            QTest::newRow(QByteArray::number(portion).constData()) << portion;
    }

    void takesAGoodPayloadInAnyPortions()
    {
        QFETCH(int, portion);
        auto intake = begin();
        QVERIFY(intake.has_value());
        QCOMPARE(code(feed(*intake, m_stream, static_cast<std::size_t>(portion))), 0);
        QCOMPARE(intake->receivedBytes(), std::uint64_t{m_stream.size()});
        QVERIFY(condition() == Condition::Absent);
        QCOMPARE(code(intake->finish()), 0);
        QVERIFY(condition() == Condition::Verified);
        QVERIFY(intake->torrent().layers == m_layers);
        QVERIFY(m_store->torrent(m_torrent.infoHash)->layers == m_layers);
        for (const auto& [name, bytes] : contents())
            QVERIFY(*readFile(m_store->dataDirectory(m_torrent.infoHash) / "site" / name, 1'000'000)
                    == bytes);
        intake = begin(); // dropping the old one must not take the payload with it
        QVERIFY(condition() == Condition::Verified);
    }

    void refusesEachFileThatIsNotWhatWasSigned()
    {
        std::uint64_t at = 0;
        for (const release::PayloadFile& file : m_torrent.info.files) {
            if (file.size == 0)
                continue;
            for (const std::uint64_t offset : {at, at + file.size - 1}) {
                Bytes wrong = m_stream;
                wrong[offset] ^= std::byte{1};
                {
                    auto intake = begin();
                    QVERIFY(intake.has_value());
                    const auto fed = feed(*intake, wrong);
                    QCOMPARE(code(fed), code(Errc::PayloadMismatch));
                    QVERIFY2(fed.error().context.find(file.path) != std::string::npos,
                             fed.error().context.c_str());
                    QVERIFY(!intake->finish());
                }
                verifyNothingLeft();
            }
            at += file.size;
        }
    }

    void refusesTooMuch()
    {
        {
            auto intake = begin();
            QCOMPARE(code(feed(*intake, m_stream)), 0);
            QCOMPARE(code(intake->feed(toBytes("x"))), code(Errc::PayloadMismatch));
            QVERIFY(!intake->finish());
        }
        verifyNothingLeft();
    }

    void refusesTooLittle()
    {
        {
            auto intake = begin();
            QCOMPARE(code(feed(*intake, ByteView(m_stream).first(m_stream.size() - 1))), 0);
            QCOMPARE(code(intake->finish()), code(Errc::PayloadMismatch));
        }
        verifyNothingLeft();
        {
            auto intake = begin();
            QCOMPARE(code(intake->finish()), code(Errc::PayloadMismatch));
        }
        verifyNothingLeft();
    }

    void anAbandonedPushLeavesNothing()
    {
        {
            auto intake = begin();
            QCOMPARE(code(feed(*intake, ByteView(m_stream).first(200'000))), 0);
            QVERIFY(m_state->names().size() > 2);
        }
        verifyNothingLeft();
    }

    void aMovedPushIsStillOnePush()
    {
        {
            auto first = begin();
            PushIntake second(std::move(*first));
            auto third = PushIntake::begin(*m_store, samples::single(50), gibibytes(1));
            *third = std::move(second);
            first = Result<PushIntake>(fail(Errc::Cancelled, "")); // what was moved away owns nothing
            QCOMPARE(code(feed(*third, m_stream)), 0);
            QCOMPARE(code(third->finish()), 0);
        }
        QVERIFY(condition() == Condition::Verified);
        QVERIFY(fs::is_empty(*m_state / "incoming"));
    }

    void theSameReleaseIsBusyWhileItIsPushed()
    {
        auto first = begin();
        QCOMPARE(code(begin()), code(Errc::Busy));
        // The refused one has not taken the first one's files along.
        QCOMPARE(code(feed(*first, m_stream)), 0);
        QCOMPARE(code(first->finish()), 0);
    }

    void differentReleasesArriveSideBySide()
    {
        const auto other = samples::single(100);
        auto first = begin();
        auto second = PushIntake::begin(*m_store, other, gibibytes(1));
        QVERIFY(first && second);
        QCOMPARE(code(second->feed(samples::pattern(100))), 0);
        QCOMPARE(code(feed(*first, m_stream)), 0);
        QCOMPARE(code(second->finish()), 0);
        QCOMPARE(code(first->finish()), 0);
    }

    void keepsToTheQuota()
    {
        const std::uint64_t bytes = m_torrent.info.payloadBytes();
        const auto refused = PushIntake::begin(*m_store, m_torrent, ByteCount{bytes - 1});
        QCOMPARE(code(refused), code(Errc::QuotaExceeded));
        verifyNothingLeft();
        QCOMPARE(code(PushIntake::begin(*m_store, m_torrent, ByteCount{bytes})), 0);
        // What is held of others counts; what is held of the same release does not, for it is replaced.
        push(samples::single(100), samples::pattern(100));
        QCOMPARE(code(PushIntake::begin(*m_store, m_torrent, ByteCount{bytes + 99})),
                 code(Errc::QuotaExceeded));
        QCOMPARE(code(PushIntake::begin(*m_store, samples::single(100), ByteCount{100})), 0);
    }

    void twoPushesTogetherKeepToTheQuotaToo()
    {
        const std::uint64_t bytes = m_torrent.info.payloadBytes();
        auto large = PushIntake::begin(*m_store, m_torrent, ByteCount{bytes + 50});
        auto small = PushIntake::begin(*m_store, samples::single(100), ByteCount{bytes + 50});
        QVERIFY(large && small);
        QCOMPARE(code(small->feed(samples::pattern(100))), 0);
        QCOMPARE(code(small->finish()), 0);
        QCOMPARE(code(feed(*large, m_stream)), 0);
        QCOMPARE(code(large->finish()), code(Errc::QuotaExceeded));
        large = Result<PushIntake>(fail(Errc::Cancelled, ""));
        QVERIFY(fs::is_empty(*m_state / "incoming"));
    }

    void refusesWhatFitsNoDisk()
    {
        auto huge = m_torrent;
        huge.info.files[0].size = 1ull << 41;
        QCOMPARE(code(PushIntake::begin(*m_store, huge, ByteCount{1ull << 42})), code(Errc::DiskFull));
        verifyNothingLeft();
    }

    void pushingAgainReplaces()
    {
        push(m_torrent, m_stream);
        fs::remove(m_store->dataDirectory(m_torrent.infoHash) / "site/z");
        QVERIFY(condition() == Condition::Touched);
        push(m_torrent, m_stream);
        QVERIFY(condition() == Condition::Verified);
    }

private:
    Result<PushIntake> begin() { return PushIntake::begin(*m_store, m_torrent, gibibytes(1)); }
    static Status feed(PushIntake& intake, ByteView stream, std::size_t portion = 65'536)
    {
        while (!stream.empty()) {
            const ByteView part = stream.first(std::min(portion, stream.size()));
            if (auto fed = intake.feed(part); !fed)
                return fed;
            stream = stream.subspan(part.size());
        }
        return {};
    }
    void push(const release::TorrentFile& torrent, ByteView stream)
    {
        auto intake = PushIntake::begin(*m_store, torrent, gibibytes(1));
        QVERIFY(intake.has_value());
        QCOMPARE(code(feed(*intake, stream)), 0);
        QCOMPARE(code(intake->finish()), 0);
    }
    Condition condition() const { return m_store->condition(m_torrent.info, m_torrent.infoHash); }
    void verifyNothingLeft()
    {
        QCOMPARE(m_state->names(), QStringList({QStringLiteral("incoming"), QStringLiteral("payloads")}));
    }

    release::TorrentFile m_torrent = torrentOf(contents());
    Bytes m_stream;
    release::PieceLayers m_layers;
    std::unique_ptr<Directory> m_state;
    std::optional<PayloadStore> m_store;
};

QTEST_GUILESS_MAIN(TestPushIntake)
#include "tst_push_intake.moc"
