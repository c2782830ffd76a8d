// SPDX-License-Identifier: Apache-2.0
/// A network for link tests: hosts with real Links, virtual time, and seeded faults. The same seed gives the
/// same trace.
#pragma once

#include "link/link.h"
#include "plain_authenticator.h"

#include <functional>
#include <map>
#include <memory>
#include <set>

namespace starling::link {

/// What happens to datagrams on their way. Percentages are of all datagrams.
struct Faults
{
    unsigned lossPercent = 0;
    unsigned duplicatePercent = 0;
    unsigned corruptPercent = 0;
    Duration latency = std::chrono::milliseconds(1);
    Duration jitter{}; ///< at most this on top of the latency, so that datagrams overtake each other
};

struct Host
{
    Endpoint endpoint;
    NodeId node;
    Config config;
    std::unique_ptr<PlainAuthenticator> authenticator;
    std::unique_ptr<SeededRandom> random;
    std::unique_ptr<Links> links;
    std::set<Endpoint> formerEndpoints; ///< at which it still receives
    bool isCutOff = false; ///< nothing reaches it, and nothing leaves it
    std::set<LinkId> up;
    std::vector<LinkUp> ups;
    std::vector<LinkDown> downs;
    std::vector<LinkMoved> moves;
    std::vector<LinkRefused> refusals;
    std::vector<LinkFailed> failures;
    std::vector<bool> silences;
    std::vector<Bytes> messages, unreliable;
    std::vector<Endpoint> sightings; ///< where others say that it is
    std::uint64_t wakeUps = 0, schedules = 0, bytesSent = 0, datagramsSent = 0;
};

class Network
{
public:
    explicit Network(std::uint64_t seed, Faults faults = {})
        : m_random(seed)
        , m_faults(faults)
    {
    }

    Host& add(Config config = {})
    {
        auto host = std::make_unique<Host>();
        const auto number = static_cast<std::uint16_t>(m_hosts.size() + 1);
        host->endpoint = Endpoint::ipv4(127, 0, 0, 1, static_cast<std::uint16_t>(7000 + number));
        std::array<std::byte, NodeId::kSize> id{};
        id[0] = static_cast<std::byte>(number);
        host->node = NodeId(id);
        host->config = config;
        host->authenticator = std::make_unique<PlainAuthenticator>(host->node, number);
        m_hosts.push_back(std::move(host));
        restart(*m_hosts.back());
        return *m_hosts.back();
    }

    /// A fresh process at the same address: it remembers nothing, and says nothing about its end.
    void restart(Host& host)
    {
        host.links.reset();
        host.up.clear();
        std::erase_if(m_timers, [&](const auto& timer) {
            if (timer.first.first != &host)
                return false;
            m_events.erase(timer.second);
            return true;
        });
        host.random = std::make_unique<SeededRandom>(m_random.u64());
        host.links = std::make_unique<Links>(host.node, host.config, *host.authenticator, *host.random);
    }

    void give(Host& host, const Input& input)
    {
        for (const Output& output : host.links->handle(input, m_now))
            std::visit([&](const auto& what) { perform(host, what); }, output);
    }
    void connect(Host& host, const Host& to) { give(host, Connect{to.endpoint}); }
    void send(Host& host, Bytes message) { give(host, SendMessage{theLink(host), std::move(message)}); }
    void inject(Host& to, const Endpoint& from, const Bytes& bytes)
    {
        give(to, DatagramReceived{from, bytes});
    }
    /// The same after a while, and not from within what the other side is just doing.
    void injectLater(Duration delay, Host& to, const Endpoint& from, const Bytes& bytes)
    {
        at(delay, [this, &to, from, bytes] { inject(to, from, bytes); });
    }
    /// The only link that is up; 0 if there are none or several.
    static LinkId theLink(const Host& host) { return host.up.size() == 1 ? *host.up.begin() : LinkId{}; }

    void run(Duration duration)
    {
        runUntil([] { return false; }, duration);
    }
    /// Whether `isDone` came true within `limit` of virtual time.
    bool runUntil(const std::function<bool()>& isDone, Duration limit)
    {
        const Instant end = m_now + limit;
        while (!isDone()) {
            if (m_events.empty() || m_events.begin()->first.first > end) {
                m_now = end;
                return false;
            }
            const auto event = m_events.extract(m_events.begin());
            m_now = event.key().first;
            event.mapped()();
        }
        return true;
    }

    void later(Duration delay, std::function<void()> event) { at(delay, std::move(event)); }
    Instant now() const { return m_now; }
    std::uint64_t trace() const { return m_trace; }
    std::function<void(const Host&, const SendDatagram&)> onSend; ///< sees every datagram, before any fault
    std::function<bool(const SendDatagram&)> isLost; ///< says which are lost, beside the random ones
    /// A NAT: where a datagram seems to come from, and to whom one goes that comes from there; they see each.
    std::function<Endpoint(const Host& from, const Endpoint& to)> outward;
    std::function<Endpoint(const Endpoint& from, const Endpoint& to)> inward;
    std::function<void(Host&, const Output&)> onStream; ///< what hosts say of streams; otherwise nothing is

private:
    using EventKey = std::pair<Instant, std::uint64_t>;

