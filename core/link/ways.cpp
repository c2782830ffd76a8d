// SPDX-License-Identifier: Apache-2.0
#include "link/ways.h"

#include "link/relay.h"

#include <algorithm>
#include <array>

namespace starling::link {

namespace {
constexpr std::array<std::uint8_t, 8> kPrefix{0, 1};
}

Endpoint addressOf(StreamId stream)
{
    Endpoint endpoint;
    std::copy(kPrefix.begin(), kPrefix.end(), endpoint.address.begin());
    for (std::size_t i = 0; i < 8; ++i)
        endpoint.address[kPrefix.size() + i] =
            static_cast<std::uint8_t>(static_cast<std::uint64_t>(stream) >> (8 * (7 - i)));
    return endpoint;
}

bool isStream(const Endpoint& endpoint)
{
    return std::equal(kPrefix.begin(), kPrefix.end(), endpoint.address.begin());
}

StreamId streamAt(const Endpoint& endpoint)
{
    std::uint64_t number = 0;
    for (std::size_t i = kPrefix.size(); i < endpoint.address.size(); ++i)
        number = number << 8 | endpoint.address[i];
    return StreamId{number};
}

Way wayOf(const Endpoint& endpoint)
{
    return isDetour(endpoint) ? Way::Detour : isStream(endpoint) ? Way::Stream : Way::Udp;
}

} // namespace starling::link
