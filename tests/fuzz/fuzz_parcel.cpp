// SPDX-License-Identifier: Apache-2.0
/// What parses as a receipt with its certificate is written again as the very bytes that were read.
#include "base/assert.h"
#include "board/parcel.h"
#include "fuzz.h"

#include <algorithm>

using namespace starling;
using namespace starling::board;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    const auto parcel = Parcel::parse(input);
    if (parcel)
        STARLING_ASSERT(std::ranges::equal(parcel->serialize(), input));
    return 0;
}

std::vector<Bytes> seeds()
{
    trust::Certificate certificate;
    certificate.name = "gateway-7";
    trust::Receipt receipt;
    receipt.sequence = 3;
    const auto sealed = [](trust::Kind kind, Bytes payload) {
        trust::Envelope envelope{kind, std::move(payload), {}};
        envelope.signatures[KeyId()] = {};
        return envelope.serialize();
    };
    return {Parcel{sealed(trust::Kind::Admit, certificate.serialize()),
                          sealed(trust::Kind::Receipt, receipt.serialize())}
                .serialize(),
            Parcel{}.serialize()};
}
