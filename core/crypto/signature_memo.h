// SPDX-License-Identifier: Apache-2.0
/// Verdicts on signatures that were verified before: for simulations, where thousands of nodes in one process
/// verify the same signature. Whatever it says, verify() has said of those very bytes. Pure.
#pragma once

#include "crypto/signing.h"

#include <cstring>
#include <unordered_map>

namespace starling::crypto {

class SignatureMemo
{
public:
    /// As crypto::verify, which it asks the first time.
    Status verify(const KeyId& key, ByteView message, const Signature& signature);

private:
    static constexpr std::size_t kMaxVerdicts = 1'000'000; ///< about 100 MB; then it starts anew
    struct Place
    {
        std::size_t operator()(const Digest& digest) const
        {
            std::size_t place = 0;
            std::memcpy(&place, digest.bytes().data(), sizeof place);
            return place;
        }
    };
    std::unordered_map<Digest, bool, Place> m_verdicts; ///< by the SHA-256 of key, signature and message
};

} // namespace starling::crypto
