// SPDX-License-Identifier: Apache-2.0
/// Envelopes have one form: what parses is what serialize() gives back.
#include "base/assert.h"
#include "fuzz.h"
#include "trust/documents.h"

using namespace starling;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    if (const auto envelope = trust::Envelope::parse(input)) {
        const Bytes again = envelope->serialize();
        STARLING_ASSERT(std::equal(again.begin(), again.end(), input.begin(), input.end()));
        STARLING_ASSERT(!envelope->signatures.empty());
        STARLING_ASSERT(envelope->signatures.size() <= trust::kMaxSignatures);
        STARLING_ASSERT(envelope->kind != trust::Kind::Release);
    }
    return 0;
}

std::vector<Bytes> seeds()
{
    trust::Envelope envelope;
    envelope.kind = trust::Kind::Descriptor;
    envelope.payload = trust::Descriptor().serialize();
    crypto::Signature signature{};
    signature.fill(std::byte(0x5a));
    SeededRandom random(3);
    std::vector<Bytes> result;
    for (int i = 0; i < 3; ++i) {
        std::array<std::byte, 32> key{};
        random.fill(key);
        envelope.signatures.emplace(KeyId(key), signature);
        result.push_back(envelope.serialize());
    }
    return result;
}
