// SPDX-License-Identifier: Apache-2.0
#include "node/neighbors.h"

#include "node/disk.h"
#include "trust/documents.h"
#include "trust/envelope.h"

namespace starling::node {

namespace {

/// Forty contacts of the largest size, 84 KiB, and some.
constexpr std::size_t kMaxFileBytes = 128 * 1024;

overlay::NeighborId neighborOf(link::LinkId link)
{
    return overlay::NeighborId{static_cast<std::uint64_t>(link)};
}

link::LinkId linkOf(overlay::NeighborId neighbor)
{
    return link::LinkId{static_cast<std::uint64_t>(neighbor)};
}

} // namespace

Neighbors::Neighbors(const NodeId& self, const overlay::MembershipConfig& config,
                     const overlay::Mediator& mediator, RandomSource& random, TimerQueue& timers, Wires wires)
    : m_mediator(mediator)
    , m_timers(timers)
    , m_wires(std::move(wires))
    , m_membership(self, config, mediator, random)
{
}

void Neighbors::setBootstrap(const std::vector<Endpoint>& endpoints)
{
    feed(overlay::Bootstrap{endpoints});
}

// The file: messages as they go over links, each after its length.

void Neighbors::load(const std::filesystem::path& file)
{
    const auto bytes = readFile(file, kMaxFileBytes);
    if (!bytes)
        return;
    overlay::Remembered remembered;
    ByteReader reader(*bytes);
    while (!reader.rest().empty() && reader.isGood()) {
        const auto message = overlay::parseMembership(reader.sized(kMaxFileBytes));
        const auto* shuffle = message ? std::get_if<overlay::ShuffleMessage>(&*message) : nullptr;
        if (shuffle == nullptr)
            break;
        remembered.contacts.insert(remembered.contacts.end(), shuffle->contacts.begin(),
                                   shuffle->contacts.end());
    }
    feed(remembered);
}

Status Neighbors::save(const std::filesystem::path& file) const
{
    const std::vector<overlay::Contact> known = m_membership.known();
    ByteWriter writer;
    for (std::size_t i = 0; i < known.size(); i += overlay::kMaxContacts) {
        const std::size_t end = std::min(known.size(), i + overlay::kMaxContacts);
        writer.sized(
            overlay::serialize(overlay::ShuffleMessage{{known.begin() + static_cast<std::ptrdiff_t>(i),
                                                        known.begin() + static_cast<std::ptrdiff_t>(end)}}));
    }
    return writeFile(file, writer.take(), FileMode::Private);
}

void Neighbors::setOwn(overlay::Contact own)
{
    feed(overlay::OwnContact{std::move(own)});
}

NodeId Neighbors::nodeOf(link::LinkId link) const
{
    return m_membership.nodeOf(neighborOf(link)).value_or(NodeId());
}

std::map<NodeId, std::vector<Endpoint>> Neighbors::addresses() const
{
    std::map<NodeId, std::vector<Endpoint>> addresses;
    for (const overlay::Contact& contact : m_membership.known())
        if (const auto info = m_mediator.examineContact(contact.descriptor, contact.certificate))
            addresses[info->node] = info->endpoints;
    return addresses;
}

std::set<Endpoint> Neighbors::swarmNodes() const
{
    std::set<Endpoint> nodes;
    for (const overlay::Contact& contact : m_membership.known()) {
        // Membership keeps none that it has not examined.
        const auto envelope = trust::Envelope::parse(contact.descriptor);
        const auto descriptor = envelope ? trust::Descriptor::parse(envelope->payload)
                                         : Result<trust::Descriptor>(fail(Errc::Malformed, "contact"));
        if (!descriptor || descriptor->swarmPort == 0)
            continue;
        for (Endpoint at : descriptor->addresses)
            if (nodes.size() < kMaxSwarmNodes) {
                at.port = descriptor->swarmPort;
                nodes.insert(at);
            }
    }
    return nodes;
}

void Neighbors::take(const link::Output& output)
{
    if (const auto* up = std::get_if<link::LinkUp>(&output)) {
        feed(overlay::LinkUp{neighborOf(up->link), up->node, up->endpoint, up->roundTrip, up->isRestricted});
    } else if (const auto* failed = std::get_if<link::LinkFailed>(&output)) {
        feed(overlay::LinkFailed{failed->endpoint});
    } else if (const auto* moved = std::get_if<link::LinkMoved>(&output)) {
        feed(overlay::LinkMoved{neighborOf(moved->link), moved->endpoint});
    } else if (const auto* down = std::get_if<link::LinkDown>(&output)) {
        feed(overlay::LinkDown{neighborOf(down->link)});
    } else if (const auto* silence = std::get_if<link::LinkSilence>(&output)) {
        feed(overlay::LinkSilence{neighborOf(silence->link), silence->isSilent});
    } else if (const auto* message = std::get_if<link::MessageReceived>(&output)) {
        const overlay::MessageReceived received{neighborOf(message->link), message->message};
        if (overlay::concernsMembership(message->message))
            feed(received);
        else if (m_membership.isNeighbor(received.from))
            m_wires.overlay(received);
        else
            feed(overlay::StrangeMessage{received.from});
    }
}

void Neighbors::feed(const overlay::MembershipInput& input)
{
    for (overlay::MembershipOutput& output : m_membership.handle(input, m_timers.now()))
        m_outputs.push_back(std::move(output));
    // In the order in which they were said, also when one leads to another input: the overlay hears that a
    // neighbour came before it hears that it went.
    if (std::exchange(m_isActing, true))
        return;
    while (!m_outputs.empty()) {
        const overlay::MembershipOutput output = std::move(m_outputs.front());
        m_outputs.pop_front();
        act(output);
    }
    m_isActing = false;
}

void Neighbors::act(const overlay::MembershipOutput& output)
{
    if (const auto* connect = std::get_if<overlay::ConnectTo>(&output))
        m_wires.links(link::Connect{connect->to, connect->tries, connect->node});
    else if (const auto* close = std::get_if<overlay::CloseLink>(&output)) {
        // Of a link without a purpose, membership says so again some time later.
        if (!m_wires.isInUse(linkOf(close->link)))
            m_wires.links(link::Close{linkOf(close->link)});
    } else if (const auto* probe = std::get_if<overlay::ProbeLink>(&output))
        m_wires.links(link::Probe{linkOf(probe->link)});
    else if (const auto* send = std::get_if<overlay::SendMessage>(&output))
        m_wires.links(link::SendMessage{linkOf(send->to), send->bytes});
    else if (const auto* up = std::get_if<overlay::NeighborUp>(&output))
        m_wires.overlay(*up);
    else if (const auto* down = std::get_if<overlay::NeighborDown>(&output))
        m_wires.overlay(*down);
    else if (const auto* refused = std::get_if<overlay::ContactRefused>(&output))
        m_wires.refused(refused->error);
    else if (const auto* timer = std::get_if<overlay::ScheduleMembership>(&output))
        m_timers.schedule(timer->delay, [this, value = timer->timer] { feed(value); });
}

} // namespace starling::node
