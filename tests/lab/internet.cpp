// SPDX-License-Identifier: Apache-2.0
#include "internet.h"

namespace starling::lab {

namespace {

constexpr unsigned kFirstHost = 10; // 203.0.113.10, …
constexpr unsigned kFirstSite = 170; // 203.0.113.170, …
constexpr unsigned kMaxHosts = 150;
constexpr unsigned kMaxSites = 80;

QByteArray number(unsigned value)
{
    return QByteArray::number(value);
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

QByteArray natChains(const QByteArray& in, const QByteArray& how, const QByteArray& before = {})
{
    return "chain before { type nat hook prerouting priority dstnat;\n" + in
        + "}\n"
          "chain after { type nat hook postrouting priority srcnat;\n"
        + before + "oifname \"out\" masquerade " + how + "\n}\n";
}

/// Each new pair of addresses and ports gets the next port. A map, since nft takes what it counts for bytes
/// in the machine's order, and ports for those of the network's.
QByteArray countingNat(const QByteArray& outside)
{
    constexpr unsigned kPorts = 4'096, kFirst = 20'000;
    QByteArray ports;
    for (unsigned i = 0; i < kPorts; ++i)
        ports += (i == 0 ? "" : ", ") + number(i) + " : " + number(kFirst + i);
    return natChains({}, {},
                     "oifname \"out\" meta l4proto udp snat to " + outside + " : numgen inc mod "
                         + number(kPorts) + " map { " + ports + " }\n");
}

/// Of ports that somebody inside has sent from: `type` and `sent` are the key and what fills it, in words of
/// nft.
QByteArray mapOfPorts(const QByteArray& type)
{
    return "map inside { type " + type
        + " : ipv4_addr . inet_service; flags dynamic,timeout; timeout 1m; size 4096; }\n";
}
QByteArray learning(const QByteArray& sent)
{
    return "iifname \"in\" meta l4proto udp update @inside { " + sent + " : ip saddr . udp sport }\n";
}

/// `received` is the key by which a binding of a port lets in: everybody, or those at an address.
QByteArray learningNat(const QByteArray& type, const QByteArray& sent, const QByteArray& received)
{
    return mapOfPorts(type) + filterChains(learning(sent), "ct status dnat accept\n")
        + natChains("iifname \"out\" meta l4proto udp dnat ip to " + received + " map @inside\n", {});
}

/// After RFC 4787 REQ-9: what goes back inside comes from the sender's address outside, and its port.
QByteArray hairpinNat(const QByteArray& outside)
{
    return mapOfPorts("inet_service") + filterChains(learning("udp sport"), {})
        + natChains("iifname \"in\" ip daddr " + outside
                        + " meta l4proto udp dnat ip to udp dport map @inside\n",
                    "\noifname \"in\" ct status dnat snat to " + outside);
}

/// Of its own, a bridge has the lowest address of its ports: it would change when a namespace of an earlier
/// test is gone at last, and others would send to the old one until they ask again. Locally administered.
const QByteArray kBridgeAddress = "02:00:00:00:00:01";

QByteArray rulesOf(Edge kind, const Endpoint& outside)
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
    case Edge::HairpinNat:
        rules = hairpinNat(addressText(outside));
        break;
    case Edge::SymmetricNat:
        rules = filterChains({}, {}) + natChains({}, "random,fully-random");
        break;
    case Edge::CountingNat:
        rules = filterChains({}, {}) + countingNat(addressText(outside));
        break;
    case Edge::Firewall:
        rules = filterChains({}, {});
        break;
    }
    return "{\n" + rules + "}\n";
}

} // namespace

QByteArray addressText(const Endpoint& endpoint)
{
    const QByteArray text = QByteArray::fromStdString(toString(endpoint));
    return endpoint.isIpv4() ? text.left(text.indexOf(':')) : text.mid(1, text.indexOf(']') - 1);
}

Endpoint Internet::publicAddress(unsigned last) const
{
    if (m_family == Family::Ipv4)
        return Endpoint::ipv4(203, 0, 113, static_cast<std::uint8_t>(last), 0);
    Endpoint endpoint;
    endpoint.address = {0x20, 0x01, 0x0d, 0xb8};
    endpoint.address[15] = static_cast<std::uint8_t>(last);
    return endpoint;
}

