// SPDX-License-Identifier: Apache-2.0
#include "internet.h"

namespace starling::lab {

namespace {

constexpr unsigned kFirstHost = 10; // 203.0.113.10, …
constexpr unsigned kFirstSite = 200; // 203.0.113.200, …
constexpr unsigned kMaxHosts = 150;
constexpr unsigned kMaxSites = 50;

QByteArray number(unsigned value)
{
    return QByteArray::number(value);
}

/// Sites behind NATs have 10.N.0.0/24; behind firewalls 198.18.N.0/24 (RFC 2544), which is routed.
QByteArray insidePrefix(Edge kind, unsigned site)
{
    return kind == Edge::Firewall ? "198.18." + number(site) + "." : "10." + number(site) + ".0.";
}

Endpoint insideAddress(Edge kind, unsigned site, unsigned host)
{
    const auto n = static_cast<std::uint8_t>(site);
    const auto h = static_cast<std::uint8_t>(host);
    return kind == Edge::Firewall ? Endpoint::ipv4(198, 18, n, h, 0) : Endpoint::ipv4(10, n, 0, h, 0);
}

/// Lets out whatever comes from inside, and in what answers it or is let in by `more`. What nobody inside
/// asked for must not come to the edge itself: accepted there, it leaves a connection in the edge's table,
/// though nobody listens, and that takes the port from a host inside that sends to the same place afterwards.
QByteArray filterChains(const QByteArray& learn, const QByteArray& more)
{
    return "chain forward { type filter hook forward priority filter; policy drop;\n" + learn
        + "ct state established,related accept\niifname \"in\" accept\n" + more
        + "}\n"
          "chain input { type filter hook input priority filter; policy accept;\n"
          "iifname \"out\" meta l4proto udp drop\n}\n";
}

QByteArray natChains(const QByteArray& in, const QByteArray& how)
{
    return "chain before { type nat hook prerouting priority dstnat;\n" + in
        + "}\n"
          "chain after { type nat hook postrouting priority srcnat;\noifname \"out\" masquerade "
        + how + "\n}\n";
}

/// `key` names, in words of nft, whom a binding of a port lets in: everybody, or those at an address.
QByteArray learningNat(const QByteArray& type, const QByteArray& sent, const QByteArray& received)
{
    return "map inside { type " + type
        + " : ipv4_addr . inet_service; flags dynamic,timeout; timeout 1m; size 4096; }\n"
        + filterChains("iifname \"in\" meta l4proto udp update @inside { " + sent
                           + " : ip saddr . udp sport }\n",
                       "ct status dnat accept\n")
        + natChains("iifname \"out\" meta l4proto udp dnat ip to " + received + " map @inside\n", {});
}

/// Of its own, a bridge has the lowest address of its ports: it would change when a namespace of an earlier
/// test is gone at last, and others would send to the old one until they ask again. Locally administered.
const QByteArray kBridgeAddress = "02:00:00:00:00:01";

QByteArray rulesOf(Edge kind)
{
    QByteArray rules;
    switch (kind) {
    case Edge::OpenNat:
        rules = learningNat("inet_service", "udp sport", "udp dport");
        break;
    case Edge::AddressFilteringNat:
        rules = learningNat("inet_service . ipv4_addr", "udp sport . ip daddr", "udp dport . ip saddr");
        break;
    case Edge::PortFilteringNat:
        rules = filterChains({}, {}) + natChains({}, {});
        break;
    case Edge::SymmetricNat:
        rules = filterChains({}, {}) + natChains({}, "random,fully-random");
        break;
    case Edge::Firewall:
        rules = filterChains({}, {});
        break;
    }
    return "table ip edge {\n" + rules + "}\n";
}

} // namespace

Result<std::unique_ptr<Internet>> Internet::create()
{
    auto backbone = Network::create("backbone");
    if (!backbone)
        return tl::unexpected<Error>(backbone.error());
    std::unique_ptr<Internet> internet(new Internet);
    internet->m_backbone = std::move(*backbone);
    if (auto made = internet->m_backbone->ip("link add public address " + kBridgeAddress
                                             + " type bridge\nlink set public up\n"
                                               "address add 203.0.113.1/24 dev public\n");
        !made)
        return tl::unexpected<Error>(made.error());
    if (auto forwards = internet->m_backbone->set("net.ipv4.ip_forward", "1"); !forwards)
        return tl::unexpected<Error>(forwards.error());
    return internet;
}

/// A network whose interface "out" is on the public one; `port` names the bridge's end.
Result<std::unique_ptr<Network>> Internet::addRouter(const std::string& name, const QByteArray& port) const
{
    auto network = Network::create(name);
    if (!network)
        return network;
    if (auto connected = connect(*m_backbone, port, **network, "out"); !connected)
        return tl::unexpected<Error>(connected.error());
    if (auto up = m_backbone->ip("link set " + port + " master public up\n"); !up)
        return tl::unexpected<Error>(up.error());
    return network;
}

Result<Internet::Host> Internet::addPublicHost(const std::string& name, unsigned addressCount)
{
    if (m_hosts + addressCount > kMaxHosts)
        return fail(Errc::Busy, "public addresses");
    auto network = addRouter(name, "host" + number(m_hosts));
    if (!network)
        return tl::unexpected<Error>(network.error());
    Host host{std::move(*network), {}};
    QByteArray lines = "link set out up\n";
    for (unsigned i = 0; i < addressCount; ++i) {
        const unsigned last = kFirstHost + m_hosts++;
        host.addresses.push_back(Endpoint::ipv4(203, 0, 113, static_cast<std::uint8_t>(last), 0));
        lines += "address add 203.0.113." + number(last) + "/24 dev out\n";
    }
    if (auto set = host.network->ip(lines + "route add default via 203.0.113.1\n"); !set)
        return tl::unexpected<Error>(set.error());
    return host;
}

Result<Internet::Site> Internet::addSite(const std::string& name, Edge kind)
{
    if (m_sites == kMaxSites)
        return fail(Errc::Busy, "sites");
    Site site;
    site.number = m_sites++;
    site.kind = kind;
    const unsigned last = kFirstSite + site.number;
    site.outside = Endpoint::ipv4(203, 0, 113, static_cast<std::uint8_t>(last), 0);
    auto network = addRouter(name, "site" + number(site.number));
    if (!network)
        return tl::unexpected<Error>(network.error());
    site.edge = std::move(*network);
    const QByteArray prefix = insidePrefix(kind, site.number);
    if (auto set = site.edge->ip("link set out up\naddress add 203.0.113." + number(last)
                                 + "/24 dev out\nroute add default via 203.0.113.1\n"
                                   "link add in address "
                                 + kBridgeAddress + " type bridge\nlink set in up\naddress add " + prefix
                                 + "1/24 dev in\n");
        !set)
        return tl::unexpected<Error>(set.error());
    if (auto forwards = site.edge->set("net.ipv4.ip_forward", "1"); !forwards)
        return tl::unexpected<Error>(forwards.error());
    if (auto filters = site.edge->nft(rulesOf(kind)); !filters)
        return tl::unexpected<Error>(filters.error());
    if (kind == Edge::Firewall)
        if (auto routed = m_backbone->ip("route add " + prefix + "0/24 via 203.0.113." + number(last) + "\n");
            !routed)
            return tl::unexpected<Error>(routed.error());
    return site;
}

Result<Internet::Host> Internet::addHost(Site& site, const std::string& name)
{
    const unsigned last = 2 + site.hosts;
    if (last > kMaxHosts)
        return fail(Errc::Busy, "addresses of a site");
    auto network = Network::create(name);
    if (!network)
        return tl::unexpected<Error>(network.error());
    const QByteArray port = "host" + number(site.hosts++);
    if (auto connected = connect(*site.edge, port, **network, "out"); !connected)
        return tl::unexpected<Error>(connected.error());
    if (auto up = site.edge->ip("link set " + port + " master in up\n"); !up)
        return tl::unexpected<Error>(up.error());
    const QByteArray prefix = insidePrefix(site.kind, site.number);
    if (auto set = (*network)->ip("link set out up\naddress add " + prefix + number(last)
                                  + "/24 dev out\nroute add default via " + prefix + "1\n");
        !set)
        return tl::unexpected<Error>(set.error());
    return Host{std::move(*network), {insideAddress(site.kind, site.number, last)}};
}

} // namespace starling::lab
