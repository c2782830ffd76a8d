// SPDX-License-Identifier: Apache-2.0
#include "nat/stun_server.h"

#include <QtTest>

using namespace starling;
using namespace starling::nat;

namespace {

const Endpoint kClient = Endpoint::ipv4(192, 0, 2, 1, 40000);
const Endpoint kPrimary = Endpoint::ipv4(198, 51, 100, 1, 3478);
const Endpoint kAlternate = Endpoint::ipv4(198, 51, 100, 2, 3479);
const Instant kStart{std::chrono::hours(1)};

StunServer::Config withAlternate()
{
    StunServer::Config config;
    config.primary = kPrimary;
    config.alternate = kAlternate;
    return config;
}

StunMessage request()
{
    StunMessage message;
    message.id[0] = std::byte{7};
    message.hasFingerprint = true;
    return message;
}

std::optional<SendDatagram> give(StunServer& server, const StunMessage& message, Socket at = kMainSocket,
                                 const Endpoint& from = kClient, Instant now = kStart)
{
    const Bytes bytes = serialize(message);
    return server.handle({at, from, bytes}, now);
}

std::optional<SendDatagram> giveBytes(StunServer& server, ByteView bytes, const Endpoint& from = kClient)
{
    return server.handle({kMainSocket, from, bytes}, kStart);
}

Endpoint with(Endpoint address, std::uint16_t port)
{
    address.port = port;
    return address;
}

} // namespace

