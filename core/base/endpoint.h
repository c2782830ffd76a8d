// SPDX-License-Identifier: Apache-2.0
/// An address and port as one value. Pure: no name is looked up.
#pragma once

#include "base/bytes.h"

#include <array>
#include <compare>
#include <cstdint>
#include <string>

namespace starling {

/// IPv6 address (IPv4 as ::ffff:a.b.c.d, RFC 4291 section 2.5.5.2) and port.
struct Endpoint
{
    std::array<std::uint8_t, 16> address{};
    std::uint16_t port = 0;

    static Endpoint ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port);
    bool isIpv4() const;
    bool isLoopback() const;
    auto operator<=>(const Endpoint&) const = default;
};

/// "127.0.0.1:7001", "[2001:db8:0:0:0:0:0:1]:7001" (groups are not compressed).
std::string toString(const Endpoint& endpoint);

/// 18 bytes: address, port.
void write(ByteWriter& writer, const Endpoint& endpoint);
Endpoint readEndpoint(ByteReader& reader);

} // namespace starling
