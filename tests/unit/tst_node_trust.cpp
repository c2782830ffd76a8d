// SPDX-License-Identifier: Apache-2.0
/// Whole nodes whose trust changes while they run: deny lists and roots over the overlay.
#include "node_fixture.h"
#include "trust/join.h"

using namespace starling;
using namespace starling::node;
using namespace starling::node::fixture;

namespace {

Bytes denyNotice(std::set<unsigned char> devices, unsigned char signer = 11)
{
    trust::DenyList list;
    for (const unsigned char device : devices)
        list.nodes.insert(samples::nodeOf(device));
    trust::Envelope envelope{trust::Kind::Deny, list.serialize(), {}};
    envelope.sign(samples::trustSet().fleet(), samples::key(signer));
    return release::noticeOf(trust::Kind::Deny, envelope.serialize());
}

/// Roots 2, 3, … of the sample fleet: `count` of them.
std::vector<Bytes> followingRoots(std::size_t count)
{
    std::vector<Bytes> notices;
    trust::RootDocument root = samples::rootDocument();
    Bytes last = samples::trustSet().chain().front();
    for (std::size_t i = 0; i < count; ++i) {
        root.previous = trust::Envelope::parse(last, trust::kMaxRootBytes)->payloadHash();
        ++root.number;
        root.created = 1'700'000'000 + i;
        last = samples::signRoot(root, samples::trustSet().fleet(), {1, 2});
        notices.push_back(release::noticeOf(trust::Kind::Root, last));
    }
    return notices;
}

std::uint64_t rootOf(const Node& node)
{
    return node.board().trust().root().number;
}

} // namespace

