// SPDX-License-Identifier: Apache-2.0
#include "swarm/fleet_dht_lt.h"

#include "swarm/endpoint_lt.h"

#include <libtorrent/torrent_handle.hpp>

namespace starling::swarm {

using lt::settings_pack;

bool hasDht(const Config& config)
{
    return config.admission == Admission::Open && config.dht == Dht::Fleet;
}

void enableDht(settings_pack& pack)
{
    pack.set_bool(settings_pack::enable_dht, true);
    // Devices of a site share an address or a prefix. Against one host that plays many nodes an open swarm
    // has no defence anyway: what the DHT names are peers, and payload is verified.
    pack.set_bool(settings_pack::dht_restrict_routing_ips, false);
    pack.set_bool(settings_pack::dht_restrict_search_ips, false);
    // Guesses: releases that are about, and peers of each that strangers are told of.
    pack.set_int(settings_pack::dht_max_torrents, 256);
    pack.set_int(settings_pack::dht_max_peers, 128);
    pack.set_int(settings_pack::dht_max_dht_items, 0); // BEP 44 is nobody's business here
}

void meetNodes(lt::session& session, const std::vector<Endpoint>& nodes)
{
    for (const Endpoint& node : nodes)
        session.add_dht_node({toLibtorrent(node).address().to_string(), node.port});
    for (const lt::torrent_handle& torrent : session.get_torrents())
        torrent.force_dht_announce();
}

} // namespace starling::swarm
