// SPDX-License-Identifier: Apache-2.0
/// The join channel: what a device without a certificate may say to an agent whose link key it was told. One
/// question, one answer, a datagram each (Noise NK), beside those of packet.h on the same socket. Pure.
///
///     6 JOIN     cookie (16) from (8) Noise message 1 (1,144) code (16)     1,186 bytes
///                its payload: length (2), question, zeros
///     7 ANSWER   to (8) Noise message 2                                     at most 1,186 bytes
///                its payload: the answer
///
///     from, to   64 random bits that the device chose for this question
///     code       as of a HELLO: who does not know the fleet gets no answer, not even COOKIE
///     cookie     as of a HELLO: when many ask, COOKIE (type 4) says what the next JOIN must show
///
/// Nothing is kept of a question here, and no answer is longer than its question, wherever it came from. A
/// question that is sent again by somebody else is answered to them, under keys that they do not have.
#pragma once

#include "crypto/noise_nk.h"
#include "link/doorkeeper.h"

#include <functional>
#include <map>

namespace starling::link {

constexpr std::size_t kMaxQuestionBytes = kHelloBytes - 2 - 16 - 8 - 16 - crypto::kNkMessageBytes - 2;
constexpr std::size_t kMaxAnswerBytes = kHelloBytes - 2 - 8 - crypto::kNkMessageBytes;

/// The agent's side.
class JoinDesk
{
public:
    static constexpr Duration kPause = std::chrono::seconds(1); ///< trust.md: one a second per source
    /// Addresses remembered for so long; guess: a network of devices that start together, 32 KiB.
    static constexpr std::size_t kMaxSources = 1'024;

    /// What `question` from there is answered with, at most kMaxAnswerBytes; empty for silence.
    using Clerk = std::function<Bytes(const Endpoint& from, ByteView question)>;
    /// `own`, this agent's link key, and `random` must outlive it.
    JoinDesk(const FleetId& fleet, const crypto::LinkKeyPair& own, RandomSource& random, Clerk clerk);

    /// Whether it is a JOIN, for which links have no use.
    static bool isJoin(ByteView datagram);
    /// What to send back, if anything.
    std::optional<Bytes> onDatagram(const Endpoint& from, ByteView datagram, Instant now);

    struct Stats
    {
        std::uint64_t answered = 0, tooOften = 0, cookiesAsked = 0;
        std::uint64_t malformed = 0; ///< of strangers, damaged, or for another key
    };
    const Stats& stats() const { return m_stats; }

private:
    bool mayAsk(const Endpoint& from, Instant now);
    std::optional<Bytes> answer(const Endpoint& from, ByteView datagram);
    crypto::Secret<32> m_codeKey;
    Bytes m_prologue;
    PacketCodec m_codec;
    const crypto::LinkKeyPair& m_own;
    RandomSource& m_random;
    Clerk m_clerk;
    Doorkeeper m_doorkeeper;
    std::map<std::array<std::uint8_t, 16>, Instant> m_lastAsked; ///< by address, ports apart
    Stats m_stats;
};

/// The device's side.
class JoinAsker
{
public:
    /// `contact` is reached with `contactKey`; `random` must outlive it.
    JoinAsker(const FleetId& fleet, const LinkKey& contactKey, RandomSource& random);

    /// The datagram that asks `question`, of at most kMaxQuestionBytes. An earlier question is forgotten.
    /// Refused if the contact's key is none.
    Result<Bytes> ask(ByteView question);

    struct Heard
    {
        std::optional<Bytes> send; ///< the question again, with the cookie that was asked for
        std::optional<Bytes> answer; ///< to the question; it is over then
    };
    /// Whatever is not for this question is ignored.
    Heard onDatagram(ByteView datagram);

private:
    Bytes datagram(const Cookie& cookie) const;
    crypto::Secret<32> m_codeKey;
    Bytes m_prologue;
    PacketCodec m_codec;
    LinkKey m_contactKey;
    RandomSource& m_random;
    Token m_token{};
    std::optional<crypto::NkQuestion> m_noise; ///< while a question is open
    Bytes m_message;
    bool m_mayHurry = false; ///< a cookie is answered once
};

} // namespace starling::link