class TestNodeTrust : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }

    void init()
    {
        m_first = std::make_unique<Device>(50);
        m_second = std::make_unique<Device>(51);
        m_third = std::make_unique<Device>(52);
    }

    void cleanup()
    {
        m_nodes.clear();
        m_first.reset();
        m_second.reset();
        m_third.reset();
    }

    // Security case 26, for links in use.
    void denyReachesALinkInUseAndCutsIt()
    {
        Node* first = start(*m_first);
        m_second->config.neighbors = {first->listenEndpoint()};
        m_second->observe();
        Node* second = start(*m_second);
        m_third->config.neighbors = {second->listenEndpoint(), first->listenEndpoint()};
        Node* third = start(*m_third);
        QTRY_COMPARE(upLinks(*first), 2);
        QTRY_COMPARE(upLinks(*second), 2);
        const auto hasHeardOfThird = [&] {
            const auto receipts = receiptsAt(*second);
            return std::any_of(receipts.begin(), receipts.end(), [&](const board::DeviceReceipt& device) {
                return device.receipt.node == m_third->id();
            });
        };
        QTRY_VERIFY(hasHeardOfThird());

        const auto published = first->publishNotice(denyNotice({52}));
        QVERIFY(published && *published);
        QTRY_VERIFY(second->board().denials().contains(m_third->id()));
        QTRY_COMPARE(upLinks(*third), 0);
        QTRY_COMPARE(upLinks(*first), 1);
        QTRY_COMPARE(upLinks(*second), 1);
        QVERIFY(!hasHeardOfThird());
        // It comes again, and is refused by its name.
        QTRY_VERIFY_WITH_TIMEOUT(first->refusals().contains(std::string(shortName(Errc::Denied))), 60'000);
        const auto again = first->publishNotice(denyNotice({52}));
        QVERIFY(again && !*again);
    }

    void aDeniedDeviceStaysDeniedAfterARestart()
    {
        Node* first = start(*m_first);
        QVERIFY(first->publishNotice(denyNotice({51})));
        QVERIFY(first->publishNotice(denyNotice({51, 52}))); // takes the place of the other
        m_nodes.clear();
        first = start(*m_first);
        QCOMPARE(first->board().denials().nodes().size(), std::size_t{2});
        QVERIFY(first->publishNotice(denyNotice({50})));
        m_nodes.clear();
        const auto denied = m_first->start();
        QVERIFY(!denied);
        QCOMPARE(denied.error().code, Errc::Denied);
    }

    // trust.md, kind `admit`: an expired certificate still gets a link, for what brings the device back.
    void anExpiredCertificateGetsRootsAndDenialsAlone()
    {
        const Bytes expired = samples::certificateNotice(51, 1'700'000'000);
        m_second->certify(ByteView(expired).subspan(1));
        Node* first = start(*m_first);
        m_second->config.neighbors = {first->listenEndpoint()};
        Node* second = start(*m_second);
        m_third->config.neighbors = {first->listenEndpoint()};
        Node* third = start(*m_third);
        QTRY_COMPARE(upLinks(*first), 2);
        const auto torrent = signedRelease(contents());
        QVERIFY(push(*first, torrent, streamOf(torrent, contents())));
        QVERIFY(first->publishNotice(denyNotice({53})));
        QVERIFY(first->publishNotice(followingRoots(1).front()));
        QTRY_VERIFY(third->board().floors().find(torrent.info.update.uri) != nullptr);
        QTRY_COMPARE(rootOf(*second), std::uint64_t{2});
        QTRY_VERIFY(second->board().denials().contains(samples::nodeOf(53)));
        QVERIFY(second->board().floors().find(torrent.info.update.uri) == nullptr);
        const auto isRestricted = [](const Node& node, const NodeId& other) {
            for (const link::LinkInfo& link : node.links())
                if (link.isUp && link.node == other)
                    return link.isRestricted;
            return false;
        };
        QVERIFY(isRestricted(*first, m_second->id()) && !isRestricted(*first, m_third->id()));
        QVERIFY(!isRestricted(*second, m_first->id()));
        for (const link::LinkInfo& link : first->links())
            QCOMPARE(first->reach().whyNotBetter(link).find("expired") != std::string::npos,
                     link.isRestricted);
    }

    void anExpiredDeviceIsAdmittedAnewAndComesBack()
    {
        const Bytes expired = samples::certificateNotice(51, 1'700'000'000);
        m_second->certify(ByteView(expired).subspan(1));
        Node* first = start(*m_first);
        const auto torrent = signedRelease(contents());
        QVERIFY(push(*first, torrent, streamOf(torrent, contents())));
        m_second->config.neighbors = {first->listenEndpoint()};
        Node* second = start(*m_second);
        const auto pending = [&] { return first->joinOffice().pending(first->now()); };
        QTRY_COMPARE(pending().size(), std::size_t{1});
        const auto request =
            trust::openJoinRequest(pending().begin()->second.envelope, samples::trustSet().fleet());
        QVERIFY(request && request->node == m_second->id() && request->renews == 1'700'000'000u);
        QCOMPARE(request->name, second->certificate().name);
        QVERIFY(second->board().floors().find(torrent.info.update.uri) == nullptr);

        const Bytes renewed = samples::certificateNotice(51, 4'000'000'000);
        QVERIFY(first->admit(ByteView(renewed).subspan(1)));
        QTRY_VERIFY(second->board().floors().find(torrent.info.update.uri) != nullptr);
        QVERIFY(second->certificate().notAfter == 4'000'000'000u);
        for (const link::LinkInfo& link : first->links())
            QVERIFY(!link.isRestricted && link.notAfter == 4'000'000'000u);
        QVERIFY(pending().empty());
        // It is on the disk.
        m_nodes.clear();
        second = start(*m_second);
        QVERIFY(second->certificate().notAfter == 4'000'000'000u);
    }

    // Security case 6, over the overlay.
    void aDeviceThatWasAwayFetchesTheRootsAndKeepsThem()
    {
        Node* first = start(*m_first);
        for (const Bytes& root : followingRoots(40))
            QVERIFY(first->publishNotice(root));
        m_second->config.neighbors = {first->listenEndpoint()};
        Node* second = start(*m_second);
        m_third->config.neighbors = {second->listenEndpoint()};
        Node* third = start(*m_third);
        QTRY_COMPARE(rootOf(*second), std::uint64_t{41});
        QTRY_COMPARE(rootOf(*third), std::uint64_t{41});
        QVERIFY(second->refusals().empty() && third->refusals().empty());
        m_nodes.clear();
        QCOMPARE(rootOf(*start(*m_third)), std::uint64_t{41});
    }

    void aReleaseOfANewKeyComesWithItsRoot()
    {
        Node* first = start(*m_first);
        trust::RootDocument root = samples::rootDocument();
        root.previous = trust::Envelope::parse(samples::trustSet().chain().front())->payloadHash();
        root.number = 2;
        root.scopes[0].role.keys = {samples::key(77).id()};
        const Bytes envelope = samples::signRoot(root, samples::trustSet().fleet(), {1, 2});
        QVERIFY(first->publishNotice(release::noticeOf(trust::Kind::Root, envelope)));
        release::TorrentFile torrent = torrentOf(contents(), samples::update());
        torrent.sign(samples::trustSet().fleet(), samples::key(77));
        const auto pushed = push(*first, torrent, streamOf(torrent, contents()));
        QVERIFY2(pushed, pushed ? "" : pushed.error().context.c_str());
        m_second->config.neighbors = {first->listenEndpoint()};
        Node* second = start(*m_second);
        QTRY_VERIFY(second->board().floors().find(torrent.info.update.uri) != nullptr);
        QVERIFY(second->refusals().empty());
    }

    // Security case 5, over the overlay.
    void aForkedRootRaisesTheAlarmOnBothSides()
    {
        Node* first = start(*m_first);
        Node* second = start(*m_second);
        trust::RootDocument fork = samples::rootDocument();
        fork.previous = trust::Envelope::parse(samples::trustSet().chain().front())->payloadHash();
        fork.number = 2;
        QVERIFY(first->publishNotice(followingRoots(1).front()));
        QVERIFY(second->publishNotice(release::noticeOf(
            trust::Kind::Root, samples::signRoot(fork, samples::trustSet().fleet(), {1, 3}))));
        AgentConfig config = m_second->config;
        config.neighbors = {first->listenEndpoint()};
        QVERIFY(second->reconfigure(config).empty());
        const std::string name(shortName(Errc::Equivocation));
        QTRY_VERIFY(first->refusals().contains(name) && second->refusals().contains(name));
        QCOMPARE(rootOf(*first), std::uint64_t{2});
        QCOMPARE(rootOf(*second), std::uint64_t{2});
    }

    void refusesToPublishWhatIsNotForIt()
    {
        Node* node = start(*m_first);
        QCOMPARE(node->publishNotice({}).error().code, Errc::Usage);
        QCOMPARE(node->publishNotice(samples::certificateNotice(51)).error().code, Errc::Usage);
        QCOMPARE(node->publishNotice(followingRoots(2)[1]).error().code, Errc::RootGap);
        QCOMPARE(node->publishNotice(denyNotice({51}, 21)).error().code, Errc::WrongScope);
        QCOMPARE(node->refusals().size(), std::size_t{2});
    }

private:
    Node* start(const Device& device)
    {
        auto node = device.start();
        if (!node)
            qFatal("%s", node.error().context.c_str());
        m_nodes.push_back(std::move(*node));
        return m_nodes.back().get();
    }

    static int upLinks(const Node& node)
    {
        const auto links = node.links();
        return static_cast<int>(
            std::count_if(links.begin(), links.end(), [](const link::LinkInfo& link) { return link.isUp; }));
    }

    std::unique_ptr<Device> m_first, m_second, m_third;
    std::vector<std::unique_ptr<Node>> m_nodes;
};

QTEST_GUILESS_MAIN(TestNodeTrust)
#include "tst_node_trust.moc"
