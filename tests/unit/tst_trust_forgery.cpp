// SPDX-License-Identifier: Apache-2.0
/// Valid documents bent: shown as another kind, to another fleet, or with one bit flipped. None is taken.
#include "trust/join.h"
#include "trust/subscription.h"
#include "trust_fixture.h"

#include <QTest>

using namespace starling;
using namespace starling::trust;
using fixture::filled;
using fixture::Keys;
using fixture::seal;
using fixture::sealRoot;
using fixture::Snapshot;
using fixture::uri;

class TestForgery : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    void refusesEveryKindAsEveryOtherKind();
    void refusesEveryKindInAnotherFleet();
    void refusesEveryFlippedBitOfACertificate();
    void refusesEveryFlippedBitOfARoot();
    void refusesEveryFlippedBitOfAReleasesHashAndSignatures();
};

namespace {

void flip(Bytes& bytes, std::size_t bit)
{
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
}

constexpr std::array kAllKinds{Kind::Root,         Kind::Admit, Kind::Release,  Kind::Receipt,
                               Kind::Descriptor,   Kind::Deny,  Kind::Withdraw, Kind::Join,
                               Kind::Subscription, Kind::Pulse};
constexpr unsigned char kObserveKey = 60;

/// The fixture's fleet with an observe role, so that every kind has somebody who may sign it.
TrustSet trustWithObservers()
{
    RootDocument root = fixture::firstRoot();
    root.observe = fixture::role({kObserveKey}, 1);
    return fixture::trustSet(root);
}

JoinRequest joinRequest()
{
    JoinRequest request;
    request.node = fixture::nodeId(50);
    request.linkKey = filled<LinkKey>(1);
    request.name = "gateway-7";
    return request;
}

DenyList denyList()
{
    DenyList list;
    list.nodes = {fixture::nodeId(51)};
    return list;
}

/// A valid payload of each kind, and who has to sign it.
Bytes payloadOf(const TrustSet& trust, Kind kind)
{
    switch (kind) {
    case Kind::Root:
        return fixture::nextRoot(trust).serialize();
    case Kind::Admit:
        return fixture::certificate().serialize();
    case Kind::Release:
        return toBytes("de");
    case Kind::Receipt:
        return fixture::receipt().serialize();
    case Kind::Descriptor:
        return fixture::descriptor().serialize();
    case Kind::Join:
        return joinRequest().serialize();
    case Kind::Deny:
        return denyList().serialize();
    case Kind::Withdraw:
        return Withdrawal{uri("fw/a"), {0, 3}, filled<InfoHash>(1)}.serialize();
    case Kind::Subscription:
        return Subscription{fixture::nodeId(50), std::nullopt, 1, 1'900'000'000, 0}.serialize();
    case Kind::Pulse:
        return Pulse{fixture::nodeId(50), 1}.serialize();
    }
    assertionFailed("every Kind has a payload", __FILE__, __LINE__);
}

/// Who may sign a payload of `kind`.
Keys signersOf(Kind kind)
{
    switch (kind) {
    case Kind::Root:
        return {1, 2};
    case Kind::Admit:
    case Kind::Deny:
        return {10};
    case Kind::Release:
        return {20, 21};
    case Kind::Withdraw:
        return {20};
    case Kind::Subscription:
        return {kObserveKey};
    case Kind::Receipt:
    case Kind::Descriptor:
    case Kind::Join:
    case Kind::Pulse:
        return {50};
    }
    assertionFailed("every Kind has signers", __FILE__, __LINE__);
}

/// Whether `envelope`, presented as `kind`, is taken.
Status present(TrustSet trust, Envelope envelope, Kind kind)
{
    envelope.kind = kind;
    const auto status = [](const auto& result) {
        return result ? Status() : Status(fail(Error(result.error()), ""));
    };
    switch (kind) {
    case Kind::Root:
        return trust.advance(envelope.serialize());
    case Kind::Admit:
        return status(trust.verifyAdmit(envelope));
    case Kind::Release:
        return trust.authorizeRelease(uri("fw/a"), 0, envelope.payloadHash(), envelope.signatures);
    case Kind::Receipt:
        return status(trust.verifyReceipt(envelope, fixture::certificate()));
    case Kind::Descriptor:
        return status(trust.verifyDescriptor(envelope, fixture::certificate()));
    case Kind::Join:
        return status(openJoinRequest(envelope.serialize(), trust.fleet()));
    case Kind::Deny:
        return status(trust.verifyDeny(envelope));
    case Kind::Withdraw:
        return status(trust.verifyWithdrawal(envelope));
    case Kind::Subscription:
        return status(trust.verifySubscription(envelope));
    case Kind::Pulse:
        return status(trust.verifyPulse(envelope, fixture::nodeId(50)));
    }
    assertionFailed("every Kind is presented", __FILE__, __LINE__);
}

} // namespace

void TestForgery::refusesEveryKindAsEveryOtherKind()
{
    const TrustSet trust = trustWithObservers();
    for (const Kind made : kAllKinds) {
        for (const Kind shown : kAllKinds) {
            // As it was made, under another name.
            const Envelope own = seal(made, payloadOf(trust, made), trust.fleet(), signersOf(made));
            QCOMPARE(present(trust, own, shown).has_value(), made == shown);
            // The payload and the signers are right, only the tag under the signature is not.
            const Envelope near = seal(made, payloadOf(trust, shown), trust.fleet(), signersOf(shown));
            QCOMPARE(fixture::code(present(trust, near, shown)),
                     made == shown ? 0 : fixture::code(Errc::BadSignature));
        }
    }
}

void TestForgery::refusesEveryKindInAnotherFleet()
{
    const TrustSet trust = trustWithObservers();
    RootDocument otherRoot = trust.root();
    otherRoot.created = 1;
    const TrustSet other = fixture::trustSet(otherRoot);
    QVERIFY(other.fleet() != trust.fleet());
    for (const Kind kind : kAllKinds) {
        const Envelope envelope = seal(kind, payloadOf(trust, kind), other.fleet(), signersOf(kind));
        REFUSED(present(trust, envelope, kind), Errc::BadSignature);
    }
}

void TestForgery::refusesEveryFlippedBitOfACertificate()
{
    const TrustSet trust = fixture::trustSet();
    const Bytes original =
        seal(Kind::Admit, fixture::certificate().serialize(), trust.fleet(), {10}).serialize();
    ACCEPTED(trust.verifyAdmit(*Envelope::parse(original)));
    std::size_t accepted = 0;
    for (std::size_t bit = 0; bit < original.size() * 8; ++bit) {
        Bytes bytes = original;
        flip(bytes, bit);
        const auto envelope = Envelope::parse(bytes);
        accepted += envelope && trust.verifyAdmit(*envelope) ? 1u : 0u;
    }
    QCOMPARE(accepted, std::size_t(0));

    // Past the decoder, straight into the payload.
    Envelope envelope = *Envelope::parse(original);
    for (std::size_t bit = 0; bit < envelope.payload.size() * 8; ++bit) {
        flip(envelope.payload, bit);
        REFUSED(trust.verifyAdmit(envelope), Errc::BadSignature);
        flip(envelope.payload, bit);
    }
}

void TestForgery::refusesEveryFlippedBitOfARoot()
{
    TrustSet trust = fixture::trustSet();
    const Bytes original = sealRoot(trust, fixture::nextRoot(trust));
    const Snapshot before(trust);
    for (std::size_t bit = 0; bit < original.size() * 8; ++bit) {
        Bytes bytes = original;
        flip(bytes, bit);
        QVERIFY2(!trust.advance(bytes), qPrintable(QStringLiteral("bit %1").arg(bit)));
    }
    QVERIFY(Snapshot(trust) == before);
    ACCEPTED(trust.advance(original));
}

void TestForgery::refusesEveryFlippedBitOfAReleasesHashAndSignatures()
{
    const TrustSet trust = fixture::trustSet();
    const Digest hash = filled<Digest>(1);
    const Signatures signatures = fixture::signedBy(Kind::Release, trust.fleet(), hash, {20, 21});
    for (std::size_t bit = 0; bit < 32 * 8; ++bit) {
        Bytes flipped = toBytes(hash.bytes());
        flip(flipped, bit);
        REFUSED(trust.authorizeRelease(uri("fw/a"), 0, *Digest::fromBytes(flipped), signatures),
                Errc::BadSignature);
    }
    for (const auto& [key, signature] : signatures) {
        for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
            Signatures flipped = signatures;
            flipped[key][bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
            REFUSED(trust.authorizeRelease(uri("fw/a"), 0, hash, flipped), Errc::BadSignature);
        }
    }
}

QTEST_GUILESS_MAIN(TestForgery)
#include "tst_trust_forgery.moc"
