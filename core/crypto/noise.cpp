// SPDX-License-Identifier: Apache-2.0
#include "crypto/noise.h"

#include "base/assert.h"

#include <sodium.h>

#include <limits>

namespace starling::crypto {

namespace {

constexpr std::string_view kProtocol = "Noise_XX_25519_ChaChaPoly_BLAKE2b";
constexpr std::string_view kDevicePurpose = "starling/1/link";

static_assert(CipherKey::kTagBytes == crypto_aead_chacha20poly1305_ietf_ABYTES);
static_assert(LinkKey::kSize == crypto_scalarmult_curve25519_BYTES);

const unsigned char* raw(const std::byte* bytes)
{
    return reinterpret_cast<const unsigned char*>(bytes);
}

unsigned char* raw(std::byte* bytes)
{
    return reinterpret_cast<unsigned char*>(bytes);
}

using Nonce = std::array<unsigned char, crypto_aead_chacha20poly1305_ietf_NPUBBYTES>;

/// Section 12.3: 32 zero bits, then the counter, little-endian.
Nonce nonceOf(std::uint64_t counter)
{
    Nonce nonce{};
    for (std::size_t i = 0; i < 8; ++i)
        nonce[4 + i] = static_cast<unsigned char>(counter >> (8 * i));
    return nonce;
}

/// HKDF with two outputs, section 4.3.
std::pair<Secret<64>, Secret<64>> derivePair(ByteView chainingKey, ByteView material)
{
    constexpr std::array<std::byte, 1> kOne{std::byte{1}};
    constexpr std::array<std::byte, 1> kTwo{std::byte{2}};
    const Secret<64> temporary = hmacBlake2b(chainingKey, {material});
    Secret<64> first = hmacBlake2b(temporary.bytes(), {kOne});
    Secret<64> second = hmacBlake2b(temporary.bytes(), {first.bytes(), kTwo});
    return {std::move(first), std::move(second)};
}

/// "If HASHLEN is 64, then truncates temp_k to 32 bytes."
CipherKey keyOf(const Secret<64>& material)
{
    Secret<32> key;
    std::copy_n(material.bytes().begin(), key.bytes().size(), key.bytes().begin());
    return CipherKey(std::move(key));
}

LinkKey linkKeyAt(ByteView bytes)
{
    return *LinkKey::fromBytes(bytes.first(LinkKey::kSize));
}

Status requireSize(ByteView message, std::size_t least)
{
    if (message.size() < least)
        return fail(Errc::Truncated, "handshake message of " + std::to_string(message.size()) + " bytes");
    return {};
}

tl::unexpected<Error> forged()
{
    return fail(Errc::BadSignature, "a handshake message does not authenticate");
}

} // namespace

// --- X25519

LinkKeyPair LinkKeyPair::generate(RandomSource& random)
{
    Secret<32> secret;
    random.fill(secret.bytes());
    return fromSecret(std::move(secret));
}

LinkKeyPair LinkKeyPair::fromSecret(Secret<32> secret)
{
    LinkKeyPair pair;
    std::array<std::byte, LinkKey::kSize> point{};
    STARLING_ASSERT(crypto_scalarmult_curve25519_base(raw(point.data()), raw(secret.bytes().data())) == 0);
    pair.m_public = LinkKey(point);
    pair.m_secret = std::move(secret);
    return pair;
}

LinkKeyPair LinkKeyPair::of(const SecretKey& device)
{
    return fromSecret(deriveKey(device.seed(), kDevicePurpose));
}

std::optional<Secret<32>> LinkKeyPair::agree(const LinkKey& other) const
{
    Secret<32> shared;
    if (crypto_scalarmult_curve25519(raw(shared.bytes().data()), raw(m_secret.bytes().data()),
                                     raw(other.bytes().data()))
        != 0)
        return std::nullopt;
    return shared;
}

// --- ChaCha20-Poly1305

void CipherKey::seal(std::uint64_t counter, ByteView associated, std::span<std::byte> bytes) const
{
    STARLING_ASSERT(bytes.size() >= kTagBytes);
    const std::size_t size = bytes.size() - kTagBytes;
    const Nonce nonce = nonceOf(counter);
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        raw(bytes.data()), raw(bytes.data() + size), nullptr, raw(bytes.data()), size, raw(associated.data()),
        associated.size(), nullptr, nonce.data(), raw(m_key.bytes().data()));
}

