// SPDX-License-Identifier: Apache-2.0
/// The uTP connections that there are between our libtorrent and one peer's, as their packets show them, and
/// RESETs (BEP 29) for those that one side has lost: libtorrent answers nothing to a packet of a connection
/// that it does not know, and whoever waits for it would wait until uTP gives up. Pure.
#pragma once

#include "tunnel/packet.h"

#include <vector>

namespace starling::tunnel {

/// Which of a tunnel's ends: our libtorrent, or the peer behind the link.
enum class Side : std::uint8_t { Swarm, Link };

class Connections
{
public:
    /// As many as libtorrent makes to all peers (Tunnel's Config::maxPeers); the oldest is forgotten first.
    static constexpr std::size_t kMax = 64;

    /// `from` sent a packet. False if it belongs to no connection that is known.
    bool note(Side from, const UtpHeader& header);
    /// Forgets all connections; what ends them at the side `towards`.
    std::vector<Bytes> end(Side towards);

private:
    /// A connection at one of its ends.
    struct End
    {
        std::uint16_t id = 0; ///< in what it is sent
        std::uint16_t number = 0; ///< of the last packet that it sent
        bool isHeard = false; ///< whether it has sent any
    };
    struct Connection
    {
        End swarm, link;
    };
    std::vector<Connection> m_all; ///< the newest last
};

/// What ends a connection at its other side, after a packet with `header` came of one that is not known.
/// Whoever opened a connection sends with its id plus one and the other with the id itself, so an id fits
/// two connections: one for each, of which one ends nothing. No answer to a RESET.
std::vector<Bytes> resetsFor(const UtpHeader& header);
/// The same where there is no tunnel to take `datagram`; nothing for what tells of no connection.
std::vector<Bytes> resetsFor(ByteView datagram);

} // namespace starling::tunnel
