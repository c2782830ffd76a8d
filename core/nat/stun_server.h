// SPDX-License-Identifier: Apache-2.0
/// Answers STUN binding requests (RFC 8489 sections 6.3 and 12), and those of behaviour discovery where it
/// has a second address and port (RFC 5780 section 6). One datagram in, at most one out; nothing is kept but
/// who asked how often. Pure.
///
/// Departures: PADDING is answered by as much as came, not by an MTU, and answers name no SOFTWARE; both
/// would send more to a victim than its forged question cost.
#pragma once

#include "nat/datagram.h"
#include "nat/source_bounds.h"

namespace starling::nat {

/// Which of the server's four sockets: bit 0 is the alternate port, bit 1 the alternate address.
constexpr Socket stunServerSocket(bool hasOtherAddress, bool hasOtherPort)
{
    return static_cast<Socket>((hasOtherAddress ? 2 : 0) | (hasOtherPort ? 1 : 0));
}

class StunServer
{
public:
    struct Config
    {
        /// Where the main socket is reached by others; without it answers have no RESPONSE-ORIGIN.
        std::optional<Endpoint> primary;
        /// Another address with another port, of the same family. With it there are four sockets, and all
        /// that RFC 5780 says; without it, one, and CHANGE-REQUEST is refused.
        std::optional<Endpoint> alternate;
        SourceBounds::Config bounds;
    };
    struct Stats
    {
        std::uint64_t answered = 0; ///< by success
        std::uint64_t refused = 0; ///< by an error
        std::uint64_t ignored = 0; ///< not a binding request, or malformed
        std::uint64_t overBounds = 0; ///< requests that went unanswered because there were too many
    };

    /// ConfigInvalid if `alternate` stands alone, or shares address or port with `primary`, or is of another
    /// family.
    static Status validate(const Config& config);
    /// The configuration must be valid.
    explicit StunServer(Config config);

    std::optional<SendDatagram> handle(const DatagramReceived& received, Instant now);
    const Stats& stats() const { return m_stats; }

private:
    bool isOwn(const Endpoint& from) const;
    Endpoint endpointOf(Socket socket) const;
    StunMessage answerTo(const StunMessage& request, const DatagramReceived& received) const;

    Config m_config;
    SourceBounds m_bounds;
    Stats m_stats;
};

} // namespace starling::nat