std::optional<Bytes> CipherKey::open(std::uint64_t counter, ByteView associated, ByteView sealed) const
{
    if (sealed.size() < kTagBytes)
        return std::nullopt;
    const std::size_t size = sealed.size() - kTagBytes;
    const Nonce nonce = nonceOf(counter);
    Bytes plain(size);
    if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(
            raw(plain.data()), nullptr, raw(sealed.data()), size, raw(sealed.data() + size),
            raw(associated.data()), associated.size(), nonce.data(), raw(m_key.bytes().data()))
        != 0)
        return std::nullopt;
    return plain;
}

CipherKey CipherKey::next() const
{
    std::array<std::byte, 32 + kTagBytes> block{};
    seal(std::numeric_limits<std::uint64_t>::max(), {}, block);
    Secret<32> key;
    std::copy_n(block.begin(), key.bytes().size(), key.bytes().begin());
    wipe(block);
    return CipherKey(std::move(key));
}

// --- SymmetricState

NoiseSymmetric::NoiseSymmetric(std::string_view protocol, ByteView prologue)
{
    const ByteView name = viewOf(protocol);
    STARLING_ASSERT(name.size() <= m_hash.size()); // else it would be hashed
    std::copy(name.begin(), name.end(), m_hash.begin());
    std::copy(m_hash.begin(), m_hash.end(), m_chainingKey.bytes().begin());
    mixHash(prologue);
}

void NoiseSymmetric::mixHash(ByteView bytes)
{
    m_hash = blake2b({m_hash, bytes});
}

void NoiseSymmetric::mixKey(ByteView secret)
{
    auto [chainingKey, key] = derivePair(m_chainingKey.bytes(), secret);
    m_chainingKey = std::move(chainingKey);
    m_key = keyOf(key);
    m_counter = 0;
    m_hasKey = true;
}

Bytes NoiseSymmetric::encryptAndHash(ByteView plain)
{
    Bytes bytes = toBytes(plain);
    if (m_hasKey) {
        bytes.resize(bytes.size() + CipherKey::kTagBytes);
        m_key.seal(m_counter++, m_hash, bytes);
    }
    mixHash(bytes);
    return bytes;
}

std::optional<Bytes> NoiseSymmetric::decryptAndHash(ByteView sealed)
{
    std::optional<Bytes> plain = m_hasKey ? m_key.open(m_counter++, m_hash, sealed) : toBytes(sealed);
    mixHash(sealed);
    return plain;
}

std::pair<CipherKey, CipherKey> NoiseSymmetric::split() const
{
    const auto [first, second] = derivePair(m_chainingKey.bytes(), {});
    return {keyOf(first), keyOf(second)};
}

NoiseSymmetric NoiseSymmetric::copy() const
{
    NoiseSymmetric result;
    std::ranges::copy(m_chainingKey.bytes(), result.m_chainingKey.bytes().begin());
    std::ranges::copy(m_key.m_key.bytes(), result.m_key.m_key.bytes().begin());
    result.m_hash = m_hash;
    result.m_counter = m_counter;
    result.m_hasKey = m_hasKey;
    return result;
}

// --- HandshakeState

NoiseHandshake::NoiseHandshake(Role role, ByteView prologue, const LinkKeyPair& own, LinkKeyPair ephemeral)
    : m_role(role)
    , m_own(own)
    , m_ephemeral(std::move(ephemeral))
    , m_symmetric(kProtocol, prologue)
{
}

Status NoiseHandshake::mixSecret(NoiseSymmetric& symmetric, const LinkKeyPair& pair, const LinkKey& other)
{
    const auto secret = pair.agree(other);
    if (!secret)
        return fail(Errc::Refused, "a handshake with a public key of small order");
    symmetric.mixKey(secret->bytes());
    return {};
}