/// Behind NATs 10.N.0.0/24, behind those of carriers 100.64.N.0/24, behind firewalls 198.18.N.0/24 (RFC 2544)
/// or 2001:db8:N::/64, which are routed.
Endpoint Internet::insideAddress(const Site& site, unsigned last) const
{
    const auto n = static_cast<std::uint8_t>(site.number);
    const auto h = static_cast<std::uint8_t>(last);
    if (m_family == Family::Ipv6) {
        Endpoint endpoint = publicAddress(last);
        endpoint.address[5] = static_cast<std::uint8_t>(n + 1);
        return endpoint;
    }
    if (site.kind == Edge::Firewall)
        return Endpoint::ipv4(198, 18, n, h, 0);
    return site.isCarrier ? Endpoint::ipv4(100, 64, n, h, 0) : Endpoint::ipv4(10, n, 0, h, 0);
}

Result<std::unique_ptr<Internet>> Internet::create(Family family)
{
    auto backbone = Network::create("backbone");
    if (!backbone)
        return tl::unexpected<Error>(backbone.error());
    std::unique_ptr<Internet> internet(new Internet(family));
    internet->m_backbone = std::move(*backbone);
    if (auto made = internet->m_backbone->ip(
            "link add public address " + kBridgeAddress + " type bridge\nlink set public up\naddress add "
            + addressText(internet->publicAddress(1)) + internet->prefixBits() + " dev public\n");
        !made)
        return tl::unexpected<Error>(made.error());
    if (auto forwards = internet->forward(*internet->m_backbone); !forwards)
        return tl::unexpected<Error>(forwards.error());
    return internet;
}

Status Internet::forward(const Network& network) const
{
    return network.set(m_family == Family::Ipv4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding",
                       "1");
}

/// A network whose interface "out" is in the uplink's.
Result<std::unique_ptr<Network>> Internet::plugIn(const std::string& name, const Uplink& uplink) const
{
    auto network = Network::create(name);
    if (!network)
        return network;
    if (auto connected = connect(*uplink.network, uplink.port, **network, "out"); !connected)
        return tl::unexpected<Error>(connected.error());
    if (auto up = uplink.network->ip("link set " + uplink.port + " master " + uplink.bridge + " up\n"); !up)
        return tl::unexpected<Error>(up.error());
    if (auto set = (*network)->ip("link set out up\naddress add " + addressText(uplink.address) + prefixBits()
                                  + " dev out\nroute add default via " + addressText(uplink.gateway) + "\n");
        !set)
        return tl::unexpected<Error>(set.error());
    return network;
}

Result<Internet::Host> Internet::addPublicHost(const std::string& name, unsigned addressCount)
{
    if (m_hosts + addressCount > kMaxHosts)
        return fail(Errc::Busy, "public addresses");
    Host host;
    for (unsigned i = 0; i < addressCount; ++i)
        host.addresses.push_back(publicAddress(kFirstHost + m_hosts + i));
    auto network = plugIn(
        name,
        {m_backbone.get(), "host" + number(m_hosts), "public", host.addresses.front(), publicAddress(1)});
    if (!network)
        return tl::unexpected<Error>(network.error());
    m_hosts += addressCount;
    host.network = std::move(*network);
    QByteArray more;
    for (unsigned i = 1; i < addressCount; ++i)
        more += "address add " + addressText(host.addresses[i]) + prefixBits() + " dev out\n";
    if (auto set = host.network->ip(more); !set)
        return tl::unexpected<Error>(set.error());
    return host;
}

Result<Internet::Site> Internet::makeSite(const std::string& name, Site site, const Uplink& uplink)
{
    if (m_family == Family::Ipv6 && site.kind != Edge::Firewall)
        return fail(Errc::Usage, "NATs of IPv6");
    auto network = plugIn(name, uplink);
    if (!network)
        return tl::unexpected<Error>(network.error());
    site.edge = std::move(*network);
    site.outside = uplink.address;
    if (auto set = site.edge->ip("link add in address " + kBridgeAddress
                                 + " type bridge\nlink set in up\naddress add "
                                 + addressText(insideAddress(site, 1)) + prefixBits() + " dev in\n");
        !set)
        return tl::unexpected<Error>(set.error());
    if (auto forwards = forward(*site.edge); !forwards)
        return tl::unexpected<Error>(forwards.error());
    // It tells nobody of a shorter way to what it sends back inside.
    if (site.kind == Edge::HairpinNat)
        for (const char* where : {"all", "in"})
            if (auto set = site.edge->set(std::string("net.ipv4.conf.") + where + ".send_redirects", "0");
                !set)
                return tl::unexpected<Error>(set.error());
    if (auto filters = site.edge->nft("table " + tableName() + rulesOf(site.kind, site.outside)); !filters)
        return tl::unexpected<Error>(filters.error());
    return site;
}

