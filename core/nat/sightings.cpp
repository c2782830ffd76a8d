// SPDX-License-Identifier: Apache-2.0
#include "nat/sightings.h"

#include "nat/datagram.h"

#include <algorithm>

namespace starling::nat {

namespace {

using Votes = std::map<Endpoint, std::size_t>;

/// Sightings of the same address with any port.
std::size_t rivals(const Votes& votes, const Endpoint& endpoint)
{
    return static_cast<std::size_t>(std::count_if(votes.begin(), votes.end(), [&](const auto& vote) {
        return vote.first.address == endpoint.address && vote.first.port != endpoint.port;
    }));
}

} // namespace

bool Sightings::note(Source source, const Endpoint& seen)
{
    if (!isUnicast(seen) || (m_seen.size() == kMaxSources && !m_seen.contains(source)))
        return false;
    Seen& held = m_seen[source];
    const std::optional<Endpoint> before = held.of(seen.isIpv4());
    if (seen.isIpv4() && before != seen)
        held.since = ++m_noted;
    (seen.isIpv4() ? held.ipv4 : held.ipv6) = seen;
    held.isSilent = false; // it was just heard
    return before.has_value() && before != seen;
}

void Sightings::setSilent(Source source, bool isSilent)
{
    if (const auto found = m_seen.find(source); found != m_seen.end())
        found->second.isSilent = isSilent;
}

void Sightings::forget(Source source)
{
    m_seen.erase(source);
}

Votes Sightings::votes(bool ofIpv4) const
{
    Votes heard, all;
    for (const auto& [source, seen] : m_seen)
        if (const auto& endpoint = seen.of(ofIpv4)) {
            ++all[*endpoint];
            if (!seen.isSilent)
                ++heard[*endpoint];
        }
    return heard.empty() ? all : heard; // where nobody is heard, the last that was known
}

std::vector<Endpoint> Sightings::mapped(std::span<const Endpoint> locals) const
{
    std::vector<Endpoint> mapped;
    for (const bool ofIpv4 : {true, false}) {
        const Votes all = votes(ofIpv4);
        std::vector<std::pair<std::size_t, Endpoint>> ranked;
        for (const auto& [endpoint, count] : all) {
            const bool isLocal = std::find(locals.begin(), locals.end(), endpoint) != locals.end();
            const bool isForOneOnly = count == 1 && rivals(all, endpoint) > 0;
            if (!isLocal && !isForOneOnly)
                ranked.emplace_back(count, endpoint);
        }
        std::stable_sort(ranked.begin(), ranked.end(),
                         [](const auto& a, const auto& b) { return a.first > b.first; });
        for (std::size_t i = 0; i < ranked.size() && i < kMaxMapped; ++i)
            mapped.push_back(ranked[i].second);
    }
    return mapped;
}

std::optional<bool> Sightings::contains(const Endpoint& address) const
{
    const Votes all = votes(address.isIpv4());
    if (all.empty())
        return std::nullopt;
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& vote) { return vote.first.address == address.address; });
}

Mapping Sightings::mapping(std::span<const Endpoint> locals) const
{
    const Votes ipv4 = votes(true);
    const Votes all = ipv4.empty() ? votes(false) : ipv4;
    if (all.empty())
        return Mapping::Unknown;
    const auto most = std::max_element(all.begin(), all.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (std::find(locals.begin(), locals.end(), most->first) != locals.end())
        return Mapping::None;
    if (most->second > 1)
        return Mapping::EndpointIndependent;
    return rivals(all, most->first) > 0 ? Mapping::Dependent : Mapping::Unknown;
}

std::optional<PortForecast> Sightings::forecast() const
{
    std::map<std::uint64_t, Endpoint> inOrder;
    for (const auto& [source, seen] : m_seen)
        if (seen.ipv4)
            inOrder.emplace(seen.since, *seen.ipv4);
    std::vector<Endpoint> readings;
    for (const auto& [since, endpoint] : inOrder)
        readings.push_back(endpoint);
    return forecastPorts(readings);
}

} // namespace starling::nat
