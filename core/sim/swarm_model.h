// SPDX-License-Identifier: Apache-2.0
/// The swarm between simulated devices, as far as it is one: who serves whom. A payload comes from one device
/// that has all of it, takes as long as the cast says, and one of that device's upload slots meanwhile.
/// Bytes, pieces and rates it does not have. Pure.
#pragma once

#include "base/ids.h"
#include "base/random.h"
#include "sim/cast.h"

#include <map>

namespace starling::sim {

class SwarmModel
{
public:
    /// Without a cast everybody serves as many as ask. `cast` outlives it.
    explicit SwarmModel(const Cast* cast)
        : m_cast(cast)
    {
    }
    /// Whichever of `providers` has a slot for `fetcher`, preferably one at the same site (ADR 32); nothing
    /// if none has. The slot is taken until release().
    std::optional<NodeIndex> claim(NodeIndex fetcher, std::uint64_t version,
                                   const std::vector<NodeIndex>& providers, RandomSource& random);
    void release(NodeIndex provider);

    // For fleets in which the overlay does not tell of providers (Scenario::findsProviders).
    void add(const InfoHash& payload, NodeIndex holder);
    /// Some that hold it, at the fetcher's site and anywhere; none if nobody does.
    std::vector<NodeIndex> some(const InfoHash& payload, NodeIndex fetcher, RandomSource& random) const;

private:
    static constexpr std::size_t kMaxPayloads = 4; ///< that are remembered: the newest
    static constexpr std::size_t kAsked = 4; ///< guess: at the site, and as many anywhere
    struct Holders
    {
        std::vector<NodeIndex> all;
        std::map<std::size_t, std::vector<NodeIndex>> bySite;
    };
    const Cast* m_cast;
    std::map<NodeIndex, unsigned> m_busy; ///< slots that are taken
    std::map<InfoHash, Holders> m_holders;
    std::vector<InfoHash> m_payloads; ///< of m_holders, oldest first
};

} // namespace starling::sim
