// SPDX-License-Identifier: Apache-2.0
/// A deterministic network of real Overlays for their tests: an event queue, and links of equal latency that
/// keep order.
#pragma once

#include "overlay_mediator.h"

#include <algorithm>
#include <functional>
#include <set>

namespace starling::overlay::testing {

class Network
{
public:
    struct Node
    {
        TestMediator mediator;
        std::unique_ptr<SeededRandom> random;
        std::unique_ptr<Overlay> overlay;
        NodeId id;
        std::map<NeighborId, std::size_t> links; ///< to whom
        std::vector<NoticeTaken> taken;
        std::vector<NoticeRefused> refused;
        std::vector<ProviderFound> found;
        std::map<NodeId, std::uint64_t> receipts; ///< newest sequence that arrived, by device
        std::uint64_t receiptsArrived = 0;
        std::vector<PetitionArrived> petitions;
        std::vector<GrantArrived> grants;
        std::vector<RenewalAsked> renewalsAsked;
        std::vector<RenewalArrived> renewals;
        bool keepsReceipts = true;
    };
    struct Traffic
    {
        std::map<std::size_t, std::uint64_t> messages; ///< by index in Message
        std::uint64_t bytes = 0, all = 0;
    };

    explicit Network(std::size_t count, std::uint64_t seed = 1, const Config& config = {})
    {
        for (std::size_t i = 0; i < count; ++i) {
            auto node = std::make_unique<Node>();
            node->id = nodeId(i + 1);
            node->random = std::make_unique<SeededRandom>(seed * 1'000 + i);
            node->overlay = std::make_unique<Overlay>(node->id, config, node->mediator, *node->random);
            nodes.push_back(std::move(node));
        }
        for (std::size_t i = 0; i < count; ++i)
            perform(i, nodes[i]->overlay->start(now));
    }

    Node& operator[](std::size_t i) { return *nodes[i]; }
    std::size_t size() const { return nodes.size(); }

    /// Brings a link up; returns how `a` calls it. `b` calls it one more. With `isRestricted`, b's
    /// certificate is over in a's eyes.
    NeighborId connect(std::size_t a, std::size_t b, bool isRestricted = false)
    {
        const auto first = static_cast<NeighborId>(m_nextLink);
        const auto second = static_cast<NeighborId>(m_nextLink + 1);
        m_nextLink += 2;
        nodes[a]->links[first] = b;
        nodes[b]->links[second] = a;
        input(a, NeighborUp{first, nodes[b]->id, {}, isRestricted});
        input(b, NeighborUp{second, nodes[a]->id});
        return first;
    }
    void disconnect(std::size_t a, std::size_t b)
    {
        for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
            for (auto link = nodes[from]->links.begin(); link != nodes[from]->links.end();) {
                const auto [neighbor, other] = *link;
                link = other == to ? nodes[from]->links.erase(link) : std::next(link);
                if (other == to)
                    input(from, NeighborDown{neighbor});
            }
        }
    }
    void input(std::size_t node, const Input& what)
    {
        perform(node, nodes[node]->overlay->handle(what, now));
    }
    /// A message as if it came over a link.
    void inject(std::size_t node, NeighborId from, const Message& message)
    {
        const Bytes bytes = serialize(message);
        input(node, MessageReceived{from, bytes});
    }
    void publish(std::size_t node, const TestNotice& notice)
    {
        nodes[node]->mediator.hold(notice);
        input(node, Publish{notice.key});
    }

    void run(Duration duration)
    {
        const Instant end = now + duration;
        while (!m_events.empty() && m_events.begin()->first.first <= end) {
            const auto event = m_events.extract(m_events.begin());
            now = event.key().first;
            event.mapped()();
        }
        now = end;
    }
    bool areBoardsEqual() const
    {
        return std::all_of(nodes.begin(), nodes.end(), [this](const auto& node) {
            return node->mediator.heads() == nodes.front()->mediator.heads();
        });
    }
    std::uint64_t sent(std::size_t messageIndex) const
    {
        const auto count = traffic.messages.find(messageIndex);
        return count == traffic.messages.end() ? 0 : count->second;
    }

