// SPDX-License-Identifier: Apache-2.0
/// BitTorrent behind one door: libtorrent-rasterbar, and nothing of it in this header. What reaches it are
/// canonical `info` bytes of verified releases; peers come from the overlay only: LSD, PEX, UPnP, trackers,
/// web seeds are off, and so is DHT but for strangers' sake (Dht::Fleet). It speaks uTP on loopback; whoever
/// makes it carries that to the peers.
#pragma once

#include "base/endpoint.h"
#include "base/size.h"
#include "base/time.h"
#include "release/torrent_file.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>

namespace starling::swarm {

/// Who may exchange payload with us.
enum class Admission : std::uint8_t {
    Members, ///< peers that prove to be admitted devices of this fleet
    Open, ///< any BitTorrent v2 client
};

/// Whether foreign clients find the peers of an open swarm by BitTorrent's DHT (BEP 5).
enum class Dht : std::uint8_t {
    Off,
    Fleet, ///< agents are nodes for each other; no others are asked for a beginning
};

/// Proves membership on a BitTorrent connection, both ways, by an extension message (BEP 10) that carries the
/// device's certificate and its signature over the other side's challenge. An immutable value: it is used on
/// libtorrent's thread.
class MemberProof
{
public:
    virtual ~MemberProof() = default;
    /// Our certificate envelope.
    virtual Bytes certificate() const = 0;
    /// Our signature over `challenge`.
    virtual crypto::Signature prove(ByteView challenge) const = 0;
    /// The node that `certificate` admits, if `signature` is its over `challenge`.
    virtual Result<NodeId> verify(ByteView certificate, ByteView challenge,
                                  const crypto::Signature& signature) const = 0;
    /// Whether a node that verified is still to be served: asked once a second for every connection.
    virtual Status stillAdmits(const NodeId& /*node*/) const { return {}; }
};

struct Config
{
    /// TCP and uTP for foreign clients, with Admission::Open only; port 0 lets the system choose.
    Endpoint listen;
    Admission admission = Admission::Members;
    Dht dht = Dht::Off; ///< with Admission::Open only
    BytesPerSecond uploadLimit; ///< 0: none
    BytesPerSecond downloadLimit;
    std::size_t maxConnections = 60; ///< guess: twice what nat.md expects a swarm to want
    Duration admissionTimeout = std::chrono::seconds(10); ///< for a peer to prove membership; guess
};

/// One payload to fetch or to seed.
struct Payload
{
    InfoHash infoHash;
    Bytes infoBytes; ///< canonical, from a VerifiedRelease
    release::PieceLayers layers; ///< if we made it; otherwise peers send them
    std::filesystem::path directory; ///< holds the file or directory called `info.name`
    Bytes resumeData; ///< from an earlier ResumeData event; may be empty
    enum class Presence : std::uint8_t {
        Unknown,
        Complete
    } presence = Presence::Unknown; ///< Complete: verified, just seed
};

struct Progress
{
    std::uint64_t totalBytes = 0, doneBytes = 0;
    BytesPerSecond downRate, upRate;
    bool isSeeding = false;
    std::vector<std::uint8_t> pieces; ///< bitfield, first piece in the top bit of the first byte (BEP 3)
    std::size_t peers = 0;
};

/// Payload bytes exchanged with one peer since this agent started.
struct PeerTraffic
{
    InfoHash payload;
    NodeId node; ///< zero for a stranger (open swarms)
    Endpoint endpoint;
    std::uint64_t bytesFrom = 0, bytesTo = 0;
};

// Events
struct Completed
{ ///< all pieces are there by libtorrent's word; we re-hash before we believe it
    InfoHash payload;
};
struct Trouble
{ ///< DiskFull, Io, PayloadMissing, PayloadChanged (of a complete one): the payload stands still
    InfoHash payload;
    Error error;
};
struct ResumeData
{
    InfoHash payload;
    Bytes data;
};
struct PeerRefused
{ ///< no proof of membership, or a wrong one
    Endpoint endpoint;
    Error error;
};
using Event = std::variant<Completed, Trouble, ResumeData, PeerRefused>;

/// One libtorrent session; make it when there is something to exchange, destroy it when there is not.
class Swarm
{
public:
    /// `wake` is called on another thread when poll() has something. Fails with PortInUse or Io.
    static Result<std::unique_ptr<Swarm>>
    create(const Config& config, std::shared_ptr<const MemberProof> proof, std::function<void()> wake);
    ~Swarm(); ///< quick: what is not saved by then is re-checked at the next start

    /// The port that was got for foreign clients; 0 without Admission::Open.
    std::uint16_t port() const;
    /// Where it speaks uTP on loopback, and from where it connects.
    Endpoint inner() const;
    /// Fails with Malformed if libtorrent does not take the info, AlreadyExists.
    Status add(const Payload& payload);
    void addPeer(const InfoHash& payload, const Endpoint& peer);
    /// With Dht::Fleet: these are nodes of it, and what is here is announced again. Cheap, but not for every
    /// second.
    void meet(const std::vector<Endpoint>& nodes);
    /// From now on only these members are asked for pieces, or everybody; takes effect within a second.
    /// Whoever asks us is served.
    void askOnly(const InfoHash& payload, std::optional<std::set<NodeId>> nodes);
    /// Stops exchanging it; files stay.
    void remove(const InfoHash& payload);
    /// After Trouble: tries again.
    void retry(const InfoHash& payload);
    /// Forgets all that was fetched of it and fetches again: our re-hash disagreed.
    void recheck(const InfoHash& payload);
    void setLimits(BytesPerSecond upload, BytesPerSecond download);
    void requestResumeData();

    std::vector<Event> poll();
    std::optional<Progress> progress(const InfoHash& payload) const;
    std::vector<PeerTraffic> traffic() const;

private:
    class Impl;
    explicit Swarm(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace starling::swarm
