// SPDX-License-Identifier: Apache-2.0
/// Devices that want to join, on their way to those who may let them in. A device without a certificate asks
/// some agent, its gate; administrators look at observers. So a gate tells every observer, along the tree of
/// its pulses (collection.h), and a certificate goes back by the ways that the petition came. Pure.
///
///     gate      ──►  Petition   to the parent, and on to its parent: again while the device asks again
///     observer  ──►  Grant      back by all ways, to the gate, which keeps the certificate for the device
///
/// Nobody passes on what it has not verified. All of it is soft: nothing is acknowledged or sent again here,
/// for the device asks again, and an observer answers what it has granted before. Of what is held, neighbours
/// have equal shares, so that one that floods displaces nobody who wants less than it.
#pragma once

#include "overlay/collection.h"

namespace starling::overlay {

class Petitions
{
public:
    /// Devices for each observer: so many at once pass a node, and so many an observer shows. Guess: four
    /// gates that are full (enrol::Reception::kMaxPending); what finds no room comes again.
    static constexpr std::size_t kMaxHeld = 256;
    /// Neighbours by which one device's petition came; guess: a tree that changed, twice.
    static constexpr std::size_t kMaxWays = 3;
    /// Of a gate, for each device: guess, as often as observers pulse. Devices ask every 50 s.
    static constexpr Duration kRepeat = std::chrono::minutes(2);
    /// Nobody else passes one device's petition on more often; half of kRepeat, for messages bunch.
    static constexpr Duration kPace = std::chrono::minutes(1);
    /// What was not repeated for so long makes room for others: two repetitions.
    static constexpr Duration kStale = std::chrono::minutes(5);
    /// enrol::Reception::kPendingLifetime.
    static constexpr Duration kLifetime = std::chrono::minutes(10);

    /// `mediator` and `collection`, which knows the parents, must outlive it.
    Petitions(const NodeId& self, const Mediator& mediator, const Collection& collection);

    void addNeighbor(NeighborId neighbor, Instant now);
    void removeNeighbor(NeighborId neighbor);

    /// A device waits here.
    void petition(const Petition& own, Instant now, Postbox& postbox);
    /// We are an observer, and have admitted a device that waits elsewhere.
    void grant(const Grant& own, Postbox& postbox);
    /// The error, if any, is the neighbour's fault.
    Status onPetition(NeighborId from, const PetitionMessage& message, Instant now, Postbox& postbox);
    Status onGrant(NeighborId from, const GrantMessage& message, Postbox& postbox);

    /// At an observer: who waits elsewhere, in the order of their keys.
    std::vector<Waiting> waiting(Instant now) const;
    /// Petitions held for all observers together.
    std::size_t held() const;

private:
    /// A neighbour, or this node as a gate.
    using Source = std::optional<NeighborId>;
    struct Entry
    {
        Digest hash; ///< of the request
        Bytes request; ///< at the observer alone
        NodeId gate;
        Source source; ///< who brought it first, and whose share it takes
        std::map<Source, Instant> ways; ///< when each of them said it last
        Instant since, lastHeard;
        std::optional<Instant> passed; ///< on to a parent
        std::optional<NeighborId> sentTo;
    };
    using Table = std::map<NodeId, Entry>; ///< by device

    void dropTables();
    /// Of the observers that are known; nullptr for others.
    Table* tableOf(const NodeId& observer);
    Entry* hold(Table& table, const NodeId& device, const Source& source, Instant now);
    bool makeRoom(Table& table, const Source& source, Instant now) const;
    void take(const NodeId& observer, Entry& entry, const Source& source, const NodeId& gate,
              ByteView request, const Digest& hash, Instant now) const;
    void passOn(const NodeId& observer, Entry& entry, ByteView request, Duration pace, Instant now,
                Postbox& postbox) const;
    void sendBack(const NodeId& observer, const NodeId& device, const Entry& entry, ByteView certificate,
                  Postbox& postbox) const;
    bool isGone(const Source& source) const { return source && !m_peers.contains(*source); }

    NodeId m_self;
    const Mediator& m_mediator;
    const Collection& m_collection;
    PerNeighbor<Allowance> m_peers; ///< messages that each may make us look at
    std::map<NodeId, Table> m_tables; ///< by observer
};

} // namespace starling::overlay
