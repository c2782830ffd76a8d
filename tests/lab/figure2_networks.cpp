// SPDX-License-Identifier: Apache-2.0
#include "figure2_networks.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace starling::lab {

namespace {

constexpr std::uint16_t kLinkPort = 7891; // the agents' default
constexpr std::uint16_t kOtherPort = 7892; // never opened

QByteArray addressOf(const Internet::Host& host)
{
    return addressText(host.addresses.front());
}

/// `three` and `four` are addresses. The chain "passed" comes behind the filter and knows none of its rules.
/// Some kernels ask these chains about what stays on the inside, too, which is a bridge.
QByteArray firewallRules(const QByteArray& three, const QByteArray& four)
{
    QByteArray rules = "delete table ip edge\ntable ip edge {\n";
    for (const char* name :
         {"opened_port", "came_in", "links", "went_out", "node_four", "kept_out", "kept_in"})
        rules += QByteArray("counter ") + name + " { }\n";
    rules += "chain forward { type filter hook forward priority filter; policy drop;\n"
             "iifname \"in\" oifname \"in\" accept\n"
             "iifname \"out\" ip daddr @3 udp dport @port counter name opened_port accept\n"
             "iifname \"out\" counter name kept_out drop\n"
             "ip saddr @3 udp sport @port counter name links accept\n"
             "counter name kept_in drop\n}\n"
             "chain passed { type filter hook forward priority filter + 10; policy accept;\n"
             "iifname \"in\" oifname \"in\" accept\n"
             "iifname \"out\" counter name came_in\n"
             "oifname \"out\" counter name went_out\n"
             "ip saddr @4 counter name node_four\n"
             "ip daddr @4 counter name node_four\n}\n"
             "chain input { type filter hook input priority filter; policy drop;\n}\n}\n";
    return rules.replace("@3", three).replace("@4", four).replace("@port", QByteArray::number(kLinkPort));
}

Result<std::map<std::string, std::uint64_t>> countersOf(const Network& edge)
{
    const auto output = edge.run(QStringLiteral("nft"),
                                 {QStringLiteral("-j"), QStringLiteral("list"), QStringLiteral("counters")});
    if (!output)
        return tl::unexpected<Error>(output.error());
    std::map<std::string, std::uint64_t> packets;
    const QJsonArray listed =
        QJsonDocument::fromJson(*output).object().value(QLatin1String("nftables")).toArray();
    for (const QJsonValue& item : listed) {
        const QJsonObject counter = item.toObject().value(QLatin1String("counter")).toObject();
        if (!counter.isEmpty())
            packets[counter.value(QLatin1String("name")).toString().toStdString()] =
                static_cast<std::uint64_t>(counter.value(QLatin1String("packets")).toDouble());
    }
    if (packets.empty())
        return fail(Errc::Malformed, "no counters from nft");
    return packets;
}

template <class T> Status put(Result<T> made, T& place)
{
    if (!made)
        return tl::unexpected<Error>(made.error());
    place = std::move(*made);
    return {};
}

} // namespace

std::string Crossings::fault() const
{
    if (cameIn != openedPort)
        return "more came in than the opened port accounts for";
    if (wentOut != links)
        return "more went out than node 3's links account for";
    if (nodeFour != 0)
        return "node 4 exchanged packets with the outside";
    if (openedPort == 0)
        return "nothing came in through the opened port";
    return {};
}

Result<std::unique_ptr<Figure2Networks>> Figure2Networks::create(unsigned natSeconds)
{
    std::unique_ptr<Figure2Networks> networks(new Figure2Networks(natSeconds));
    if (auto made = networks->make(); !made)
        return tl::unexpected<Error>(made.error());
    return networks;
}

void Figure2Networks::place(support::FleetPlan& plan) const
{
    plan.agents = kFigure2Nodes;
    plan.listen = [this](std::size_t agent) { return listenOf(static_cast<unsigned>(agent + 1)); };
    plan.prepare = [this](std::size_t agent, QProcess& process) { m_hosts[agent].network->prepare(process); };
    // The rest they hear from each other.
    plan.neighbors = [](std::size_t agent) {
        const std::array<std::vector<std::size_t>, kFigure2Nodes> knows{
            {{agentOf(3)}, {agentOf(1)}, {}, {agentOf(3)}}};
        return knows[agent];
    };
}

