// SPDX-License-Identifier: Apache-2.0
/// Devices whose certificates end ask their neighbours for new ones: a neighbour is the gate then, as it is
/// for devices that join (petitions.h). It goes over restricted links, too. Pure.
///
///     device    ──►  Petition   for observer zero, from itself: "you be my gate"
///     gate      ──►  Grant      for observer zero, when it has a certificate
///
/// Nothing is acknowledged or sent again here: the device asks again, another neighbour each time.
#pragma once

#include "overlay/petition_message.h"
#include "overlay/postbox.h"

namespace starling::overlay {

class Renewals
{
public:
    /// Of one neighbour; guess: a fifth of how often a device asks (node's kRenewPause).
    static constexpr Duration kPace = std::chrono::seconds(20);

    /// `mediator` must outlive it.
    Renewals(const NodeId& self, const Mediator& mediator);

    void addNeighbor(NeighborId neighbor, const NodeId& node);
    void removeNeighbor(NeighborId neighbor);

    /// Our certificate ends: the next neighbour is asked.
    void renew(const Renew& own, Postbox& postbox);
    /// There is a certificate for a device; it is sent if that is a neighbour.
    void renewed(const Renewed& own, Postbox& postbox);
    /// The error, if any, is the neighbour's fault.
    Status onPetition(NeighborId from, const PetitionMessage& message, Instant now, Postbox& postbox);
    Status onGrant(NeighborId from, const GrantMessage& message, Postbox& postbox);

private:
    struct Peer
    {
        NodeId node;
        std::optional<Instant> heard; ///< its last petition
        bool isAsked = false;
    };
    NodeId m_self;
    const Mediator& m_mediator;
    PerNeighbor<Peer> m_peers;
    std::optional<NeighborId> m_lastTurn;
};

} // namespace starling::overlay
