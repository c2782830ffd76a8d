// SPDX-License-Identifier: Apache-2.0
#include "link/channel.h"
#include "link/packet.h"

#include <QtTest>

#include <set>

using namespace starling;
using namespace starling::link;
using namespace std::chrono_literals;

namespace {

const PacketCodec kCodec{FleetId()};

Bytes filled(std::size_t size)
{
    return Bytes(size, std::byte{7});
}

Bytes helloBytes()
{
    Bytes message(32, std::byte{1});
    append(message, helloPayload(Token{0x0102030405060708}));
    Cookie cookie{};
    cookie.fill(std::byte{2});
    return kCodec.serialize(Hello{cookie, message});
}

Channel channelOf(std::string_view sending, std::string_view receiving, Channel::Lifetime lifetime = {})
{
    const Bytes root(32);
    return {{crypto::CipherKey(crypto::deriveKey(root, sending)),
             crypto::CipherKey(crypto::deriveKey(root, receiving))},
            lifetime,
            Instant{}};
}

/// One of each, with the code that its truncations have.
std::vector<Bytes> oneOfEach()
{
    return {helloBytes(), PacketCodec::serialize(Welcome{Token{5}, filled(200)}),
            PacketCodec::serialize(Finish{Token{6}, filled(100)}),
            kCodec.serialize(CookieReply{Token{7}, Cookie{}}),
            channelOf("a", "b").seal(Token{8}, Ping{1}, Instant{})};
}

/// Opens what was sealed, as a receiver that parses it.
Result<Bytes> open(Channel& channel, const Bytes& datagram, Instant now = {})
{
    return channel.open(std::get<Sealed>(kCodec.parse(datagram).value()), now);
}

} // namespace

