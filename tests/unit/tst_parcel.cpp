// SPDX-License-Identifier: Apache-2.0
/// Receipts on their way to observers, and subscriptions on the board.
#include "board/board_keeper.h"
#include "board/parcel.h"
#include "release_samples.h"

#include <QTest>

using namespace starling;
using namespace starling::board;
namespace samples = starling::release::samples;
using overlay::NoticeKey;
using Verdict = overlay::Mediator::Verdict;

namespace {

constexpr unsigned char kObserveKey = 41, kObserver = 60, kDevice = 50;
constexpr std::uint64_t kExpires = 1'900'000'000;

const trust::TrustSet& trustWithoutObservers()
{
    static const trust::TrustSet kTrust = [] {
        trust::RootDocument root = samples::rootDocument();
        root.observe.reset();
        return std::move(*trust::TrustSet::fromAnchor(samples::signRoot(root, FleetId(), {1, 2})));
    }();
    return kTrust;
}

Bytes sealed(trust::Kind kind, Bytes payload, unsigned char signer)
{
    trust::Envelope envelope{kind, std::move(payload), {}};
    envelope.sign(samples::trustSet().fleet(), samples::key(signer));
    return envelope.serialize();
}

trust::Receipt receipt(std::uint64_t sequence = 4)
{
    trust::Receipt made;
    made.node = samples::nodeOf(kDevice);
    made.sequence = sequence;
    made.rootNumber = 1;
    made.entries.push_back(
        {*ResourceUri::parse("fw/gateway/rootfs"), {0, 2}, InfoHash(), trust::Phase::Healthy, 0, ""});
    return made;
}

Bytes certificate(unsigned char device, unsigned char signer = 11)
{
    trust::Certificate made;
    made.node = samples::nodeOf(device);
    made.linkKey = crypto::LinkKeyPair::of(samples::key(device)).publicKey();
    made.name = "device";
    return sealed(trust::Kind::Admit, made.serialize(), signer);
}

Bytes parcel(const Bytes& admit = certificate(kDevice), unsigned char signer = kDevice)
{
    return Parcel{admit, sealed(trust::Kind::Receipt, receipt().serialize(), signer)}.serialize();
}

Bytes subscriptionNotice(std::uint64_t sequence = 1, std::optional<ResourceUri> scope = {},
                         unsigned char signer = kObserveKey, unsigned char observer = kObserver)
{
    const trust::Subscription made{samples::nodeOf(observer), std::move(scope), sequence, kExpires, 0};
    return release::noticeOf(trust::Kind::Subscription,
                             sealed(trust::Kind::Subscription, made.serialize(), signer));
}

Bytes pulse(std::uint64_t number = 1, unsigned char signer = kObserver)
{
    return sealed(trust::Kind::Pulse, trust::Pulse{samples::nodeOf(kObserver), number}.serialize(), signer);
}

NoticeKey placeOf(unsigned char observer)
{
    return {static_cast<std::uint8_t>(trust::Kind::Subscription), samples::nodeOf(observer).hex()};
}

} // namespace

