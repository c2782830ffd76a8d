// SPDX-License-Identifier: Apache-2.0
/// What a control socket tells of how a node is linked: `starling peers` and `starling sessions`.
#pragma once

#include "control/messages.h"
#include "node/node.h"

namespace starling::agent {

control::PeersReply peersOf(const node::Node& node);
control::TcpState tcpOf(const node::Node& node);
/// Whoever is linked to a rendezvous, as it is now.
control::SessionsReply sessionsOf(const node::Node& node);

/// What a NAT does, by where a device is seen here and by what it says of itself: addresses of its own, and
/// those that most others see.
nat::Mapping mappingOf(const Endpoint& external, const std::vector<Endpoint>& told);

} // namespace starling::agent
