// SPDX-License-Identifier: Apache-2.0
#include "node/node.h"

#include "node/disk.h"
#include "node/log.h"
#include "node/net_address.h"
#include "node/root_store.h"
#include "node/wall_clock.h"

#include <QVariant>

#include <algorithm>

namespace starling::node {

namespace {

/// Phases follow each other quickly: this long they are collected into one receipt. Guess, below what people
/// notice.
constexpr Duration kReceiptDelay = std::chrono::milliseconds(150);
/// Refusals can come in floods; receipts tell of them at this pace.
constexpr Duration kAlarmDelay = std::chrono::seconds(60);
/// Contacts of others are stored this often, and when the agent stops. Guess.
constexpr Duration kSaveInterval = std::chrono::minutes(10);
constexpr Duration kStopLimit = std::chrono::seconds(2);
/// Guess: above what a notice takes through the whole fleet.
constexpr Duration kSettleDelay = std::chrono::milliseconds(150);

swarm::Config swarmConfig(const AgentConfig& config)
{
    swarm::Config result;
    result.listen = config.listen;
    // Never the links' number: libtorrent opens a UDP socket beside its TCP one. For foreign clients only.
    result.listen.port = config.swarmPort;
    result.admission = config.admission;
    result.dht = config.dht;
    result.uploadLimit = config.uploadLimit;
    result.downloadLimit = config.downloadLimit;
    return result;
}

Updater::Settings updaterSettings(const Node::Options& options, const board::BoardKeeper& keeper)
{
    const AgentConfig& config = options.config;
    return {.deploy = config.deploy,
            .deviceRoot = config.deviceRoot,
            .puppet = config.puppet,
            .labels = config.labels,
            .quota = config.quota,
            .limits = options.limits,
            .observer = options.observer,
            .withdrawal = [&keeper](const release::TorrentFile& torrent) {
                return keeper.board().withdrawalOf(torrent);
            }};
}

link::Config linkConfig(const AgentConfig& config)
{
    link::Config links;
    links.streams = true;
    if (!config.relay)
        links.relay.mode = link::RelayConfig::Mode::Introduce;
    if (config.network == NetworkProfile::Lan) {
        // Five links of 72-byte PINGs and PONGs: 51 B/s of the 60 that performance.md, 10, allows.
        links.keepalive = std::chrono::seconds(7);
        links.maxProbes = 4;
        links.idleTimeout = std::chrono::seconds(25);
    }
    return links;
}

overlay::MembershipConfig membershipConfig(const AgentConfig& config)
{
    overlay::MembershipConfig membership;
    if (config.rendezvous) {
        // Links to many, so that it can introduce them to each other. Guess: half of what the overlay takes.
        membership.most = 64;
        membership.inbound = membership.most - membership.wanted;
    }
    return membership;
}

store::NoticeRow rowOf(const release::BoardEntry& entry)
{
    return {static_cast<std::uint8_t>(entry.key.kind), entry.key.name, entry.bytes};
}

} // namespace

// --- Start

Result<std::unique_ptr<Node>> Node::start(Options options)
{
    auto identity = loadIdentity(options.config);
    if (!identity)
        return fail(std::move(identity.error()), "identity");
    auto store = store::Store::open(options.config.state);
    if (!store)
        return fail(std::move(store.error()), "state");
    auto board = loadBoard(*store, *identity);
    if (!board)
        return fail(std::move(board.error()), "state " + options.config.state.string());
    auto payloads = PayloadStore::open(options.config.state);
    if (!payloads)
        return fail(std::move(payloads.error()), "state");
    std::unique_ptr<Node> node(new Node(std::move(options), std::move(*identity), std::move(*store),
                                        std::move(*payloads), std::move(*board)));
    if (auto begun = node->begin(); !begun)
        return tl::unexpected<Error>(begun.error());
    return node;
}

Result<release::Board> Node::loadBoard(store::Store& store, const Identity& identity)
{
    auto trust = loadRoots(store, identity.anchorEnvelope);
    if (!trust)
        return tl::unexpected<Error>(trust.error());
    auto floors = store.floors();
    if (!floors)
        return fail(std::move(floors.error()), "floors");
    release::Board board(std::move(*trust), std::move(*floors));
    auto notices = store.notices();
    if (!notices)
        return fail(std::move(notices.error()), "notices");
    // One that no longer verifies stays away.
    for (const store::NoticeRow& row : *notices)
        if (const auto examined = board.examine(row.bytes);
            examined.verdict == release::Examined::Verdict::Refused)
            qCWarning(lcNode, "stored notice left out: %ls", qUtf16Printable(forLog(*examined.error)));
    return board;
}

Node::Node(Options options, Identity identity, store::Store store, PayloadStore payloads,
           release::Board board)
    : m_options(std::move(options))
    , m_identity(std::move(identity))
    , m_store(std::move(store))
    , m_payloads(std::move(payloads))
    , m_keeper(std::move(board))
    , m_proof(std::make_shared<DeviceProof>(m_identity, m_keeper.board().trust(),
                                            m_keeper.board().denials().nodes()))
    , m_authenticator(*m_identity.linkKey, m_identity.certificateEnvelope, m_keeper.board(), wallClock)
    , m_links(m_identity.node, linkConfig(m_options.config), m_authenticator, m_random)
    , m_overlay(m_identity.node, {}, m_keeper, m_random)
    , m_neighbors(m_identity.node, membershipConfig(m_options.config), m_keeper, m_random, m_timers,
                  {[this](const link::Input& input) { feedLinks(input); },
                   [this](const overlay::Input& input) { feedOverlay(input); },
                   [this](const Error& error) { reportRefusal(error); },
                   [this](link::LinkId link) { return m_payloadLinks.isInUse(link); }})
    , m_natDesk({m_timers, m_random, [this](const Endpoint& to, ByteView bytes) { send(to, bytes); }})
    , m_ports(
          {m_timers, m_random, [this] { return listenEndpoint(); }, [this] { m_reach.portMappingChanged(); }})
    , m_reach({m_timers, m_natDesk, [this](const link::Input& input) { feedLinks(input); },
               [this] { return reachableAddresses(listenEndpoint()); },
               [this] { return m_streams.proxyTrouble(); }, [this] { return m_ports.mapping(); }})
    , m_streams({m_timers, [this](const link::Input& input) { onStream(input); }})
    , m_desk({m_store, m_timers, m_keeper, m_identity,
              [this](const char* counter) { return nextSequence(counter); },
              [this](const overlay::Input& input) { feedOverlay(input); },
              [this](const trust::Receipt& receipt) { Q_EMIT receiptTaken(receipt); },
              [this] { return m_overlay.hints(m_timers.now()); }, m_random, m_options.config.sumsAbove})
    , m_payloadLinks(m_timers,
                     {[this](const link::Input& input) { feedLinks(input); },
                      [this](const NodeId& node) { m_swarm.linked(node); },
                      [this](const NodeId& node) { m_swarm.unlinked(node); },
                      [this](const NodeId& from, ByteView bytes) { m_swarm.received(from, bytes); },
                      [this](const NodeId& node) { return m_swarm.isInUse(node); }})
    , m_swarm(swarmConfig(m_options.config), m_identity.node, m_proof, m_store, m_timers, m_payloadLinks,
              {[this] { return m_links.links(); }, [this] { return ownSite(); }, ownSubnets},
              [this](std::uint16_t port) {
                  return board::Parcel{m_identity.certificateEnvelope, descriptor(port)}.serialize();
              })
    , m_updater({m_store, m_payloads, m_swarm, m_timers}, updaterSettings(m_options, m_keeper))
    , m_started(m_timers.now())
{
    connect(&m_swarm, &SwarmHost::overlayInput, this, &Node::feedOverlay);
    connect(&m_swarm, &SwarmHost::peerRefused, this, &Node::reportRefusal);
    connect(&m_updater, &Updater::recordChanged, this, [this](const update::Record& record) {
        Q_EMIT recordChanged(record);
        scheduleReceipt(kReceiptDelay);
    });
    connect(&m_updater, &Updater::payloadLost, this,
            [this](const InfoHash&, const Error& error) { reportRefusal(error); });
}

Node::~Node()
{
    settle(); // what the board took is not lost
}

Status Node::begin()
{
    if (auto admitted = requireAdmission(); !admitted)
        return admitted;
    auto office =
        JoinOffice::open(m_options.config, m_identity, m_keeper.board(), m_random,
                         [this](const NodeId& device, ByteView request) { tellWaiting(device, request); });
    if (!office)
        return tl::unexpected<Error>(office.error());
    m_joinOffice = std::move(*office);
    if (auto bound = bindSocket(); !bound)
        return bound;
    for (const overlay::Output& output : m_overlay.start(m_timers.now()))
        act(output);
    if (auto subscribed = putSubscription(); !subscribed)
        return subscribed;
    m_desk.begin();
    if (auto restored = m_updater.restore(); !restored)
        return restored;
    m_neighbors.setBootstrap(m_options.config.neighbors);
    m_neighbors.load(contactFile());
    m_reach.ask(m_options.config.stunServers);
    if (m_options.config.portMapping == PortMapMode::Auto)
        m_ports.begin();
    tellAddresses();
    m_timers.schedule(kSaveInterval, [this] { saveContacts(); });
    reviewLinks();
    scheduleReceipt(kReceiptDelay);
    return {};
}

Status Node::requireAdmission()
{
    const auto judged = [&]() -> Status {
        auto envelope = trust::Envelope::parse(m_identity.certificateEnvelope, link::kMaxCertificateBytes);
        if (!envelope)
            return tl::unexpected<Error>(envelope.error());
        auto admitted = m_keeper.board().trust().verifyAdmit(*envelope);
        if (!admitted)
            return tl::unexpected<Error>(admitted.error());
        m_certificate = **admitted;
        m_certifiedSince = writtenAt(m_options.config.certificate);
        return {};
    }();
    if (!judged)
        return fail(Errc::NotAdmitted, "this device's certificate: " + toString(judged.error()));
    if (m_certificate.node != m_identity.node)
        return fail(Errc::NotAdmitted,
                    "the certificate " + m_options.config.certificate.string() + " is for another key than "
                        + m_options.config.key.string());
    if (m_keeper.board().denials().contains(m_identity.node))
        return fail(Errc::Denied, "this device");
    if (auto linked = m_authenticator.checkOwn(); !linked)
        return fail(std::move(linked.error()), m_options.config.certificate.string());
    return {};
}

Status Node::putSubscription()
{
    const std::filesystem::path& file = m_options.config.subscription;
    const auto envelope = readFile(file, trust::kMaxRootBytes);
    if (!envelope && envelope.error().code == Errc::NotFound)
        return {}; // most agents have none
    if (!envelope)
        return fail(Error(envelope.error()), "subscription");
    const auto examined = m_keeper.take(release::noticeOf(trust::Kind::Subscription, *envelope));
    if (examined.verdict == release::Examined::Verdict::Refused)
        return fail(Error(*examined.error), "subscription " + file.string());
    if (examined.verdict == release::Examined::Verdict::Taken)
        settle(examined);
    return {};
}

Status Node::bindSocket()
{
    if (auto bound = m_socket.bind(m_options.config.listen); !bound)
        return bound;
    m_streams.setProxy(m_options.config.proxy);
    if (auto listening = m_streams.listen(listenEndpoint()); !listening)
        qCWarning(lcNode, "nobody reaches this agent over TCP: %ls",
                  qUtf16Printable(forLog(listening.error())));
    qCInfo(lcNode, "%ls listens on %ls", qUtf16Printable(forLog(m_identity.node.shortHex())),
           qUtf16Printable(forLog(toString(listenEndpoint()))));
    return {};
}

Endpoint Node::listenEndpoint() const
{
    return m_socket.localEndpoint();
}

std::uint64_t Node::uptimeSeconds() const
{
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(m_timers.now() - m_started).count());
}

