// SPDX-License-Identifier: Apache-2.0
#include "trust_fixture.h"

#include <QTest>

using namespace starling;
using namespace starling::trust;
using bencode::Dict;
using fixture::changed;
using fixture::role;
using fixture::uri;

class TestRoot : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    void readsBackWhatItWrote();
    void refusesThresholdsThatCannotBe_data();
    void refusesThresholdsThatCannotBe();
    void refusesMoreThanSixteenKeys();
    void refusesOneKeyTwiceInARole();
    void refusesARootKeyInAnotherRole();
    void refusesUnsortedOrDuplicateScopes();
    void refusesPreviousOutOfPlace();
    void refusesNumberZero();
    void refusesAnAdmitThresholdThatNoCertificateCanReach();
    void refusesMissingRoles();
    void refusesPrefixesThatAreNoUris();
    void ignoresUnknownKeysUnlessCritical();
    void refusesMoreThan64KiB();
    void findsTheLongestScopeBySegments();
};

void TestRoot::readsBackWhatItWrote()
{
    RootDocument root = fixture::firstRoot();
    const auto first = RootDocument::parse(root.serialize());
    ACCEPTED(first);
    QVERIFY(*first == root);

    root.number = 2;
    root.previous = fixture::filled<Digest>(9);
    root.created = 1'700'000'000;
    root.expires = Revision::kMaxVersion;
    root.beacon.reset();
    root.observe = role({13, 14}, 2);
    root.scopes[0].epoch = 4;
    root.admitEpoch = 5;
    const auto second = RootDocument::parse(root.serialize());
    ACCEPTED(second);
    QVERIFY(*second == root);
    QVERIFY(second->serialize() == root.serialize());
}

void TestRoot::refusesThresholdsThatCannotBe_data()
{
    QTest::addColumn<qlonglong>("threshold");
    QTest::addColumn<bool>("fits");
    QTest::newRow("zero") << 0ll << false;
    QTest::newRow("negative") << -1ll << false;
    QTest::newRow("one of three") << 1ll << true;
    QTest::newRow("three of three") << 3ll << true;
    QTest::newRow("four of three") << 4ll << false;
    QTest::newRow("seventeen") << 17ll << false;
    QTest::newRow("2^32 + 1, which is 1 in 32 bits") << 4'294'967'297ll << false;
    QTest::newRow("2^63 - 1") << std::numeric_limits<qlonglong>::max() << false;
}

void TestRoot::refusesThresholdsThatCannotBe()
{
    QFETCH(qlonglong, threshold);
    QFETCH(bool, fits);
    const Bytes inRoot = changed(fixture::firstRoot().serialize(), [&](Dict& dict) {
        (*dict["root"].dict())["threshold"] = static_cast<bencode::Integer>(threshold);
    });
    const Bytes inScope = changed(fixture::firstRoot().serialize(), [&](Dict& dict) {
        bencode::List scopes = *dict["scopes"].list();
        (*scopes[0].dict())["threshold"] = static_cast<bencode::Integer>(threshold);
        dict["scopes"] = scopes;
    });
    if (fits) {
        ACCEPTED(RootDocument::parse(inRoot));
        ACCEPTED(RootDocument::parse(inScope));
    } else {
        REFUSED(RootDocument::parse(inRoot), Errc::InvalidRoot);
        REFUSED(RootDocument::parse(inScope), Errc::InvalidRoot);
    }
}

void TestRoot::refusesMoreThanSixteenKeys()
{
    RootDocument root = fixture::firstRoot();
    for (unsigned char number = 100; number < 113; ++number)
        root.root.keys.insert(fixture::filled<KeyId>(number));
    QCOMPARE(root.root.keys.size(), std::size_t(16));
    root.root.threshold = 16;
    ACCEPTED(RootDocument::parse(root.serialize()));
    root.root.keys.insert(fixture::filled<KeyId>(113));
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);

    root = fixture::firstRoot();
    root.root.keys.clear();
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);
}

void TestRoot::refusesOneKeyTwiceInARole()
{
    const auto keys = [](bencode::List list) {
        return changed(fixture::firstRoot().serialize(),
                       [&](Dict& dict) { (*dict["admit"].dict())["keys"] = list; });
    };
    REFUSED(RootDocument::parse(keys({Bytes(32), Bytes(32)})), Errc::InvalidRoot);
    REFUSED(RootDocument::parse(keys({Bytes(32, std::byte(2)), Bytes(32, std::byte(1))})), Errc::InvalidRoot);
    REFUSED(RootDocument::parse(keys({Bytes(31)})), Errc::Malformed);
    REFUSED(RootDocument::parse(keys({1})), Errc::Malformed);
}

