// SPDX-License-Identifier: Apache-2.0
#include "nat/datagram.h"

#include <algorithm>

namespace starling::nat {

bool isUnicast(const Endpoint& endpoint)
{
    const auto& address = endpoint.address;
    if (endpoint.port == 0)
        return false;
    if (endpoint.isIpv4())
        return address[12] != 0 && address[12] < 224;
    return address[0] != 0xff
        && std::any_of(address.begin(), address.end(), [](std::uint8_t b) { return b != 0; });
}

} // namespace starling::nat
