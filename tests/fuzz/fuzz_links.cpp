// SPDX-License-Identifier: Apache-2.0
/// link::Links under a hostile network: the input is a script of datagrams, timers and messages for a node
/// with one link up. Each step is one byte of what to do, one of length, and that many bytes. Datagrams from
/// the peer's address are given the link's tokens and a right checksum if the step says so, as if the peer
/// itself were hostile. Whatever comes, messages stay within their limit, and the table within its own.
#include "base/assert.h"
#include "fuzz.h"
#include "link/frame.h"
#include "link/link.h"

#include <algorithm>

using namespace starling;
using namespace starling::link;

namespace {

constexpr std::size_t kTokensAt = 6;
constexpr std::size_t kMaxSteps = 24; // more than any seed has; long scripts of empty steps find nothing
constexpr Token kPeerToken{0x1234};

enum class Step : std::uint8_t { FromPeer, FromPeerWithTokens, FromStranger, Timer, Message, Count };

Endpoint addressOf(std::uint8_t number)
{
    return Endpoint::ipv4(127, 0, 0, 1, static_cast<std::uint16_t>(7000 + number));
}

NodeId nodeOf(std::uint8_t number)
{
    std::array<std::byte, NodeId::kSize> id{};
    id[0] = std::byte{number};
    return NodeId(id);
}

Config smallConfig()
{
    Config config;
    config.maxIncomingLinks = 4;
    config.maxMessageBytes = 600;
    config.maxQueuedBytes = 5'000;
    config.datagramBytes = 200;
    return config;
}

/// A node that wants a link to the peer, and what it said last.
class Subject
{
public:
    Subject()
    {
        give(Connect{addressOf(0)});
        give(TimerExpired{m_timer.timer});
        give(DatagramReceived{addressOf(0), serialize({m_own, kPeerToken, HelloAck{nodeOf(2)}})});
        STARLING_ASSERT(m_link != LinkId{});
    }

    void perform(Step step, Bytes bytes)
    {
        switch (step) {
        case Step::FromPeer:
            writeChecksum(bytes);
            return give(DatagramReceived{addressOf(0), bytes});
        case Step::FromPeerWithTokens:
            return give(DatagramReceived{addressOf(0), withTokens(std::move(bytes))});
        case Step::FromStranger:
            writeChecksum(bytes);
            return give(DatagramReceived{
                addressOf(bytes.empty() ? 1 : std::to_integer<std::uint8_t>(bytes.back())), bytes});
        case Step::Timer:
            m_now += m_timer.delay;
            return give(TimerExpired{m_timer.timer});
        case Step::Message:
            bytes.resize(bytes.size() * 3);
            return give(SendMessage{m_link, std::move(bytes)});
        case Step::Count:
            return;
        }
    }

private:
    Bytes withTokens(Bytes bytes) const
    {
        if (bytes.size() < kHeaderBytes)
            return bytes;
        ByteWriter tokens;
        tokens.u64(static_cast<std::uint64_t>(m_own));
        tokens.u64(static_cast<std::uint64_t>(kPeerToken));
        const Bytes both = tokens.take();
        std::copy(both.begin(), both.end(), bytes.begin() + kTokensAt);
        writeChecksum(bytes);
        return bytes;
    }

    void give(const Input& input)
    {
        for (const Output& output : m_links.handle(input, m_now)) {
            if (const auto* up = std::get_if<LinkUp>(&output))
                m_link = up->link;
            if (const auto* schedule = std::get_if<ScheduleTimer>(&output))
                m_timer = *schedule;
            if (const auto* message = std::get_if<MessageReceived>(&output))
                STARLING_ASSERT(message->message.size() <= smallConfig().maxMessageBytes);
            if (const auto* datagram = std::get_if<SendDatagram>(&output))
                examine(*datagram);
        }
        STARLING_ASSERT(m_links.links().size() <= smallConfig().maxIncomingLinks + 1);
    }

    void examine(const SendDatagram& datagram)
    {
        STARLING_ASSERT(datagram.bytes.size() <= smallConfig().datagramBytes);
        const auto frame = parse(datagram.bytes);
        STARLING_ASSERT(frame);
        if (datagram.to == addressOf(0) && !std::holds_alternative<Bye>(frame->body))
            m_own = frame->from;
    }

    SeededRandom m_random{1};
    Links m_links{nodeOf(1), smallConfig(), m_random};
    Instant m_now{};
    LinkId m_link{};
    Token m_own{};
    ScheduleTimer m_timer;
};

void addStep(Bytes& script, Step step, const Bytes& bytes)
{
    script.push_back(static_cast<std::byte>(step));
    script.push_back(static_cast<std::byte>(bytes.size()));
    append(script, bytes);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    ByteReader script(std::as_bytes(std::span(data, size)));
    Subject subject;
    for (std::size_t steps = 0; steps < kMaxSteps && !script.rest().empty(); ++steps) {
        const auto step = static_cast<Step>(script.u8() % static_cast<std::uint8_t>(Step::Count));
        const std::size_t length = std::min<std::size_t>(script.u8(), script.rest().size());
        subject.perform(step, toBytes(script.raw(length)));
    }
    return 0;
}

std::vector<Bytes> seeds()
{
    const Token any{1};
    const Bytes payload(100, std::byte{7});
    Bytes receiving;
    for (const std::uint64_t sequence : {0u, 2u, 1u, 3u, 5u, 4u})
        addStep(receiving, Step::FromPeerWithTokens,
                serialize({any, any, Data{sequence, sequence + 1, sequence == 3, sequence == 5, payload}}));
    Bytes sending;
    addStep(sending, Step::Message, payload);
    addStep(sending, Step::FromPeerWithTokens, serialize({any, any, Pong{1}}));
    addStep(sending, Step::Message, payload);
    Ack ack{1, 4, {}};
    ack.beyond[1] = ack.beyond[2] = true;
    addStep(sending, Step::FromPeerWithTokens, serialize({any, any, ack}));
    addStep(sending, Step::Timer, {});
    addStep(sending, Step::FromPeerWithTokens, serialize({any, any, Ack{4, 6, {}}}));
    addStep(sending, Step::Timer, {});
    Bytes strangers;
    for (std::uint8_t i = 1; i < 8; ++i) {
        Bytes hello = serialize({Token{}, Token{i}, Hello{nodeOf(static_cast<std::uint8_t>(i + 2))}});
        hello.push_back(std::byte{i});
        addStep(strangers, Step::FromStranger, hello);
    }
    addStep(strangers, Step::FromPeer, serialize({Token{}, Token{77}, Hello{nodeOf(2)}}));
    addStep(strangers, Step::FromPeerWithTokens, serialize({any, any, Ping{1}}));
    addStep(strangers, Step::FromPeerWithTokens, serialize({any, any, Bye{}}));
    addStep(strangers, Step::Timer, {});
    return {receiving, sending, strangers};
}
