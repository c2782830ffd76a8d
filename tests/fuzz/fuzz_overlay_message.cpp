// SPDX-License-Identifier: Apache-2.0
/// Whatever parses is written again as the very bytes that were read, trailing ones apart.
#include "base/assert.h"
#include "fuzz.h"
#include "overlay/message.h"

#include <algorithm>

using namespace starling;
using namespace starling::overlay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    const auto message = parse(input);
    if (!message)
        return 0;
    const Bytes again = serialize(*message);
    STARLING_ASSERT(again.size() <= input.size());
    STARLING_ASSERT(std::equal(again.begin(), again.end(), input.begin()));
    return 0;
}

std::vector<Bytes> seeds()
{
    static const Bytes kNotice = toBytes(std::string_view("a signed document"));
    const NoticeKey key{1, "a"};
    const NoticeKey other{3, "fw/gateway/rootfs"};
    return {
        serialize(NoticeMessage{kNotice}),
        serialize(PulseMessage{2, kNotice}),
        serialize(ReceiptsMessage{NodeId(), 7, {kNotice, kNotice}}),
        serialize(AcceptedMessage{NodeId(), 7}),
        serialize(DeliveredMessage{NodeId(), {{NodeId(), 9}}}),
        serialize(
            SumsMessage{NodeId(), {3, {{{"fw/a", 0, 2, 9, {}}, 1}, {{"fw/a", 0, 2, 9, "B"}, 2}}, 1, 4}}),
        serialize(PetitionMessage{NodeId(), NodeId(), kNotice}),
        serialize(GrantMessage{NodeId(), NodeId(), kNotice}),
        serialize(DigestMessage{}),
        serialize(SummaryMessage{key, NoticeKey{9, {}}, {{key, {1, 2}, {}}, {other, {3, 4}, {}}}}),
        serialize(SummaryMessage{}),
        serialize(RequestMessage{{key, other}}),
        serialize(MoreMessage{9}),
        serialize(HaveMessage{{}, true, kNotice}),
        serialize(StopHaveMessage{}),
        serialize(WhoHasMessage{}),
        serialize(ProvidersMessage{{}, {{true, 1, kNotice}, {false, 2, {}}}}),
        serialize(StandingMessage{7, {}}),
        serialize(AskRootsMessage{8}),
        serialize(RootsMessage{{kNotice, kNotice}}),
        serialize(RangesMessage{other, {{{}, {}}, {key, {}}}}),
    };
}
