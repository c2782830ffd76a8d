// SPDX-License-Identifier: Apache-2.0
#include "trust/floors.h"
#include "trust_fixture.h"

#include <QTest>

#include <ctime>

using namespace starling;
using namespace starling::trust;
using fixture::filled;
using fixture::Keys;
using fixture::role;
using fixture::seal;
using fixture::sealRoot;
using fixture::Snapshot;
using fixture::uri;

class TestTrustSet : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    void foundsTheFleetOnTheFirstRoot();
    void refusesAnchorsThatDoNotHold();
    void judgesReleaseSignatures_data();
    void judgesReleaseSignatures();
    void sparesTheThresholdFromABadSignatureBesideIt();
    void refusesSeventeenSignatures();
    void confinesAScopeKeyToItsSegments();
    void recoversFromAHugeVersionByTheEpoch();
    void judgesRoleRotationsAsTufDoes_data();
    void judgesRoleRotationsAsTufDoes();

    void judgesRootRotationsAsTufDoes_data();
    void judgesRootRotationsAsTufDoes();
    void refusesRootsOutOfOrderAndChangesNothing();
    void alarmsOnlyAtForksThatAreValidlySigned();
    void refusesTheFirstRootOfAnotherFleet();
    void applies1024RootsWithinTwoSecondsAndResumesAnywhere();

    void admitsDevices();
    void refusesCertificates();
    void takesADevicesOwnDocuments();
    void refusesADevicesDocumentsFromOthers();
};

namespace {

/// Whether release `name` of epoch 0 with content 1, signed by `signers`, is authorized.
Status release(const TrustSet& trust, std::string_view name, const Keys& signers, std::uint64_t epoch = 0)
{
    const Digest hash = filled<Digest>(1);
    return trust.authorizeRelease(uri(name), epoch, hash,
                                  fixture::signedBy(Kind::Release, trust.fleet(), hash, signers));
}

} // namespace

void TestTrustSet::foundsTheFleetOnTheFirstRoot()
{
    const TrustSet trust = fixture::trustSet();
    const Digest hash = Envelope::parse(fixture::anchor(fixture::firstRoot()))->payloadHash();
    QVERIFY(toBytes(trust.fleet().bytes()) == toBytes(hash.bytes()));
    QVERIFY(trust.root() == fixture::firstRoot());
    QCOMPARE(trust.chain().size(), std::size_t(1));
}

void TestTrustSet::refusesAnchorsThatDoNotHold()
{
    const RootDocument root = fixture::firstRoot();
    REFUSED(TrustSet::fromAnchor(fixture::anchor(root, {})), Errc::Unsigned);
    REFUSED(TrustSet::fromAnchor(fixture::anchor(root, {1})), Errc::BelowThreshold);
    REFUSED(TrustSet::fromAnchor(fixture::anchor(root, {10, 20})), Errc::WrongScope);
    REFUSED(TrustSet::fromAnchor(fixture::anchor(root, {90, 91})), Errc::UnknownKey);
    REFUSED(TrustSet::fromAnchor(seal(Kind::Root, root.serialize(), filled<FleetId>(1), {1, 2}).serialize()),
            Errc::BadSignature);
    REFUSED(TrustSet::fromAnchor(seal(Kind::Admit, root.serialize(), {}, {1, 2}).serialize()),
            Errc::Malformed);
    RootDocument second = root;
    second.number = 2;
    second.previous = filled<Digest>(1);
    REFUSED(TrustSet::fromAnchor(fixture::anchor(second)), Errc::InvalidRoot);
    REFUSED(TrustSet::fromAnchor(toBytes("hello")), Errc::NotBencode);
}

