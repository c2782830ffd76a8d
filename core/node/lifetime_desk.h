// SPDX-License-Identifier: Apache-2.0
/// Measures how long the NAT or firewall before this device keeps a binding (nat/lifetime_probe.h), once for
/// each address at which the device is seen: with two sockets of its own, which nothing else keeps open. It
/// takes up to a quarter of an hour, so nobody waits for it.
#pragma once

#include "nat/lifetime_probe.h"
#include "nat/lifetime_state.h"
#include "node/link_socket.h"
#include "node/timer_queue.h"

#include <array>
#include <memory>

namespace starling::node {

class LifetimeDesk
{
public:
    struct Services
    {
        TimerQueue& timers;
        RandomSource& random;
        std::function<void(const nat::LifetimeState&)> changed = {}; ///< not from within measure()
    };
    /// `pace` is how it measures; its server is not looked at.
    explicit LifetimeDesk(Services services, nat::LifetimeProbe::Config pace = {});

    /// Begins, unless it has for a device that is `seen` at this address, or is about to. `listen` is the
    /// address of the device's links; the sockets are there, at other ports.
    void measure(const Endpoint& server, const Endpoint& seen, const Endpoint& listen);
    /// The same, for what nobody has asked for: not again if it has failed often for this address.
    void watch(const Endpoint& server, const Endpoint& seen, const Endpoint& listen);
    const nat::LifetimeState& state() const { return m_state; }

private:
    Status open(Endpoint listen);
    void become(nat::LifetimeState state);
    void act(const std::vector<nat::LifetimeProbe::Output>& outputs);
    void end(const Result<nat::BindingLifetime>& found);

    Services m_services;
    nat::LifetimeProbe::Config m_pace;
    std::array<std::unique_ptr<LinkSocket>, 2> m_sockets; ///< while it measures, as the probe numbers them
    std::unique_ptr<nat::LifetimeProbe> m_probe; ///< likewise
    std::uint64_t m_generation = 0; ///< of measurements: timers of earlier ones are stale
    Endpoint m_seen; ///< whose port does not matter
    unsigned m_failures = 0; ///< for it, in a row
    nat::LifetimeState m_state;
};

} // namespace starling::node