class TestLinkPacket : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void parsesWhatItSerializes()
    {
        const auto all = oneOfEach();
        for (std::size_t i = 0; i < all.size(); ++i) {
            const auto packet = kCodec.parse(all[i]);
            QVERIFY(packet);
            QCOMPARE(packet->index(), i);
        }
        const auto hello = std::get<Hello>(*kCodec.parse(all[0]));
        QVERIFY(tokenOf(hello) == Token{0x0102030405060708});
        QVERIFY(std::ranges::equal(ephemeralOf(hello).bytes(), Bytes(32, std::byte{1})));
        QVERIFY(hello.cookie[0] == std::byte{2});
        const auto welcome = std::get<Welcome>(*kCodec.parse(all[1]));
        QVERIFY(welcome.to == Token{5} && toBytes(welcome.message) == filled(200));
        QVERIFY(std::get<CookieReply>(*kCodec.parse(all[3])).to == Token{7});
    }

    void isLaidOutAsTheDiagramSays()
    {
        const auto all = oneOfEach();
        QCOMPARE(all[0].size(), kHelloBytes);
        QCOMPARE(toHex(ByteView(all[0]).first(2)), std::string("8201"));
        QCOMPARE(toHex(ByteView(all[1]).first(11)), std::string("8202000000000000000507"));
        QCOMPARE(toHex(ByteView(all[2]).first(11)), std::string("8203000000000000000607"));
        QCOMPARE(all[3].size(), std::size_t(42));
        QCOMPARE(toHex(ByteView(all[4]).first(kSealedHeaderBytes)),
                 std::string("82050000000000000000080000000000000000"));
        QCOMPARE(all[4].size(), std::size_t(44));
    }

    void refusesEveryTruncation()
    {
        const std::size_t least[] = {kHelloBytes, 10 + 96, 10 + 64, 42, kSealedOverheadBytes};
        const auto all = oneOfEach();
        for (std::size_t i = 0; i < all.size(); ++i)
            for (std::size_t size = 0; size < least[i]; ++size) {
                const auto packet = kCodec.parse(ByteView(all[i]).first(size));
                QVERIFY(!packet);
                QVERIFY(packet.error().code == Errc::Truncated);
            }
    }

    void strangersAndFlippedBitsHaveNoCode()
    {
        std::array<std::byte, FleetId::kSize> other{};
        other[0] = std::byte{1};
        const PacketCodec stranger{FleetId(other)};
        const auto all = oneOfEach();
        for (const std::size_t i : {std::size_t(0), std::size_t(3)}) {
            QVERIFY(stranger.parse(all[i]).error().code == Errc::WrongFleet);
            for (std::size_t bit = 16; bit < all[i].size() * 8; bit += 7) {
                Bytes bytes = all[i];
                bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
                QVERIFY(kCodec.parse(bytes).error().code == Errc::WrongFleet);
            }
            Bytes longer = all[i];
            longer.push_back({});
            QVERIFY(kCodec.parse(longer).error().code == Errc::Malformed);
        }
    }

    void refusesOtherVersionsAndTypes()
    {
        Bytes bytes = oneOfEach()[4];
        for (const int type : {0, 6, 255}) {
            bytes[1] = static_cast<std::byte>(type);
            QVERIFY(kCodec.parse(bytes).error().code == Errc::UnsupportedFormat);
        }
        bytes = oneOfEach()[4];
        bytes[0] = std::byte{0x81};
        QVERIFY(kCodec.parse(bytes).error().code == Errc::UnsupportedFormat);
    }

    void opensEachDatagramOnce()
    {
        Channel sender = channelOf("a", "b");
        Channel receiver = channelOf("b", "a");
        const Bytes first = sender.seal(Token{1}, Ping{1}, {});
        const Bytes second = sender.seal(Token{1}, Ping{2}, {});
        QVERIFY(open(receiver, second));
        QVERIFY(open(receiver, first));
        for (const Bytes& again : {first, second})
            QVERIFY(open(receiver, again).error().code == Errc::Refused);
    }

    void authenticatesTheHeader()
    {
        Channel sender = channelOf("a", "b");
        Channel receiver = channelOf("b", "a");
        const Bytes right = sender.seal(Token{1}, Ping{1}, {});
        for (std::size_t bit = 16; bit < right.size() * 8; ++bit) {
            Bytes wrong = right;
            wrong[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
            const auto opened = open(receiver, wrong);
            QVERIFY(!opened);
            QVERIFY(opened.error().code == Errc::BadSignature || opened.error().code == Errc::Refused);
        }
        QVERIFY(open(receiver, right));
    }

    void takesWhatWasOvertakenByAWindowAndNothingOlder()
    {
        Channel sender = channelOf("a", "b");
        std::vector<Bytes> all;
        for (std::uint64_t i = 0; i < 3 * ReplayWindow::kSize; ++i)
            all.push_back(sender.seal(Token{1}, Ping{i}, {}));
        Channel receiver = channelOf("b", "a");
        const std::size_t newest = all.size() - 1;
        QVERIFY(open(receiver, all[newest]));
        QVERIFY(open(receiver, all[newest - ReplayWindow::kSize + 1]));
        QVERIFY(!open(receiver, all[newest - ReplayWindow::kSize]));
        QVERIFY(!open(receiver, all[0]));
    }

    void theWindowAgreesWithASet_data()
    {
        QTest::addColumn<std::uint64_t>("stride");
        for (const std::uint64_t stride : {1u, 63u, 64u, 65u, 2'047u, 2'048u, 2'112u, 100'000u})
            QTest::addRow("%d", static_cast<int>(stride)) << stride;
    }

    void theWindowAgreesWithASet()
    {
        QFETCH(std::uint64_t, stride);
        SeededRandom random(stride);
        ReplayWindow window;
        std::set<std::uint64_t> seen;
        std::uint64_t base = 0;
        for (int i = 0; i < 20'000; ++i) {
            base += random.below(stride * 2 + 1);
            const std::uint64_t counter = base - std::min(base, random.below(2 * ReplayWindow::kSize));
            const bool isTooOld = !seen.empty() && counter + ReplayWindow::kSize <= *seen.rbegin();
            QCOMPARE(window.isFresh(counter), !isTooOld && !seen.contains(counter));
            if (window.isFresh(counter)) {
                window.note(counter);
                seen.insert(counter);
            }
        }
        QVERIFY(!window.isFresh(~std::uint64_t(0)));
    }

    void followsTheSendersKeysOneByOne()
    {
        const Channel::Lifetime lifetime{1h, 4};
        Channel sender = channelOf("a", "b", lifetime);
        Channel receiver = channelOf("b", "a", lifetime);
        std::vector<Bytes> all;
        for (std::uint64_t i = 0; i < 12; ++i)
            all.push_back(sender.seal(Token{1}, Ping{i}, {}));
        QCOMPARE(int(std::get<Sealed>(*kCodec.parse(all[4])).epoch), 1);
        QVERIFY(open(receiver, all[0]));
        QVERIFY2(!open(receiver, all[8]), "two keys ahead");
        QVERIFY(open(receiver, all[4]));
        QVERIFY2(open(receiver, all[1]), "overtaken");
        QVERIFY(open(receiver, all[8]));
        QVERIFY2(!open(receiver, all[2]), "two keys behind");
        QVERIFY(open(receiver, all[5], Instant{} + 29s));
        QVERIFY2(!open(receiver, all[6], Instant{} + 31s), "the key before is wiped");
        QVERIFY(open(receiver, all[9], Instant{} + 31s));
    }

    void aForgedEpochChangesNoKey()
    {
        Channel sender = channelOf("a", "b");
        Channel receiver = channelOf("b", "a");
        Bytes forged = sender.seal(Token{1}, Ping{1}, {});
        for (int epoch = 1; epoch < 256; ++epoch) {
            forged[2] = static_cast<std::byte>(epoch);
            QVERIFY(open(receiver, forged).error().code == Errc::BadSignature);
        }
        QVERIFY(open(receiver, sender.seal(Token{1}, Ping{2}, {})));
    }

    void anHourLaterTheKeyIsAnother()
    {
        Channel sender = channelOf("a", "b");
        const auto epochAt = [&](Duration time) {
            return int(std::get<Sealed>(*kCodec.parse(sender.seal(Token{1}, Bye{}, Instant{} + time))).epoch);
        };
        QCOMPARE(epochAt(59min), 0);
        QCOMPARE(epochAt(60min), 1);
        QCOMPARE(epochAt(119min), 1);
        QCOMPARE(epochAt(120min), 2);
    }
};

QTEST_GUILESS_MAIN(TestLinkPacket)
#include "tst_link_packet.moc"
