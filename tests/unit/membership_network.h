// SPDX-License-Identifier: Apache-2.0
/// Many memberships in virtual time over links that are a table of numbers: a handshake takes two round
/// trips, a message half of one, and of who crashed nothing is heard.
#pragma once

#include "membership_contacts.h"

#include <algorithm>
#include <functional>
#include <queue>

namespace starling::overlay::testing {

class MembershipNetwork
{
public:
    struct Node
    {
        std::unique_ptr<Membership> membership; ///< none: it is down
        std::map<NeighborId, std::pair<std::size_t, NeighborId>> links; ///< to whom, and its number there
        std::set<NeighborId> neighbors; ///< as the overlay was told
        std::uint64_t evictions = 0, refused = 0, sent = 0, opened = 0;
        std::optional<Instant> lastEviction;
        Duration shortestEviction = Duration::max();
    };

    explicit MembershipNetwork(std::uint64_t seed)
        : random(seed)
        , m_seed(seed)
    {
    }

    std::size_t add(std::vector<Endpoint> bootstrap, const MembershipConfig& config = {})
    {
        nodes.emplace_back();
        start(nodes.size() - 1, std::move(bootstrap), config);
        return nodes.size() - 1;
    }
    void start(std::size_t index, std::vector<Endpoint> bootstrap, const MembershipConfig& config = {})
    {
        nodes[index].membership = std::make_unique<Membership>(nodeId(index), config, mediator, random);
        give(index, OwnContact{contactOf(index)});
        give(index, Bootstrap{std::move(bootstrap)});
    }
    void crash(std::size_t index)
    {
        nodes[index].membership.reset();
        nodes[index].links.clear();
        nodes[index].neighbors.clear();
    }
    void give(std::size_t index, const MembershipInput& input)
    {
        if (nodes[index].membership)
            for (MembershipOutput& output : nodes[index].membership->handle(input, now))
                std::visit([&](auto& what) { act(index, what); }, output);
    }
    /// As if `index` said so over its link to `to`.
    void say(std::size_t index, std::size_t to, const MembershipMessage& message)
    {
        for (const auto& [link, other] : nodes[index].links)
            if (other.first == to) {
                SendMessage send{link, serialize(message)};
                return act(index, send);
            }
    }
    void run(Duration time)
    {
        const Instant end = now + time;
        while (!m_events.empty() && m_events.top().at <= end) {
            now = m_events.top().at;
            const auto what = m_events.top().what;
            m_events.pop();
            what();
        }
        now = end;
    }

    Duration latency(std::size_t a, std::size_t b) const
    {
        SeededRandom pair(m_seed ^ (std::min(a, b) << 32 | std::max(a, b)));
        return std::chrono::microseconds(10'000 + pair.below(40'000));
    }
    bool isUp(std::size_t index) const { return nodes[index].membership != nullptr; }
    std::size_t living() const
    {
        return static_cast<std::size_t>(std::count_if(
            nodes.begin(), nodes.end(), [](const Node& node) { return node.membership != nullptr; }));
    }
    /// Links that one side takes for a neighbour and the other does not.
    std::size_t asymmetric() const
    {
        std::size_t count = 0;
        for (const Node& node : nodes)
            for (const NeighborId link : node.neighbors) {
                const auto& [other, there] = node.links.at(link);
                count += isUp(other) && !nodes[other].neighbors.contains(there) ? 1 : 0;
            }
        return count;
    }

    std::vector<Node> nodes;
    ContactMediator mediator;
    SeededRandom random;
    Instant now;
    bool isByTwoWays = false; ///< links of both sides come up, as over UDP and over TCP

private:
    struct Event
    {
        Instant at;
        std::uint64_t number;
        std::function<void()> what;
        bool operator<(const Event& other) const
        {
            return std::tie(other.at, other.number) < std::tie(at, number);
        }
    };
    void later(Duration delay, std::function<void()> what)
    {
        m_events.push({now + delay, m_number++, std::move(what)});
    }
    /// To the node as it is now: not to one that restarted meanwhile.
    void giveLater(Duration delay, std::size_t index, const MembershipInput& input)
    {
        const Membership* life = nodes[index].membership.get();
        later(delay, [this, index, input, life] {
            if (nodes[index].membership.get() == life)
                give(index, input);
        });
    }
    bool isThere(std::size_t index, NeighborId link) const { return nodes[index].links.contains(link); }

