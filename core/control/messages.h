// SPDX-License-Identifier: Apache-2.0
/// What is asked of an agent over its control socket, and what it answers. Values only; codec.h has their
/// bytes. Everybody who may open the socket (mode 0660: the agent's user and group) may ask everything.
#pragma once

#include "base/size.h"
#include "control/devices_messages.h"
#include "control/hints_messages.h"
#include "control/net_messages.h"
#include "trust/documents.h"

#include <variant>

namespace starling::control {

// --- Parts of answers

/// One release on this device.
struct UpdateLine
{
    ResourceUri uri;
    trust::Revision revision;
    InfoHash infoHash;
    std::string label;
    trust::Phase phase = trust::Phase::Announced;
    std::uint16_t code = 0; ///< Errc of the latest trouble, 0 for none
    std::string detail;
    std::uint64_t totalBytes = 0, doneBytes = 0;
    BytesPerSecond downRate, upRate;
    std::uint32_t peers = 0;
    Bytes pieces; ///< bitfield while downloading (BEP 3: first piece in the top bit), empty otherwise
    /// When its notice was verified and on the board: µs since 1970 by the wall clock; 0: before this start.
    std::uint64_t knownSinceMicros = 0;
};

struct FloorLine
{
    ResourceUri uri;
    trust::Revision revision;
    InfoHash infoHash;
};

struct LinkLine
{
    NodeId node;
    Endpoint endpoint;
    bool isUp = false;
    std::uint64_t roundTripMicros = 0; ///< 0: not measured yet
};

struct TrafficLine
{
    InfoHash payload;
    NodeId node; ///< zero: a stranger in an open swarm
    std::uint64_t bytesFrom = 0, bytesTo = 0;
};

/// A device that asked this agent to be let in, or another one if this one is an observer, and was not yet.
struct PendingLine
{
    Bytes request; ///< its signed join request (trust::openJoinRequest)
    bool hasGoodToken = false; ///< it showed a token of this agent's, which it has redeemed
    std::uint64_t ageSeconds = 0; ///< since it asked first
    Endpoint endpoint; ///< from where it asked last; port 0: it waits at `gate`
    NodeId gate; ///< the agent at which it waits, as was said on the way; zero: this one
};

// --- Requests

struct StatusRequest
{
};
struct UpdatesRequest
{
};
/// From now on events arrive on this connection.
struct WatchRequest
{
};
/// First of a push: is the release welcome? With `inPlace` the payload stays where it is, else chunks follow.
struct PushRequest
{
    Bytes torrentFile; ///< with piece layers
    std::string inPlace; ///< absolute path of the payload on the agent's machine, or empty
};
struct PushChunk
{
    Bytes bytes; ///< contents in the order of the info's files, at most kMaxChunkBytes
};
struct PushEnd
{
};
/// Which devices wait to be admitted?
struct PendingRequest
{
};
/// Hand this certificate to the device that it admits, when it asks next.
struct AdmitRequest
{
    Bytes certificate; ///< envelope, signed by the threshold of the admit role
};
/// A new join token of this agent's.
struct TokenRequest
{
    Endpoint address; ///< where devices reach this agent; port 0: where it listens
    std::uint64_t validSeconds = 0;
    bool isForConsole = false; ///< the agent may let a console in for it by itself
};

/// A signed notice without a payload, to be taken and spread: a root, a deny list or a withdrawal.
struct PublishRequest
{
    Bytes notice; ///< as on the wire: kind, envelope
};
/// What whoever signs for this fleet must know.
struct TrustRequest
{
    KeyId signer; ///< whose deny lists are wanted
};

using Request =
    std::variant<StatusRequest, UpdatesRequest, DevicesRequest, WatchRequest, PushRequest, PushChunk, PushEnd,
                 PendingRequest, AdmitRequest, TokenRequest, PublishRequest, TrustRequest, NetCheckRequest,
                 PeersRequest, SessionsRequest, HintsRequest, FetchRequest>;

// --- Replies

struct StatusReply
{
    std::string version;
    NodeId node;
    std::string name;
    FleetId fleet;
    std::uint64_t rootNumber = 0;
    std::uint64_t uptimeSeconds = 0;
    std::string mode; ///< "deploy", "relay", or "joining": waiting for its certificate
    std::string swarm; ///< "members" or "open"
    std::uint16_t swarmPort = 0; ///< for foreign clients; 0 if there is none, or no session runs
    Endpoint listen;
    std::vector<LinkLine> links;
    std::vector<FloorLine> floors;
    std::vector<UpdateLine> updates;
    std::vector<TrafficLine> traffic;
    std::map<std::string, std::uint64_t> refused; ///< by shortName of the code, since start
    std::uint64_t devices = 0; ///< whose receipts are held
    bool isObserver = false; ///< it collects receipts
    std::string waiting; ///< of an agent that is joining: for what; else empty
    std::uint64_t certificateEnds = 0; ///< seconds since 1970; 0 for never
    nat::PortMapState portMapping = {};
};
struct UpdatesReply
{
    std::vector<UpdateLine> updates;
};
struct WatchReply
{
};
struct PushReply
{
    enum class Answer : std::uint8_t {
        SendPayload = 1, ///< chunks, please
        Published = 2, ///< done: on the board and on its way
        NothingToDo = 3, ///< this very release is held already, with its payload
        Continue = 4, ///< chunk taken
    } answer = Answer::Published;
    std::uint64_t receivedBytes = 0;
};
struct ErrorReply
{
    Error error;
};
/// Something happened; only after a WatchRequest, between other replies.
struct Event
{
    enum class What : std::uint8_t {
        Update = 1,
        Refused = 2,
        Link = 3,
        Receipt = 4,
        Overflow = 5
    } what = What::Update;
    std::string uri; ///< Update, Receipt
    trust::Revision revision;
    trust::Phase phase = trust::Phase::Announced;
    std::uint16_t code = 0;
    NodeId node; ///< Receipt, Link
    std::string text; ///< detail for people
};
struct PendingReply
{
    FleetId fleet; ///< for which the requests are signed
    std::vector<PendingLine> devices;
};
struct AdmitReply
{
};
struct TokenReply
{
    std::string token; ///< one line
    std::uint64_t expires = 0; ///< seconds since 1970
    bool isForConsole = false; ///< never, of an agent of before that could be asked for
};

struct PublishReply
{
    bool isNew = false; ///< or held already, or said by what is held
};
struct TrustReply
{
    FleetId fleet;
    Bytes root; ///< envelope of the newest root
    std::vector<Bytes> denyLists; ///< envelopes of those that the signer has signed
};

using Reply = std::variant<StatusReply, UpdatesReply, DevicesReply, WatchReply, PushReply, ErrorReply, Event,
                           PendingReply, AdmitReply, TokenReply, PublishReply, TrustReply, NetCheckReply,
                           PeersReply, SessionsReply, HintsReply, FetchReply>;

constexpr std::size_t kMaxChunkBytes =
    256 * 1024; ///< guess: a fraction of a frame, large enough to keep the disk busy
constexpr std::size_t kMaxFrameBytes = 4 * 1024
    * 1024; ///< guess: a status of a busy agent; a torrent-file++ with 65,536 piece hashes is 2.1 MiB

} // namespace starling::control
