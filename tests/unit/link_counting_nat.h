// SPDX-License-Identifier: Apache-2.0
/// Two nodes of which one is behind a NAT that counts its ports up, and a neighbour of both.
#pragma once

#include "link_network.h"

#include <algorithm>

namespace starling::link {

/// Three hosts, of which `left` and `right` have a link to `middle`; `left` is behind a NAT that gives each
/// destination another port, and `right` behind a filter that lets in only what it has called.
class CountingTrio
{
public:
    explicit CountingTrio(std::uint16_t step = 1)
        : network(11, {.latency = std::chrono::milliseconds(20)})
        , middle(network.add())
        , left(network.add())
        , right(network.add())
        , m_step(step)
    {
        network.outward = [this](const Host& from, const Endpoint& to) {
            if (&from == &right) {
                m_called.insert(to);
                guesses += to.port >= kFirstPort ? 1 : 0;
            }
            return &from == &left ? outside(to) : from.endpoint;
        };
        network.inward = [this](const Endpoint& from, const Endpoint& to) {
            const bool isKept = to == right.endpoint && from != middle.endpoint && !m_called.contains(from);
            if (isKept || to == left.endpoint)
                return Endpoint();
            const auto mapped = m_ports.find(from);
            return mapped != m_ports.end() && mapped->second == to.port ? left.endpoint : to;
        };
        for (Host* host : {&left, &right}) {
            network.give(*host, SetCandidates{{host->endpoint}});
            network.connect(*host, middle);
        }
    }
    bool begin()
    {
        return network.runUntil([this] { return middle.up.size() == 2 && !left.sightings.empty(); },
                                std::chrono::seconds(10));
    }
    /// Somebody else behind the NAT has taken so many ports.
    void use(unsigned ports) { m_last = static_cast<std::uint16_t>(m_last + ports * m_step); }
    /// As if somebody had seen `left` at the port that was the last one then.
    void foresee(Host& host, std::uint16_t step)
    {
        Endpoint last = left.endpoint;
        last.port = m_last;
        network.give(host, SetCandidates{{host.endpoint}, PortForecast{last, step}});
    }
    void reach() { network.give(right, Connect{left.endpoint, 2, left.node}); }
    bool isLinked(LinkInfo::Kind kind) const
    {
        const auto there = left.links->links(), here = right.links->links();
        const auto isOf = [&](const std::vector<LinkInfo>& links, const NodeId& node) {
            return std::any_of(links.begin(), links.end(), [&](const LinkInfo& info) {
                return info.isUp && info.node == node && info.kind == kind;
            });
        };
        return isOf(there, right.node) && isOf(here, left.node);
    }

    Network network;
    Host& middle;
    Host& left;
    Host& right;
    std::size_t guesses = 0; ///< datagrams of `right` to ports of the NAT

private:
    static constexpr std::uint16_t kFirstPort = 20'000;

    Endpoint outside(const Endpoint& to)
    {
        auto [mapped, isNew] = m_ports.try_emplace(to);
        if (isNew)
            mapped->second = m_last = static_cast<std::uint16_t>(m_last + m_step);
        Endpoint endpoint = left.endpoint;
        endpoint.port = mapped->second;
        return endpoint;
    }

    std::uint16_t m_step, m_last = kFirstPort;
    std::map<Endpoint, std::uint16_t> m_ports; ///< by destination
    std::set<Endpoint> m_called; ///< by `right`
};

} // namespace starling::link