void Node::stop()
{
    if (std::exchange(m_stopping, true))
        return;
    settle();
    m_updater.stop();
    saveContacts();
    feedLinks(link::CloseAll{});
    const auto part = [this] {
        if (--m_goodbyes == 0)
            Q_EMIT stopped();
    };
    connect(&m_swarm, &SwarmHost::saved, this, part);
    m_ports.stop(part);
    m_timers.schedule(kStopLimit, [this] { Q_EMIT stopped(); });
    m_swarm.save();
}

std::vector<std::string> Node::reconfigure(const AgentConfig& config)
{
    AgentConfig& held = m_options.config;
    std::vector<std::string> needRestart;
    const auto compare = [&](bool isEqual, const char* key) {
        if (!isEqual)
            needRestart.emplace_back(key);
    };
    compare(config.state == held.state, "state");
    compare(config.control == held.control, "control");
    compare(config.listen == held.listen, "listen");
    compare(config.labels == held.labels, "labels");
    compare(config.network == held.network, "network");
    compare(config.root == held.root && config.key == held.key && config.certificate == held.certificate
                && config.subscription == held.subscription,
            "[trust]");
    compare(config.sumsAbove == held.sumsAbove, "[observer]");
    compare(config.admitKey == held.admitKey, "admit_key");
    compare(config.admission == held.admission && config.swarmPort == held.swarmPort
                && config.dht == held.dht,
            "swarm");
    compare(config.quota == held.quota, "quota");
    compare(config.deploy == held.deploy && config.deviceRoot == held.deviceRoot
                && config.puppet == held.puppet,
            "deploy");
    compare(config.rendezvous == held.rendezvous && config.relay == held.relay
                && config.portMapping == held.portMapping,
            "[nat]");
    if (std::exchange(held.proxy, config.proxy) != config.proxy)
        m_streams.setProxy(held.proxy);
    if (std::exchange(held.stunServers, config.stunServers) != config.stunServers)
        m_reach.ask(held.stunServers);
    held.uploadLimit = config.uploadLimit;
    held.downloadLimit = config.downloadLimit;
    m_swarm.setLimits(held.uploadLimit, held.downloadLimit);
    if (std::exchange(held.neighbors, config.neighbors) != config.neighbors)
        m_neighbors.setBootstrap(held.neighbors);
    return needRestart;
}

