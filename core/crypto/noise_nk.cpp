// SPDX-License-Identifier: Apache-2.0
#include "crypto/noise_nk.h"

namespace starling::crypto {

namespace {

constexpr std::string_view kProtocol = "Noise_NK_25519_ChaChaPoly_BLAKE2b";

NoiseSymmetric begin(ByteView prologue, const LinkKey& responder)
{
    NoiseSymmetric symmetric(kProtocol, prologue);
    symmetric.mixHash(responder.bytes()); // the pre-message
    return symmetric;
}

Status mixSecret(NoiseSymmetric& symmetric, const LinkKeyPair& pair, const LinkKey& other)
{
    const auto secret = pair.agree(other);
    if (!secret)
        return fail(Errc::Refused, "a join exchange with a public key of small order");
    symmetric.mixKey(secret->bytes());
    return {};
}

/// e, and the one agreement that follows it in both messages.
Result<Bytes> writeMessage(NoiseSymmetric& symmetric, const LinkKeyPair& ephemeral, const LinkKey& other,
                           ByteView payload)
{
    symmetric.mixHash(ephemeral.publicKey().bytes());
    if (auto mixed = mixSecret(symmetric, ephemeral, other); !mixed)
        return tl::unexpected<Error>(mixed.error());
    Bytes message = toBytes(ephemeral.publicKey().bytes());
    append(message, symmetric.encryptAndHash(payload));
    return message;
}

struct Read
{
    LinkKey ephemeral;
    Bytes payload;
};

Result<Read> readMessage(NoiseSymmetric& symmetric, const LinkKeyPair& own, ByteView message)
{
    if (message.size() < kNkMessageBytes)
        return fail(Errc::Truncated, "join message of " + std::to_string(message.size()) + " bytes");
    const LinkKey ephemeral = *LinkKey::fromBytes(message.first(LinkKey::kSize));
    NoiseSymmetric trial = symmetric.copy();
    trial.mixHash(ephemeral.bytes());
    if (auto mixed = mixSecret(trial, own, ephemeral); !mixed)
        return tl::unexpected<Error>(mixed.error());
    auto payload = trial.decryptAndHash(message.subspan(LinkKey::kSize));
    if (!payload)
        return fail(Errc::BadSignature, "a join message does not authenticate");
    symmetric = std::move(trial);
    return Read{ephemeral, std::move(*payload)};
}

} // namespace

NkQuestion::NkQuestion(ByteView prologue, const LinkKey& responder, LinkKeyPair ephemeral)
    : m_responder(responder)
    , m_ephemeral(std::move(ephemeral))
    , m_symmetric(begin(prologue, responder))
{
}

Result<Bytes> NkQuestion::write(ByteView payload)
{
    return writeMessage(m_symmetric, m_ephemeral, m_responder, payload);
}

Result<Bytes> NkQuestion::read(ByteView message)
{
    auto read = readMessage(m_symmetric, m_ephemeral, message);
    if (!read)
        return tl::unexpected<Error>(read.error());
    return std::move(read->payload);
}

NkAnswer::NkAnswer(ByteView prologue, const LinkKeyPair& own, LinkKeyPair ephemeral)
    : m_own(own)
    , m_ephemeral(std::move(ephemeral))
    , m_symmetric(begin(prologue, own.publicKey()))
{
}

Result<Bytes> NkAnswer::read(ByteView message)
{
    auto read = readMessage(m_symmetric, m_own, message);
    if (!read)
        return tl::unexpected<Error>(read.error());
    m_remoteEphemeral = read->ephemeral;
    return std::move(read->payload);
}

Result<Bytes> NkAnswer::write(ByteView payload)
{
    return writeMessage(m_symmetric, m_ephemeral, m_remoteEphemeral, payload);
}

} // namespace starling::crypto
