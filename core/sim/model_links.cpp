// SPDX-License-Identifier: Apache-2.0
#include "sim/model_links.h"

#include "sim/node.h"

#include <algorithm>

namespace starling::sim {

namespace {

/// Of link/session.cpp, at a round trip of some tens of milliseconds: how long a PING is repeated before
/// LinkSilence, and how much longer until the link ends.
constexpr Duration kUntilSilence = std::chrono::milliseconds(700);
constexpr Duration kUntilEnd = std::chrono::seconds(6);
constexpr unsigned kSuspiciousTimeouts = 7; ///< the same's

/// The agent's.
const link::Config& config()
{
    static const link::Config kConfig;
    return kConfig;
}

/// The life of a node does not matter to what names its session.
constexpr std::uint32_t kAnyLife = 0;

} // namespace

ModelLinks::ModelLinks(World& world, NodeIndex self)
    : m_world(world)
    , m_self(self)
{
    constexpr std::size_t kUsual = 6; // as overlay::PerNeighbor
    m_slots.reserve(kUsual);
}

void ModelLinks::crash()
{
    for (Slot& slot : m_slots) {
        forgetStalled(slot);
        if (slot.session != 0)
            suspect(slot.peer, m_self, slot.session);
    }
}

void ModelLinks::forgetStalled(Slot& slot)
{
    if (slot.stalled)
        --m_world.stalledLinks;
    slot.stalled.reset();
}

ModelLinks* ModelLinks::of(World& world, NodeIndex node)
{
    return node < world.nodes.size() ? world.nodes[node]->modelLinks() : nullptr;
}

ModelLinks::Slot* ModelLinks::find(NodeIndex peer)
{
    const std::size_t place = placeOf(peer);
    return place < m_slots.size() ? &m_slots[place] : nullptr;
}

ModelLinks::Slot* ModelLinks::find(link::LinkId link)
{
    // A number that is not used any more stays in its slot: the session tells.
    for (std::size_t i = 0; i < m_slots.size(); ++i)
        if (link::LinkId{i < kNear ? m_numbers[i] : m_slots[i].number} == link && m_slots[i].session != 0)
            return &m_slots[i];
    return nullptr;
}

void ModelLinks::setNumber(Slot& slot)
{
    slot.number = ++m_lastId;
    if (const auto place = static_cast<std::size_t>(&slot - m_slots.data()); place < kNear)
        m_numbers[place] = slot.number;
}

ModelLinks::Slot& ModelLinks::findOrAdd(NodeIndex peer)
{
    if (Slot* slot = find(peer))
        return *slot;
    // By some, for twofold would leave half of them empty.
    constexpr std::size_t kMore = 2;
    if (m_slots.size() == m_slots.capacity())
        m_slots.reserve(m_slots.size() + std::max(kMore, m_slots.size() / 2));
    Slot slot;
    slot.peer = peer;
    if (m_slots.size() < kNear) {
        m_peers[m_slots.size()] = peer;
        m_numbers[m_slots.size()] = 0;
    }
    return m_slots.emplace_back(std::move(slot));
}

void ModelLinks::drop(NodeIndex peer)
{
    std::erase_if(m_slots, [peer](const Slot& slot) { return slot.peer == peer; });
    for (std::size_t i = 0; i < std::min(m_slots.size(), kNear); ++i) {
        m_peers[i] = m_slots[i].peer;
        m_numbers[i] = m_slots[i].number;
    }
}

ModelLinks::Slot* ModelLinks::counterpart(const Slot& slot) const
{
    ModelLinks* other = of(m_world, slot.peer);
    return other == nullptr ? nullptr : other->find(m_self);
}

/// Whether nothing comes from the other side any more.
bool ModelLinks::isLost(const Slot& slot) const
{
    const Slot* theirs = counterpart(slot);
    return m_world.network.isCut(m_self, slot.peer) || theirs == nullptr
        || (theirs->session != slot.session && theirs->attempt != slot.session);
}

void ModelLinks::push(Duration delay, Event::What what, NodeIndex to, NodeIndex from, std::uint64_t session)
{
    m_world.queue.push(m_world.now + delay, {what, to, from, kAnyLife, session, 0, {}});
}

Duration ModelLinks::backoff(unsigned attempts)
{
    Duration delay = config().reconnectMin;
    for (unsigned i = 0; i < attempts && delay < config().reconnectMax; ++i)
        delay *= 2;
    delay = std::min(delay, config().reconnectMax);
    const auto half = static_cast<std::uint64_t>(delay.count() / 2);
    return delay - Duration(static_cast<Duration::rep>(m_world.random.below(half + 1)));
}

/// Two round trips; doubled with every try.
Duration ModelLinks::retransmitTimeout(NodeIndex peer, unsigned tries) const
{
    Duration timeout = std::max(4 * m_world.network.latency(m_self, peer), config().minRetransmit);
    for (unsigned i = 0; i < tries && timeout < config().maxRetransmit; ++i)
        timeout *= 2;
    return std::min(timeout, config().maxRetransmit);
}

/// How long one datagram takes; nothing if it is lost.
std::optional<Duration> ModelLinks::tripOf(NodeIndex from, NodeIndex to)
{
    ++m_world.books.datagrams;
    const Network::Fate fate = m_world.network.fate(from, to, m_world.random);
    if (fate.copies > 0)
        return fate.copies == 2 ? std::min(fate.delays[0], fate.delays[1]) : fate.delays[0];
    ++m_world.books.lostDatagrams;
    return std::nullopt;
}

// --- Links come and go

void ModelLinks::connect(const link::Connect& input)
{
    const NodeIndex peer = indexOf(input.to);
    if (peer == m_self || peer >= m_world.nodes.size())
        return;
    Slot& slot = findOrAdd(peer);
    if (slot.session != 0 && input.tries != 0)
        return;
    slot.tries = slot.isTarget && (slot.tries == 0 || input.tries == 0) ? 0 : input.tries;
    if (!std::exchange(slot.isTarget, true) && slot.session == 0)
        startAttempt(slot, Duration{});
}

void ModelLinks::startAttempt(Slot& slot, Duration delay)
{
    slot.attempt = ++m_world.sessions;
    push(delay, Event::What::Greet, m_self, slot.peer, slot.attempt);
}

void ModelLinks::greet(Slot& slot, Outputs& outputs)
{
    if (slot.tries != 0 && slot.attempts >= slot.tries) {
        outputs.push_back(link::LinkFailed{endpointOf(slot.peer)});
        slot.attempt = 0;
        slot.isTarget = false;
        if (slot.session == 0)
            drop(slot.peer);
        return;
    }
    // HELLO, WELCOME, FINISH: whatever of them is lost, the next HELLO makes good.
    const auto hello = tripOf(m_self, slot.peer), welcome = tripOf(slot.peer, m_self),
               finish = tripOf(m_self, slot.peer);
    if (hello && welcome && finish)
        push(*hello + *welcome + *finish, Event::What::Finish, slot.peer, m_self, slot.attempt);
    push(backoff(slot.attempts++), Event::What::Greet, m_self, slot.peer, slot.attempt);
}

void ModelLinks::onFinish(const Event& event, Outputs& outputs)
{
    if (Slot* slot = find(event.from); slot != nullptr && slot->session == event.first)
        return confirm(*slot);
    ModelLinks* other = of(m_world, event.from);
    const Slot* theirs = other == nullptr ? nullptr : other->find(m_self);
    if (theirs == nullptr || theirs->attempt != event.first)
        return;
    const auto incoming = static_cast<std::size_t>(
        std::count_if(m_slots.begin(), m_slots.end(), [](const Slot& s) { return !s.isTarget; }));
    if (find(event.from) == nullptr && incoming >= config().maxIncomingLinks)
        return;
    // If both greet at once, ours ends here, and its FINISH is not taken.
    Slot& slot = findOrAdd(event.from);
    bringUp(slot, event.first, outputs);
    confirm(slot);
}

/// Tells who greeted that the link is up; if that is lost, another FINISH asks for it.
void ModelLinks::confirm(Slot& slot)
{
    const auto trip = tripOf(m_self, slot.peer);
    if (!trip)
        return;
    slot.lastArrival = std::max(slot.lastArrival, m_world.now + *trip);
    push(slot.lastArrival - m_world.now, Event::What::Confirm, slot.peer, m_self, slot.session);
}

void ModelLinks::bringUp(Slot& slot, std::uint64_t session, Outputs& outputs)
{
    if (slot.session != 0)
        outputs.push_back(link::LinkDown{slot.id(), Errc::Unreachable});
    slot.attempt = 0;
    slot.attempts = 0;
    slot.isTarget = slot.isTarget && slot.tries == 0;
    slot.session = session;
    setNumber(slot);
    slot.sequence = 0;
    slot.isSilent = false;
    slot.lastArrival = m_world.now;
    forgetStalled(slot);
    outputs.push_back(link::LinkUp{slot.id(), m_world.nodes[slot.peer]->id(), endpointOf(slot.peer),
                                   2 * m_world.network.latency(m_self, slot.peer)});
}

void ModelLinks::sayGoodbye(Slot& slot)
{
    const auto trip = tripOf(m_self, slot.peer);
    if (!trip)
        return suspect(slot.peer, m_self, slot.session);
    slot.lastArrival = std::max(slot.lastArrival, m_world.now + *trip);
    push(slot.lastArrival - m_world.now, Event::What::Goodbye, slot.peer, m_self, slot.session);
}

void ModelLinks::endLink(Slot& slot, Errc reason, Outputs& outputs)
{
    outputs.push_back(link::LinkDown{slot.id(), reason});
    slot.session = 0;
    forgetStalled(slot);
    if (!slot.isTarget)
        return drop(slot.peer);
    slot.attempts = 0;
    if (slot.attempt == 0)
        startAttempt(slot, backoff(0));
}

/// `who` will miss the keepalives of `whom`; nobody knows how old the last one is.
void ModelLinks::suspect(NodeIndex who, NodeIndex whom, std::uint64_t session)
{
    const auto left = m_world.random.below(static_cast<std::uint64_t>(config().keepalive.count()));
    push(Duration(static_cast<Duration::rep>(left)) + kUntilSilence, Event::What::Suspect, who, whom,
         session);
}

void ModelLinks::probe(Slot& slot)
{
    if (!slot.isSilent && isLost(slot))
        push(kUntilSilence, Event::What::Suspect, m_self, slot.peer, slot.session);
}

void ModelLinks::onSuspect(Slot& slot, Outputs& outputs)
{
    if (slot.isSilent || !isLost(slot))
        return;
    slot.isSilent = true;
    outputs.push_back(link::LinkSilence{slot.id(), true});
    push(kUntilEnd, Event::What::Idle, m_self, slot.peer, slot.session);
}

void ModelLinks::onIdle(Slot& slot, Outputs& outputs)
{
    slot.isSilent = false;
    if (!isLost(slot)) {
        outputs.push_back(link::LinkSilence{slot.id(), false});
        return;
    }
    sayGoodbye(slot);
    endLink(slot, Errc::Timeout, outputs);
}

void ModelLinks::noteCut()
{
    for (const Slot& slot : m_slots)
        if (slot.session != 0 && m_world.network.isCut(m_self, slot.peer))
            suspect(m_self, slot.peer, slot.session);
}

// --- Messages

void ModelLinks::handle(const link::Input& input, Outputs& outputs)
{
    if (const auto* to = std::get_if<link::Connect>(&input)) {
        connect(*to);
    } else if (const auto* message = std::get_if<link::SendMessage>(&input)) {
        send(message->link, message->message, message->isOnce, outputs);
    } else if (const auto* wanted = std::get_if<link::Probe>(&input)) {
        if (Slot* slot = find(wanted->link))
            probe(*slot);
    } else if (const auto* close = std::get_if<link::Close>(&input)) {
        Slot* slot = find(close->link);
        if (slot == nullptr)
            return;
        slot->isTarget = false;
        slot->attempt = 0;
        sayGoodbye(*slot);
        endLink(*slot, Errc::Cancelled, outputs);
    }
}

void ModelLinks::send(link::LinkId link, Bytes message, bool isOnce, Outputs& outputs)
{
    Slot* slot = find(link);
    if (slot == nullptr || message.size() > config().maxMessageBytes)
        return;
    Content content = m_world.contents.share(std::move(message));
    if (isOnce)
        return sendOnce(*slot, std::move(content));
    if (slot->stalled && slot->stalled->bytes + content.bytes().size() > config().maxQueuedBytes) {
        sayGoodbye(*slot);
        return endLink(*slot, Errc::Busy, outputs);
    }
    const std::uint64_t sequence = ++slot->sequence;
    if (slot->stalled || m_world.network.isCut(m_self, slot->peer))
        stall(*slot, sequence, std::move(content));
    else
        transmit(*slot, sequence, std::move(content));
}

/// In no order with others, lost or not: sequence 0.
void ModelLinks::sendOnce(Slot& slot, Content message)
{
    const auto trip = tripOf(m_self, slot.peer);
    m_world.books.noteSent(message.bytes().size(), m_world.nodes[m_self]->isHonest());
    if (trip)
        m_world.queue.push(
            m_world.now + *trip,
            {Event::What::Message, slot.peer, m_self, kAnyLife, slot.session, 0, std::move(message)});
}

void ModelLinks::transmit(Slot& slot, std::uint64_t sequence, Content message)
{
    Books& books = m_world.books;
    Duration delay{};
    auto trip = tripOf(m_self, slot.peer);
    for (unsigned tries = 0; !trip && tries < config().maxRetries; ++tries) {
        delay += retransmitTimeout(slot.peer, tries);
        ++books.retransmissions;
        books.noteSent(message.bytes().size(), m_world.nodes[m_self]->isHonest());
        trip = tripOf(m_self, slot.peer);
    }
    books.noteSent(message.bytes().size(), m_world.nodes[m_self]->isHonest());
    delay += trip.value_or(m_world.network.latency(m_self, slot.peer));
    slot.lastArrival = std::max(slot.lastArrival, m_world.now + delay);
    m_world.queue.push(
        slot.lastArrival,
        {Event::What::Message, slot.peer, m_self, kAnyLife, slot.session, sequence, std::move(message)});
}

void ModelLinks::stall(Slot& slot, std::uint64_t sequence, Content message)
{
    if (!slot.stalled) {
        slot.stalled = std::make_unique<Stalled>();
        ++m_world.stalledLinks;
        push(retransmitTimeout(slot.peer, 0), Event::What::Resend, m_self, slot.peer, slot.session);
    }
    auto& messages = slot.stalled->messages;
    slot.stalled->bytes += message.bytes().size();
    const auto place = std::find_if(messages.begin(), messages.end(),
                                    [&](const auto& later) { return later.first > sequence; });
    messages.emplace(place, sequence, std::move(message));
}

void ModelLinks::resend(Slot& slot, Outputs& outputs)
{
    if (!slot.stalled)
        return;
    if (!isLost(slot)) {
        const auto stalled = std::move(slot.stalled);
        --m_world.stalledLinks;
        for (auto& [sequence, message] : stalled->messages)
            transmit(slot, sequence, std::move(message));
        return;
    }
    ++m_world.books.retransmissions;
    if (++slot.stalled->tries > config().maxRetries) {
        sayGoodbye(slot);
        return endLink(slot, Errc::Timeout, outputs);
    }
    if (slot.stalled->tries == kSuspiciousTimeouts && slot.isTarget && slot.attempt == 0)
        startAttempt(slot, Duration{}); // the other side may have restarted
    push(retransmitTimeout(slot.peer, slot.stalled->tries), Event::What::Resend, m_self, slot.peer,
         slot.session);
}

void ModelLinks::giveBack(World& world, Event& event)
{
    ModelLinks* sender = event.second == 0 ? nullptr : of(world, event.from);
    Slot* slot = sender == nullptr ? nullptr : sender->find(event.node);
    if (slot != nullptr && slot->session == event.first)
        sender->stall(*slot, event.second, std::move(event.content));
}

std::optional<link::LinkId> ModelLinks::take(Event& event)
{
    const Slot* slot = find(event.from);
    // The other side is looked at only where it matters: its memory is far away.
    const Slot* theirs = slot == nullptr || m_world.stalledLinks == 0 ? nullptr : counterpart(*slot);
    const bool isMissing = slot == nullptr || slot->session != event.first
        || m_world.network.isCut(m_self, event.from)
        // One before it has not come yet.
        || (theirs != nullptr && theirs->session == event.first && theirs->stalled
            && theirs->stalled->messages.front().first < event.second);
    if (!isMissing)
        return slot->id();
    giveBack(m_world, event);
    return std::nullopt;
}

void ModelLinks::handle(const Event& event, Outputs& outputs)
{
    const bool isOwn = event.what == Event::What::Greet || event.what == Event::What::Resend
        || event.what == Event::What::Suspect || event.what == Event::What::Idle;
    if (!isOwn && m_world.network.isCut(m_self, event.from))
        return;
    if (event.what == Event::What::Finish)
        return onFinish(event, outputs);
    Slot* slot = find(event.from);
    const bool isHandshake = event.what == Event::What::Greet || event.what == Event::What::Confirm;
    if (slot == nullptr || (isHandshake ? slot->attempt : slot->session) != event.first)
        return;
    switch (event.what) {
    case Event::What::Greet:
        return greet(*slot, outputs);
    case Event::What::Confirm:
        return bringUp(*slot, event.first, outputs);
    case Event::What::Goodbye:
        return endLink(*slot, Errc::Cancelled, outputs);
    case Event::What::Resend:
        return resend(*slot, outputs);
    case Event::What::Suspect:
        return onSuspect(*slot, outputs);
    case Event::What::Idle:
        return onIdle(*slot, outputs);
    default:
        return;
    }
}

std::vector<link::LinkInfo> ModelLinks::links() const
{
    std::vector<link::LinkInfo> all;
    for (const Slot& slot : m_slots)
        if (slot.session != 0)
            all.push_back({slot.id(), m_world.nodes[slot.peer]->id(), endpointOf(slot.peer), true,
                           2 * m_world.network.latency(m_self, slot.peer)});
    return all;
}

} // namespace starling::sim
