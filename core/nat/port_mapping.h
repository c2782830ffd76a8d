// SPDX-License-Identifier: Apache-2.0
/// A port mapping: what a router was asked to pass on to this device, so that others call it. Not to be
/// confused with Mapping, which is what a NAT does by itself. Values only.
#pragma once

#include "base/endpoint.h"
#include "base/time.h"

#include <optional>
#include <string>
#include <string_view>

namespace starling::nat {

/// How a router is asked.
enum class PortMapMethod : std::uint8_t {
    Pcp, ///< Port Control Protocol, RFC 6887
    NatPmp, ///< NAT Port Mapping Protocol, RFC 6886: what was before
    Upnp, ///< UPnP's Internet Gateway Device, service WANIPConnection
};

struct PortMapping
{
    PortMapMethod method{};
    Endpoint external; ///< who sends there by UDP reaches this device
    bool hasTcp = false; ///< by TCP, too
    Duration lease{}; ///< as granted; 0: until it is deleted
    bool operator==(const PortMapping&) const = default;
};

/// What there is to be said of an agent's port mapping.
struct PortMapState
{
    enum class Kind : std::uint8_t {
        Off, ///< not wanted
        NotNeeded, ///< no private address of IPv4, or no router
        Asking,
        Held,
        None, ///< the router gives none; it is asked again from time to time
    } kind = Kind::Off;
    std::optional<PortMapping> mapping; ///< while it is Held, or being renewed
    bool isTold = false; ///< its address is among those that others are told
    std::uint64_t restSeconds = 0; ///< of the lease
    std::string trouble; ///< why there is none, or what is wrong with it; empty if nothing is
    bool operator==(const PortMapState&) const = default;
};

// Words for people and for JSON.
std::string_view nameOf(PortMapMethod method); ///< "NAT-PMP"
std::string_view nameOf(PortMapState::Kind kind); ///< "not-needed"

} // namespace starling::nat
