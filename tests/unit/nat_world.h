// SPDX-License-Identifier: Apache-2.0
/// A NAT of any behaviour and STUN servers beyond it, in virtual time, around a machine of core/nat. Delivery
/// takes 10 ms each way.
#pragma once

#include "nat/behaviour.h"
#include "nat/lifetime_probe.h"
#include "nat/stun_server.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace starling::nat::test {

inline Endpoint at(Endpoint endpoint, std::uint16_t port)
{
    endpoint.port = port;
    return endpoint;
}

inline const Endpoint kInside = Endpoint::ipv4(10, 0, 0, 2, 7891);
inline const Endpoint kOutside = Endpoint::ipv4(203, 0, 113, 9, 0);

/// Mapping::None is a firewall.
struct NatModel
{
    Mapping mapping = Mapping::EndpointIndependent;
    Filtering filtering = Filtering::AddressAndPortDependent;
    bool keepsPort = true;
    std::uint16_t step = 1; ///< from one port to the next; 0: they are scattered
    Duration lifetime = std::chrono::hours(1);

    std::optional<Endpoint> outward(const Endpoint& from, const Endpoint& to, Instant now)
    {
        const bool dependsOnAddress =
            mapping == Mapping::AddressDependent || mapping == Mapping::AddressAndPortDependent;
        const Key key{from, dependsOnAddress ? at(to, 0) : Endpoint{},
                      mapping == Mapping::AddressAndPortDependent ? to.port : std::uint16_t(0)};
        auto& binding = m_bindings[key];
        if (binding.outside.port == 0 || now - binding.used > lifetime) {
            binding = {mapping == Mapping::None
                           ? from
                           : at(kOutside, keepsPort && !dependsOnAddress ? from.port : nextPort()),
                       now,
                       {}};
        }
        binding.used = now;
        binding.contacted.insert(to);
        return binding.outside;
    }
    std::optional<Endpoint> inward(const Endpoint& from, const Endpoint& to, Instant now)
    {
        for (auto& [key, binding] : m_bindings) {
            if (binding.outside != to || now - binding.used > lifetime || !passes(binding, from))
                continue;
            binding.used = now;
            return std::get<0>(key);
        }
        return std::nullopt;
    }

private:
    std::uint16_t nextPort()
    {
        constexpr std::uint16_t kScatter = 7'919;
        m_lastPort = static_cast<std::uint16_t>(m_lastPort + (step == 0 ? kScatter : step));
        return m_lastPort;
    }
    using Key = std::tuple<Endpoint, Endpoint, std::uint16_t>;
    struct Binding
    {
        Endpoint outside;
        Instant used;
        std::set<Endpoint> contacted;
    };
    bool passes(const Binding& binding, const Endpoint& from) const
    {
        if (filtering == Filtering::EndpointIndependent)
            return true;
        if (filtering == Filtering::AddressAndPortDependent)
            return binding.contacted.contains(from);
        return std::any_of(binding.contacted.begin(), binding.contacted.end(),
                           [&](const Endpoint& to) { return to.address == from.address; });
    }
    std::map<Key, Binding> m_bindings;
    std::uint16_t m_lastPort = 20'000;
};

/// `Machine` is Discovery or LifetimeProbe; its sockets are at kInside and the ports after it.
template <class Machine, class Found> class World
{
public:
    NatModel nat;
    bool losesAll = false;
    std::function<void(StunMessage&)> lie; ///< changes what the servers in `liars` say
    std::set<Endpoint> liars;
    Instant now{std::chrono::hours(1)};
    unsigned sent = 0; ///< datagrams of the machine

    void addServer(const Endpoint& primary, std::optional<Endpoint> alternate = {})
    {
        StunServer::Config config;
        config.primary = primary;
        config.alternate = alternate;
        m_servers.push_back(StunServer(config));
        const std::size_t index = m_servers.size() - 1;
        m_places[primary] = {index, Socket{0}};
        if (!alternate)
            return;
        m_places[at(primary, alternate->port)] = {index, Socket{1}};
        m_places[at(*alternate, primary.port)] = {index, Socket{2}};
        m_places[*alternate] = {index, Socket{3}};
    }

    /// Until the machine has found what it wanted; nothing if it never does.
    std::optional<Found> run(Machine& machine)
    {
        perform(machine.start());
        while (!m_found && !m_events.empty()) {
            const auto next = m_events.begin();
            now = next->first;
            const auto event = std::move(next->second);
            m_events.erase(next);
            event(machine);
        }
        return m_found;
    }

private:
    using Event = std::function<void(Machine&)>;
    static constexpr Duration kWay = std::chrono::milliseconds(10);

    template <class Outputs> void perform(const Outputs& outputs)
    {
        for (const auto& output : outputs)
            std::visit([this](const auto& one) { this->take(one); }, output);
    }
    void take(const Found& found) { m_found = found; }
    void take(const ScheduleTimer& timer)
    {
        m_events.emplace(now + timer.delay,
                         [this, timer = timer.timer](Machine& machine) { perform(machine.handle(timer)); });
    }
    void take(const ScheduleSilence& silence)
    {
        if constexpr (requires(Machine & machine) { machine.handle(SilenceTimer{}); })
            m_events.emplace(now + silence.delay, [this, timer = silence.timer](Machine& machine) {
                perform(machine.handle(timer));
            });
    }
    void take(const SendDatagram& datagram)
    {
        ++sent;
        const auto port = static_cast<std::uint16_t>(kInside.port + static_cast<int>(datagram.by));
        const auto from = nat.outward(at(kInside, port), datagram.to, now);
        const auto place = m_places.find(datagram.to);
        if (losesAll || !from || place == m_places.end())
            return;
        auto& [index, socket] = place->second;
        auto answer = m_servers[index].handle({socket, *from, datagram.bytes}, now);
        if (!answer)
            return;
        const Endpoint by = placeOf(index, answer->by);
        if (liars.contains(datagram.to)) {
            StunMessage message = *parseStun(answer->bytes);
            lie(message);
            answer->bytes = serialize(message);
        }
        m_events.emplace(now + 2 * kWay, [this, by, answer = *answer](Machine& machine) {
            const auto to = nat.inward(by, answer.to, now);
            if (to)
                perform(machine.handle(
                    DatagramReceived{static_cast<Socket>(to->port - kInside.port), by, answer.bytes}));
        });
    }
    Endpoint placeOf(std::size_t index, Socket socket) const
    {
        for (const auto& [endpoint, place] : m_places)
            if (place == std::pair(index, socket))
                return endpoint;
        return {};
    }

    std::vector<StunServer> m_servers;
    std::map<Endpoint, std::pair<std::size_t, Socket>> m_places;
    std::multimap<Instant, Event> m_events;
    std::optional<Found> m_found;
};

} // namespace starling::nat::test
