// SPDX-License-Identifier: Apache-2.0
/// Links under attack: strangers, impostors, spoofed addresses, replays.
#include "link/packet.h"
#include "link/tamper_watch.h"
#include "link_network.h"

#include <QtTest>

using namespace starling;
using namespace starling::link;
using namespace std::chrono_literals;

namespace {

Bytes pattern(std::size_t size, std::uint64_t seed)
{
    Bytes bytes(size);
    SeededRandom(seed).fill(bytes);
    return bytes;
}

Endpoint strangerAt(std::uint32_t number)
{
    return Endpoint::ipv4(10, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                          static_cast<std::uint8_t>(number), 9);
}

const PacketCodec kCodec{FleetId()};

/// A HELLO of somebody who knows the fleet, as everybody does who has seen its root.
Bytes helloFrom(std::uint64_t token, const Cookie& cookie = {})
{
    SeededRandom random(token);
    const auto key = crypto::LinkKeyPair::generate(random);
    crypto::NoiseHandshake noise(crypto::NoiseHandshake::Role::Initiator, {}, key,
                                 crypto::LinkKeyPair::generate(random));
    return kCodec.serialize(Hello{cookie, noise.write(helloPayload(Token{token})).value()});
}

FleetId anotherFleet()
{
    std::array<std::byte, FleetId::kSize> bytes{};
    bytes[5] = std::byte{1};
    return FleetId(bytes);
}

template <class T> bool isA(const Bytes& datagram)
{
    const auto packet = kCodec.parse(datagram);
    return packet && std::holds_alternative<T>(*packet);
}

template <class T> T parsed(const Bytes& datagram)
{
    return std::get<T>(kCodec.parse(datagram).value());
}

struct Sent
{
    Endpoint from;
    SendDatagram datagram;
};

/// Two hosts and what went over the wire between them. Connects when told.
struct Tapped
{
    explicit Tapped(Config config = {})
        : a(network.add(config))
        , b(network.add(config))
    {
        network.onSend = [this](const Host& host, const SendDatagram& datagram) {
            wire.push_back({host.endpoint, datagram});
        };
    }
    bool connect()
    {
        network.connect(a, b);
        return network.runUntil([this] { return a.up.size() == 1 && b.up.size() == 1; }, 1min);
    }
    bool deliver(Host& from, Host& to, const Bytes& message)
    {
        const std::size_t before = to.messages.size();
        network.send(from, message);
        return network.runUntil([&] { return to.messages.size() > before; }, 1min)
            && to.messages.back() == message;
    }
    void replay(const Sent& sent)
    {
        network.inject(sent.datagram.to == a.endpoint ? a : b, sent.from, sent.datagram.bytes);
    }
    std::size_t bytesSentBy(const Host& host) const
    {
        std::size_t bytes = 0;
        for (const Sent& sent : wire)
            bytes += sent.from == host.endpoint ? sent.datagram.bytes.size() : 0;
        return bytes;
    }
    template <class T> Bytes firstOf() const
    {
        for (const Sent& sent : wire)
            if (isA<T>(sent.datagram.bytes))
                return sent.datagram.bytes;
        return {};
    }
    Network network{1};
    std::vector<Sent> wire;
    Host& a;
    Host& b;
};

} // namespace

