// SPDX-License-Identifier: Apache-2.0
#include "node/swarm_host.h"

#include "node/log.h"

#include <algorithm>
#include <array>

namespace starling::node {

namespace {

/// How much of a download a power loss may cost: this long of it. Guess, against wear of flash storage.
constexpr Duration kSaveInterval = std::chrono::seconds(10);
/// Lines of traffic remembered of sessions that were closed. Guess: a dozen releases of a swarm with many
/// peers.
constexpr std::size_t kMaxPastTraffic = 1'024;
/// Between two looks at who is asked.
constexpr Duration kSourceInterval = SourceChoice::kTurn / 2; ///< guess
/// Between two introductions of the same nodes to the DHT. Guess: below the 15 minutes after which libtorrent
/// announces again by itself.
constexpr Duration kMeetInterval = std::chrono::minutes(5);
/// Guesses: a round trip, and some for those who were slow or lost.
constexpr std::array<Duration, 2> kAnnounceAfter{std::chrono::seconds(2), std::chrono::seconds(15)};
/// Per payload. Guess: twice as many as links are opened for.
constexpr std::size_t kMaxOffers = 2 * PayloadLinks::kMaxWanted;

} // namespace

SwarmHost::SwarmHost(swarm::Config config, NodeId self, std::shared_ptr<const swarm::MemberProof> proof,
                     store::Store& store, TimerQueue& timers, PayloadLinks& links,
                     SourceDesk::Surroundings surroundings, DescriptorMaker descriptor, QObject* parent)
    : QObject(parent)
    , m_config(std::move(config))
    , m_self(self)
    , m_proof(std::move(proof))
    , m_store(store)
    , m_timers(timers)
    , m_links(links)
    , m_descriptor(std::move(descriptor))
    , m_sources(std::move(surroundings))
{
}

SwarmHost::~SwarmHost() = default;

Status SwarmHost::ensureSession()
{
    if (m_swarm)
        return {};
    const auto wake = [this] {
        // On libtorrent's thread: one queued call, however many alerts.
        if (!m_wakePending.exchange(true))
            QMetaObject::invokeMethod(
                this, [this] { handleEvents(); }, Qt::QueuedConnection);
    };
    auto created = swarm::Swarm::create(m_config, m_proof, wake);
    if (!created)
        return fail(std::move(created.error()), "BitTorrent session");
    auto tunnel =
        PayloadTunnel::open((*created)->inner(), m_timers,
                            [this](const NodeId& to, ByteView datagram) { m_links.send(to, datagram); });
    if (!tunnel)
        return fail(std::move(tunnel.error()), "way between BitTorrent and links");
    m_swarm = std::move(*created);
    m_tunnel = std::move(*tunnel);
    if (m_swarm->port() != 0)
        qCInfo(lcSwarm, "session listens on port %u for foreign clients", m_swarm->port());
    return {};
}

Status SwarmHost::add(const release::TorrentFile& torrent, const std::filesystem::path& directory, Role role)
{
    if (auto session = ensureSession(); !session)
        return session;
    swarm::Payload payload;
    payload.infoHash = torrent.infoHash;
    payload.infoBytes = torrent.infoBytes;
    payload.layers = torrent.layers;
    payload.directory = directory;
    if (role == Role::Seeding) {
        payload.presence = swarm::Payload::Presence::Complete;
    } else {
        auto resume = m_store.resumeData(torrent.infoHash);
        if (resume && *resume)
            payload.resumeData = std::move(**resume);
    }
    if (auto added = m_swarm->add(payload); !added)
        return added;
    m_payloads[torrent.infoHash] = role;
    return {};
}

void SwarmHost::provide(const InfoHash& payload, bool isComplete)
{
    Q_EMIT overlayInput(overlay::Provide{payload, m_descriptor(port()), isComplete});
}

Status SwarmHost::fetch(const release::TorrentFile& torrent, const std::filesystem::path& directory)
{
    if (m_payloads.contains(torrent.infoHash)) {
        m_swarm->retry(torrent.infoHash);
        return {};
    }
    if (auto added = add(torrent, directory, Role::Fetching); !added)
        return added;
    m_sources.begin(torrent.infoHash, SourceChoice(m_self, torrent.infoHash, torrent.info.pieceBytes),
                    m_timers.now());
    chooseSources(torrent.infoHash, {});
    watchSources();
    provide(torrent.infoHash, false);
    Q_EMIT overlayInput(overlay::FindProviders{torrent.infoHash});
    scheduleSave();
    return {};
}

Status SwarmHost::seed(const release::TorrentFile& torrent, const std::filesystem::path& directory)
{
    const auto known = m_payloads.find(torrent.infoHash);
    if (known != m_payloads.end()) {
        // Fetched in this session: libtorrent holds its layers and seeds already.
        known->second = Role::Seeding;
    } else if (auto added = add(torrent, directory, Role::Seeding); !added) {
        return added;
    }
    provide(torrent.infoHash, true);
    return {};
}

void SwarmHost::recheck(const InfoHash& payload)
{
    const auto known = m_payloads.find(payload);
    if (known == m_payloads.end())
        return;
    known->second = Role::Fetching;
    m_swarm->recheck(payload);
    Q_EMIT overlayInput(overlay::FindProviders{payload});
}

void SwarmHost::drop(const InfoHash& payload)
{
    if (m_payloads.erase(payload) == 0)
        return;
    m_swarm->remove(payload);
    forgetOffers(payload);
    Q_EMIT overlayInput(overlay::StopFinding{payload});
    Q_EMIT overlayInput(overlay::StopProviding{payload});
    if (!m_payloads.empty())
        return;
    keepTraffic();
    m_tunnel->endAll();
    m_tunnel.reset();
    m_swarm.reset();
    m_met.clear();
    qCInfo(lcSwarm, "session closed: nothing to exchange");
}

void SwarmHost::keepTraffic()
{
    for (const swarm::PeerTraffic& line : m_swarm->traffic()) {
        const std::pair key(line.payload, line.node);
        if (const auto known = m_pastTraffic.find(key); known != m_pastTraffic.end()) {
            known->second.bytesFrom += line.bytesFrom;
            known->second.bytesTo += line.bytesTo;
        } else if (m_pastTraffic.size() < kMaxPastTraffic) {
            m_pastTraffic.emplace(key, line);
        }
    }
}

bool SwarmHost::isSeeding(const InfoHash& payload) const
{
    const auto known = m_payloads.find(payload);
    return known != m_payloads.end() && known->second == Role::Seeding;
}

// --- Peers: links to them, and connections inside those links

void SwarmHost::offerPeer(const InfoHash& payload, const board::DeviceDescriptor& device, bool isComplete)
{
    const trust::Descriptor& descriptor = device.descriptor;
    const auto known = m_payloads.find(payload);
    if (known == m_payloads.end() || known->second != Role::Fetching || descriptor.node == m_self)
        return;
    auto& offers = m_offers[payload];
    if (!offers.contains(descriptor.node) && offers.size() >= kMaxOffers) {
        const auto lesser =
            std::find_if(offers.begin(), offers.end(), [](const auto& o) { return !o.second.isComplete; });
        if (!isComplete || lesser == offers.end())
            return;
        offers.erase(lesser);
    }
    const Offer& offer = offers[descriptor.node] = {isComplete, descriptor.addresses};
    const auto& labels = device.certificate.labels;
    const auto site = labels.find(kSiteLabel);
    m_sources.offered(payload, descriptor.node, site == labels.end() ? std::string() : site->second,
                      isComplete);
    m_links.want(descriptor.node, offer.addresses);
    chooseSources(payload, m_swarm->traffic());
    dial(payload, descriptor.node, offer);
}

/// Of two nodes, exactly one connects (resources/docs/adr/0007-one-initiator.md): who needs the payload; if
/// both do, the one with the lower NodeId. Whichever of them opened the link.
void SwarmHost::dial(const InfoHash& payload, const NodeId& node, const Offer& offer)
{
    if (!m_links.isLinked(node) || (!offer.isComplete && node < m_self))
        return;
    if (const auto address = m_tunnel->addressOf(node))
        m_swarm->addPeer(payload, *address);
}

void SwarmHost::linked(const NodeId& node)
{
    for (const auto& [payload, offers] : m_offers)
        if (const auto offer = offers.find(node); offer != offers.end()) {
            chooseSources(payload, m_swarm->traffic());
            dial(payload, node, offer->second);
        }
}

/// What was asked of this peer is asked of others now, and not when libtorrent's patience is at its end.
void SwarmHost::unlinked(const NodeId& node)
{
    if (m_tunnel)
        m_tunnel->peerGone(node);
}

/// Those for whom there was no room before.
void SwarmHost::wantAgain()
{
    for (const auto& [payload, offers] : m_offers)
        for (const auto& [node, offer] : offers)
            m_links.want(node, offer.addresses);
}

void SwarmHost::chooseSources(const InfoHash& payload, const std::vector<swarm::PeerTraffic>& traffic)
{
    m_swarm->askOnly(payload, m_sources.ask(payload, traffic, m_timers.now()));
}

void SwarmHost::watchSources()
{
    if (std::exchange(m_isWatching, true))
        return;
    m_timers.schedule(kSourceInterval, [this] {
        m_isWatching = false;
        if (!isFetching())
            return;
        const auto traffic = m_swarm->traffic();
        for (const auto& [payload, role] : m_payloads)
            if (role == Role::Fetching)
                chooseSources(payload, traffic);
        watchSources();
    });
}

void SwarmHost::forgetOffers(const InfoHash& payload)
{
    m_sources.end(payload);
    m_swarm->askOnly(payload, std::nullopt);
    m_offers.erase(payload);
    std::set<NodeId> wanted;
    for (const auto& [other, offers] : m_offers)
        for (const auto& [node, offer] : offers)
            wanted.insert(node);
    m_links.wantOnly(wanted);
}

void SwarmHost::received(const NodeId& from, ByteView datagram)
{
    if (m_tunnel) {
        m_tunnel->received(from, datagram);
        return;
    }
    // For a session that was closed since: who sent it tries anew, and not when it has waited in vain.
    for (const Bytes& reset : tunnel::resetsFor(datagram))
        m_links.send(from, reset);
}

bool SwarmHost::isInUse(const NodeId& node) const
{
    return m_tunnel && m_tunnel->isInUse(node);
}

void SwarmHost::meet(const std::set<Endpoint>& nodes)
{
    const Instant now = m_timers.now();
    if (!m_swarm || m_config.dht != swarm::Dht::Fleet || nodes.empty()
        || (nodes == m_met && now - m_metAt < kMeetInterval))
        return;
    m_met = nodes;
    m_metAt = now;
    m_swarm->meet({nodes.begin(), nodes.end()});
    // They are nodes once they have answered.
    for (const Duration delay : kAnnounceAfter)
        m_timers.schedule(delay, [this] {
            if (m_swarm)
                m_swarm->meet({});
        });
}

void SwarmHost::setLimits(BytesPerSecond upload, BytesPerSecond download)
{
    m_config.uploadLimit = upload;
    m_config.downloadLimit = download;
    if (m_swarm)
        m_swarm->setLimits(upload, download);
}

std::optional<swarm::Progress> SwarmHost::progress(const InfoHash& payload) const
{
    return m_payloads.contains(payload) ? m_swarm->progress(payload) : std::nullopt;
}

std::vector<swarm::PeerTraffic> SwarmHost::traffic() const
{
    std::vector<swarm::PeerTraffic> all;
    for (const auto& [key, line] : m_pastTraffic)
        all.push_back(line);
    if (m_swarm)
        for (const swarm::PeerTraffic& line : m_swarm->traffic())
            all.push_back(line);
    return all;
}

std::uint16_t SwarmHost::port() const
{
    return m_swarm ? m_swarm->port() : 0;
}

bool SwarmHost::isFetching() const
{
    for (const auto& [payload, role] : m_payloads)
        if (role == Role::Fetching)
            return true;
    return false;
}

void SwarmHost::scheduleSave()
{
    if (m_saveScheduled)
        return;
    m_saveScheduled = true;
    m_timers.schedule(kSaveInterval, [this] {
        m_saveScheduled = false;
        if (!m_swarm || !isFetching())
            return;
        m_swarm->requestResumeData();
        wantAgain();
        scheduleSave();
    });
}

void SwarmHost::save()
{
    for (const auto& [payload, role] : m_payloads)
        m_savesAwaited += role == Role::Fetching ? 1 : 0;
    if (m_savesAwaited == 0) {
        Q_EMIT saved();
        return;
    }
    m_swarm->requestResumeData();
}

void SwarmHost::handleEvents()
{
    m_wakePending = false;
    if (!m_swarm)
        return;
    for (const swarm::Event& event : m_swarm->poll())
        handle(event);
}

void SwarmHost::handle(const swarm::Event& event)
{
    if (const auto* done = std::get_if<swarm::Completed>(&event)) {
        const auto known = m_payloads.find(done->payload);
        if (known == m_payloads.end() || known->second != Role::Fetching)
            return;
        known->second = Role::Complete;
        forgetOffers(done->payload);
        Q_EMIT overlayInput(overlay::StopFinding{done->payload});
        Q_EMIT completed(done->payload);
    } else if (const auto* problem = std::get_if<swarm::Trouble>(&event)) {
        if (m_payloads.contains(problem->payload))
            Q_EMIT trouble(problem->payload, problem->error);
    } else if (const auto* resume = std::get_if<swarm::ResumeData>(&event)) {
        if (auto put = m_store.putResumeData(resume->payload, resume->data); !put)
            qCWarning(lcSwarm, "resume data not saved: %ls", qUtf16Printable(forLog(put.error())));
        if (m_savesAwaited > 0 && --m_savesAwaited == 0)
            Q_EMIT saved();
    } else if (const auto* refused = std::get_if<swarm::PeerRefused>(&event)) {
        Q_EMIT peerRefused(refused->error);
    }
}

} // namespace starling::node
