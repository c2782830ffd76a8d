// SPDX-License-Identifier: Apache-2.0
/// Of whom a payload is asked, and when: near sources, turns, and patience.
#include "node/source_desk.h"

#include <QtTest>

using namespace starling;
using namespace starling::node;
using namespace std::chrono_literals;

namespace {

Whereabouts at(const Endpoint& endpoint, const std::string& site = {},
               std::optional<Duration> roundTrip = std::nullopt)
{
    return {.site = site, .endpoint = endpoint, .isRelayed = false, .roundTrip = roundTrip};
}

template <class T> T numbered(unsigned char number)
{
    std::array<std::byte, T::kSize> bytes{};
    bytes[0] = std::byte{number};
    return T(bytes);
}
NodeId device(unsigned char number)
{
    return numbered<NodeId>(number);
}

const InfoHash kPayload = numbered<InfoHash>(200);
constexpr std::uint64_t kPieceBytes = 64 * 1024;
constexpr Instant kStart = Instant() + 100s;

/// Four devices of a site, in the order of their turns for kPayload: found by asking, not by knowing how it
/// is made.
std::vector<NodeId> inOrder()
{
    std::vector<NodeId> devices{device(1), device(2), device(3), device(4)};
    std::vector<std::pair<Duration, NodeId>> turns;
    for (const NodeId& self : devices) {
        SourceChoice choice(self, kPayload, kPieceBytes);
        std::vector<Source> sources{{device(9), Distance::Far, true, 0, false}};
        for (const NodeId& other : devices)
            if (other != self)
                sources.push_back({other, Distance::Near, false, 0, false});
        Duration waited{};
        while (choice.farthest(sources, kStart + waited) == Distance::Near && waited < 60s)
            waited += 100ms;
        turns.emplace_back(waited, self);
    }
    std::sort(turns.begin(), turns.end());
    for (std::size_t i = 0; i < turns.size(); ++i)
        devices[i] = turns[i].second;
    return devices;
}

Endpoint ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d)
{
    return Endpoint::ipv4(a, b, c, d, 7'891);
}

Source origin(std::uint64_t bytes = 0)
{
    return {device(9), Distance::Far, true, bytes, false};
}

} // namespace

class TestSourceChoice : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void asksEverybodyWhereNobodyIsNear();
    void asksNobodyElseWhileANearOneHasAll();
    void asksOthersWhenTheNearOneBringsNothing();
    void takesTurnsAmongThoseThatLackIt();
    void waitsWhileTheFirstOneMakesProgress();
    void waitsLongerForLargerPieces();
    void goesOnWhenTheFirstOneIsGone();
    void leavesTheFirstTurnToWhoHasABetterWay();
    void holdsBackRelayedSourcesWhileAFarOneBringsIt();
    void nobodyWaitsForever();
    void labelsSayWhoIsNear();
    void ownNetworkIsNear();
    void privateAddressIsNearIfItAnswersQuickly();
    void relayedIsNeverNear();
    void subnetEndsWithinAByte();
    void deskAsksThoseAtTheSite();
    void deskKnowsLinksThatNobodyOffered();
    void deskExpectsThoseBesideToFetchItToo();
    void deskAsksEverybodyAboutWhatIsNotFetched();
};

void TestSourceChoice::asksEverybodyWhereNobodyIsNear()
{
    SourceChoice choice(device(1), kPayload, kPieceBytes);
    QCOMPARE(choice.farthest({}, kStart), Distance::Relayed);
    QCOMPARE(choice.farthest({{device(5), Distance::Relayed, true, 0, false}}, kStart), Distance::Relayed);
}

void TestSourceChoice::asksNobodyElseWhileANearOneHasAll()
{
    SourceChoice choice(device(1), kPayload, kPieceBytes);
    for (int second = 0; second < 60; ++second) {
        const auto bytes = static_cast<std::uint64_t>(second / 3); // something every three seconds
        const std::vector<Source> sources{{device(2), Distance::Near, true, bytes, false}, origin()};
        QCOMPARE(choice.farthest(sources, kStart + second * 1s), Distance::Near);
    }
}

void TestSourceChoice::asksOthersWhenTheNearOneBringsNothing()
{
    SourceChoice choice(device(1), kPayload, kPieceBytes);
    std::vector<Source> sources{{device(2), Distance::Near, true, 0, false}, origin()};
    QCOMPARE(choice.farthest(sources, kStart), Distance::Near);
    QCOMPARE(choice.farthest(sources, kStart + SourceChoice::kPatience - 1ms), Distance::Near);
    QVERIFY(choice.farthest(sources, kStart + SourceChoice::kPatience) > Distance::Near);
    // It wakes up.
    sources[0].bytesFrom = 1;
    QCOMPARE(choice.farthest(sources, kStart + 20s), Distance::Near);
}

