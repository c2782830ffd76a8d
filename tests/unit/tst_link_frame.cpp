// SPDX-License-Identifier: Apache-2.0
#include "link/frame.h"

#include <QtTest>

using namespace starling;
using namespace starling::link;

namespace {

const Bytes kPayload = toBytes(std::string_view("payload"));

Bytes bytesOf(const Frame& frame)
{
    ByteWriter writer;
    write(writer, frame);
    return writer.take();
}

std::vector<Frame> oneOfEach()
{
    Ack ack{10, 20, {}};
    ack.beyond[0] = ack.beyond[9] = ack.beyond[kReceiveWindow - 1] = true;
    return {
        Data{5, 6, true, false, kPayload},
        Data{5, 6, false, true, {}},
        Ack{10, 20, {}},
        ack,
        Ping{~0ull},
        Pong{3},
        Bye{},
        PathChallenge{~0ull},
        PathResponse{7},
        Unreliable{},
        Unreliable{kPayload},
        Unreliable{kPayload, true},
        Forward{1, kPayload},
        Forwarded{2, kPayload},
        Seek{3},
        Seen{4},
        NotForwarded{5, NotForwarded::Reason::Quota},
        Candidates{6, true, {Endpoint::ipv4(192, 0, 2, 1, 7891), Endpoint()}},
        Candidates{},
        Go{7},
    };
}

const Endpoint kSeen = Endpoint::ipv4(192, 0, 2, 1, 7891);

} // namespace