class TestStunServer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tellsWhereARequestCameFrom()
    {
        StunServer server({});
        const auto sent = give(server, request());
        QVERIFY(sent);
        QVERIFY(sent->to == kClient && sent->by == kMainSocket);
        const auto answer = parseStun(sent->bytes);
        QVERIFY(answer);
        QVERIFY(answer->kind == StunClass::Success);
        QVERIFY(answer->id == request().id);
        QVERIFY(answer->xorMapped == kClient);
        QVERIFY(answer->hasFingerprint);
        QVERIFY(!answer->other && !answer->responseOrigin && !answer->mapped);
        QCOMPARE(server.stats().answered, std::uint64_t(1));
        QVERIFY(sent->bytes.size() <= 40); // of 28: there is little to be gained by forging requests

        const Endpoint ipv6{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 5};
        QVERIFY(parseStun(give(server, request(), kMainSocket, ipv6)->bytes)->xorMapped == ipv6);
    }

    void leavesTheFingerprintOutWhereThereWasNone()
    {
        StunServer server({});
        StunMessage plain = request();
        plain.hasFingerprint = false;
        QVERIFY(!parseStun(give(server, plain)->bytes)->hasFingerprint);
    }

    void answersByTheSocketThatWasAskedFor()
    {
        for (const int at : {0, 1, 2, 3})
            for (const bool address : {false, true})
                for (const bool port : {false, true}) {
                    StunServer server(withAlternate());
                    StunMessage message = request();
                    message.change = ChangeRequest{address, port};
                    const auto sent = give(server, message, static_cast<Socket>(at));
                    QVERIFY(sent);
                    const bool byOtherAddress = (at / 2 == 1) != address;
                    const bool byOtherPort = (at % 2 == 1) != port;
                    QVERIFY(sent->by == stunServerSocket(byOtherAddress, byOtherPort));
                    const auto answer = parseStun(sent->bytes);
                    QVERIFY(answer->mapped == kClient);
                    QVERIFY(answer->responseOrigin
                            == with(byOtherAddress ? kAlternate : kPrimary, byOtherPort ? 3479 : 3478));
                    QVERIFY(answer->other
                            == with(at / 2 == 1 ? kPrimary : kAlternate, at % 2 == 1 ? 3478 : 3479));
                }
    }

    void answersToTheResponsePortOfTheSameAddress()
    {
        StunServer server({});
        StunMessage message = request();
        message.responsePort = std::uint16_t(50000);
        const auto sent = give(server, message);
        QVERIFY(sent->to == with(kClient, 50000));
        QVERIFY(parseStun(sent->bytes)->xorMapped == kClient);
    }

    void answersPaddingByAsMuch()
    {
        StunServer server({});
        StunMessage message = request();
        message.padding = std::uint16_t(1'400);
        const auto sent = give(server, message);
        QCOMPARE(*parseStun(sent->bytes)->padding, std::uint16_t(1'400));
        QVERIFY(sent->bytes.size() < serialize(message).size() + 20);
    }

    void refusesWhatItDoesNotUnderstand()
    {
        StunServer server({});
        // USERNAME, and 0x0024 of ICE
        const auto bytes = fromHex("00010010"
                                   "2112a442"
                                   "0102030405060708090a0b0c"
                                   "0006000461626364"
                                   "0024000400000000");
        const auto sent = giveBytes(server, *bytes);
        QVERIFY(sent);
        const auto answer = parseStun(sent->bytes);
        QVERIFY(answer->kind == StunClass::Error);
        QCOMPARE(answer->error->code, kStunUnknownAttribute);
        QCOMPARE(answer->unknown, (std::vector<std::uint16_t>{0x6, 0x24}));
        QVERIFY(!answer->xorMapped);
        QCOMPARE(server.stats().refused, std::uint64_t(1));
    }

    void refusesToChangeWhatItHasButOneOf()
    {
        StunServer server({});
        StunMessage message = request();
        message.change = ChangeRequest{true, false};
        const auto answer = parseStun(give(server, message)->bytes);
        QCOMPARE(answer->error->code, kStunUnknownAttribute);
        QCOMPARE(answer->unknown, std::vector<std::uint16_t>{3});
    }

    void refusesWhatContradictsItself()
    {
        StunServer server({});
        StunMessage message = request();
        message.padding = std::uint16_t(4);
        message.responsePort = std::uint16_t(9);
        const auto sent = give(server, message);
        QCOMPARE(parseStun(sent->bytes)->error->code, kStunBadRequest);
        QVERIFY(sent->to == kClient);
        message.padding.reset();
        message.responsePort = std::uint16_t(0);
        QCOMPARE(parseStun(give(server, message)->bytes)->error->code, kStunBadRequest);
    }

    void ignoresWhatIsNoRequest()
    {
        StunServer server(withAlternate());
        for (const StunClass kind : {StunClass::Indication, StunClass::Success, StunClass::Error}) {
            StunMessage message = request();
            message.kind = kind;
            QVERIFY(!give(server, message));
        }
        QVERIFY(!giveBytes(server, {}));
        QVERIFY(!giveBytes(server, Bytes(28, std::byte{0x82})));
        Bytes damaged = serialize(request());
        damaged.back() ^= std::byte{1};
        QVERIFY(!giveBytes(server, damaged));
        QCOMPARE(server.stats().ignored, std::uint64_t(6));
    }

    void ignoresRequestsFromNobodyAndFromItself()
    {
        StunServer server(withAlternate());
        const Bytes bytes = serialize(request());
        for (const Endpoint& from :
             {kPrimary, kAlternate, with(kPrimary, 3479), with(kAlternate, 3478), with(kClient, 0),
              Endpoint::ipv4(0, 0, 0, 0, 5), Endpoint::ipv4(224, 0, 0, 1, 5),
              Endpoint::ipv4(255, 255, 255, 255, 5), Endpoint{{}, 5}, Endpoint{{0xff, 2}, 5}})
            QVERIFY2(!giveBytes(server, bytes, from), toString(from).c_str());
        QVERIFY(giveBytes(server, bytes, with(kPrimary, 9)));
    }

    void answersOneSourceOnlySoOften()
    {
        StunServer server({});
        const SourceBounds::Config bounds;
        unsigned answered = 0;
        for (int i = 0; i < 1'000; ++i) // a forger chooses ports
            answered += give(server, request(), kMainSocket, with(kClient, std::uint16_t(1'000 + i))) ? 1 : 0;
        QCOMPARE(answered, unsigned(bounds.burst));
        QVERIFY(give(server, request(), kMainSocket, Endpoint::ipv4(192, 0, 2, 2, 5)));
        QCOMPARE(server.stats().overBounds, std::uint64_t(1'000 - answered));
        QVERIFY(!give(server, request()));
        QVERIFY(give(server, request(), kMainSocket, kClient, kStart + std::chrono::milliseconds(60)));
    }

    void answersAllOnlySoOften()
    {
        SourceBounds bounds({});
        const SourceBounds::Config config;
        unsigned admitted = 0;
        const auto source = [](unsigned i) {
            return Endpoint::ipv4(10, std::uint8_t(i >> 16), std::uint8_t(i >> 8), std::uint8_t(i), 5);
        };
        for (unsigned i = 0; i < 10'000; ++i)
            admitted += bounds.admits(source(i), kStart) ? 1 : 0;
        QCOMPARE(admitted, unsigned(config.burstInAll));
        for (unsigned i = 0; i < 100'000; ++i) // 100 s
            admitted += bounds.admits(source(100'000 + i), kStart + std::chrono::milliseconds(1 + i)) ? 1 : 0;
        QVERIFY(admitted <= config.burstInAll + 100 * config.perSecondInAll + 1);
        QVERIFY(admitted >= 100 * config.perSecondInAll);
        QVERIFY(bounds.sources() <= config.maxSources);
    }

    void countsANetworkOfIpv6AsOneSource()
    {
        SourceBounds bounds({});
        unsigned admitted = 0;
        for (unsigned i = 0; i < 1'000; ++i) {
            Endpoint from{{0x20, 1, 0xd, 0xb8}, 5};
            from.address[14] = std::uint8_t(i >> 8);
            from.address[15] = std::uint8_t(i);
            admitted += bounds.admits(from, kStart) ? 1 : 0;
        }
        QCOMPARE(admitted, unsigned(SourceBounds::Config().burst));
        QVERIFY(bounds.admits(Endpoint{{0x20, 1, 0xd, 0xb9}, 5}, kStart));
        QCOMPARE(bounds.sources(), std::size_t(2));
    }

    void refusesNewSourcesWhileItsTableIsFull()
    {
        SourceBounds::Config config;
        config.maxSources = 2;
        SourceBounds bounds(config);
        QVERIFY(bounds.admits(Endpoint::ipv4(10, 0, 0, 1, 5), kStart));
        QVERIFY(bounds.admits(Endpoint::ipv4(10, 0, 0, 2, 5), kStart));
        QVERIFY(!bounds.admits(Endpoint::ipv4(10, 0, 0, 3, 5), kStart));
        QVERIFY(bounds.admits(Endpoint::ipv4(10, 0, 0, 1, 5), kStart));
        QVERIFY(bounds.admits(Endpoint::ipv4(10, 0, 0, 3, 5), kStart + std::chrono::seconds(1)));
    }

    void acceptsOnlyAConfigurationThatWorks()
    {
        QVERIFY(StunServer::validate({}));
        QVERIFY(StunServer::validate(withAlternate()));
        StunServer::Config config;
        config.alternate = kAlternate;
        QVERIFY(!StunServer::validate(config));
        config.primary = with(kAlternate, 1);
        QVERIFY(!StunServer::validate(config));
        config.primary = with(kPrimary, kAlternate.port);
        QVERIFY(!StunServer::validate(config));
        config.primary = Endpoint{{0x20, 1, 0xd, 0xb8}, 1};
        QVERIFY(!StunServer::validate(config));
    }
};

QTEST_APPLESS_MAIN(TestStunServer)
#include "tst_stun_server.moc"