void TestSourceChoice::takesTurnsAmongThoseThatLackIt()
{
    const std::vector<NodeId> devices = inOrder();
    for (std::size_t turn = 0; turn < devices.size(); ++turn) {
        SourceChoice choice(devices[turn], kPayload, kPieceBytes);
        std::vector<Source> sources{origin()};
        for (const NodeId& other : devices)
            if (other != devices[turn])
                sources.push_back({other, Distance::Near, false, 0, false});
        const Instant due = kStart + SourceChoice::kTurn * static_cast<int>(turn);
        if (turn > 0) {
            QCOMPARE(choice.farthest(sources, kStart), Distance::Near);
            QCOMPARE(choice.farthest(sources, due - 1ms), Distance::Near);
        }
        QVERIFY(choice.farthest(sources, turn > 0 ? due : kStart) > Distance::Near);
    }
}

void TestSourceChoice::waitsWhileTheFirstOneMakesProgress()
{
    const std::vector<NodeId> devices = inOrder();
    SourceChoice choice(devices[1], kPayload, kPieceBytes);
    for (int second = 0; second < 60; ++second) {
        const auto bytes = static_cast<std::uint64_t>(2 * second + 1);
        const std::vector<Source> sources{origin(), {devices[0], Distance::Near, false, bytes, false}};
        const Instant now = kStart + second * 500ms;
        QCOMPARE(choice.farthest(sources, now), Distance::Near);
    }
}

void TestSourceChoice::waitsLongerForLargerPieces()
{
    const std::uint64_t large = 2 * 1024 * 1024; // 16 s at the slowest
    SourceChoice choice(device(1), kPayload, large);
    const std::vector<Source> sources{{device(2), Distance::Near, true, 0, false}, origin()};
    QCOMPARE(choice.farthest(sources, kStart), Distance::Near);
    QCOMPARE(choice.farthest(sources, kStart + 15s), Distance::Near);
    QVERIFY(choice.farthest(sources, kStart + 16s) > Distance::Near);
}

void TestSourceChoice::goesOnWhenTheFirstOneIsGone()
{
    const std::vector<NodeId> devices = inOrder();
    SourceChoice choice(devices[1], kPayload, kPieceBytes);
    const Source second{devices[2], Distance::Near, false, 0, false};
    QCOMPARE(choice.farthest({origin(), {devices[0], Distance::Near, false, 0, false}, second}, kStart),
             Distance::Near);
    QVERIFY(choice.farthest({origin(), second}, kStart + 100ms) > Distance::Near);
}

void TestSourceChoice::leavesTheFirstTurnToWhoHasABetterWay()
{
    const std::vector<NodeId> devices = inOrder();
    SourceChoice choice(devices[0], kPayload, kPieceBytes);
    const std::vector<Source> sources{{device(9), Distance::Relayed, true, 0, false},
                                      {devices[1], Distance::Near, false, 0, false}};
    QCOMPARE(choice.farthest(sources, kStart), Distance::Near);
    QCOMPARE(choice.farthest(sources, kStart + SourceChoice::kPatience - 1ms), Distance::Near);
    QVERIFY(choice.farthest(sources, kStart + SourceChoice::kPatience) > Distance::Near);
}

void TestSourceChoice::holdsBackRelayedSourcesWhileAFarOneBringsIt()
{
    SourceChoice choice(device(1), kPayload, kPieceBytes);
    const Source relayed{device(8), Distance::Relayed, true, 0, false};
    for (int second = 0; second < 20; ++second) {
        const auto bytes = static_cast<std::uint64_t>(second);
        QCOMPARE(choice.farthest({relayed, origin(bytes)}, kStart + second * 1s), Distance::Far);
    }
    QCOMPARE(choice.farthest({relayed, origin(19)}, kStart + 60s), Distance::Relayed);
    // One that fetches it itself has as long.
    SourceChoice other(device(1), kPayload, kPieceBytes);
    const Source fetching{device(9), Distance::Far, false, 0, false};
    QCOMPARE(other.farthest({relayed, fetching}, kStart), Distance::Far);
    QCOMPARE(other.farthest({relayed, fetching}, kStart + SourceChoice::kPatience), Distance::Relayed);
}

