// SPDX-License-Identifier: Apache-2.0
#include "node/source_desk.h"

#include <utility>

namespace starling::node {

SourceDesk::SourceDesk(Surroundings surroundings)
    : m_surroundings(std::move(surroundings))
{
}

void SourceDesk::begin(const InfoHash& payload, const SourceChoice& choice, Instant now)
{
    m_fetches.insert_or_assign(payload, Fetch{choice, now, {}});
}

void SourceDesk::end(const InfoHash& payload)
{
    m_fetches.erase(payload);
}

void SourceDesk::offered(const InfoHash& payload, const NodeId& node, const std::string& site,
                         bool isComplete)
{
    const auto fetch = m_fetches.find(payload);
    if (fetch == m_fetches.end())
        return;
    auto& offers = fetch->second.offers;
    if (offers.contains(node) || offers.size() < kMaxOffers)
        offers.insert_or_assign(node, Offer{site, isComplete});
}

std::optional<std::set<NodeId>> SourceDesk::ask(const InfoHash& payload,
                                                const std::vector<swarm::PeerTraffic>& traffic, Instant now)
{
    const auto fetch = m_fetches.find(payload);
    if (fetch == m_fetches.end())
        return std::nullopt;
    const std::map<NodeId, Distance> distances = linked(fetch->second, now);
    std::map<NodeId, Source> sources;
    for (const auto& [node, distance] : distances)
        if (const auto offer = fetch->second.offers.find(node); offer != fetch->second.offers.end())
            sources[node] = {node, distance, offer->second.isComplete, 0, false};
        else if (isExpected(distance, now - fetch->second.begun))
            sources[node] = {node, distance, false, 0, true};
    for (const swarm::PeerTraffic& line : traffic) {
        const auto distance = distances.find(line.node);
        if (line.payload != payload || distance == distances.end())
            continue;
        Source& source = sources.try_emplace(line.node, Source{line.node, distance->second, false, 0, false})
                             .first->second;
        source.bytesFrom = line.bytesFrom;
        source.isExpected = source.isExpected && line.bytesFrom == 0;
    }
    std::vector<Source> all;
    for (const auto& [node, source] : sources)
        all.push_back(source);
    const Distance farthest = fetch->second.choice.farthest(all, now);
    if (farthest == Distance::Relayed)
        return std::nullopt;
    std::set<NodeId> nodes;
    for (const auto& [node, distance] : distances)
        if (distance <= farthest)
            nodes.insert(node);
    return nodes;
}

std::map<NodeId, Distance> SourceDesk::linked(const Fetch& fetch, Instant now)
{
    const std::vector<Subnet>& own = subnets(now);
    const std::string site = m_surroundings.site();
    std::map<NodeId, link::LinkInfo> newest; // which payload takes
    for (const link::LinkInfo& link : m_surroundings.links())
        if (auto& held = newest[link.node]; link.isUp && (!held.isUp || held.link < link.link))
            held = link;
    std::map<NodeId, Distance> distances;
    for (const auto& [node, link] : newest) {
        if (!link.isUp)
            continue;
        const auto offer = fetch.offers.find(node);
        distances[node] = distanceOf({.site = offer == fetch.offers.end() ? "" : offer->second.site,
                                      .endpoint = link.endpoint,
                                      .isRelayed = link.kind == link::LinkInfo::Kind::Relayed,
                                      .roundTrip = link.roundTrip},
                                     site, own);
    }
    return distances;
}

bool SourceDesk::isExpected(Distance distance, Duration age)
{
    return (distance == Distance::Near && age < kNews) || (distance == Distance::Far && age < kFarNews);
}

const std::vector<Subnet>& SourceDesk::subnets(Instant now)
{
    if (!m_subnetsAt || now - *m_subnetsAt >= kSubnetInterval) {
        m_subnets = m_surroundings.subnets();
        m_subnetsAt = now;
    }
    return m_subnets;
}

} // namespace starling::node
