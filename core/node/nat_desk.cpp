// SPDX-License-Identifier: Apache-2.0
#include "node/nat_desk.h"

#include <algorithm>

namespace starling::node {

NatDesk::NatDesk(Services services)
    : m_services(std::move(services))
    , m_server(nat::StunServer::Config{})
{
}

void NatDesk::handle(const Endpoint& from, ByteView datagram)
{
    const nat::DatagramReceived received{nat::kMainSocket, from, datagram};
    if (const auto answer = m_server.handle(received, m_services.timers.now()))
        m_services.send(answer->to, answer->bytes);
    else if (m_discovery)
        act(m_discovery->handle(received));
}

void NatDesk::check(std::vector<Endpoint> servers, std::vector<Endpoint> locals, Done done)
{
    std::vector<Endpoint> asked;
    for (const Endpoint& server : servers)
        if (asked.size() < nat::Discovery::kMaxServers
            && std::find(asked.begin(), asked.end(), server) == asked.end())
            asked.push_back(server);
    if (asked.empty() && !m_discovery)
        return done(fail(Errc::NotFound,
                         "nobody to ask how this device is seen: no neighbour is linked, and 'stun' in [nat] "
                         "names no server"));
    m_waiting.push_back(std::move(done));
    if (m_discovery)
        return;
    ++m_generation;
    m_asked = asked;
    m_locals = locals;
    nat::Discovery::Config config;
    config.servers = std::move(asked);
    config.locals = std::move(locals);
    m_discovery = std::make_unique<nat::Discovery>(std::move(config), m_services.random);
    act(m_discovery->start());
}

void NatDesk::act(std::vector<nat::Discovery::Output> outputs)
{
    for (nat::Discovery::Output& output : outputs) {
        if (const auto* send = std::get_if<nat::SendDatagram>(&output)) {
            m_services.send(send->to, send->bytes);
        } else if (const auto* timer = std::get_if<nat::ScheduleTimer>(&output)) {
            m_services.timers.schedule(timer->delay, [this, value = timer->timer, generation = m_generation] {
                if (m_discovery && generation == m_generation)
                    act(m_discovery->handle(value));
            });
        } else if (const auto* found = std::get_if<nat::BehaviourFound>(&output)) {
            // What comes after it in the list would be of a discovery that is over.
            return finish(found->behaviour);
        }
    }
}

void NatDesk::finish(const nat::NatBehaviour& behaviour)
{
    // Not from within its own call.
    m_services.timers.schedule(Duration(0), [this, found = Found{behaviour, m_locals, m_asked}] {
        m_discovery.reset();
        for (const Done& done : std::exchange(m_waiting, {}))
            done(found);
    });
}

} // namespace starling::node
