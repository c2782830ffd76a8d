// SPDX-License-Identifier: Apache-2.0
/// Anybody's BitTorrent client: Debian's qBittorrent opens a torrent-file++ and fetches its payload from an
/// agent whose swarm is open. From an agent with the default, a swarm of members, it gets nothing.
#include "fleet.h"
#include "network.h"
#include "node/disk.h"
#include "processes.h"
#include "qbittorrent.h"
#include "release/torrent_file.h"

#include <QNetworkDatagram>
#include <QRandomGenerator>
#include <QUdpSocket>
#include <QtTest>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

using namespace starling;
using namespace starling::interop;
using namespace starling::support;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kPatience = 120s; // most of it for busy machines

Bytes noise(std::size_t size, quint32 seed)
{
    QRandomGenerator random(seed);
    Bytes bytes(size);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random.generate());
    return bytes;
}

/// Path below `directory` → contents.
std::map<std::string, Bytes> readTree(const fs::path& directory)
{
    std::map<std::string, Bytes> tree;
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(directory, error))
        if (entry.is_regular_file())
            if (auto bytes = node::readFile(entry.path(), 64 * 1024 * 1024))
                tree[entry.path().lexically_relative(directory).string()] = std::move(*bytes);
    return tree;
}

/// One agent that seeds a release, and one qBittorrent.
class Meeting
{
public:
    /// Makes the release from `payload` and publishes it on the agent, whose swarm admits `admission`.
    Status prepare(const fs::path& payload, const std::string& admission)
    {
        m_payload = payload;
        m_port = freePorts(1)[0];
        FleetPlan plan;
        plan.directory = directory();
        plan.programs = fs::path(STARLING_BINARY_DIR) / "bin";
        plan.agents = 1;
        plan.overrides = {{"agent.deploy", "none"}, {"swarm.port", std::to_string(m_port)}};
        if (!admission.empty())
            plan.overrides["agent.swarm"] = admission;
        meetOutside();
        auto created = Fleet::create(plan);
        if (!created)
            return tl::unexpected<Error>(created.error());
        m_fleet = std::move(*created);
        if (auto started = m_fleet->start(0); !started)
            return started;
        auto made = m_fleet->makeRelease(payload, "fw/foreign", 1,
                                         {QStringLiteral("--deploy"), QStringLiteral("none")});
        if (!made)
            return tl::unexpected<Error>(made.error());
        m_torrent = *made;
        auto pushed = mustRun(m_fleet->program("starling"),
                              {QStringLiteral("--agent"), q(m_fleet->socket(0)), QStringLiteral("push"),
                               q(m_torrent), QStringLiteral("--in-place"), q(payload)});
        if (!pushed)
            return tl::unexpected<Error>(pushed.error());
        const bool isOpen = admission == "open";
        const auto isReady = [&] { return isOpen ? status().swarmPort == m_peer.port : findInside(); };
        if (!waitUntil(isReady, kPatience))
            return fail(Errc::Timeout, "the agent does not seed");
        return {};
    }

    /// Members have no port that others are told of. From now on the client is told where libtorrent listens
    /// on loopback, as somebody on the same machine could find out; false if it does not.
    bool findInside()
    {
        const fs::path process = fs::path("/proc") / std::to_string(m_fleet->pid(0));
        std::error_code error;
        std::set<std::string> sockets;
        for (const auto& entry : fs::directory_iterator(process / "fd", error))
            sockets.insert(fs::read_symlink(entry, error).string());
        std::ifstream table(process / "net/tcp"); // proc(5)
        for (std::string line; std::getline(table, line);) {
            std::istringstream words(line);
            const std::vector<std::string> fields(std::istream_iterator<std::string>(words), {});
            constexpr std::size_t kLocal = 1, kState = 3, kInode = 9;
            if (fields.size() <= kInode || fields[kState] != "0A" || !fields[kLocal].starts_with("0200007F:")
                || !sockets.contains("socket:[" + fields[kInode] + "]"))
                continue;
            const auto port = std::stoul(fields[kLocal].substr(fields[kLocal].find(':') + 1), nullptr, 16);
            m_peer = Endpoint::ipv4(127, 0, 0, 2, static_cast<std::uint16_t>(port));
            return true;
        }
        return false;
    }
    /// From now on the client is told of the port for foreign clients.
    void meetOutside() { m_peer = Endpoint::ipv4(127, 0, 0, 1, m_port); }

