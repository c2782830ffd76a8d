// SPDX-License-Identifier: Apache-2.0
/// What others say of where a device's datagrams come from, put together: which of it is worth telling. Pure.
///
/// Each source has one vote for each family of addresses; one that is silent has none while others are heard:
/// the device may have moved away from where it saw it. Where sources see one address with several ports,
/// the mapping depends on who is spoken to, and a port that only one has seen is of no use to others.
#pragma once

#include "nat/behaviour.h"
#include "nat/port_forecast.h"

#include <map>
#include <span>

namespace starling::nat {

class Sightings
{
public:
    /// Names who saw it: a link, a server.
    enum class Source : std::uint64_t {};
    static constexpr std::size_t kMaxSources = 128; ///< as the overlay's neighbours; others are not heard
    static constexpr std::size_t kMaxMapped = 2; ///< for each family; guess: two uplinks

    /// Whether it shows that the device is elsewhere now: this source saw it at another endpoint before.
    bool note(Source source, const Endpoint& seen);
    void setSilent(Source source, bool isSilent);
    void forget(Source source);
    /// Addresses at which others may reach the device, those that most have seen first, at most kMaxMapped of
    /// each family; none of `locals`.
    std::vector<Endpoint> mapped(std::span<const Endpoint> locals) const;
    /// Whether somebody saw the device at this address, with whatever port; nothing if nobody saw any of its
    /// family.
    std::optional<bool> contains(const Endpoint& address) const;
    /// As far as it can be told from the sightings of IPv4, or of IPv6 if there are none.
    Mapping mapping(std::span<const Endpoint> locals) const;
    /// Where the NAT's ports are, if each destination has its own and they are counted up.
    std::optional<PortForecast> forecast() const;

private:
    struct Seen
    {
        std::optional<Endpoint> ipv4, ipv6;
        std::uint64_t since = 0; ///< the order in which sources saw these of IPv4
        bool isSilent = false;
        const std::optional<Endpoint>& of(bool isIpv4) const { return isIpv4 ? ipv4 : ipv6; }
    };
    std::map<Endpoint, std::size_t> votes(bool ofIpv4) const;
    std::map<Source, Seen> m_seen;
    std::uint64_t m_noted = 0;
};

} // namespace starling::nat
