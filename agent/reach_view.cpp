// SPDX-License-Identifier: Apache-2.0
#include "agent/reach_view.h"

#include <algorithm>

namespace starling::agent {

using namespace control;

namespace {

std::uint64_t ageOf(const link::LinkInfo& link, Instant now)
{
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now - link.since).count());
}

Endpoint addressOf(const link::LinkInfo& link)
{
    return link.kind == link::LinkInfo::Kind::Relayed ? Endpoint() : link.endpoint;
}

std::vector<PathLine> pathsOf(const node::PathLedger::ByKind& byKind)
{
    std::vector<PathLine> lines;
    for (const auto& [kind, amount] : byKind)
        lines.push_back({nameOf(kind), amount.in, amount.out});
    return lines;
}

} // namespace

PeersReply peersOf(const node::Node& node)
{
    PeersReply reply;
    reply.payload = pathsOf(node.paths().all());
    reply.portMapping = node.portMapping();
    for (const link::LinkInfo& link : node.links()) {
        if (!link.isUp)
            continue;
        PeerLine line;
        line.node = link.node;
        line.kind = nameOf(link.kind);
        line.endpoint = addressOf(link);
        line.relay = link.relay.value_or(NodeId());
        if (link.roundTrip)
            line.roundTripMicros = static_cast<std::uint64_t>(
                std::chrono::duration_cast<std::chrono::microseconds>(*link.roundTrip).count());
        line.ageSeconds = ageOf(link, node.now());
        line.whyNotBetter = node.reach().whyNotBetter(link);
        line.payload = pathsOf(node.paths().with(link.node));
        reply.peers.push_back(std::move(line));
    }
    return reply;
}

TcpState tcpOf(const node::Node& node)
{
    TcpState state;
    state.isListening = node.streams().isListening();
    for (const link::LinkInfo& link : node.links())
        state.links += link.isUp && link.kind == link::LinkInfo::Kind::Tcp ? 1 : 0;
    if (node.streams().proxy())
        state.proxy = node::toString(*node.streams().proxy());
    if (node.streams().proxyTrouble())
        state.proxyTrouble = toString(*node.streams().proxyTrouble());
    return state;
}

nat::Mapping mappingOf(const Endpoint& external, const std::vector<Endpoint>& told)
{
    // A device without a NAT has the address itself; one with a NAT tells those that most others see.
    if (std::find(told.begin(), told.end(), external) != told.end()) {
        const bool hasPrivate = std::any_of(told.begin(), told.end(), node::isPrivate);
        return hasPrivate && !node::isPrivate(external) ? nat::Mapping::EndpointIndependent
                                                        : nat::Mapping::None;
    }
    const bool isElsewhere = std::any_of(told.begin(), told.end(), [&](const Endpoint& one) {
        return one.address == external.address && one.port != external.port;
    });
    return isElsewhere ? nat::Mapping::Dependent : nat::Mapping::Unknown;
}

SessionsReply sessionsOf(const node::Node& node)
{
    SessionsReply reply;
    reply.isRendezvous = node.config().rendezvous;
    if (!reply.isRendezvous)
        return reply;
    const auto addresses = node.neighbors().addresses();
    for (const link::LinkInfo& link : node.links()) {
        if (!link.isUp)
            continue;
        SessionLine line;
        line.node = link.node;
        line.external = addressOf(link);
        line.ageSeconds = ageOf(link, node.now());
        if (const auto told = addresses.find(link.node); told != addresses.end()) {
            line.mapping = mappingOf(line.external, told->second);
            const bool isBehindNat = line.mapping != nat::Mapping::None;
            std::copy_if(told->second.begin(), told->second.end(), std::back_inserter(line.internal),
                         [&](const Endpoint& one) { return !isBehindNat || node::isPrivate(one); });
        }
        reply.sessions.push_back(std::move(line));
    }
    return reply;
}

} // namespace starling::agent
