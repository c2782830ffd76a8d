// SPDX-License-Identifier: Apache-2.0
/// Who may collect receipts: subscriptions, signed by the observe role, and pulses, signed by the observer.
#include "trust_fixture.h"

#include <QtTest>

using namespace starling;
using namespace starling::fixture;
using trust::Kind;
using trust::Pulse;
using trust::Subscription;

namespace {

constexpr unsigned char kObserveKey = 13;

trust::RootDocument rootWithObservers()
{
    trust::RootDocument root = firstRoot();
    root.observe = role({kObserveKey}, 1);
    return root;
}

Pulse asking()
{
    trust::ReceiptAsk ask{3, 1'024, uri("fw/gateway"), trust::Revision{1, 12}, trust::Phase::Failed};
    ask.site = "Rotterdam";
    ask.device = nodeId(51);
    return {nodeId(50), 4, true, ask};
}

Subscription subscription()
{
    return {nodeId(50), uri("fw/gateway"), 7, 1'900'000'000, 10'000};
}

} // namespace

class TestSubscription : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void survivesItsBytes()
    {
        const auto again = Subscription::parse(subscription().serialize());
        ACCEPTED(again);
        QVERIFY(*again == subscription());
        Subscription all = subscription();
        all.scope.reset();
        QVERIFY(Subscription::parse(all.serialize()).value() == all);
        const Pulse pulse{nodeId(50), 3};
        QVERIFY(Pulse::parse(pulse.serialize()).value() == pulse);
        QVERIFY(Pulse::parse(asking().serialize()).value() == asking());
    }

