// SPDX-License-Identifier: Apache-2.0
#include "sim/swarm_model.h"

namespace starling::sim {

std::optional<NodeIndex> SwarmModel::claim(NodeIndex fetcher, std::uint64_t version,
                                           const std::vector<NodeIndex>& providers, RandomSource& random)
{
    if (m_cast == nullptr)
        return providers[random.below(providers.size())];
    const unsigned slots = m_cast->uploadSlots(version);
    std::vector<NodeIndex> free, near;
    for (const NodeIndex provider : providers) {
        const auto busy = m_busy.find(provider);
        if (busy != m_busy.end() && busy->second >= slots)
            continue;
        free.push_back(provider);
        if (m_cast->site(provider) == m_cast->site(fetcher))
            near.push_back(provider);
    }
    const std::vector<NodeIndex>& best = near.empty() ? free : near;
    if (best.empty())
        return std::nullopt;
    const NodeIndex chosen = best[random.below(best.size())];
    ++m_busy[chosen];
    return chosen;
}

void SwarmModel::release(NodeIndex provider)
{
    const auto busy = m_busy.find(provider);
    if (busy != m_busy.end() && --busy->second == 0)
        m_busy.erase(busy);
}

void SwarmModel::add(const InfoHash& payload, NodeIndex holder)
{
    const auto [holders, isNew] = m_holders.try_emplace(payload);
    if (isNew) {
        m_payloads.push_back(payload);
        if (m_payloads.size() > kMaxPayloads) {
            m_holders.erase(m_payloads.front());
            m_payloads.erase(m_payloads.begin());
        }
    }
    holders->second.all.push_back(holder);
    holders->second.bySite[m_cast != nullptr ? m_cast->site(holder) : 0].push_back(holder);
}

std::vector<NodeIndex> SwarmModel::some(const InfoHash& payload, NodeIndex fetcher,
                                        RandomSource& random) const
{
    const auto holders = m_holders.find(payload);
    if (holders == m_holders.end())
        return {};
    std::vector<NodeIndex> found;
    const auto ask = [&](const std::vector<NodeIndex>& among) {
        for (std::size_t i = 0; i < kAsked; ++i)
            found.push_back(among[random.below(among.size())]);
    };
    const auto near = holders->second.bySite.find(m_cast != nullptr ? m_cast->site(fetcher) : 0);
    if (near != holders->second.bySite.end())
        ask(near->second);
    ask(holders->second.all);
    return found;
}

} // namespace starling::sim