    void act(std::size_t index, const ConnectTo& output)
    {
        const auto other = static_cast<std::size_t>(numberOf(output.to));
        ++nodes[index].opened;
        if (other >= nodes.size() || !isUp(other) || other == index)
            return giveLater(std::chrono::milliseconds(1'200), index, LinkFailed{output.to});
        for (const auto& [link, to] : nodes[index].links)
            if (to.first == other)
                return;
        const NeighborId here{++m_lastLink}, there{++m_lastLink};
        const Duration way = latency(index, other);
        const Membership *ours = nodes[index].membership.get(), *theirs = nodes[other].membership.get();
        later(3 * way, [=, this] {
            if (nodes[index].membership.get() != ours || nodes[other].membership.get() != theirs)
                return;
            for (const auto& [link, to] : nodes[index].links)
                if (to.first == other && !isByTwoWays)
                    return; // the other's handshake ended first
            nodes[index].links[here] = {other, there};
            nodes[other].links[there] = {index, here};
            keepAlive(index, here);
            keepAlive(other, there);
            // Before what is said over it.
            giveLater(way, index, LinkUp{here, nodeId(other), endpointOf(other), 2 * way});
            give(other, LinkUp{there, nodeId(index), endpointOf(index), 2 * way});
        });
    }
    /// As link::Session does: a keepalive finds out.
    void keepAlive(std::size_t index, NeighborId link)
    {
        const Membership* life = nodes[index].membership.get();
        later(std::chrono::seconds(17), [this, index, link, life] {
            const auto found = nodes[index].links.find(link);
            if (nodes[index].membership.get() != life || found == nodes[index].links.end())
                return;
            if (isThere(found->second.first, found->second.second))
                keepAlive(index, link);
            else
                act(index, ProbeLink{link});
        });
    }

    void act(std::size_t index, const CloseLink& output)
    {
        const auto link = nodes[index].links.find(output.link);
        if (link == nodes[index].links.end())
            return;
        const auto [other, there] = link->second;
        nodes[index].links.erase(link);
        giveLater(Duration{}, index, LinkDown{output.link});
        down(index, output.link);
        if (!isUp(other))
            return;
        const std::size_t to = other;
        const NeighborId remote = there;
        later(latency(index, to), [this, to, remote] {
            if (nodes[to].links.erase(remote) > 0) {
                give(to, LinkDown{remote});
                down(to, remote);
            }
        });
    }
    void act(std::size_t index, const ProbeLink& output)
    {
        const auto link = nodes[index].links.find(output.link);
        if (link != nodes[index].links.end() && !isThere(link->second.first, link->second.second))
            giveLater(std::chrono::milliseconds(1'200), index, LinkSilence{output.link, true});
    }
    void act(std::size_t index, const SendMessage& output)
    {
        const auto link = nodes[index].links.find(output.to);
        if (link == nodes[index].links.end())
            return;
        ++nodes[index].sent;
        if (const auto message = parseMembership(output.bytes))
            if (const auto* drop = std::get_if<DisconnectMessage>(&*message);
                drop && !drop->instead.empty()) {
                ++nodes[index].evictions;
                if (nodes[index].lastEviction)
                    nodes[index].shortestEviction =
                        std::min(nodes[index].shortestEviction, now - *nodes[index].lastEviction);
                nodes[index].lastEviction = now;
            }
        const auto [other, there] = link->second;
        const std::size_t to = other;
        const NeighborId remote = there;
        later(latency(index, to), [this, to, remote, bytes = output.bytes] {
            if (isThere(to, remote))
                give(to, MessageReceived{remote, bytes});
        });
    }
    void act(std::size_t index, const NeighborUp& output) { nodes[index].neighbors.insert(output.neighbor); }
    void act(std::size_t index, const NeighborDown& output) { down(index, output.neighbor); }
    void act(std::size_t index, const ContactRefused&) { ++nodes[index].refused; }
    void act(std::size_t index, const ScheduleMembership& output)
    {
        giveLater(output.delay, index, output.timer);
    }
    void down(std::size_t index, NeighborId link) { nodes[index].neighbors.erase(link); }

    std::uint64_t m_seed;
    std::priority_queue<Event> m_events;
    std::uint64_t m_number = 0, m_lastLink = 0;
};

} // namespace starling::overlay::testing
