// SPDX-License-Identifier: Apache-2.0
#include "swarm/source_gate.h"

namespace starling::swarm {

void SourceGate::askOnly(const InfoHash& payload, std::optional<std::set<NodeId>> nodes)
{
    const std::lock_guard lock(m_mutex);
    if (nodes)
        m_only.insert_or_assign(payload, std::move(*nodes));
    else
        m_only.erase(payload);
}

bool SourceGate::mayAsk(const InfoHash& payload, const NodeId& node) const
{
    const std::lock_guard lock(m_mutex);
    const auto only = m_only.find(payload);
    return only == m_only.end() || only->second.contains(node);
}

} // namespace starling::swarm
