// SPDX-License-Identifier: Apache-2.0
/// Which peers are asked for pieces: our thread says, libtorrent's looks. No libtorrent here.
#pragma once

#include "base/ids.h"

#include <map>
#include <mutex>
#include <optional>
#include <set>

namespace starling::swarm {

/// Every member function may be called on any thread.
class SourceGate
{
public:
    /// Of this payload only these are asked; nothing: everybody.
    void askOnly(const InfoHash& payload, std::optional<std::set<NodeId>> nodes);
    bool mayAsk(const InfoHash& payload, const NodeId& node) const;

private:
    mutable std::mutex m_mutex;
    std::map<InfoHash, std::set<NodeId>> m_only;
};

} // namespace starling::swarm
