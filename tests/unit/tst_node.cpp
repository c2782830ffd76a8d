// SPDX-License-Identifier: Apache-2.0
#include "link/packet.h"
#include "node_fixture.h"

#include <QSignalSpy>
#include <QUdpSocket>

using namespace starling;
using namespace starling::node;
using namespace starling::node::fixture;
using trust::Phase;

namespace {

constexpr int kSpreadMilliseconds = 60'000; // most of it for busy machines

/// Another fleet: device 50 is admitted by keys that it shares with nobody else.
Bytes foreignAnchor()
{
    trust::RootDocument root = samples::rootDocument();
    root.created = 1'700'000'000; // another payload, another fleet
    return samples::signRoot(root, FleetId(), {1, 2});
}

std::uint64_t receiptSequence(const Node& node)
{
    return node.desk().own() ? node.desk().own()->sequence : 0;
}

} // namespace

class TestNode : public QObject
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

    void aPushedReleaseBecomesHealthyEverywhere()
    {
        Node* first = start(*m_first);
        m_second->config.neighbors = {first->listenEndpoint()};
        Node* second = start(*m_second);
        m_third->config.neighbors = {second->listenEndpoint()};
        m_third->observe();
        Node* third = start(*m_third);
        QTRY_COMPARE(upLinks(*second), 2);

        const auto torrent = signedRelease(contents());
        QCOMPARE(code(push(*first, torrent, streamOf(torrent, contents()))), 0);
        QVERIFY(first->holdsPayload(torrent));
        for (Node* node : {first, second, third})
            QTRY_VERIFY_WITH_TIMEOUT(phaseAt(*node, torrent.infoHash) == Phase::Healthy, kSpreadMilliseconds);
        for (const auto& [name, bytes] : contents())
            QVERIFY(*readFile(*m_third / ("state/payloads/" + torrent.infoHash.hex() + "/data/site/" + name),
                              1'000'000)
                    == bytes);
        // The one that observes hears of all of them by signed receipts.
        for (const Device* device : {m_first.get(), m_second.get(), m_third.get()})
            QTRY_VERIFY_WITH_TIMEOUT(saysHealthy(*third, device->id(), torrent.infoHash),
                                     kSpreadMilliseconds);
        QCOMPARE(third->board().floors().find(torrent.info.update.uri)->revision.version, std::uint64_t{1});
        QVERIFY(first->refusals().empty() && second->refusals().empty() && third->refusals().empty());
        QVERIFY(second->swarm().isSeeding(torrent.infoHash));
    }

    /// A notice does not wait for the disks on its way. What is written waits here until another device has
    /// heard: of the origin its neighbour, and of that one a device that comes only then and knows it alone.
    void passesAReleaseOnBeforeItIsStored()
    {
        const auto hasHeard = [](const Node* node) {
            return QTest::qWaitFor([&] { return !node->board().floors().all().empty(); },
                                   kSpreadMilliseconds);
        };
        const auto isFirstWrite = [](const update::Step& step, StepMoment moment) {
            return step.record.phase == Phase::Announced && moment == StepMoment::BeforeWrite;
        };
        bool isFirstLate = true, isSecondLate = true;
        Node *second = nullptr, *third = nullptr;
        m_first->observer = [&](const update::Step& step, StepMoment moment) {
            if (isFirstWrite(step, moment))
                isFirstLate = !hasHeard(second);
        };
        m_second->observer = [&](const update::Step& step, StepMoment moment) {
            if (!isFirstWrite(step, moment) || third != nullptr)
                return;
            third = start(*m_third);
            isSecondLate = !hasHeard(third);
        };
        Node* first = start(*m_first);
        m_second->config.neighbors = {first->listenEndpoint()};
        second = start(*m_second);
        m_third->config.neighbors = {second->listenEndpoint()};
        QTRY_COMPARE(upLinks(*second), 1);
        const auto torrent = signedRelease(contents());
        QCOMPARE(code(push(*first, torrent, streamOf(torrent, contents()))), 0);
        QTRY_VERIFY_WITH_TIMEOUT(third != nullptr && phaseAt(*third, torrent.infoHash) == Phase::Healthy,
                                 kSpreadMilliseconds);
        QVERIFY2(!isFirstLate, "the origin wrote first");
        QVERIFY2(!isSecondLate, "the node in between wrote first");
    }

    void anObserverCollectsTheReceiptsOfAll()
    {
        m_first->observe();
        const auto collected = [](Node& node) {
            std::set<NodeId> devices;
            const auto receipts = receiptsAt(node);
            for (const board::DeviceReceipt& device : receipts)
                devices.insert(device.receipt.node);
            return devices;
        };
        const std::set<NodeId> all{m_first->id(), m_second->id(), m_third->id()};
        {
            Node* first = start(*m_first);
            m_second->config.neighbors = {first->listenEndpoint()};
            Node* second = start(*m_second);
            m_third->config.neighbors = {second->listenEndpoint()};
            Node* third = start(*m_third);
            QTRY_VERIFY_WITH_TIMEOUT(collected(*first) == all, kSpreadMilliseconds);
            QVERIFY(first->desk().isObserver() && !second->desk().isObserver()
                    && !third->desk().isObserver());
            QVERIFY(collected(*second).empty() && collected(*third).empty());
            QVERIFY(first->refusals().empty() && second->refusals().empty() && third->refusals().empty());
        }
        m_nodes.clear();
        // What was collected is there again, and the subscription stands on the board.
        fs::remove(m_first->config.subscription);
        Node* again = start(*m_first);
        QVERIFY(again->desk().isObserver());
        QVERIFY(collected(*again) == all);
    }

    void anAgentThatIsEntitledWhileItRunsHearsOfAllThatReportedBefore()
    {
        Node* first = start(*m_first);
        m_second->config.neighbors = {first->listenEndpoint()};
        Node* second = start(*m_second);
        QTRY_COMPARE(upLinks(*second), 1);
        QTRY_VERIFY(receiptSequence(*first) != 0 && receiptSequence(*second) != 0);
        // Any agent may bring it.
        const auto published = second->publishNotice(samples::subscriptionNotice(50));
        QVERIFY(published && *published);
        QTRY_COMPARE_WITH_TIMEOUT(receiptsAt(*first).size(), std::size_t{2}, kSpreadMilliseconds);
    }

    void aFleetAboveTheObserversLimitIsToldInSumsAndAnswersWhenAsked()
    {
        m_first->observe();
        m_first->config.sumsAbove = 1;
        Node* first = start(*m_first);
        m_second->config.neighbors = {first->listenEndpoint()};
        Node* second = start(*m_second);
        m_third->config.neighbors = {second->listenEndpoint()};
        Node* third = start(*m_third);
        const auto told = [&](Phase phase) {
            const auto hints = first->desk().hints().value_or(overlay::Hints{});
            std::uint32_t devices = 0;
            for (const auto& [key, count] : hints.tally.counts)
                devices += key.phase == static_cast<std::uint8_t>(phase) ? count : 0;
            return devices;
        };
        QTRY_VERIFY_WITH_TIMEOUT(first->desk().wantsSums(), kSpreadMilliseconds);
        QTRY_VERIFY_WITH_TIMEOUT(first->desk().hints() && first->desk().hints()->tally.devices == 3,
                                 kSpreadMilliseconds);

        const auto torrent = signedRelease(contents());
        QCOMPARE(code(push(*second, torrent, streamOf(torrent, contents()))), 0);
        QTRY_VERIFY_WITH_TIMEOUT(told(Phase::Healthy) == 3, kSpreadMilliseconds);
        // Sums make nobody healthy; the receipts that do wait until they are asked for.
        QVERIFY(!saysHealthy(*first, m_third->id(), torrent.infoHash));
        const trust::ReceiptAsk ask{0, 10, torrent.info.update.uri, torrent.info.update.revision,
                                    Phase::Healthy};
        QCOMPARE(code(second->askForReceipts(ask)), code(Errc::Refused));
        QCOMPARE(code(first->askForReceipts(ask)), 0);
        for (const Device* device : {m_second.get(), m_third.get()})
            QTRY_VERIFY_WITH_TIMEOUT(saysHealthy(*first, device->id(), torrent.infoHash),
                                     kSpreadMilliseconds);
        QVERIFY(first->refusals().empty() && second->refusals().empty() && third->refusals().empty());
    }

    void aSubscriptionThatNobodyMaySignStopsTheAgent()
    {
        m_first->observe(11); // a key of admit
        QCOMPARE(code(m_first->start()), code(Errc::WrongScope));
    }

    void aRelayServesButDoesNotDeploy()
    {
        Node* first = start(*m_first);
        m_second->config.neighbors = {first->listenEndpoint()};
        m_second->config.deploy = DeployMode::None;
        Node* second = start(*m_second);
        auto update = samples::update();
        update.requirements = {{"site", "elsewhere"}}; // a relay serves devices unlike itself
        const auto torrent = signedRelease(contents(), update);
        QCOMPARE(code(push(*first, torrent, streamOf(torrent, contents()))), 0);
        QTRY_VERIFY_WITH_TIMEOUT(phaseAt(*second, torrent.infoHash) == Phase::Staged, kSpreadMilliseconds);
        QTRY_VERIFY(phaseAt(*first, torrent.infoHash) == Phase::Failed);
        QVERIFY(second->swarm().isSeeding(torrent.infoHash));
    }

    void refusesAndCountsABadPush()
    {
        Node* node = start(*m_first);
        QSignalSpy refused(node, &Node::noticeRefused);
        const auto second = signedRelease(contents(), samples::update("fw/gateway", 2));
        QCOMPARE(code(push(*node, second, streamOf(second, contents()))), 0);
        QTRY_VERIFY(phaseAt(*node, second.infoHash) == Phase::Healthy);

        const auto older = signedRelease(contents(), samples::update("fw/gateway", 1));
        QCOMPARE(code(node->examinePush(older.serialize())), code(Errc::Rollback));
        const auto twin = signedRelease({{"other", toBytes("x")}, {"files", toBytes("y")}},
                                        samples::update("fw/gateway", 2));
        QCOMPARE(code(node->examinePush(twin.serialize())), code(Errc::Equivocation));
        QCOMPARE(code(node->examinePush(torrentOf(contents(), samples::update("fw/gateway", 3)).serialize())),
                 code(Errc::Unsigned));
        QCOMPARE(code(node->examinePush(toBytes("garbage"))), code(Errc::NotBencode));
        QCOMPARE(refused.count(), 4);
        for (const Errc each : {Errc::Rollback, Errc::Equivocation, Errc::Unsigned, Errc::NotBencode})
            QCOMPARE(node->refusals().at(std::string(shortName(each))), std::uint64_t{1});
        QCOMPARE(node->board().floors().find(second.info.update.uri)->revision.version, std::uint64_t{2});
        QVERIFY(node->holdsPayload(second));
    }

    void refusesAndCountsABadNotice()
    {
        Node* first = start(*m_first);
        Node* second = start(*m_second);
        // Both take a signed version 1, of different contents, while they are apart: neither takes the
        // other's when they meet, and both say so.
        const samples::Contents others{{"a", toBytes("1")}, {"b", toBytes("2")}};
        const auto one = signedRelease(contents());
        const auto other = signedRelease(others);
        QCOMPARE(code(push(*first, one, streamOf(one, contents()))), 0);
        QCOMPARE(code(push(*second, other, streamOf(other, others))), 0);
        AgentConfig config = m_second->config;
        config.neighbors = {first->listenEndpoint()};
        QVERIFY(second->reconfigure(config).empty());
        const std::string name(shortName(Errc::Equivocation));
        QTRY_VERIFY_WITH_TIMEOUT(first->refusals().contains(name) && second->refusals().contains(name),
                                 kSpreadMilliseconds);
        QVERIFY(first->holdsPayload(one) && second->holdsPayload(other));
    }

    /// More datagrams than one turn takes arrive at once: the socket is read to its end and heard afterwards.
    void hearsAfterABurst()
    {
        const Endpoint node = start(*m_first)->listenEndpoint();
        QUdpSocket stranger;
        QVERIFY(stranger.bind(QHostAddress::LocalHost));
        for (int i = 0; i < 300; ++i) // below what the smallest default buffer holds
            QCOMPARE(stranger.writeDatagram("x", 1, QHostAddress::LocalHost, node.port), qint64{1});
        crypto::SystemRandom random;
        Bytes message = toBytes(crypto::LinkKeyPair::generate(random).publicKey().bytes());
        append(message, link::helloPayload(link::Token{1}));
        const Bytes hello =
            link::PacketCodec(samples::trustSet().fleet()).serialize(link::Hello{{}, message});
        const auto isAnswered = [&] {
            stranger.writeDatagram(reinterpret_cast<const char*>(hello.data()),
                                   static_cast<qint64>(hello.size()), QHostAddress::LocalHost, node.port);
            return stranger.hasPendingDatagrams();
        };
        QTRY_VERIFY(isAnswered());
    }

    void aRestartForgetsNothing()
    {
        const auto torrent = signedRelease(contents());
        start(*m_first);
        QCOMPARE(code(push(*m_nodes[0], torrent, streamOf(torrent, contents()))), 0);
        QTRY_VERIFY(saysHealthy(*m_nodes[0], m_first->id(), torrent.infoHash));
        const std::uint64_t sequence = receiptSequence(*m_nodes[0]);
        const std::size_t places = m_nodes[0]->board().entries().size();
        m_nodes.clear();

        Node* again = start(*m_first);
        QCOMPARE(again->board().entries().size(), places);
        QVERIFY(again->board().floors().find(torrent.info.update.uri)->infoHash == torrent.infoHash);
        QVERIFY(phaseAt(*again, torrent.infoHash) == Phase::Healthy);
        QVERIFY(again->holdsPayload(torrent) && again->swarm().isSeeding(torrent.infoHash));
        QTRY_VERIFY(receiptSequence(*again) > sequence);
        const auto older = signedRelease({{"x", toBytes("1")}, {"y", {}}});
        QCOMPARE(code(again->examinePush(older.serialize())), code(Errc::Equivocation));
    }

    void stopsWithinItsTime()
    {
        Node* node = start(*m_first);
        QSignalSpy stopped(node, &Node::stopped);
        node->stop();
        node->stop();
        QTRY_VERIFY_WITH_TIMEOUT(!stopped.isEmpty(), 10'000); // 2 s, and what a busy machine needs
    }

    void aPayloadTouchedWhileStoppedIsNotOffered()
    {
        const auto torrent = signedRelease(contents());
        start(*m_first);
        QCOMPARE(code(push(*m_nodes[0], torrent, streamOf(torrent, contents()))), 0);
        QTRY_VERIFY(phaseAt(*m_nodes[0], torrent.infoHash) == Phase::Healthy);
        m_nodes.clear();
        put(*m_first / ("state/payloads/" + torrent.infoHash.hex() + "/data/site/z"), Bytes(100));
        Node* again = start(*m_first);
        QVERIFY(!again->holdsPayload(torrent) && !again->swarm().isSeeding(torrent.infoHash));
        const auto views = again->updater().views();
        QVERIFY(views.size() == 1 && views[0].payloadTrouble
                && views[0].payloadTrouble->code == Errc::PayloadChanged);
        // Pushing it once more mends it.
        QCOMPARE(code(push(*again, torrent, streamOf(torrent, contents()))), 0);
        QVERIFY(again->holdsPayload(torrent) && again->swarm().isSeeding(torrent.infoHash));
    }

    void aPayloadWhoseRecordCannotGoOnIsKept()
    {
        const auto torrent = signedRelease(contents());
        start(*m_first);
        QCOMPARE(code(push(*m_nodes[0], torrent, streamOf(torrent, contents()))), 0);
        const auto newer = signedRelease(contents(), samples::update("fw/gateway", 2));
        QCOMPARE(code(push(*m_nodes[0], newer, streamOf(newer, contents()))), 0);
        QTRY_VERIFY(phaseAt(*m_nodes[0], newer.infoHash) == Phase::Healthy);
        m_nodes.clear();
        // Of the older one the notice is gone from the board, and now its torrent file is damaged.
        put(*m_first / ("state/payloads/" + torrent.infoHash.hex() + "/release.torrent"), toBytes("damaged"));
        start(*m_first);
        QVERIFY(fs::exists(*m_first / ("state/payloads/" + torrent.infoHash.hex() + "/data/site/z")));
    }

    void anotherFleetsStateIsNotTouched()
    {
        start(*m_first);
        m_nodes.clear();
        put(m_first->config.root, foreignAnchor());
        const auto refused = m_first->start();
        QCOMPARE(code(refused), code(Errc::WrongFleet));
        QVERIFY(refused.error().context.find(m_first->config.state.string()) != std::string::npos);
        put(m_first->config.root, samples::trustSet().chain().front());
        start(*m_first);
    }

    void aStateDirectoryServesOneNode()
    {
        start(*m_first);
        QCOMPARE(code(m_first->start()), code(Errc::StateLocked));
    }

    void aPortServesOneNode()
    {
        Node* first = start(*m_first);
        m_second->config.listen = first->listenEndpoint();
        const auto second = m_second->start();
        QCOMPARE(code(second), code(Errc::PortInUse));
        QVERIFY(second.error().context.find(toString(first->listenEndpoint())) != std::string::npos);
    }

    void needsACertificateOfItsOwn()
    {
        const Bytes others = samples::certificateNotice(51);
        m_first->certify(ByteView(others).subspan(1));
        const auto foreign = m_first->start();
        QCOMPARE(code(foreign), code(Errc::NotAdmitted));
        QVERIFY(foreign.error().context.find(m_first->config.certificate.string()) != std::string::npos);
        const Bytes bySomebody = samples::certificateNotice(50, {}, 21); // a release key admits nobody
        m_first->certify(ByteView(bySomebody).subspan(1));
        QCOMPARE(code(m_first->start()), code(Errc::NotAdmitted));
        m_first->certify(viewOf("garbage"));
        QCOMPARE(code(m_first->start()), code(Errc::NotAdmitted));
        trust::Certificate withoutLinkKey;
        withoutLinkKey.node = m_first->id();
        withoutLinkKey.name = "first";
        trust::Envelope envelope{trust::Kind::Admit, withoutLinkKey.serialize(), {}};
        envelope.sign(samples::trustSet().fleet(), samples::key(11));
        m_first->certify(envelope.serialize());
        const auto unlinked = m_first->start();
        QCOMPARE(code(unlinked), code(Errc::NotAdmitted));
        QVERIFY(unlinked.error().context.find("link key") != std::string::npos);
        const Bytes good = samples::certificateNotice(50);
        m_first->certify(ByteView(good).subspan(1));
        start(*m_first);
    }

    void aStrangerGetsNoLink()
    {
        // Device 51 of another fleet, with a good identity there.
        put(m_second->config.root, foreignAnchor());
        trust::Certificate certificate;
        certificate.node = m_second->id();
        certificate.linkKey = crypto::LinkKeyPair::of(samples::key(51)).publicKey();
        certificate.name = "stranger";
        trust::Envelope envelope{trust::Kind::Admit, certificate.serialize(), {}};
        envelope.sign(trust::TrustSet::fromAnchor(foreignAnchor())->fleet(), samples::key(11));
        m_second->certify(envelope.serialize());
        Node* first = start(*m_first);
        m_second->config.neighbors = {first->listenEndpoint()};
        Node* stranger = start(*m_second);
        const auto torrent = signedRelease(contents());
        QCOMPARE(code(push(*first, torrent, streamOf(torrent, contents()))), 0);
        QTRY_VERIFY(phaseAt(*first, torrent.infoHash) == Phase::Healthy);
        QCOMPARE(upLinks(*first) + upLinks(*stranger), 0);
        QVERIFY(stranger->board().floors().find(torrent.info.update.uri) == nullptr);
    }

    void neighborsTellEachOtherHowTheyAreSeen()
    {
        Node* first = start(*m_first);
        std::optional<Result<NatDesk::Found>> found;
        first->checkNetwork([&](const Result<NatDesk::Found>& result) { found = result; });
        QVERIFY(found && code(*found) == code(Errc::NotFound)); // nobody to ask yet
        m_second->config.neighbors = {first->listenEndpoint()};
        m_third->config.neighbors = {first->listenEndpoint()};
        Node* second = start(*m_second);
        Node* third = start(*m_third);
        QTRY_COMPARE(upLinks(*first), 2);
        QTRY_COMPARE(upLinks(*second), 2);
        found.reset();
        unsigned answers = 0;
        first->checkNetwork([&](const Result<NatDesk::Found>& result) {
            found = result;
            ++answers;
        });
        first->checkNetwork([&](const Result<NatDesk::Found>&) { ++answers; }); // joins the one under way
        QTRY_COMPARE_WITH_TIMEOUT(answers, 2u, kSpreadMilliseconds);
        QVERIFY(found->has_value());
        QCOMPARE((*found)->behaviour.answered.size(), std::size_t{2});
        QVERIFY((*found)->behaviour.mapping == nat::Mapping::None);
        QVERIFY((*found)->behaviour.mapped == first->listenEndpoint());
        QCOMPARE(upLinks(*first), 2);
        QCOMPARE(upLinks(*third), 2);
    }

    void reconfiguringNamesWhatNeedsARestart()
    {
        Node* node = start(*m_first);
        AgentConfig config = m_first->config;
        QVERIFY(node->reconfigure(config).empty());
        config.uploadLimit = {1'000};
        config.downloadLimit = {2'000};
        config.neighbors = {Endpoint::ipv4(127, 0, 0, 1, 9)};
        QVERIFY(node->reconfigure(config).empty());
        QVERIFY(node->config().uploadLimit.value == 1'000 && node->config().downloadLimit.value == 2'000);
        config.state = "/elsewhere";
        config.control = "/elsewhere.sock";
        config.listen.port = 1;
        config.labels = {{"a", "b"}};
        config.key = "/elsewhere.key";
        config.swarmPort = 1;
        config.quota = gibibytes(1);
        config.puppet = "other";
        const std::vector<std::string> all{"state",   "control", "listen", "labels",
                                           "[trust]", "swarm",   "quota",  "deploy"};
        QVERIFY(node->reconfigure(config) == all);
        // Not taken over, so named again.
        QVERIFY(node->reconfigure(config) == all);
        QVERIFY(node->config().state == m_first->config.state);
    }

    void publishesAPayloadWhereItLies()
    {
        const Directory elsewhere;
        putPayload(elsewhere.path(), contents());
        const QStringList before = elsewhere.names();
        const auto torrent = signedRelease(contents());
        Node* node = start(*m_first);
        QCOMPARE(code(pushInPlace(*node, torrent, elsewhere / "missing")), code(Errc::PayloadMissing));
        QCOMPARE(code(pushInPlace(*node, torrent, "site")), code(Errc::Usage));
        QCOMPARE(code(pushInPlace(*node, torrent, elsewhere / "site")), 0);
        QTRY_VERIFY(phaseAt(*node, torrent.infoHash) == Phase::Healthy);
        QVERIFY(node->swarm().isSeeding(torrent.infoHash));
        m_nodes.clear();
        node = start(*m_first);
        QVERIFY(node->holdsPayload(torrent) && node->swarm().isSeeding(torrent.infoHash));
        // Pushed anew with its contents, the link goes and the original stays.
        QCOMPARE(code(push(*node, torrent, streamOf(torrent, contents()))), 0);
        QCOMPARE(elsewhere.names(), before);
    }

    void refusesAPayloadInPlaceThatIsNotWhatWasSigned()
    {
        const Directory elsewhere;
        auto tampered = contents();
        tampered["a.sh"][0] ^= std::byte{1};
        putPayload(elsewhere.path(), tampered);
        const auto torrent = signedRelease(contents());
        Node* node = start(*m_first);
        QCOMPARE(code(pushInPlace(*node, torrent, elsewhere / "site")), code(Errc::PayloadMismatch));
        QVERIFY(node->updater().views().empty());
        QVERIFY(node->board().floors().find(torrent.info.update.uri) == nullptr);
    }

    void noticesThatAPayloadInPlaceChanged()
    {
        const Directory elsewhere;
        putPayload(elsewhere.path(), contents());
        const auto torrent = signedRelease(contents());
        Node* node = start(*m_first);
        QCOMPARE(code(pushInPlace(*node, torrent, elsewhere / "site")), 0);
        QTRY_VERIFY(node->swarm().isSeeding(torrent.infoHash));
        put(elsewhere / "site/z", Bytes(100));
        QTRY_VERIFY_WITH_TIMEOUT(!node->swarm().isSeeding(torrent.infoHash), kSpreadMilliseconds);
        QVERIFY(node->refusals().contains(std::string(shortName(Errc::PayloadChanged))));
    }

private:
    Node* start(const Device& device)
    {
        auto node = device.start();
        if (!node)
            qFatal("a node did not start: %s", toString(node.error()).c_str());
        m_nodes.push_back(std::move(*node));
        return m_nodes.back().get();
    }

    static int upLinks(const Node& node)
    {
        const auto links = node.links();
        return static_cast<int>(
            std::count_if(links.begin(), links.end(), [](const link::LinkInfo& link) { return link.isUp; }));
    }

    /// As an observer has it; of itself any node knows.
    static bool saysHealthy(Node& node, const NodeId& device, const InfoHash& payload)
    {
        const auto says = [&](const trust::Receipt& receipt) {
            return receipt.node == device
                && std::any_of(receipt.entries.begin(), receipt.entries.end(),
                               [&](const trust::ReceiptEntry& entry) {
                                   return entry.infoHash == payload && entry.phase == Phase::Healthy;
                               });
        };
        if (!node.desk().isObserver())
            return node.desk().own() && says(*node.desk().own());
        const auto receipts = receiptsAt(node);
        return std::any_of(receipts.begin(), receipts.end(),
                           [&](const board::DeviceReceipt& told) { return says(told.receipt); });
    }

    static Status pushInPlace(Node& node, const release::TorrentFile& torrent, const fs::path& path)
    {
        std::optional<Status> ended;
        node.publishInPlace(torrent, path, [&](Status status) { ended = std::move(status); });
        if (!QTest::qWaitFor([&] { return ended.has_value(); }, kSpreadMilliseconds))
            return fail(Errc::Timeout, "verification in place");
        return *ended;
    }

    std::unique_ptr<Device> m_first, m_second, m_third;
    std::vector<std::unique_ptr<Node>> m_nodes; ///< destroyed before their devices' directories
};

QTEST_GUILESS_MAIN(TestNode)
#include "tst_node.moc"
