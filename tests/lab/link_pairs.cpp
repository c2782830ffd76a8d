// SPDX-License-Identifier: Apache-2.0
#include "link_pairs.h"

#include "link/link.h"
#include "nat/sightings.h"
#include "pair_streams.h"
#include "plain_authenticator.h"
#include "stun_driver.h"

#include <algorithm>
#include <map>
#include <poll.h>
#include <set>
#include <utility>

namespace starling::lab {

using namespace std::chrono_literals;

namespace {

constexpr Duration kPrepareLimit = 20s;
constexpr Duration kLinkLimit = 10s;
/// Longer than a first round of challenges (link/punch.h), which shows that there is no better way; most of
/// it for busy machines.
constexpr Duration kSettleTime = 8s;
constexpr unsigned kTries = 2; // as overlay::MembershipConfig

Instant clockNow()
{
    return Instant(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

double millisecondsOf(Duration duration)
{
    return std::chrono::duration<double, std::milli>(duration).count();
}

link::Config withStreams()
{
    link::Config config;
    config.streams = true;
    return config;
}

/// A node: links on one socket, and on TCP connections.
class PairNode
{
public:
    PairNode(UdpSocket socket, std::unique_ptr<PairStreams> streams, unsigned number, std::uint64_t seed)
        : m_socket(std::move(socket))
        , m_streams(std::move(streams))
        , m_node(idOf(number))
        , m_authenticator(m_node, seed)
        , m_random(seed)
        , m_links(m_node, withStreams(), m_authenticator, m_random)
    {
    }

    const NodeId& node() const { return m_node; }
    void poll(std::vector<pollfd>& polled) const
    {
        polled.push_back({m_socket.descriptor(), POLLIN, 0});
        m_streams->poll(polled);
    }
    Endpoint local() const { return m_socket.local(); }
    const link::Links& links() const { return m_links; }
    std::size_t received() const { return m_received; }
    bool isTold() const { return m_told.size() >= 2; } ///< where two others see it
    std::vector<Endpoint> candidates() const
    {
        const std::vector<Endpoint> locals{local()};
        std::vector<Endpoint> all = m_sightings.mapped(locals);
        all.push_back(local());
        return all;
    }
    std::optional<link::LinkInfo> linkTo(const NodeId& node) const
    {
        std::optional<link::LinkInfo> best;
        for (const link::LinkInfo& info : m_links.links())
            if (info.isUp && info.node == node && (!best || info.kind < best->kind))
                best = info;
        return best;
    }

    void give(const link::Input& input)
    {
        for (const link::Output& output : m_links.handle(input, clockNow())) {
            m_streams->take(output);
            if (const auto* send = std::get_if<link::SendDatagram>(&output))
                m_socket.send(send->to, send->bytes);
            else if (const auto* timer = std::get_if<link::ScheduleTimer>(&output))
                m_timers[timer->timer.link] = {clockNow() + timer->delay, timer->timer};
            else if (const auto* seen = std::get_if<link::AddressSeen>(&output))
                sighted(*seen);
            else if (std::holds_alternative<link::MessageReceived>(output))
                ++m_received;
        }
    }
    void receive()
    {
        while (const auto datagram = m_socket.receive())
            give(link::DatagramReceived{datagram->first, datagram->second});
        m_streams->work([this](const link::Input& input) { give(input); });
    }
    void expire()
    {
        for (auto timer = m_timers.begin(); timer != m_timers.end();) {
            if (timer->second.first > clockNow()) {
                ++timer;
                continue;
            }
            const link::Timer due = timer->second.second;
            m_timers.erase(timer);
            give(link::TimerExpired{due});
            timer = m_timers.begin();
        }
    }
    Instant nextTimer() const
    {
        Instant next = clockNow() + 1s;
        for (const auto& [link, timer] : m_timers)
            next = std::min(next, timer.first);
        return next;
    }

private:
    static NodeId idOf(unsigned number)
    {
        std::array<std::byte, NodeId::kSize> id{};
        id[1] = static_cast<std::byte>(number >> 8);
        id[0] = static_cast<std::byte>(number);
        return NodeId(id);
    }
    void sighted(const link::AddressSeen& seen)
    {
        m_told.insert(seen.link);
        m_sightings.note(nat::Sightings::Source{static_cast<std::uint64_t>(seen.link)}, seen.endpoint);
        m_pendingCandidates = true;
        tell();
    }
    void tell()
    {
        if (std::exchange(m_pendingCandidates, false))
            give(link::SetCandidates{candidates(), m_sightings.forecast()});
    }

    UdpSocket m_socket;
    std::unique_ptr<PairStreams> m_streams;
    NodeId m_node;
    link::PlainAuthenticator m_authenticator;
    SeededRandom m_random;
    link::Links m_links;
    nat::Sightings m_sightings;
    std::map<link::LinkId, std::pair<Instant, link::Timer>> m_timers;
    std::size_t m_received = 0;
    std::set<link::LinkId> m_told; ///< that said where they see this node
    bool m_pendingCandidates = false;
};

/// The three of one play, and what makes them go on.
class Nodes
{
public:
    Result<std::size_t> add(const Internet::Host& host, const Endpoint& address, unsigned number)
    {
        std::optional<UdpSocket> socket;
        const auto opened = host.network->inside([&]() -> Status {
            auto bound = UdpSocket::bind(address);
            if (!bound)
                return tl::unexpected<Error>(bound.error());
            socket.emplace(std::move(*bound));
            return {};
        });
        if (!opened)
            return tl::unexpected<Error>(opened.error());
        auto streams = PairStreams::listen(*host.network, socket->local());
        if (!streams)
            return tl::unexpected<Error>(streams.error());
        m_nodes.push_back(
            std::make_unique<PairNode>(std::move(*socket), std::move(*streams), number, number));
        return m_nodes.size() - 1;
    }
    PairNode& operator[](std::size_t index) { return *m_nodes[index]; }

    bool runUntil(const std::function<bool()>& isDone, Duration limit)
    {
        const Instant end = clockNow() + limit;
        while (!isDone()) {
            if (clockNow() >= end)
                return false;
            step(end);
        }
        return true;
    }

private:
    void step(Instant end)
    {
        std::vector<pollfd> polled;
        for (const auto& node : m_nodes) {
            node->poll(polled);
            end = std::min(end, node->nextTimer());
        }
        const auto wait =
            std::chrono::ceil<std::chrono::milliseconds>(std::max(end - clockNow(), Duration(0)));
        ::poll(polled.data(), polled.size(), static_cast<int>(wait.count()));
        for (const auto& node : m_nodes) {
            node->receive();
            node->expire();
        }
    }

    std::vector<std::unique_ptr<PairNode>> m_nodes;
};

} // namespace

Result<PairOutcome> LinkPairs::play(const Pair& pair)
{
    const auto hosts = m_networks.add(pair);
    if (!hosts)
        return tl::unexpected<Error>(hosts.error());
    Nodes nodes;
    unsigned id = 0;
    const std::array<std::pair<const Internet::Host*, std::size_t>, 4> places{
        {{hosts->middle, 0}, {hosts->middle, 1}, {&hosts->from, 0}, {&hosts->to, 0}}};
    for (const auto& [host, address] : places)
        if (const auto added = nodes.add(*host, host->addresses[address], ++id); !added)
            return tl::unexpected<Error>(added.error());
    PairNode& middle = nodes[0];
    PairNode& other = nodes[1];
    PairNode& left = nodes[2];
    PairNode& right = nodes[3];
    for (PairNode* node : {&left, &right}) {
        node->give(link::SetCandidates{node->candidates()});
        for (const PairNode* open : {&middle, &other})
            node->give(link::Connect{open->local()});
    }
    // Over TCP nobody is told where it is seen.
    const auto isReady = [&](const PairNode& node) {
        const auto one = node.linkTo(middle.node()), two = node.linkTo(other.node());
        return one && two && (node.isTold() || one->kind == link::LinkInfo::Kind::Tcp);
    };
    if (!nodes.runUntil([&] { return isReady(left) && isReady(right); }, kPrepareLimit))
        return fail(Errc::Timeout, nameOf(pair) + ": no link to the node in the middle");

    PairOutcome outcome;
    const Instant begun = clockNow();
    for (const Endpoint& endpoint : right.candidates())
        left.give(link::Connect{endpoint, kTries, right.node()});
    const auto isUp = [&] { return left.linkTo(right.node()) && right.linkTo(left.node()); };
    if (!nodes.runUntil(isUp, kLinkLimit))
        return fail(Errc::Timeout, nameOf(pair) + ": no link");
    outcome.linkMs = outcome.settledMs = millisecondsOf(clockNow() - begun);
    outcome.first = nameOf(left.linkTo(right.node())->kind);
    const auto isBetter = [&] {
        const auto there = left.linkTo(right.node()), here = right.linkTo(left.node());
        return there && here && there->kind != link::LinkInfo::Kind::Relayed
            && here->kind != link::LinkInfo::Kind::Relayed;
    };
    const auto hasGivenUp = [&] {
        const auto there = left.linkTo(right.node()), here = right.linkTo(left.node());
        return there && here && there->punches > 0 && here->punches > 0;
    };
    if (nodes.runUntil([&] { return isBetter() || hasGivenUp(); }, kSettleTime) && isBetter())
        outcome.settledMs = millisecondsOf(clockNow() - begun);
    const auto there = left.linkTo(right.node()), here = right.linkTo(left.node());
    if (!there || !here)
        return fail(Errc::Unreachable, nameOf(pair) + ": the link has gone down");
    outcome.kind = nameOf(std::max(there->kind, here->kind));
    outcome.isInside = there->endpoint == right.local() && here->endpoint == left.local();
    left.give(link::SendMessage{there->link, Bytes(20'000)});
    right.give(link::SendMessage{here->link, Bytes(20'000)});
    outcome.carriesMessages =
        nodes.runUntil([&] { return left.received() == 1 && right.received() == 1; }, kLinkLimit);
    outcome.relayedBytes = middle.links().carriedBytes() + other.links().carriedBytes();
    return outcome;
}

} // namespace starling::lab
