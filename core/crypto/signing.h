// SPDX-License-Identifier: Apache-2.0
/// Ed25519 signatures (RFC 8032) by libsodium, which refuses S >= L and keys of small order.
#pragma once

#include "base/ids.h"
#include "base/random.h"

#include <array>
#include <memory>

namespace starling::crypto {

using Signature = std::array<std::byte, 64>;

/// Initialises libsodium; call once at the start of main. Fails with Io if there is no source of randomness.
Status initialize();

/// The operating system's randomness.
class SystemRandom final : public RandomSource
{
public:
    void fill(std::span<std::byte> out) override;
};

/// An Ed25519 secret key in memory that is locked, guarded and wiped (sodium_malloc). Moves, never copies.
class SecretKey
{
public:
    static constexpr std::size_t kSeedSize = 32;

    static SecretKey generate();
    /// From the 32-byte seed. Fails with KeyUnreadable on another size.
    static Result<SecretKey> fromSeed(ByteView seed);

    SecretKey(SecretKey&&) noexcept = default;
    SecretKey& operator=(SecretKey&&) noexcept = default;

    KeyId id() const;
    Signature sign(ByteView message) const;
    /// The seed, to be written into a key file: wipe what you copy it into.
    ByteView seed() const;

private:
    struct Wipe
    {
        void operator()(std::byte* memory) const;
    };
    explicit SecretKey(std::unique_ptr<std::byte[], Wipe> key);
    std::unique_ptr<std::byte[], Wipe> m_key; ///< 64 bytes: seed, public key
};

/// BadSignature unless `signature` is `key`'s over `message`.
Status verify(const KeyId& key, ByteView message, const Signature& signature);

} // namespace starling::crypto
