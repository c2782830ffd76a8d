// SPDX-License-Identifier: Apache-2.0
/// BitTorrent's DHT with agents as each other's nodes. Private to core/swarm.
#pragma once

#include "swarm/swarm.h"

#include <libtorrent/session.hpp>

namespace starling::swarm {

/// Whether the session has a DHT at all.
bool hasDht(const Config& config);
void enableDht(lt::settings_pack& pack);
/// Introduces nodes, and announces all torrents to those that are known.
void meetNodes(lt::session& session, const std::vector<Endpoint>& nodes);

} // namespace starling::swarm
