// SPDX-License-Identifier: Apache-2.0
/// Key files as bytes; whoever has a disk reads and writes them. Two forms: sealed with a passphrase
/// (XChaCha20-Poly1305 under Argon2id, header as associated data) for people's keys, plain for a device's own
/// key, because a device must start alone (trust.md, "Keys at rest"). Layouts at the top of key_file.cpp.
#pragma once

#include "crypto/signing.h"

#include <span>

namespace starling::crypto {

/// What opening a sealed key costs. Interactive is for tests and short-lived labs only.
enum class KdfCost : std::uint8_t {
    Interactive = 1, ///< 64 MiB, libsodium's crypto_pwhash_*_INTERACTIVE
    Moderate = 2, ///< 256 MiB, for keys used daily
    Sensitive = 3, ///< 1 GiB, for root keys
};

/// Bytes that are wiped when they go: passphrases.
class SecretText
{
public:
    explicit SecretText(std::string_view text);
    ~SecretText();
    SecretText(SecretText&&) noexcept;
    SecretText& operator=(SecretText&&) noexcept;
    ByteView bytes() const { return m_bytes; }
    bool isEmpty() const { return m_bytes.empty(); }

private:
    Bytes m_bytes;
};

Result<Bytes> sealKey(const SecretKey& key, const SecretText& passphrase, KdfCost cost);
Bytes plainKey(const SecretKey& key);

/// What a key file says without being opened.
struct KeyFileHeader
{
    KeyId id;
    bool isSealed = false;
};
/// Fails with KeyUnreadable if the bytes are no key file.
Result<KeyFileHeader> inspectKey(ByteView file);
/// Fails with WrongPassphrase, or KeyUnreadable for a damaged file or one that is not sealed.
Result<SecretKey> unsealKey(ByteView file, const SecretText& passphrase);
/// Fails with KeyUnreadable for a damaged or sealed file.
Result<SecretKey> openPlainKey(ByteView file);

} // namespace starling::crypto