void TestTrustSet::judgesReleaseSignatures_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<QList<int>>("signers");
    QTest::addColumn<int>("expected");
    const auto row = [](const char* title, const char* name, QList<int> signers, int expected) {
        QTest::newRow(title) << QByteArray(name) << signers << expected;
    };
    row("threshold", "fw/a", {20, 21}, 0);
    row("all", "fw/a", {20, 21, 22}, 0);
    row("threshold and strangers", "fw/a", {20, 22, 40, 90}, 0);
    row("unsigned", "fw/a", {}, fixture::code(Errc::Unsigned));
    row("one below", "fw/a", {20}, fixture::code(Errc::BelowThreshold));
    row("one below and strangers", "fw/a", {20, 30, 40, 90, 91}, fixture::code(Errc::BelowThreshold));
    row("keys of another scope", "fw/a", {30, 40}, fixture::code(Errc::WrongScope));
    row("keys of another scope and unknown ones", "fw/a", {40, 90}, fixture::code(Errc::WrongScope));
    row("keys of another role", "fw/a", {10, 11}, fixture::code(Errc::WrongScope));
    row("root keys", "fw/a", {1, 2, 3}, fixture::code(Errc::WrongScope));
    row("unknown keys", "fw/a", {90, 91}, fixture::code(Errc::UnknownKey));
    row("longer scope", "fw/gateway/rootfs", {30}, 0);
    row("shorter scope is not asked", "fw/gateway/rootfs", {20, 21, 22}, fixture::code(Errc::WrongScope));
    row("no scope", "app/a", {20, 21}, fixture::code(Errc::WrongScope));
    row("no scope, unsigned", "app/a", {}, fixture::code(Errc::Unsigned));
}

void TestTrustSet::judgesReleaseSignatures()
{
    QFETCH(QByteArray, name);
    QFETCH(QList<int>, signers);
    QFETCH(int, expected);
    Keys keys;
    for (const int signer : signers)
        keys.push_back(static_cast<unsigned char>(signer));
    QCOMPARE(fixture::code(release(fixture::trustSet(), name.constData(), keys)), expected);
}

void TestTrustSet::sparesTheThresholdFromABadSignatureBesideIt()
{
    const TrustSet trust = fixture::trustSet();
    const Digest hash = filled<Digest>(1);
    const auto judge = [&](const Signatures& signatures) {
        return trust.authorizeRelease(uri("fw/a"), 0, hash, signatures);
    };
    Signatures signatures = fixture::signedBy(Kind::Release, trust.fleet(), hash, {20, 21, 22});
    signatures[fixture::keyId(22)][0] ^= std::byte(1);
    ACCEPTED(judge(signatures));
    signatures[fixture::keyId(21)][0] ^= std::byte(1);
    REFUSED(judge(signatures), Errc::BadSignature);

    // In the name of other keys of the root, and not even theirs.
    signatures = fixture::signedBy(Kind::Release, trust.fleet(), hash, {40});
    signatures[fixture::keyId(40)][0] ^= std::byte(1);
    REFUSED(judge(signatures), Errc::BadSignature);
    // A valid signature under another member's name.
    signatures = fixture::signedBy(Kind::Release, trust.fleet(), hash, {20});
    signatures[fixture::keyId(21)] = signatures[fixture::keyId(20)];
    REFUSED(judge(signatures), Errc::BadSignature);
}

void TestTrustSet::refusesSeventeenSignatures()
{
    Keys signers;
    for (unsigned char number = 20; number < 37; ++number)
        signers.push_back(number);
    REFUSED(release(fixture::trustSet(), "fw/a", signers), Errc::TooLarge);
    signers.pop_back();
    ACCEPTED(release(fixture::trustSet(), "fw/a", signers));
}

void TestTrustSet::confinesAScopeKeyToItsSegments()
{
    using namespace std::string_view_literals;
    const TrustSet trust = fixture::trustSet();
    REFUSED(release(trust, "fwx/a", {20, 21}), Errc::WrongScope);
    REFUSED(release(trust, "fw-a", {20, 21}), Errc::WrongScope);
    REFUSED(release(trust, "f/w", {20, 21}), Errc::WrongScope);
    REFUSED(release(trust, "os/fw", {20, 21}), Errc::WrongScope);
    for (const std::string_view text :
         {"fw/../os"sv, "FW/a"sv, "fw//a"sv, "fw/%2e%2e/os"sv, "%2e%2e"sv, "fw\0/a"sv, "fw/a\0"sv,
          "fw/\xc3\xa9"sv, "fw/e\xcc\x81"sv, "fw/."sv, "/fw/a"sv, "fw\\a"sv})
        REFUSED(ResourceUri::parse(text), Errc::InvalidUri);
}

