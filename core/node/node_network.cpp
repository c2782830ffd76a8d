// SPDX-License-Identifier: Apache-2.0
/// A node: what stands between it and others, and how often it must speak to keep that open.
#include "node/log.h"
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
    const std::vector<Endpoint> own = reachableAddresses(listenEndpoint());
    if (std::ranges::find(own, seen.endpoint.address, &Endpoint::address) != own.end())
        return; // no NAT; what a firewall alone forgets is measured when somebody asks
    const auto links = m_links.links();
    // One that is behind a NAT itself would have its answers stopped there.
    const auto server = std::ranges::find_if(links, [](const link::LinkInfo& link) {
        return link.isUp && link.kind == link::LinkInfo::Kind::Direct;
    });
    if (server != links.end())
        m_lifetime.watch(server->endpoint, seen.endpoint, listenEndpoint());
}

void Node::keepBinding(const nat::LifetimeState& state)
{
    using Kind = nat::LifetimeState::Kind;
    const auto every = state.kind == Kind::Measured ? nat::keepaliveFor(state.found) : std::nullopt;
    if (state.kind == Kind::Measuring)
        qCInfo(lcOverlay, "measuring how long a binding is kept by what stands before this device");
    else if (every)
        qCInfo(lcOverlay, "a binding is kept through %lld s of silence: links speak every %lld s at least",
               static_cast<long long>(state.found.held / std::chrono::seconds(1)),
               static_cast<long long>(*every / std::chrono::seconds(1)));
    feedLinks(link::SetKeepalive{every});
}

} // namespace starling::node
