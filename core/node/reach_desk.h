// SPDX-License-Identifier: Apache-2.0
/// Where this device may be reached, as it tells others: its own addresses, and those at which others see it.
/// Every linked node says where it sees us, at no cost; servers of the configuration are asked besides.
#pragma once

#include "link/link.h"
#include "nat/port_mapping.h"
#include "nat/sightings.h"
#include "node/nat_desk.h"

namespace starling::node {

class ReachDesk
{
public:
    struct Services
    {
        TimerQueue& timers;
        NatDesk& nat;
        std::function<void(const link::Input&)> links;
        std::function<std::vector<Endpoint>()> locals; ///< this device's own addresses
        std::function<std::optional<Error>()> proxyTrouble = {}; ///< of the proxy, if one is set
        std::function<std::optional<nat::PortMapping>()> portMapping = {}; ///< the router's word for it
    };
    explicit ReachDesk(Services services);

    /// Asks the servers now, and from time to time. To be called again when they are others.
    void ask(std::vector<Endpoint> stunServers);
    /// To be called for every output of the links.
    void take(const link::Output& output);
    /// To be called when Services::portMapping has another answer.
    void portMappingChanged() { tellLinks(); }
    /// Whether the mapping's address is told to others, and what is to be said against it.
    nat::PortMapState judged(nat::PortMapState state) const;
    /// Best first, at most link::kMaxNamedCandidates: own addresses that are public, the one that the router
    /// passes on, those that others see, then the rest.
    std::vector<Endpoint> candidates() const;
    /// What stands between this device and others, as far as that is known.
    nat::Mapping mapping() const;
    /// Near which port others may look for this device, if its NAT gives each destination another one.
    std::optional<PortForecast> forecast() const;
    /// Why this link has no better way, in a sentence; empty if there is none.
    std::string whyNotBetter(const link::LinkInfo& link) const;

private:
    std::string whyRelayed(const link::LinkInfo& link) const;
    void askAgain(std::uint64_t generation);
    void noteSeen(nat::Sightings::Source source, const Endpoint& endpoint);
    void probeLinks();
    void tellLinks();
    /// The router's word is not all: others must see the device at that address, if they see it at all.
    bool isTold(const nat::PortMapping& mapping) const;

    Services m_services;
    nat::Sightings m_sightings;
    std::vector<Endpoint> m_servers;
    std::uint64_t m_generation = 0; ///< of ask()
    nat::Mapping m_found = nat::Mapping::Unknown; ///< by servers
    std::optional<PortForecast> m_forecast; ///< the last one, by links or servers
    std::optional<Instant> m_probed; ///< all links were, last
    std::vector<Endpoint> m_told;
    std::optional<PortForecast> m_toldForecast;
};

/// Whether addresses of this kind are used in many networks at the same time: RFC 1918, RFC 6598, RFC 4193,
/// link-local and loopback.
bool isPrivate(const Endpoint& endpoint);

} // namespace starling::node