class TestParcel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }
    void init() { m_keeper = std::make_unique<BoardKeeper>(release::Board(samples::trustSet(), {})); }

    void aReceiptIsVerifiedByTheCertificateThatItBrings()
    {
        const auto info = m_keeper->examineReceipt(parcel());
        QVERIFY(info.has_value());
        QVERIFY(info->device == samples::nodeOf(kDevice) && info->sequence == 4);
    }

    void aForgedReceiptIsRefused()
    {
        QVERIFY(m_keeper->examineReceipt(parcel(certificate(kDevice), 51)).error().code == Errc::UnknownKey);
        QVERIFY(m_keeper->examineReceipt(parcel(certificate(kDevice, 99))).error().code == Errc::UnknownKey);
        // Of another device, signed by that device, in the name of this one.
        QVERIFY(m_keeper->examineReceipt(parcel(certificate(51), 51)).error().code == Errc::NotAdmitted);
        Bytes tampered = parcel();
        tampered[tampered.size() - 10] ^= std::byte{1};
        QVERIFY(!m_keeper->examineReceipt(tampered).has_value());
    }

    void aReceiptEndsWithTheCertificateThatItBrings()
    {
        trust::RootDocument next = samples::trustSet().root();
        next.number = 2;
        next.previous = trust::Envelope::parse(samples::trustSet().chain().back())->payloadHash();
        next.admitEpoch = 1;
        const Bytes root = samples::signRoot(next, samples::trustSet().fleet(), {1, 2});
        QVERIFY(m_keeper->examineReceipt(parcel()).has_value());
        QVERIFY(m_keeper->examine(release::noticeOf(trust::Kind::Root, root)).verdict == Verdict::Taken);
        QVERIFY(m_keeper->examineReceipt(parcel()).error().code == Errc::WrongEpoch);
    }

    void everyTruncationIsRefused()
    {
        const Bytes whole = parcel();
        for (std::size_t size = 0; size < whole.size(); ++size)
            QVERIFY(!Parcel::parse(ByteView(whole).first(size)).has_value());
        Bytes longer = whole;
        longer.push_back(std::byte{0});
        QVERIFY(Parcel::parse(longer).error().code == Errc::Malformed);
        QVERIFY(Parcel::parse(Bytes(kMaxParcelBytes + 1)).error().code == Errc::TooLarge);
    }

    void aSubscriptionIsTakenAndTheNewestCounts()
    {
        QVERIFY(m_keeper->examine(subscriptionNotice(2)).verdict == Verdict::Taken);
        QVERIFY(m_keeper->examine(subscriptionNotice(2)).verdict == Verdict::Known);
        QVERIFY(m_keeper->examine(subscriptionNotice(1)).verdict == Verdict::Known);
        QVERIFY(m_keeper->notice(placeOf(kObserver)) == subscriptionNotice(2));
        QVERIFY(m_keeper->examine(subscriptionNotice(3)).verdict == Verdict::Taken);
        QCOMPARE(m_keeper->board().subscriptions().at(samples::nodeOf(kObserver)).sequence, std::uint64_t{3});
    }

    void aSubscriptionByAnotherKeyIsRefused()
    {
        const auto opinion = m_keeper->examine(subscriptionNotice(1, {}, 11));
        QVERIFY(opinion.verdict == Verdict::Refused);
        QVERIFY(opinion.error->code == Errc::WrongScope);
        BoardKeeper without(release::Board(trustWithoutObservers(), {}));
        QVERIFY(without.examine(subscriptionNotice()).verdict == Verdict::Refused);
    }

    void aSubscriptionThatIsOverLeaves()
    {
        QVERIFY(m_keeper->examine(subscriptionNotice()).verdict == Verdict::Taken);
        QVERIFY(!m_keeper->advanceTime(kExpires - 1));
        QVERIFY(m_keeper->isObserver(samples::nodeOf(kObserver)));
        QVERIFY(m_keeper->advanceTime(kExpires));
        QVERIFY(!m_keeper->isObserver(samples::nodeOf(kObserver)));
        QVERIFY(m_keeper->notice(placeOf(kObserver)).empty());
        // It comes again from a neighbour whose clock is behind, and a clock does not go back.
        QVERIFY(!m_keeper->advanceTime(1));
        QVERIFY(m_keeper->examine(subscriptionNotice()).verdict == Verdict::Known);
        QVERIFY(m_keeper->notice(placeOf(kObserver)).empty());
    }

    void thereAreOnlySoManyObservers()
    {
        for (unsigned char i = 0; i < release::Board::kMaxSubscriptions; ++i)
            QVERIFY(
                m_keeper->examine(subscriptionNotice(1, {}, kObserveKey, static_cast<unsigned char>(60 + i)))
                    .verdict
                == Verdict::Taken);
        const auto opinion = m_keeper->examine(subscriptionNotice(1, {}, kObserveKey, 90));
        QVERIFY(opinion.verdict == Verdict::Refused);
        QVERIFY(opinion.error->code == Errc::TooLarge);
        QVERIFY(m_keeper->examine(subscriptionNotice(2)).verdict == Verdict::Taken);
    }

    void aSubscriptionLeavesWithItsKey()
    {
        QVERIFY(m_keeper->examine(subscriptionNotice()).verdict == Verdict::Taken);
        trust::RootDocument next = samples::trustSet().root();
        next.number = 2;
        next.previous = trust::Envelope::parse(samples::trustSet().chain().back())->payloadHash();
        next.observe.reset();
        const Bytes root = samples::signRoot(next, samples::trustSet().fleet(), {1, 2});
        QVERIFY(m_keeper->examine(release::noticeOf(trust::Kind::Root, root)).verdict == Verdict::Taken);
        QVERIFY(!m_keeper->isObserver(samples::nodeOf(kObserver)));
        QVERIFY(m_keeper->notice(placeOf(kObserver)).empty());
    }

    void onlyAnObserversPulseIsTaken()
    {
        QVERIFY(m_keeper->examinePulse(pulse()).error().code == Errc::NotAdmitted);
        QVERIFY(m_keeper->examine(subscriptionNotice()).verdict == Verdict::Taken);
        const auto info = m_keeper->examinePulse(pulse(7));
        QVERIFY(info.has_value());
        QVERIFY(info->observer == samples::nodeOf(kObserver) && info->number == 7);
        QVERIFY(m_keeper->examinePulse(pulse(8, kDevice)).error().code == Errc::UnknownKey);
        QVERIFY(!m_keeper->examinePulse(toBytes("pulse")).has_value());
    }

    void anObserverGetsWhatItsScopeCovers()
    {
        const auto wants = [&](const char* scope) {
            m_keeper->examine(subscriptionNotice(++m_sequence, *ResourceUri::parse(scope)));
            return m_keeper->isWantedBy(samples::nodeOf(kObserver), parcel());
        };
        QVERIFY(!m_keeper->isWantedBy(samples::nodeOf(kObserver), parcel()));
        QVERIFY(wants("fw"));
        QVERIFY(wants("fw/gateway/rootfs"));
        QVERIFY(!wants("fw/gate"));
        QVERIFY(!wants("os"));
        m_keeper->examine(subscriptionNotice(++m_sequence));
        QVERIFY(m_keeper->isWantedBy(samples::nodeOf(kObserver), parcel()));
    }

private:
    std::unique_ptr<BoardKeeper> m_keeper;
    std::uint64_t m_sequence = 0;
};

QTEST_APPLESS_MAIN(TestParcel)
#include "tst_parcel.moc"
