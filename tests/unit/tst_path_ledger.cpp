// SPDX-License-Identifier: Apache-2.0
/// By which kind of link payload went, and with whom.
#include "node/path_ledger.h"

#include <QtTest>

using namespace starling;
using namespace starling::node;
using Kind = link::LinkInfo::Kind;

namespace {

NodeId device(std::uint16_t number)
{
    std::array<std::byte, NodeId::kSize> bytes{};
    bytes[0] = static_cast<std::byte>(number & 0xff);
    bytes[1] = static_cast<std::byte>(number >> 8);
    return NodeId(bytes);
}

/// A ledger, and links that are what they are said to be.
struct World
{
    PathLedger ledger{[](const Endpoint& endpoint) { return endpoint.address[12] == 10; }};
    std::vector<link::LinkInfo> links;

    void up(unsigned link, const NodeId& node, Kind kind, const Endpoint& endpoint = {})
    {
        link::LinkInfo info;
        info.link = link::LinkId{link};
        info.node = node;
        info.kind = kind;
        info.endpoint = endpoint;
        links.push_back(info);
        take(link::LinkUp{info.link, node, {}, {}});
    }
    void becomes(unsigned link, Kind kind)
    {
        for (link::LinkInfo& info : links)
            if (info.link == link::LinkId{link})
                info.kind = kind;
        take(link::LinkMoved{link::LinkId{link}, {}});
    }
    void take(const link::Output& output)
    {
        ledger.take(output, [this] { return links; });
    }
    void comes(unsigned link, std::size_t bytes)
    {
        take(link::UnreliableReceived{link::LinkId{link}, Bytes(bytes)});
    }
    void goes(unsigned link, std::size_t bytes)
    {
        const Bytes datagram(bytes);
        ledger.take(link::Input(link::SendUnreliable{link::LinkId{link}, datagram}));
    }
};

} // namespace

class TestPathLedger : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsByKindAndNode()
    {
        World world;
        world.up(1, device(1), Kind::Direct);
        world.up(2, device(2), Kind::Relayed);
        world.comes(1, 100);
        world.goes(1, 10);
        world.comes(2, 1'000);
        QCOMPARE(world.ledger.with(device(1)), (PathLedger::ByKind{{Kind::Direct, {100, 10}}}));
        QCOMPARE(world.ledger.with(device(2)), (PathLedger::ByKind{{Kind::Relayed, {1'000, 0}}}));
        QCOMPARE(world.ledger.all(),
                 (PathLedger::ByKind{{Kind::Direct, {100, 10}}, {Kind::Relayed, {1'000, 0}}}));
        QVERIFY(world.ledger.with(device(3)).empty());
        QVERIFY(world.ledger.received()
                == (std::map<std::string, std::uint64_t>{{"direct", 100}, {"relayed", 1'000}}));
    }

    void keepsWhatWentByARelayApartFromWhatWentAfterwards()
    {
        World world;
        world.up(1, device(1), Kind::Relayed);
        world.comes(1, 5);
        world.becomes(1, Kind::Punched);
        world.comes(1, 7);
        const PathLedger::ByKind wanted{{Kind::Punched, {7, 0}}, {Kind::Relayed, {5, 0}}};
        QCOMPARE(world.ledger.with(device(1)), wanted);
        // Also after it has gone.
        world.take(link::LinkDown{link::LinkId{1}, Errc::Timeout});
        world.comes(1, 9);
        QCOMPARE(world.ledger.all(), wanted);
    }

    void tellsWhatCameFromTheOwnNetworkApart()
    {
        World world;
        const Endpoint near = Endpoint::ipv4(10, 0, 0, 7, 7'891), far = Endpoint::ipv4(192, 0, 2, 7, 7'891);
        world.up(1, device(1), Kind::Direct, near);
        world.up(2, device(2), Kind::Direct, far);
        world.up(3, device(3), Kind::Relayed, near); // where that is does not matter
        world.up(4, device(4), Kind::Tcp, near);
        for (const unsigned link : {1u, 2u, 3u, 4u})
            world.comes(link, 10 * link);
        QVERIFY(world.ledger.received()
                == (std::map<std::string, std::uint64_t>{{"direct", 20}, {"relayed", 30}, {"site", 50}}));
        QCOMPARE(world.ledger.all().at(Kind::Direct).in, std::uint64_t{30});
    }

    void countsNoMessages()
    {
        World world;
        world.up(1, device(1), Kind::Direct);
        world.take(link::MessageReceived{link::LinkId{1}, Bytes(50)});
        world.ledger.take(link::Input(link::SendMessage{link::LinkId{1}, Bytes(50)}));
        QVERIFY(world.ledger.all().empty());
    }

    void remembersOnlySoManyNodes()
    {
        World world;
        const auto most = static_cast<std::uint16_t>(PathLedger::kMaxNodes);
        for (std::uint16_t i = 0; i <= most; ++i) {
            world.up(i, device(i), Kind::Direct);
            world.comes(i, 1);
            world.take(link::LinkDown{link::LinkId{i}, Errc::Timeout});
            world.links.clear();
        }
        QCOMPARE(world.ledger.with(device(most - 1)).size(), std::size_t{1});
        QVERIFY(world.ledger.with(device(most)).empty());
        QCOMPARE(world.ledger.all().at(Kind::Direct).in, std::uint64_t{PathLedger::kMaxNodes + 1});
    }
};

QTEST_APPLESS_MAIN(TestPathLedger)
#include "tst_path_ledger.moc"
