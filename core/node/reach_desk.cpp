// SPDX-License-Identifier: Apache-2.0
#include "node/reach_desk.h"

#include "link/frame.h"
#include "link/ways.h"

#include <algorithm>

namespace starling::node {

namespace {

/// Between two questions to servers. Guess: links notice sooner; this is for who has none.
constexpr Duration kAskInterval = std::chrono::minutes(5);
/// Between two times that all links are made to speak because one says that we are elsewhere. Guess: some
/// 60 bytes for each link, and a neighbour that says something else each time is no reason for more.
constexpr Duration kProbeInterval = std::chrono::seconds(5);
/// Whether others see another port each.
bool isDependent(nat::Mapping mapping)
{
    return mapping == nat::Mapping::Dependent || mapping == nat::Mapping::AddressDependent
        || mapping == nat::Mapping::AddressAndPortDependent;
}

/// No link has this number.
constexpr nat::Sightings::Source kServers{~std::uint64_t(0)};

} // namespace

bool isPrivate(const Endpoint& endpoint)
{
    const auto& a = endpoint.address;
    if (!endpoint.isIpv4())
        return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || endpoint.isLoopback();
    return a[12] == 10 || (a[12] == 172 && (a[13] & 0xf0) == 16) || (a[12] == 192 && a[13] == 168)
        || (a[12] == 100 && (a[13] & 0xc0) == 64) || (a[12] == 169 && a[13] == 254) || a[12] == 127;
}

ReachDesk::ReachDesk(Services services)
    : m_services(std::move(services))
{
}

void ReachDesk::ask(std::vector<Endpoint> stunServers)
{
    m_servers = std::move(stunServers);
    ++m_generation;
    if (m_servers.empty())
        m_sightings.forget(kServers);
    tellLinks();
    askAgain(m_generation);
}

void ReachDesk::askAgain(std::uint64_t generation)
{
    if (generation != m_generation || m_servers.empty())
        return;
    m_services.timers.schedule(kAskInterval, [this, generation] { askAgain(generation); });
    m_services.nat.check(m_servers, m_services.locals(), [this](const Result<NatDesk::Found>& found) {
        if (!found || !found->behaviour.mapped)
            return m_sightings.forget(kServers);
        m_found = found->behaviour.mapping;
        const auto& forecast = found->behaviour.forecast;
        noteSeen(kServers, forecast ? forecast->last : *found->behaviour.mapped);
        if (forecast)
            m_forecast = forecast;
        tellLinks();
    });
}

void ReachDesk::take(const link::Output& output)
{
    const auto sourceOf = [](link::LinkId link) {
        return nat::Sightings::Source{static_cast<std::uint64_t>(link)};
    };
    if (const auto* seen = std::get_if<link::AddressSeen>(&output)) {
        noteSeen(sourceOf(seen->link), seen->endpoint);
        tellLinks();
    } else if (const auto* silence = std::get_if<link::LinkSilence>(&output)) {
        m_sightings.setSilent(sourceOf(silence->link), silence->isSilent);
        tellLinks();
    } else if (const auto* moved = std::get_if<link::LinkMoved>(&output)) {
        if (link::wayOf(moved->endpoint) == link::Way::Udp)
            return; // it is the other side that is elsewhere
        m_sightings.forget(sourceOf(moved->link));
        tellLinks();
    } else if (const auto* down = std::get_if<link::LinkDown>(&output)) {
        m_sightings.forget(sourceOf(down->link));
    }
}

void ReachDesk::noteSeen(nat::Sightings::Source source, const Endpoint& endpoint)
{
    const bool isNews = m_sightings.note(source, endpoint);
    if (const auto forecast = m_sightings.forecast())
        m_forecast = forecast;
    if (isNews)
        probeLinks();
}

/// A NAT with another address has forgotten what let the other sides in: they are not heard any more, and
/// the links that lead to them must find that out, or the next keepalive does.
void ReachDesk::probeLinks()
{
    const Instant now = m_services.timers.now();
    if (m_probed && now - *m_probed < kProbeInterval)
        return;
    m_probed = now;
    m_services.links(link::AddressChanged{});
}

void ReachDesk::tellLinks()
{
    std::vector<Endpoint> all = candidates();
    const auto ahead = forecast();
    if (all == m_told && ahead == m_toldForecast)
        return;
    m_told = all;
    m_toldForecast = ahead;
    m_services.links(link::SetCandidates{std::move(all), ahead});
}

std::optional<PortForecast> ReachDesk::forecast() const
{
    return isDependent(mapping()) ? m_forecast : std::nullopt;
}

std::vector<Endpoint> ReachDesk::candidates() const
{
    std::vector<Endpoint> all = m_services.locals();
    const std::vector<Endpoint> mapped = m_sightings.mapped(all);
    const auto firstPrivate = std::stable_partition(
        all.begin(), all.end(), [](const Endpoint& endpoint) { return !isPrivate(endpoint); });
    all.insert(firstPrivate, mapped.begin(), mapped.end());
    const auto forwarded = m_services.portMapping ? m_services.portMapping() : std::nullopt;
    if (forwarded && isTold(*forwarded)) {
        const Endpoint& outside = forwarded->external;
        std::erase(all, outside);
        all.insert(std::find_if(all.begin(), all.end(),
                                [&](const Endpoint& endpoint) {
                                    return isPrivate(endpoint)
                                        || (!isPrivate(outside) && m_sightings.contains(endpoint) == true);
                                }),
                   outside);
    }
    all.resize(std::min(all.size(), link::kMaxNamedCandidates));
    return all;
}

bool ReachDesk::isTold(const nat::PortMapping& mapping) const
{
    return m_sightings.contains(mapping.external).value_or(!isPrivate(mapping.external));
}

nat::PortMapState ReachDesk::judged(nat::PortMapState state) const
{
    if (!state.mapping)
        return state;
    state.isTold = isTold(*state.mapping);
    if (state.isTold)
        return state;
    state.trouble = isPrivate(state.mapping->external)
        ? "the router has a private address itself: another NAT is beyond it, which lets nobody in"
        : "others see this device at another address: what the router passes on does not reach it";
    return state;
}

nat::Mapping ReachDesk::mapping() const
{
    const nat::Mapping seen = m_sightings.mapping(m_services.locals());
    return seen == nat::Mapping::Unknown ? m_found : seen;
}

std::string ReachDesk::whyNotBetter(const link::LinkInfo& link) const
{
    using Kind = link::LinkInfo::Kind;
    if (link.isRestricted)
        return "its certificate has expired by this device's clock: only roots, denials and a new "
               "certificate "
               "go over the link";
    if (link.kind == Kind::Tcp)
        return link.punches == 0
            ? "UDP brought no answer; both sides are about to try it again"
            : "UDP brought no answer, nor did anything arrive in " + std::to_string(link.punches)
                + " rounds in which both sides sent: a firewall that blocks UDP is between; tried again "
                  "within 5 minutes";
    if (link.kind != Kind::Relayed)
        return {};
    const auto trouble = m_services.proxyTrouble ? m_services.proxyTrouble() : std::nullopt;
    return whyRelayed(link) + (trouble ? "; over TCP: " + starling::toString(*trouble) : "");
}

std::string ReachDesk::whyRelayed(const link::LinkInfo& link) const
{
    const nat::Mapping own = mapping();
    const auto forwarded = m_services.portMapping ? m_services.portMapping() : std::nullopt;
    const bool isForwarded = forwarded && isTold(*forwarded);
    if (isForwarded && link.punches > 0)
        return "this device's router passes " + starling::toString(forwarded->external)
            + " on to it, and nothing that the other side sent arrived there, in "
            + std::to_string(link.punches) + " rounds; tried again within 5 minutes";
    if (isForwarded)
        return "both sides are about to try the direct way";
    if (forecast() && link.punches == 0)
        return "both sides are about to try the direct way";
    if (forecast())
        return "this device's NAT gives it another port for each destination: it counts them up, but in "
            + std::to_string(link.punches)
            + " rounds the other side, or the NAT before it, did not meet the right one; tried again within "
              "5 minutes";
    if (isDependent(own))
        return "this device's NAT gives it another port for each destination, so that others cannot send "
               "where it can be reached; tried "
            + std::to_string(link.punches) + " times";
    if (link.punches == 0)
        return "both sides are about to try the direct way";
    if (link.theirCandidates == 0)
        return "the other side has told no address at which it may be reached";
    return "both sides sent to each other at the same time, in " + std::to_string(link.punches)
        + " rounds, and nothing arrived: a NAT that gives the other side another port for each destination, "
          "or a firewall that lets no UDP out, is between; tried again within 5 minutes";
}

} // namespace starling::node