std::string Figure2Networks::description() const
{
    return "node 1 is public at " + toString(listenOf(1)) + "; node 2 is behind a NAT, "
        + toString(listenOf(2)) + "; nodes 3 and 4 are behind a firewall, " + toString(listenOf(3)) + " and "
        + toString(listenOf(4));
}

Endpoint Figure2Networks::listenOf(unsigned node) const
{
    Endpoint endpoint = host(node).addresses.front();
    endpoint.port = kLinkPort;
    return endpoint;
}

Status Figure2Networks::make()
{
    if (auto made = put(Internet::create(), m_internet); !made)
        return made;
    if (auto made = put(m_internet->addPublicHost("node 1", 1), m_hosts[0]); !made)
        return made;
    if (auto made = put(m_internet->addSite("NAT", Edge::PortFilteringNat), m_nat); !made)
        return made;
    if (auto made = put(m_internet->addHost(m_nat, "node 2"), m_hosts[1]); !made)
        return made;
    if (auto made = put(m_internet->addSite("firewall", Edge::Firewall), m_firewall); !made)
        return made;
    if (auto made = put(m_internet->addHost(m_firewall, "node 3"), m_hosts[2]); !made)
        return made;
    if (auto made = put(m_internet->addHost(m_firewall, "node 4"), m_hosts[3]); !made)
        return made;
    return setRules();
}

Status Figure2Networks::setRules()
{
    if (auto set = m_firewall.edge->nft(firewallRules(addressOf(host(3)), addressOf(host(4)))); !set)
        return set;
    // A binding is what a new connection of UDP through the NAT makes.
    if (auto set = m_nat.edge->nft("add counter ip edge bindings\n"
                                   "insert rule ip edge forward iifname \"in\" ip daddr "
                                   + addressOf(host(1)) + " udp dport " + QByteArray::number(kLinkPort)
                                   + " ct state new counter name bindings\n");
        !set)
        return set;
    for (const char* key : {"udp_timeout", "udp_timeout_stream"})
        if (auto set = m_nat.edge->set(std::string("net.netfilter.nf_conntrack_") + key,
                                       std::to_string(m_natSeconds));
            !set)
            m_natObstacle = set.error().context;
    return {};
}

Result<std::uint64_t> Figure2Networks::natBindings() const
{
    const auto packets = countersOf(*m_nat.edge);
    if (!packets)
        return tl::unexpected<Error>(packets.error());
    return packets->at("bindings");
}

Result<Crossings> Figure2Networks::crossings() const
{
    const auto packets = countersOf(*m_firewall.edge);
    if (!packets)
        return tl::unexpected<Error>(packets.error());
    const auto& of = *packets;
    return Crossings{of.at("opened_port"), of.at("came_in"),  of.at("links"),  of.at("went_out"),
                     of.at("node_four"),   of.at("kept_out"), of.at("kept_in")};
}

Result<Crossings> Figure2Networks::settledCrossings() const
{
    Result<Crossings> counted = crossings();
    for (int again = 0; again < 50 && counted && !counted->fault().empty(); ++again)
        counted = crossings();
    return counted;
}

Status Figure2Networks::leak(unsigned node) const
{
    return m_firewall.edge->nft("insert rule ip edge forward ip saddr " + addressOf(host(node))
                                + " accept\n");
}

Status Figure2Networks::knock() const
{
    const auto send = [this](unsigned from, unsigned to, std::uint16_t port) -> Status {
        const auto sent = host(from).network->run(QStringLiteral("bash"),
                                                  {QStringLiteral("-c"),
                                                   QStringLiteral("echo knock > /dev/udp/%1/%2")
                                                       .arg(QString::fromLatin1(addressOf(host(to))))
                                                       .arg(port)});
        return sent ? Status() : Status(tl::unexpected<Error>(sent.error()));
    };
    if (auto sent = send(1, 3, kOtherPort); !sent)
        return sent;
    if (auto sent = send(1, 4, kLinkPort); !sent)
        return sent;
    return send(4, 1, kLinkPort);
}

} // namespace starling::lab
