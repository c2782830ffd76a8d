// SPDX-License-Identifier: Apache-2.0
/// What the nodes of one simulation share: time, the network, what is to happen, and the books. Pure.
#pragma once

#include "link/link.h"
#include "sim/authority.h"
#include "sim/cast.h"
#include "sim/network.h"
#include "sim/replica.h"
#include "sim/scenario.h"
#include "sim/swarm_model.h"

#include <set>

namespace starling::sim {

class Node;

/// A release from the moment it was published.
struct Publication
{
    std::uint64_t version = 0;
    InfoHash payload;
    Instant at;
    std::uint8_t group = 0; ///< of its publisher
    /// By node: whether it could be reached through honest nodes that were up when it was published.
    std::vector<bool> isAddressed;
    /// Until it was published: notices that were taken from neighbours, and superfluous copies.
    std::uint64_t takenBefore = 0, knownBefore = 0;
    /// How long it took to the boards of nodes that were addressed and up ever since.
    std::vector<Duration> deliveries = {};
};

/// What the observer, which is node 0, was told by one device.
constexpr NodeIndex kObserver = 0;
struct Reported
{
    std::uint64_t version = 0; ///< the newest that it says to be healthy with
    std::uint64_t arrivals = 0; ///< receipts, newer and older
    std::uint64_t sequence = 0; ///< of the newest one
};

/// When simulations begin: 2026-01-01. Only wall clocks know.
constexpr UtcTime kBeginning{std::chrono::seconds(1'767'225'600)};

/// What was counted, by everybody together.
struct Books
{
    std::uint64_t datagrams = 0, datagramBytes = 0, lostDatagrams = 0;
    std::uint64_t messages = 0, messageBytes = 0; ///< of the overlay
    std::uint64_t retransmissions = 0; ///< of links that are gone
    std::uint64_t honestBytes = 0; ///< of datagrams that honest nodes sent
    std::vector<Publication> publications; ///< by version, from 1
    std::set<NoticeId> genuine; ///< all notices that somebody issued
    std::map<NodeIndex, Reported> reported;
    std::uint64_t receipts = 0; ///< that reached the observer
    std::uint64_t forgedReceipts = 0; ///< those of them that another device signed
    // With a cast, for whoever shows what the observer knows; the first is emptied by who reads it.
    std::vector<board::DeviceReceipt> kept; ///< verified, each newer than what the device said before
    std::vector<Error> refusals; ///< of notices, by the observer; emptied as well, at most kMaxRefusals
    static constexpr std::size_t kMaxRefusals = 1'000; ///< guess: a flood between two readings
    struct Exchange
    {
        bool isTaken = false, isGiven = false; ///< by the observer
    };
    std::map<std::pair<InfoHash, NodeIndex>, Exchange> exchanges; ///< of payloads with devices

    void noteSent(std::size_t bytes, bool isHonest)
    {
        datagramBytes += bytes;
        honestBytes += isHonest ? bytes : 0;
    }
};

struct World
{
    World(const Scenario& itsScenario, std::uint64_t seed, const Cast* itsCast = nullptr)
        : scenario(itsScenario)
        , cast(itsCast)
        , random(seed)
        , network(itsScenario.network, seed)
        , authority(seed)
        , swarm(itsCast)
        , shared(trustOf(authority, itsScenario))
    {
    }
    /// With the memo of signatures, if there is to be one, before the first copy is made.
    static const trust::TrustSet& trustOf(Authority& authority, const Scenario& scenario)
    {
        if (scenario.verification == Scenario::Verification::Shared)
            authority.shareVerification();
        return authority.trust();
    }
    /// That every node begins with.
    void addFirstRelease()
    {
        const auto torrent = authority.release(1, kBeginning);
        firstRelease = release::noticeOf(trust::Kind::Release, torrent.notice());
        Publication first;
        first.version = 1;
        first.payload = torrent.infoHash;
        books.publications.push_back(std::move(first));
    }
    Scenario scenario;
    Bytes firstRelease; ///< its notice; empty: nodes begin with nothing
    const Cast* cast; ///< nobody: devices are numbers, and a fetched release is healthy
    SeededRandom random; ///< the one generator of a simulation
    Network network;
    Authority authority;
    SwarmModel swarm;
    SharedBoards shared;
    Contents contents; ///< of messages that are on their way
    EventQueue queue;
    Instant now;
    std::vector<std::unique_ptr<Node>> nodes;
    std::map<NodeId, NodeIndex> byId; ///< of admitted nodes
    Books books;
    const overlay::SharedConfig overlayConfig{overlay::Config()}; ///< the agent's
    std::uint64_t sessions = 0; ///< of ModelLinks: how many were begun
    std::size_t stalledLinks = 0; ///< of the same: those with messages that could not be delivered
    // Outputs of the node at hand that are not carried out yet; empty between events.
    std::vector<link::Output> linkOutputs;
    std::vector<overlay::Output> overlayOutputs;
};

} // namespace starling::sim