void TestRoot::refusesARootKeyInAnotherRole()
{
    RootDocument root = fixture::firstRoot();
    root.admit = role({1, 10}, 1);
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);
    root = fixture::firstRoot();
    root.beacon = role({2}, 1);
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);
    root = fixture::firstRoot();
    root.observe = role({3}, 1);
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);
    root = fixture::firstRoot();
    root.scopes[1].role = role({1}, 1);
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);
    // Other roles may share keys: small fleets do.
    root = fixture::firstRoot();
    root.scopes[1].role = role({10}, 1);
    ACCEPTED(RootDocument::parse(root.serialize()));
}

void TestRoot::refusesUnsortedOrDuplicateScopes()
{
    RootDocument root = fixture::firstRoot();
    std::swap(root.scopes[0], root.scopes[1]);
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);
    root = fixture::firstRoot();
    root.scopes[1].prefix = root.scopes[0].prefix;
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);
}

void TestRoot::refusesPreviousOutOfPlace()
{
    RootDocument root = fixture::firstRoot();
    root.previous = fixture::filled<Digest>(1);
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);
    root.number = 2;
    ACCEPTED(RootDocument::parse(root.serialize()));
    root.previous = {};
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);
    const auto zero = [](Dict& dict) { dict["previous"] = Bytes(32); };
    REFUSED(RootDocument::parse(changed(root.serialize(), zero)), Errc::InvalidRoot);
    REFUSED(RootDocument::parse(changed(fixture::firstRoot().serialize(), zero)), Errc::InvalidRoot);
}

void TestRoot::refusesNumberZero()
{
    RootDocument root = fixture::firstRoot();
    root.number = 0;
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);
}

void TestRoot::refusesAnAdmitThresholdThatNoCertificateCanReach()
{
    RootDocument root = fixture::firstRoot();
    root.admit = role({10, 11, 14, 15}, 3);
    ACCEPTED(RootDocument::parse(root.serialize()));
    root.admit.threshold = 4;
    REFUSED(RootDocument::parse(root.serialize()), Errc::InvalidRoot);
}

void TestRoot::refusesMissingRoles()
{
    for (const char* name : {"root", "admit", "scopes", "number", "admit-epoch", "format"})
        REFUSED(RootDocument::parse(
                    changed(fixture::firstRoot().serialize(), [&](Dict& dict) { dict.erase(name); })),
                Errc::Malformed);
}

void TestRoot::refusesPrefixesThatAreNoUris()
{
    using namespace std::string_view_literals;
    for (const std::string_view prefix :
         {""sv, "/"sv, "fw/"sv, "fw/../os"sv, "FW"sv, "fw//a"sv, "%2e%2e"sv, ".."sv}) {
        const Bytes payload = changed(fixture::firstRoot().serialize(), [&](Dict& dict) {
            bencode::List scopes = *dict["scopes"].list();
            (*scopes[0].dict())["prefix"] = prefix;
            dict["scopes"] = scopes;
        });
        REFUSED(RootDocument::parse(payload), Errc::InvalidUri);
    }
}

void TestRoot::ignoresUnknownKeysUnlessCritical()
{
    const Bytes payload = fixture::firstRoot().serialize();
    const auto grow = [](Dict& dict) { dict["rollout"] = Dict{}; };
    const auto insist = [](Dict& dict) {
        dict["rollout"] = Dict{};
        dict["critical"] = bencode::List{"rollout"};
    };
    QVERIFY(*RootDocument::parse(changed(payload, grow)) == fixture::firstRoot());
    REFUSED(RootDocument::parse(changed(payload, insist)), Errc::UnsupportedFormat);
    REFUSED(RootDocument::parse(changed(payload, [](Dict& dict) { dict["format"] = 2; })),
            Errc::UnsupportedFormat);
}

void TestRoot::refusesMoreThan64KiB()
{
    const auto pad = [](std::size_t bytes) {
        return changed(fixture::firstRoot().serialize(), [&](Dict& dict) { dict["zz"] = Bytes(bytes); });
    };
    const std::size_t rest = kMaxRootBytes - pad(60'000).size() + 60'000;
    ACCEPTED(RootDocument::parse(pad(rest)));
    REFUSED(RootDocument::parse(pad(rest + 1)), Errc::TooLarge);
}

void TestRoot::findsTheLongestScopeBySegments()
{
    const RootDocument root = fixture::firstRoot();
    QVERIFY(root.scopeFor(uri("fw")) == &root.scopes[0]);
    QVERIFY(root.scopeFor(uri("fw/a")) == &root.scopes[0]);
    QVERIFY(root.scopeFor(uri("fw/gateway")) == &root.scopes[1]);
    QVERIFY(root.scopeFor(uri("fw/gateway/rootfs")) == &root.scopes[1]);
    QVERIFY(root.scopeFor(uri("fw/gateway2")) == &root.scopes[0]);
    QVERIFY(root.scopeFor(uri("os/x")) == &root.scopes[2]);
    QVERIFY(root.scopeFor(uri("fwx/a")) == nullptr);
    QVERIFY(root.scopeFor(uri("f")) == nullptr);
    QVERIFY(root.scopeFor(uri("app/fw")) == nullptr);
}

QTEST_GUILESS_MAIN(TestRoot)
#include "tst_root.moc"
