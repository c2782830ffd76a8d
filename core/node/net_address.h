// SPDX-License-Identifier: Apache-2.0
/// Between Qt's addresses and ours.
#pragma once

#include "node/source_choice.h"

#include <QHostAddress>
#include <optional>
#include <string_view>
#include <vector>

namespace starling::node {

QHostAddress toQt(const Endpoint& endpoint);
Endpoint fromQt(const QHostAddress& address, quint16 port);

/// Where others may reach a socket bound to `listen`: that address, or every address of this machine's
/// interfaces but loopback and link-local ones if it is the unspecified address. At most 8
/// (trust::Descriptor).
std::vector<Endpoint> reachableAddresses(const Endpoint& listen);

/// The gateway of the default route in `routes`, lines as of /proc/net/route (proc(5)), with port 0; that of
/// the least metric if there are several.
std::optional<Endpoint> gatewayIn(std::string_view routes);
/// This machine's, as it is now. Of IPv4.
std::optional<Endpoint> defaultGateway();
/// Where a socket bound to `listen` is in the gateway's network; nothing if it is not there.
std::optional<Endpoint> addressTowards(const Endpoint& gateway, const Endpoint& listen);

/// The networks that this machine is in, but for loopback and tunnels between two machines. At most 16.
std::vector<Subnet> ownSubnets();
/// Whether `endpoint` is in one of them.
bool isInOwnNetwork(const Endpoint& endpoint);

} // namespace starling::node
