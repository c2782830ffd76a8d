// SPDX-License-Identifier: Apache-2.0
#include "swarm/peer_ledger.h"

#include <utility>

namespace starling::swarm {

PeerLedger::PeerLedger(std::function<void()> wake)
    : m_wake(std::move(wake))
{
}

std::shared_ptr<PeerAccount> PeerLedger::account(const InfoHash& payload, const NodeId& node,
                                                 const Endpoint& endpoint)
{
    Key key{payload, node, node.isZero() ? endpoint.address : std::array<std::uint8_t, 16>{}};
    Endpoint shown = endpoint;
    const std::lock_guard lock(m_mutex);
    auto line = m_lines.find(key);
    if (line == m_lines.end()) {
        if (m_lines.size() >= kMaxAccounts) {
            key = {payload, NodeId(), {}};
            shown = {};
        }
        line = m_lines.try_emplace(key).first;
        if (!line->second.account)
            line->second.account = std::make_shared<PeerAccount>();
    }
    line->second.endpoint = shown;
    return line->second.account;
}

std::vector<PeerTraffic> PeerLedger::traffic() const
{
    const std::lock_guard lock(m_mutex);
    std::vector<PeerTraffic> all;
    all.reserve(m_lines.size());
    for (const auto& [key, line] : m_lines) {
        all.push_back({std::get<InfoHash>(key), std::get<NodeId>(key), line.endpoint,
                       line.account->bytesFrom.load(std::memory_order_relaxed),
                       line.account->bytesTo.load(std::memory_order_relaxed)});
    }
    return all;
}

void PeerLedger::refuse(const Endpoint& endpoint, Error error)
{
    {
        const std::lock_guard lock(m_mutex);
        if (m_refusals.size() >= kMaxRefusals)
            return;
        m_refusals.push_back({endpoint, std::move(error)});
    }
    m_wake();
}

std::vector<PeerRefused> PeerLedger::takeRefusals()
{
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_refusals, {});
}

void PeerLedger::ban(const InfoHash& payload, const NodeId& node)
{
    const std::lock_guard lock(m_mutex);
    if (m_banned.size() < kMaxBans)
        m_banned.emplace(payload, node);
}

bool PeerLedger::isBanned(const InfoHash& payload, const NodeId& node) const
{
    const std::lock_guard lock(m_mutex);
    return m_banned.contains({payload, node});
}

} // namespace starling::swarm
