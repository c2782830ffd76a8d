// SPDX-License-Identifier: Apache-2.0
#include "agent/control_service.h"

#include "agent/hints_view.h"
#include "agent/reach_view.h"

namespace starling::agent {

using namespace control;

namespace {

/// What a device takes in an answer beyond what its parcel has, which says all of it: the names of four
/// fields, its NodeId once more and lengths, 110 bytes at most.
constexpr std::size_t kLineBytes = 128;
constexpr std::size_t kDevicesBytes = kMaxFrameBytes - kMaxDevicesTold * kLineBytes - 1'024;
static_assert(kDevicesBytes >= board::kMaxParcelBytes && kDevicesBytes < kMaxFrameBytes);

Reply refusal(Error error)
{
    return ErrorReply{std::move(error)};
}

Event updateEvent(const update::Record& record)
{
    Event event;
    event.what = Event::What::Update;
    event.uri = record.uri.text();
    event.revision = record.revision;
    event.phase = record.phase;
    event.code = record.code;
    event.text = record.detail;
    return event;
}

} // namespace

ControlService::ControlService(node::Node& node, QString path, QObject* parent)
    : QObject(parent)
    , m_node(node)
    , m_server({.path = std::move(path)}, *this)
{
    connect(&node, &node::Node::recordChanged, this,
            [this](const update::Record& record) { m_server.publish(updateEvent(record)); });
    connect(&node, &node::Node::noticeRefused, this, [this](const Error& error) {
        Event event;
        event.what = Event::What::Refused;
        event.code = static_cast<std::uint16_t>(error.code);
        event.text = error.context;
        m_server.publish(event);
    });
    connect(&node, &node::Node::linkChanged, this, [this](const NodeId& other, bool isUp) {
        Event event;
        event.what = Event::What::Link;
        event.node = other;
        event.text = isUp ? "up" : "down";
        m_server.publish(event);
    });
    connect(&node, &node::Node::receiptTaken, this, [this](const trust::Receipt& receipt) {
        for (const trust::ReceiptEntry& entry : receipt.entries) {
            Event event;
            event.what = Event::What::Receipt;
            event.node = receipt.node;
            event.uri = entry.uri.text();
            event.revision = entry.revision;
            event.phase = entry.phase;
            event.code = entry.code;
            event.text = entry.detail;
            m_server.publish(event);
        }
    });
}

Status ControlService::listen()
{
    return m_server.listen();
}

std::optional<Reply> ControlService::handle(ConnectionId from, Request request)
{
    if (std::holds_alternative<StatusRequest>(request))
        return status();
    if (std::holds_alternative<UpdatesRequest>(request))
        return updates();
    if (const auto* asked = std::get_if<DevicesRequest>(&request))
        return devices(*asked);
    if (const auto* begin = std::get_if<PushRequest>(&request))
        return push(from, *begin);
    if (const auto* part = std::get_if<PushChunk>(&request))
        return chunk(from, *part);
    if (std::holds_alternative<PushEnd>(request))
        return finish(from);
    if (std::holds_alternative<PendingRequest>(request))
        return pending();
    if (const auto* admit = std::get_if<AdmitRequest>(&request)) {
        const auto admitted = m_node.admit(admit->certificate);
        return admitted ? Reply(AdmitReply{}) : refusal(admitted.error());
    }
    if (std::holds_alternative<NetCheckRequest>(request)) {
        checkNetwork(from);
        return std::nullopt;
    }
    if (std::holds_alternative<PeersRequest>(request))
        return peersOf(m_node);
    if (std::holds_alternative<SessionsRequest>(request))
        return sessionsOf(m_node);
    if (std::holds_alternative<HintsRequest>(request))
        return hintsOf(m_node.desk().hints());
    if (const auto* question = std::get_if<FetchRequest>(&request))
        return fetch(m_node, *question);
    if (const auto* token = std::get_if<TokenRequest>(&request))
        return createToken(*token);
    if (const auto* notice = std::get_if<PublishRequest>(&request))
        return publish(*notice);
    if (const auto* who = std::get_if<TrustRequest>(&request))
        return trustFor(who->signer);
    return refusal({Errc::Usage, "not a request that an agent answers"});
}

void ControlService::closed(ConnectionId connection)
{
    m_pushes.erase(connection); // deletes what arrived
}

std::vector<UpdateLine> ControlService::updateLines() const
{
    std::vector<UpdateLine> lines;
    for (const node::Updater::View& view : m_node.updater().views()) {
        const update::Record& record = view.record;
        UpdateLine line{.uri = record.uri,
                        .revision = record.revision,
                        .infoHash = record.infoHash,
                        .label = view.label,
                        .phase = record.phase,
                        .code = record.code,
                        .detail = record.detail,
                        .totalBytes = view.payloadBytes,
                        .doneBytes = record.phase > trust::Phase::Downloading ? view.payloadBytes : 0,
                        .downRate = {},
                        .upRate = {},
                        .peers = 0,
                        .pieces = {},
                        .knownSinceMicros = m_node.knownSinceMicros(record.infoHash)};
        if (view.payloadTrouble && line.code == 0) {
            line.code = static_cast<std::uint16_t>(view.payloadTrouble->code);
            line.detail = view.payloadTrouble->context;
        }
        if (const auto progress = m_node.swarm().progress(record.infoHash)) {
            line.downRate = progress->downRate;
            line.upRate = progress->upRate;
            line.peers = static_cast<std::uint32_t>(progress->peers);
            if (record.phase == trust::Phase::Downloading) {
                line.doneBytes = progress->doneBytes;
                line.pieces = toBytes(std::as_bytes(std::span(progress->pieces)));
            }
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

Reply ControlService::status() const
{
    const node::AgentConfig& config = m_node.config();
    StatusReply reply;
    reply.version = STARLING_VERSION;
    reply.node = m_node.self();
    reply.name = m_node.certificate().name;
    reply.fleet = m_node.board().trust().fleet();
    reply.rootNumber = m_node.board().trust().root().number;
    reply.uptimeSeconds = m_node.uptimeSeconds();
    reply.mode = config.deploy == node::DeployMode::None ? "relay" : "deploy";
    reply.swarm = config.admission == swarm::Admission::Open ? "open" : "members";
    reply.swarmPort = m_node.swarm().port();
    reply.listen = m_node.listenEndpoint();
    for (const link::LinkInfo& link : m_node.links()) {
        const auto micros =
            std::chrono::duration_cast<std::chrono::microseconds>(link.roundTrip.value_or(Duration::zero()))
                .count();
        reply.links.push_back({link.node, link.endpoint, link.isUp, static_cast<std::uint64_t>(micros)});
    }
    for (const auto& [uri, floor] : m_node.board().floors().all())
        reply.floors.push_back({uri, floor.revision, floor.infoHash});
    reply.updates = updateLines();
    for (const swarm::PeerTraffic& line : m_node.swarm().traffic())
        reply.traffic.push_back({line.payload, line.node, line.bytesFrom, line.bytesTo});
    reply.refused = m_node.refusals();
    reply.isObserver = m_node.desk().isObserver();
    reply.devices = m_node.desk().count();
    reply.portMapping = m_node.portMapping();
    reply.certificateEnds = m_node.certificate().notAfter.value_or(0);
    return reply;
}

Reply ControlService::updates() const
{
    return UpdatesReply{updateLines()};
}

Reply ControlService::devices(const DevicesRequest& request)
{
    DevicesReply reply;
    reply.isObserver = m_node.desk().isObserver();
    reply.total = m_node.desk().count();
    if (!reply.isObserver) {
        if (const auto& own = m_node.desk().own())
            reply.devices.push_back(
                {own->node, m_node.certificate().name, m_node.certificate().labels, *own});
        return reply;
    }
    auto page = m_node.receiptsSince({request.since.era, request.since.change},
                                     std::min(request.most, kMaxDevicesTold), kDevicesBytes);
    if (!page)
        return refusal(page.error());
    for (board::DeviceReceipt& device : page->receipts)
        reply.devices.push_back({device.receipt.node, std::move(device.certificate.name),
                                 std::move(device.certificate.labels), std::move(device.receipt)});
    reply.mark = {page->mark.era, page->mark.change};
    reply.isLast = page->isLast;
    return reply;
}

void ControlService::checkNetwork(ConnectionId from)
{
    m_node.checkNetwork([this, from](const Result<node::NatDesk::Found>& found) {
        if (!found)
            return m_server.reply(from, refusal(found.error()));
        m_server.reply(from,
                       NetCheckReply{found->behaviour, found->locals, found->asked, tcpOf(m_node),
                                     m_node.portMapping(), m_node.lifetime()});
    });
}

Reply ControlService::publish(const PublishRequest& request)
{
    const auto isNew = m_node.publishNotice(request.notice);
    return isNew ? Reply(PublishReply{*isNew}) : refusal(isNew.error());
}

Reply ControlService::trustFor(const KeyId& signer) const
{
    const release::Board& board = m_node.board();
    TrustReply reply{board.trust().fleet(), board.trust().chain().back(), {}};
    for (const auto& [key, entry] : board.entries())
        if (key.kind == trust::Kind::Deny && key.name.starts_with(signer.hex()))
            reply.denyLists.push_back(toBytes(ByteView(entry.bytes).subspan(1)));
    return reply;
}

std::optional<Reply> ControlService::push(ConnectionId from, const PushRequest& request)
{
    if (m_pushes.contains(from))
        return refusal({Errc::Busy, "a push is under way on this connection"});
    auto release = m_node.examinePush(request.torrentFile);
    if (!release)
        return refusal(release.error());
    const release::TorrentFile& torrent = release->torrent();
    if (m_node.holdsPayload(torrent))
        return PushReply{PushReply::Answer::NothingToDo, 0};
    if (!request.inPlace.empty()) {
        m_node.publishInPlace(torrent, request.inPlace, [this, from](const Status& published) {
            m_server.reply(from,
                           published ? Reply(PushReply{PushReply::Answer::Published, 0})
                                     : refusal(published.error()));
        });
        return std::nullopt;
    }
    auto intake = m_node.beginPush(torrent);
    if (!intake)
        return refusal(intake.error());
    m_pushes.emplace(from, std::move(*intake));
    return PushReply{PushReply::Answer::SendPayload, 0};
}

Reply ControlService::chunk(ConnectionId from, const PushChunk& request)
{
    const auto found = m_pushes.find(from);
    if (found == m_pushes.end())
        return refusal({Errc::Usage, "a chunk without a push"});
    if (auto taken = found->second.feed(request.bytes); !taken) {
        m_pushes.erase(found);
        return refusal(taken.error());
    }
    return PushReply{PushReply::Answer::Continue, found->second.receivedBytes()};
}

Reply ControlService::finish(ConnectionId from)
{
    const auto found = m_pushes.find(from);
    if (found == m_pushes.end())
        return refusal({Errc::Usage, "the end of a push that did not begin"});
    node::PushIntake intake = std::move(found->second);
    m_pushes.erase(found);
    if (auto finished = intake.finish(); !finished)
        return refusal(finished.error());
    if (auto published = m_node.publish(intake.torrent()); !published)
        return refusal(published.error());
    return PushReply{PushReply::Answer::Published, intake.receivedBytes()};
}

Reply ControlService::pending()
{
    PendingReply reply{m_node.board().trust().fleet(), {}};
    const Instant now = m_node.now();
    for (const auto& [node, device] : m_node.joinOffice().pending(now)) {
        const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - device.since).count();
        reply.devices.push_back(
            {device.envelope, device.hasGoodToken, static_cast<std::uint64_t>(age), device.from, {}});
    }
    for (overlay::Waiting& device : m_node.waitingElsewhere()) {
        const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - device.since).count();
        reply.devices.push_back(
            {std::move(device.request), false, static_cast<std::uint64_t>(age), {}, device.gate});
    }
    return reply;
}

Reply ControlService::createToken(const TokenRequest& request)
{
    const Endpoint address = request.address.port == 0 ? m_node.listenEndpoint() : request.address;
    // More than the limit is refused anyway, and must fit the type.
    const auto seconds = static_cast<std::int64_t>(std::min<std::uint64_t>(request.validSeconds, 1u << 30));
    const auto use = request.isForConsole ? enrol::TokenUse::Console : enrol::TokenUse::Device;
    auto token = m_node.joinOffice().createToken(address, std::chrono::seconds(seconds), use);
    if (!token)
        return refusal(token.error());
    return TokenReply{token->line(), token->expires, request.isForConsole};
}

} // namespace starling::agent
