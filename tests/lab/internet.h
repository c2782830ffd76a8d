// SPDX-License-Identifier: Apache-2.0
/// A small internet: a public network 203.0.113.0/24 (RFC 5737), or 2001:db8::/64 (RFC 3849) and nothing of
/// IPv4, hosts on it, and sites behind a NAT or a firewall of a chosen behaviour, each with hosts of its own;
/// or behind a site of a carrier, which has a NAT of its own.
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
    HairpinNat, ///< the same; and who is inside reaches others there at their addresses outside
    SymmetricNat, ///< masquerade random,fully-random: mapping and filtering by address and port
    CountingNat, ///< the same, but the ports are counted up
    Firewall, ///< no NAT; filters by address and port
};
inline constexpr std::array kEdges{Edge::OpenNat,    Edge::AddressFilteringNat, Edge::PortFilteringNat,
                                   Edge::HairpinNat, Edge::SymmetricNat,        Edge::CountingNat,
                                   Edge::Firewall};

/// Which addresses there are.
enum class Family : std::uint8_t { Ipv4, Ipv6 };

/// The smallest that IPv6 allows (RFC 8200 section 5), and what tunnels and mobile networks come down to.
inline constexpr unsigned kLeastMtu = 1'280;

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
        Endpoint outside; ///< the edge's address outside, with port 0: a public one, or one of its carrier's
        unsigned number = 0;
        unsigned hosts = 0; ///< and sites behind it
        Edge kind{};
        bool isCarrier = false;
    };

    static Result<std::unique_ptr<Internet>> create(Family family = Family::Ipv4);
    /// A host on the public network with one or more addresses.
    Result<Host> addPublicHost(const std::string& name, unsigned addressCount);
    /// With IPv6, only Firewall. What is inside has private addresses (RFC 1918) unless it is one.
    Result<Site> addSite(const std::string& name, Edge kind);
    /// A NAT whose inside, 100.64.N.0/24 (RFC 6598), is for sites of customers.
    Result<Site> addCarrier(const std::string& name, Edge kind);
    Result<Site> addSiteBehind(Site& carrier, const std::string& name, Edge kind);
    Result<Host> addHost(Site& site, const std::string& name);
    /// No larger packets between a site and the public network. Those from outside are dropped without a
    /// word; who sends larger ones from inside hears of it by ICMP.
    Status narrow(const Site& site, unsigned mtu) const;
    /// No more than so much a second between a site and the public network, each way. What waits for too
    /// long is dropped before it has passed.
    Status limit(const Site& site, unsigned megabits) const;

    /// Gives a site another address outside, also one that is not for documentation (RFC 5737): programs of
    /// routers map no ports of those. Who is on the public network reaches it.
    Status renumber(Site& site, const Endpoint& outside) const;

private:
    /// Where an edge's "out" is plugged in.
    struct Uplink
    {
        const Network* network = nullptr;
        QByteArray port, bridge;
        Endpoint address, gateway;
    };
    explicit Internet(Family family)
        : m_family(family)
    {
    }
    Endpoint publicAddress(unsigned last) const;
    Endpoint insideAddress(const Site& site, unsigned last) const;
    QByteArray prefixBits() const { return m_family == Family::Ipv4 ? "/24" : "/64 nodad"; }
    QByteArray tableName() const { return m_family == Family::Ipv4 ? "ip edge" : "ip6 edge"; }
    Result<std::unique_ptr<Network>> plugIn(const std::string& name, const Uplink& uplink) const;
    Result<Site> makeSite(const std::string& name, Site site, const Uplink& uplink);
    Result<Site> addPublicSite(const std::string& name, Site site);
    Status forward(const Network& network) const;

    Family m_family;
    std::unique_ptr<Network> m_backbone; ///< a bridge, and the route to sites with public addresses
    unsigned m_hosts = 0, m_sites = 0;
};

/// As `ip` and `nft` take it, without the port.
QByteArray addressText(const Endpoint& endpoint);

} // namespace starling::lab
