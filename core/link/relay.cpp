// SPDX-License-Identifier: Apache-2.0
#include "link/relay.h"

namespace starling::link {

namespace {

constexpr std::uint8_t kPrefix = 0x01; // 100::/64
constexpr std::size_t kPrefixBytes = 8;
/// Guess: a sender hears at most so often that it is over its quota.
constexpr Duration kBetweenRefusals = std::chrono::milliseconds(250);

std::uint16_t portOf(const NodeId& relay)
{
    return ByteReader(relay.bytes()).u16();
}

} // namespace

NodeTag tagOf(const NodeId& node)
{
    return NodeTag{ByteReader(node.bytes()).u64()};
}

Endpoint detourTo(NodeTag node, const NodeId& relay)
{
    Endpoint endpoint;
    endpoint.address[0] = kPrefix;
    for (std::size_t i = 0; i < kPrefixBytes; ++i)
        endpoint.address[kPrefixBytes + i] =
            static_cast<std::uint8_t>(static_cast<std::uint64_t>(node) >> (8 * (kPrefixBytes - 1 - i)));
    endpoint.port = portOf(relay);
    return endpoint;
}

bool isDetour(const Endpoint& endpoint)
{
    return endpoint.address[0] == kPrefix
        && std::all_of(endpoint.address.begin() + 1, endpoint.address.begin() + kPrefixBytes,
                       [](std::uint8_t byte) { return byte == 0; });
}

NodeTag targetOf(const Endpoint& detour)
{
    std::uint64_t tag = 0;
    for (std::size_t i = 0; i < kPrefixBytes; ++i)
        tag = tag << 8 | detour.address[kPrefixBytes + i];
    return NodeTag{tag};
}

bool mayLeadTo(const Endpoint& endpoint, const NodeId& node)
{
    return !isDetour(endpoint) || targetOf(endpoint) == tagOf(node);
}

bool leadsThrough(const Endpoint& detour, const NodeId& relay)
{
    return detour.port == portOf(relay);
}

Relay::Relay(RelayConfig config, Instant now)
    : m_config(config)
    , m_all(config.perSecond, config.burst, now)
{
}

Relay::Pair* Relay::obtain(const NodeId& from, const NodeId& to, Instant now)
{
    const auto key = std::minmax(from, to);
    const auto found = m_pairs.find({key.first, key.second});
    if (found != m_pairs.end())
        return &found->second;
    const auto isFull = [&] {
        const auto ofOne = std::count_if(m_pairs.begin(), m_pairs.end(), [&](const auto& pair) {
            return pair.first.first == from || pair.first.second == from;
        });
        return m_pairs.size() >= m_config.maxPairs
            || ofOne >= static_cast<std::ptrdiff_t>(m_config.maxPairsOfOne);
    };
    if (isFull())
        std::erase_if(m_pairs,
                      [&](const auto& pair) { return now - pair.second.used >= m_config.forgetAfter; });
    if (isFull())
        return nullptr;
    const Pair fresh{Allowance(m_config.leastPerSecond, m_config.leastBurst, now), 0, now, now, {}};
    return &m_pairs.try_emplace({key.first, key.second}, fresh).first->second;
}

Relay::Verdict Relay::judge(const NodeId& from, const NodeId& to, std::size_t bytes, Instant now)
{
    Pair* pair = obtain(from, to, now);
    if (pair == nullptr)
        return Verdict::Refuse;
    pair->used = now;
    if (now - pair->since >= m_config.pairTime) {
        pair->since = now;
        pair->bytes = 0;
    }
    const bool mayCarry = m_isReachable && m_config.mode == RelayConfig::Mode::CarryIfReachable;
    const bool isWithinQuota = mayCarry && pair->bytes + bytes <= m_config.pairBytes;
    if ((isWithinQuota && m_all.take(bytes, now)) || pair->least.take(bytes, now)) {
        pair->bytes += bytes;
        m_carried += bytes;
        return Verdict::Carry;
    }
    if (isWithinQuota || (pair->refused && now - *pair->refused < kBetweenRefusals))
        return Verdict::Drop;
    pair->refused = now;
    return Verdict::Refuse;
}

} // namespace starling::link
