// SPDX-License-Identifier: Apache-2.0
/// A deterministic network of real Overlays for their tests: an event queue, links of equal latency that keep
/// order, and a mediator that keeps a map and "verifies" by a byte in the notice.
#pragma once

#include "crypto/sha256.h"
#include "overlay/message.h"

#include <functional>
#include <set>

namespace starling::overlay::testing {

constexpr std::uint8_t kCertificateKind = 2, kReleaseKind = 3, kReceiptKind = 4;

enum class Seal : std::uint8_t { Genuine = 1, Forged = 2, NotAdmitted = 3 };

struct TestNotice
{
    NoticeKey key;
    std::uint64_t rank = 1;
    std::string body;
    Seal seal = Seal::Genuine;

    Bytes serialize() const
    {
        ByteWriter writer;
        writer.u8(static_cast<std::uint8_t>(seal));
        writer.u8(key.kind);
        writer.u64(rank);
        writer.sized(viewOf(key.name));
        writer.sized(viewOf(body));
        return writer.take();
    }
    static std::optional<TestNotice> parse(ByteView bytes)
    {
        ByteReader reader(bytes);
        TestNotice notice;
        notice.seal = static_cast<Seal>(reader.u8());
        notice.key.kind = reader.u8();
        notice.rank = reader.u64();
        notice.key.name = toText(reader.sized(kMaxNameBytes));
        notice.body = toText(reader.sized(kMaxMessageBytes));
        return reader.isGood() && reader.rest().empty() ? std::optional(notice) : std::nullopt;
    }
    Head head() const { return {key, {0, rank}, *NoticeId::fromBytes(crypto::sha256(serialize()).bytes())}; }
};

inline NodeId nodeId(std::uint64_t number)
{
    ByteWriter writer;
    writer.u64(number);
    writer.raw(Bytes(24));
    return *NodeId::fromBytes(writer.take());
}

inline InfoHash payloadId(std::uint64_t number)
{
    return *InfoHash::fromBytes(nodeId(number).bytes());
}

inline Bytes descriptorOf(const NodeId& node, std::uint64_t sequence = 1, Seal seal = Seal::Genuine)
{
    ByteWriter writer;
    writer.u8(static_cast<std::uint8_t>(seal));
    writer.raw(node.bytes());
    writer.u64(sequence);
    return writer.take();
}

class TestMediator final : public Mediator
{
public:
    /// Puts a notice on the board without a word to the overlay.
    void hold(const TestNotice& notice) { board[notice.key] = notice; }
    Opinion examine(ByteView bytes) override
    {
        ++examined;
        const auto notice = TestNotice::parse(bytes);
        if (!notice)
            return {Verdict::Refused, {}, Error{Errc::Malformed, "notice"}};
        if (notice->seal != Seal::Genuine)
            return {Verdict::Refused, {}, Error{Errc::BadSignature, notice->key.name}};
        if (notice->key.kind == kReceiptKind && !board.contains({kCertificateKind, notice->key.name}))
            return {Verdict::Refused, {}, Error{Errc::NotAdmitted, notice->key.name}};
        const auto held = board.find(notice->key);
        if (held != board.end() && held->second.rank == notice->rank && held->second.body != notice->body)
            return {Verdict::Refused, {}, Error{Errc::Equivocation, notice->key.name}};
        if (held != board.end() && held->second.rank >= notice->rank)
            return {Verdict::Known, notice->head(), {}};
        hold(*notice);
        return {Verdict::Taken, notice->head(), {}};
    }
    std::vector<Head> heads() const override
    {
        std::vector<Head> all;
        for (const auto& [key, notice] : board)
            all.push_back(notice.head());
        return all;
    }
    Bytes notice(const NoticeKey& key) const override
    {
        const auto held = board.find(key);
        return held == board.end() ? Bytes() : held->second.serialize();
    }
    Result<DescriptorInfo> examineDescriptor(ByteView descriptor) const override
    {
        ++descriptorsExamined;
        ByteReader reader(descriptor);
        const auto seal = static_cast<Seal>(reader.u8());
        const auto node = NodeId::fromBytes(reader.raw(32));
        const std::uint64_t sequence = reader.u64();
        if (!reader.isGood())
            return fail(Errc::Truncated, "descriptor");
        if (seal != Seal::Genuine)
            return fail(seal == Seal::NotAdmitted ? Errc::NotAdmitted : Errc::BadSignature, "descriptor");
        return DescriptorInfo{*node, sequence};
    }

    std::map<NoticeKey, TestNotice> board;
    std::uint64_t examined = 0;
    mutable std::uint64_t descriptorsExamined = 0;
};

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

    /// Brings a link up; returns how `a` calls it. `b` calls it one more.
    NeighborId connect(std::size_t a, std::size_t b)
    {
        const auto first = static_cast<NeighborId>(m_nextLink);
        const auto second = static_cast<NeighborId>(m_nextLink + 1);
        m_nextLink += 2;
        nodes[a]->links[first] = b;
        nodes[b]->links[second] = a;
        input(a, NeighborUp{first, nodes[b]->id});
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
            }
        }
    }
    void deliver(std::size_t self, SendMessage send)
    {
        ++traffic.all;
        traffic.bytes += send.bytes.size();
        if (const auto message = parse(send.bytes))
            ++traffic.messages[message->index()];
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
template <class Typed> constexpr std::size_t kIndexOf = Message(std::in_place_type<Typed>).index();

} // namespace starling::overlay::testing
