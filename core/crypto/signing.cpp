// SPDX-License-Identifier: Apache-2.0
#include "crypto/signing.h"

#include "base/assert.h"

#include <sodium.h>

namespace starling::crypto {

namespace {

static_assert(std::tuple_size_v<Signature> == crypto_sign_BYTES);
static_assert(SecretKey::kSeedSize == crypto_sign_SEEDBYTES);
static_assert(KeyId::kSize == crypto_sign_PUBLICKEYBYTES);
static_assert(crypto_sign_SECRETKEYBYTES == SecretKey::kSeedSize + KeyId::kSize);

const unsigned char* raw(const std::byte* bytes)
{
    return reinterpret_cast<const unsigned char*>(bytes);
}

unsigned char* raw(std::byte* bytes)
{
    return reinterpret_cast<unsigned char*>(bytes);
}

std::byte* lockedMemory()
{
    // libsodium aborts without a word if it guards memory before this; a second time costs next to nothing.
    STARLING_ASSERT(sodium_init() >= 0);
    void* const memory = sodium_malloc(crypto_sign_SECRETKEYBYTES);
    STARLING_ASSERT(memory != nullptr);
    return static_cast<std::byte*>(memory);
}

} // namespace

Status initialize()
{
    if (sodium_init() < 0)
        return fail(Errc::Io, "the operating system has no source of randomness");
    return {};
}

void SystemRandom::fill(std::span<std::byte> out)
{
    randombytes_buf(out.data(), out.size());
}

void SecretKey::Wipe::operator()(std::byte* memory) const
{
    sodium_free(memory); // wipes before it frees
}

SecretKey::SecretKey(std::unique_ptr<std::byte[], Wipe> key)
    : m_key(std::move(key))
{
    sodium_mprotect_readonly(m_key.get());
}

SecretKey SecretKey::generate()
{
    std::unique_ptr<std::byte[], Wipe> key(lockedMemory());
    std::array<unsigned char, KeyId::kSize> publicKey{};
    STARLING_ASSERT(crypto_sign_keypair(publicKey.data(), raw(key.get())) == 0);
    return SecretKey(std::move(key));
}

Result<SecretKey> SecretKey::fromSeed(ByteView seed)
{
    if (seed.size() != kSeedSize)
        return fail(Errc::KeyUnreadable, "a seed has 32 bytes, not " + std::to_string(seed.size()));
    std::unique_ptr<std::byte[], Wipe> key(lockedMemory());
    std::array<unsigned char, KeyId::kSize> publicKey{};
    STARLING_ASSERT(crypto_sign_seed_keypair(publicKey.data(), raw(key.get()), raw(seed.data())) == 0);
    return SecretKey(std::move(key));
}

KeyId SecretKey::id() const
{
    STARLING_ASSERT(m_key != nullptr);
    std::array<std::byte, KeyId::kSize> id{};
    std::copy_n(m_key.get() + kSeedSize, id.size(), id.begin());
    return KeyId(id);
}

Signature SecretKey::sign(ByteView message) const
{
    STARLING_ASSERT(m_key != nullptr);
    Signature signature{};
    STARLING_ASSERT(crypto_sign_detached(raw(signature.data()), nullptr, raw(message.data()), message.size(),
                                         raw(m_key.get()))
                    == 0);
    return signature;
}

ByteView SecretKey::seed() const
{
    STARLING_ASSERT(m_key != nullptr);
    return {m_key.get(), kSeedSize};
}

Status verify(const KeyId& key, ByteView message, const Signature& signature)
{
    if (crypto_sign_verify_detached(raw(signature.data()), raw(message.data()), message.size(),
                                    raw(key.bytes().data()))
        != 0)
        return fail(Errc::BadSignature, "by key " + key.shortHex());
    return {};
}

} // namespace starling::crypto
