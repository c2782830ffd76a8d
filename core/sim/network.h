// SPDX-License-Identifier: Apache-2.0
/// The network between simulated nodes: how long a datagram takes, whether it is lost or comes twice, and
/// who is cut off from whom. Integers and square roots only, which every machine computes alike. Pure.
#pragma once

#include "base/endpoint.h"
#include "base/random.h"
#include "sim/event_queue.h"

namespace starling::sim {

/// A part of a whole.
struct Share
{
    static constexpr std::uint32_t kWhole = 1'000'000;
    std::uint32_t millionths = 0;
    auto operator<=>(const Share&) const = default;
    /// Of `count`, rounded to the nearest.
    std::size_t of(std::size_t count) const
    {
        return static_cast<std::size_t>((static_cast<std::uint64_t>(count) * millionths + kWhole / 2)
                                        / kWhole);
    }
};

/// One-way latency. Each pair of nodes has its own, drawn once, the same in both directions.
struct Latency
{
    enum class Shape : std::uint8_t {
        Fixed, ///< `least` for all
        Uniform, ///< between `least` and `most`
        /// Log-normal: `least` and `most` are two standard deviations from the median, and its ends.
        LogNormal,
    };
    Shape shape = Shape::Uniform;
    Duration least = std::chrono::milliseconds(10); ///< performance.md: U(10,50) ms, as its reference
    Duration most = std::chrono::milliseconds(50);
    bool operator==(const Latency&) const = default;
};

struct NetworkConfig
{
    Latency latency;
    Duration jitter{}; ///< added to each datagram, uniform from 0: what reorders them
    Share loss;
    Share duplication;
    bool operator==(const NetworkConfig&) const = default;
};

/// Where a node is found: 10.0.0.0/8 has room for 16,777,216.
Endpoint endpointOf(NodeIndex node);
NodeIndex indexOf(const Endpoint& endpoint);

class Network
{
public:
    Network(const NetworkConfig& config, std::uint64_t seed);

    struct Fate
    {
        unsigned copies = 0; ///< 0 if it is lost, 2 if it comes twice
        std::array<Duration, 2> delays{};
    };
    /// What becomes of a datagram.
    Fate fate(NodeIndex from, NodeIndex to, RandomSource& random) const;
    Duration latency(NodeIndex a, NodeIndex b) const;

    /// Nodes of different groups do not reach each other; all begin in group 0.
    void setGroup(NodeIndex node, std::uint8_t group);
    std::uint8_t group(NodeIndex node) const { return node < m_groups.size() ? m_groups[node] : 0; }
    bool isCut(NodeIndex a, NodeIndex b) const { return group(a) != group(b); }
    void heal() { m_groups.clear(); }

private:
    NetworkConfig m_config;
    std::uint64_t m_seed;
    std::vector<std::uint8_t> m_groups; ///< by node; those beyond its end are in group 0
};

} // namespace starling::sim
