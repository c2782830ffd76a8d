// SPDX-License-Identifier: Apache-2.0
/// Keeps the BitTorrent session while there is something to fetch or to seed, brings its events to the event
/// loop and the overlay's providers to it, and tells the overlay what we hold.
#pragma once

#include "board/parcel.h"
#include "node/payload_links.h"
#include "node/payload_tunnel.h"
#include "node/source_desk.h"
#include "overlay/overlay.h"
#include "store/store.h"
#include "swarm/swarm.h"

#include <QObject>
#include <atomic>

namespace starling::node {

class SwarmHost : public QObject
{
    Q_OBJECT

public:
    /// Our signed descriptor, telling the port that the session listens on.
    using DescriptorMaker = std::function<Bytes(std::uint16_t port)>;

    SwarmHost(swarm::Config config, NodeId self, std::shared_ptr<const swarm::MemberProof> proof,
              store::Store& store, TimerQueue& timers, PayloadLinks& links,
              SourceDesk::Surroundings surroundings, DescriptorMaker descriptor, QObject* parent = nullptr);
    ~SwarmHost() override;

    /// Starts or continues fetching into `directory`; completed() or trouble() follows.
    Status fetch(const release::TorrentFile& torrent, const std::filesystem::path& directory);
    /// Offers a verified payload.
    Status seed(const release::TorrentFile& torrent, const std::filesystem::path& directory);
    void recheck(const InfoHash& payload);
    /// Stops exchanging it.
    void drop(const InfoHash& payload);
    bool isSeeding(const InfoHash& payload) const;

    /// Somebody holds pieces of `payload` and can be reached as its descriptor says.
    void offerPeer(const InfoHash& payload, const board::DeviceDescriptor& device, bool isComplete);
    // What PayloadLinks says
    void linked(const NodeId& node);
    void unlinked(const NodeId& node);
    void received(const NodeId& from, ByteView datagram);
    bool isInUse(const NodeId& node) const;

    /// With swarm::Dht::Fleet: where others serve foreign clients, as far as that is known. To be called from
    /// time to time.
    void meet(const std::set<Endpoint>& nodes);
    void setLimits(BytesPerSecond upload, BytesPerSecond download);
    std::optional<swarm::Progress> progress(const InfoHash& payload) const;
    std::vector<swarm::PeerTraffic> traffic() const;
    std::uint16_t port() const; ///< for foreign clients; 0 if there is none, and while no session runs

    /// Saves where downloads stand; saved() follows at once or when libtorrent has answered.
    void save();

Q_SIGNALS:
    void completed(const starling::InfoHash& payload);
    void trouble(const starling::InfoHash& payload, const starling::Error& error);
    void peerRefused(const starling::Error& error);
    void overlayInput(const starling::overlay::Input& input);
    void saved();

private:
    enum class Role : std::uint8_t { Fetching, Complete, Seeding };
    /// Somebody who holds pieces of what we fetch.
    struct Offer
    {
        bool isComplete = false;
        std::vector<Endpoint> addresses;
    };
    Status ensureSession();
    Status add(const release::TorrentFile& torrent, const std::filesystem::path& directory, Role role);
    void provide(const InfoHash& payload, bool isComplete);
    void dial(const InfoHash& payload, const NodeId& node, const Offer& offer);
    void wantAgain();
    /// Tells the session whom to ask.
    void chooseSources(const InfoHash& payload, const std::vector<swarm::PeerTraffic>& traffic);
    void watchSources();
    void forgetOffers(const InfoHash& payload);
    void handleEvents();
    void handle(const swarm::Event& event);
    void scheduleSave();
    bool isFetching() const;
    void keepTraffic();

    swarm::Config m_config;
    NodeId m_self;
    std::shared_ptr<const swarm::MemberProof> m_proof;
    store::Store& m_store;
    TimerQueue& m_timers;
    PayloadLinks& m_links;
    DescriptorMaker m_descriptor;
    std::unique_ptr<swarm::Swarm> m_swarm;
    std::unique_ptr<PayloadTunnel> m_tunnel; ///< while there is a session
    std::map<InfoHash, Role> m_payloads;
    std::map<InfoHash, std::map<NodeId, Offer>> m_offers; ///< of what we fetch
    /// Of sessions that were closed, summed by payload and node.
    std::map<std::pair<InfoHash, NodeId>, swarm::PeerTraffic> m_pastTraffic;
    std::atomic<bool> m_wakePending = false;
    std::size_t m_savesAwaited = 0;
    bool m_saveScheduled = false;
    SourceDesk m_sources;
    bool m_isWatching = false;
    std::set<Endpoint> m_met; ///< by the DHT of this session
    Instant m_metAt{};
};

} // namespace starling::node