// --- Datagrams, links, overlay

void Node::onDatagram(const Endpoint& from, ByteView bytes)
{
    if (NatDesk::isStun(bytes))
        return m_natDesk.handle(from, bytes);
    if (!link::JoinDesk::isJoin(bytes))
        return feedLinks(link::DatagramReceived{from, bytes});
    if (const auto answer = m_joinOffice->onDatagram(from, bytes, m_timers.now()))
        send(from, *answer);
}

/// What streams carry is what comes over UDP: questions of devices that want to join, too.
void Node::onStream(const link::Input& input)
{
    const auto* received = std::get_if<link::StreamReceived>(&input);
    if (received == nullptr || !link::JoinDesk::isJoin(received->bytes))
        return feedLinks(input);
    const Endpoint from = m_streams.remoteOf(received->stream);
    if (auto answer = m_joinOffice->onDatagram(from, received->bytes, m_timers.now()))
        m_streams.take(link::SendOnStream{received->stream, std::move(*answer)});
}

void Node::send(const Endpoint& to, ByteView bytes)
{
    m_socket.send(to, bytes);
}

void Node::feedLinks(const link::Input& input)
{
    m_paths.take(input);
    for (link::Output& output : m_links.handle(input, m_timers.now()))
        m_linkOutputs.push_back(std::move(output));
    if (const auto alarm = m_tampering.look(m_links.stats(), m_timers.now()))
        qCWarning(lcNode) << forLog(*alarm);
    // Carried out in the order in which they were said, also when one leads to another input: a link has one
    // timer, and an older one must not take the place of a newer one.
    if (std::exchange(m_isActing, true))
        return;
    while (!m_linkOutputs.empty()) {
        const link::Output output = std::move(m_linkOutputs.front());
        m_linkOutputs.pop_front();
        act(output);
    }
    m_isActing = false;
}

