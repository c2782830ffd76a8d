// SPDX-License-Identifier: Apache-2.0
#include "nat/stun_message.h"

#include <QtTest>

using namespace starling;
using namespace starling::nat;

namespace {

Bytes fromHexText(std::string hex)
{
    std::erase(hex, ' ');
    return *fromHex(hex);
}

// RFC 5769 sections 2.1 to 2.3. Their integrity codes are credentials, which are not understood here.
const Bytes kSampleRequest =
    fromHexText("00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74"
                "00240004 6e0001ff 80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020"
                "00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf");
const Bytes kSampleIpv4Response =
    fromHexText("0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220"
                "00200008 0001a147 e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7"
                "80280004 c07d4c96");
const Bytes kSampleIpv6Response =
    fromHexText("01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220"
                "00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9"
                "00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c");

const TransactionId kId = [] {
    TransactionId id{};
    for (std::size_t i = 0; i < id.size(); ++i)
        id[i] = static_cast<std::byte>(i + 1);
    return id;
}();
const Endpoint kIpv4 = Endpoint::ipv4(192, 0, 2, 1, 32853);
const Endpoint kIpv6{
    {0x20, 1, 0xd, 0xb8, 0x12, 0x34, 0x56, 0x78, 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77}, 32853};

/// A request with these attributes, in hexadecimal.
Bytes requestWith(const std::string& attributes)
{
    const Bytes rest = fromHexText(attributes);
    ByteWriter writer;
    writer.u16(1);
    writer.u16(static_cast<std::uint16_t>(rest.size()));
    writer.u32(0x2112a442);
    writer.raw(kId);
    writer.raw(rest);
    return writer.take();
}

std::optional<Errc> refusal(ByteView datagram)
{
    const auto parsed = parseStun(datagram);
    return parsed ? std::nullopt : std::optional(parsed.error().code);
}

std::vector<StunMessage> oneOfEach()
{
    StunMessage request;
    request.id = kId;
    request.change = ChangeRequest{true, false};
    request.responsePort = std::uint16_t(4711);
    request.padding = std::uint16_t(7);
    request.hasFingerprint = true;
    StunMessage success;
    success.kind = StunClass::Success;
    success.id = kId;
    success.xorMapped = kIpv6;
    success.mapped = success.responseOrigin = kIpv4;
    success.other = kIpv6;
    success.software = "somebody";
    StunMessage error;
    error.kind = StunClass::Error;
    error.id = kId;
    error.error = StunError{kStunUnknownAttribute, "What is that?"};
    error.unknown = {0x24, 0x8, 0x77};
    error.hasFingerprint = true;
    StunMessage indication;
    indication.kind = StunClass::Indication;
    return {request, success, error, indication};
}

} // namespace

