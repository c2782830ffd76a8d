// SPDX-License-Identifier: Apache-2.0
/// A node's control socket as the agent serves it.
#include "agent/control_service.h"
#include "agent/hints_view.h"
#include "agent/reach_view.h"
#include "control/client.h"
#include "model/device_reader.h"
#include "node_fixture.h"
#include "receipt_samples.h"

#include <QLocalSocket>
#include <QThread>

using namespace starling;
using namespace starling::agent;
using namespace starling::control;
using namespace starling::node::fixture;

namespace {

class Caller
{
public:
    explicit Caller(const QString& path) { m_socket.connectToServer(path); }
    void send(const Request& request)
    {
        const Bytes bytes = encode(request);
        m_socket.write(reinterpret_cast<const char*>(bytes.data()), static_cast<qint64>(bytes.size()));
        m_socket.flush();
    }
    /// What comes next, events included.
    std::optional<Reply> next()
    {
        std::optional<Bytes> frame;
        const bool came = QTest::qWaitFor(
            [&] {
                const QByteArray bytes = m_socket.readAll();
                [[maybe_unused]] const auto taken = m_frames.feed(
                    std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
                frame = m_frames.next();
                return frame.has_value();
            },
            60'000);
        auto reply = came ? decodeReply(*frame) : Result<Reply>(fail(Errc::Timeout, ""));
        return reply ? std::optional(std::move(*reply)) : std::nullopt;
    }
    template <class T> std::optional<T> ask(const Request& request)
    {
        send(request);
        auto reply = next();
        if (!reply || !std::holds_alternative<T>(*reply))
            return std::nullopt;
        return std::get<T>(std::move(*reply));
    }
    int errorOf(const Request& request)
    {
        const auto reply = ask<ErrorReply>(request);
        return reply ? code(reply->error.code) : 0;
    }
    void hangUp() { m_socket.abort(); }

private:
    QLocalSocket m_socket;
    FrameReader m_frames;
};

using Answer = PushReply::Answer;

/// Everything that an agent tells from `mark` on, which is where it ends then; in order. Nothing if it does
/// not answer as it should.
std::optional<std::vector<DeviceLine>> readOn(Caller& caller, DevicesMark& mark, std::uint32_t most)
{
    std::vector<DeviceLine> lines;
    for (bool isLast = false; !isLast;) {
        auto page = caller.ask<DevicesReply>(DevicesRequest{mark, most});
        if (!page || page->devices.size() > most || page->mark.era == 0
            || encode(Reply(*page)).size() > kMaxFrameBytes)
            return std::nullopt;
        std::move(page->devices.begin(), page->devices.end(), std::back_inserter(lines));
        mark = page->mark;
        isLast = page->isLast;
    }
    return lines;
}

std::set<NodeId> nodesOf(const std::vector<DeviceLine>& lines)
{
    std::set<NodeId> nodes;
    for (const DeviceLine& line : lines)
        nodes.insert(line.node);
    return nodes;
}

/// What blocks, beside the event loop that serves it.
template <class Work> bool doneBeside(Work work)
{
    const std::unique_ptr<QThread> thread(QThread::create(work));
    thread->start();
    const bool isDone = QTest::qWaitFor([&] { return thread->isFinished(); }, 100'000);
    thread->wait();
    return isDone;
}

/// By a key of the admit role.
Bytes denyNotice(const NodeId& device)
{
    trust::DenyList list;
    list.nodes = {device};
    trust::Envelope envelope{trust::Kind::Deny, list.serialize(), {}};
    envelope.sign(samples::trustSet().fleet(), samples::key(11));
    return release::noticeOf(trust::Kind::Deny, envelope.serialize());
}

/// A second root, for which key 11 admits nobody any more.
Bytes rootWithoutKey11()
{
    trust::RootDocument root = samples::rootDocument();
    root.number = 2;
    root.previous =
        trust::Envelope::parse(samples::trustSet().chain().front(), trust::kMaxRootBytes)->payloadHash();
    root.admit.keys.erase(samples::key(11).id());
    return release::noticeOf(trust::Kind::Root, samples::signRoot(root, samples::trustSet().fleet(), {1, 2}));
}

} // namespace

class TestControlService : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }

