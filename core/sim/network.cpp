// SPDX-License-Identifier: Apache-2.0
#include "sim/network.h"

#include <algorithm>
#include <cmath>

namespace starling::sim {

namespace {

constexpr std::uint16_t kPort = 7001;

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t scrambled(std::uint64_t word)
{
    word += 0x9e3779b97f4a7c15;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    return word ^ (word >> 31);
}

bool happens(Share share, RandomSource& random)
{
    return share.millionths > 0 && random.below(Share::kWhole) < share.millionths;
}

/// Roughly normal, from 0 to 65,535: the mean of four uniform numbers, which lie within two of its standard
/// deviations 96 times of 100.
std::uint32_t bell(std::uint64_t word)
{
    std::uint32_t sum = 0;
    for (int i = 0; i < 4; ++i)
        sum += static_cast<std::uint32_t>(word >> (16 * i) & 0xffff);
    // The sum's standard deviation is 65,536 / sqrt(3), its mean 131,070; two of them to each side are kept.
    constexpr std::int64_t kMean = 131'070, kTwoDeviations = 75'674;
    const std::int64_t fromLeast =
        std::clamp<std::int64_t>(sum, kMean - kTwoDeviations, kMean + kTwoDeviations)
        - (kMean - kTwoDeviations);
    return static_cast<std::uint32_t>(fromLeast * 65'535 / (2 * kTwoDeviations));
}

/// least^(1-f) · most^f with f = fraction / 65,536, by halving on the logarithmic scale.
Duration between(Duration least, Duration most, std::uint32_t fraction)
{
    auto low = static_cast<double>(std::max<Duration::rep>(least.count(), 1));
    auto high = static_cast<double>(std::max<Duration::rep>(most.count(), 1));
    for (int bit = 15; bit >= 4; --bit) {
        const double middle = std::sqrt(low * high);
        ((fraction >> bit & 1) != 0 ? low : high) = middle;
    }
    return Duration(static_cast<Duration::rep>(low));
}

} // namespace

Endpoint endpointOf(NodeIndex node)
{
    return Endpoint::ipv4(10, static_cast<std::uint8_t>(node >> 16), static_cast<std::uint8_t>(node >> 8),
                          static_cast<std::uint8_t>(node), kPort);
}

NodeIndex indexOf(const Endpoint& endpoint)
{
    const auto& address = endpoint.address;
    return static_cast<NodeIndex>(address[13]) << 16 | static_cast<NodeIndex>(address[14]) << 8 | address[15];
}

Network::Network(const NetworkConfig& config, std::uint64_t seed)
    : m_config(config)
    , m_seed(scrambled(seed))
{
}

Duration Network::latency(NodeIndex a, NodeIndex b) const
{
    const Latency& latency = m_config.latency;
    if (latency.shape == Latency::Shape::Fixed || latency.least >= latency.most)
        return latency.least;
    const auto [low, high] = std::minmax(a, b);
    const std::uint64_t word = scrambled(m_seed ^ (static_cast<std::uint64_t>(high) << 32 | low));
    if (latency.shape == Latency::Shape::LogNormal)
        return between(latency.least, latency.most, bell(word));
    const auto spread = static_cast<std::uint64_t>((latency.most - latency.least).count()) + 1;
    return latency.least + Duration(static_cast<Duration::rep>(word % spread));
}

Network::Fate Network::fate(NodeIndex from, NodeIndex to, RandomSource& random) const
{
    Fate fate;
    if (isCut(from, to) || happens(m_config.loss, random))
        return fate;
    fate.copies = happens(m_config.duplication, random) ? 2 : 1;
    const Duration least = latency(from, to);
    for (unsigned copy = 0; copy < fate.copies; ++copy) {
        fate.delays[copy] = least;
        if (m_config.jitter.count() > 0)
            fate.delays[copy] += Duration(static_cast<Duration::rep>(
                random.below(static_cast<std::uint64_t>(m_config.jitter.count()) + 1)));
    }
    return fate;
}

void Network::setGroup(NodeIndex node, std::uint8_t group)
{
    if (node >= m_groups.size())
        m_groups.resize(node + std::size_t{1});
    m_groups[node] = group;
}

} // namespace starling::sim
