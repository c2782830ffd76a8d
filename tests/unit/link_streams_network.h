// SPDX-License-Identifier: Apache-2.0
/// Streams between the hosts of a network (link_network.h): in order, nothing lost, a round trip to open.
#pragma once

#include "link_network.h"

namespace starling::link {

class StreamNetwork
{
public:
    explicit StreamNetwork(Network& itsNetwork, std::vector<Host*> itsHosts)
        : network(itsNetwork)
        , hosts(std::move(itsHosts))
    {
        network.onStream = [this](Host& host, const Output& output) {
            if (const auto* open = std::get_if<OpenStream>(&output))
                on(host, *open);
            else if (const auto* sent = std::get_if<SendOnStream>(&output))
                on(host, *sent);
            else if (const auto* close = std::get_if<CloseStream>(&output))
                on(host, *close);
        };
    }
    /// As whoever is at `host` does it; the other side is nobody of these hosts.
    StreamId call(Host& host, const Endpoint& from)
    {
        const StreamId stream{++m_last};
        m_open.insert({&host, stream});
        network.give(host, StreamAccepted{stream, from});
        return stream;
    }
    bool isOpen(const Host& host, StreamId stream) const { return m_open.contains({&host, stream}); }
    /// All that are open break.
    void breakAll()
    {
        for (const auto& [end, other] : std::exchange(m_ends, {}))
            network.give(*end.first, StreamClosed{end.second});
    }
    std::size_t openEnds() const { return m_ends.size(); }

    Network& network;
    std::vector<Host*> hosts;
    bool isBlocked = false; ///< no stream opens
    std::size_t opened = 0, tried = 0;
    std::vector<Endpoint> calledAt; ///< to whom streams were tried
    Duration latency = std::chrono::milliseconds(1);

private:
    using End = std::pair<Host*, StreamId>;

    void on(Host& host, const OpenStream& open)
    {
        ++tried;
        calledAt.push_back(open.to);
        const auto to = std::find_if(hosts.begin(), hosts.end(),
                                     [&](const Host* one) { return one->endpoint == open.to; });
        const End here{&host, open.stream};
        if (isBlocked || to == hosts.end()) {
            network.later(latency, [this, here] { network.give(*here.first, StreamClosed{here.second}); });
            return;
        }
        ++opened;
        const End there{*to, StreamId{++m_last}};
        m_ends[here] = there;
        m_ends[there] = here;
        Endpoint from = host.endpoint;
        from.port = static_cast<std::uint16_t>(40'000 + m_last);
        network.later(latency, [this, there, from] {
            if (m_ends.contains(there))
                network.give(*there.first, StreamAccepted{there.second, from});
        });
    }
    void on(Host& host, const SendOnStream& sent)
    {
        const auto end = m_ends.find({&host, sent.stream});
        if (end == m_ends.end())
            return;
        network.later(2 * latency, [this, there = end->second, bytes = sent.bytes] {
            if (m_ends.contains(there))
                network.give(*there.first, StreamReceived{there.second, bytes});
        });
    }
    void on(Host& host, const CloseStream& close)
    {
        m_open.erase({&host, close.stream});
        const auto end = m_ends.extract({&host, close.stream});
        if (end.empty())
            return;
        network.later(2 * latency, [this, there = end.mapped()] {
            if (m_ends.erase(there) != 0)
                network.give(*there.first, StreamClosed{there.second});
        });
    }

    std::map<End, End> m_ends; // looked up only, and broken all at once
    std::set<std::pair<const Host*, StreamId>> m_open;
    std::uint64_t m_last = 0;
};

} // namespace starling::link