void TestTrustSet::recoversFromAHugeVersionByTheEpoch()
{
    TrustSet trust = fixture::trustSet();
    Floors floors;
    ACCEPTED(release(trust, "fw/a", {20, 21}));
    floors.raise(uri("fw/a"), {{0, Revision::kMaxVersion}, filled<InfoHash>(9)});
    REFUSED(floors.admit(uri("fw/a"), {0, 2}, filled<InfoHash>(2)), Errc::Rollback);
    REFUSED(release(trust, "fw/a", {20, 21}, 1), Errc::WrongEpoch);
    REFUSED(release(trust, "fw/a", {20}, 1), Errc::BelowThreshold);

    RootDocument next = fixture::nextRoot(trust);
    next.scopes[0].epoch = 1;
    ACCEPTED(trust.advance(sealRoot(trust, next)));
    ACCEPTED(release(trust, "fw/a", {20, 21}, 1));
    ACCEPTED(floors.admit(uri("fw/a"), {1, 1}, filled<InfoHash>(2)));
    REFUSED(release(trust, "fw/a", {20, 21}, 0), Errc::WrongEpoch);
}

// One letter is one key: A is key 100.
namespace {

Keys keysOf(const QByteArray& letters)
{
    Keys keys;
    for (const char letter : letters)
        keys.push_back(static_cast<unsigned char>(letter - 'A' + 100));
    return keys;
}

struct Step
{
    QByteArray keys;
    std::uint32_t threshold;
    QByteArray signers;
    int expected;
};

} // namespace

Q_DECLARE_METATYPE(QList<Step>)

// The cases of python-tuf's and TUF conformance's root key rotations; "A.B" there is one letter here.
void TestTrustSet::judgesRootRotationsAsTufDoes_data()
{
    const int ok = 0;
    const int below = fixture::code(Errc::BelowThreshold);
    const int unknown = fixture::code(Errc::UnknownKey);
    QTest::addColumn<QList<Step>>("steps");
    const auto row = [](const char* title, QList<Step> steps) { QTest::newRow(title) << steps; };
    row("1-of-1 rotated", {{"A", 1, "A", ok}, {"B", 1, "AB", ok}, {"C", 1, "BC", ok}});
    row("1-of-1 rotated, unused signatures",
        {{"A", 1, "ACD", ok}, {"B", 1, "ABCD", ok}, {"C", 1, "BCDE", ok}});
    row("1-of-1, not signed by the old key", {{"A", 1, "A", ok}, {"B", 1, "BCD", unknown}});
    row("1-of-1, not signed by the new key", {{"A", 1, "A", ok}, {"B", 1, "ACD", unknown}});
    row("3-of-5, different combinations",
        {{"ABCDE", 3, "ABC", ok},
         {"ABCDE", 3, "ADE", ok},
         {"ABCDE", 3, "BCE", ok},
         {"ABCDE", 3, "ABCDE", ok}});
    row("3-of-5, one key rotated", {{"ABCDE", 3, "ABC", ok}, {"ABCDF", 3, "ABC", ok}});
    row("3-of-5, one key rotated, only 2 new", {{"ABCDE", 3, "ABC", ok}, {"ABCDF", 3, "ABE", below}});
    row("3-of-5, one key rotated, only 2 old", {{"ABCDE", 3, "ABC", ok}, {"ABCDF", 3, "ABF", below}});
    row("3-of-5, one key rotated, intermediate step",
        {{"ABCDE", 3, "ABC", ok}, {"ABCDF", 3, "ABCEF", ok}, {"ABCDF", 3, "ABF", ok}});
    row("3-of-5, all keys rotated, intermediate step",
        {{"ABCDE", 3, "ABC", ok}, {"FGHIJ", 3, "ABCFGH", ok}, {"FGHIJ", 3, "FGH", ok}});
    row("1-of-3 raised to 2-of-3", {{"ABC", 1, "A", ok}, {"ABC", 2, "AB", ok}});
    row("1-of-3 raised to 2-of-3, new threshold unmet", {{"ABC", 1, "A", ok}, {"ABC", 2, "A", below}});
    row("2-of-3 lowered to 1-of-3", {{"ABC", 2, "AB", ok}, {"ABC", 1, "AB", ok}, {"ABC", 1, "A", ok}});
    row("2-of-3 lowered to 1-of-3, old threshold unmet", {{"ABC", 2, "AB", ok}, {"ABC", 1, "A", below}});
    row("1-of-2 raised to 2-of-2", {{"AB", 1, "A", ok}, {"AB", 2, "AB", ok}});
    row("anchor below its own threshold", {{"ABC", 2, "A", below}});
    row("disjoint, only the old ones", {{"AB", 2, "AB", ok}, {"CD", 2, "AB", unknown}});
    row("old keys are out after the rotation",
        {{"A", 1, "A", ok}, {"B", 1, "AB", ok}, {"B", 1, "A", unknown}});
    row("unsigned", {{"A", 1, "A", ok}, {"A", 1, "", fixture::code(Errc::Unsigned)}});
}

