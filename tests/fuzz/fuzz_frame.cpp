// SPDX-License-Identifier: Apache-2.0
/// link::parse: any bytes, as they are and with the checksum made right, so that what lies behind it is
/// reached. What parses encodes to the beginning of an equal datagram, and to the same again.
#include "base/assert.h"
#include "fuzz.h"
#include "link/frame.h"

using namespace starling;
using namespace starling::link;

namespace {

void examine(ByteView bytes)
{
    const auto frame = parse(bytes);
    if (!frame)
        return;
    const Bytes once = serialize(*frame);
    const auto again = parse(once);
    STARLING_ASSERT(again);
    STARLING_ASSERT(again->to == frame->to && again->from == frame->from);
    STARLING_ASSERT(again->body.index() == frame->body.index());
    STARLING_ASSERT(serialize(*again) == once);
    STARLING_ASSERT(once.size() <= std::max(bytes.size(), kHelloBytes));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Bytes bytes = toBytes(std::as_bytes(std::span(data, size)));
    examine(bytes);
    writeChecksum(bytes);
    examine(bytes);
    return 0;
}

std::vector<Bytes> seeds()
{
    const Bytes payload(20, std::byte{7});
    Ack ack{10, 20, {}};
    ack.beyond[3] = ack.beyond[100] = true;
    return {
        serialize({Token{}, Token{2}, Hello{}}),
        serialize({Token{1}, Token{2}, HelloAck{}}),
        serialize({Token{1}, Token{2}, Data{5, 6, true, false, payload}}),
        serialize({Token{1}, Token{2}, ack}),
        serialize({Token{1}, Token{2}, Ping{4}}),
        serialize({Token{1}, Token{2}, Pong{3}}),
        serialize({Token{1}, Token{2}, Bye{}}),
    };
}
