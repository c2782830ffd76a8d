// SPDX-License-Identifier: Apache-2.0
#include "crypto/noise_nk.h"

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

/// The vector for Noise_NK_25519_ChaChaPoly_BLAKE2b that cacophony published and snow tests against.
constexpr std::string_view kPrologue = "4a6f686e2047616c74";
constexpr std::string_view kInitiatorEphemeral =
    "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a";
constexpr std::string_view kResponderStatic =
    "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893";
constexpr std::string_view kResponderEphemeral =
    "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b";
constexpr std::string_view kQuestionPayload = "4c756477696720766f6e204d69736573";
constexpr std::string_view kQuestion = "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
                                       "f3041e39b0c8ba56008f2d1183fea6ac83564ead0267b0842ec4c521ed1e1407";
constexpr std::string_view kAnswerPayload = "4d757272617920526f746862617264";
constexpr std::string_view kAnswer = "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
                                     "2281dcc1835131f305dca14525e15e27d1f32294aa835e40fc18be480c1db9";
constexpr std::string_view kHash = "73b986043ed9bf4965187dedc657d30564cc456e55e998e4e813a29643bdfabb"
                                   "319a9807f287640e4fbe68f2aa02b4c7104c488ff75aaf1201021df988725d58";

struct Pair
{
    LinkKeyPair own = pairOf(kResponderStatic);
    NkQuestion question{bytesOf(kPrologue), own.publicKey(), pairOf(kInitiatorEphemeral)};
    NkAnswer answer{bytesOf(kPrologue), own, pairOf(kResponderEphemeral)};
};

} // namespace

class TestNoiseNk : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(initialize()); }

    void makesThePublishedMessages()
    {
        Pair pair;
        QCOMPARE(pair.own.publicKey().hex(),
                 std::string("31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62"));
        const auto question = pair.question.write(bytesOf(kQuestionPayload));
        QVERIFY(question);
        QCOMPARE(toHex(*question), std::string(kQuestion));
        QCOMPARE(toHex(pair.answer.read(*question).value()), std::string(kQuestionPayload));
        // For patterns of two messages the file gives the hash after the first.
        QCOMPARE(toHex(pair.question.hash()), std::string(kHash));
        QCOMPARE(toHex(pair.answer.hash()), std::string(kHash));
        const auto answer = pair.answer.write(bytesOf(kAnswerPayload));
        QVERIFY(answer);
        QCOMPARE(toHex(*answer), std::string(kAnswer));
        QCOMPARE(toHex(pair.question.read(*answer).value()), std::string(kAnswerPayload));
        QVERIFY(pair.question.hash() == pair.answer.hash());
        QCOMPARE(question->size(), kQuestionPayload.size() / 2 + kNkMessageBytes);
    }

    void refusesEveryFlippedBitAndStillTakesTheRightMessage()
    {
        Pair pair;
        const Bytes question = pair.question.write(bytesOf(kQuestionPayload)).value();
        for (std::size_t bit = 0; bit < question.size() * 8; ++bit) {
            Bytes forged = question;
            forged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            // The top bit of a public key is not part of it (RFC 7748 section 5), but is hashed.
            QVERIFY(!pair.answer.read(forged));
        }
        QVERIFY(pair.answer.read(question));
        const Bytes answer = pair.answer.write(bytesOf(kAnswerPayload)).value();
        for (std::size_t bit = 0; bit < answer.size() * 8; ++bit) {
            Bytes forged = answer;
            forged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            QVERIFY(!pair.question.read(forged));
        }
        QVERIFY(pair.question.read(answer));
    }

    void anotherKeyOrPrologueUnderstandsNothing()
    {
        Pair pair;
        const Bytes question = pair.question.write({}).value();
        const LinkKeyPair other = pairOf(kInitiatorEphemeral);
        QVERIFY(!NkAnswer(bytesOf(kPrologue), other, pairOf(kResponderEphemeral)).read(question));
        QVERIFY(!NkAnswer(bytesOf("00"), pair.own, pairOf(kResponderEphemeral)).read(question));
    }

    void refusesShortMessagesAndKeysOfSmallOrder()
    {
        Pair pair;
        QCOMPARE(pair.answer.read(Bytes(kNkMessageBytes - 1)).error().code, Errc::Truncated);
        QCOMPARE(pair.answer.read(Bytes(kNkMessageBytes)).error().code, Errc::Refused);
        NkQuestion toNobody(bytesOf(kPrologue), LinkKey(), pairOf(kInitiatorEphemeral));
        QCOMPARE(toNobody.write({}).error().code, Errc::Refused);
    }
};

QTEST_GUILESS_MAIN(TestNoiseNk)
#include "tst_noise_nk.moc"
