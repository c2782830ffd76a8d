// SPDX-License-Identifier: Apache-2.0
#include "crypto/noise.h"

#include <QtTest>

using namespace starling;
using namespace starling::crypto;

namespace {

Bytes bytesOf(std::string_view hex)
{
    return fromHex(hex).value();
}

LinkKeyPair pairOf(std::string_view hex)
{
    Secret<32> secret;
    std::ranges::copy(bytesOf(hex), secret.bytes().begin());
    return LinkKeyPair::fromSecret(std::move(secret));
}

/// The vector for Noise_XX_25519_ChaChaPoly_BLAKE2b that cacophony published and snow tests against.
struct Vector
{
    static constexpr std::string_view kPrologue = "4a6f686e2047616c74";
    static constexpr std::string_view kInitiatorStatic =
        "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1";
    static constexpr std::string_view kInitiatorEphemeral =
        "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a";
    static constexpr std::string_view kResponderStatic =
        "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893";
    static constexpr std::string_view kResponderEphemeral =
        "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b";
    static constexpr std::string_view kHash =
        "8cf47d7b3cb5804c0109d48e8bcdbee2cbb65687d8ea2c92994ca361fb86151a"
        "d93627b98936cbb32de56e8abb21def3925011ac3e35db9cbeea73ab9a4392c2";
    /// Payload, message.
    static constexpr std::pair<std::string_view, std::string_view> kMessages[] = {
        {"4c756477696720766f6e204d69736573",
         "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
         "4c756477696720766f6e204d69736573"},
        {"4d757272617920526f746862617264",
         "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
         "0505b6745ce64a5f33f0e8e3b83f11ce8802bca507f4f2d8b564dbe277e19661"
         "16e132faa2dfd70b8b077b9f94b913df5056ae1319469b824a98d54bbaa82c32"
         "5595587064f978c4b6d104f7596e6f"},
        {"462e20412e20486179656b",
         "99579e1c1ee15e422a57ddd6b16d37087b17558e8369c18991b4b2ca3a824abf"
         "904cdcf5458b5431a75af034ca9e9b982de039eaaf156775e2d580cd4e5ebae8"
         "9c3f8cb2594b556d8a8169"},
        {"4361726c204d656e676572", "fc56eea290b3f3a21aac0c70cd5787b5ee99be37d2f4d751329b55"},
        {"4a65616e2d426170746973746520536179",
         "bb31c9da10d5639a4cdb88a12f5c61de41bbc7df09bf75d94f8184fe4157f5c68f"},
        {"457567656e2042f6686d20766f6e2042617765726b",
         "f6199cadb152fb27f82be0a0891ec76a33598ae92a46cab2fb5a8ed5bf48b7f267f8370af7"},
    };
};

/// Both sides of the vector's handshake.
struct Pair
{
    LinkKeyPair initiatorKey = pairOf(Vector::kInitiatorStatic);
    LinkKeyPair responderKey = pairOf(Vector::kResponderStatic);
    NoiseHandshake initiator{NoiseHandshake::Role::Initiator, bytesOf(Vector::kPrologue), initiatorKey,
                             pairOf(Vector::kInitiatorEphemeral)};
    NoiseHandshake responder{NoiseHandshake::Role::Responder, bytesOf(Vector::kPrologue), responderKey,
                             pairOf(Vector::kResponderEphemeral)};
    NoiseHandshake& writer(std::size_t message) { return message % 2 == 0 ? initiator : responder; }
    NoiseHandshake& reader(std::size_t message) { return message % 2 == 0 ? responder : initiator; }
    /// Exchanges the messages before `end`.
    void exchange(std::size_t end)
    {
        for (std::size_t i = 0; i < end; ++i)
            QVERIFY(reader(i).read(writer(i).write({}).value()));
    }
};

Bytes sealed(const CipherKey& key, std::uint64_t counter, ByteView plain)
{
    Bytes bytes = toBytes(plain);
    bytes.resize(bytes.size() + CipherKey::kTagBytes);
    key.seal(counter, {}, bytes);
    return bytes;
}

} // namespace

