// SPDX-License-Identifier: Apache-2.0
/// What is said to a router to have a port of it passed on: PCP's MAP for IPv4 (RFC 6887 sections 7 and 11),
/// and NAT-PMP (RFC 6886 section 3), which came before it and has the same port. Pure. Integers are
/// big-endian:
///
///     PCP:     version 2, opcode, result (16), lifetime, epoch, 96 bits; MAP: nonce, protocol, 24 bits,
///     ports,
///              address; options, which are not looked at
///     NAT-PMP: version 0, opcode, result (16), epoch; the address, or ports and lifetime
#pragma once

#include "base/endpoint.h"

#include <array>
#include <chrono>
#include <optional>

namespace starling::nat {

constexpr std::uint16_t kPortMapPort = 5351; ///< RFC 6886 section 3.2, RFC 6887 section 19.1
constexpr std::uint16_t kPortMapNewsPort = 5350; ///< where routers say by multicast that they are new
constexpr std::size_t kMaxPortMapBytes = 1'100; ///< RFC 6887 section 7

enum class Transport : std::uint8_t { Udp, Tcp };
/// What an answer must repeat, so that nobody answers who has not seen the question.
using MapNonce = std::array<std::byte, 12>;

struct MapWish
{
    Transport transport{};
    Endpoint own; ///< of IPv4
    std::uint16_t outside = 0; ///< the port that is preferred; 0: any
    std::chrono::duration<std::uint32_t> lease{}; ///< 0 deletes
    MapNonce nonce{}; ///< PCP alone
};
Bytes pcpMapRequest(const MapWish& wish);
Bytes natPmpMapRequest(const MapWish& wish);
/// For the address outside, which NAT-PMP does not say with a mapping.
Bytes natPmpAddressRequest();

/// One answer. Beyond `result` nothing is there unless that is 0.
struct PortMapReply
{
    /// Of both protocols.
    static constexpr std::uint16_t kDone = 0, kOtherVersion = 1;

    std::uint8_t version = 0; ///< 0: NAT-PMP, 2: PCP; others only with kOtherVersion
    enum class About : std::uint8_t {
        News, ///< of PCP: it has forgotten its mappings; NAT-PMP says so with its address
        Address,
        Mapping,
    } about{};
    std::uint16_t result = kDone;
    std::optional<Transport> transport; ///< of a mapping
    std::uint16_t inside = 0, outside = 0; ///< ports
    std::chrono::duration<std::uint32_t> lease{};
    std::optional<Endpoint> address; ///< outside, with port 0
    MapNonce nonce{};
    bool operator==(const PortMapReply&) const = default;
};
/// Fails with Truncated, TooLarge, UnsupportedFormat (a question, or another opcode) or Malformed.
Result<PortMapReply> parsePortMapReply(ByteView datagram);

/// In words: "not authorised".
std::string textOfResult(const PortMapReply& reply);

} // namespace starling::nat
