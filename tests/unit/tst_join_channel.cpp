// SPDX-License-Identifier: Apache-2.0
/// The join channel between a device and an agent, datagram by datagram.
#include "link/join_channel.h"

#include <QtTest>

using namespace starling;
using namespace starling::link;
using namespace std::chrono_literals;

namespace {

FleetId fleetOf(unsigned char number)
{
    return FleetId(std::array<std::byte, FleetId::kSize>{std::byte{number}});
}

Endpoint hostOf(unsigned number)
{
    return Endpoint::ipv4(10, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number),
                          7'891);
}

/// An agent that answers "re: " and the question.
struct Desk
{
    explicit Desk(unsigned char fleet = 1)
        : desk(fleetOf(fleet), own, random, [this](const Endpoint& from, ByteView question) {
            questions.push_back(toText(question));
            sources.push_back(from);
            return isSilent ? Bytes() : toBytes("re: " + toText(question));
        })
    {
    }
    SeededRandom random{7};
    crypto::LinkKeyPair own = crypto::LinkKeyPair::generate(random);
    std::vector<std::string> questions;
    std::vector<Endpoint> sources;
    bool isSilent = false;
    JoinDesk desk;
};

struct Device
{
    explicit Device(const Desk& desk, unsigned char fleet = 1, std::uint64_t seed = 3)
        : random(seed)
        , asker(fleetOf(fleet), desk.own.publicKey(), random)
    {
    }
    SeededRandom random;
    JoinAsker asker;
    Bytes ask(std::string_view question) { return asker.ask(viewOf(question)).value(); }
};

const Instant kStart = Instant(1h);

std::string answerIn(const JoinAsker::Heard& heard)
{
    return heard.answer ? toText(*heard.answer) : std::string("(none)");
}

} // namespace

