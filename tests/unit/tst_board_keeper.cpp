// SPDX-License-Identifier: Apache-2.0
#include "board/board_keeper.h"
#include "release_samples.h"

#include <QTest>

using namespace starling;
using namespace starling::board;
namespace samples = starling::release::samples;
using Verdict = overlay::Mediator::Verdict;

class TestBoardKeeper : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }
    void init() { m_keeper = std::make_unique<BoardKeeper>(release::Board(samples::trustSet(), {})); }

    void takesWhatIsValidAndHandsItOutOnce()
    {
        const Bytes notice = samples::subscriptionNotice(50);
        const auto opinion = m_keeper->examine(notice);
        QVERIFY(opinion.verdict == Verdict::Taken);
        QVERIFY(m_keeper->notice(opinion.head.key) == notice);
        QVERIFY(m_keeper->examine(notice).verdict == Verdict::Known);
        const auto taken = m_keeper->collectTaken();
        QVERIFY(taken.size() == 1 && taken[0].key == BoardKeeper::keyOf(opinion.head.key));
        QVERIFY(m_keeper->collectTaken().empty());
    }

    void examinesAgainWhatIsOnlyAlmostHeld()
    {
        const Bytes notice = samples::subscriptionNotice(50);
        const auto taken = m_keeper->examine(notice);
        for (int i = 0; i < 3; ++i) {
            const auto again = m_keeper->examine(notice);
            QVERIFY(again.verdict == Verdict::Known && again.head == taken.head);
        }
        // The same document by a key of nobody is refused, however often the held one came.
        QVERIFY(m_keeper->examine(samples::subscriptionNotice(50, 1, 99)).verdict == Verdict::Refused);
        QVERIFY(m_keeper->examine(samples::subscriptionNotice(50, 1, 99)).verdict == Verdict::Refused);
        QCOMPARE(m_keeper->refusals().size(), std::size_t{1});
        QVERIFY(m_keeper->notice(taken.head.key) == notice);
    }

    void namesEveryPlaceInOrder()
    {
        QVERIFY(m_keeper->examine(samples::subscriptionNotice(51)).verdict == Verdict::Taken);
        QVERIFY(m_keeper->examine(samples::subscriptionNotice(50)).verdict == Verdict::Taken);
        QVERIFY(m_keeper->examine(samples::releaseNotice(samples::single(100))).verdict == Verdict::Taken);
        const auto heads = m_keeper->heads();
        QCOMPARE(heads.size(), std::size_t{4}); // and the root
        QVERIFY(std::is_sorted(heads.begin(), heads.end(),
                               [](const auto& a, const auto& b) { return a.key < b.key; }));
        QVERIFY(m_keeper->notice({99, "nothing"}).empty());
    }

    void countsRefusalsByName()
    {
        QVERIFY(m_keeper->examine(toBytes("garbage")).verdict == Verdict::Refused);
        QVERIFY(m_keeper->examine({}).verdict == Verdict::Refused);
        QVERIFY(m_keeper->examine(samples::releaseNotice(samples::single(100), {11})).verdict
                == Verdict::Refused);
        std::uint64_t sum = 0;
        for (const auto& [name, count] : m_keeper->refusals())
            sum += count;
        QCOMPARE(sum, std::uint64_t{3});
        QCOMPARE(m_keeper->refusals().at(std::string(shortName(Errc::WrongScope))), std::uint64_t{1});
    }

    void believesDescriptorsOfAdmittedDevicesOnly()
    {
        trust::Descriptor document;
        document.node = samples::nodeOf(50);
        document.sequence = 7;
        document.addresses = {Endpoint::ipv4(127, 0, 0, 1, 7'001)};
        trust::Envelope envelope{trust::Kind::Descriptor, document.serialize(), {}};
        envelope.sign(samples::trustSet().fleet(), samples::key(50));
        const Bytes admit = samples::envelopeOf(samples::certificateNotice(50));
        const Bytes bytes = Parcel{admit, envelope.serialize()}.serialize();
        const auto info = m_keeper->examineDescriptor(bytes);
        QVERIFY(info && info->node == document.node && info->sequence == 7);
        QVERIFY(m_keeper->examineContact(envelope.serialize(), admit).has_value());
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            Bytes damaged = bytes;
            damaged[i] ^= std::byte{4};
            QVERIFY(!m_keeper->examineDescriptor(damaged));
        }
        QVERIFY(!m_keeper->examineDescriptor(Bytes(2'000)));
        // Nobody speaks for another, and nobody without a certificate.
        const Bytes others = samples::envelopeOf(samples::certificateNotice(51));
        QVERIFY(!m_keeper->examineContact(envelope.serialize(), others).has_value());
        QVERIFY(!m_keeper->examineContact(envelope.serialize(), {}).has_value());
    }

private:
    std::unique_ptr<BoardKeeper> m_keeper;
};

QTEST_GUILESS_MAIN(TestBoardKeeper)
#include "tst_board_keeper.moc"