    void refusesQuestionsThatMakeNoSense()
    {
        const auto withAsk = [](const char* key, const bencode::Value& value) {
            return Pulse::parse(changed(asking().serialize(),
                                        [&](bencode::Dict& dict) { (*dict["ask"].dict())[key] = value; }));
        };
        for (const bencode::Integer limit : {-1, 0, 1'025})
            QVERIFY(!withAsk("limit", limit));
        QVERIFY(!withAsk("number", bencode::Integer{0}));
        for (const bencode::Integer phase : {0, 12, 255})
            QVERIFY(!withAsk("phase", phase));
        QVERIFY(!withAsk("uri", toBytes("fw//x")));
        QVERIFY(!withAsk("site", toBytes(std::string(65, 's'))));
        QVERIFY(!withAsk("site", toBytes("a\nb")));
        QVERIFY(!withAsk("device", toBytes("short")));
        // Half a revision.
        QVERIFY(!Pulse::parse(changed(asking().serialize(),
                                      [](bencode::Dict& dict) { (*dict["ask"].dict()).erase("version"); })));
        QVERIFY(!Pulse::parse(
            changed(asking().serialize(), [](bencode::Dict& dict) { dict["sums"] = bencode::Integer{2}; })));
        QVERIFY(!Pulse::parse(
            changed(asking().serialize(), [](bencode::Dict& dict) { dict["ask"] = bencode::Integer{2}; })));
    }

    void refusesWhatIsMissing_data()
    {
        QTest::addColumn<QByteArray>("key");
        for (const char* key : {"observer", "sequence", "expires", "aggregate-above", "format"})
            QTest::newRow(key) << QByteArray(key);
    }
    void refusesWhatIsMissing()
    {
        QFETCH(QByteArray, key);
        const Bytes bytes =
            changed(subscription().serialize(), [&](bencode::Dict& dict) { dict.erase(key.toStdString()); });
        QVERIFY(!Subscription::parse(bytes).has_value());
    }

    void refusesEveryTruncation()
    {
        const Bytes whole = subscription().serialize();
        const Bytes pulse = Pulse{nodeId(50), 3}.serialize();
        for (std::size_t size = 0; size < whole.size(); ++size)
            QVERIFY(!Subscription::parse(ByteView(whole).first(size)).has_value());
        for (std::size_t size = 0; size < pulse.size(); ++size)
            QVERIFY(!Pulse::parse(ByteView(pulse).first(size)).has_value());
    }

    void refusesTrailingBytes()
    {
        Bytes bytes = subscription().serialize();
        bytes.push_back(std::byte{'e'});
        QVERIFY(!Subscription::parse(bytes).has_value());
    }

    void refusesNumbersThatStandForNone()
    {
        for (const char* key : {"sequence", "expires"}) {
            const Bytes bytes = changed(subscription().serialize(),
                                        [&](bencode::Dict& dict) { dict[key] = bencode::Integer{0}; });
            REFUSED(Subscription::parse(bytes), Errc::Malformed);
        }
        const Bytes pulse = changed(Pulse{nodeId(50), 3}.serialize(),
                                    [](bencode::Dict& dict) { dict["number"] = bencode::Integer{0}; });
        REFUSED(Pulse::parse(pulse), Errc::Malformed);
    }

    void refusesAnImpossibleScope()
    {
        const Bytes bytes = changed(subscription().serialize(),
                                    [](bencode::Dict& dict) { dict["scope"] = toBytes("fw//x"); });
        REFUSED(Subscription::parse(bytes), Errc::InvalidUri);
    }

    void ignoresUnknownKeysUnlessTheyAreCritical()
    {
        const Bytes later = changed(subscription().serialize(),
                                    [](bencode::Dict& dict) { dict["later"] = bencode::Integer{1}; });
        QVERIFY(Subscription::parse(later).value() == subscription());
        const Bytes critical = changed(later, [](bencode::Dict& dict) {
            dict["critical"] = bencode::List{bencode::Value(toBytes("later"))};
        });
        REFUSED(Subscription::parse(critical), Errc::UnsupportedFormat);
    }

    void theObserveRoleSubscribes()
    {
        const trust::TrustSet trust = trustSet(rootWithObservers());
        const auto envelope =
            seal(Kind::Subscription, subscription().serialize(), trust.fleet(), {kObserveKey});
        const auto verified = trust.verifySubscription(envelope);
        ACCEPTED(verified);
        QVERIFY(**verified == subscription());
    }

    void nobodyElseSubscribes()
    {
        const trust::TrustSet trust = trustSet(rootWithObservers());
        const auto signedBy = [&](const Keys& keys) {
            return trust.verifySubscription(
                seal(Kind::Subscription, subscription().serialize(), trust.fleet(), keys));
        };
        REFUSED(signedBy({}), Errc::Unsigned);
        REFUSED(signedBy({10}), Errc::WrongScope); // admit
        REFUSED(signedBy({50}), Errc::UnknownKey); // the observer itself
        auto bad = seal(Kind::Subscription, subscription().serialize(), trust.fleet(), {kObserveKey});
        bad.signatures.begin()->second[5] ^= std::byte{1};
        REFUSED(trust.verifySubscription(bad), Errc::BadSignature);
        REFUSED(trust.verifySubscription(
                    seal(Kind::Subscription, subscription().serialize(), filled<FleetId>(9), {kObserveKey})),
                Errc::BadSignature);
        REFUSED(trust.verifySubscription(
                    seal(Kind::Receipt, subscription().serialize(), trust.fleet(), {kObserveKey})),
                Errc::Malformed);
    }

    void withoutAnObserveRoleNobodySubscribes()
    {
        const trust::TrustSet trust = trustSet();
        REFUSED(trust.verifySubscription(
                    seal(Kind::Subscription, subscription().serialize(), trust.fleet(), {10, 1, 2})),
                Errc::WrongScope);
    }

    void onlyTheObserverPulses()
    {
        const trust::TrustSet trust = trustSet(rootWithObservers());
        const Pulse pulse{nodeId(50), 3};
        const auto good = seal(Kind::Pulse, pulse.serialize(), trust.fleet(), {50});
        ACCEPTED(trust.verifyPulse(good, nodeId(50)));
        REFUSED(trust.verifyPulse(good, nodeId(51)), Errc::UnknownKey);
        REFUSED(trust.verifyPulse(seal(Kind::Pulse, pulse.serialize(), trust.fleet(), {51}), nodeId(51)),
                Errc::NotAdmitted);
        REFUSED(trust.verifyPulse(seal(Kind::Pulse, pulse.serialize(), filled<FleetId>(9), {50}), nodeId(50)),
                Errc::BadSignature);
        REFUSED(trust.verifyPulse(seal(Kind::Receipt, pulse.serialize(), trust.fleet(), {50}), nodeId(50)),
                Errc::Malformed);
    }
};

QTEST_APPLESS_MAIN(TestSubscription)
#include "tst_subscription.moc"
