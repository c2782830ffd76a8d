// SPDX-License-Identifier: Apache-2.0
/// STUN at one node, on the socket of its links: answers whoever asks (RFC 8489), so that any agent tells
/// others how they are seen; and finds out how it is seen itself.
#pragma once

#include "base/random.h"
#include "nat/discovery.h"
#include "nat/stun_server.h"
#include "node/timer_queue.h"

#include <memory>

namespace starling::node {

class NatDesk
{
public:
    struct Services
    {
        TimerQueue& timers;
        RandomSource& random;
        std::function<void(const Endpoint& to, ByteView bytes)> send;
    };
    /// What was found, and who was asked.
    struct Found
    {
        nat::NatBehaviour behaviour;
        std::vector<Endpoint> locals, asked;
    };
    using Done = std::function<void(const Result<Found>&)>;

    explicit NatDesk(Services services);

    /// Whether a datagram is for handle(): links' begin with other bits (link/packet.h).
    static bool isStun(ByteView datagram) { return nat::looksLikeStun(datagram); }
    void handle(const Endpoint& from, ByteView datagram);

    /// Asks `servers`, of which the first nat::Discovery::kMaxServers count; `locals` are this node's own
    /// addresses. `done` is called from the event loop, at the latest after some seconds. Fails with NotFound
    /// if there is nobody to ask; whoever asks while another check is under way gets the same answer.
    void check(std::vector<Endpoint> servers, std::vector<Endpoint> locals, Done done);

private:
    void act(std::vector<nat::Discovery::Output> outputs);
    void finish(const nat::NatBehaviour& behaviour);

    Services m_services;
    nat::StunServer m_server;
    std::unique_ptr<nat::Discovery> m_discovery; ///< while one is under way
    std::uint64_t m_generation = 0; ///< of discoveries: timers of earlier ones are stale
    std::vector<Endpoint> m_locals, m_asked;
    std::vector<Done> m_waiting;
};

} // namespace starling::node