    Status startClient() { return m_client.start(directory() / "profile"); }

    /// qBittorrent opens the release and is told of the agent.
    Status introduce()
    {
        if (auto added = m_client.add(m_torrent, fetched()); !added)
            return added;
        if (!waitUntil([this] { return says("state") == QStringLiteral("stalledDL"); }, kPatience))
            return fail(Errc::Timeout,
                        "qBittorrent does not begin: " + says("state").toString().toStdString());
        return m_client.addPeer(m_peer);
    }

    QVariant says(const char* field)
    {
        const auto torrent = m_client.torrent();
        return torrent ? torrent->value(QLatin1String(field)).toVariant() : QVariant();
    }
    control::StatusReply status() const
    {
        return m_fleet->ask<control::StatusReply>(0, control::StatusRequest{})
            .value_or(control::StatusReply{});
    }
    std::uint64_t bytesGiven() const
    {
        std::uint64_t sum = 0;
        for (const control::TrafficLine& line : status().traffic)
            sum += line.bytesTo;
        return sum;
    }
    std::uint64_t refusals() const
    {
        const auto refused = status().refused;
        const auto found = refused.find(std::string(shortName(Errc::NotAdmitted)));
        return found == refused.end() ? 0 : found->second;
    }
    bool isComplete() { return says("progress").toDouble() == 1.0; }
    QBittorrent& client() { return m_client; }
    Fleet& fleet() { return *m_fleet; }
    fs::path directory() const { return m_directory.path().toStdString(); }
    fs::path fetched() const { return directory() / "fetched"; }

private:
    static QString q(const fs::path& path) { return QString::fromStdString(path.string()); }
    QTemporaryDir m_directory;
    fs::path m_payload, m_torrent;
    std::uint16_t m_port = 0;
    Endpoint m_peer;
    std::unique_ptr<Fleet> m_fleet;
    QBittorrent m_client;
};

/// BEP 5: where the node of the DHT at `port` says that peers of the payload are.
std::size_t peersKnownAt(std::uint16_t port, const InfoHash& payload)
{
    const bencode::Dict query{{"t", "aa"},
                              {"y", "q"},
                              {"q", "get_peers"},
                              {"a",
                               bencode::Dict{{"id", toBytes(std::string(20, 'q'))},
                                             {"info_hash", toBytes(ByteView(payload.bytes()).first(20))}}}};
    const Bytes bytes = bencode::encode(query);
    QUdpSocket socket;
    if (!socket.bind(QHostAddress(QHostAddress::LocalHost)))
        return 0;
    socket.writeDatagram(reinterpret_cast<const char*>(bytes.data()), static_cast<qint64>(bytes.size()),
                         QHostAddress(QHostAddress::LocalHost), port);
    // Over 5 packets a second, libtorrent listens to an address no more.
    if (!waitUntil([&] { return socket.hasPendingDatagrams(); }, 1s))
        return 0;
    const QByteArray answer = socket.receiveDatagram().data();
    QTest::qWait(500);
    const auto value =
        bencode::decode(std::as_bytes(std::span(answer.data(), static_cast<std::size_t>(answer.size()))));
    const bencode::Dict* reply = value ? value->dict() : nullptr;
    if (reply == nullptr || !reply->contains("r") || reply->at("r").dict() == nullptr)
        return 0;
    const bencode::Dict& said = *reply->at("r").dict();
    return said.contains("values") && said.at("values").list() ? said.at("values").list()->size() : 0;
}

} // namespace

class TestForeignClient : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void fetchesADirectoryFromAnOpenSwarm();
    void fetchesASingleFileFromAnOpenSwarm();
    void getsNothingFromASwarmOfMembers();
    void findsTheSwarmByDhtAlone();

private:
    void write(const fs::path& path, const Bytes& bytes) const
    {
        fs::create_directories(path.parent_path());
        QVERIFY(node::writeFile(path, bytes, node::FileMode::Public));
    }
    fs::path sources() const { return m_sources.path().toStdString(); }
    QTemporaryDir m_sources;
};

