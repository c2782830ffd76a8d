// SPDX-License-Identifier: Apache-2.0
#include "overlay/membership_impl.h"

namespace starling::overlay {

namespace {

constexpr std::size_t kOffered = 6; ///< contacts in an Answer; guess
constexpr std::size_t kWalks = 3; ///< ForwardJoin messages of one Join; guess: as many neighbours as it wants
constexpr std::uint8_t kWalkLength = 4; ///< HyParView's 6 is for 10,000 nodes; handshakes are dear. Guess
constexpr std::uint8_t kPassiveAt = 2; ///< time to live at which a walk is remembered; HyParView: PRWL, 3
constexpr Duration kReplyTime = std::chrono::seconds(10); ///< to a Shuffle; guess
constexpr Duration kBetweenShuffles = std::chrono::seconds(5); ///< of one neighbour; guess

} // namespace

// --- Messages

void Membership::Impl::on(Peers::value_type& from, const JoinMessage& message, Instant now)
{
    if (!isSelf(from, message.self, now))
        return;
    answer(from, Urgency::High, now);
    std::set<NodeId> except{from.second.node};
    for (std::size_t i = 0; i < kWalks && !from.second.contact.descriptor.empty(); ++i) {
        auto* next = m_walks.isOpen(now) ? anyActive(except) : nullptr;
        if (next == nullptr)
            return;
        m_walks.spend(1);
        except.insert(next->second.node);
        send(next->first, ForwardJoinMessage{kWalkLength, message.self});
    }
}

void Membership::Impl::on(Peers::value_type& from, const ForwardJoinMessage& message, Instant now)
{
    if (from.second.state != State::Active || !m_walks.isOpen(now))
        return;
    m_walks.spend(1);
    auto candidate = examine(from, message.newcomer, now);
    if (!candidate || busy().contains(candidate->node))
        return;
    auto* next = message.timeToLive == 0 ? nullptr : anyActive({from.second.node, candidate->node});
    const Candidate newcomer = *candidate;
    if (next == nullptr || message.timeToLive == kPassiveAt)
        m_passive.add(std::move(*candidate));
    if (next != nullptr) {
        const auto left = static_cast<std::uint8_t>(message.timeToLive - 1);
        return send(next->first, ForwardJoinMessage{left, message.newcomer});
    }
    if (isLacking() && m_attempts.size() < m_config.attempts)
        connect(newcomer, Purpose::Fill, now);
}

void Membership::Impl::on(Peers::value_type& from, const AskMessage& message, Instant now)
{
    if (isSelf(from, message.self, now))
        answer(from, message.urgency, now);
}

void Membership::Impl::on(Peers::value_type& from, const AnswerMessage& message, Instant now)
{
    if (from.second.state != State::Asked)
        return;
    if (!message.isAccepted) {
        from.second.state = State::Idle;
        postpone(from.second.node, now);
        // Who has some neighbours, and is not wanted by others, has time.
        if (!isYoung(now) && isLacking() && alive() >= kSome)
            m_nextFill = now + about(doubled(kBetweenFills, m_refused++));
        learn(from, message.others, now);
        return close(from.first);
    }
    if (!message.others.empty() && !isSelf(from, message.others.front(), now))
        return;
    // It has asked as well, over another link. One side alone ends one, or both would end both.
    if (auto* other = m_self < from.second.node ? activeBeside(from) : nullptr) {
        demote(*other, now);
        close(other->first);
    }
    promote(from, from.second.role, now);
    learn(from, message.others, now);
    trim(now);
}

void Membership::Impl::on(Peers::value_type& from, const DisconnectMessage& message, Instant now)
{
    if (from.second.state == State::Active)
        demote(from, now);
    from.second.state = State::Idle;
    learn(from, message.instead, now);
    close(from.first);
}

void Membership::Impl::on(Peers::value_type& from, const ShuffleMessage& message, Instant now)
{
    Peer& peer = from.second;
    if (peer.reshuffled && now - *peer.reshuffled < kBetweenShuffles)
        return;
    peer.reshuffled = now;
    // As many as came; who knows few gets some.
    const std::size_t count = std::clamp(message.contacts.size(), kFew, kShuffled);
    send(from.first, ShuffleReplyMessage{offer(count, peer.node)});
    learn(from, message.contacts, now);
}

void Membership::Impl::on(Peers::value_type& from, const ShuffleReplyMessage& message, Instant now)
{
    Peer& peer = from.second;
    if (!peer.shuffled || now - *peer.shuffled > kReplyTime)
        return;
    peer.shuffled.reset();
    learn(from, message.contacts, now);
    if (peer.state == State::Idle)
        close(from.first); // a bootstrap that has told what it knows
}

void Membership::Impl::on(Peers::value_type& from, const MovedMessage& message, Instant now)
{
    if (from.second.state == State::Active)
        isSelf(from, message.self, now);
}

// --- Neighbours

std::size_t Membership::Impl::count(Role role) const
{
    return static_cast<std::size_t>(std::count_if(m_peers.begin(), m_peers.end(), [&](const auto& peer) {
        return peer.second.isAlive() && peer.second.role == role;
    }));
}

std::size_t Membership::Impl::alive() const
{
    return static_cast<std::size_t>(std::count_if(m_peers.begin(), m_peers.end(),
                                                  [](const auto& peer) { return peer.second.isAlive(); }));
}

Membership::Neighbor::Role Membership::Impl::nextRole() const
{
    return count(Role::Random) == 0 || count(Role::Near) >= m_config.near ? Role::Random : Role::Near;
}

void Membership::Impl::ask(Peers::value_type& peer, Role role, bool isJoin, Instant now)
{
    peer.second.state = State::Asked;
    peer.second.role = role;
    peer.second.since = now;
    if (isJoin && alive() == 0)
        return send(peer.first, JoinMessage{m_own});
    const Urgency byRole = role == Role::Near ? Urgency::Near : Urgency::Random;
    send(peer.first, AskMessage{alive() == 0 ? Urgency::High : byRole, m_own});
}

void Membership::Impl::considerNear(Peers::value_type& peer, Instant now)
{
    if (isLacking())
        return ask(peer, nextRole(), false, now);
    const auto* worst = slowest(Role::Near);
    const bool isBetter = count(Role::Near) < m_config.near
        || (peer.second.roundTrip
            && isMuchNearer(*peer.second.roundTrip, worst->second.roundTrip.value_or(kUnmeasured)));
    if (isBetter)
        return ask(peer, Role::Near, false, now);
    close(peer.first);
}

Membership::Impl::Peers::value_type* Membership::Impl::slowest(Role role)
{
    Peers::value_type* worst = nullptr;
    const auto time = [](const Peers::value_type& peer) {
        return peer.second.roundTrip.value_or(kUnmeasured);
    };
    for (auto& peer : m_peers)
        if (peer.second.isAlive() && peer.second.role == role
            && (worst == nullptr || time(*worst) < time(peer)))
            worst = &peer;
    return worst;
}

Membership::Impl::Peers::value_type* Membership::Impl::anyActive(const std::set<NodeId>& except)
{
    Peers::value_type* drawn = nullptr;
    std::uint64_t seen = 0;
    for (auto& peer : m_peers)
        if (peer.second.isAlive() && !except.contains(peer.second.node) && m_random.below(++seen) == 0)
            drawn = &peer;
    return drawn;
}

/// Another link to the same node, over which it is our neighbour.
Membership::Impl::Peers::value_type* Membership::Impl::activeBeside(const Peers::value_type& peer)
{
    const auto found = std::find_if(m_peers.begin(), m_peers.end(), [&](const auto& other) {
        return other.first != peer.first && other.second.node == peer.second.node
            && other.second.state == State::Active;
    });
    return found == m_peers.end() ? nullptr : &*found;
}

/// Whether one more may be our neighbour; perhaps another one has gone for it.
bool Membership::Impl::makesRoom(const Peers::value_type& asker, Urgency urgency, Instant now)
{
    const bool isOpen =
        urgency == Urgency::High || count(Role::Inbound) < m_config.inbound || !m_passive.hasOther(busy());
    if (alive() < m_config.most && isOpen)
        return true;
    if (urgency == Urgency::Random || now < m_nextEviction)
        return false;
    Peers::value_type* victim = slowest(Role::Inbound);
    if (victim == nullptr)
        return false;
    if (urgency == Urgency::Near
        && (!asker.second.roundTrip || !victim->second.roundTrip
            || !isMuchNearer(*asker.second.roundTrip, *victim->second.roundTrip)))
        return false;
    m_nextEviction = now + m_config.eviction;
    drop(*victim, {asker.second.contact}, now);
    return true;
}

void Membership::Impl::answer(Peers::value_type& asker, Urgency urgency, Instant now)
{
    const NeighborId link = asker.first;
    Peer& peer = asker.second;
    // The first one is our own.
    std::vector<Contact> others = offer(kOffered, peer.node);
    if (m_shunned.contains(peer.node))
        return close(link);
    // Asked in both directions at once: each is the other's answer.
    const bool isCrossing = peer.state == State::Asked;
    if (auto* previous = activeBeside(asker)) {
        // It has another address now, or has found a second one: the newer link takes the older one's place.
        demote(*previous, now);
        close(previous->first);
    }
    if (peer.state == State::Active || isCrossing || makesRoom(asker, urgency, now)) {
        send(link, AnswerMessage{true, std::move(others)});
        if (peer.state != State::Active)
            promote(asker, isCrossing ? peer.role : Role::Inbound, now);
        return;
    }
    send(link, AnswerMessage{false, std::move(others)});
}

void Membership::Impl::promote(Peers::value_type& peer, Role role, Instant now)
{
    peer.second.state = State::Active;
    peer.second.role = role;
    peer.second.since = now;
    m_refused = 0;
    m_passive.remove(peer.second.node);
    m_outputs.emplace_back(NeighborUp{peer.first, peer.second.node, peer.second.roundTrip});
}

void Membership::Impl::demote(Peers::value_type& peer, Instant now)
{
    peer.second.state = State::Idle;
    peer.second.since = now;
    m_outputs.emplace_back(NeighborDown{peer.first});
    remember(peer.second, kRefused, now);
}

void Membership::Impl::drop(Peers::value_type& peer, std::vector<Contact> instead, Instant now)
{
    std::erase_if(instead, [](const Contact& contact) { return contact.descriptor.empty(); });
    send(peer.first, DisconnectMessage{std::move(instead)});
    demote(peer, now);
}

/// After a neighbour of our own choice came: whoever it takes the place of goes.
void Membership::Impl::trim(Instant now)
{
    if (count(Role::Near) > m_config.near)
        drop(*slowest(Role::Near), {}, now);
    while (alive() > m_config.most) {
        Peers::value_type* victim = slowest(count(Role::Random) > 1 ? Role::Random : Role::Inbound);
        if (victim == nullptr)
            victim = slowest(Role::Near);
        if (victim == nullptr)
            return;
        drop(*victim, {}, now);
    }
}

// --- Devices whose certificates are over

/// Whether it is one of those that the overlay knows now. It needs no place among the neighbours, and takes
/// none.
bool Membership::Impl::takeRestricted(Peers::value_type& peer)
{
    std::size_t links = 0;
    for (const auto& [link, other] : m_peers)
        links += other.isRestricted && other.state == State::Active ? 1 : 0;
    auto* const previous = activeBeside(peer);
    if (previous == nullptr && links >= m_config.restricted)
        return false;
    if (previous != nullptr) { // it has another address now
        m_outputs.emplace_back(NeighborDown{previous->first});
        previous->second.state = State::Idle;
        close(previous->first);
    }
    peer.second.state = State::Active;
    return true;
}

/// It takes us for a node like others, and is to go on doing so, for the sake of what it may have; or we have
/// asked it, and it is our clock that is wrong.
void Membership::Impl::onRestricted(Peers::value_type& from, const MembershipMessage& message)
{
    Peer& peer = from.second;
    const bool isUp = peer.state == State::Active;
    const auto* answer = std::get_if<AnswerMessage>(&message);
    const bool isAsking =
        std::holds_alternative<JoinMessage>(message) || std::holds_alternative<AskMessage>(message);
    const bool isOver = std::holds_alternative<DisconnectMessage>(message)
        || (answer != nullptr && peer.state == State::Asked && !answer->isAccepted);
    if (isOver) {
        if (isUp)
            m_outputs.emplace_back(NeighborDown{from.first});
        peer.state = State::Idle;
        return close(from.first);
    }
    if (!isAsking && (answer == nullptr || peer.state != State::Asked))
        return;
    const bool isTaken = isUp || takeRestricted(from);
    // Nobody's contact but our own: those are not for it.
    if (isAsking)
        send(from.first, AnswerMessage{isTaken, isTaken ? std::vector{m_own} : std::vector<Contact>()});
    if (!isTaken)
        return close(from.first);
    if (!isUp) // after the answer: what the overlay says next is heard
        m_outputs.emplace_back(NeighborUp{from.first, peer.node, peer.roundTrip, true});
}

} // namespace starling::overlay