    EventKey at(Duration delay, std::function<void()> event)
    {
        const EventKey key{m_now + delay, ++m_sequence};
        m_events.emplace(key, std::move(event));
        return key;
    }
    void note(std::uint64_t value) { m_trace = (m_trace ^ value) * 0x100000001b3; }
    bool chance(unsigned percent) { return m_random.below(100) < percent; }

    void perform(Host& host, const SendDatagram& datagram)
    {
        if (onSend)
            onSend(host, datagram);
        host.bytesSent += datagram.bytes.size();
        ++host.datagramsSent;
        note(static_cast<std::uint64_t>(m_now.time_since_epoch().count()));
        for (const std::byte b : datagram.bytes)
            note(std::to_integer<std::uint64_t>(b));
        if (host.isCutOff || (isLost && isLost(datagram)))
            return;
        if (!chance(m_faults.lossPercent))
            carry(host, datagram);
        if (chance(m_faults.duplicatePercent))
            carry(host, datagram);
    }
    void carry(const Host& from, SendDatagram datagram)
    {
        if (chance(m_faults.corruptPercent))
            datagram.bytes[m_random.below(datagram.bytes.size())] ^=
                static_cast<std::byte>(1 + m_random.below(255));
        const Duration jitter(static_cast<Duration::rep>(
            m_random.below(static_cast<std::uint64_t>(m_faults.jitter.count()) + 1)));
        const Endpoint source = outward ? outward(from, datagram.to) : from.endpoint;
        at(m_faults.latency + jitter, [this, source, datagram = std::move(datagram)] {
            const Endpoint to = inward ? inward(source, datagram.to) : datagram.to;
            for (const auto& host : m_hosts)
                if ((host->endpoint == to || host->formerEndpoints.contains(to)) && !host->isCutOff)
                    give(*host, DatagramReceived{source, datagram.bytes});
        });
    }
    void perform(Host& host, const ScheduleTimer& schedule)
    {
        ++host.schedules;
        const auto key = std::make_pair(&host, schedule.timer.link);
        if (const auto earlier = m_timers.find(key); earlier != m_timers.end())
            m_events.erase(earlier->second);
        m_timers[key] = at(schedule.delay, [this, &host, key, timer = schedule.timer] {
            m_timers.erase(key);
            ++host.wakeUps;
            give(host, TimerExpired{timer});
        });
    }
    void perform(Host& host, const LinkUp& up)
    {
        note(static_cast<std::uint64_t>(up.link));
        host.up.insert(up.link);
        host.ups.push_back(up);
    }
    void perform(Host& host, const LinkRefused& refused)
    {
        note(static_cast<std::uint64_t>(refused.error.code));
        host.refusals.push_back(refused);
    }
    void perform(Host& host, const LinkSilence& silence) { host.silences.push_back(silence.isSilent); }
    void perform(Host& host, const LinkFailed& failed)
    {
        note(failed.endpoint.port);
        host.failures.push_back(failed);
    }
    void perform(Host& host, const LinkMoved& moved)
    {
        note(moved.endpoint.port);
        host.moves.push_back(moved);
    }
    void perform(Host& host, const LinkDown& down)
    {
        note(static_cast<std::uint64_t>(down.reason));
        host.up.erase(down.link);
        host.downs.push_back(down);
    }
    void perform(Host& host, const MessageReceived& message)
    {
        note(message.message.size());
        host.messages.push_back(message.message);
    }
    void perform(Host& host, const AddressSeen& seen) { host.sightings.push_back(seen.endpoint); }
    void perform(Host& host, const OpenStream& open) { tell(host, open); }
    void perform(Host& host, const SendOnStream& sent) { tell(host, sent); }
    void perform(Host& host, const CloseStream& close) { tell(host, close); }
    void tell(Host& host, const Output& output)
    {
        if (onStream)
            onStream(host, output);
    }
    void perform(Host& host, const UnreliableReceived& received)
    {
        note(received.bytes.size());
        host.unreliable.push_back(received.bytes);
    }

    SeededRandom m_random;
    Faults m_faults;
    Instant m_now{};
    std::uint64_t m_sequence = 0;
    std::uint64_t m_trace = 0xcbf29ce484222325;
    std::map<EventKey, std::function<void()>> m_events;
    std::map<std::pair<Host*, LinkId>, EventKey>
        m_timers; // looked up only: the order of pointers reaches nothing
    std::vector<std::unique_ptr<Host>> m_hosts;
};

} // namespace starling::link
