// SPDX-License-Identifier: Apache-2.0
/// What is between a device and others, in the words of RFC 4787, and what that means for it. Values only.
#pragma once

#include "base/endpoint.h"
#include "base/time.h"
#include "nat/port_forecast.h"

#include <optional>
#include <string_view>
#include <vector>

namespace starling::nat {

/// Which destinations see the same address and port of the device (RFC 4787 section 4.1).
enum class Mapping : std::uint8_t {
    Unknown, ///< too few servers answered
    None, ///< no NAT: others see an address of the device itself
    EndpointIndependent, ///< all destinations
    AddressDependent, ///< all ports of one address
    AddressAndPortDependent, ///< each has its own
    /// One of the two before: servers at different addresses see different ones, and none has a second
    /// address.
    Dependent,
};

/// From where the device is reached once it has sent something (RFC 4787 section 5).
enum class Filtering : std::uint8_t {
    Unknown, ///< no server that answered has a second address
    EndpointIndependent, ///< from anywhere
    AddressDependent, ///< from all ports of an address that it has sent to
    AddressAndPortDependent, ///< from where it has sent to
};

/// How long a NAT or firewall keeps a binding through which nothing passes.
struct BindingLifetime
{
    Duration held{}; ///< the longest silence after which the binding was still there
    std::optional<Duration> lost; ///< the shortest after which it was not; none: it held as long as was tried
    bool operator==(const BindingLifetime&) const = default;
};

struct NatBehaviour
{
    Mapping mapping = Mapping::Unknown;
    Filtering filtering = Filtering::Unknown;
    std::optional<Endpoint> mapped; ///< as others see it, those who were asked first; none: nobody answered
    bool keepsPort = false; ///< the mapped port is the device's own
    /// Of a mapping that depends on who is spoken to: where its ports are, if they are counted up.
    std::optional<PortForecast> forecast = {};
    std::vector<Endpoint> answered; ///< servers that did, in the order asked
    std::vector<Endpoint> outvoted; ///< servers that saw another address than most: they err, or lie
    bool operator==(const NatBehaviour&) const = default;
};

/// How others come to a device.
enum class Prospect : std::uint8_t {
    Open, ///< by themselves
    Reachable, ///< by themselves, at the mapped address, while the binding is kept
    Punched, ///< when both send at the same time, behind a NAT
    Firewalled, ///< when both send at the same time, through a firewall without NAT
    Predicted, ///< the same, behind a NAT whose next port others have to guess
    Relayed, ///< through a relay, but for those who are reachable themselves
    Undecided, ///< too few servers answered to tell
    Blocked, ///< not by UDP
};

Prospect prospectOf(const NatBehaviour& behaviour);

/// Below this a binding is not kept open. Guess: links of five cost 72 B/s then, and a NAT that forgets
/// sooner than twice as fast as the strictest that are sold is left to relays and TCP.
constexpr Duration kShortestKeepalive = std::chrono::seconds(5);
/// How often something must be sent through a binding that lives so long: an eighth before the longest
/// silence that it has survived, since one side of a link waits for an eighth longer (link/session.cpp).
/// Nothing if it held as long as was tried.
std::optional<Duration> keepaliveFor(const BindingLifetime& lifetime);

// Words for people and for JSON.
std::string_view nameOf(Mapping mapping); ///< "endpoint-independent"
std::string_view nameOf(Filtering filtering);
std::string_view nameOf(Prospect prospect); ///< "punched"
/// One sentence: what it means for this device.
std::string_view meaningOf(Prospect prospect);
/// One sentence: what somebody can do about it; empty if nothing is to be done.
std::string_view adviceOn(Prospect prospect);

} // namespace starling::nat
