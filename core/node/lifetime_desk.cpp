// SPDX-License-Identifier: Apache-2.0
#include "node/lifetime_desk.h"

namespace starling::node {

namespace {

/// For one address. Guess: servers that do not know RESPONSE-PORT, or are behind NATs themselves.
constexpr unsigned kMaxFailures = 5;

} // namespace

LifetimeDesk::LifetimeDesk(Services services, nat::LifetimeProbe::Config pace)
    : m_services(services)
    , m_pace(std::move(pace))
{
}

void LifetimeDesk::measure(const Endpoint& server, const Endpoint& seen, const Endpoint& listen)
{
    using Kind = nat::LifetimeState::Kind;
    const bool isElsewhere = seen.address != m_seen.address;
    if (!isElsewhere && (m_state.kind == Kind::Measuring || m_state.kind == Kind::Measured))
        return;
    m_seen = seen;
    m_failures = isElsewhere ? 0 : m_failures;
    become({Kind::Measuring, {}, {}});
    ++m_generation;
    if (auto opened = open(listen); !opened)
        return end(tl::unexpected<Error>(opened.error()));
    nat::LifetimeProbe::Config config = m_pace;
    config.server = server;
    m_probe = std::make_unique<nat::LifetimeProbe>(config, m_services.random);
    act(m_probe->start());
}

void LifetimeDesk::watch(const Endpoint& server, const Endpoint& seen, const Endpoint& listen)
{
    if (seen.address != m_seen.address || m_failures < kMaxFailures)
        measure(server, seen, listen);
}

void LifetimeDesk::become(nat::LifetimeState state)
{
    m_state = std::move(state);
    m_services.timers.schedule(Duration(0), [this] {
        if (m_services.changed)
            m_services.changed(m_state);
    });
}

Status LifetimeDesk::open(Endpoint listen)
{
    listen.port = 0; // the system chooses
    for (std::size_t i = 0; i < m_sockets.size(); ++i) {
        m_sockets[i] = std::make_unique<LinkSocket>([this, i](const Endpoint& from, ByteView datagram) {
            if (m_probe)
                act(m_probe->handle(nat::DatagramReceived{static_cast<nat::Socket>(i), from, datagram}));
        });
        if (auto bound = m_sockets[i]->bind(listen); !bound)
            return bound;
    }
    return {};
}

void LifetimeDesk::act(const std::vector<nat::LifetimeProbe::Output>& outputs)
{
    const auto later = [this](Duration delay, const auto& timer) {
        m_services.timers.schedule(delay, [this, timer, generation = m_generation] {
            if (m_probe && generation == m_generation)
                act(m_probe->handle(timer));
        });
    };
    for (const nat::LifetimeProbe::Output& output : outputs)
        if (const auto* send = std::get_if<nat::SendDatagram>(&output))
            m_sockets[static_cast<std::size_t>(send->by)]->send(send->to, send->bytes);
        else if (const auto* timer = std::get_if<nat::ScheduleTimer>(&output))
            later(timer->delay, timer->timer);
        else if (const auto* silence = std::get_if<nat::ScheduleSilence>(&output))
            later(silence->delay, silence->timer);
        else if (const auto* found = std::get_if<nat::LifetimeFound>(&output))
            end(found->lifetime);
}

void LifetimeDesk::end(const Result<nat::BindingLifetime>& found)
{
    using Kind = nat::LifetimeState::Kind;
    m_failures = found ? 0 : m_failures + 1;
    become(found ? nat::LifetimeState{Kind::Measured, *found, {}}
                 : nat::LifetimeState{Kind::Failed, {}, starling::toString(found.error())});
    ++m_generation;
    // Not from within their own calls.
    m_services.timers.schedule(Duration(0), [this] {
        if (m_state.kind == Kind::Measuring)
            return; // another one has begun
        m_probe.reset();
        m_sockets = {};
    });
}

} // namespace starling::node
