// SPDX-License-Identifier: Apache-2.0
// Both forms begin alike (integers are single bytes):
//
//     0   12  "starling-key"
//    12    1  version of the layout: 1
//    13    1  form: 0 plain, 1 sealed
//    14    1  KdfCost: 1 to 3; 0 if plain
//    15    1  0
//    16   32  public key
//
// plain, 88 bytes:                        sealed, 144 bytes:
//    48   32  seed                           48   16  salt of Argon2id
//    80    8  checksum                       64   24  nonce of XChaCha20-Poly1305
//                                            88   48  the seed, sealed; bytes 0 to 87 are associated data
//                                           136    8  checksum
//
// The checksum is the beginning of SHA-256 of all before it. It protects nothing: it tells a damaged file
// from a wrong passphrase, and does so before the expensive key derivation.
#include "crypto/key_file.h"

#include "base/assert.h"
#include "crypto/sha256.h"

#include <sodium.h>

namespace starling::crypto {

namespace {

constexpr std::string_view kMagic = "starling-key";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kPlain = 0;
constexpr std::uint8_t kSealed = 1;
constexpr std::size_t kCommonSize = 48;
constexpr std::size_t kChecksumSize = 8;
constexpr std::size_t kSaltSize = crypto_pwhash_SALTBYTES;
constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kHeaderSize = kCommonSize + kSaltSize + kNonceSize;
constexpr std::size_t kSealedSeedSize = SecretKey::kSeedSize + crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kPlainFileSize = kCommonSize + SecretKey::kSeedSize + kChecksumSize;
constexpr std::size_t kSealedFileSize = kHeaderSize + kSealedSeedSize + kChecksumSize;
static_assert(kPlainFileSize == 88 && kSealedFileSize == 144);

/// Guess: longer than anybody types; a file given by mistake for a passphrase is noticed.
constexpr std::size_t kMaxPassphraseBytes = 1024;

/// Argon2id's parameters. The file names a row, never numbers, so a hostile file cannot ask for more than the
/// last one. Written out, not libsodium's macros, because they are part of the file format.
struct Argon2Parameters
{
    unsigned long long passes;
    std::size_t memory;
};

Argon2Parameters parametersOf(KdfCost cost)
{
    static constexpr std::size_t kMebibyte = 1024 * 1024;
    switch (cost) {
    case KdfCost::Interactive:
        return {2, 64 * kMebibyte};
    case KdfCost::Moderate:
        return {3, 256 * kMebibyte};
    case KdfCost::Sensitive:
        break;
    }
    return {4, 1024 * kMebibyte};
}

/// A secret on the stack that is wiped when it goes.
template <std::size_t Size> class WipedArray
{
public:
    WipedArray() = default;
    ~WipedArray() { sodium_memzero(m_bytes.data(), m_bytes.size()); }
    WipedArray(const WipedArray&) = delete;
    WipedArray& operator=(const WipedArray&) = delete;

    unsigned char* data() { return m_bytes.data(); }
    ByteView bytes() const { return std::as_bytes(std::span(m_bytes)); }

private:
    std::array<unsigned char, Size> m_bytes{};
};

using CipherKey = WipedArray<crypto_aead_xchacha20poly1305_ietf_KEYBYTES>;

const unsigned char* raw(ByteView bytes)
{
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// False if there is not enough memory.
[[nodiscard]] bool derive(CipherKey& key, const SecretText& passphrase, ByteView salt, KdfCost cost)
{
    STARLING_ASSERT(salt.size() == kSaltSize);
    const Argon2Parameters parameters = parametersOf(cost);
    const ByteView text = passphrase.bytes();
    return crypto_pwhash(key.data(), key.bytes().size(), reinterpret_cast<const char*>(text.data()),
                         text.size(), raw(salt), parameters.passes, parameters.memory,
                         crypto_pwhash_ALG_ARGON2ID13)
        == 0;
}

void writeCommon(ByteWriter& writer, const KeyId& id, std::uint8_t form, std::uint8_t cost)
{
    writer.raw(viewOf(kMagic));
    writer.u8(kVersion);
    writer.u8(form);
    writer.u8(cost);
    writer.u8(0);
    writer.raw(id.bytes());
}

Bytes withChecksum(Bytes file)
{
    const Digest digest = sha256(file);
    append(file, digest.bytes().first(kChecksumSize));
    return file;
}

/// A key file taken apart; the views are into it.
struct Parts
{
    KeyId id;
    std::uint8_t form = kPlain;
    KdfCost cost = KdfCost::Interactive;
    ByteView header; ///< associated data of a sealed seed
    ByteView salt;
    ByteView nonce;
    ByteView seed; ///< sealed or plain
};

Result<Parts> parse(ByteView file)
{
    ByteReader reader(file);
    const ByteView magic = reader.raw(kMagic.size());
    const std::uint8_t version = reader.u8();
    const std::uint8_t form = reader.u8();
    const std::uint8_t cost = reader.u8();
    const std::uint8_t reserved = reader.u8();
    const ByteView publicKey = reader.raw(KeyId::kSize);
    if (!reader.isGood() || !std::equal(magic.begin(), magic.end(), viewOf(kMagic).begin()))
        return fail(Errc::KeyUnreadable, "not a key file");
    if (version != kVersion)
        return fail(Errc::KeyUnreadable, "key file of version " + std::to_string(version) + ", this is 1");
    if (form > kSealed || file.size() != (form == kSealed ? kSealedFileSize : kPlainFileSize))
        return fail(Errc::KeyUnreadable, "damaged key file: form and size do not match");
    const bool isCostValid = form == kSealed ? cost >= 1 && cost <= 3 : cost == 0;
    if (!isCostValid || reserved != 0)
        return fail(Errc::KeyUnreadable, "damaged key file: impossible header");
    const ByteView content = file.first(file.size() - kChecksumSize);
    const Digest digest = sha256(content);
    if (!std::equal(digest.bytes().begin(), digest.bytes().begin() + kChecksumSize,
                    file.end() - kChecksumSize))
        return fail(Errc::KeyUnreadable, "damaged key file: wrong checksum");
    auto id = KeyId::fromBytes(publicKey);
    if (!id)
        return fail(Errc::KeyUnreadable, std::move(id.error().context));
    Parts parts{*id, form, {}, {}, {}, {}, {}};
    if (form == kPlain) {
        parts.seed = reader.raw(SecretKey::kSeedSize);
        return parts;
    }
    parts.cost = static_cast<KdfCost>(cost);
    parts.header = file.first(kHeaderSize);
    parts.salt = reader.raw(kSaltSize);
    parts.nonce = reader.raw(kNonceSize);
    parts.seed = reader.raw(kSealedSeedSize);
    return parts;
}

/// The key of `seed`, if it is the one that the file says it is.
Result<SecretKey> keyOf(ByteView seed, const KeyId& id)
{
    auto key = SecretKey::fromSeed(seed);
    if (key && key->id() != id)
        return fail(Errc::KeyUnreadable, "damaged key file: the secret is not that of key " + id.shortHex());
    return key;
}

} // namespace

SecretText::SecretText(std::string_view text)
    : m_bytes(toBytes(text))
{
}

SecretText::~SecretText()
{
    sodium_memzero(m_bytes.data(), m_bytes.size());
}

SecretText::SecretText(SecretText&&) noexcept = default;

SecretText& SecretText::operator=(SecretText&& other) noexcept
{
    // Swapped, so that the other's destructor wipes what was held here.
    std::swap(m_bytes, other.m_bytes);
    return *this;
}

Result<Bytes> sealKey(const SecretKey& key, const SecretText& passphrase, KdfCost cost)
{
    if (passphrase.isEmpty())
        return fail(Errc::Usage, "an empty passphrase protects nothing");
    if (passphrase.bytes().size() > kMaxPassphraseBytes)
        return fail(Errc::Usage, "passphrase longer than 1,024 bytes");
    SystemRandom random;
    std::array<std::byte, kSaltSize> salt{};
    std::array<std::byte, kNonceSize> nonce{};
    random.fill(salt);
    random.fill(nonce);
    ByteWriter writer;
    writeCommon(writer, key.id(), kSealed, static_cast<std::uint8_t>(cost));
    writer.raw(salt);
    writer.raw(nonce);
    Bytes file = writer.take();
    STARLING_ASSERT(file.size() == kHeaderSize);

    CipherKey cipherKey;
    if (!derive(cipherKey, passphrase, salt, cost))
        return fail(Errc::Io, "not enough memory to seal a key");
    std::array<std::byte, kSealedSeedSize> sealed{};
    STARLING_ASSERT(crypto_aead_xchacha20poly1305_ietf_encrypt(
                        reinterpret_cast<unsigned char*>(sealed.data()), nullptr, raw(key.seed()),
                        key.seed().size(), raw(file), file.size(), nullptr, raw(nonce), cipherKey.data())
                    == 0);
    append(file, sealed);
    return withChecksum(std::move(file));
}

Bytes plainKey(const SecretKey& key)
{
    ByteWriter writer;
    writeCommon(writer, key.id(), kPlain, 0);
    writer.raw(key.seed());
    return withChecksum(writer.take());
}

Result<KeyFileHeader> inspectKey(ByteView file)
{
    auto parts = parse(file);
    if (!parts)
        return tl::unexpected<Error>(std::move(parts.error()));
    return KeyFileHeader{parts->id, parts->form == kSealed};
}

Result<SecretKey> unsealKey(ByteView file, const SecretText& passphrase)
{
    auto parts = parse(file);
    if (!parts)
        return tl::unexpected<Error>(std::move(parts.error()));
    if (parts->form != kSealed)
        return fail(Errc::KeyUnreadable, "key " + parts->id.shortHex() + " is not sealed with a passphrase");
    if (passphrase.isEmpty() || passphrase.bytes().size() > kMaxPassphraseBytes)
        return fail(Errc::WrongPassphrase, "for key " + parts->id.shortHex());
    CipherKey cipherKey;
    if (!derive(cipherKey, passphrase, parts->salt, parts->cost))
        return fail(Errc::KeyUnreadable,
                    "not enough memory to open key " + parts->id.shortHex() + " ("
                        + std::to_string(parametersOf(parts->cost).memory / (1024 * 1024)) + " MiB)");
    WipedArray<SecretKey::kSeedSize> seed;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(seed.data(), nullptr, nullptr, raw(parts->seed),
                                                   parts->seed.size(), raw(parts->header),
                                                   parts->header.size(), raw(parts->nonce), cipherKey.data())
        != 0)
        return fail(Errc::WrongPassphrase, "for key " + parts->id.shortHex());
    return keyOf(seed.bytes(), parts->id);
}

Result<SecretKey> openPlainKey(ByteView file)
{
    auto parts = parse(file);
    if (!parts)
        return tl::unexpected<Error>(std::move(parts.error()));
    if (parts->form != kPlain)
        return fail(Errc::KeyUnreadable, "key " + parts->id.shortHex() + " is sealed with a passphrase");
    return keyOf(parts->seed, parts->id);
}

} // namespace starling::crypto
