// SPDX-License-Identifier: Apache-2.0
/// Noise_XX_25519_ChaChaPoly_BLAKE2b (Noise Protocol Framework, revision 34) by libsodium:
///
///     -> e
///     <- e, ee, s, es
///     -> s, se
///
/// Each message carries a payload: the first in the clear, the second under keys that only the holder of the
/// responder's static key can have made, the third likewise for the initiator. Pure: ephemeral keys come from
/// the caller.
#pragma once

#include "base/ids.h"
#include "base/random.h"
#include "crypto/blake2b.h"
#include "crypto/signing.h"

#include <optional>

namespace starling::crypto {

/// An X25519 key pair (RFC 7748).
class LinkKeyPair
{
public:
    static LinkKeyPair generate(RandomSource& random);
    static LinkKeyPair fromSecret(Secret<32> secret);
    /// The pair that belongs to a device: derived from its seed, so that a device has one key file only.
    static LinkKeyPair of(const SecretKey& device);

    const LinkKey& publicKey() const { return m_public; }
    /// X25519 with another's public key. Nothing if that has small order, so that the result is no secret.
    std::optional<Secret<32>> agree(const LinkKey& other) const;

private:
    Secret<32> m_secret;
    LinkKey m_public;
};

/// A key of ChaCha20-Poly1305 (RFC 8439) as Noise uses it: the nonce is a counter, 32 zero bits and then
/// little-endian. Whoever holds it sees to it that no counter is used twice.
class CipherKey
{
public:
    static constexpr std::size_t kTagBytes = 16;

    CipherKey() = default;
    explicit CipherKey(Secret<32> key)
        : m_key(std::move(key))
    {
    }

    /// Encrypts all but the last kTagBytes of `bytes` where they are, and writes the tag there.
    void seal(std::uint64_t counter, ByteView associated, std::span<std::byte> bytes) const;
    /// The plain text of `sealed`, or nothing if it was not sealed with this key, counter and associated
    /// data.
    std::optional<Bytes> open(std::uint64_t counter, ByteView associated, ByteView sealed) const;
    /// The key that follows this one: Noise's REKEY (section 4.2). There is no way back.
    CipherKey next() const;

private:
    friend class NoiseSymmetric;
    Secret<32> m_key;
};

/// The two keys of a session.
struct SessionKeys
{
    CipherKey sending;
    CipherKey receiving;
};

/// SymmetricState of the specification (section 5.2), with the CipherState that it holds.
class NoiseSymmetric
{
public:
    /// `protocol` is its full name, of at most 64 characters.
    NoiseSymmetric(std::string_view protocol, ByteView prologue);

    void mixHash(ByteView bytes);
    void mixKey(ByteView secret);
    Bytes encryptAndHash(ByteView plain);
    std::optional<Bytes> decryptAndHash(ByteView sealed);
    /// The initiator's sending key first.
    std::pair<CipherKey, CipherKey> split() const;
    const Hash512& hash() const { return m_hash; }
    /// For trying a message that may turn out to be forged.
    NoiseSymmetric copy() const;

private:
    NoiseSymmetric() = default;
    Secret<64> m_chainingKey;
    Hash512 m_hash{};
    CipherKey m_key;
    std::uint64_t m_counter = 0;
    bool m_hasKey = false;
};

/// One side of one handshake. Messages alternate, the initiator's first; calling out of turn is a bug.
class NoiseHandshake
{
public:
    enum class Role : std::uint8_t { Initiator, Responder };
    /// What the messages are longer than their payloads.
    static constexpr std::size_t kMessage1Bytes = 32, kMessage2Bytes = 96, kMessage3Bytes = 64;

    /// `own` must outlive it.
    NoiseHandshake(Role role, ByteView prologue, const LinkKeyPair& own, LinkKeyPair ephemeral);

    /// Our next message. Refused if the other side's keys make no secret with ours.
    Result<Bytes> write(ByteView payload);
    /// The payload of the other side's next message. Truncated, or BadSignature if it does not authenticate;
    /// then nothing changed, and the right one may still come.
    Result<Bytes> read(ByteView message);

    bool isComplete() const { return m_next == kMessages; }
    /// The other side's static key: known, and proven to be its own, once read() took the message that brings
    /// it.
    const LinkKey& remoteStatic() const { return m_remoteStatic; }
    /// The handshake hash, once complete: names the session.
    const Hash512& hash() const { return m_symmetric.hash(); }
    /// Once complete.
    SessionKeys split() const;

private:
    static constexpr int kMessages = 3;
    bool isWriting() const { return (m_next % 2 == 0) == (m_role == Role::Initiator); }
    static Status mixSecret(NoiseSymmetric& symmetric, const LinkKeyPair& pair, const LinkKey& other);
    Result<Bytes> readFirst(NoiseSymmetric& symmetric, ByteView message);
    Result<Bytes> readSecond(NoiseSymmetric& symmetric, ByteView message);
    Result<Bytes> readThird(NoiseSymmetric& symmetric, ByteView message);

    Role m_role;
    const LinkKeyPair& m_own;
    LinkKeyPair m_ephemeral;
    NoiseSymmetric m_symmetric;
    LinkKey m_remoteStatic, m_remoteEphemeral;
    int m_next = 0; ///< which message comes next, from 0
};

} // namespace starling::crypto
