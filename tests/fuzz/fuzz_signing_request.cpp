// SPDX-License-Identifier: Apache-2.0
/// Signing requests have one form: what parses is what serialize() gives back, and its payload is what it says.
#include "base/assert.h"
#include "fuzz.h"
#include "release/signing_request.h"

using namespace starling;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    if (const auto request = release::SigningRequest::parse(input)) {
        const Bytes again = request->serialize();
        STARLING_ASSERT(std::equal(again.begin(), again.end(), input.begin(), input.end()));
        STARLING_ASSERT(request->signatures.size() <= trust::kMaxSignatures);
        STARLING_ASSERT(request->kind == trust::Kind::Release
                            ? release::ReleaseInfo::parse(request->payload).has_value()
                            : trust::RootDocument::parse(request->payload).has_value());
    }
    return 0;
}

std::vector<Bytes> seeds()
{
    SeededRandom random(5);
    std::array<std::byte, 32> key{};
    random.fill(key);
    trust::RootDocument root;
    root.number = 2;
    root.previous = Digest(key);
    for (trust::Role* const role : {&root.root, &root.admit}) {
        random.fill(key);
        role->keys.insert(KeyId(key));
    }
    release::SigningRequest request;
    request.kind = trust::Kind::Root;
    request.payload = root.serialize();
    std::vector<Bytes> result{request.serialize()};
    crypto::Signature signature{};
    signature.fill(std::byte(0x5a));
    request.signatures.emplace(KeyId(key), signature);
    result.push_back(request.serialize());
    return result;
}
