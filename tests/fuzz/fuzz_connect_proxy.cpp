// SPDX-License-Identifier: Apache-2.0
/// nat::ConnectReply: any bytes, at once and in pieces as the first byte says. Both end alike; what comes
/// after the reply is the end of what came, and a reply without an end is bounded.
#include "base/assert.h"
#include "fuzz.h"
#include "nat/connect_proxy.h"

#include <algorithm>

using namespace starling;
using namespace starling::nat;

namespace {

struct Outcome
{
    bool isOpen = false, isGood = true;
    std::size_t rest = 0; ///< bytes of the other side
};

Outcome play(ByteView all, std::size_t piece)
{
    ConnectReply reply;
    Outcome outcome;
    while (!all.empty()) {
        const std::size_t size = std::min(piece, all.size());
        const auto pushed = reply.push(all.first(size));
        all = all.subspan(size);
        outcome.isGood = pushed.has_value();
        outcome.isOpen = pushed && *pushed;
        if (!outcome.isGood || outcome.isOpen)
            break;
    }
    if (outcome.isOpen) {
        STARLING_ASSERT(reply.rest().size() <= piece);
        outcome.rest = reply.rest().size() + all.size();
    }
    return outcome;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2)
        return 0;
    const ByteView all = std::as_bytes(std::span(data, size)).subspan(1);
    const Outcome atOnce = play(all, all.size());
    const Outcome inPieces = play(all, std::size_t(1) + data[0]);
    STARLING_ASSERT(atOnce.isOpen == inPieces.isOpen && atOnce.isGood == inPieces.isGood);
    STARLING_ASSERT(atOnce.rest == inPieces.rest);
    STARLING_ASSERT(atOnce.isOpen || !atOnce.isGood || all.size() <= ConnectReply::kMaxBytes + 3);
    return 0;
}

std::vector<Bytes> seeds()
{
    return {toBytes(std::string_view(
                "\x03HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy\r\n\r\nmore")),
            toBytes(std::string_view("\x03HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")),
            toBytes(std::string_view("\x07HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")),
            toBytes(std::string_view("\x01SSH-2.0-x\r\n"))};
}
