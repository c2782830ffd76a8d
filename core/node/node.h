// SPDX-License-Identifier: Apache-2.0
/// The composition: the only place where sockets, timers, disks and protocols meet. An agent is a Node with a
/// control socket; tests run several in one process.
#pragma once

#include "board/board_keeper.h"
#include "board/link_authenticator.h"
#include "link/link.h"
#include "link/tamper_watch.h"
#include "node/join_office.h"
#include "node/lifetime_desk.h"
#include "node/link_socket.h"
#include "node/member_proof.h"
#include "node/nat_desk.h"
#include "node/neighbors.h"
#include "node/net_address.h"
#include "node/path_ledger.h"
#include "node/port_desk.h"
#include "node/push_intake.h"
#include "node/reach_desk.h"
#include "node/receipt_desk.h"
#include "node/stream_desk.h"
#include "node/updater.h"

#include <deque>

namespace starling::node {

class Node : public QObject
{
    Q_OBJECT

public:
    struct Options
    {
        AgentConfig config;
        update::Limits limits;
        StepObserver observer; ///< see StepObserver; empty in the agent
    };

    /// Loads identity and state, binds the socket, goes on where it was. Fails with KeyUnreadable,
    /// NotAdmitted, StateLocked, StateNewer, StateCorrupt, WrongFleet, PortInUse, Io and the decoder's codes.
    static Result<std::unique_ptr<Node>> start(Options options);
    ~Node() override;

    /// Says goodbye and saves where downloads stand; stopped() follows within two seconds.
    void stop();
    /// Takes over what can change while running: limits and neighbours. The rest needs a restart, and is
    /// named.
    std::vector<std::string> reconfigure(const AgentConfig& config);

    static constexpr std::size_t kMaxKnownSince = 256; ///< guess: releases of some months

    // --- What the control socket serves
    const AgentConfig& config() const { return m_options.config; }
    const release::Board& board() const { return m_keeper.board(); }
    const std::map<std::string, std::uint64_t>& refusals() const { return m_keeper.refusals(); }
    const Updater& updater() const { return m_updater; }
    const ReceiptDesk& desk() const { return m_desk; }
    const SwarmHost& swarm() const { return m_swarm; }
    std::vector<link::LinkInfo> links() const { return m_links.links(); }
    const ReachDesk& reach() const { return m_reach; }
    /// What the router passes on to this device.
    nat::PortMapState portMapping() const { return m_reach.judged(m_ports.state()); }
    /// Of bindings; measured behind a NAT, and from the first checkNetwork() on.
    const nat::LifetimeState& lifetime() const { return m_lifetime.state(); }
    const StreamDesk& streams() const { return m_streams; }
    const Neighbors& neighbors() const { return m_neighbors; }
    const PathLedger& paths() const { return m_paths; }
    const NodeId& self() const { return m_identity.node; }
    const trust::Certificate& certificate() const { return m_certificate; }
    Endpoint listenEndpoint() const;
    std::uint64_t uptimeSeconds() const;
    /// When a release's notice was verified and on the board: µs since 1970 by the wall clock; 0 if that was
    /// before this start, or longer ago than the last kMaxKnownSince releases.
    std::uint64_t knownSinceMicros(const InfoHash& release) const;
    /// Those who wait to be let in, and the tokens of this agent.
    JoinOffice& joinOffice() { return *m_joinOffice; }
    /// JoinOffice::admit, also for a device that waits elsewhere: the certificate goes there.
    Status admit(ByteView certificate);
    /// At an observer: those who wait at other agents.
    std::vector<overlay::Waiting> waitingElsewhere() const;
    Instant now() const { return m_timers.now(); }
    /// ReceiptDesk::page.
    Result<ReceiptPage> receiptsSince(const ReceiptMark& mark, std::size_t most, std::size_t bytes)
    {
        return m_desk.page(mark, most, bytes);
    }
    /// ReceiptDesk::ask.
    Status askForReceipts(const trust::ReceiptAsk& ask) { return m_desk.ask(ask); }
    /// How others see this device: asks the servers of the configuration and linked neighbours.
    /// NatDesk::check.
    void checkNetwork(NatDesk::Done done);

    /// Is this release welcome? Verified, above the floor or the floor itself. Refusals are counted.
    Result<release::VerifiedRelease> examinePush(ByteView torrentFile);
    /// Whether the payload of an accepted release is here, verified and untouched.
    bool holdsPayload(const release::TorrentFile& torrent) const;
    Result<PushIntake> beginPush(const release::TorrentFile& torrent);
    /// A signed notice without a payload, a root, a deny list or a withdrawal: onto the board and on its way.
    /// Whether it was news. Refusals are counted.
    Result<bool> publishNotice(ByteView notice);
    /// After PushIntake::finish(): onto the board and on its way.
    Status publish(const release::TorrentFile& torrent);
    /// Verifies the payload at `path` and publishes it from there; `done` is called from the event loop.
    void publishInPlace(const release::TorrentFile& torrent, const std::filesystem::path& path,
                        std::function<void(Status)> done);

Q_SIGNALS:
    void recordChanged(const starling::update::Record& record);
    void noticeRefused(const starling::Error& error);
    void linkChanged(const starling::NodeId& node, bool isUp);
    void receiptTaken(const starling::trust::Receipt& receipt);
    void stopped();

private:
    Node(Options options, Identity identity, store::Store store, PayloadStore payloads, release::Board board);
    static Result<release::Board> loadBoard(store::Store& store, const Identity& identity);
    Status begin();
    Status bindSocket();
    Status requireAdmission();
    Status putSubscription();

