// SPDX-License-Identifier: Apache-2.0
#include "nat/behaviour.h"

#include <algorithm>

namespace starling::nat {

Prospect prospectOf(const NatBehaviour& behaviour)
{
    if (!behaviour.mapped)
        return Prospect::Blocked;
    const bool isOpen = behaviour.filtering == Filtering::EndpointIndependent;
    switch (behaviour.mapping) {
    case Mapping::Unknown:
        return Prospect::Undecided;
    case Mapping::None:
        if (behaviour.filtering == Filtering::Unknown)
            return Prospect::Undecided;
        return isOpen ? Prospect::Open : Prospect::Firewalled;
    case Mapping::EndpointIndependent: // both sending works whatever the filter is, if it was not told
        return isOpen ? Prospect::Reachable : Prospect::Punched;
    case Mapping::AddressDependent:
    case Mapping::AddressAndPortDependent:
    case Mapping::Dependent:
        return behaviour.forecast ? Prospect::Predicted : Prospect::Relayed;
    }
    return Prospect::Undecided;
}

std::optional<Duration> keepaliveFor(const BindingLifetime& lifetime)
{
    if (!lifetime.lost)
        return std::nullopt;
    return std::max(kShortestKeepalive, lifetime.held / 9 * 8);
}

std::string_view nameOf(Mapping mapping)
{
    switch (mapping) {
    case Mapping::Unknown:
        return "unknown";
    case Mapping::None:
        return "none";
    case Mapping::EndpointIndependent:
        return "endpoint-independent";
    case Mapping::AddressDependent:
        return "address-dependent";
    case Mapping::AddressAndPortDependent:
        return "address-and-port-dependent";
    case Mapping::Dependent:
        return "endpoint-dependent";
    }
    return {};
}

std::string_view nameOf(Filtering filtering)
{
    switch (filtering) {
    case Filtering::Unknown:
        return "unknown";
    case Filtering::EndpointIndependent:
        return "endpoint-independent";
    case Filtering::AddressDependent:
        return "address-dependent";
    case Filtering::AddressAndPortDependent:
        return "address-and-port-dependent";
    }
    return {};
}

std::string_view nameOf(Prospect prospect)
{
    switch (prospect) {
    case Prospect::Open:
        return "open";
    case Prospect::Reachable:
        return "reachable";
    case Prospect::Punched:
        return "punched";
    case Prospect::Firewalled:
        return "firewalled";
    case Prospect::Predicted:
        return "predicted";
    case Prospect::Relayed:
        return "relayed";
    case Prospect::Undecided:
        return "undecided";
    case Prospect::Blocked:
        return "blocked";
    }
    return {};
}

std::string_view meaningOf(Prospect prospect)
{
    switch (prospect) {
    case Prospect::Open:
        return "Every device can call this one.";
    case Prospect::Reachable:
        return "This device is behind a NAT, and every device can call it at its mapped address.";
    case Prospect::Punched:
        return "This device is behind a NAT, and others reach it when both send at the same time.";
    case Prospect::Firewalled:
        return "This device is behind a firewall, and others reach it when both send at the same time.";
    case Prospect::Predicted:
        return "This device's NAT takes another port for each destination and counts them up: others reach "
               "it "
               "by trying the next ones, when both send at the same time.";
    case Prospect::Relayed:
        return "This device's NAT takes another port for each destination: only devices that everybody can "
               "call have a direct link with it, the others need a relay.";
    case Prospect::Undecided:
        return "The STUN servers that answered cannot tell how others reach this device.";
    case Prospect::Blocked:
        return "No STUN server answered this device: UDP does not get out, or the servers are down.";
    }
    return {};
}

std::string_view adviceOn(Prospect prospect)
{
    switch (prospect) {
    case Prospect::Open:
    case Prospect::Reachable:
        return {};
    case Prospect::Punched:
        return "Nothing need be done; if it shall help others to find each other, forward its UDP port to "
               "it.";
    case Prospect::Firewalled:
        return "Nothing need be done; if it shall help others to find each other, open its UDP port.";
    case Prospect::Predicted:
    case Prospect::Relayed:
        return "Forward its UDP port to it, or let it ask the router for a port mapping.";
    case Prospect::Undecided:
        return "Name a second STUN server, or one that has two addresses.";
    case Prospect::Blocked:
        return "Let UDP out to the servers; until then its links need TCP.";
    }
    return {};
}

} // namespace starling::nat
