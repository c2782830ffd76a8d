// SPDX-License-Identifier: Apache-2.0
/// Whatever parses is written again as the very bytes that were read, trailing ones apart.
#include "base/assert.h"
#include "fuzz.h"
#include "overlay/membership_message.h"

#include <algorithm>

using namespace starling;
using namespace starling::overlay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    const auto message = parseMembership(input);
    if (!message)
        return 0;
    STARLING_ASSERT(concernsMembership(input));
    const Bytes again = serialize(*message);
    STARLING_ASSERT(again.size() <= input.size());
    STARLING_ASSERT(std::equal(again.begin(), again.end(), input.begin()));
    return 0;
}

std::vector<Bytes> seeds()
{
    const Contact contact{toBytes(std::string_view("a descriptor")),
                          toBytes(std::string_view("certificate"))};
    return {
        serialize(JoinMessage{contact}),
        serialize(ForwardJoinMessage{3, contact}),
        serialize(AskMessage{Urgency::Near, contact}),
        serialize(AnswerMessage{true, {contact, {}}}),
        serialize(DisconnectMessage{{contact}}),
        serialize(ShuffleMessage{{contact, contact}}),
        serialize(ShuffleReplyMessage{}),
        serialize(MovedMessage{contact}),
    };
}
