// SPDX-License-Identifier: Apache-2.0
/// What an agent behind a NAT tells of its network, made up: links of every kind, a check, sessions.
#pragma once

#include "fleetview_samples.h"
#include "network_page.h"

namespace starling::gui_test {

inline Endpoint addressOf(std::uint8_t last)
{
    return Endpoint::ipv4(192, 0, 2, last, 7'891);
}

/// `why` is what the agent says of the relayed one.
inline control::PeersReply peersOf(const char* why)
{
    control::PeersReply reply;
    const auto add = [&](std::uint32_t node, const char* kind, std::uint64_t micros, std::uint64_t age) {
        reply.peers.push_back({samples::nodeOf(node),
                               kind,
                               addressOf(static_cast<std::uint8_t>(node)),
                               NodeId(),
                               micros,
                               age,
                               {},
                               {}});
    };
    add(3, "direct", 1'240, 40);
    add(5, "punched", 23'800, 3'700);
    add(7, "relayed", 61'000, 200);
    add(8, "tcp", 0, 9);
    reply.peers[0].payload = {{"direct", 48'200'000, 1'200'000}};
    reply.peers[1].payload = {{"relayed", 6'000, 0}, {"punched", 3'100'000, 900}};
    reply.peers[2].endpoint = Endpoint();
    reply.peers[2].relay = samples::nodeOf(3);
    reply.peers[2].whyNotBetter = why;
    reply.payload = {{"direct", 48'200'000, 1'200'000}, {"relayed", 6'000, 0}, {"punched", 3'100'000, 900}};
    return reply;
}

inline control::NetCheckReply checkOf(nat::Mapping mapping, nat::Filtering filtering)
{
    control::NetCheckReply reply;
    reply.behaviour.mapping = mapping;
    reply.behaviour.filtering = filtering;
    reply.behaviour.mapped = Endpoint::ipv4(198, 51, 100, 4, 40'112);
    reply.behaviour.answered = {addressOf(3), addressOf(5)};
    reply.locals = {Endpoint::ipv4(10, 0, 0, 7, 7'891)};
    reply.asked = {addressOf(3), addressOf(5), addressOf(9)};
    reply.tcp.isListening = true;
    reply.lifetime = {
        nat::LifetimeState::Kind::Measured, {std::chrono::seconds(90), std::chrono::seconds(120)}, {}};
    reply.portMapping.kind = nat::PortMapState::Kind::None;
    return reply;
}

inline control::SessionsReply sessionsOf(std::uint32_t devices)
{
    control::SessionsReply reply;
    reply.isRendezvous = true;
    for (std::uint32_t i = 0; i < devices; ++i)
        reply.sessions.push_back({samples::nodeOf(i),
                                  {Endpoint::ipv4(10, 0, 0, 7, 7'891)},
                                  addressOf(static_cast<std::uint8_t>(i)),
                                  nat::Mapping::EndpointIndependent,
                                  60 * i});
    return reply;
}

/// As after a check, of an agent that is a rendezvous.
inline void fillNetwork(const QWidget& window, const char* why)
{
    auto* const page = window.findChild<window::NetworkPage*>();
    page->showCheck(checkOf(nat::Mapping::EndpointIndependent, nat::Filtering::AddressAndPortDependent));
    page->showLinks(peersOf(why));
    page->showSessions(sessionsOf(9));
}

} // namespace starling::gui_test