void TestForeignClient::initTestCase()
{
    if (QBittorrent::program().isEmpty())
        QSKIP("qbittorrent-nox is not installed");
    QVERIFY(crypto::initialize());
    write(sources() / "gateway" / "rootfs.img", noise(3'000'001, 1));
    write(sources() / "gateway" / "bin" / "tool", noise(700'000, 2));
    write(sources() / "gateway" / "etc" / "empty", {});
    write(sources() / "gateway" / "etc" / "name", toBytes("gateway\n"));
    write(sources() / "gateway" / "piece", noise(1'048'576, 3));
    write(sources() / "rootfs.img", noise(5'000'003, 4));
}

void TestForeignClient::fetchesADirectoryFromAnOpenSwarm()
{
    Meeting meeting;
    const Status prepared = meeting.prepare(sources() / "gateway", "open");
    QVERIFY2(prepared, prepared ? "" : toString(prepared.error()).c_str());
    QVERIFY(meeting.startClient());
    const Status introduced = meeting.introduce();
    QVERIFY2(introduced, introduced ? "" : toString(introduced.error()).c_str());
    QVERIFY2(waitUntil([&] { return meeting.isComplete(); }, kPatience),
             qPrintable(meeting.says("state").toString()));
    const auto sent = readTree(sources() / "gateway");
    QCOMPARE(sent.size(), std::size_t{5});
    QVERIFY(readTree(meeting.fetched() / "gateway") == sent);
    // Counted by another thread, which may be late.
    QVERIFY(waitUntil([&] { return meeting.bytesGiven() >= 4'748'585; }, kPatience));
}

void TestForeignClient::fetchesASingleFileFromAnOpenSwarm()
{
    Meeting meeting;
    const Status prepared = meeting.prepare(sources() / "rootfs.img", "open");
    QVERIFY2(prepared, prepared ? "" : toString(prepared.error()).c_str());
    QVERIFY(meeting.startClient());
    const Status introduced = meeting.introduce();
    QVERIFY2(introduced, introduced ? "" : toString(introduced.error()).c_str());
    QVERIFY2(waitUntil([&] { return meeting.isComplete(); }, kPatience),
             qPrintable(meeting.says("state").toString()));
    const auto fetched = node::readFile(meeting.fetched() / "rootfs.img", 64 * 1024 * 1024);
    QVERIFY(fetched);
    QVERIFY(*fetched == noise(5'000'003, 4));
}

/// The agent hears from qBittorrent, refuses it by name of the reason, and gives it not one byte of payload;
/// the same agent with an open swarm then serves the same client, so that nothing else stood in the way.
void TestForeignClient::getsNothingFromASwarmOfMembers()
{
    Meeting meeting;
    const Status prepared = meeting.prepare(sources() / "rootfs.img", "");
    QVERIFY2(prepared, prepared ? "" : toString(prepared.error()).c_str());
    QCOMPARE(meeting.status().swarm, std::string("members"));
    QCOMPARE(meeting.status().swarmPort, std::uint16_t{0});
    QCOMPARE(meeting.refusals(), std::uint64_t{0});
    QVERIFY(meeting.startClient());
    const Status introduced = meeting.introduce();
    QVERIFY2(introduced, introduced ? "" : toString(introduced.error()).c_str());
    QVERIFY2(waitUntil([&] { return meeting.refusals() > 0; }, kPatience), "the agent does not refuse");
    QCOMPARE(meeting.bytesGiven(), std::uint64_t{0});
    QCOMPARE(meeting.says("downloaded").toULongLong(), 0ull);
    QCOMPARE(meeting.says("progress").toDouble(), 0.0);

    // In no hurry to ask a peer again that hung up, unless the torrent is a new one.
    QVERIFY(meeting.client().remove());
    QVERIFY(meeting.fleet().stop(0));
    QVERIFY(meeting.fleet().configure(0, {{"agent.swarm", "open"}}));
    QVERIFY(meeting.fleet().start(0));
    meeting.meetOutside();
    const Status again = meeting.introduce();
    QVERIFY2(again, again ? "" : toString(again.error()).c_str());
    QVERIFY2(waitUntil([&] { return meeting.isComplete(); }, kPatience),
             qPrintable(meeting.says("state").toString()));
    QVERIFY(readTree(meeting.fetched())
            == (std::map<std::string, Bytes>{{"rootfs.img", noise(5'000'003, 4)}}));
}

/// Two agents hold a release. The client has its torrent file, and there the address of one agent as a node
/// of the DHT (BEP 5): no tracker, no peers. This test has a network of its own, or qBittorrent would ask
/// the internet's DHT.
void TestForeignClient::findsTheSwarmByDhtAlone()
{
    if (!lab::enterLab().empty())
        QSKIP(lab::enterLab().c_str());
    QTemporaryDir directory;
    const auto ports = freePorts(2);
    FleetPlan plan;
    plan.directory = directory.path().toStdString();
    plan.programs = fs::path(STARLING_BINARY_DIR) / "bin";
    plan.agents = 2;
    plan.overrides = {{"agent.deploy", "none"}, {"agent.swarm", "open"}, {"swarm.dht", "fleet"}};
    auto fleet = Fleet::create(plan);
    QVERIFY2(fleet, fleet ? "" : toString(fleet.error()).c_str());
    for (std::size_t i = 0; i < 2; ++i)
        QVERIFY((*fleet)->configure(i, {{"swarm.port", std::to_string(ports[i])}}));
    QVERIFY((*fleet)->startAll());
    const auto torrent = (*fleet)->makeRelease(sources() / "rootfs.img", "fw/foreign", 1,
                                               {QStringLiteral("--deploy"), QStringLiteral("none")});
    QVERIFY(torrent);
    const auto pushed =
        mustRun((*fleet)->program("starling"),
                {QStringLiteral("--agent"), QString::fromStdString((*fleet)->socket(0).string()),
                 QStringLiteral("push"), QString::fromStdString(torrent->string()),
                 QStringLiteral("--in-place"), QString::fromStdString((sources() / "rootfs.img").string())});
    QVERIFY2(pushed, pushed ? "" : toString(pushed.error()).c_str());
    const auto file = node::readFile(*torrent, 1024 * 1024);
    QVERIFY(file);
    const auto parsed = release::TorrentFile::parse(*file);
    QVERIFY(parsed);
    QVERIFY2(waitUntil([&] { return peersKnownAt(ports[0], parsed->infoHash) > 0; }, kPatience),
             "the first agent has not heard from the other one by DHT");

    auto value = bencode::decode(*file);
    QVERIFY(value && value->dict());
    bencode::Dict withNode = *value->dict();
    withNode["nodes"] = bencode::List{bencode::List{"127.0.0.1", static_cast<bencode::Integer>(ports[0])}};
    const fs::path given = fs::path(plan.directory) / "with-node.torrent";
    QVERIFY(node::writeFile(given, bencode::encode(withNode), node::FileMode::Public));
    QBittorrent client;
    QVERIFY(client.start(fs::path(plan.directory) / "profile", QBittorrent::Finding::Dht));
    const fs::path fetched = fs::path(plan.directory) / "fetched";
    QVERIFY(client.add(given, fetched));
    // It asks the DHT for a torrent when that is added, and then every 15 minutes; the node must be known.
    QVERIFY2(waitUntil([&] { return client.dhtNodes() > 0; }, kPatience),
             "the agent is no node to qBittorrent");
    QVERIFY(client.remove());
    QVERIFY(client.add(given, fetched));
    QVERIFY2(waitUntil(
                 [&] {
                     const auto held = client.torrent();
                     return held && held->value(QStringLiteral("progress")).toDouble() == 1.0;
                 },
                 kPatience),
             "qBittorrent finds nobody, or gets nothing");
    QVERIFY(readTree(fetched) == (std::map<std::string, Bytes>{{"rootfs.img", noise(5'000'003, 4)}}));
}

int main(int argc, char** argv)
{
    lab::enterLab(); // before there are threads; where that is forbidden, one test is skipped
    const QCoreApplication application(argc, argv);
    TestForeignClient test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_foreign_client.moc"