void TestSourceChoice::nobodyWaitsForever()
{
    SourceChoice choice(device(1), kPayload, ~std::uint64_t(0));
    std::vector<Source> sources{origin()};
    for (unsigned char other = 10; other < 110; ++other)
        sources.push_back({device(other), Distance::Near, other % 2 == 0, 7, false});
    QCOMPARE(choice.farthest(sources, kStart), Distance::Near);
    const Duration longest =
        SourceChoice::kPatienceMax + SourceChoice::kTurn * static_cast<int>(SourceChoice::kMaxTurns);
    QVERIFY(choice.farthest(sources, kStart + longest) > Distance::Near);
}

void TestSourceChoice::labelsSayWhoIsNear()
{
    const std::vector<Subnet> own{{ipv4(10, 1, 2, 3), 96 + 24}};
    const Whereabouts beside = at(ipv4(10, 1, 2, 4), "bern");
    QCOMPARE(distanceOf(beside, "bern", own), Distance::Near);
    QCOMPARE(distanceOf(beside, "thun", own), Distance::Far);
    QCOMPARE(distanceOf(beside, "", own), Distance::Near);
    QCOMPARE(distanceOf(at(ipv4(203, 0, 113, 4), "bern"), "bern", own), Distance::Near);
}

void TestSourceChoice::ownNetworkIsNear()
{
    const std::vector<Subnet> own{{ipv4(198, 18, 3, 2), 96 + 24}};
    QCOMPARE(distanceOf(at(ipv4(198, 18, 3, 200)), "", own), Distance::Near);
    QCOMPARE(distanceOf(at(ipv4(198, 18, 4, 200)), "", own), Distance::Far);
    QCOMPARE(distanceOf(at(ipv4(198, 18, 3, 200)), "", {}), Distance::Far);
}

void TestSourceChoice::privateAddressIsNearIfItAnswersQuickly()
{
    const auto of = [](const Endpoint& endpoint, std::optional<Duration> roundTrip) {
        return distanceOf(at(endpoint, {}, roundTrip), "", {});
    };
    QCOMPARE(of(ipv4(10, 9, 8, 7), 2ms), Distance::Near);
    QCOMPARE(of(ipv4(172, 31, 8, 7), 2ms), Distance::Near);
    QCOMPARE(of(ipv4(192, 168, 8, 7), 2ms), Distance::Near);
    QCOMPARE(of(ipv4(10, 9, 8, 7), 40ms), Distance::Far); // a virtual private network
    QCOMPARE(of(ipv4(10, 9, 8, 7), std::nullopt), Distance::Far);
    QCOMPARE(of(ipv4(100, 64, 8, 7), 2ms), Distance::Far); // another customer of the same carrier
    QCOMPARE(of(ipv4(172, 32, 8, 7), 2ms), Distance::Far);
    Endpoint unique;
    unique.address[0] = 0xfd;
    QCOMPARE(of(unique, 2ms), Distance::Near);
}

void TestSourceChoice::relayedIsNeverNear()
{
    const std::vector<Subnet> own{{ipv4(10, 1, 2, 3), 96 + 24}};
    Whereabouts relayed = at(ipv4(10, 1, 2, 4), "bern", 1ms);
    relayed.isRelayed = true;
    QCOMPARE(distanceOf(relayed, "bern", own), Distance::Relayed);
}

void TestSourceChoice::subnetEndsWithinAByte()
{
    const Subnet subnet{ipv4(10, 1, 0x50, 3), 96 + 20};
    QVERIFY(subnet.contains(ipv4(10, 1, 0x5f, 255)));
    QVERIFY(!subnet.contains(ipv4(10, 1, 0x60, 0)));
    QVERIFY((Subnet{ipv4(10, 1, 2, 3), 96 + 32}.contains(ipv4(10, 1, 2, 3))));
    QVERIFY((!Subnet{ipv4(10, 1, 2, 3), 96 + 32}.contains(ipv4(10, 1, 2, 2))));
    QVERIFY((!Subnet{ipv4(10, 1, 2, 3), 500}.contains(ipv4(10, 1, 2, 2))));
    Endpoint elsewhere;
    elsewhere.address[0] = 0x20;
    QVERIFY((!Subnet{ipv4(10, 1, 2, 3), 96 + 1}.contains(elsewhere)));
}

namespace {

struct DeskWorld
{
    std::vector<link::LinkInfo> links;
    SourceDesk desk{
        {[this] { return links; }, [] { return std::string("bern"); }, [] { return std::vector<Subnet>(); }}};

