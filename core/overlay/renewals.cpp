// SPDX-License-Identifier: Apache-2.0
#include "overlay/renewals.h"

namespace starling::overlay {

Renewals::Renewals(const NodeId& self, const Mediator& mediator)
    : m_self(self)
    , m_mediator(mediator)
{
}

void Renewals::addNeighbor(NeighborId neighbor, const NodeId& node)
{
    m_peers.emplace(neighbor, Peer{node, {}, false});
}

void Renewals::removeNeighbor(NeighborId neighbor)
{
    m_peers.erase(neighbor);
}

void Renewals::renew(const Renew& own, Postbox& postbox)
{
    if (m_peers.empty() || own.request.empty() || own.request.size() > kMaxPetitionBytes)
        return;
    auto next = m_lastTurn ? m_peers.upper_bound(*m_lastTurn) : m_peers.begin();
    if (next == m_peers.end())
        next = m_peers.begin();
    m_lastTurn = next->first;
    next->second.isAsked = true;
    postbox.send(next->first, PetitionMessage{{}, m_self, own.request});
}

void Renewals::renewed(const Renewed& own, Postbox& postbox)
{
    if (own.certificate.empty() || own.certificate.size() > kMaxGrantBytes)
        return;
    for (const auto& [neighbor, peer] : m_peers)
        if (peer.node == own.device)
            postbox.send(neighbor, GrantMessage{{}, own.device, own.certificate});
}

Status Renewals::onPetition(NeighborId from, const PetitionMessage& message, Instant now, Postbox& postbox)
{
    const auto peer = m_peers.find(from);
    if (peer == m_peers.end() || (peer->second.heard && now - *peer->second.heard < kPace))
        return {};
    peer->second.heard = now;
    const auto device = m_mediator.examineRequest(message.request);
    // That it is denied may not have come to it yet.
    if (!device && device.error().code == Errc::Denied)
        return {};
    if (!device)
        return fail(Error(device.error()), "renewal");
    if (*device != peer->second.node)
        return fail(Errc::Malformed, "a renewal for another device");
    postbox.put(RenewalAsked{*device, message.request});
    return {};
}

Status Renewals::onGrant(NeighborId from, const GrantMessage& message, Postbox& postbox)
{
    const auto peer = m_peers.find(from);
    if (peer == m_peers.end() || !peer->second.isAsked)
        return {}; // a gate that was asked over an earlier link: asking again brings it
    const auto device = m_mediator.examineGrant(message.certificate);
    if (!device && device.error().code == Errc::Denied)
        return {};
    if (!device)
        return fail(Error(device.error()), "renewal");
    if (*device != m_self)
        return fail(Errc::Malformed, "a renewal with another device's certificate");
    postbox.put(RenewalArrived{message.certificate});
    return {};
}

} // namespace starling::overlay
