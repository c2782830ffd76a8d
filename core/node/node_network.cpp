// SPDX-License-Identifier: Apache-2.0
/// A node: what stands between it and others, and how often it must speak to keep that open.
#include "node/net_address.h"
#include "node/node.h"

#include <algorithm>

namespace starling::node {

void Node::checkNetwork(NatDesk::Done done)
{
    std::vector<Endpoint> servers = m_options.config.stunServers;
    for (const link::LinkInfo& link : m_links.links())
        if (link.isUp && (link.kind < link::LinkInfo::Kind::Tcp || link.isCalled))
            servers.push_back(link.endpoint);
    m_natDesk.check(std::move(servers), reachableAddresses(listenEndpoint()),
                    [this, done = std::move(done)](const Result<NatDesk::Found>& found) {
                        if (found && found->behaviour.mapped && !found->behaviour.answered.empty()
                            && nat::prospectOf(found->behaviour) != nat::Prospect::Open)
                            m_lifetime.measure(found->behaviour.answered.front(), *found->behaviour.mapped,
                                               listenEndpoint());
                        done(found);
                    });
}

void Node::watchBinding(const link::AddressSeen& seen)
{
    const nat::Mapping mapping = m_reach.mapping();
    if (mapping == nat::Mapping::Unknown || mapping == nat::Mapping::None)
        return; // what a firewall alone forgets is measured when somebody asks
    const auto links = m_links.links();
    const auto link = std::ranges::find(links, seen.link, &link::LinkInfo::link);
    // One that is behind a NAT itself would have its answers stopped there.
    if (link != links.end() && link->kind == link::LinkInfo::Kind::Direct)
        m_lifetime.watch(link->endpoint, seen.endpoint, listenEndpoint());
}

void Node::keepBinding(const nat::LifetimeState& state)
{
    feedLinks(link::SetKeepalive{
        state.kind == nat::LifetimeState::Kind::Measured ? nat::keepaliveFor(state.found) : std::nullopt});
}

} // namespace starling::node