class TestLinkFrame : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void parsesWhatItWrites()
    {
        for (const Frame& frame : oneOfEach()) {
            const Bytes bytes = bytesOf(frame);
            const auto parsed = parseFrame(bytes);
            QVERIFY(parsed);
            QCOMPARE(parsed->index(), frame.index());
            QVERIFY(bytesOf(*parsed) == bytes);
        }
        const Bytes bytes = bytesOf(oneOfEach()[0]);
        const auto parsed = parseFrame(bytes);
        const auto& data = std::get<Data>(*parsed);
        QCOMPARE(data.sequence, std::uint64_t(5));
        QCOMPARE(data.transmission, std::uint64_t(6));
        QVERIFY(data.isLast && !data.wantsAck);
        QVERIFY(toBytes(data.payload) == kPayload);
    }

    void isLaidOutAsTheTableSays()
    {
        QCOMPARE(toHex(bytesOf(Ping{0x2122232425262728})), std::string("032122232425262728"));
        QCOMPARE(toHex(bytesOf(PathChallenge{1})), std::string("060000000000000001"));
        QCOMPARE(toHex(bytesOf(PathResponse{2})), std::string("070000000000000002"));
        QCOMPARE(toHex(bytesOf(Unreliable{kPayload})), std::string("0800077061796c6f6164"));
        QCOMPARE(toHex(bytesOf(Unreliable{kPayload, true})), std::string("2000077061796c6f6164"));
        QCOMPARE(bytesOf(Unreliable{}).size(), kUnreliableOverheadBytes);
        QCOMPARE(toHex(bytesOf(Data{1, 2, true, false, kPayload})),
                 std::string("01000000000000000100000000000000020100077061796c6f6164"));
        QCOMPARE(bytesOf(Data{}).size(), kDataOverheadBytes);
        QCOMPARE(toHex(bytesOf(Ping{1, kSeen})),
                 std::string("030000000000000001"
                             "00000000000000000000ffffc0000201"
                             "1ed3"));
        QCOMPARE(toHex(bytesOf(Forward{1, kPayload})), std::string("09000000000000000100077061796c6f6164"));
        QCOMPARE(bytesOf(Forward{}).size(), kForwardOverheadBytes);
        QCOMPARE(toHex(bytesOf(Candidates{6, true, {kSeen}})),
                 std::string("0e060101"
                             "00000000000000000000ffffc0000201"
                             "1ed3"));
        QCOMPARE(toHex(bytesOf(Go{7})), std::string("0f07"));
    }

    /// An earlier version says none, and ignores it.
    void tellsAnAddressWithPingAndPong()
    {
        for (const Frame& frame : {Frame(Ping{1, kSeen}), Frame(Pong{2, kSeen})}) {
            const Bytes bytes = bytesOf(frame);
            const auto parsed = parseFrame(bytes);
            QVERIFY(parsed && bytesOf(*parsed) == bytes);
            const auto cut = parseFrame(ByteView(bytes).first(bytes.size() - 1));
            QVERIFY(cut && bytesOf(*cut) == Bytes(bytes.begin(), bytes.begin() + 9));
        }
    }

    void refusesTooManyCandidates()
    {
        Bytes bytes = bytesOf(Candidates{1, false, std::vector<Endpoint>(kMaxNamedCandidates)});
        QVERIFY(parseFrame(bytes));
        bytes[3] = std::byte{kMaxNamedCandidates + 1};
        const auto parsed = parseFrame(bytes);
        QVERIFY(!parsed && parsed.error().code == Errc::TooLarge);
    }

    void ignoresTrailingBytes()
    {
        for (const Frame& frame : oneOfEach()) {
            const Bytes bytes = bytesOf(frame);
            Bytes longer = bytes;
            append(longer, kPayload);
            const auto parsed = parseFrame(longer);
            QVERIFY(parsed);
            QVERIFY(bytesOf(*parsed) == bytes);
        }
    }

    void tellsOfPortsThatComeNext()
    {
        const Candidates told{7, false, {kSeen}, PortForecast{kSeen, 2}};
        const Bytes whole = bytesOf(told);
        const auto parsed = parseFrame(whole);
        QVERIFY(parsed && std::get<Candidates>(*parsed) == told);
        QVERIFY(bytesOf(*parsed) == whole);
        const std::size_t without = bytesOf(Candidates{7, false, {kSeen}}).size();
        QCOMPARE(whole.size(), without + 19);
        for (std::size_t size = without; size < whole.size(); ++size) {
            const auto cut = parseFrame(ByteView(whole).first(size));
            QVERIFY(cut && !std::get<Candidates>(*cut).forecast);
        }
        for (const unsigned step : {0u, kMaxForecastStep + 1u, 255u}) {
            Bytes wrong = whole;
            wrong.back() = static_cast<std::byte>(step);
            const auto other = parseFrame(wrong);
            QVERIFY(other && !std::get<Candidates>(*other).forecast);
        }
    }

    void refusesEveryTruncation()
    {
        for (const Frame& frame : oneOfEach()) {
            const Bytes whole = bytesOf(frame);
            for (std::size_t size = 0; size < whole.size(); ++size) {
                const auto parsed = parseFrame(ByteView(whole).first(size));
                QVERIFY(!parsed);
                QVERIFY(parsed.error().code == Errc::Truncated);
            }
        }
    }

    void namesWhatIsWrong_data()
    {
        QTest::addColumn<int>("at");
        QTest::addColumn<int>("value");
        QTest::addColumn<int>("code");
        QTest::newRow("kind 0") << 0 << 0 << int(Errc::UnsupportedFormat);
        QTest::newRow("kind 16") << 0 << 16 << int(Errc::UnsupportedFormat);
        QTest::newRow("too many bits") << 17 << 33 << int(Errc::Malformed);
        QTest::newRow("fewer bits than counted") << 17 << 1 << int(Errc::Truncated);
    }

    void namesWhatIsWrong()
    {
        QFETCH(int, at);
        QFETCH(int, value);
        QFETCH(int, code);
        Bytes bytes = bytesOf(Ack{10, 20, {}});
        QVERIFY(parseFrame(bytes));
        bytes[static_cast<std::size_t>(at)] = static_cast<std::byte>(value);
        const auto parsed = parseFrame(bytes);
        QVERIFY(!parsed);
        QCOMPARE(int(parsed.error().code), code);
    }
};

QTEST_GUILESS_MAIN(TestLinkFrame)
#include "tst_link_frame.moc"