class TestStunMessage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsTheSamplesOfTheStandard()
    {
        const auto request = parseStun(kSampleRequest);
        QVERIFY(request);
        QVERIFY(request->kind == StunClass::Request);
        QCOMPARE(*request->software, std::string("STUN test client"));
        QVERIFY(request->hasFingerprint);
        // PRIORITY, USERNAME, MESSAGE-INTEGRITY; ICE-CONTROLLED need not be understood.
        QCOMPARE(request->notUnderstood, (std::vector<std::uint16_t>{0x24, 0x6, 0x8}));

        const auto ipv4 = parseStun(kSampleIpv4Response);
        QVERIFY(ipv4);
        QVERIFY(ipv4->kind == StunClass::Success);
        QCOMPARE(*ipv4->software, std::string("test vector"));
        QVERIFY(ipv4->xorMapped == kIpv4);
        const auto ipv6 = parseStun(kSampleIpv6Response);
        QVERIFY(ipv6);
        QVERIFY(ipv6->xorMapped == kIpv6);
        QVERIFY(ipv6->hasFingerprint);
        QVERIFY(ipv6->id == request->id);
    }

    void writesTheSampleOfTheStandardWhereItHasNoCredentials()
    {
        StunMessage message;
        message.kind = StunClass::Success;
        message.id = parseStun(kSampleIpv4Response)->id;
        for (const auto& [endpoint, hex] :
             {std::pair(kIpv4, "002000080001a147e112a643"),
              std::pair(kIpv6, "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9")}) {
            message.xorMapped = endpoint;
            const Bytes bytes = serialize(message);
            QCOMPARE(toHex(ByteView(bytes).subspan(kStunHeaderBytes)), std::string(hex));
        }
    }

    void parsesWhatItWrites()
    {
        for (const StunMessage& message : oneOfEach()) {
            const Bytes bytes = serialize(message);
            QVERIFY(looksLikeStun(bytes));
            QCOMPARE(bytes.size() % 4, std::size_t(0));
            const auto parsed = parseStun(bytes);
            QVERIFY(parsed);
            QVERIFY(*parsed == message);
        }
    }

    void isLaidOutAsTheTableSays()
    {
        StunMessage message;
        message.id = kId;
        message.change = ChangeRequest{true, true};
        message.responsePort = std::uint16_t(0x1234);
        QCOMPARE(toHex(serialize(message)),
                 std::string("000100102112a4420102030405060708090a0b0c"
                             "000300040000000600270004"
                             "12340000"));
        message = {};
        message.kind = StunClass::Error;
        message.error = StunError{420, "x"};
        QCOMPARE(toHex(serialize(message)),
                 std::string("0111000c2112a442000000000000000000000000"
                             "00090005"
                             "0000041478000000"));
    }

    void refusesAFingerprintThatIsNotTheMessages()
    {
        for (const Bytes& sample : {kSampleRequest, kSampleIpv4Response, kSampleIpv6Response})
            for (std::size_t at = 0; at < sample.size(); ++at) {
                Bytes bytes = sample;
                bytes[at] ^= std::byte{0x10};
                const auto parsed = parseStun(bytes);
                // Where the type of FINGERPRINT itself is another one, nothing says that there was one.
                QVERIFY2(!parsed || !parsed->hasFingerprint, qPrintable(QString::number(at)));
            }
        Bytes longer = kSampleIpv4Response;
        append(longer, fromHexText("80220000"));
        longer[3] = std::byte{0x40};
        QCOMPARE(refusal(longer), Errc::Malformed);
    }

    void refusesEveryTruncation()
    {
        for (const StunMessage& message : oneOfEach()) {
            const Bytes bytes = serialize(message);
            for (std::size_t length = 0; length < bytes.size(); ++length)
                QCOMPARE(refusal(ByteView(bytes).first(length)), Errc::Truncated);
        }
    }

    void refusesWhatItIsNotMadeFor_data();
    void refusesWhatItIsNotMadeFor();

    void refusesMoreThanItsLimits()
    {
        QCOMPARE(refusal(Bytes(kMaxStunBytes + 1)), Errc::TooLarge);
        std::string attributes;
        for (std::size_t i = 0; i < kMaxStunAttributes; ++i)
            attributes += "8fff0000";
        QVERIFY(parseStun(requestWith(attributes)));
        QCOMPARE(refusal(requestWith(attributes + "8fff0000")), Errc::TooLarge);
        const auto filled = [](const std::string& header, std::size_t size) {
            return header + toHex(Bytes((size + 3) / 4 * 4));
        };
        QVERIFY(parseStun(requestWith(filled("002605dc", 1'500))));
        QCOMPARE(refusal(requestWith(filled("002605dd", 1'501))), Errc::TooLarge);
        QVERIFY(parseStun(requestWith(filled("802202fb", 763))));
        QCOMPARE(refusal(requestWith(filled("802202fc", 764))), Errc::TooLarge);
    }

    void takesTheFirstOfTwo()
    {
        const auto parsed = parseStun(requestWith("0027000400010000 0027000400020000"));
        QVERIFY(parsed);
        QCOMPARE(*parsed->responsePort, std::uint16_t(1));
    }

    void namesEachAttributeThatItDoesNotUnderstandOnce()
    {
        const auto parsed = parseStun(requestWith("00240000 7fff0000 00240000 80000000"));
        QVERIFY(parsed);
        QCOMPARE(parsed->notUnderstood, (std::vector<std::uint16_t>{0x24, 0x7fff}));
    }

    void ignoresWhatPadsAnAttribute()
    {
        QCOMPARE(*parseStun(requestWith("80220001 41ffffff"))->software, std::string("A"));
        QCOMPARE(*parseStun(requestWith("00270002 1234ffff"))->responsePort, std::uint16_t(0x1234));
    }

    void isToldApartFromWhatSharesItsSocket()
    {
        QVERIFY(looksLikeStun(kSampleRequest));
        for (const int first : {0x82, 0x41, 0xc0, 0x64}) { // links, uTP (by the cookie), "d" of DHT
            Bytes bytes = kSampleRequest;
            bytes[0] = static_cast<std::byte>(first);
            if (first == 0x41 || first == 0x64)
                bytes[4] = std::byte{0};
            QVERIFY(!looksLikeStun(bytes));
        }
        QVERIFY(!looksLikeStun(ByteView(kSampleRequest).first(kStunHeaderBytes - 1)));
    }
};

void TestStunMessage::refusesWhatItIsNotMadeFor_data()
{
    QTest::addColumn<QByteArray>("hex");
    QTest::addColumn<int>("code");
    const auto row = [](const char* name, const std::string& datagram, Errc code) {
        QTest::newRow(name) << QByteArray::fromStdString(datagram) << static_cast<int>(code);
    };
    const std::string id = toHex(kId);
    row("another method",
        "00020000"
        "2112a442"
            + id,
        Errc::UnsupportedFormat);
    row("no magic cookie",
        "00010000"
        "2112a443"
            + id,
        Errc::UnsupportedFormat);
    row("first bits set",
        "80010000"
        "2112a442"
            + id,
        Errc::UnsupportedFormat);
    row("trailing bytes",
        "00010000"
        "2112a442"
            + id + "00000000",
        Errc::Malformed);
    row("odd length",
        "00010002"
        "2112a442"
            + id + "0000",
        Errc::Malformed);
    const auto attribute = [&](const char* name, const std::string& hex, Errc code) {
        row(name, toHex(requestWith(hex)), code);
    };
    attribute("unknown family", "00200008 0003a147 e112a643", Errc::Malformed);
    attribute("IPv4 with 16 bytes", "00200014 0001a147" + std::string(32, '0'), Errc::Malformed);
    attribute("IPv6 with 4 bytes", "00010008 0002a147 e112a643", Errc::Malformed);
    attribute("empty address", "80 2c 0000", Errc::Malformed);
    attribute("long change request", "00030008 00000006 00000000", Errc::Malformed);
    attribute("short change request", "00030002 00060000", Errc::Malformed);
    attribute("long response port", "00270008 12340000 00000000", Errc::Malformed);
    attribute("empty response port", "00270000", Errc::Malformed);
    attribute("error of class 2", "00090004 00000200", Errc::Malformed);
    attribute("error of class 7", "00090004 00000700", Errc::Malformed);
    attribute("error number 100", "00090004 00000464", Errc::Malformed);
    attribute("empty error", "00090000", Errc::Malformed);
    attribute("odd unknown attributes", "000a0003 00240000", Errc::Malformed);
    attribute("short fingerprint", "80280002 00000000", Errc::Malformed);
    attribute("attribute beyond the end", "80220008 41414141", Errc::Truncated);
    attribute("IPv4 in IPv6's family", // ::ffff:1.2.3.4, XORed
              "00200014 0002a147 2112a442 01020304 0506"
              "f8f7"
              "080a0808",
              Errc::Malformed);
}

void TestStunMessage::refusesWhatItIsNotMadeFor()
{
    QFETCH(QByteArray, hex);
    QFETCH(int, code);
    const auto refused = refusal(fromHexText(hex.toStdString()));
    QVERIFY(refused);
    QCOMPARE(static_cast<int>(*refused), code);
}

QTEST_APPLESS_MAIN(TestStunMessage)
#include "tst_stun_message.moc"
