// SPDX-License-Identifier: Apache-2.0
/// Which links payload goes over, and which of them it opens and keeps.
#include "node/payload_links.h"

#include <QtTest>

using namespace starling;
using namespace starling::node;
using namespace std::chrono_literals;

namespace {

NodeId device(unsigned char number)
{
    std::array<std::byte, NodeId::kSize> bytes{};
    bytes[0] = std::byte{number};
    return NodeId(bytes);
}

Endpoint address(std::uint8_t number)
{
    return Endpoint::ipv4(192, 0, 2, number, 7'891);
}

/// The links, as a list of what was asked of them.
struct World
{
    TimerQueue timers;
    std::vector<Endpoint> connects;
    std::vector<std::pair<link::LinkId, Bytes>> sent;
    std::vector<NodeId> linked, unlinked;
    std::vector<std::pair<NodeId, Bytes>> received;
    std::set<NodeId> inUse;
    PayloadLinks links{
        timers,
        {[this](const link::Input& input) {
             if (const auto* connect = std::get_if<link::Connect>(&input))
                 connects.push_back(connect->to);
             else if (const auto* send = std::get_if<link::SendUnreliable>(&input))
                 sent.emplace_back(send->link, toBytes(send->bytes));
         },
         [this](const NodeId& who) { linked.push_back(who); },
         [this](const NodeId& who) { unlinked.push_back(who); },
         [this](const NodeId& from, ByteView bytes) { received.emplace_back(from, toBytes(bytes)); },
         [this](const NodeId& who) { return inUse.contains(who); }}};

    void up(std::uint64_t id, const NodeId& who)
    {
        links.take(link::LinkUp{link::LinkId{id}, who, address(1), std::nullopt});
    }
    void down(std::uint64_t id) { links.take(link::LinkDown{link::LinkId{id}, Errc::Timeout}); }
};

} // namespace

class TestPayloadLinks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void usesTheLinksThereAre()
    {
        World world;
        const Bytes bytes = toBytes("packet");
        QVERIFY(!world.links.send(device(1), bytes));
        world.up(7, device(1));
        QCOMPARE(world.linked, std::vector{device(1)});
        QVERIFY(world.links.want(device(1), {address(1)}));
        QVERIFY(world.connects.empty());
        QVERIFY(world.links.send(device(1), bytes));
        QVERIFY(world.sent.back() == std::pair(link::LinkId{7}, bytes));
        world.links.take(link::UnreliableReceived{link::LinkId{7}, bytes});
        QVERIFY(world.received.back() == std::pair(device(1), bytes));
        world.links.take(link::UnreliableReceived{link::LinkId{8}, bytes});
        QCOMPARE(world.received.size(), std::size_t(1));
        world.down(7);
        QVERIFY(!world.links.send(device(1), bytes));
        QCOMPARE(world.unlinked, std::vector{device(1)});
    }

    void usesTheNewestOfTwoAndTheOtherWhenItEnds()
    {
        World world;
        world.inUse.insert(device(1));
        world.up(7, device(1));
        world.up(8, device(1));
        QCOMPARE(world.linked.size(), std::size_t(1));
        QVERIFY(world.links.isInUse(link::LinkId{8}));
        QVERIFY(!world.links.isInUse(link::LinkId{7}));
        world.down(8);
        QVERIFY(world.links.isLinked(device(1)));
        QVERIFY(world.unlinked.empty());
        QVERIFY(world.links.send(device(1), {}));
        QVERIFY(world.sent.back().first == link::LinkId{7});
    }

    void keepsWhatIsWantedOrInUse()
    {
        World world;
        world.up(7, device(1));
        QVERIFY(!world.links.isInUse(link::LinkId{7}));
        QVERIFY(world.links.want(device(1), {}));
        QVERIFY(world.links.isInUse(link::LinkId{7}));
        world.links.take(link::LinkSilence{link::LinkId{7}, true});
        QVERIFY(!world.links.isInUse(link::LinkId{7}));
        world.links.take(link::LinkSilence{link::LinkId{7}, false});
        world.links.wantOnly({});
        QVERIFY(!world.links.isInUse(link::LinkId{7}));
        world.inUse.insert(device(1));
        QVERIFY(world.links.isInUse(link::LinkId{7}));
        QVERIFY(!world.links.isInUse(link::LinkId{8}));
    }

    void opensWhatIsWantedAndTriesAgain()
    {
        World world;
        QVERIFY(world.links.want(device(1), {address(1), address(2), address(3), address(4)}));
        QCOMPARE(world.connects, (std::vector{address(1), address(2), address(3)}));
        // The same again asks for nothing, other addresses do.
        QVERIFY(world.links.want(device(1), {address(1), address(2), address(3), address(4)}));
        QCOMPARE(world.connects.size(), std::size_t(3));
        QVERIFY(world.links.want(device(1), {address(9)}));
        QVERIFY(world.connects.back() == address(9));
        QTRY_VERIFY_WITH_TIMEOUT(world.connects.size() >= 5, 60'000);
        world.up(7, device(1));
        const std::size_t before = world.connects.size();
        world.down(7);
        QTRY_VERIFY_WITH_TIMEOUT(world.connects.size() > before, 60'000);
    }

    void wantsNoMoreThanALimit()
    {
        World world;
        for (unsigned char i = 1; i <= PayloadLinks::kMaxWanted; ++i) {
            world.up(i, device(i));
            QVERIFY(world.links.want(device(i), {address(i)}));
        }
        QVERIFY(!world.links.want(device(200), {address(200)}));
        QVERIFY(world.links.want(device(1), {address(1)}));
        world.links.wantOnly({device(2)});
        QVERIFY(world.links.want(device(200), {address(200)}));
        QCOMPARE(world.connects, std::vector{address(200)});
    }
};

QTEST_GUILESS_MAIN(TestPayloadLinks)
#include "tst_payload_links.moc"
