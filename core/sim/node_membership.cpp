// SPDX-License-Identifier: Apache-2.0
/// How a simulated node finds its neighbours: the shipped Membership, joined as node/neighbors.cpp joins it.
#include "sim/node.h"

namespace starling::sim {

namespace {

overlay::NeighborId neighborOf(link::LinkId link)
{
    return overlay::NeighborId{static_cast<std::uint64_t>(link)};
}

link::LinkId linkOf(overlay::NeighborId neighbor)
{
    return link::LinkId{static_cast<std::uint64_t>(neighbor)};
}

/// Without certificates nobody signs: a descriptor is taken as it is.
class BareContacts final : public overlay::Mediator
{
public:
    Opinion examine(ByteView) override { return {}; }
    std::vector<overlay::Head> heads() const override { return {}; }
    Bytes notice(const overlay::NoticeKey&) const override { return {}; }
    Result<DescriptorInfo> examineDescriptor(ByteView bytes) const override
    {
        auto descriptor = trust::Descriptor::parse(bytes);
        if (!descriptor)
            return tl::unexpected<Error>(descriptor.error());
        return DescriptorInfo{descriptor->node, descriptor->sequence, std::move(descriptor->addresses)};
    }
};

} // namespace

void Node::startMembership()
{
    const bool isCertified = m_world.scenario.hasCertificates;
    if (!isCertified)
        m_bareContacts = std::make_unique<BareContacts>();
    const overlay::Mediator& mediator = isCertified ? *m_replica : *m_bareContacts;
    m_membership =
        std::make_unique<overlay::Membership>(m_id, overlay::MembershipConfig(), mediator, m_world.random);
    std::vector<Endpoint> bootstraps;
    for (const NodeIndex neighbor : m_neighbors)
        bootstraps.push_back(endpointOf(neighbor));
    feedMembership(overlay::Bootstrap{std::move(bootstraps)});
    Bytes descriptor = trust::Descriptor{m_id, m_sequence++, {endpointOf(m_index)}, 0}.serialize();
    if (isCertified)
        descriptor = m_world.authority.seal(trust::Kind::Descriptor, std::move(descriptor), m_index);
    feedMembership(overlay::OwnContact{{std::move(descriptor), m_certificate}});
}

void Node::tellMembership(const link::Output& output)
{
    if (const auto* up = std::get_if<link::LinkUp>(&output)) {
        feedMembership(
            overlay::LinkUp{neighborOf(up->link), up->node, up->endpoint, up->roundTrip, up->isRestricted});
    } else if (const auto* failed = std::get_if<link::LinkFailed>(&output)) {
        feedMembership(overlay::LinkFailed{failed->endpoint});
    } else if (const auto* down = std::get_if<link::LinkDown>(&output)) {
        feedMembership(overlay::LinkDown{neighborOf(down->link)});
    } else if (const auto* silence = std::get_if<link::LinkSilence>(&output)) {
        feedMembership(overlay::LinkSilence{neighborOf(silence->link), silence->isSilent});
    } else if (const auto* message = std::get_if<link::MessageReceived>(&output)) {
        tellMembership(overlay::MessageReceived{neighborOf(message->link), message->message});
    }
}

void Node::tellMembership(const overlay::MessageReceived& message)
{
    if (overlay::concernsMembership(message.bytes))
        feedMembership(message);
    else if (m_membership->isNeighbor(message.from))
        feedOverlay(message);
    else
        feedMembership(overlay::StrangeMessage{message.from});
}

void Node::feedMembership(const overlay::MembershipInput& input)
{
    for (overlay::MembershipOutput& output : m_membership->handle(input, m_world.now))
        m_membershipOutputs.push_back(std::move(output));
    if (std::exchange(m_isMembershipActing, true))
        return;
    for (std::size_t i = 0; i < m_membershipOutputs.size(); ++i) {
        const overlay::MembershipOutput output = std::move(m_membershipOutputs[i]);
        act(output);
    }
    m_membershipOutputs.clear();
    m_isMembershipActing = false;
}

void Node::act(const overlay::MembershipOutput& output)
{
    if (const auto* connect = std::get_if<overlay::ConnectTo>(&output)) {
        feedLinks(link::Connect{connect->to, connect->tries});
    } else if (const auto* close = std::get_if<overlay::CloseLink>(&output)) {
        feedLinks(link::Close{linkOf(close->link)});
    } else if (const auto* probe = std::get_if<overlay::ProbeLink>(&output)) {
        feedLinks(link::Probe{linkOf(probe->link)});
    } else if (const auto* send = std::get_if<overlay::SendMessage>(&output)) {
        ++m_world.books.messages;
        m_world.books.messageBytes += send->bytes.size();
        feedLinks(link::SendMessage{linkOf(send->to), send->bytes});
    } else if (const auto* up = std::get_if<overlay::NeighborUp>(&output)) {
        feedOverlay(*up);
    } else if (const auto* down = std::get_if<overlay::NeighborDown>(&output)) {
        feedOverlay(*down);
    } else if (const auto* timer = std::get_if<overlay::ScheduleMembership>(&output)) {
        m_world.queue.push(
            m_world.now + timer->delay,
            {Event::What::MembershipTimer, m_index, m_index, m_life, timer->timer.generation, 0, {}});
    }
}

} // namespace starling::sim