void Node::feedOverlay(const overlay::Input& input)
{
    for (const overlay::Output& output : m_overlay.handle(input, m_timers.now()))
        act(output);
    for (release::Examined& taken : m_keeper.collectTaken()) {
        noteKnown(taken);
        m_unsettled.push_back(std::move(taken));
        if (m_unsettled.size() == 1)
            settleLater();
    }
}

void Node::act(const link::Output& output)
{
    if (const auto* send = std::get_if<link::SendDatagram>(&output)) {
        // Lost if the socket's buffer is full: links retransmit.
        return this->send(send->to, send->bytes);
    } else if (const auto* timer = std::get_if<link::ScheduleTimer>(&output)) {
        m_timers.reschedule(static_cast<std::uint64_t>(timer->timer.link), timer->delay,
                            [this, value = timer->timer] { feedLinks(link::TimerExpired{value}); });
    } else if (const auto* up = std::get_if<link::LinkUp>(&output)) {
        qCInfo(lcOverlay, "link to %ls at %ls is up%s", qUtf16Printable(forLog(up->node.shortHex())),
               qUtf16Printable(forLog(toString(up->endpoint))),
               up->isRestricted ? ", restricted: its certificate has expired" : "");
        Q_EMIT linkChanged(up->node, true);
        renewSoon();
    } else if (const auto* refused = std::get_if<link::LinkRefused>(&output)) {
        qCInfo(lcOverlay, "no link to %ls: %ls", qUtf16Printable(forLog(toString(refused->endpoint))),
               qUtf16Printable(forLog(refused->error)));
        reportRefusal(refused->error);
    } else if (const auto* moved = std::get_if<link::LinkMoved>(&output)) {
        qCInfo(lcOverlay, "link to %ls is at %ls now",
               qUtf16Printable(forLog(m_neighbors.nodeOf(moved->link).shortHex())),
               qUtf16Printable(forLog(toString(moved->endpoint))));
    } else if (const auto* down = std::get_if<link::LinkDown>(&output)) {
        const NodeId node = m_neighbors.nodeOf(down->link);
        qCInfo(lcOverlay, "link to %ls is down: %s", qUtf16Printable(forLog(node.shortHex())),
               shortName(down->reason).data());
        Q_EMIT linkChanged(node, false);
    }
    m_streams.take(output);
    m_paths.take(output, [this] { return m_links.links(); });
    m_payloadLinks.take(output);
    m_reach.take(output);
    if (const auto* seen = std::get_if<link::AddressSeen>(&output))
        watchBinding(*seen);
    m_neighbors.take(output);
}