class TestNoise : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(initialize()); }

    void agreesAsRfc7748Says()
    {
        // Section 6.1.
        const auto a = pairOf("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        const auto b = pairOf("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        const std::string shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
        QCOMPARE(a.publicKey().hex(),
                 std::string("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
        QCOMPARE(b.publicKey().hex(),
                 std::string("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
        QCOMPARE(toHex(a.agree(b.publicKey())->bytes()), shared);
        QCOMPARE(toHex(b.agree(a.publicKey())->bytes()), shared);
        QVERIFY(!a.agree(LinkKey()));
    }

    void makesThePublishedMessages()
    {
        Pair pair;
        for (std::size_t i = 0; i < 3; ++i) {
            const auto& [payload, message] = Vector::kMessages[i];
            const auto written = pair.writer(i).write(bytesOf(payload));
            QVERIFY(written);
            QCOMPARE(toHex(*written), std::string(message));
            const auto read = pair.reader(i).read(*written);
            QVERIFY(read);
            QCOMPARE(toHex(*read), std::string(payload));
        }
        QVERIFY(pair.initiator.isComplete() && pair.responder.isComplete());
        QCOMPARE(toHex(pair.initiator.hash()), std::string(Vector::kHash));
        QCOMPARE(toHex(pair.responder.hash()), std::string(Vector::kHash));
        QVERIFY(pair.initiator.remoteStatic() == pair.responderKey.publicKey());
        QVERIFY(pair.responder.remoteStatic() == pair.initiatorKey.publicKey());
        const SessionKeys initiators = pair.initiator.split();
        const SessionKeys responders = pair.responder.split();
        for (std::size_t i = 3; i < std::size(Vector::kMessages); ++i) {
            const auto& [payload, message] = Vector::kMessages[i];
            // The vector goes on in turns: the responder speaks fourth.
            const bool isInitiators = i % 2 == 0;
            const std::uint64_t counter = (i - 3) / 2;
            QCOMPARE(toHex(sealed(isInitiators ? initiators.sending : responders.sending, counter,
                                  bytesOf(payload))),
                     std::string(message));
            const auto opened = (isInitiators ? responders.receiving : initiators.receiving)
                                    .open(counter, {}, bytesOf(message));
            QVERIFY(opened);
            QCOMPARE(toHex(*opened), std::string(payload));
        }
    }

    void refusesEveryFlippedBitAndStillTakesTheRightMessage()
    {
        for (std::size_t message = 1; message < 3; ++message) {
            Pair pair;
            pair.exchange(message);
            const Bytes right = pair.writer(message).write(bytesOf("0102")).value();
            for (std::size_t bit = 0; bit < right.size() * 8; ++bit) {
                Bytes wrong = right;
                wrong[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
                const auto read = pair.reader(message).read(wrong);
                QVERIFY(!read);
                QVERIFY(read.error().code == Errc::BadSignature);
            }
            QCOMPARE(toHex(pair.reader(message).read(right).value()), std::string("0102"));
        }
    }

    void refusesEveryTruncation()
    {
        for (std::size_t message = 0; message < 3; ++message) {
            Pair pair;
            pair.exchange(message);
            const Bytes right = pair.writer(message).write({}).value();
            for (std::size_t size = 0; size < right.size(); ++size) {
                const auto read = pair.reader(message).read(ByteView(right).first(size));
                QVERIFY(!read);
                QVERIFY(read.error().code == Errc::Truncated);
            }
            QVERIFY(pair.reader(message).read(right));
        }
    }

    void differentProloguesDoNotMeet()
    {
        Pair pair;
        NoiseHandshake other(NoiseHandshake::Role::Responder, viewOf("another"), pair.responderKey,
                             pairOf(Vector::kResponderEphemeral));
        QVERIFY(other.read(pair.initiator.write({}).value()));
        const auto read = pair.initiator.read(other.write({}).value());
        QVERIFY(!read);
        QVERIFY(read.error().code == Errc::BadSignature);
    }

    void refusesKeysOfSmallOrder()
    {
        Pair pair;
        Bytes zero(NoiseHandshake::kMessage1Bytes);
        QVERIFY(pair.responder.read(zero));
        const auto written = pair.responder.write({});
        QVERIFY(!written);
        QVERIFY(written.error().code == Errc::Refused);
        pair.initiator.write({}).value();
        const auto read = pair.initiator.read(Bytes(NoiseHandshake::kMessage2Bytes));
        QVERIFY(!read);
        QVERIFY(read.error().code == Errc::Refused);
    }

    void opensOnlyWhatWasSealed()
    {
        const CipherKey key(deriveKey(Bytes(32), "one"));
        const CipherKey other(deriveKey(Bytes(32), "two"));
        Bytes bytes = toBytes(std::string_view("plain text"));
        bytes.resize(bytes.size() + CipherKey::kTagBytes);
        key.seal(7, viewOf("header"), bytes);
        QCOMPARE(toText(*key.open(7, viewOf("header"), bytes)), std::string("plain text"));
        QVERIFY(!key.open(8, viewOf("header"), bytes));
        QVERIFY(!key.open(7, viewOf("Header"), bytes));
        QVERIFY(!other.open(7, viewOf("header"), bytes));
        QVERIFY(!key.open(7, viewOf("header"), ByteView(bytes).first(CipherKey::kTagBytes - 1)));
    }

    void rekeyingGoesForwardAlike()
    {
        const CipherKey here(deriveKey(Bytes(32), "one"));
        const CipherKey there(deriveKey(Bytes(32), "one"));
        const Bytes message = sealed(here.next(), 0, viewOf("new"));
        QVERIFY(!there.open(0, {}, message));
        QCOMPARE(toText(*there.next().open(0, {}, message)), std::string("new"));
        QVERIFY(!there.next().next().open(0, {}, message));
    }

    void derivesOneLinkKeyFromEachDeviceKey()
    {
        const auto device = SecretKey::fromSeed(Bytes(32, std::byte{1})).value();
        const auto other = SecretKey::fromSeed(Bytes(32, std::byte{2})).value();
        QVERIFY(LinkKeyPair::of(device).publicKey() == LinkKeyPair::of(device).publicKey());
        QVERIFY(LinkKeyPair::of(device).publicKey() != LinkKeyPair::of(other).publicKey());
        QVERIFY(!std::ranges::equal(LinkKeyPair::of(device).publicKey().bytes(), device.id().bytes()));
    }

    void secretsLeaveNothingBehindWhenTheyMove()
    {
        Secret<32> from = deriveKey(Bytes(32), "one");
        const Bytes held = toBytes(ByteView(from.bytes()));
        const Secret<32> to = std::move(from);
        QVERIFY(std::ranges::equal(to.bytes(), held));
        QVERIFY(std::ranges::equal(from.bytes(), Bytes(32))); // NOLINT: looks at what was left
    }

    void codesDependOnKeyAndMessage()
    {
        const Secret<32> key = deriveKey(Bytes(32), "one");
        const Secret<32> other = deriveKey(Bytes(32), "two");
        const Code128 code = authenticationCode(key.bytes(), viewOf("message"));
        QVERIFY(isEqual(code, authenticationCode(key.bytes(), viewOf("message"))));
        QVERIFY(!isEqual(code, authenticationCode(key.bytes(), viewOf("Message"))));
        QVERIFY(!isEqual(code, authenticationCode(other.bytes(), viewOf("message"))));
        QVERIFY(!isEqual(code, ByteView(code).first(15)));
    }
};

QTEST_GUILESS_MAIN(TestNoise)
#include "tst_noise.moc"