Result<Bytes> NoiseHandshake::write(ByteView payload)
{
    STARLING_ASSERT(!isComplete() && isWriting());
    Bytes message;
    if (m_next < 2) { // e
        m_symmetric.mixHash(m_ephemeral.publicKey().bytes());
        append(message, m_ephemeral.publicKey().bytes());
    }
    if (m_next == 1) { // ee
        if (auto mixed = mixSecret(m_symmetric, m_ephemeral, m_remoteEphemeral); !mixed)
            return tl::unexpected<Error>(mixed.error());
    }
    if (m_next > 0) { // s, then es of the responder or se of the initiator: our static key both times
        append(message, m_symmetric.encryptAndHash(m_own.publicKey().bytes()));
        if (auto mixed = mixSecret(m_symmetric, m_own, m_remoteEphemeral); !mixed)
            return tl::unexpected<Error>(mixed.error());
    }
    append(message, m_symmetric.encryptAndHash(payload));
    ++m_next;
    return message;
}

Result<Bytes> NoiseHandshake::read(ByteView message)
{
    STARLING_ASSERT(!isComplete() && !isWriting());
    NoiseSymmetric trial = m_symmetric.copy();
    auto payload = m_next == 0 ? readFirst(trial, message)
        : m_next == 1          ? readSecond(trial, message)
                               : readThird(trial, message);
    if (!payload)
        return payload;
    m_symmetric = std::move(trial);
    ++m_next;
    return payload;
}

Result<Bytes> NoiseHandshake::readFirst(NoiseSymmetric& symmetric, ByteView message)
{
    if (auto enough = requireSize(message, kMessage1Bytes); !enough)
        return tl::unexpected<Error>(enough.error());
    m_remoteEphemeral = linkKeyAt(message);
    symmetric.mixHash(m_remoteEphemeral.bytes());
    auto payload = symmetric.decryptAndHash(message.subspan(kMessage1Bytes));
    return std::move(*payload); // in the clear: there is no key yet
}

Result<Bytes> NoiseHandshake::readSecond(NoiseSymmetric& symmetric, ByteView message)
{
    if (auto enough = requireSize(message, kMessage2Bytes); !enough)
        return tl::unexpected<Error>(enough.error());
    const LinkKey ephemeral = linkKeyAt(message);
    symmetric.mixHash(ephemeral.bytes());
    if (auto mixed = mixSecret(symmetric, m_ephemeral, ephemeral); !mixed)
        return tl::unexpected<Error>(mixed.error());
    const auto key = symmetric.decryptAndHash(message.subspan(32, 48));
    if (!key)
        return forged();
    const LinkKey remote = linkKeyAt(*key);
    if (auto mixed = mixSecret(symmetric, m_ephemeral, remote); !mixed)
        return tl::unexpected<Error>(mixed.error());
    auto payload = symmetric.decryptAndHash(message.subspan(80));
    if (!payload)
        return forged();
    m_remoteEphemeral = ephemeral;
    m_remoteStatic = remote;
    return std::move(*payload);
}

Result<Bytes> NoiseHandshake::readThird(NoiseSymmetric& symmetric, ByteView message)
{
    if (auto enough = requireSize(message, kMessage3Bytes); !enough)
        return tl::unexpected<Error>(enough.error());
    const auto key = symmetric.decryptAndHash(message.first(48));
    if (!key)
        return forged();
    const LinkKey remote = linkKeyAt(*key);
    if (auto mixed = mixSecret(symmetric, m_ephemeral, remote); !mixed)
        return tl::unexpected<Error>(mixed.error());
    auto payload = symmetric.decryptAndHash(message.subspan(48));
    if (!payload)
        return forged();
    m_remoteStatic = remote;
    return std::move(*payload);
}

SessionKeys NoiseHandshake::split() const
{
    STARLING_ASSERT(isComplete());
    auto [initiators, responders] = m_symmetric.split();
    if (m_role == Role::Initiator)
        return {std::move(initiators), std::move(responders)};
    return {std::move(responders), std::move(initiators)};
}

} // namespace starling::crypto
