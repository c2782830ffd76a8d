// SPDX-License-Identifier: Apache-2.0
#include "crypto/blake2b.h"

#include "base/assert.h"

#include <sodium.h>

#include <algorithm>

namespace starling::crypto {

namespace {

constexpr std::size_t kBlockBytes = 128; // RFC 7693 section 2.1
constexpr std::byte kInnerPad{0x36}; // RFC 2104 section 2
constexpr std::byte kOuterPad{0x5c};

static_assert(crypto_generichash_blake2b_BYTES_MAX == std::tuple_size_v<Hash512>);

const unsigned char* raw(ByteView bytes)
{
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

void hash(std::span<std::byte> out, std::initializer_list<ByteView> first,
          std::initializer_list<ByteView> second)
{
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, nullptr, 0, out.size());
    for (const auto& parts : {first, second})
        for (const ByteView part : parts)
            crypto_generichash_blake2b_update(&state, raw(part), part.size());
    crypto_generichash_blake2b_final(&state, reinterpret_cast<unsigned char*>(out.data()), out.size());
    sodium_memzero(&state, sizeof state);
}

} // namespace

void wipe(std::span<std::byte> bytes)
{
    sodium_memzero(bytes.data(), bytes.size());
}

Hash512 blake2b(std::initializer_list<ByteView> parts)
{
    Hash512 result{};
    hash(result, parts, {});
    return result;
}

Secret<64> hmacBlake2b(ByteView key, std::initializer_list<ByteView> parts)
{
    STARLING_ASSERT(key.size() <= kBlockBytes);
    Secret<kBlockBytes> pad;
    const auto fill = [&](std::byte value) {
        std::fill(pad.bytes().begin(), pad.bytes().end(), value);
        for (std::size_t i = 0; i < key.size(); ++i)
            pad.bytes()[i] ^= key[i];
    };
    Secret<64> inner;
    fill(kInnerPad);
    hash(inner.bytes(), {pad.bytes()}, parts);
    Secret<64> result;
    fill(kOuterPad);
    hash(result.bytes(), {pad.bytes()}, {inner.bytes()});
    return result;
}

Secret<32> deriveKey(ByteView key, std::string_view purpose)
{
    std::array<unsigned char, crypto_generichash_blake2b_PERSONALBYTES> personal{};
    STARLING_ASSERT(purpose.size() <= personal.size());
    STARLING_ASSERT(key.size() >= crypto_generichash_blake2b_KEYBYTES_MIN
                    && key.size() <= crypto_generichash_blake2b_KEYBYTES_MAX);
    std::copy(purpose.begin(), purpose.end(), personal.begin());
    Secret<32> result;
    const int status = crypto_generichash_blake2b_salt_personal(
        reinterpret_cast<unsigned char*>(result.bytes().data()), result.bytes().size(), nullptr, 0, raw(key),
        key.size(), nullptr, personal.data());
    STARLING_ASSERT(status == 0);
    return result;
}

Code128 authenticationCode(ByteView key, ByteView message)
{
    Code128 code{};
    const int status = crypto_generichash_blake2b(reinterpret_cast<unsigned char*>(code.data()), code.size(),
                                                  raw(message), message.size(), raw(key), key.size());
    STARLING_ASSERT(status == 0);
    return code;
}

bool isEqual(const Code128& a, ByteView b)
{
    return b.size() == a.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace starling::crypto
