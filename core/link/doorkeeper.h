// SPDX-License-Identifier: Apache-2.0
/// Decides who is worth the work and the memory of a handshake. When there are many, only those who prove
/// that they receive at the address from which they ask: they must echo a cookie, a keyed code of address and
/// port, for which nothing is kept here.
#pragma once

#include "base/endpoint.h"
#include "base/random.h"
#include "base/time.h"
#include "link/packet.h"

#include <optional>

namespace starling::link {

class Doorkeeper
{
public:
    static constexpr Duration kSecretLifetime = std::chrono::seconds(120); ///< trust.md
    /// Guesses. A handshake costs 0.3 ms (measured) and 2 KiB: this many cost 1 % of a core,
    static constexpr unsigned kFreePerSecond = 32;
    static constexpr std::size_t kFreeHalfOpen = 16;
    /// and this many, all with cookies, below a tenth. Others try again.
    static constexpr unsigned kMaxPerSecond = 256;

    explicit Doorkeeper(RandomSource& random);

    enum class Verdict : std::uint8_t { Answer, AskForCookie, Ignore };
    /// About one HELLO; `halfOpen` handshakes wait already for their FINISH. Whoever asks on a stream has
    /// proved where it is: it needs no cookie.
    Verdict judge(const Endpoint& from, const Cookie& cookie, std::size_t halfOpen, Instant now);
    Cookie cookieFor(const Endpoint& from, Instant now);

private:
    void renew(Instant now);
    RandomSource& m_random;
    crypto::Secret<32> m_secret, m_previous; ///< both are good: a cookie lives for one to two lifetimes
    std::optional<Instant> m_since;
    Instant m_second; ///< when the second that is counted began
    unsigned m_asked = 0, m_answered = 0; ///< in it
};

} // namespace starling::link
