// SPDX-License-Identifier: Apache-2.0
/// Contacts for tests of membership: as the descriptors of overlay_mediator.h, with an address.
#pragma once

#include "overlay/membership.h"
#include "overlay_mediator.h"

namespace starling::overlay::testing {

inline Endpoint endpointOf(std::uint64_t number)
{
    return Endpoint::ipv4(10, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                          static_cast<std::uint8_t>(number), 7001);
}

inline std::uint64_t numberOf(const Endpoint& endpoint)
{
    return static_cast<std::uint64_t>(endpoint.address[13]) << 16 | endpoint.address[14] << 8
        | endpoint.address[15];
}

/// A contact as in overlay_mediator.h, and the address of its node.
inline Contact contactOf(std::uint64_t number, std::uint64_t sequence = 1, Seal seal = Seal::Genuine)
{
    ByteWriter writer;
    writer.raw(descriptorOf(nodeId(number), sequence, seal));
    write(writer, endpointOf(number));
    return {writer.take(), {}};
}

class ContactMediator final : public Mediator
{
public:
    Opinion examine(ByteView) override { return {}; }
    std::vector<Head> heads() const override { return {}; }
    Bytes notice(const NoticeKey&) const override { return {}; }
    Result<DescriptorInfo> examineDescriptor(ByteView descriptor) const override
    {
        ++examined;
        ByteReader reader(descriptor);
        const auto seal = static_cast<Seal>(reader.u8());
        const auto node = NodeId::fromBytes(reader.raw(32));
        const std::uint64_t sequence = reader.u64();
        const Endpoint endpoint = readEndpoint(reader);
        if (!reader.isGood())
            return fail(Errc::Truncated, "descriptor");
        if (seal != Seal::Genuine)
            return fail(seal == Seal::NotAdmitted ? Errc::NotAdmitted : Errc::BadSignature, "descriptor");
        return DescriptorInfo{*node, sequence, {endpoint}};
    }
    mutable std::uint64_t examined = 0;
};

} // namespace starling::overlay::testing