Result<Internet::Site> Internet::addPublicSite(const std::string& name, Site site)
{
    if (m_sites == kMaxSites)
        return fail(Errc::Busy, "sites");
    site.number = m_sites++;
    auto made = makeSite(name, std::move(site),
                         {m_backbone.get(), "site" + number(m_sites - 1), "public",
                          publicAddress(kFirstSite + m_sites - 1), publicAddress(1)});
    if (made && made->kind == Edge::Firewall)
        if (auto routed = m_backbone->ip("route add " + addressText(insideAddress(*made, 0))
                                         + prefixBits().replace(" nodad", "") + " via "
                                         + addressText(made->outside) + "\n");
            !routed)
            return tl::unexpected<Error>(routed.error());
    return made;
}

Result<Internet::Site> Internet::addSite(const std::string& name, Edge kind)
{
    Site site;
    site.kind = kind;
    return addPublicSite(name, std::move(site));
}

Result<Internet::Site> Internet::addCarrier(const std::string& name, Edge kind)
{
    Site site;
    site.kind = kind;
    site.isCarrier = true;
    return addPublicSite(name, std::move(site));
}

Result<Internet::Site> Internet::addSiteBehind(Site& carrier, const std::string& name, Edge kind)
{
    const unsigned last = 2 + carrier.hosts;
    if (m_sites == kMaxSites || last > kMaxHosts)
        return fail(Errc::Busy, "sites");
    Site site;
    site.kind = kind;
    site.number = m_sites++;
    return makeSite(name, std::move(site),
                    {carrier.edge.get(), "host" + number(carrier.hosts++), "in", insideAddress(carrier, last),
                     insideAddress(carrier, 1)});
}

Result<Internet::Host> Internet::addHost(Site& site, const std::string& name)
{
    const unsigned last = 2 + site.hosts;
    if (last > kMaxHosts)
        return fail(Errc::Busy, "addresses of a site");
    const Endpoint address = insideAddress(site, last);
    auto network =
        plugIn(name, {site.edge.get(), "host" + number(site.hosts++), "in", address, insideAddress(site, 1)});
    if (!network)
        return tl::unexpected<Error>(network.error());
    return Host{std::move(*network), {address}};
}

Status Internet::renumber(Site& site, const Endpoint& outside) const
{
    site.outside = outside;
    const QByteArray address = addressText(outside);
    if (auto set = site.edge->ip("address flush dev out\naddress add " + address + "/32 dev out\nroute add "
                                 + addressText(publicAddress(0)) + "/24 dev out src " + address
                                 + "\nroute add default via " + addressText(publicAddress(1)) + "\n");
        !set)
        return set;
    return m_backbone->ip("route add " + address + "/32 dev public\n");
}

Status Internet::narrow(const Site& site, unsigned mtu) const
{
    if (auto set = site.edge->ip("link set out mtu " + number(mtu) + "\n"); !set)
        return set;
    return m_backbone->ip("link set site" + number(site.number) + " mtu " + number(mtu)
                          + "\nlink set public mtu 1500\n");
}

Status Internet::limit(const Site& site, unsigned megabits) const
{
    const std::array<std::pair<const Network*, QByteArray>, 2> ends{
        {{site.edge.get(), "out"}, {m_backbone.get(), "site" + number(site.number)}}};
    for (const auto& [network, interface] : ends) {
        const QString line = QStringLiteral("qdisc add dev %1 root tbf rate %2mbit burst 64kb latency 100ms")
                                 .arg(QString::fromLatin1(interface))
                                 .arg(megabits);
        if (const auto set = network->run(QStringLiteral("tc"), line.split(QLatin1Char(' '))); !set)
            return tl::unexpected<Error>(set.error());
    }
    return {};
}

} // namespace starling::lab
