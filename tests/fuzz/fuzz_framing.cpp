// SPDX-License-Identifier: Apache-2.0
/// link::StreamReader: any bytes, in pieces as the first byte says. However they are cut, the same datagrams
/// come out, framed again they are the stream, and what is kept is less than one datagram.
#include "base/assert.h"
#include "fuzz.h"
#include "link/framing.h"

#include <algorithm>

using namespace starling;
using namespace starling::link;

namespace {

struct Cut
{
    Bytes whole; ///< framed again
    bool isGood = true;
};

Cut cut(ByteView stream, std::size_t piece)
{
    StreamReader reader;
    Cut result;
    while (!stream.empty() && result.isGood) {
        const std::size_t size = std::min(piece, stream.size());
        reader.push(stream.first(size));
        stream = stream.subspan(size);
        for (;;) {
            const auto next = reader.next();
            result.isGood = next.has_value();
            if (!next || !*next)
                break;
            append(result.whole, framed(**next));
        }
        STARLING_ASSERT(!result.isGood || reader.kept() < kFrameLengthBytes + kMaxFramedBytes);
    }
    return result;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const ByteView stream = std::as_bytes(std::span(data, size)).subspan(1);
    const Cut atOnce = cut(stream, std::max<std::size_t>(stream.size(), 1));
    const Cut inPieces = cut(stream, std::size_t(1) + data[0]);
    STARLING_ASSERT(atOnce.whole == inPieces.whole && atOnce.isGood == inPieces.isGood);
    STARLING_ASSERT(std::ranges::equal(atOnce.whole, stream.first(atOnce.whole.size())));
    return 0;
}

std::vector<Bytes> seeds()
{
    Bytes datagram(60, std::byte{5});
    datagram[0] = std::byte{0x82};
    Bytes two{std::byte{6}};
    append(two, framed(datagram));
    datagram.resize(kHelloBytes);
    append(two, framed(datagram));
    Bytes half = two;
    half.resize(80);
    return {two, half, toBytes(std::string_view("\x04GET / HTTP/1.1\r\n\r\n"))};
}