void TestTrustSet::judgesRootRotationsAsTufDoes()
{
    QFETCH(QList<Step>, steps);
    std::optional<TrustSet> trust;
    for (const Step& step : steps) {
        RootDocument root = trust ? fixture::nextRoot(*trust) : fixture::firstRoot();
        root.root = role(keysOf(step.keys), step.threshold);
        if (!trust) {
            auto founded = TrustSet::fromAnchor(fixture::anchor(root, keysOf(step.signers)));
            QCOMPARE(fixture::code(founded), step.expected);
            if (founded)
                trust.emplace(std::move(*founded));
            continue;
        }
        const Snapshot before(*trust);
        QCOMPARE(fixture::code(trust->advance(sealRoot(*trust, root, keysOf(step.signers)))), step.expected);
        QVERIFY(step.expected == 0 ? trust->root() == root : Snapshot(*trust) == before);
    }
}

// The cases of python-tuf's and TUF conformance's key rotations of other roles, here a scope.
void TestTrustSet::judgesRoleRotationsAsTufDoes_data()
{
    const int ok = 0;
    const int below = fixture::code(Errc::BelowThreshold);
    const int unknown = fixture::code(Errc::UnknownKey);
    QTest::addColumn<QList<Step>>("steps");
    const auto row = [](const char* title, QList<Step> steps) { QTest::newRow(title) << steps; };
    row("1-of-1 rotated", {{"A", 1, "A", ok}, {"B", 1, "B", ok}, {"C", 1, "C", ok}});
    row("1-of-1 rotated, unused signatures", {{"A", 1, "AD", ok}, {"B", 1, "AB", ok}, {"C", 1, "BCD", ok}});
    row("1-of-1, not signed by the new key", {{"A", 1, "A", ok}, {"B", 1, "AC", unknown}});
    row("3-of-5, one signature by another key", {{"ABCDE", 3, "ABF", below}});
    row("3-of-5, one signature missing", {{"ABCDE", 3, "AB", below}});
    row("3-of-5, first combination", {{"ABCDE", 3, "ABC", ok}});
    row("3-of-5, second combination", {{"ABCDE", 3, "ADE", ok}});
    row("3-of-5, third combination", {{"ABCDE", 3, "BCE", ok}});
    row("3-of-5, all", {{"ABCDE", 3, "ABCDE", ok}});
    row("3-of-5, one key rotated",
        {{"ABCDE", 3, "ABC", ok}, {"ABCDF", 3, "ABE", below}, {"ABCDF", 3, "ABF", ok}});
}

void TestTrustSet::judgesRoleRotationsAsTufDoes()
{
    QFETCH(QList<Step>, steps);
    TrustSet trust = fixture::trustSet();
    for (const Step& step : steps) {
        RootDocument root = fixture::nextRoot(trust);
        root.scopes = {{uri("fw"), role(keysOf(step.keys), step.threshold), 0}};
        ACCEPTED(trust.advance(sealRoot(trust, root)));
        QCOMPARE(fixture::code(release(trust, "fw/a", keysOf(step.signers))), step.expected);
    }
}

