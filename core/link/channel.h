// SPDX-License-Identifier: Apache-2.0
/// Seals and opens the frames of one session: counters as nonces, no datagram twice, and a new key each hour
/// or 2^32 datagrams, whichever is first. A new key is Noise's REKEY of the one before, tagged by its epoch;
/// counters go on. So a key that is stolen opens nothing older than an hour.
#pragma once

#include "base/time.h"
#include "link/authenticator.h"
#include "link/frame.h"
#include "link/packet.h"
#include "link/replay_window.h"

#include <optional>

namespace starling::link {

class Channel
{
public:
    struct Lifetime
    {
        Duration time = std::chrono::hours(1); ///< trust.md
        std::uint64_t datagrams = std::uint64_t(1) << 32; ///< far below what the cipher bears
    };

    Channel(crypto::SessionKeys keys, Lifetime lifetime, Instant now);

    /// A whole SEALED datagram.
    Bytes seal(Token to, const Frame& frame, Instant now);
    /// The same with the bytes of a frame.
    Bytes sealBytes(Token to, ByteView frame, Instant now);
    /// The bytes of a frame. BadSignature if it does not authenticate, Refused if it came before or is too
    /// old to tell.
    Result<Bytes> open(const Sealed& sealed, Instant now);
    /// Whether a datagram that came before is what came then, rather than a forgery with its counter.
    bool isAuthentic(const Sealed& sealed);

private:
    ByteWriter begin(Token to, Instant now);
    Bytes finish(ByteWriter& writer);
    const crypto::CipherKey* receivingKey(std::uint8_t epoch);
    void advanceReceiving(Instant now);

    Lifetime m_lifetime;
    crypto::CipherKey m_sending, m_receiving;
    std::optional<crypto::CipherKey> m_nextReceiving; ///< made when somebody seems to use it
    std::optional<crypto::CipherKey> m_previousReceiving; ///< for datagrams that were overtaken
    std::uint8_t m_sendingEpoch = 0, m_receivingEpoch = 0;
    std::uint64_t m_counter = 0; ///< of the next datagram
    std::uint64_t m_firstCounter = 0; ///< of this epoch
    Instant m_sendingSince, m_receivingSince;
    ReplayWindow m_window;
};

} // namespace starling::link