    void onDatagram(const Endpoint& from, ByteView bytes);
    void onStream(const link::Input& input);
    void send(const Endpoint& to, ByteView bytes);
    void feedLinks(const link::Input& input);
    void feedOverlay(const overlay::Input& input);
    void act(const link::Output& output);
    void act(const overlay::Output& output);
    // node_admission.cpp
    void tellWaiting(const NodeId& device, ByteView request);
    void onPetition(const overlay::PetitionArrived& petition);
    void onGrant(const overlay::GrantArrived& grant);
    /// Stores and acts on all that the board took.
    void settle();
    void settleLater();
    void settleOne();
    void settle(release::Examined taken);
    void noteKnown(const release::Examined& taken);
    /// Another root, or another deny list: ends links and connections of devices that are denied.
    void trustChanged();
    // node_network.cpp
    void watchBinding(const link::AddressSeen& seen);
    void keepBinding(const nat::LifetimeState& state);
    // node_renewal.cpp
    void reviewLinks();
    bool needsRenewal(UtcTime now) const;
    void renewSoon();
    void renew();
    trust::JoinRequest renewal() const; ///< ours
    void onRenewalAsked(const overlay::RenewalAsked& renewal);
    void tellGranted(ByteView certificate);
    void onRenewalArrived(const overlay::RenewalArrived& renewal);
    /// Keeps a new certificate of our own, and shows it from now on. Io, DiskFull, requireGranted's codes.
    Status takeCertificate(ByteView bytes);
    void reportRefusal(const Error& error);
    Bytes descriptor(std::uint16_t swarmPort);
    std::filesystem::path contactFile() const;
    std::string ownSite() const; ///< the label of our certificate, or nothing
    /// So that this device finds its fleet after a restart without its bootstraps.
    void saveContacts();
    /// Says where this device is reached now, and again when that changes.
    void tellAddresses();
    /// At most `delay` from now a new receipt is signed and sent; several changes become one.
    void scheduleReceipt(Duration delay);
    void issueReceipt();
    Result<std::uint64_t> nextSequence(const char* counter);

    Options m_options;
    Identity m_identity;
    trust::Certificate m_certificate; ///< our own, from begin() on
    UtcTime m_certifiedSince; ///< when it was written here
    std::optional<Instant> m_renewAsked;
    store::Store m_store;
    PayloadStore m_payloads;
    crypto::SystemRandom m_random;
    TimerQueue m_timers;
    board::BoardKeeper m_keeper;
    std::shared_ptr<DeviceProof> m_proof;
    board::LinkAuthenticator m_authenticator;
    link::Links m_links;
    link::TamperWatch m_tampering;
    std::unique_ptr<JoinOffice> m_joinOffice; ///< from begin() on
    std::deque<link::Output> m_linkOutputs; ///< not carried out yet
    bool m_isActing = false;
    overlay::Overlay m_overlay;
    Neighbors m_neighbors;
    NatDesk m_natDesk;
    LifetimeDesk m_lifetime{
        {m_timers, m_random, [this](const nat::LifetimeState& state) { keepBinding(state); }}};
    PortDesk m_ports;
    ReachDesk m_reach;
    StreamDesk m_streams;
    ReceiptDesk m_desk;
    PathLedger m_paths{isInOwnNetwork};
    PayloadLinks m_payloadLinks;
    SwarmHost m_swarm;
    Updater m_updater;
    VerifyWorker m_pushVerifier;
    std::set<InfoHash> m_inPlacePushes; ///< that m_pushVerifier is to verify
    LinkSocket m_socket{[this](const Endpoint& from, ByteView bytes) { onDatagram(from, bytes); }};
    Instant m_started;
    std::deque<release::Examined> m_unsettled; ///< on the board, and not on disk yet
    std::deque<std::pair<InfoHash, std::chrono::system_clock::time_point>> m_knownSince;
    std::optional<std::vector<Endpoint>> m_toldAddresses;
    std::vector<Endpoint> m_locals; ///< as of then
    std::uint16_t m_toldSwarmPort = 0;
    std::optional<Instant> m_receiptDue;
    struct Reserved
    {
        std::uint64_t next = 0, end = 0;
    };
    std::map<std::string, Reserved> m_sequences;
    bool m_stopping = false;
    unsigned m_goodbyes = 2; ///< that stopped() waits for: the swarm's and the router's
};

} // namespace starling::node
