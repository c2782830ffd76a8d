// SPDX-License-Identifier: Apache-2.0
#include "board/board_keeper.h"
#include "release_samples.h"
#include "trust/join.h"

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

    void passesOnRequestsAndCertificatesThatVerify()
    {
        trust::JoinRequest request;
        request.node = samples::nodeOf(60);
        request.linkKey = crypto::LinkKeyPair::of(samples::key(60)).publicKey();
        request.name = "newcomer";
        const FleetId fleet = samples::trustSet().fleet();
        const auto asked = m_keeper->examineRequest(request.seal(fleet, samples::key(60)));
        QVERIFY(asked && *asked == request.node);
        QVERIFY(!m_keeper->examineRequest(request.seal(fleet, samples::key(61)))); // in another's name
        QVERIFY(!m_keeper->examineRequest(request.seal(FleetId(), samples::key(60))));
        const auto certificate = [](unsigned char device, unsigned char signer = 11) {
            return samples::envelopeOf(samples::certificateNotice(device, {}, signer));
        };
        const auto granted = m_keeper->examineGrant(certificate(60));
        QVERIFY(granted && *granted == request.node);
        QVERIFY(m_keeper->examineGrant(certificate(60, 21)).error().code == Errc::WrongScope);
        QVERIFY(!m_keeper->examineGrant(request.seal(fleet, samples::key(60))));
        // Of a device that was taken out neither goes on.
        trust::DenyList list;
        list.nodes = {request.node};
        trust::Envelope deny{trust::Kind::Deny, list.serialize(), {}};
        deny.sign(fleet, samples::key(11));
        QVERIFY(m_keeper->examine(release::noticeOf(trust::Kind::Deny, deny.serialize())).verdict
                == Verdict::Taken);
        QVERIFY(m_keeper->examineRequest(request.seal(fleet, samples::key(60))).error().code == Errc::Denied);
        QVERIFY(m_keeper->examineGrant(certificate(60)).error().code == Errc::Denied);
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

    void tellsOfAReceiptWhatItsObserverMayKnow()
    {
        trust::Receipt receipt;
        receipt.node = samples::nodeOf(51);
        receipt.sequence = 1;
        for (const char* uri : {"fw/a", "os/b"})
            receipt.entries.push_back(
                {*ResourceUri::parse(uri), {1, 7}, InfoHash(), trust::Phase::Checking, 0, ""});
        const auto sealed = [&](unsigned char by) {
            trust::Envelope envelope{trust::Kind::Receipt, receipt.serialize(), {}};
            envelope.sign(samples::trustSet().fleet(), samples::key(by));
            return Parcel{samples::envelopeOf(samples::certificateNotice(51)), envelope.serialize()}
                .serialize();
        };
        const NodeId observer = samples::nodeOf(50);
        QVERIFY(!m_keeper->tallyOf(observer, sealed(51))); // nobody has subscribed
        QVERIFY(m_keeper->examine(samples::subscriptionNotice(50)).verdict == Verdict::Taken);
        const auto keys = m_keeper->tallyOf(observer, sealed(51));
        QVERIFY(keys && keys->size() == 2);
        const overlay::TallyKey first{"fw/a", 1, 7, static_cast<std::uint8_t>(trust::Phase::Checking), ""};
        QVERIFY(keys->front() == first);
        QVERIFY(!m_keeper->tallyOf(observer, sealed(50))); // another device's signature
        QVERIFY(!m_keeper->tallyOf(observer, toBytes("garbage")));
        receipt.entries.resize(65, receipt.entries.front());
        QVERIFY(!m_keeper->tallyOf(observer, sealed(51)));
    }

    void knowsWhatAnObserverAsksFor()
    {
        QVERIFY(m_keeper->examine(samples::subscriptionNotice(50)).verdict == Verdict::Taken);
        trust::ReceiptAsk ask{3, 20, *ResourceUri::parse("fw/a"), trust::Revision{1, 7},
                              trust::Phase::Failed};
        ask.site = "B";
        const auto sealed = [&](unsigned char by) {
            trust::Envelope envelope{
                trust::Kind::Pulse, trust::Pulse{samples::nodeOf(50), 9, true, ask}.serialize(), {}};
            envelope.sign(samples::trustSet().fleet(), samples::key(by));
            return envelope.serialize();
        };
        const auto info = m_keeper->examinePulse(sealed(50));
        QVERIFY(info && info->number == 9 && info->wantsSums && info->ask);
        QVERIFY(info->ask->number == 3 && info->ask->limit == 20 && info->ask->uri == "fw/a");
        QVERIFY(info->ask->revision == std::pair(std::uint64_t{1}, std::uint64_t{7}));
        QVERIFY(info->ask->phase == static_cast<std::uint8_t>(trust::Phase::Failed));
        QVERIFY(info->ask->site == "B" && !info->ask->device);
        // Nobody asks in an observer's name.
        QVERIFY(!m_keeper->examinePulse(sealed(51)));
    }

private:
    std::unique_ptr<BoardKeeper> m_keeper;
};

QTEST_GUILESS_MAIN(TestBoardKeeper)
#include "tst_board_keeper.moc"