    DeskWorld() { desk.begin(kPayload, SourceChoice(device(1), kPayload, kPieceBytes), kStart - 1h); }
    void link(unsigned char node, link::LinkInfo::Kind kind = link::LinkInfo::Kind::Direct)
    {
        link::LinkInfo info;
        info.link = link::LinkId{links.size() + 1};
        info.node = device(node);
        info.endpoint = ipv4(203, 0, 113, node);
        info.isUp = true;
        info.kind = kind;
        links.push_back(info);
    }
    std::optional<std::set<NodeId>> ask(Instant now, std::vector<swarm::PeerTraffic> traffic = {})
    {
        return desk.ask(kPayload, traffic, now);
    }
};

} // namespace

void TestSourceChoice::deskAsksThoseAtTheSite()
{
    DeskWorld world;
    world.link(2);
    world.link(3);
    world.link(4, link::LinkInfo::Kind::Relayed);
    world.desk.offered(kPayload, device(2), "bern", true);
    world.desk.offered(kPayload, device(3), "thun", true);
    world.desk.offered(kPayload, device(4), "bern", true);
    world.desk.offered(kPayload, device(5), "bern", true); // there is no link to it
    QVERIFY(world.ask(kStart) == std::set{device(2)});
    // When it is silent for too long, others are asked; when the link is down, at once.
    QVERIFY(world.ask(kStart + 4s) == std::set{device(2)});
    QVERIFY(world.ask(kStart + 5s) == (std::set{device(2), device(3)}));
    QVERIFY(world.ask(kStart + 8s) == (std::set{device(2), device(3)}));
    QVERIFY(!world.ask(kStart + 9s));
    const std::vector<swarm::PeerTraffic> more{{kPayload, device(2), {}, 5, 0}};
    QVERIFY(world.ask(kStart + 13s, more) == std::set{device(2)});
    world.links[0].isUp = false;
    QVERIFY(world.ask(kStart + 14s, more) == std::set{device(3)}); // and the relayed one still waits
}

void TestSourceChoice::deskKnowsLinksThatNobodyOffered()
{
    DeskWorld world;
    world.link(2);
    world.link(3);
    world.link(6);
    world.links[2].endpoint = ipv4(10, 0, 0, 6);
    world.links[2].roundTrip = 1ms;
    world.desk.offered(kPayload, device(2), "bern", true);
    world.desk.offered(kPayload, device(3), "thun", true);
    // It may have come to fetch, and have pieces by now.
    QVERIFY(world.ask(kStart) == (std::set{device(2), device(6)}));
}

void TestSourceChoice::deskExpectsThoseBesideToFetchItToo()
{
    DeskWorld world;
    world.link(2);
    world.links[0].endpoint = ipv4(10, 0, 0, 2);
    world.links[0].roundTrip = 1ms;
    world.link(4, link::LinkInfo::Kind::Relayed);
    world.desk.begin(kPayload, SourceChoice(device(1), kPayload, kPieceBytes), kStart);
    world.desk.offered(kPayload, device(4), "bern", true);
    QVERIFY(world.ask(kStart) == std::set{device(2)});
    QVERIFY(world.ask(kStart + SourceDesk::kNews - 1ms) == std::set{device(2)});
    // It says nothing of it, so it is not for it.
    QVERIFY(!world.ask(kStart + SourceDesk::kNews));
    world.links[0].endpoint = ipv4(203, 0, 113, 2); // far: less time
    world.desk.begin(kPayload, SourceChoice(device(1), kPayload, kPieceBytes), kStart);
    world.desk.offered(kPayload, device(4), "bern", true);
    QVERIFY(world.ask(kStart) == std::set{device(2)});
    QVERIFY(!world.ask(kStart + SourceDesk::kFarNews));
}

void TestSourceChoice::deskAsksEverybodyAboutWhatIsNotFetched()
{
    DeskWorld world;
    world.link(2);
    world.link(3);
    world.desk.offered(kPayload, device(2), "bern", true);
    world.desk.offered(kPayload, device(3), "thun", true);
    QVERIFY(!world.desk.ask(numbered<InfoHash>(7), {}, kStart));
    QVERIFY(world.ask(kStart));
    world.desk.end(kPayload);
    QVERIFY(!world.ask(kStart));
    world.desk.offered(kPayload, device(2), "bern", true);
    QVERIFY(!world.ask(kStart));
}

QTEST_APPLESS_MAIN(TestSourceChoice)
#include "tst_source_choice.moc"