void TestTrustSet::refusesRootsOutOfOrderAndChangesNothing()
{
    TrustSet trust = fixture::trustSet();
    const Bytes first = trust.chain().front();
    const Bytes second = sealRoot(trust, fixture::nextRoot(trust));
    ACCEPTED(trust.advance(second));
    const Snapshot before(trust);

    RootDocument root = fixture::nextRoot(trust);
    root.number += 1;
    REFUSED(trust.advance(sealRoot(trust, root)), Errc::RootGap);
    REFUSED(trust.advance(first), Errc::Rollback);
    root = fixture::nextRoot(trust);
    root.previous = filled<Digest>(1);
    REFUSED(trust.advance(sealRoot(trust, root)), Errc::InvalidRoot);
    root = fixture::nextRoot(trust);
    root.admit = role({1}, 1);
    REFUSED(trust.advance(sealRoot(trust, root)), Errc::InvalidRoot);
    REFUSED(trust.advance(toBytes("de")), Errc::Malformed);
    REFUSED(trust.advance(Bytes(kMaxRootBytes + 1, std::byte('d'))), Errc::TooLarge);
    ACCEPTED(trust.advance(second));
    QVERIFY(Snapshot(trust) == before);
}

void TestTrustSet::alarmsOnlyAtForksThatAreValidlySigned()
{
    TrustSet trust = fixture::trustSet();
    RootDocument fork = fixture::nextRoot(trust);
    fork.created = 1'800'000'000;
    RootDocument seized = fixture::nextRoot(trust);
    seized.root = role({80}, 1);
    ACCEPTED(trust.advance(sealRoot(trust, fixture::nextRoot(trust))));
    const Snapshot before(trust);
    REFUSED(trust.advance(sealRoot(trust, fork)), Errc::Equivocation);
    REFUSED(trust.advance(sealRoot(trust, fork, {1})), Errc::BelowThreshold);
    REFUSED(trust.advance(sealRoot(trust, fork, {90, 91})), Errc::UnknownKey);
    REFUSED(trust.advance(sealRoot(trust, seized, {80})), Errc::UnknownKey);
    REFUSED(trust.advance(sealRoot(trust, seized, {1, 2})), Errc::UnknownKey);
    REFUSED(trust.advance(sealRoot(trust, seized, {1, 2, 80})), Errc::Equivocation);
    QVERIFY(Snapshot(trust) == before);
}

void TestTrustSet::refusesTheFirstRootOfAnotherFleet()
{
    TrustSet trust = fixture::trustSet();
    RootDocument other = fixture::firstRoot();
    other.created = 1;
    REFUSED(trust.advance(fixture::anchor(other)), Errc::WrongFleet);
    ACCEPTED(trust.advance(sealRoot(trust, fixture::nextRoot(trust))));
    REFUSED(trust.advance(fixture::anchor(other)), Errc::WrongFleet);
}

void TestTrustSet::applies1024RootsWithinTwoSecondsAndResumesAnywhere()
{
    TrustSet maker = fixture::trustSet();
    for (std::size_t i = 0; i < kMaxRootChain; ++i) {
        // Others of the five sign each time.
        RootDocument root = fixture::nextRoot(maker);
        const auto first = static_cast<unsigned char>(1 + i % 5);
        const auto second = static_cast<unsigned char>(first == 5 ? 1 : first + 1);
        root.root = role({1, 2, 3, 4, 5}, 2);
        ACCEPTED(maker.advance(sealRoot(maker, root, i == 0 ? Keys{1, 2} : Keys{first, second})));
    }
    const std::vector<Bytes> chain = maker.chain();
    QCOMPARE(chain.size(), kMaxRootChain + 1);

    const auto walk = [&](std::size_t from, TrustSet trust) {
        for (std::size_t i = from; i < chain.size(); ++i)
            if (!trust.advance(chain[i]))
                break;
        return trust;
    };
    const std::clock_t start = std::clock();
    const TrustSet walked = walk(1, *TrustSet::fromAnchor(chain[0]));
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    QVERIFY(Snapshot(walked) == Snapshot(maker));
    QVERIFY2(seconds < 2, qPrintable(QStringLiteral("%1 s of processor time").arg(seconds)));

    // Stopped after any of them and started again from what was stored.
    TrustSet stored = *TrustSet::fromAnchor(chain[0]);
    for (std::size_t i = 1; i < chain.size(); ++i) {
        if (i % 400 == 0)
            QVERIFY(Snapshot(walk(i, stored)) == Snapshot(maker));
        ACCEPTED(stored.advance(chain[i]));
    }
    REFUSED(maker.advance(sealRoot(maker, fixture::nextRoot(maker))), Errc::TooLarge);
}

