// SPDX-License-Identifier: Apache-2.0
/// link::Links under a hostile network: the input is a script of datagrams, timers and messages for a node
/// with one link up, which may come on streams as well. Each step is one byte of what to do, one of length,
/// and that many bytes. As the peer is hostile, too, bytes may come as a frame, sealed with the link's keys.
/// Whatever comes, messages stay within their limit, and the table within its own.
#include "fuzz.h"
#include "link_peer.h"

#include <algorithm>

using namespace starling;
using namespace starling::link;
using fuzz::addressOf;
using fuzz::Peer;

namespace {

constexpr std::size_t kMaxSteps = 24; // more than any seed has; long scripts of empty steps find nothing

enum class Step : std::uint8_t {
    FromPeer,
    FrameFromPeer,
    FromStranger,
    HelloFromStranger,
    Timer,
    Message,
    Connect,
    FrameFromElsewhere,
    AddressChanged,
    Unreliable,
    Stream,
    FrameOnStream,
    StreamClosed,
    Count
};

void perform(Peer& peer, Step step, Bytes bytes)
{
    const std::uint8_t last = bytes.empty() ? 3 : std::to_integer<std::uint8_t>(bytes.back());
    switch (step) {
    case Step::FromPeer:
        return peer.receive(bytes);
    case Step::FrameFromPeer:
        return peer.say(bytes);
    case Step::FromStranger:
        return peer.give(DatagramReceived{addressOf(last), bytes});
    case Step::HelloFromStranger: {
        Bytes message = bytes;
        message.resize(32);
        append(message, helloPayload(Token{last}));
        const Bytes hello = PacketCodec{FleetId()}.serialize(Hello{{}, message});
        return peer.give(DatagramReceived{addressOf(last), hello});
    }
    case Step::Timer:
        return peer.expireTimer();
    case Step::Message:
        bytes.resize(bytes.size() * 3);
        return peer.give(SendMessage{peer.link(), std::move(bytes)});
    case Step::Connect:
        return peer.give(Connect{addressOf(2)});
    case Step::FrameFromElsewhere:
        return peer.say(bytes, addressOf(last));
    case Step::AddressChanged:
        return peer.give(AddressChanged{});
    case Step::Unreliable:
        return peer.give(SendUnreliable{peer.link(), bytes});
    case Step::Stream:
        peer.give(StreamAccepted{StreamId{last}, addressOf(last)});
        return peer.give(StreamReceived{StreamId{last}, bytes});
    case Step::FrameOnStream:
        peer.give(StreamAccepted{StreamId{last}, addressOf(last)});
        return peer.sayOn(StreamId{last}, bytes);
    case Step::StreamClosed:
        return peer.give(link::StreamClosed{StreamId{last}});
    case Step::Count:
        return;
    }
}

Bytes bytesOf(const Frame& frame)
{
    ByteWriter writer;
    write(writer, frame);
    return writer.take();
}

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
    Peer peer;
    peer.connect(Peer::certificate());
    STARLING_ASSERT(peer.isUp());
    for (std::size_t steps = 0; steps < kMaxSteps && !script.rest().empty(); ++steps) {
        const auto step = static_cast<Step>(script.u8() % static_cast<std::uint8_t>(Step::Count));
        const std::size_t length = std::min<std::size_t>(script.u8(), script.rest().size());
        perform(peer, step, toBytes(script.raw(length)));
    }
    return 0;
}

std::vector<Bytes> seeds()
{
    const Bytes payload(100, std::byte{7});
    Bytes receiving;
    for (const std::uint64_t sequence : {0u, 2u, 1u, 3u, 5u, 4u})
        addStep(receiving, Step::FrameFromPeer,
                bytesOf(Data{sequence, sequence + 1, sequence == 3, sequence == 5, payload}));
    Bytes sending;
    addStep(sending, Step::Message, payload);
    addStep(sending, Step::FrameFromPeer, bytesOf(Pong{1}));
    addStep(sending, Step::Message, payload);
    Ack ack{1, 4, {}};
    ack.beyond[1] = ack.beyond[2] = true;
    addStep(sending, Step::FrameFromPeer, bytesOf(ack));
    addStep(sending, Step::Timer, {});
    addStep(sending, Step::FrameFromPeer, bytesOf(Ack{4, 6, {}}));
    addStep(sending, Step::Connect, {});
    for (int i = 0; i < 12; ++i)
        addStep(sending, Step::Timer, {});
    Bytes strangers;
    for (std::uint8_t i = 3; i < 10; ++i)
        addStep(strangers, Step::HelloFromStranger, Bytes(33, std::byte{i}));
    addStep(strangers, Step::FrameFromPeer, bytesOf(Ping{1}));
    addStep(strangers, Step::FrameFromPeer, bytesOf(Bye{}));
    addStep(strangers, Step::Timer, {});
    Bytes moving;
    addStep(moving, Step::Message, payload);
    for (std::uint8_t i = 3; i < 9; ++i) {
        Bytes ping = bytesOf(Ping{i});
        ping.push_back(std::byte{i}); // ignored, and says where it comes from
        addStep(moving, Step::FrameFromElsewhere, ping);
        addStep(moving, Step::Timer, {});
    }
    Bytes challenge = bytesOf(PathChallenge{1});
    challenge.push_back(std::byte{4});
    addStep(moving, Step::FrameFromElsewhere, challenge);
    addStep(moving, Step::FrameFromPeer, bytesOf(PathResponse{1}));
    addStep(moving, Step::AddressChanged, {});
    addStep(moving, Step::Unreliable, payload);
    addStep(moving, Step::FrameFromPeer, bytesOf(Unreliable{payload}));
    addStep(moving, Step::Timer, {});
    // The tag of no node, and of a link's other side.
    Bytes relaying;
    const Bytes hello(40, std::byte{0x82});
    addStep(relaying, Step::FrameFromPeer, bytesOf(Forwarded{9, hello}));
    addStep(relaying, Step::FrameFromPeer, bytesOf(Forward{9, hello}));
    addStep(relaying, Step::FrameFromPeer, bytesOf(Seek{9}));
    addStep(relaying, Step::FrameFromPeer, bytesOf(Seen{9}));
    addStep(relaying, Step::FrameFromPeer, bytesOf(NotForwarded{9, NotForwarded::Reason::NoLink}));
    addStep(relaying, Step::FrameFromPeer, bytesOf(Candidates{0, false, {addressOf(5), addressOf(6)}}));
    addStep(relaying, Step::FrameFromPeer, bytesOf(Go{0}));
    addStep(relaying, Step::Timer, {});
    addStep(relaying, Step::Unreliable, payload);
    Bytes streaming;
    addStep(streaming, Step::FrameOnStream, bytesOf(Ping{7}));
    addStep(streaming, Step::FrameOnStream, bytesOf(PathChallenge{7}));
    addStep(streaming, Step::Timer, {});
    addStep(streaming, Step::StreamClosed, bytesOf(Ping{7}));
    addStep(streaming, Step::Stream, payload);
    addStep(streaming, Step::FrameOnStream, bytesOf(Data{0, 1, true, true, payload}));
    return {receiving, sending, strangers, moving, relaying, streaming};
}
