// SPDX-License-Identifier: Apache-2.0
#include "node/path_ledger.h"

namespace starling::node {

void PathLedger::take(const link::Output& output, const LinksNow& links)
{
    if (const auto* received = std::get_if<link::UnreliableReceived>(&output))
        count(received->link, {received->bytes.size(), 0});
    else if (const auto* up = std::get_if<link::LinkUp>(&output))
        look(up->link, links);
    else if (const auto* moved = std::get_if<link::LinkMoved>(&output))
        look(moved->link, links);
    else if (const auto* down = std::get_if<link::LinkDown>(&output))
        m_ways.erase(down->link);
}

void PathLedger::take(const link::Input& input)
{
    if (const auto* sent = std::get_if<link::SendUnreliable>(&input))
        count(sent->link, {0, sent->bytes.size()});
}

void PathLedger::look(link::LinkId link, const LinksNow& links)
{
    for (const link::LinkInfo& info : links())
        if (info.link == link)
            m_ways.insert_or_assign(
                link,
                Way{info.node, info.kind,
                    info.kind != link::LinkInfo::Kind::Relayed && m_isNear && m_isNear(info.endpoint)});
}

void PathLedger::count(link::LinkId link, const Amount& amount)
{
    const auto way = m_ways.find(link);
    if (way == m_ways.end())
        return;
    const auto add = [&](ByKind& byKind) {
        Amount& sum = byKind[way->second.kind];
        sum.in += amount.in;
        sum.out += amount.out;
    };
    add(m_all);
    if (way->second.isNear)
        add(m_near);
    if (m_byNode.size() < kMaxNodes || m_byNode.contains(way->second.node))
        add(m_byNode[way->second.node]);
}

std::map<std::string, std::uint64_t> PathLedger::received() const
{
    std::map<std::string, std::uint64_t> bytes;
    for (const auto& [kind, amount] : m_all) {
        const auto near = m_near.find(kind);
        const std::uint64_t fromSite = near == m_near.end() ? 0 : near->second.in;
        if (amount.in > fromSite)
            bytes[nameOf(kind)] = amount.in - fromSite;
        if (fromSite > 0)
            bytes["site"] += fromSite;
    }
    return bytes;
}

PathLedger::ByKind PathLedger::with(const NodeId& node) const
{
    const auto found = m_byNode.find(node);
    return found == m_byNode.end() ? ByKind() : found->second;
}

} // namespace starling::node
