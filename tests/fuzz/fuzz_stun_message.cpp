// SPDX-License-Identifier: Apache-2.0
/// nat::parseStun: any bytes. What parses encodes to what parses to the same, but for what was not
/// understood.
#include "base/assert.h"
#include "fuzz.h"
#include "nat/stun_message.h"

using namespace starling;
using namespace starling::nat;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView bytes = std::as_bytes(std::span(data, size));
    const auto parsed = parseStun(bytes);
    if (!parsed)
        return 0;
    STARLING_ASSERT(looksLikeStun(bytes));
    StunMessage message = *parsed;
    message.notUnderstood.clear();
    const Bytes once = serialize(message);
    const auto again = parseStun(once);
    STARLING_ASSERT(again && *again == message);
    STARLING_ASSERT(serialize(*again) == once);
    return 0;
}

std::vector<Bytes> seeds()
{
    StunMessage request;
    request.change = ChangeRequest{true, true};
    request.padding = std::uint16_t(9);
    request.responsePort = std::uint16_t(7);
    StunMessage success;
    success.kind = StunClass::Success;
    success.xorMapped = success.mapped = Endpoint::ipv4(192, 0, 2, 1, 3478);
    success.responseOrigin = success.other = Endpoint{{0x20, 1, 0xd, 0xb8}, 3478};
    success.software = "somebody";
    StunMessage refusal;
    refusal.kind = StunClass::Error;
    refusal.error = StunError{kStunUnknownAttribute, "no"};
    refusal.unknown = {8, 9};
    StunMessage sure; // with a CRC, mutations seldom pass
    sure.hasFingerprint = true;
    return {serialize(request), serialize(success), serialize(refusal), serialize(sure)};
}
