// SPDX-License-Identifier: Apache-2.0
#include "link/framing.h"

#include <QtTest>

using namespace starling;
using namespace starling::link;

namespace {

/// As long as said, and beginning as ours do.
Bytes datagram(std::size_t size, unsigned char filling = 7)
{
    Bytes bytes(size, std::byte{filling});
    bytes[0] = std::byte{0x82};
    return bytes;
}

/// All that a reader gives, piece by piece of `piece` bytes.
std::vector<Bytes> cut(ByteView stream, std::size_t piece)
{
    StreamReader reader;
    std::vector<Bytes> datagrams;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
        reader.push(stream.subspan(at, std::min(piece, stream.size() - at)));
        for (auto next = reader.next(); next && *next; next = reader.next())
            datagrams.push_back(toBytes(**next));
    }
    return datagrams;
}

} // namespace

class TestLinkFraming : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void givesBackWhatWasFramed()
    {
        const std::vector<Bytes> all{datagram(kMinFramedBytes, 1), datagram(kHelloBytes, 2),
                                     datagram(kMaxFramedBytes, 3)};
        Bytes stream;
        for (const Bytes& one : all)
            append(stream, framed(one));
        for (const std::size_t piece : {std::size_t(1), std::size_t(2), std::size_t(3), std::size_t(1'187),
                                        stream.size() - 1, stream.size()})
            QVERIFY(cut(stream, piece) == all);
    }

    void keepsLessThanOneDatagram()
    {
        StreamReader reader;
        Bytes stream = framed(datagram(kMaxFramedBytes));
        append(stream, ByteView(stream).first(kMaxFramedBytes));
        for (int i = 0; i < 100; ++i) {
            reader.push(ByteView(stream).first(kMaxFramedBytes + kFrameLengthBytes));
            const auto first = reader.next();
            QVERIFY(first && *first);
            const auto second = reader.next();
            QVERIFY(second && !*second);
            QCOMPARE(reader.kept(), std::size_t(0));
        }
        reader.push(ByteView(stream).subspan(kMaxFramedBytes + kFrameLengthBytes));
        QVERIFY(!*reader.next());
        QCOMPARE(reader.kept(), kMaxFramedBytes);
    }

    void knowsStrangersByTheirFirstBytes_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("code");
        const auto row = [](const char* name, const QByteArray& bytes, Errc code) {
            QTest::newRow(name) << bytes << static_cast<int>(code);
        };
        row("HTTP", "GET / HTTP/1.1\r\n", Errc::TooLarge);
        row("HTTP, two bytes", "GE", Errc::TooLarge);
        row("TLS", QByteArray::fromHex("160301"), Errc::TooLarge);
        row("SSH", "SSH-2.0-", Errc::TooLarge);
        row("BitTorrent",
            "\x13"
            "BitTorrent protocol",
            Errc::TooLarge);
        row("one byte too many", QByteArray::fromHex("0501"), Errc::TooLarge);
        row("zeros", QByteArray::fromHex("0000"), Errc::Truncated);
        row("one byte too few", QByteArray::fromHex("0022"), Errc::Truncated);
        row("another version", QByteArray::fromHex("04a283"), Errc::UnsupportedFormat);
        row("STUN", QByteArray::fromHex("04a200"), Errc::UnsupportedFormat);
    }
    void knowsStrangersByTheirFirstBytes()
    {
        QFETCH(const QByteArray, bytes);
        QFETCH(const int, code);
        StreamReader reader;
        reader.push(std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
        const auto next = reader.next();
        QVERIFY(!next);
        QCOMPARE(static_cast<int>(next.error().code), code);
        QVERIFY(!reader.next()); // and nothing mends it
    }
};

QTEST_GUILESS_MAIN(TestLinkFraming)
#include "tst_link_framing.moc"