void Node::act(const overlay::Output& output)
{
    if (const auto* send = std::get_if<overlay::SendMessage>(&output)) {
        feedLinks(link::SendMessage{link::LinkId{static_cast<std::uint64_t>(send->to)}, send->bytes,
                                    send->delivery == overlay::Delivery::Once});
    } else if (const auto* timer = std::get_if<overlay::ScheduleTimer>(&output)) {
        m_timers.schedule(timer->delay,
                          [this, value = timer->timer] { feedOverlay(overlay::TimerExpired{value}); });
    } else if (const auto* refused = std::get_if<overlay::NoticeRefused>(&output)) {
        qCWarning(lcOverlay, "notice refused: %ls", qUtf16Printable(forLog(refused->error)));
        // Counted by the keeper when it judged.
        Q_EMIT noticeRefused(refused->error);
        scheduleReceipt(kAlarmDelay);
    } else if (const auto* found = std::get_if<overlay::ProviderFound>(&output)) {
        if (const auto device = board::verifyDevice(found->provider.descriptor, m_keeper.admission()))
            m_swarm.offerPeer(found->payload, *device, found->provider.isComplete);
    } else if (const auto* arrived = std::get_if<overlay::ReceiptArrived>(&output)) {
        m_desk.arrived(*arrived);
    } else if (const auto* petition = std::get_if<overlay::PetitionArrived>(&output)) {
        onPetition(*petition);
    } else if (const auto* grant = std::get_if<overlay::GrantArrived>(&output)) {
        onGrant(*grant);
    } else if (const auto* asked = std::get_if<overlay::RenewalAsked>(&output)) {
        onRenewalAsked(*asked);
    } else if (const auto* renewed = std::get_if<overlay::RenewalArrived>(&output)) {
        onRenewalArrived(*renewed);
    }
    // NoticeTaken: feedOverlay() takes it from the keeper.
}

