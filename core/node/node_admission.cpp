// SPDX-License-Identifier: Apache-2.0
/// What a node does for devices that want to join: it tells observers of those that wait here, and of those
/// that wait elsewhere it sends the certificates back.
#include "node/log.h"
#include "node/node.h"

#include <algorithm>

namespace starling::node {

void Node::tellWaiting(const NodeId& device, ByteView request)
{
    feedOverlay(overlay::Petition{device, toBytes(request)});
}

/// A device that was admitted and is still waiting at its gate: the certificate was lost on its way.
void Node::onPetition(const overlay::PetitionArrived& petition)
{
    if (auto certificate = m_joinOffice->grantedTo(petition.request))
        feedOverlay(overlay::Grant{petition.device, std::move(*certificate)});
}

void Node::onGrant(const overlay::GrantArrived& grant)
{
    if (auto admitted = m_joinOffice->admit(grant.certificate, m_timers.now()); admitted)
        tellGranted(grant.certificate);
    else
        qCWarning(lcNode, "a certificate that came is of no use: %ls",
                  qUtf16Printable(forLog(admitted.error())));
}

Status Node::admit(ByteView certificate)
{
    Status here = m_joinOffice->admit(certificate, m_timers.now());
    if (here)
        tellGranted(certificate);
    if (here || here.error().code != Errc::NotFound)
        return here;
    for (const overlay::Waiting& waiting : m_overlay.waiting(m_timers.now())) {
        auto admitted = m_joinOffice->admitElsewhere(certificate, waiting.request);
        if (!admitted && admitted.error().code == Errc::NotFound)
            continue;
        if (admitted)
            feedOverlay(overlay::Grant{waiting.device, toBytes(certificate)});
        return admitted;
    }
    return here;
}

std::vector<overlay::Waiting> Node::waitingElsewhere() const
{
    std::vector<overlay::Waiting> waiting = m_overlay.waiting(m_timers.now());
    // One that was admitted is none, though its gate may not know yet.
    std::erase_if(waiting, [this](const overlay::Waiting& each) {
        return m_joinOffice->grantedTo(each.request).has_value();
    });
    return waiting;
}

} // namespace starling::node
