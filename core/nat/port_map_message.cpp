// SPDX-License-Identifier: Apache-2.0
#include "nat/port_map_message.h"

#include <algorithm>

namespace starling::nat {

namespace {

constexpr std::uint8_t kNatPmp = 0, kPcp = 2;
constexpr std::uint8_t kIsReply = 0x80; // in front of both protocols' opcodes
constexpr std::uint8_t kPcpAnnounce = 0, kPcpMap = 1;
constexpr std::uint8_t kNatPmpAddress = 0, kNatPmpMapUdp = 1, kNatPmpMapTcp = 2;
constexpr std::uint8_t kIpUdp = 17, kIpTcp = 6; // IANA's protocol numbers
constexpr std::size_t kIpv4At = 12; // in an Endpoint's address

const Endpoint kAnyIpv4 = Endpoint::ipv4(0, 0, 0, 0, 0);

ByteView viewOf(const std::array<std::uint8_t, 16>& address)
{
    return std::as_bytes(std::span(address));
}

/// After the version.
Status readPcp(ByteReader& in, std::uint8_t opcode, PortMapReply& reply)
{
    in.u8(); // reserved
    reply.result = in.u8();
    reply.lease = decltype(reply.lease)(in.u32());
    in.u32(); // epoch: each renewal asks for everything anew, so nothing follows from it
    in.raw(12); // reserved
    if (opcode == kPcpAnnounce) {
        reply.about = PortMapReply::About::News;
        return in.status("PCP header");
    }
    reply.about = PortMapReply::About::Mapping;
    // An answer to what was not understood may lack the rest (RFC 6887 section 8.2).
    if (reply.result != PortMapReply::kDone)
        return in.status("PCP header");
    const ByteView nonce = in.raw(reply.nonce.size());
    std::copy(nonce.begin(), nonce.end(), reply.nonce.begin());
    const std::uint8_t protocol = in.u8();
    in.raw(3); // reserved
    reply.inside = in.u16();
    reply.outside = in.u16();
    Endpoint address;
    const ByteView bytes = in.raw(address.address.size());
    std::transform(bytes.begin(), bytes.end(), address.address.begin(),
                   [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    if (auto read = in.status("PCP mapping"); !read)
        return read;
    if (protocol != kIpUdp && protocol != kIpTcp)
        return fail(Errc::Malformed, "PCP mapping of protocol " + std::to_string(protocol));
    reply.transport = protocol == kIpUdp ? Transport::Udp : Transport::Tcp;
    reply.address = address;
    return {};
}

/// After the version.
Status readNatPmp(ByteReader& in, std::uint8_t opcode, PortMapReply& reply)
{
    reply.result = in.u16();
    in.u32(); // epoch
    reply.about = opcode == kNatPmpAddress ? PortMapReply::About::Address : PortMapReply::About::Mapping;
    if (reply.result != PortMapReply::kDone)
        return in.status("NAT-PMP header");
    if (opcode == kNatPmpAddress) {
        Endpoint address = kAnyIpv4;
        for (std::size_t i = kIpv4At; i < address.address.size(); ++i)
            address.address[i] = in.u8();
        reply.address = address;
        return in.status("NAT-PMP address");
    }
    reply.transport = opcode == kNatPmpMapUdp ? Transport::Udp : Transport::Tcp;
    reply.inside = in.u16();
    reply.outside = in.u16();
    reply.lease = decltype(reply.lease)(in.u32());
    return in.status("NAT-PMP mapping");
}

} // namespace

Bytes pcpMapRequest(const MapWish& wish)
{
    ByteWriter out;
    out.u8(kPcp);
    out.u8(kPcpMap);
    out.u16(0);
    out.u32(wish.lease.count());
    out.raw(viewOf(wish.own.address));
    out.raw(wish.nonce);
    out.u8(wish.transport == Transport::Udp ? kIpUdp : kIpTcp);
    out.u8(0);
    out.u16(0);
    out.u16(wish.own.port);
    out.u16(wish.outside);
    out.raw(viewOf(kAnyIpv4.address)); // any address, of IPv4 (RFC 6887 section 11.1)
    return out.take();
}

Bytes natPmpMapRequest(const MapWish& wish)
{
    ByteWriter out;
    out.u8(kNatPmp);
    out.u8(wish.transport == Transport::Udp ? kNatPmpMapUdp : kNatPmpMapTcp);
    out.u16(0);
    out.u16(wish.own.port);
    out.u16(wish.lease.count() == 0 ? 0 : wish.outside); // RFC 6886 section 3.4
    out.u32(wish.lease.count());
    return out.take();
}

Bytes natPmpAddressRequest()
{
    ByteWriter out;
    out.u8(kNatPmp);
    out.u8(kNatPmpAddress);
    return out.take();
}

Result<PortMapReply> parsePortMapReply(ByteView datagram)
{
    if (datagram.size() > kMaxPortMapBytes)
        return fail(Errc::TooLarge, "a router's answer");
    ByteReader in(datagram);
    PortMapReply reply;
    reply.version = in.u8();
    const std::uint8_t opcode = in.u8();
    if (!in.isGood())
        return fail(Errc::Truncated, "a router's answer");
    if ((opcode & kIsReply) == 0)
        return fail(Errc::UnsupportedFormat, "a question to a router");
    const auto asked = static_cast<std::uint8_t>(opcode & ~kIsReply);
    if (reply.version == kNatPmp) {
        // To a question in PCP an old router answers with the opcode that it found there.
        if (asked > kNatPmpMapTcp)
            return fail(Errc::UnsupportedFormat, "opcode " + std::to_string(asked) + " of NAT-PMP");
        if (auto read = readNatPmp(in, asked, reply); !read)
            return tl::unexpected<Error>(read.error());
        return reply;
    }
    if (reply.version == kPcp && asked > kPcpMap)
        return fail(Errc::UnsupportedFormat, "opcode " + std::to_string(asked) + " of PCP");
    if (auto read = readPcp(in, reply.version == kPcp ? asked : kPcpAnnounce, reply); !read)
        return tl::unexpected<Error>(read.error());
    if (reply.version != kPcp && reply.result != PortMapReply::kOtherVersion)
        return fail(Errc::UnsupportedFormat, "version " + std::to_string(reply.version) + " of PCP");
    return reply;
}

std::string textOfResult(const PortMapReply& reply)
{
    // RFC 6887 section 7.4 and RFC 6886 section 3.5, which share the first numbers.
    const bool isPcp = reply.version != kNatPmp;
    switch (reply.result) {
    case PortMapReply::kDone:
        return "done";
    case PortMapReply::kOtherVersion:
        return "speaks another version";
    case 2:
        return "not authorised";
    case 3:
        return isPcp ? "did not understand the request" : "has no network itself";
    case 4:
        return isPcp ? "maps no ports" : "has no port left";
    case 5:
        return isPcp ? "did not understand an option" : "maps no ports";
    case 7:
        return "has no network itself";
    case 8:
        return "has no port left";
    case 9:
        return "does not map this protocol";
    case 10:
        return "this device has used up what it may";
    case 11:
        return "cannot give the port that was asked for";
    case 12:
        return "sees this device at another address: a NAT is between";
    default:
        return "result " + std::to_string(reply.result);
    }
}

} // namespace starling::nat
