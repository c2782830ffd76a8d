// SPDX-License-Identifier: Apache-2.0
#include "base/endpoint.h"

#include <algorithm>
#include <cstdio>

namespace starling {

Endpoint Endpoint::ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port)
{
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, port};
}

bool Endpoint::isIpv4() const
{
    return std::all_of(address.begin(), address.begin() + 10, [](std::uint8_t b) { return b == 0; })
        && address[10] == 0xff && address[11] == 0xff;
}

bool Endpoint::isLoopback() const
{
    if (isIpv4())
        return address[12] == 127;
    return std::all_of(address.begin(), address.begin() + 15, [](std::uint8_t b) { return b == 0; })
        && address[15] == 1;
}

std::string toString(const Endpoint& endpoint)
{
    const auto& a = endpoint.address;
    std::array<char, 64> text{};
    if (endpoint.isIpv4()) {
        std::snprintf(text.data(), text.size(), "%u.%u.%u.%u:%u", a[12], a[13], a[14], a[15], endpoint.port);
        return text.data();
    }
    std::string result = "[";
    for (std::size_t i = 0; i < 16; i += 2) {
        std::snprintf(text.data(), text.size(), i == 0 ? "%x" : ":%x",
                      static_cast<unsigned>(a[i] << 8 | a[i + 1]));
        result += text.data();
    }
    return result + "]:" + std::to_string(endpoint.port);
}

void write(ByteWriter& writer, const Endpoint& endpoint)
{
    writer.raw(std::as_bytes(std::span(endpoint.address)));
    writer.u16(endpoint.port);
}

Endpoint readEndpoint(ByteReader& reader)
{
    Endpoint endpoint;
    for (std::uint8_t& b : endpoint.address)
        b = reader.u8();
    endpoint.port = reader.u16();
    return endpoint;
}

} // namespace starling
