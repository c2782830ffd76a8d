// SPDX-License-Identifier: Apache-2.0
/// Noise_NK_25519_ChaChaPoly_BLAKE2b (Noise Protocol Framework, revision 34): one question of somebody
/// unknown and one answer of somebody whose static key is known:
///
///     <- s
///     ...
///     -> e, es
///     <- e, ee
///
/// Both carry a payload under keys that only the holder of the static key can have made. The question can be
/// read by whoever learns that key later, and can be sent again by whoever saw it; the answer neither. Pure.
#pragma once

#include "crypto/noise.h"

namespace starling::crypto {

/// What a message of either side is longer than its payload.
constexpr std::size_t kNkMessageBytes = 48;

/// The side that asks. write(), then read().
class NkQuestion
{
public:
    NkQuestion(ByteView prologue, const LinkKey& responder, LinkKeyPair ephemeral);

    /// Refused if the responder's key has small order.
    Result<Bytes> write(ByteView payload);
    /// The answer's payload. Truncated, Refused, or BadSignature if it does not authenticate; then nothing
    /// changed, and the right one may still come.
    Result<Bytes> read(ByteView message);
    const Hash512& hash() const { return m_symmetric.hash(); }

private:
    LinkKey m_responder;
    LinkKeyPair m_ephemeral;
    NoiseSymmetric m_symmetric;
};

/// The side that answers. read(), then write().
class NkAnswer
{
public:
    /// `own` must outlive it.
    NkAnswer(ByteView prologue, const LinkKeyPair& own, LinkKeyPair ephemeral);

    /// The question's payload; fails as NkQuestion::read() does.
    Result<Bytes> read(ByteView message);
    Result<Bytes> write(ByteView payload);
    const Hash512& hash() const { return m_symmetric.hash(); }

private:
    const LinkKeyPair& m_own;
    LinkKeyPair m_ephemeral;
    LinkKey m_remoteEphemeral;
    NoiseSymmetric m_symmetric;
};

} // namespace starling::crypto
