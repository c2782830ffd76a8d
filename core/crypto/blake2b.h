// SPDX-License-Identifier: Apache-2.0
/// BLAKE2b (RFC 7693) by libsodium: the hash of Noise, and keyed codes over small things.
#pragma once

#include "crypto/secret.h"

#include <initializer_list>

namespace starling::crypto {

using Hash512 = std::array<std::byte, 64>;
using Code128 = std::array<std::byte, 16>;

/// BLAKE2b-512 over the parts, one after the other.
Hash512 blake2b(std::initializer_list<ByteView> parts);
/// HMAC (RFC 2104) with BLAKE2b-512, as the Noise specification asks for (section 4.3), over the parts.
/// `key` is a hash: at most 64 bytes, which is less than the block of 128.
Secret<64> hmacBlake2b(ByteView key, std::initializer_list<ByteView> parts);

/// A key of its own for each purpose. `purpose` is the personalisation (RFC 7693 calls it so), at most 16
/// characters; `key` has 16 to 64 bytes.
Secret<32> deriveKey(ByteView key, std::string_view purpose);
/// 128 bits of keyed BLAKE2b over `message`.
Code128 authenticationCode(ByteView key, ByteView message);
/// In the same time whatever differs.
bool isEqual(const Code128& a, ByteView b);

} // namespace starling::crypto