    void init()
    {
        m_device = std::make_unique<Device>(50);
        m_path = QString::fromStdString(*m_device / "agent.sock");
        start();
    }

    void cleanup()
    {
        m_service.reset();
        m_node.reset();
        m_device.reset();
    }

    void tellsWhoAndHowItIs()
    {
        Caller caller(m_path);
        const auto status = caller.ask<StatusReply>(StatusRequest{});
        QVERIFY(status.has_value());
        QCOMPARE(status->name, std::string("device 50"));
        QVERIFY(status->node == m_device->id() && status->fleet == samples::trustSet().fleet()
                && status->listen == m_node->listenEndpoint());
        QCOMPARE(status->mode + " " + status->swarm, std::string("deploy members"));
        QVERIFY(status->updates.empty() && status->floors.empty() && status->refused.empty());
    }

    void tellsHowItIsLinked()
    {
        Caller caller(m_path);
        const auto none = caller.ask<PeersReply>(PeersRequest{});
        QVERIFY(none && none->peers.empty());
        const auto sessions = caller.ask<SessionsReply>(SessionsRequest{});
        QVERIFY(sessions && !sessions->isRendezvous && sessions->sessions.empty());
    }

    void tellsWhatANatDoesByWhereADeviceIsSeen()
    {
        const Endpoint inside = Endpoint::ipv4(192, 168, 1, 2, 7'891);
        const Endpoint outside = Endpoint::ipv4(203, 0, 113, 1, 7'891);
        const Endpoint otherPort = Endpoint::ipv4(203, 0, 113, 1, 9);
        using nat::Mapping;
        QVERIFY(mappingOf(outside, {outside}) == Mapping::None);
        QVERIFY(mappingOf(inside, {inside}) == Mapping::None);
        QVERIFY(mappingOf(outside, {outside, inside}) == Mapping::EndpointIndependent);
        QVERIFY(mappingOf(otherPort, {outside, inside}) == Mapping::Dependent);
        QVERIFY(mappingOf(outside, {inside}) == Mapping::Unknown);
    }

    void issuesTokensAndTakesCertificatesForThoseWhoWait()
    {
        Caller caller(m_path);
        const auto token = caller.ask<TokenReply>(TokenRequest{{}, 3'600});
        QVERIFY(token && token->token.starts_with("starling1-") && token->expires > 0);
        QVERIFY(!token->isForConsole && caller.ask<TokenReply>(TokenRequest{{}, 3'600, true})->isForConsole);
        QCOMPARE(caller.errorOf(TokenRequest{{}, 25 * 3'600}), code(Errc::Usage));
        QCOMPARE(caller.errorOf(TokenRequest{{}, UINT64_MAX >> 1}), code(Errc::Usage));
        QCOMPARE(caller.errorOf(TokenRequest{Endpoint::ipv4(0, 0, 0, 0, 7'891), 60}), code(Errc::Usage));
        const auto pending = caller.ask<PendingReply>(PendingRequest{});
        QVERIFY(pending && pending->devices.empty() && pending->fleet == samples::trustSet().fleet());
        QCOMPARE(caller.errorOf(AdmitRequest{toBytes("garbage")}), code(Errc::NotBencode));
        const Bytes notice = samples::certificateNotice(60);
        QCOMPARE(caller.errorOf(AdmitRequest{Bytes(notice.begin() + 1, notice.end())}), code(Errc::NotFound));
    }

    void publishesADenyListAndTellsOfIt()
    {
        Caller caller(m_path);
        const KeyId signer = samples::key(11).id();
        auto trusted = caller.ask<TrustReply>(TrustRequest{signer});
        QVERIFY(trusted && trusted->fleet == samples::trustSet().fleet() && trusted->denyLists.empty());
        QVERIFY(trusted->root == samples::trustSet().chain().front());
        trust::DenyList list;
        list.nodes = {samples::nodeOf(51)};
        trust::Envelope envelope{trust::Kind::Deny, list.serialize(), {}};
        envelope.sign(trusted->fleet, samples::key(11));
        const PublishRequest request{release::noticeOf(trust::Kind::Deny, envelope.serialize())};
        QVERIFY(caller.ask<PublishReply>(request)->isNew);
        QVERIFY(!caller.ask<PublishReply>(request)->isNew);
        trusted = caller.ask<TrustReply>(TrustRequest{signer});
        QCOMPARE(trusted->denyLists.size(), std::size_t{1});
        QVERIFY(trusted->denyLists[0] == envelope.serialize());
        QVERIFY(caller.ask<TrustReply>(TrustRequest{samples::key(12).id()})->denyLists.empty());
        QCOMPARE(caller.errorOf(PublishRequest{samples::certificateNotice(51)}), code(Errc::Usage));
    }

    void takesAPush()
    {
        const auto torrent = signedRelease(contents());
        const Bytes stream = streamOf(torrent, contents());
        Caller watcher(m_path);
        QVERIFY(watcher.ask<WatchReply>(WatchRequest{}).has_value());
        Caller caller(m_path);
        QVERIFY(caller.ask<PushReply>(PushRequest{torrent.serialize(), {}})->answer == Answer::SendPayload);
        std::uint64_t sent = 0;
        for (ByteView rest = stream; !rest.empty();) {
            const ByteView part = rest.first(std::min(rest.size(), kMaxChunkBytes));
            rest = rest.subspan(part.size());
            sent += part.size();
            const auto reply = caller.ask<PushReply>(PushChunk{toBytes(part)});
            QVERIFY(reply && reply->answer == Answer::Continue);
            QCOMPARE(reply->receivedBytes, sent);
        }
        const auto end = caller.ask<PushReply>(PushEnd{});
        QVERIFY(end && end->answer == Answer::Published);
        QTRY_VERIFY(phaseAt(*m_node, torrent.infoHash) == trust::Phase::Healthy);
        QVERIFY(caller.ask<PushReply>(PushRequest{torrent.serialize(), {}})->answer == Answer::NothingToDo);
        const auto updates = caller.ask<UpdatesReply>(UpdatesRequest{});
        QVERIFY(updates && updates->updates.size() == 1 && updates->updates[0].doneBytes == stream.size());
        std::vector<trust::Phase> phases;
        while (phases.empty() || phases.back() != trust::Phase::Healthy) {
            const auto event = watcher.next();
            QVERIFY(event && std::holds_alternative<Event>(*event));
            if (const Event& seen = std::get<Event>(*event); seen.what == Event::What::Update)
                phases.push_back(seen.phase);
        }
        QVERIFY(std::is_sorted(phases.begin(), phases.end()));
        QTRY_VERIFY([&] {
            const auto devices = caller.ask<DevicesReply>(DevicesRequest{});
            return devices && devices->devices.size() == 1 && devices->devices[0].name == "device 50"
                && !devices->devices[0].receipt.entries.empty();
        }());
    }

    void tellsOfTenThousandDevicesOnceAndThenOfWhatHasChanged()
    {
        constexpr std::uint32_t kMany = 10'000;
        observe(kMany);
        Caller caller(m_path);
        // As programs of before there were pages ask.
        QCOMPARE(caller.ask<DevicesReply>(DevicesRequest{})->devices.size(), std::size_t{kMaxDevicesTold});
        DevicesMark mark;
        const auto all = readOn(caller, mark, 1'000).value();
        QCOMPARE(all.size(), std::size_t{kMany + 1});
        QCOMPARE(nodesOf(all).size(), all.size());
        QVERIFY(nodesOf(all).contains(m_device->id()));
        for (const DeviceLine& line : all)
            QVERIFY(line.receipt.node == line.node
                    && (line.node == m_device->id()
                        || (line.name.starts_with("gw-") && line.labels.at("site").starts_with("site-")
                            && line.receipt.entries
                                == std::vector<trust::ReceiptEntry>{samples::healthyEntry()})));
        const DevicesMark before = mark;
        QVERIFY(readOn(caller, mark, 1'000).value().empty());
        QVERIFY(mark.era == before.era && mark.change == before.change);

        // A device says something else, and is told of alone.
        const auto torrent = signedRelease(contents());
        QCOMPARE(code(push(*m_node, torrent, streamOf(torrent, contents()))), 0);
        std::vector<DeviceLine> changed;
        QTRY_VERIFY([&] {
            const auto more = readOn(caller, mark, 1'000).value();
            changed.insert(changed.end(), more.begin(), more.end());
            return !changed.empty() && !changed.back().receipt.entries.empty();
        }());
        QVERIFY(nodesOf(changed) == std::set<NodeId>{m_device->id()});
        QVERIFY(mark.era == before.era && mark.change > before.change);
        // Whoever shows what is no mark of this agent's is told everything.
        DevicesMark foreign{before.era ^ 1, before.change};
        QCOMPARE(readOn(caller, foreign, 4'096).value().size(), all.size());
    }

    void aFrameHasRoomForThePageThatIsInIt()
    {
        constexpr std::uint32_t kLarge = 200;
        std::vector<trust::ReceiptEntry> entries;
        for (int i = 0; i < 64; ++i) {
            trust::ReceiptEntry entry = samples::healthyEntry();
            entry.uri = *ResourceUri::parse("fw/" + std::string(60, 'a') + "/" + std::string(60, 'b') + "/"
                                            + std::to_string(1'000 + i));
            entry.detail = std::string(200, 'd');
            entries.push_back(std::move(entry));
        }
        std::vector<store::ReceiptRow> rows;
        std::size_t bytes = 0;
        for (std::uint32_t i = 0; i < kLarge; ++i) {
            rows.push_back(samples::receiptOfMany(i, 1, entries));
            bytes += rows.back().bytes.size();
        }
        QVERIFY(bytes > kMaxFrameBytes); // or it would prove nothing
        stop();
        m_device->observe();
        QCOMPARE(code(store::Store::open(m_device->config.state)->putReceipts(rows)), 0);
        start();
        Caller caller(m_path);
        DevicesMark mark;
        const auto all = readOn(caller, mark, kMaxDevicesTold).value();
        QVERIFY(nodesOf(all).size() >= kLarge);
        QCOMPARE(all.size(), nodesOf(all).size());
    }

    void tellsAnewOnceADeviceIsDenied()
    {
        observe(20);
        Caller caller(m_path);
        DevicesMark mark;
        QCOMPARE(readOn(caller, mark, 8).value().size(), std::size_t{21});
        const std::uint64_t era = mark.era;
        QVERIFY(m_node->publishNotice(denyNotice(samples::nodeOfMany(3))).has_value());
        const auto left = readOn(caller, mark, 8).value();
        QVERIFY(mark.era != era);
        QCOMPARE(left.size(), std::size_t{20});
        QVERIFY(!nodesOf(left).contains(samples::nodeOfMany(3)));
        QVERIFY(readOn(caller, mark, 8).value().empty());
    }

    void tellsOfNobodyWhomTheNewestRootDoesNotAdmit()
    {
        observe(20);
        Caller caller(m_path);
        DevicesMark mark;
        QCOMPARE(readOn(caller, mark, 8).value().size(), std::size_t{21});
        const auto published = m_node->publishNotice(rootWithoutKey11());
        QVERIFY2(published.has_value(), published ? "" : toString(published.error()).c_str());
        QVERIFY(readOn(caller, mark, 8).value().empty());
        // What did not verify once is not believed the next time either.
        DevicesMark anew;
        QVERIFY(readOn(caller, anew, 8).value().empty());
        QVERIFY(anew.era == mark.era && anew.change == mark.change && anew.change >= 20);
    }

    void aBookOfDevicesFollowsTheAgent()
    {
        constexpr std::uint32_t kMany = 600; // three pages
        observe(kMany);
        console::DeviceBook book;
        int pauses = 0;
        const auto update = [&] {
            Status updated = fail(Errc::Timeout, "");
            pauses = 0;
            return doneBeside([&] {
                       auto agent = Client::connect(m_path);
                       updated = !agent
                           ? Status(tl::unexpected<Error>(agent.error()))
                           : book.update(*agent, std::chrono::seconds(10),
                                         [&](std::uint64_t read, std::uint64_t total) -> Status {
                                             ++pauses;
                                             return read < total ? Status() : fail(Errc::Usage, "");
                                         });
                   })
                && updated.has_value();
        };
        QVERIFY(update());
        QCOMPARE(book.devices().size(), std::size_t{kMany + 1});
        QCOMPARE(pauses, 2);
        QVERIFY(book.isObserver() && book.leftOut() == 0);
        // By another connection it goes on where it was.
        QVERIFY(update());
        QCOMPARE(pauses, 0);
        QVERIFY(m_node->publishNotice(denyNotice(samples::nodeOfMany(3))).has_value());
        QVERIFY(update());
        QCOMPARE(book.devices().size(), std::size_t{kMany});
        QVERIFY(!book.devices().contains(samples::nodeOfMany(3)));
    }

    void refusesAPushThatIsNotWelcome()
    {
        Caller caller(m_path);
        QCOMPARE(caller.errorOf(PushRequest{torrentOf(contents()).serialize(), {}}), code(Errc::Unsigned));
        QCOMPARE(caller.errorOf(PushRequest{toBytes("garbage"), {}}), code(Errc::NotBencode));
        const auto status = caller.ask<StatusReply>(StatusRequest{});
        QCOMPARE(status->refused.size(), std::size_t{2});
        verifyNothingArrived();
    }

    /// Of security case 33: others made the sums.
    void tellsOfSumsWhatMakesSenseAlone()
    {
        QVERIFY(!hintsOf({}).isSummed);
        const overlay::TallyKey good{"fw/a", 0, 7, 9, "Bergen"};
        overlay::Hints hints;
        hints.age = std::chrono::seconds(40);
        hints.tally.devices = 90;
        hints.tally.folded = 5;
        const auto changed = [&](const auto& change) {
            overlay::TallyKey key = good;
            change(key);
            hints.tally.counts[key] = 2;
        };
        hints.tally.counts[good] = 70;
        changed([](auto& key) { key.site.reset(); });
        changed([](auto& key) { key.uri = "fw//a"; });
        changed([](auto& key) { key.uri = "\x1b[2J"; });
        changed([](auto& key) { key.phase = 0; });
        changed([](auto& key) { key.phase = 12; });
        changed([](auto& key) { key.version = UINT64_MAX; });
        changed([](auto& key) { key.site = "a\nb"; });
        const HintsReply reply = hintsOf(hints);
        QVERIFY(reply.isSummed && reply.devices == 90 && reply.ageSeconds == 40);
        QCOMPARE(reply.lines.size(), std::size_t{2});
        QVERIFY(!reply.lines[0].site && reply.lines[1].site == "Bergen" && reply.lines[1].devices == 70);
        QCOMPARE(reply.folded, std::uint64_t{5 + 6 * 2});
        // This agent is told in no sums.
        Caller caller(m_path);
        QVERIFY(!caller.ask<HintsReply>(HintsRequest{})->isSummed);
        QCOMPARE(caller.errorOf(FetchRequest{{1, 20}}), code(Errc::Refused));
    }

    void refusesPartsOfAPushOutOfTurn()
    {
        Caller caller(m_path);
        QCOMPARE(caller.errorOf(PushChunk{toBytes("x")}), code(Errc::Usage));
        QCOMPARE(caller.errorOf(PushEnd{}), code(Errc::Usage));
        const auto torrent = signedRelease(contents());
        QVERIFY(caller.ask<PushReply>(PushRequest{torrent.serialize(), {}}).has_value());
        QCOMPARE(caller.errorOf(PushRequest{torrent.serialize(), {}}), code(Errc::Busy));
        Caller other(m_path);
        QCOMPARE(other.errorOf(PushRequest{torrent.serialize(), {}}), code(Errc::Busy));
        QCOMPARE(caller.errorOf(PushEnd{}), code(Errc::PayloadMismatch));
        QCOMPARE(caller.errorOf(PushEnd{}), code(Errc::Usage));
        verifyNothingArrived();
    }

    void aWrongPayloadIsDeleted()
    {
        const auto torrent = signedRelease(contents());
        Bytes stream = streamOf(torrent, contents());
        stream[0] ^= std::byte{1};
        Caller caller(m_path);
        QVERIFY(caller.ask<PushReply>(PushRequest{torrent.serialize(), {}}).has_value());
        QCOMPARE(caller.errorOf(PushChunk{Bytes(stream.begin(), stream.begin() + 1'000)}),
                 code(Errc::PayloadMismatch));
        verifyNothingArrived();
        QCOMPARE(caller.errorOf(PushChunk{toBytes("x")}), code(Errc::Usage));
    }

    void aClientThatGoesAwayLeavesNothing()
    {
        const auto torrent = signedRelease(contents());
        const Bytes stream = streamOf(torrent, contents());
        for (const std::size_t sent : {std::size_t{0}, std::size_t{1}, std::size_t{200'000}, stream.size()}) {
            Caller caller(m_path);
            QVERIFY(caller.ask<PushReply>(PushRequest{torrent.serialize(), {}}).has_value());
            QVERIFY(!fs::is_empty(*m_device / "state/incoming"));
            QVERIFY(sent == 0
                    || caller.ask<PushReply>(PushChunk{Bytes(
                        stream.begin(),
                        stream.begin() + static_cast<std::ptrdiff_t>(std::min(sent, kMaxChunkBytes)))}));
            caller.hangUp();
            QTRY_VERIFY(fs::is_empty(*m_device / "state/incoming"));
        }
        QVERIFY(m_node->updater().views().empty());
    }

    void publishesInPlace()
    {
        const Directory elsewhere;
        putPayload(elsewhere.path(), contents());
        const auto torrent = signedRelease(contents());
        Caller caller(m_path);
        QCOMPARE(caller.errorOf(PushRequest{torrent.serialize(), "site"}), code(Errc::Usage));
        const auto reply = caller.ask<PushReply>(PushRequest{torrent.serialize(), elsewhere / "site"});
        QVERIFY(reply && reply->answer == Answer::Published);
    }

    void aClientThatGoesAwayDuringVerificationDoesNoHarm()
    {
        const Directory elsewhere;
        putPayload(elsewhere.path(), contents());
        const auto torrent = signedRelease(contents());
        {
            Caller caller(m_path);
            caller.send(PushRequest{torrent.serialize(), elsewhere / "site"});
            QTRY_VERIFY_WITH_TIMEOUT(m_node->refusals().empty(), 100);
            caller.hangUp();
        }
        Caller other(m_path);
        QVERIFY(other.ask<StatusReply>(StatusRequest{}).has_value());
    }

    void endsWithAPushUnderWay()
    {
        const auto torrent = signedRelease(contents());
        Caller caller(m_path);
        QVERIFY(caller.ask<PushReply>(PushRequest{torrent.serialize(), {}}).has_value());
        m_service.reset();
        verifyNothingArrived();
    }

private:
    void start()
    {
        auto node = m_device->start();
        QVERIFY2(node.has_value(), node ? "" : toString(node.error()).c_str());
        m_node = std::move(*node);
        m_service = std::make_unique<ControlService>(*m_node, m_path);
        QCOMPARE(code(m_service->listen()), 0);
    }

    void stop()
    {
        m_service.reset();
        m_node.reset();
    }

    /// The device observes from now on, and holds receipts of so many others and its own.
    void observe(std::uint32_t others)
    {
        stop();
        m_device->observe();
        QCOMPARE(code(samples::storeReceiptsOfMany(m_device->config.state, 0, others)), 0);
        start();
        QTRY_COMPARE(m_node->desk().count(), std::uint64_t{others + 1});
    }

    void verifyNothingArrived()
    {
        QVERIFY(fs::is_empty(*m_device / "state/incoming"));
        QVERIFY(m_node->updater().views().empty());
    }

    std::unique_ptr<Device> m_device;
    std::unique_ptr<node::Node> m_node;
    QString m_path;
    std::unique_ptr<ControlService> m_service;
};

QTEST_GUILESS_MAIN(TestControlService)
#include "tst_control_service.moc"