void Node::settle()
{
    while (!m_unsettled.empty())
        settleOne();
}

void Node::settleOne()
{
    if (m_unsettled.empty())
        return;
    const release::Examined taken = std::move(m_unsettled.front());
    m_unsettled.pop_front();
    settle(taken);
    if (!m_unsettled.empty())
        QMetaObject::invokeMethod(this, &Node::settleOne, Qt::QueuedConnection);
}

// Not at once: what passes it on comes first, here and in other agents of this machine. The disk is slow.
void Node::settleLater()
{
    m_timers.schedule(kSettleDelay, [this] { settleOne(); });
}

void Node::noteKnown(const release::Examined& taken)
{
    if (!taken.release)
        return;
    m_knownSince.emplace_back(taken.release->torrent().infoHash, std::chrono::system_clock::now());
    if (m_knownSince.size() > kMaxKnownSince)
        m_knownSince.pop_front();
}

std::uint64_t Node::knownSinceMicros(const InfoHash& release) const
{
    for (const auto& [hash, at] : m_knownSince)
        if (hash == release)
            return static_cast<std::uint64_t>(
                std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count());
    return 0;
}

void Node::settle(release::Examined taken)
{
    const release::BoardEntry* entry = m_keeper.board().find(taken.key);
    if (entry == nullptr || entry->id != taken.id)
        return; // a newer one has taken its place meanwhile, and comes by itself
    Status stored;
    if (taken.release) {
        stored = m_updater.accept(taken.release->torrent(), rowOf(*entry));
        if (!stored) {
            // Nothing is fetched before it is durable; a full disk may get room.
            m_timers.schedule(m_options.limits.retryMin, [this, taken] { settle(taken); });
        }
    } else if (taken.key.kind == trust::Kind::Root) {
        // Of a chain that came at once only the last stands on the board.
        stored = keepRoots(m_store, m_keeper.board().trust());
        trustChanged();
    } else {
        stored = m_store.putNotice(rowOf(*entry));
    }
    if (taken.key.kind == trust::Kind::Deny)
        trustChanged();
    if (taken.withdrawal)
        m_updater.withdraw(*taken.withdrawal);
    for (const release::BoardKey& place : taken.covered)
        if (stored)
            stored = m_store.removeNotice(static_cast<std::uint8_t>(place.kind), place.name);
    if (!stored)
        qCCritical(lcNode, "not stored: %ls", qUtf16Printable(forLog(stored.error())));
    if (taken.key.kind == trust::Kind::Subscription)
        m_desk.subscribed();
}

void Node::reportRefusal(const Error& error)
{
    m_keeper.countRefusal(error);
    Q_EMIT noticeRefused(error);
    scheduleReceipt(kAlarmDelay);
}

std::filesystem::path Node::contactFile() const
{
    return m_options.config.state / "contacts";
}

std::string Node::ownSite() const
{
    const auto site = m_certificate.labels.find(kSiteLabel);
    return site == m_certificate.labels.end() ? std::string() : site->second;
}

void Node::saveContacts()
{
    m_timers.schedule(kSaveInterval, [this] { saveContacts(); });
    if (auto saved = m_neighbors.save(contactFile()); !saved)
        qCWarning(lcNode, "contacts not kept: %ls", qUtf16Printable(forLog(saved.error())));
}

} // namespace starling::node
