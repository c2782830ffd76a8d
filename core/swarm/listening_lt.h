// SPDX-License-Identifier: Apache-2.0
/// Waits for a libtorrent session's sockets. Private to core/swarm.
#pragma once

#include "swarm/swarm.h"

#include <libtorrent/session.hpp>

namespace starling::swarm {

struct Ports
{
    std::uint16_t inner = 0; ///< uTP on loopback
    std::uint16_t open = 0; ///< TCP, for foreign clients
};

/// Waits until all that the configuration wants listens. Fails with PortInUse or Io.
Result<Ports> awaitListening(lt::session& session, const Config& config);

} // namespace starling::swarm