class TestJoinChannel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    void answersAQuestion()
    {
        Desk desk;
        Device device(desk);
        const Bytes question = device.ask("let me in");
        QCOMPARE(question.size(), kHelloBytes);
        QVERIFY(JoinDesk::isJoin(question));
        const auto answer = desk.desk.onDatagram(hostOf(1), question, kStart);
        QVERIFY(answer);
        QCOMPARE(desk.questions, std::vector<std::string>{"let me in"});
        QVERIFY(desk.sources.front() == hostOf(1));
        QCOMPARE(answerIn(device.asker.onDatagram(*answer)), std::string("re: let me in"));
        // It is over: the same again is nobody's.
        QCOMPARE(answerIn(device.asker.onDatagram(*answer)), std::string("(none)"));
    }

    void neverAnswersWithMoreThanItGot()
    {
        Desk desk;
        Device device(desk);
        const std::string longest(kMaxQuestionBytes, 'q');
        const auto answer = desk.desk.onDatagram(hostOf(1), device.ask(longest), kStart);
        QVERIFY(answer && answer->size() <= kHelloBytes);
        QCOMPARE(answerIn(device.asker.onDatagram(*answer)).size(), kMaxQuestionBytes + 4);
        static_assert(kMaxQuestionBytes + 4 <= kMaxAnswerBytes);
    }

    void isSilentToStrangers() // of security case 26: whoever does not know the fleet
    {
        Desk desk;
        Device stranger(desk, 2);
        QVERIFY(!desk.desk.onDatagram(hostOf(1), stranger.ask("let me in"), kStart));
        Device device(desk);
        const Bytes right = device.ask("let me in");
        for (const std::size_t at : {std::size_t{0}, std::size_t{5}, std::size_t{20}, kHelloBytes - 1}) {
            Bytes damaged = right;
            damaged[at] ^= std::byte{1};
            QVERIFY(!desk.desk.onDatagram(hostOf(1), damaged, kStart));
        }
        for (const std::size_t size : {std::size_t{0}, std::size_t{2}, kHelloBytes - 1}) {
            QVERIFY(!desk.desk.onDatagram(hostOf(1), ByteView(right).first(size), kStart));
        }
        Bytes longer = right;
        longer.push_back(std::byte{0});
        QVERIFY(!desk.desk.onDatagram(hostOf(1), longer, kStart));
        QVERIFY(desk.questions.empty());
        QVERIFY(desk.desk.onDatagram(hostOf(1), right, kStart));
    }

    void aQuestionForAnotherAgentsKeyIsNotUnderstood()
    {
        Desk desk;
        SeededRandom random(99);
        const crypto::LinkKeyPair other = crypto::LinkKeyPair::generate(random);
        JoinAsker device(fleetOf(1), other.publicKey(), random);
        QVERIFY(!desk.desk.onDatagram(hostOf(1), device.ask(viewOf("let me in")).value(), kStart));
        QVERIFY(desk.questions.empty());
        QCOMPARE(desk.desk.stats().malformed, std::uint64_t{1});
    }

    void anImpostorsAnswerIsIgnoredAndTheRightOneStillComes()
    {
        Desk desk;
        Desk impostor;
        impostor.own = crypto::LinkKeyPair::generate(desk.random);
        Device device(desk);
        const Bytes question = device.ask("let me in");
        const auto right = desk.desk.onDatagram(hostOf(1), question, kStart);
        QVERIFY(!impostor.desk.onDatagram(hostOf(1), question, kStart));
        for (std::size_t at = 0; at < right->size(); ++at) {
            Bytes forged = *right;
            forged[at] ^= std::byte{1};
            QCOMPARE(answerIn(device.asker.onDatagram(forged)), std::string("(none)"));
            QCOMPARE(answerIn(device.asker.onDatagram(ByteView(*right).first(at))), std::string("(none)"));
        }
        QCOMPARE(answerIn(device.asker.onDatagram(*right)), std::string("re: let me in"));
    }

    void aLostQuestionOrAnswerIsMendedByAskingAgain()
    {
        Desk desk;
        Device device(desk);
        device.ask("first"); // lost
        const auto late = desk.desk.onDatagram(hostOf(1), device.ask("second"), kStart); // its answer is late
        const auto answer = desk.desk.onDatagram(hostOf(1), device.ask("third"), kStart + 1s);
        QVERIFY(late && answer);
        QCOMPARE(answerIn(device.asker.onDatagram(*late)), std::string("(none)"));
        QCOMPARE(answerIn(device.asker.onDatagram(*answer)), std::string("re: third"));
    }

    void aReplayedQuestionIsAnsweredToNobodysUse()
    {
        Desk desk;
        Device device(desk);
        const Bytes question = device.ask("let me in");
        const auto first = desk.desk.onDatagram(hostOf(1), question, kStart);
        const auto again = desk.desk.onDatagram(hostOf(2), question, kStart);
        QVERIFY(first && again && *first != *again); // under another ephemeral key
        QVERIFY(again->size() <= question.size());
        Device thief(desk, 1, 4);
        thief.ask("let me in");
        QCOMPARE(answerIn(thief.asker.onDatagram(*again)), std::string("(none)"));
    }

    void takesOneQuestionASecondOfEachAddress()
    {
        Desk desk;
        Device device(desk);
        QVERIFY(desk.desk.onDatagram(hostOf(1), device.ask("1"), kStart));
        QVERIFY(!desk.desk.onDatagram(hostOf(1), device.ask("2"), kStart + 999ms));
        Endpoint otherPort = hostOf(1);
        otherPort.port = 1;
        QVERIFY(!desk.desk.onDatagram(otherPort, device.ask("3"), kStart + 999ms));
        QVERIFY(desk.desk.onDatagram(hostOf(2), device.ask("4"), kStart + 999ms));
        QVERIFY(desk.desk.onDatagram(hostOf(1), device.ask("5"), kStart + 1s));
        QCOMPARE(desk.desk.stats().tooOften, std::uint64_t{2});
    }

    void aFloodMustShowCookiesAndIsBounded()
    {
        Desk desk;
        Device device(desk);
        std::size_t bytesIn = 0, bytesOut = 0, answered = 0;
        for (unsigned i = 0; i < 2'000; ++i) {
            const Bytes question = device.ask("flood");
            const auto reply = desk.desk.onDatagram(hostOf(i), question, kStart);
            bytesIn += question.size();
            bytesOut += reply ? reply->size() : 0;
            answered += desk.desk.stats().answered > answered ? 1 : 0;
        }
        QCOMPARE(answered, std::size_t{Doorkeeper::kFreePerSecond});
        QCOMPARE(desk.questions.size(), std::size_t{Doorkeeper::kFreePerSecond});
        QVERIFY(desk.desk.stats().cookiesAsked > 1'000);
        QVERIFY(bytesOut < bytesIn / 10);
        // An honest device echoes the cookie, and is answered in the midst of it.
        const auto cookie = desk.desk.onDatagram(hostOf(5'000), device.ask("honest"), kStart);
        QVERIFY(cookie);
        const auto heard = device.asker.onDatagram(*cookie);
        QVERIFY(heard.send && !heard.answer);
        QVERIFY(!device.asker.onDatagram(*cookie).send); // once for each question
        QVERIFY(!desk.desk.onDatagram(hostOf(5'001), *heard.send, kStart)
                || desk.questions.back() != "honest"); // good for its own address only
        const auto answer = desk.desk.onDatagram(hostOf(5'000), *heard.send, kStart);
        QVERIFY(answer);
        QCOMPARE(answerIn(device.asker.onDatagram(*answer)), std::string("re: honest"));
    }

    void manySourcesCostBoundedMemory()
    {
        Desk desk;
        Device device(desk);
        // Slowly enough that none has to show a cookie, fast enough that all fit one second of memory.
        for (unsigned i = 0; i < 3'000; ++i) {
            const Instant now = kStart + i * 40ms;
            QVERIFY(desk.desk.onDatagram(hostOf(i), device.ask("x"), now));
        }
        QCOMPARE(desk.questions.size(), std::size_t{3'000});
    }

    void silenceIsPossible()
    {
        Desk desk;
        desk.isSilent = true;
        Device device(desk);
        QVERIFY(!desk.desk.onDatagram(hostOf(1), device.ask("x"), kStart));
        QCOMPARE(desk.questions.size(), std::size_t{1});
    }

    void refusesAContactKeyThatMakesNoSecret()
    {
        SeededRandom random(1);
        JoinAsker asker(fleetOf(1), LinkKey(), random);
        QCOMPARE(asker.ask(viewOf("x")).error().code, Errc::Refused);
        QVERIFY(!asker.onDatagram(Bytes(64)).answer);
    }
};

QTEST_GUILESS_MAIN(TestJoinChannel)
#include "tst_join_channel.moc"
