// SPDX-License-Identifier: Apache-2.0
#include "nat/stun_client.h"

#include "base/assert.h"

#include <QtTest>

using namespace starling;
using namespace starling::nat;
using namespace std::chrono_literals;

namespace {

const Endpoint kServer = Endpoint::ipv4(198, 51, 100, 1, 3478);
const Endpoint kOther = Endpoint::ipv4(198, 51, 100, 2, 3479);
const Endpoint kMapped = Endpoint::ipv4(192, 0, 2, 1, 40000);
constexpr Socket kSecond{1};

template <class T> const T* only(const std::vector<StunClient::Output>& outputs)
{
    return outputs.size() == 1 ? std::get_if<T>(&outputs.front()) : nullptr;
}

/// A client that asked one question.
struct Asked
{
    explicit Asked(StunQuestion question = {kServer, kMainSocket, {}, {}, {}, {}, {}})
    {
        const auto begun = client.ask(question, outputs);
        STARLING_ASSERT(begun);
        id = *begun;
    }

    StunMessage success() const
    {
        StunMessage answer;
        answer.kind = StunClass::Success;
        answer.id = id;
        answer.xorMapped = kMapped;
        return answer;
    }
    std::vector<StunClient::Output> give(const StunMessage& message, const Endpoint& from = kServer,
                                         Socket at = kMainSocket)
    {
        const Bytes bytes = serialize(message);
        return client.handle(DatagramReceived{at, from, bytes});
    }

    SeededRandom random{1};
    StunClient client{random};
    std::vector<StunClient::Output> outputs;
    TransactionId id{};
};

} // namespace

class TestStunClient : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void asksAndHandsOnTheAnswer()
    {
        Asked asked;
        const auto& sent = std::get<SendDatagram>(asked.outputs.at(0));
        QVERIFY(sent.to == kServer && sent.by == kMainSocket);
        const auto request = parseStun(sent.bytes);
        QVERIFY(request);
        QVERIFY(request->kind == StunClass::Request && request->hasFingerprint);
        QVERIFY(request->id == asked.id);
        const auto outputs = asked.give(asked.success());
        const auto* answered = only<StunAnswered>(outputs);
        QVERIFY(answered);
        QVERIFY(answered->id == asked.id);
        QVERIFY(answered->answer);
        QVERIFY(answered->answer->xorMapped == kMapped);
        QVERIFY(asked.give(asked.success()).empty()); // once
    }

    void asksForTheWayOfTheAnswer()
    {
        StunQuestion question{kServer,     kSecond, ChangeRequest{true, false}, std::uint16_t(9), kOther,
                              kMainSocket, {}};
        Asked asked(question);
        const auto& sent = std::get<SendDatagram>(asked.outputs.at(0));
        QVERIFY(sent.by == kSecond);
        const auto request = parseStun(sent.bytes);
        QVERIFY(request->change == (ChangeRequest{true, false}));
        QCOMPARE(*request->responsePort, std::uint16_t(9));
        QVERIFY(asked.give(asked.success()).empty());
        QVERIFY(asked.give(asked.success(), kOther, kSecond).empty());
        QVERIFY(only<StunAnswered>(asked.give(asked.success(), kOther)));
    }

    void sendsAgainWhenTheStandardSays()
    {
        Asked asked;
        std::vector<Duration> sentAt;
        Duration now{};
        std::optional<Errc> end;
        std::vector<StunClient::Output> outputs = asked.outputs;
        while (!end) {
            std::optional<ScheduleTimer> timer;
            for (const auto& output : outputs) {
                if (std::holds_alternative<SendDatagram>(output))
                    sentAt.push_back(now);
                else if (const auto* answered = std::get_if<StunAnswered>(&output))
                    end = answered->answer.error().code;
                else
                    timer = std::get<ScheduleTimer>(output);
            }
            if (!timer)
                break;
            now += timer->delay;
            outputs = asked.client.handle(timer->timer);
        }
        // RFC 8489 section 6.2.1
        QCOMPARE(sentAt, (std::vector<Duration>{0ms, 500ms, 1500ms, 3500ms, 7500ms, 15500ms, 31500ms}));
        QVERIFY(end == Errc::Timeout);
        QVERIFY(now == 39500ms);
        QCOMPARE(asked.client.stats().sent, std::uint64_t(7));
    }

    void ignoresStaleTimers()
    {
        Asked asked;
        const StunTimer timer = std::get<ScheduleTimer>(asked.outputs.at(1)).timer;
        QCOMPARE(asked.client.handle(timer).size(), std::size_t(2));
        QVERIFY(asked.client.handle(timer).empty());
        asked.give(asked.success());
        QVERIFY(asked.client.handle(StunTimer{asked.id, 2}).empty());
    }

    void ignoresForgedAnswers()
    {
        Asked asked;
        StunMessage other = asked.success();
        other.id[3] ^= std::byte{1};
        QVERIFY(asked.give(other).empty());
        QVERIFY(asked.give(asked.success(), kOther).empty());
        Endpoint otherPort = kServer;
        ++otherPort.port;
        QVERIFY(asked.give(asked.success(), otherPort).empty());
        QVERIFY(asked.give(asked.success(), kServer, kSecond).empty());
        StunMessage request = asked.success();
        request.kind = StunClass::Request;
        QVERIFY(asked.give(request).empty());
        Bytes bytes = serialize(asked.success());
        bytes.pop_back();
        QVERIFY(asked.client.handle(DatagramReceived{kMainSocket, kServer, bytes}).empty());
        QCOMPARE(asked.client.stats().ignored, std::uint64_t(6));
        QVERIFY(only<StunAnswered>(asked.give(asked.success())));
    }

    void saysWhatTheServerRefused()
    {
        Asked asked({kServer, kMainSocket, ChangeRequest{true, true}, {}, kOther, {}, {}});
        StunMessage refusal;
        refusal.kind = StunClass::Error;
        refusal.id = asked.id;
        refusal.error = StunError{420, "no"};
        const auto outputs = asked.give(refusal); // by the plain way
        const auto* answered = only<StunAnswered>(outputs);
        QVERIFY(answered);
        QVERIFY(!answered->answer);
        QCOMPARE(answered->answer.error().code, Errc::Refused);
    }

    void doesNotTakeAnAnswerThatItDoesNotUnderstand()
    {
        Asked asked;
        Bytes bytes = serialize(asked.success());
        append(bytes, *fromHex("00240000"));
        bytes[3] = static_cast<std::byte>(bytes.size() - kStunHeaderBytes);
        const auto outputs = asked.client.handle(DatagramReceived{kMainSocket, kServer, bytes});
        const auto* answered = only<StunAnswered>(outputs);
        QVERIFY(answered);
        QCOMPARE(answered->answer.error().code, Errc::UnsupportedFormat);
    }

    void hasOnlySoManyTransactions()
    {
        Asked asked;
        std::vector<StunClient::Output> outputs;
        const StunQuestion question{kServer, kMainSocket, {}, {}, {}, {}, {}};
        for (std::size_t i = 1; i < StunClient::kMaxTransactions; ++i)
            QVERIFY(asked.client.ask(question, outputs));
        const auto refused = asked.client.ask(question, outputs);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, Errc::Busy);
        asked.client.forget(asked.id);
        QVERIFY(asked.client.ask(question, outputs));
        QVERIFY(asked.give(asked.success()).empty());
    }
};

QTEST_APPLESS_MAIN(TestStunClient)
#include "tst_stun_client.moc"
