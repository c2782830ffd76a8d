// SPDX-License-Identifier: Apache-2.0
/// Key files of whoever: taken apart without opening, because the key derivation is slow by design. What
/// reads as a plain key is opened, and writes the same file again.
#include "base/assert.h"
#include "crypto/key_file.h"
#include "crypto/sha256.h"
#include "fuzz.h"

using namespace starling;

namespace {

constexpr std::size_t kChecksumSize = 8;

void readAsKey(ByteView file)
{
    const auto header = crypto::inspectKey(file);
    const auto plain = crypto::openPlainKey(file);
    STARLING_ASSERT(header || header.error().code == Errc::KeyUnreadable);
    STARLING_ASSERT(plain || plain.error().code == Errc::KeyUnreadable);
    STARLING_ASSERT(!plain || (header && !header->isSealed && plain->id() == header->id));
    if (plain) {
        const Bytes again = crypto::plainKey(*plain);
        STARLING_ASSERT(std::equal(again.begin(), again.end(), file.begin(), file.end()));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input = std::as_bytes(std::span(data, size));
    readAsKey(input);
    // Once more with a checksum that fits, so that the fields behind it are reached.
    if (input.size() >= kChecksumSize) {
        Bytes mended = toBytes(input.first(input.size() - kChecksumSize));
        const Digest digest = crypto::sha256(mended);
        append(mended, digest.bytes().first(kChecksumSize));
        readAsKey(mended);
    }
    return 0;
}

std::vector<Bytes> seeds()
{
    std::vector<Bytes> all;
    const auto key = crypto::SecretKey::fromSeed(Bytes(crypto::SecretKey::kSeedSize, std::byte{5}));
    STARLING_ASSERT(crypto::initialize() && key);
    all.push_back(crypto::plainKey(*key));
    auto sealed = crypto::sealKey(*key, crypto::SecretText("passphrase"), crypto::KdfCost::Interactive);
    if (sealed)
        all.push_back(std::move(*sealed));
    return all;
}
