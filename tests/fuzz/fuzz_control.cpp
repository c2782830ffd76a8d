// SPDX-License-Identifier: Apache-2.0
/// Properties: however a stream is cut into portions, the same frames come out; what was accepted, written
/// again, decodes to what writes the same.
#include "../unit/control_samples.h"
#include "base/assert.h"
#include "control/codec.h"
#include "fuzz.h"

namespace {

using namespace starling;

std::vector<Bytes> framesOf(ByteView stream, std::size_t portion)
{
    control::FrameReader reader;
    std::vector<Bytes> frames;
    while (!stream.empty()) {
        const ByteView part = stream.first(std::min(portion, stream.size()));
        stream = stream.subspan(part.size());
        const bool isGood = reader.feed(part).has_value();
        while (auto frame = reader.next())
            frames.push_back(std::move(*frame));
        if (!isGood)
            break;
    }
    return frames;
}

template <class Message, class Decode> void examine(const Result<Message>& decoded, Decode decode)
{
    if (!decoded)
        return;
    const Bytes bytes = control::encode(*decoded);
    const auto again = decode(ByteView(bytes).subspan(4));
    STARLING_ASSERT(again.has_value());
    STARLING_ASSERT(control::encode(*again) == bytes);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView stream = std::as_bytes(std::span(data, size));
    const auto frames = framesOf(stream, 16);
    const auto whole = framesOf(stream, std::max<std::size_t>(1, stream.size()));
    STARLING_ASSERT(whole == frames);
    for (const Bytes& frame : frames) {
        examine(control::decodeRequest(frame), control::decodeRequest);
        examine(control::decodeReply(frame), control::decodeReply);
    }
    return 0;
}

std::vector<starling::Bytes> seeds()
{
    std::vector<Bytes> all;
    Bytes together;
    for (const control::Request& request : control::samples::requests())
        all.push_back(control::encode(request));
    for (const control::Reply& reply : control::samples::replies())
        all.push_back(control::encode(reply));
    for (const Bytes& each : all)
        append(together, each);
    all.push_back(together);
    return all;
}
