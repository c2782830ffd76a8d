// SPDX-License-Identifier: Apache-2.0
#include "link/frame.h"

#include <QtTest>

using namespace starling;
using namespace starling::link;

namespace {

const Bytes kPayload = toBytes(std::string_view("payload"));

std::vector<Frame> oneOfEach()
{
    std::array<std::byte, NodeId::kSize> id{};
    id[3] = std::byte{7};
    Ack ack{10, 20, {}};
    ack.beyond[0] = ack.beyond[9] = ack.beyond[kReceiveWindow - 1] = true;
    return {
        {Token{}, Token{2}, Hello{NodeId(id)}},
        {Token{1}, Token{2}, HelloAck{NodeId(id)}},
        {Token{1}, Token{2}, Data{5, 6, true, false, kPayload}},
        {Token{1}, Token{2}, Data{5, 6, false, true, {}}},
        {Token{1}, Token{2}, Ack{10, 20, {}}},
        {Token{1}, Token{2}, ack},
        {Token{1}, Token{2}, Ping{~0ull}},
        {Token{1}, Token{2}, Pong{3}},
        {Token{1}, Token{2}, Bye{Bye::Reason::Unknown}},
    };
}

} // namespace

class TestLinkFrame : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void parsesWhatItSerializes()
    {
        for (const Frame& frame : oneOfEach()) {
            const Bytes bytes = serialize(frame);
            const auto parsed = parse(bytes);
            QVERIFY(parsed);
            QVERIFY(parsed->to == frame.to && parsed->from == frame.from);
            QCOMPARE(parsed->body.index(), frame.body.index());
            QVERIFY(serialize(*parsed) == bytes);
        }
        const Bytes bytes = serialize(oneOfEach()[2]);
        const auto parsed = parse(bytes);
        const auto& data = std::get<Data>(parsed->body);
        QCOMPARE(data.sequence, std::uint64_t(5));
        QCOMPARE(data.transmission, std::uint64_t(6));
        QVERIFY(data.isLast && !data.wantsAck);
        QVERIFY(toBytes(data.payload) == kPayload);
    }

    void isLaidOutAsTheDiagramSays()
    {
        const Bytes bytes =
            serialize({Token{0x0102030405060708}, Token{0x1112131415161718}, Ping{0x2122232425262728}});
        Bytes withoutChecksum = bytes;
        std::fill_n(withoutChecksum.begin() + 2, 4, std::byte{});
        QCOMPARE(toHex(withoutChecksum),
                 std::string("81050000000001020304050607081112131415161718"
                             "2122232425262728"));
        QCOMPARE(serialize(oneOfEach()[0]).size(), kHelloBytes);
        QCOMPARE(serialize(oneOfEach()[3]).size(), kDataOverheadBytes);
    }

    void ignoresTrailingBytes()
    {
        for (const Frame& frame : oneOfEach()) {
            const Bytes bytes = serialize(frame);
            Bytes longer = bytes;
            append(longer, kPayload);
            QVERIFY2(!parse(longer), "the checksum covers all of the datagram");
            writeChecksum(longer);
            const auto parsed = parse(longer);
            QVERIFY(parsed);
            QVERIFY(serialize(*parsed) == bytes);
        }
    }

    void refusesEveryTruncation()
    {
        for (const Frame& frame : oneOfEach()) {
            const Bytes whole = serialize(frame);
            for (std::size_t size = 0; size < whole.size(); ++size) {
                Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
                writeChecksum(bytes);
                const auto parsed = parse(bytes);
                QVERIFY(!parsed);
                QVERIFY(parsed.error().code == Errc::Truncated);
            }
        }
    }

    void refusesEveryFlippedBit()
    {
        for (const Frame& frame : oneOfEach()) {
            const Bytes whole = serialize(frame);
            for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
                Bytes bytes = whole;
                bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
                QVERIFY(!parse(bytes));
            }
        }
    }

    void namesWhatIsWrong_data()
    {
        QTest::addColumn<int>("at");
        QTest::addColumn<int>("value");
        QTest::addColumn<int>("code");
        QTest::newRow("another version") << 0 << 0x82 << int(Errc::UnsupportedFormat);
        QTest::newRow("type 0") << 1 << 0 << int(Errc::UnsupportedFormat);
        QTest::newRow("type 8") << 1 << 8 << int(Errc::UnsupportedFormat);
        QTest::newRow("no receiver's token") << 13 << 0 << int(Errc::Malformed);
        QTest::newRow("no sender's token") << 21 << 0 << int(Errc::Malformed);
        QTest::newRow("too many bits") << 38 << 33 << int(Errc::Malformed);
        QTest::newRow("fewer bits than counted") << 38 << 1 << int(Errc::Truncated);
    }

    void namesWhatIsWrong()
    {
        QFETCH(int, at);
        QFETCH(int, value);
        QFETCH(int, code);
        Bytes bytes = serialize({Token{1}, Token{2}, Ack{10, 20, {}}});
        QVERIFY(parse(bytes));
        bytes[static_cast<std::size_t>(at)] = static_cast<std::byte>(value);
        QVERIFY2(parse(bytes).error().code == (at == 0 ? Errc::UnsupportedFormat : Errc::Malformed),
                 "checksum");
        writeChecksum(bytes);
        const auto parsed = parse(bytes);
        QVERIFY(!parsed);
        QCOMPARE(int(parsed.error().code), code);
    }
};

QTEST_GUILESS_MAIN(TestLinkFrame)
#include "tst_link_frame.moc"