class TestLinkSecurity : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // Case 26
    void strangersOfAnotherFleetGetNoAnswer()
    {
        Tapped t;
        t.a.authenticator->setFleet(anotherFleet());
        t.network.restart(t.a);
        t.network.connect(t.a, t.b);
        t.network.run(5min);
        QVERIFY(t.a.datagramsSent > 5);
        QCOMPARE(t.b.datagramsSent, std::uint64_t(0));
        QCOMPARE(t.b.links->halfOpen(), std::size_t(0));
        QVERIFY(t.a.ups.empty() && t.b.ups.empty());
        QCOMPARE(t.b.links->stats().malformed, t.a.datagramsSent);
    }

    void refusesLinksWithoutAGoodCertificate_data()
    {
        QTest::addColumn<int>("refusal"); ///< of every certificate; 0: none
        QTest::addColumn<bool>("isOthers");
        QTest::newRow("not admitted, or expired") << int(Errc::NotAdmitted) << false;
        QTest::newRow("denied") << int(Errc::Denied) << false;
        QTest::newRow("badly signed") << int(Errc::BadSignature) << false;
        QTest::newRow("of another key") << 0 << true;
    }

    void refusesLinksWithoutAGoodCertificate()
    {
        QFETCH(int, refusal);
        QFETCH(bool, isOthers);
        for (const bool isInitiator : {true, false}) {
            Tapped t;
            Host& bad = isInitiator ? t.a : t.b;
            Host& good = isInitiator ? t.b : t.a;
            if (isOthers) // good's certificate, copied
                bad.authenticator->setCertificate(toBytes(good.authenticator->certificate()));
            else
                good.authenticator->refuseAll(Errc(refusal));
            t.network.connect(t.a, t.b);
            t.network.run(2min);
            QVERIFY(t.a.ups.empty() && t.b.ups.empty());
            QVERIFY(!good.refusals.empty());
            QCOMPARE(int(good.refusals.front().error.code), isOthers ? int(Errc::NotAdmitted) : refusal);
            QVERIFY(good.refusals.front().endpoint == bad.endpoint);
            QVERIFY(good.links->stats().refusedLinks > 0);
            // It tries again, at the pace at which it tries those who do not answer.
            QVERIFY(t.a.datagramsSent < 60);
            QCOMPARE(t.b.links->links().size(), std::size_t(0));
            // Once the certificate is good, so is the link.
            good.authenticator->refuseAll({});
            bad.authenticator->setCertificate(
                PlainAuthenticator::certificateOf(bad.node, bad.authenticator->linkKey().publicKey()));
            QVERIFY(t.network.runUntil([&] { return t.a.up.size() == 1 && t.b.up.size() == 1; }, 1min));
        }
    }

    void carriesTheLargestCertificate()
    {
        Tapped t;
        for (Host* host : {&t.a, &t.b}) {
            Bytes certificate = toBytes(host->authenticator->certificate());
            certificate.resize(kMaxCertificateBytes);
            host->authenticator->setCertificate(std::move(certificate));
            t.network.restart(*host);
        }
        QVERIFY(t.connect());
        for (const Sent& sent : t.wire)
            QVERIFY(sent.datagram.bytes.size() <= 1'200);
    }

    void everythingAfterTheHandshakeIsSealed()
    {
        Tapped t;
        QVERIFY(t.connect());
        const Bytes secret = pattern(600, 1);
        QVERIFY(t.deliver(t.a, t.b, secret));
        for (const Sent& sent : t.wire) {
            const Bytes& bytes = sent.datagram.bytes;
            QVERIFY(std::search(bytes.begin(), bytes.end(), secret.begin(), secret.begin() + 8)
                    == bytes.end());
            const Bytes certificate = toBytes(t.b.authenticator->certificate());
            QVERIFY(std::search(bytes.begin(), bytes.end(), certificate.begin(), certificate.end())
                    == bytes.end());
        }
    }

    void knowsWhoIsAtTheOtherEnd()
    {
        Tapped t;
        QVERIFY(t.connect());
        QVERIFY(t.a.ups.front().node == t.b.node);
        QVERIFY(t.b.ups.front().node == t.a.node);
        QVERIFY(t.a.authenticator->asked() == 1 && t.b.authenticator->asked() == 1);
    }

    // Case 27
    void spoofedHandshakesKeepNoStateAndHarmNoLink()
    {
        Tapped t;
        QVERIFY(t.connect());
        Host& honest = t.network.add();
        t.network.onSend = nullptr;
        const std::uint64_t before = t.b.bytesSent;
        const Bytes hello = helloFrom(9);
        constexpr std::uint32_t kSpoofed = 100'000;
        for (std::uint32_t i = 0; i < kSpoofed; ++i) {
            t.network.inject(t.b, strangerAt(i), hello);
            if (i % 5'000 == 0)
                QVERIFY(t.deliver(t.a, t.b, pattern(3'000, i)));
        }
        QVERIFY(t.b.links->halfOpen() <= 16);
        QVERIFY(t.b.links->stats().cookiesAsked > kSpoofed - 2'000);
        QVERIFY(t.b.bytesSent - before < std::uint64_t(kSpoofed) * 60);
        // An honest one shows its cookie and gets in, while it goes on.
        t.network.connect(honest, t.b);
        for (int round = 0; round < 200; ++round) {
            for (std::uint32_t i = 0; i < 50; ++i)
                t.network.inject(t.b, strangerAt(i), hello);
            t.network.run(10ms);
        }
        QVERIFY(honest.up.size() == 1 && t.b.up.size() == 2);
        QVERIFY(t.a.downs.empty() && t.b.downs.empty());
        t.network.run(10min);
        QVERIFY(t.a.downs.empty() && t.b.downs.empty());
    }

    void cookiesBelongToOneAddressAndOneTime()
    {
        Tapped t;
        const auto ask = [&](const Endpoint& from, std::uint64_t token, const Cookie& cookie) {
            t.wire.clear();
            t.network.inject(t.a, from, helloFrom(token, cookie));
            return t.wire.empty() ? Bytes() : t.wire.back().datagram.bytes;
        };
        const auto makeBusy = [&] {
            for (std::uint32_t i = 0; i < 40; ++i)
                ask(strangerAt(i), i + 1, {});
        };
        makeBusy();
        const Bytes reply = ask(strangerAt(100), 100, {});
        QVERIFY(isA<CookieReply>(reply));
        QVERIFY(parsed<CookieReply>(reply).to == Token{100});
        const Cookie cookie = parsed<CookieReply>(reply).cookie;
        QVERIFY(isA<CookieReply>(ask(strangerAt(101), 101, cookie)));
        Endpoint samePlace = strangerAt(100);
        ++samePlace.port;
        QVERIFY(isA<CookieReply>(ask(samePlace, 101, cookie)));
        QVERIFY(isA<Welcome>(ask(strangerAt(100), 100, cookie)));
        t.network.run(250s); // two secrets later
        makeBusy();
        QVERIFY(isA<CookieReply>(ask(strangerAt(100), 102, cookie)));
        const Cookie another = parsed<CookieReply>(ask(strangerAt(100), 103, {})).cookie;
        QVERIFY(another != cookie);
        QVERIFY(isA<Welcome>(ask(strangerAt(100), 103, another)));
    }

    void boundsHalfOpenHandshakes()
    {
        Tapped t;
        Cookie cookie{};
        for (std::uint32_t i = 0; i < 2'000; ++i) { // real addresses: they echo their cookies
            t.wire.clear();
            t.network.inject(t.a, strangerAt(i), helloFrom(i + 1));
            if (isA<CookieReply>(t.wire.back().datagram.bytes)) {
                cookie = parsed<CookieReply>(t.wire.back().datagram.bytes).cookie;
                t.network.inject(t.a, strangerAt(i), helloFrom(i + 1, cookie));
            }
            QVERIFY(t.a.links->halfOpen() <= t.a.config.maxIncomingLinks);
        }
        QVERIFY(t.a.links->stats().refusedLinks >= 2'000 - 256);
        QVERIFY(t.a.links->links().empty());
        t.network.connect(t.b, t.a);
        QVERIFY(t.network.runUntil([&] { return t.a.up.size() == 1 && t.b.up.size() == 1; }, 1min));
        // Those that never ended are forgotten.
        t.network.run(11s);
        t.network.inject(t.a, strangerAt(5'000), helloFrom(5'000));
        QCOMPARE(t.a.links->halfOpen(), std::size_t(1));
    }

    // Case 28
    void noUnauthenticatedDatagramIsAnsweredByALargerOne()
    {
        Tapped t;
        QVERIFY(t.connect());
        QVERIFY(t.deliver(t.a, t.b, pattern(10'000, 1)));
        t.network.give(t.a, CloseAll{});
        t.network.run(1s);
        std::vector<Bytes> seen;
        for (const Sent& sent : t.wire)
            seen.push_back(sent.datagram.bytes);
        seen.push_back(helloFrom(1));
        seen.push_back(kCodec.serialize(CookieReply{Token{1}, {}}));
        const std::vector<Bytes> whole = seen;
        for (const Bytes& bytes : whole)
            for (const std::size_t size : {std::size_t(1), std::size_t(10), bytes.size() - 1})
                seen.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        std::set<std::size_t> types;
        std::uint32_t stranger = 0;
        for (const Bytes& bytes : seen) {
            if (const auto packet = kCodec.parse(bytes))
                types.insert(packet->index());
            for (const Endpoint& from : {strangerAt(++stranger), t.a.endpoint}) {
                const std::size_t before = t.bytesSentBy(t.b);
                t.network.inject(t.b, from, bytes);
                QVERIFY(t.bytesSentBy(t.b) - before <= bytes.size());
            }
        }
        QCOMPARE(types.size(), std::variant_size_v<Packet>);
    }

    void everyDatagramOfALiveLinkReplayedCostsNoMore()
    {
        Tapped t;
        QVERIFY(t.connect());
        QVERIFY(t.deliver(t.a, t.b, pattern(10'000, 1)));
        t.network.run(1min);
        const std::vector<Sent> captured = t.wire;
        for (const Sent& sent : captured) {
            Host& to = sent.datagram.to == t.a.endpoint ? t.a : t.b;
            const std::size_t before = t.bytesSentBy(to);
            t.replay(sent);
            QVERIFY(t.bytesSentBy(to) - before <= sent.datagram.bytes.size());
        }
    }

    // Case 29
    void replayedSessionsDeliverNothingTwice_data()
    {
        QTest::addColumn<bool>("isShuffled");
        QTest::addColumn<bool>("isRestarted");
        for (const bool isShuffled : {false, true})
            for (const bool isRestarted : {false, true})
                QTest::addRow("%s, %s", isShuffled ? "shuffled" : "in order",
                              isRestarted ? "after a restart" : "while it is up")
                    << isShuffled << isRestarted;
    }

    void replayedSessionsDeliverNothingTwice()
    {
        QFETCH(bool, isShuffled);
        QFETCH(bool, isRestarted);
        Tapped t;
        QVERIFY(t.connect());
        for (std::uint64_t i = 0; i < 20; ++i) {
            QVERIFY(t.deliver(t.a, t.b, pattern(i * 400, i)));
            QVERIFY(t.deliver(t.b, t.a, pattern(i * 400, i)));
        }
        t.network.run(1min);
        std::vector<Sent> captured = t.wire;
        SeededRandom random(7);
        if (isShuffled)
            for (std::size_t i = captured.size(); i > 1; --i)
                std::swap(captured[i - 1], captured[random.below(i)]);
        if (isRestarted)
            t.network.restart(t.b);
        for (int round = 0; round < 3; ++round)
            for (const Sent& sent : captured)
                t.replay(sent);
        t.network.run(5s);
        QCOMPARE(t.b.messages.size(), std::size_t(20));
        QCOMPARE(t.a.messages.size(), std::size_t(20));
        QVERIFY(isRestarted || t.b.links->stats().replayed > 20);
        QVERIFY(isRestarted || (t.a.downs.empty() && t.b.downs.empty()));
        QCOMPARE(t.b.ups.size(), std::size_t(isRestarted && t.b.up.size() == 1 ? 2 : 1));
        if (!isRestarted)
            QVERIFY(t.deliver(t.a, t.b, pattern(10'000, 1)));
    }

    void tellsWhenSomebodyMayBeOnTheWay()
    {
        TamperWatch watch;
        Stats stats;
        Instant now;
        const auto add = [&](std::uint64_t arrived, std::uint64_t malformed, std::uint64_t replayed) {
            stats.datagramsIn += arrived;
            stats.malformed += malformed;
            stats.replayed += replayed;
            now += 1s;
            return watch.look(stats, now);
        };
        add(1'000, 900, 0); // before it looked
        QVERIFY(!add(5, 5, 4)); // too few
        QVERIFY(!add(1'000, 1, 0)); // one in a hundred
        const auto alarm = add(100, 10, 8);
        QVERIFY(alarm && alarm->find("of 1105 datagrams") != alarm->npos);
        QVERIFY(alarm->find("16 were forged or altered, and 12 had come before") != alarm->npos);
        QVERIFY(!add(100, 50, 0)); // was said
        now += TamperWatch::kPause;
        add(10, 0, 0);
        QVERIFY(add(100, 50, 0));
        now += TamperWatch::kPause;
        QVERIFY(!add(100, 50, 0)); // of another minute, by now
    }

    void forgedDatagramsEndNoLink()
    {
        Tapped t;
        QVERIFY(t.connect());
        QVERIFY(t.deliver(t.a, t.b, pattern(3'000, 1)));
        const std::vector<Sent> captured = t.wire;
        SeededRandom random(3);
        for (int round = 0; round < 20; ++round)
            for (Sent sent : captured) {
                sent.datagram.bytes[random.below(sent.datagram.bytes.size())] ^=
                    static_cast<std::byte>(1 + random.below(255));
                t.replay(sent);
            }
        t.network.inject(t.b, t.a.endpoint, helloFrom(5));
        t.network.run(20min);
        QVERIFY(t.a.downs.empty() && t.b.downs.empty());
        QVERIFY(t.deliver(t.a, t.b, pattern(3'000, 2)));
        QVERIFY(t.deliver(t.b, t.a, pattern(3'000, 3)));
    }

    void forgedAnswersDoNotSpoilAHandshake()
    {
        Tapped t;
        t.network.isLost = [&](const SendDatagram& datagram) {
            if (!isA<Welcome>(datagram.bytes) && !isA<Finish>(datagram.bytes))
                return false;
            // Each comes forged, and only then as it was.
            for (const std::size_t at : {std::size_t(2), std::size_t(15), datagram.bytes.size() - 1}) {
                SendDatagram forged = datagram;
                forged.bytes[at] ^= std::byte{1};
                Host& to = datagram.to == t.a.endpoint ? t.a : t.b;
                t.network.inject(to, datagram.to == t.a.endpoint ? t.b.endpoint : t.a.endpoint, forged.bytes);
            }
            return false;
        };
        QVERIFY(t.connect());
        QCOMPARE(t.a.links->stats().malformed, std::uint64_t(3));
        QCOMPARE(t.b.links->stats().malformed, std::uint64_t(3));
    }

    void aStrangersHandshakeDoesNotStopOurs()
    {
        // Somebody at b's address, as far as a can see, greets with the highest of keys.
        Tapped t;
        t.network.connect(t.a, t.b);
        for (std::uint64_t token = 1; token <= 10; ++token)
            t.network.inject(t.a, t.b.endpoint, helloFrom(token));
        QVERIFY(t.network.runUntil([&] { return t.a.up.size() == 1 && t.b.up.size() == 1; }, 10s));
        QVERIFY(t.a.ups.front().node == t.b.node);
    }

    void changesKeysWithoutAnybodyNoticing_data()
    {
        QTest::addColumn<int>("seconds");
        QTest::addColumn<std::uint64_t>("datagrams");
        QTest::newRow("by time") << 1 << std::uint64_t(1'000'000);
        QTest::newRow("by datagrams") << 3'600 << std::uint64_t(50);
    }

    void changesKeysWithoutAnybodyNoticing()
    {
        QFETCH(int, seconds);
        QFETCH(std::uint64_t, datagrams);
        Config config;
        config.rekeyTime = std::chrono::seconds(seconds);
        config.rekeyDatagrams = datagrams;
        Tapped t(config);
        QVERIFY(t.connect());
        for (std::uint64_t i = 0; i < 300; ++i) { // epochs go around more than once
            QVERIFY(t.deliver(t.a, t.b, pattern(60'000, i)));
            QVERIFY(t.deliver(t.b, t.a, pattern(100, i)));
            t.network.run(seconds == 1 ? 1'100ms : 1ms);
        }
        std::set<std::uint8_t> epochs;
        for (const Sent& sent : t.wire)
            if (isA<Sealed>(sent.datagram.bytes))
                epochs.insert(parsed<Sealed>(sent.datagram.bytes).epoch);
        QCOMPARE(epochs.size(), std::size_t(256));
        QVERIFY(t.a.downs.empty() && t.b.downs.empty());
        QCOMPARE(t.a.links->stats().malformed, std::uint64_t(0));
        QCOMPARE(t.a.links->stats().retransmissions, std::uint64_t(0));
    }
};

QTEST_GUILESS_MAIN(TestLinkSecurity)
#include "tst_link_security.moc"