    std::vector<std::unique_ptr<Node>> nodes;
    Instant now;
    Duration latency = std::chrono::milliseconds(10);
    std::function<bool(std::size_t, std::size_t)> isLost = [](std::size_t, std::size_t) { return false; };
    std::function<void(std::size_t, NeighborId, const Message&)>
        onSend; ///< sees what is sent, also what gets lost
    Traffic traffic;
    std::size_t largestBurst = 0; ///< bytes for one link in one call
    crypto::Sha256 trace; ///< of all that was sent, by whom, when

private:
    void perform(std::size_t self, std::vector<Output> outputs)
    {
        std::map<NeighborId, std::size_t> burst;
        Node& node = *nodes[self];
        for (Output& output : outputs) {
            if (auto* send = std::get_if<SendMessage>(&output)) {
                burst[send->to] += send->bytes.size();
                largestBurst = std::max(largestBurst, burst[send->to]);
                deliver(self, std::move(*send));
            } else if (const auto* timer = std::get_if<ScheduleTimer>(&output)) {
                at(now + timer->delay,
                   [this, self, expired = timer->timer] { input(self, TimerExpired{expired}); });
            } else if (const auto* taken = std::get_if<NoticeTaken>(&output)) {
                node.taken.push_back(*taken);
            } else if (const auto* refused = std::get_if<NoticeRefused>(&output)) {
                node.refused.push_back(*refused);
            } else if (const auto* found = std::get_if<ProviderFound>(&output)) {
                node.found.push_back(*found);
            } else if (const auto* petition = std::get_if<PetitionArrived>(&output)) {
                node.petitions.push_back(*petition);
            } else if (const auto* asked = std::get_if<RenewalAsked>(&output)) {
                node.renewalsAsked.push_back(*asked);
            } else if (const auto* renewal = std::get_if<RenewalArrived>(&output)) {
                node.renewals.push_back(*renewal);
            } else if (const auto* grant = std::get_if<GrantArrived>(&output)) {
                node.grants.push_back(*grant);
            } else if (const auto* arrived = std::get_if<ReceiptArrived>(&output)) {
                ++node.receiptsArrived;
                auto& newest = node.receipts[arrived->device];
                newest = std::max(newest, arrived->sequence);
                if (node.keepsReceipts)
                    at(now, [this, self, kept = ReceiptKept{arrived->device, arrived->sequence}] {
                        input(self, kept);
                    });
            }
        }
    }
    void deliver(std::size_t self, SendMessage send)
    {
        ++traffic.all;
        traffic.bytes += send.bytes.size();
        if (const auto message = parse(send.bytes)) {
            ++traffic.messages[message->index()];
            if (onSend)
                onSend(self, send.to, *message);
        }
        ByteWriter line;
        line.u64(self);
        line.u64(static_cast<std::uint64_t>(now.time_since_epoch().count()));
        line.sized(send.bytes);
        trace.update(line.take());
        const auto link = nodes[self]->links.find(send.to);
        if (link == nodes[self]->links.end() || isLost(self, link->second))
            return;
        const auto arrival = static_cast<NeighborId>(static_cast<std::uint64_t>(send.to) ^ 1);
        at(now + latency, [this, to = link->second, arrival, bytes = std::move(send.bytes)] {
            if (nodes[to]->links.contains(arrival))
                input(to, MessageReceived{arrival, bytes});
        });
    }
    void at(Instant when, std::function<void()> what)
    {
        m_events.emplace(std::pair(when, m_sequence++), std::move(what));
    }

    std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> m_events;
    std::uint64_t m_sequence = 0;
    std::uint64_t m_nextLink = 2;
};

/// The index of a message type, as Network counts them.
template <class Typed> inline const std::size_t kIndexOf = Message(std::in_place_type<Typed>).index();

} // namespace starling::overlay::testing
