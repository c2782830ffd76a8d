// SPDX-License-Identifier: Apache-2.0
/// link::parseFrame: any bytes. What parses encodes to the beginning of an equal frame, and to the same
/// again.
#include "base/assert.h"
#include "fuzz.h"
#include "link/frame.h"

using namespace starling;
using namespace starling::link;

namespace {

Bytes bytesOf(const Frame& frame)
{
    ByteWriter writer;
    write(writer, frame);
    return writer.take();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView bytes = std::as_bytes(std::span(data, size));
    const auto frame = parseFrame(bytes);
    if (!frame)
        return 0;
    const Bytes once = bytesOf(*frame);
    const auto again = parseFrame(once);
    STARLING_ASSERT(again);
    STARLING_ASSERT(again->index() == frame->index());
    STARLING_ASSERT(bytesOf(*again) == once);
    STARLING_ASSERT(once.size() <= bytes.size());
    return 0;
}

std::vector<Bytes> seeds()
{
    const Bytes payload(20, std::byte{7});
    Ack ack{10, 20, {}};
    ack.beyond[3] = ack.beyond[100] = true;
    return {
        bytesOf(Data{5, 6, true, false, payload}),
        bytesOf(ack),
        bytesOf(Ping{4}),
        bytesOf(Pong{3}),
        bytesOf(Bye{}),
        bytesOf(PathChallenge{8}),
        bytesOf(PathResponse{9}),
        bytesOf(Unreliable{payload}),
        bytesOf(Unreliable{payload, true}),
        bytesOf(Ping{4, Endpoint::ipv4(192, 0, 2, 1, 7891)}),
        bytesOf(Forward{1, payload}),
        bytesOf(Forwarded{2, payload}),
        bytesOf(Seek{3}),
        bytesOf(Seen{4}),
        bytesOf(NotForwarded{5, NotForwarded::Reason::NoLink}),
        bytesOf(Candidates{6, true, {Endpoint::ipv4(192, 0, 2, 1, 7891), Endpoint()}}),
        bytesOf(Candidates{6, true, {}, PortForecast{Endpoint::ipv4(192, 0, 2, 1, 7891), 2}}),
        bytesOf(Go{7}),
    };
}
