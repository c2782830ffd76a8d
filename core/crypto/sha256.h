// SPDX-License-Identifier: Apache-2.0
/// SHA-256 (FIPS 180-4) by libcrypto, which uses the processor's instructions.
#pragma once

#include "base/ids.h"

#include <memory>

namespace starling::crypto {

/// Hashes in pieces. After finish() it starts anew.
class Sha256
{
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(ByteView bytes);
    Digest finish();

private:
    struct Context;
    std::unique_ptr<Context> m_context;
};

Digest sha256(ByteView bytes);
/// SHA-256 of two digests one after the other: the inner node of a merkle tree (BEP 52). Sets up no
/// context for each call.
Digest sha256(const Digest& left, const Digest& right);

} // namespace starling::crypto
