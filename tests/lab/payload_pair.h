// SPDX-License-Identifier: Apache-2.0
/// Payload between the two of a pair in the lab: three real agents, of which one on the public network is a
/// rendezvous, and wants no payload itself.
#pragma once

#include "fleet.h"
#include "pair_networks.h"

namespace starling::lab {

struct PayloadPlan
{
    std::filesystem::path directory{}; ///< must exist; everything goes below it
    std::filesystem::path programs{}; ///< where starling and starling-agent are
    std::size_t mebibytes = 16; ///< of each payload, which the sender has in memory (page cache)
    unsigned lossPermille = 0; ///< of what arrives at either of the two
    unsigned megabits = 0; ///< a second, of what leaves either of them; 0: as fast as it goes
    bool isBetterExpected = false; ///< than by a relay: it is waited for as long as it takes
};

struct PayloadOutcome
{
    std::string path; ///< the kind of the link that it took, in the words of `starling peers`
    bool isInside = false; ///< that link goes to the first agent's own address
    std::uint64_t bytesByPath = 0; ///< that came over links of this kind, as the second agent counts
    // Since the second agent knows of it; 20 ms too much at most.
    double firstByteMs = 0; ///< until some of it is there
    double seconds = 0; ///< until all is there
    double megabits = 0; ///< a second, in these
};

class PayloadPair
{
public:
    /// Makes the networks, starts the agents and waits until the two are linked as well as they will be.
    /// Needs enterLab().
    static Result<std::unique_ptr<PayloadPair>> create(PayloadPlan plan, const Pair& pair);
    /// A payload of its own from the first one to the second.
    Result<PayloadOutcome> play();
    /// The payload of the last play between the same hosts by libtorrent alone, over TCP, which a port is
    /// opened for: in Mbit/s. Usage where none can be (PairNetworks::letIn).
    Result<double> playPlain();

private:
    PayloadPair(PayloadPlan plan, const Pair& pair)
        : m_plan(std::move(plan))
        , m_pair(pair)
    {
    }
    Status shape(const Network& host) const;
    Status startFleet(const Pair& pair);
    Status waitForLink();
    std::optional<control::PeerLine> link() const;
    bool cameFromFirst(const InfoHash& payload) const;
    std::optional<control::UpdateLine> update() const;

    PayloadPlan m_plan;
    Pair m_pair;
    std::filesystem::path m_torrent; ///< of the last play
    std::optional<Endpoint> m_plainAt; ///< where the first one is reached over TCP
    PairNetworks m_networks;
    PairHosts m_hosts;
    std::unique_ptr<support::Fleet> m_fleet; ///< after the networks: its agents end before they do
    std::uint64_t m_version = 0;
};

} // namespace starling::lab
