// SPDX-License-Identifier: Apache-2.0
/// How our libtorrent session differs from libtorrent's own idea of one. Private to core/swarm.
#pragma once

#include "swarm/swarm.h"

#include <libtorrent/ip_filter.hpp>
#include <libtorrent/settings_pack.hpp>

namespace starling::swarm {

/// Where every session listens, whoever may reach it elsewhere: uTP, on a port that the system chooses. Not
/// 127.0.0.1, where tests and demonstrations put what others are to reach.
inline const Endpoint kInnerListen = Endpoint::ipv4(127, 0, 0, 2, 0);

lt::settings_pack sessionSettings(const Config& config);

/// Writes the two limits into `settings`; a limit over libtorrent's range is none.
void setRateLimits(lt::settings_pack& settings, BytesPerSecond upload, BytesPerSecond download);

/// Puts every address into the global peer class. libtorrent's default puts loopback and private networks
/// into a class without limits, and a fleet's uplink is most often behind just such addresses.
lt::ip_filter everyoneInGlobalClass();

} // namespace starling::swarm