void TestTrustSet::admitsDevices()
{
    const TrustSet trust = fixture::trustSet();
    const Bytes payload = fixture::certificate().serialize();
    const auto one = trust.verifyAdmit(seal(Kind::Admit, payload, trust.fleet(), {10}));
    ACCEPTED(one);
    QVERIFY(**one == fixture::certificate());
    ACCEPTED(trust.verifyAdmit(seal(Kind::Admit, payload, trust.fleet(), {10, 11, 90})));
}

void TestTrustSet::refusesCertificates()
{
    const TrustSet trust = fixture::trustSet();
    const auto judge = [&](const Bytes& payload, const Keys& signers) {
        return trust.verifyAdmit(seal(Kind::Admit, payload, trust.fleet(), signers));
    };
    const Bytes payload = fixture::certificate().serialize();
    REFUSED(judge(payload, {}), Errc::Unsigned);
    REFUSED(judge(payload, {20}), Errc::WrongScope);
    REFUSED(judge(payload, {50}), Errc::UnknownKey);
    REFUSED(judge(payload, {10, 11, 90, 91}), Errc::TooLarge);
    Certificate stale = fixture::certificate();
    stale.admitEpoch = 1;
    REFUSED(judge(stale.serialize(), {10}), Errc::WrongEpoch);
    REFUSED(judge(stale.serialize(), {20}), Errc::WrongScope);
    REFUSED(judge(toBytes("d6:formati2ee"), {10}), Errc::UnsupportedFormat);
    Envelope tampered = seal(Kind::Admit, payload, trust.fleet(), {10});
    tampered.payload = fixture::certificate(51).serialize();
    REFUSED(trust.verifyAdmit(tampered), Errc::BadSignature);
}

void TestTrustSet::takesADevicesOwnDocuments()
{
    const TrustSet trust = fixture::trustSet();
    const auto receipt = trust.verifyReceipt(
        seal(Kind::Receipt, fixture::receipt().serialize(), trust.fleet(), {50}), fixture::certificate());
    ACCEPTED(receipt);
    QVERIFY(**receipt == fixture::receipt());
    const auto descriptor =
        trust.verifyDescriptor(seal(Kind::Descriptor, fixture::descriptor().serialize(), trust.fleet(), {50}),
                               fixture::certificate());
    ACCEPTED(descriptor);
    QVERIFY(**descriptor == fixture::descriptor());
}

void TestTrustSet::refusesADevicesDocumentsFromOthers()
{
    const TrustSet trust = fixture::trustSet();
    const Certificate certificate = fixture::certificate();
    const auto receipt = [&](unsigned char speaksFor, const Keys& signers) {
        return trust.verifyReceipt(
            seal(Kind::Receipt, fixture::receipt(speaksFor).serialize(), trust.fleet(), signers),
            certificate);
    };
    REFUSED(receipt(50, {}), Errc::Unsigned);
    REFUSED(receipt(50, {51}), Errc::UnknownKey);
    REFUSED(receipt(50, {10}), Errc::UnknownKey);
    REFUSED(receipt(50, {50, 51}), Errc::TooLarge);
    REFUSED(receipt(51, {50}), Errc::NotAdmitted);
    const auto descriptor = [&](unsigned char speaksFor, const Keys& signers) {
        return trust.verifyDescriptor(
            seal(Kind::Descriptor, fixture::descriptor(speaksFor).serialize(), trust.fleet(), signers),
            certificate);
    };
    REFUSED(descriptor(50, {51}), Errc::UnknownKey);
    REFUSED(descriptor(51, {50}), Errc::NotAdmitted);
    Envelope tampered = seal(Kind::Receipt, fixture::receipt().serialize(), trust.fleet(), {50});
    Receipt better = fixture::receipt();
    better.sequence += 1;
    tampered.payload = better.serialize();
    REFUSED(trust.verifyReceipt(tampered, certificate), Errc::BadSignature);
}

QTEST_GUILESS_MAIN(TestTrustSet)
#include "tst_trust_set.moc"
