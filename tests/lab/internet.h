// SPDX-License-Identifier: Apache-2.0
/// A small internet: a public network 203.0.113.0/24 (RFC 5737), hosts on it, and sites behind a NAT or a
/// firewall of a chosen behaviour, each with hosts of its own.
#pragma once

#include "network.h"

#include "base/endpoint.h"

#include <array>

#include <vector>

namespace starling::lab {

/// What stands between a site and the public network, in the words of RFC 4787. nftables makes them of
/// Linux's connection tracking: the maps that let strangers in hold as long as the port outside is the port
/// inside, so no two hosts of such a site may use the same one.
enum class Edge : std::uint8_t {
    OpenNat, ///< endpoint-independent mapping and filtering
    AddressFilteringNat, ///< endpoint-independent mapping, address-dependent filtering
    PortFilteringNat, ///< plain masquerade: keeps the port where it is free, filters by address and port
    SymmetricNat, ///< masquerade random,fully-random: mapping and filtering by address and port
    Firewall, ///< no NAT; filters by address and port
};
inline constexpr std::array kEdges{Edge::OpenNat, Edge::AddressFilteringNat, Edge::PortFilteringNat,
                                   Edge::SymmetricNat, Edge::Firewall};

class Internet
{
public:
    /// A machine with its addresses, the first one for what it does not choose.
    struct Host
    {
        std::unique_ptr<Network> network;
        std::vector<Endpoint> addresses; ///< with port 0
    };
    struct Site
    {
        std::unique_ptr<Network> edge; ///< interfaces "out" and "in"
        Endpoint outside; ///< the edge's public address, with port 0
        unsigned number = 0;
        unsigned hosts = 0;
        Edge kind{};
    };

    static Result<std::unique_ptr<Internet>> create();
    /// A host on the public network with one or more addresses.
    Result<Host> addPublicHost(const std::string& name, unsigned addressCount);
    Result<Site> addSite(const std::string& name, Edge kind);
    Result<Host> addHost(Site& site, const std::string& name);

private:
    Internet() = default;
    Result<std::unique_ptr<Network>> addRouter(const std::string& name, const QByteArray& port) const;

    std::unique_ptr<Network> m_backbone; ///< a bridge, and the route to sites with public addresses
    unsigned m_hosts = 0, m_sites = 0;
};

} // namespace starling::lab
