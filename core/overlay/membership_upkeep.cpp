// SPDX-License-Identifier: Apache-2.0
#include "overlay/membership_impl.h"

namespace starling::overlay {

namespace {

constexpr std::size_t kMaxWays = 3; ///< addresses of one node that are tried at once; guess
/// Contacts that cannot be an error; guess.
constexpr unsigned kForgedContacts = 3;
constexpr std::size_t kMaxShunned = 64; ///< guess
constexpr Duration kShunned = std::chrono::minutes(10); ///< guess
constexpr Duration kIdle = std::chrono::seconds(30); ///< a link without a purpose; guess
constexpr Duration kAttemptLimit = std::chrono::seconds(20); ///< above what a few HELLOs take

/// Whether no honest node can have passed this on, whichever root it knows.
bool isForgery(Errc code)
{
    return code == Errc::BadSignature || code == Errc::Malformed || code == Errc::Truncated
        || code == Errc::NotCanonical || code == Errc::Unsigned;
}

} // namespace

// --- Contacts

/// Nodes that are no candidates: linked, tried, shunned, and ourselves.
std::set<NodeId> Membership::Impl::busy() const
{
    std::set<NodeId> nodes{m_self};
    for (const auto& [link, peer] : m_peers)
        nodes.insert(peer.node);
    for (const auto& [endpoint, attempt] : m_attempts)
        if (attempt.node)
            nodes.insert(*attempt.node);
    for (const auto& [node, until] : m_shunned)
        nodes.insert(node);
    return nodes;
}

std::optional<Candidate> Membership::Impl::examine(Peers::value_type& from, const Contact& contact,
                                                   Instant now)
{
    auto info = m_mediator.examineContact(contact.descriptor, contact.certificate);
    if (info)
        return Candidate{info->node, info->sequence, contact, {}, {}, 0, 0};
    if (isForgery(info.error().code))
        misbehave(from, std::move(info.error()), now);
    return std::nullopt;
}

/// Whether `contact` is the sender's own; one that cannot be verified yet is as good as none.
bool Membership::Impl::isSelf(Peers::value_type& from, const Contact& contact, Instant now)
{
    Peer& peer = from.second;
    if (peer.contact == contact)
        return true;
    const unsigned forged = peer.forged;
    const auto candidate = examine(from, contact, now);
    if (!candidate)
        return peer.forged == forged;
    if (candidate->node != peer.node) {
        misbehave(from, {Errc::Malformed, "contact of another device"}, now);
        return false;
    }
    if (peer.contact.descriptor.empty() || candidate->sequence > peer.sequence) {
        peer.contact = contact;
        peer.sequence = candidate->sequence;
    }
    return true;
}

void Membership::Impl::learn(Peers::value_type& from, const std::vector<Contact>& contacts, Instant now)
{
    for (const Contact& contact : contacts) {
        if (contact == m_own || contact == from.second.contact || m_passive.holds(contact))
            continue;
        if (!m_contacts.isOpen(now) || from.second.forged >= kForgedContacts)
            return;
        m_contacts.spend(1);
        auto candidate = examine(from, contact, now);
        if (!candidate || candidate->node == m_self || m_shunned.contains(candidate->node))
            continue;
        const auto linked = std::find_if(m_peers.begin(), m_peers.end(), [&](const auto& peer) {
            return peer.second.node == candidate->node && peer.second.state == State::Active;
        });
        if (linked == m_peers.end())
            m_passive.add(std::move(*candidate));
    }
}

void Membership::Impl::misbehave(Peers::value_type& from, Error error, Instant now)
{
    Peer& peer = from.second;
    m_outputs.emplace_back(ContactRefused{from.first, std::move(error)});
    if (++peer.forged != kForgedContacts)
        return;
    if (m_shunned.size() == kMaxShunned)
        m_shunned.erase(std::min_element(m_shunned.begin(), m_shunned.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; }));
    m_shunned[peer.node] = now + kShunned;
    if (peer.state == State::Active)
        demote(from, now);
    peer.state = State::Idle;
    m_passive.remove(peer.node);
    close(from.first);
}

/// Our own contact, and up to `count` others that may be of use to `to`: some neighbours, and candidates.
std::vector<Contact> Membership::Impl::offer(std::size_t count, const NodeId& to)
{
    std::vector<Contact> contacts{m_own};
    std::set<NodeId> except{to};
    while (contacts.size() <= count / 3) {
        const auto* neighbor = anyActive(except);
        if (neighbor == nullptr)
            break;
        except.insert(neighbor->second.node);
        if (!neighbor->second.contact.descriptor.empty())
            contacts.push_back(neighbor->second.contact);
    }
    for (Contact& contact : m_passive.sample(count + 1 - contacts.size(), except))
        contacts.push_back(std::move(contact));
    return contacts;
}

/// Who refused us is asked again later, but soon by who has nobody.
void Membership::Impl::postpone(const NodeId& node, Instant now)
{
    Candidate* candidate = m_passive.find(node);
    if (candidate == nullptr)
        return;
    const bool isUrgent = isLacking() || isYoung(now);
    const Duration pause = alive() == 0 ? kFailed : isUrgent ? kRefused : kNearRefused;
    candidate->nextTry = now + doubled(pause, candidate->refusals++);
}

void Membership::Impl::remember(const Peer& peer, Duration pause, Instant now)
{
    if (!peer.contact.descriptor.empty() && !m_shunned.contains(peer.node))
        m_passive.add({peer.node, peer.sequence, peer.contact, peer.roundTrip, now + pause, 0, 0});
}

// --- What is done by and by

bool Membership::Impl::isLinked(const Endpoint& endpoint) const
{
    return m_attempts.contains(endpoint)
        || std::any_of(m_peers.begin(), m_peers.end(),
                       [&](const auto& peer) { return peer.second.endpoint == endpoint; });
}

void Membership::Impl::connect(const Candidate& candidate, Purpose purpose, Instant now)
{
    // Verified again: what was admitted once may have been denied since.
    const auto info = m_mediator.examineContact(candidate.contact.descriptor, candidate.contact.certificate);
    std::size_t ways = 0;
    if (!info)
        return m_passive.remove(NodeId(candidate.node));
    for (const Endpoint& endpoint : info->endpoints) {
        if (isLinked(endpoint) || ways == kMaxWays)
            continue;
        ++ways;
        m_attempts[endpoint] = {purpose, candidate.node, now};
        m_outputs.emplace_back(ConnectTo{endpoint, m_config.tries, candidate.node});
    }
    Candidate* held = ways == 0 ? m_passive.find(candidate.node) : nullptr;
    if (held != nullptr)
        held->nextTry = now + kRefused; // somebody else is at its address
}

void Membership::Impl::fill(Instant now)
{
    if (m_own.descriptor.empty())
        return;
    while (true) {
        const std::size_t held = alive();
        const std::size_t limit = held == 0 ? 2 * m_config.attempts : m_config.attempts;
        const auto asked =
            static_cast<std::size_t>(std::count_if(m_peers.begin(), m_peers.end(), [](const auto& peer) {
                return peer.second.state == State::Asked;
            }));
        const bool isEnough = held == 0 ? asked > 0 : held + asked + m_attempts.size() >= m_config.wanted;
        const bool isPatient = held >= kSome && now < m_nextFill;
        if (isEnough || isPatient || m_attempts.size() >= limit)
            return;
        const Candidate* candidate = m_passive.pick(now, busy());
        if (candidate == nullptr)
            return begin(now);
        connect(*candidate, Purpose::Fill, now);
    }
}

/// Nobody else is known: those of the configuration.
void Membership::Impl::begin(Instant now)
{
    if (now < m_nextBegin)
        return;
    m_nextBegin = now + about(std::min(doubled(m_config.contactMin, m_begun++), m_config.contactMax));
    std::vector<Endpoint> left;
    std::copy_if(m_bootstrap.begin(), m_bootstrap.end(), std::back_inserter(left),
                 [this](const Endpoint& endpoint) { return !isLinked(endpoint); });
    for (std::size_t i = 0; i < left.size() && m_attempts.size() < m_config.attempts; ++i) {
        std::swap(left[i], left[i + m_random.below(left.size() - i)]);
        m_attempts[left[i]] = {Purpose::Begin, std::nullopt, now};
        m_outputs.emplace_back(ConnectTo{left[i], m_config.tries});
    }
}

/// Whether a link without a purpose may become one to a neighbour. Payload, say, may have kept it.
bool Membership::Impl::isOfUse(const Peer& peer) const
{
    const bool isNeighborAlready = std::any_of(m_peers.begin(), m_peers.end(), [&](const auto& other) {
        return other.second.node == peer.node && other.second.state == State::Active;
    });
    return isLacking() && !isNeighborAlready && !peer.isRestricted && !peer.silentSince
        && !m_own.descriptor.empty() && !m_shunned.contains(peer.node);
}

void Membership::Impl::sweep(Instant now)
{
    std::erase_if(m_shunned, [&](const auto& shunned) { return shunned.second <= now; });
    std::erase_if(m_attempts,
                  [&](const auto& attempt) { return now - attempt.second.since >= kAttemptLimit; });
    std::vector<NeighborId> idle;
    for (auto& [link, peer] : m_peers) {
        if (peer.state == State::Asked && now - peer.since >= m_config.answerTime) {
            peer.state = State::Idle;
            postpone(peer.node, now);
            close(link);
        } else if (peer.state == State::Idle && now - peer.since >= kIdle) {
            peer.since = now;
            if (isOfUse(peer))
                idle.push_back(link);
            else
                close(link);
        } else if (peer.silentSince && now - *peer.silentSince >= m_config.silence) {
            peer.silentSince = now;
            close(link);
        }
    }
    for (const NeighborId link : idle)
        if (const auto peer = m_peers.find(link); peer != m_peers.end() && isLacking())
            ask(*peer, nextRole(), false, now);
}

void Membership::Impl::measure(Instant now)
{
    if (now < m_nextMeasure)
        return;
    m_nextMeasure = now + about(isYoung(now) ? m_config.youngMeasure : m_config.measure);
    if (isLacking() || !m_attempts.empty())
        return;
    const auto except = busy();
    const auto* worst = slowest(Role::Near);
    const Duration bound = worst == nullptr ? kUnmeasured : worst->second.roundTrip.value_or(kUnmeasured);
    const Candidate* candidate = m_passive.pickNearest(now, except);
    if (candidate == nullptr || !isMuchNearer(*candidate->roundTrip, bound))
        candidate = m_passive.pickUnmeasured(now, except);
    if (candidate != nullptr)
        connect(*candidate, Purpose::Measure, now);
}

void Membership::Impl::sendShuffle(Peers::value_type& peer, std::size_t count, Instant now)
{
    peer.second.shuffled = now;
    send(peer.first, ShuffleMessage{offer(count, peer.second.node)});
}

void Membership::Impl::shuffle(Instant now)
{
    if (now < m_nextShuffle)
        return;
    m_nextShuffle = now + about(isYoung(now) ? m_config.youngShuffle : m_config.shuffle);
    if (isYoung(now) && m_passive.isFull())
        return;
    if (auto* peer = anyActive({}))
        sendShuffle(*peer, kShuffled, now);
}

void Membership::Impl::reunite(Instant now)
{
    if (now < m_nextReunion)
        return;
    m_nextReunion = now + about(m_config.reunion);
    if (m_bootstrap.empty() || alive() == 0)
        return;
    const Endpoint& endpoint = m_bootstrap[m_random.below(m_bootstrap.size())];
    if (isLinked(endpoint))
        return;
    m_attempts[endpoint] = {Purpose::Begin, std::nullopt, now};
    m_outputs.emplace_back(ConnectTo{endpoint, m_config.tries});
}

/// Who lacks a neighbour asks those, too, that refused when there were enough.
void Membership::Impl::askAnybody(Instant now)
{
    m_passive.forgive(now);
    m_nextFill = now;
    m_refused = 0;
}

/// Where one neighbour went, others may have: candidates are to be found, and to be looked at.
void Membership::Impl::settleAgain(Instant now)
{
    m_unsettled = now;
    askAnybody(now);
    m_nextMeasure = std::min(m_nextMeasure, now + about(m_config.youngMeasure));
    m_nextShuffle = std::min(m_nextShuffle, now + about(m_config.youngShuffle));
}

/// Between three quarters and five quarters of `interval`.
Duration Membership::Impl::about(Duration interval)
{
    const auto spread = static_cast<std::uint64_t>(std::max<Duration::rep>(interval.count() / 2, 1));
    return interval * 3 / 4 + Duration(static_cast<Duration::rep>(m_random.below(spread)));
}

void Membership::Impl::arm(Instant now)
{
    Instant due = std::min({m_nextMeasure, m_nextShuffle, m_nextReunion});
    for (const auto& [link, peer] : m_peers) {
        if (peer.state == State::Asked)
            due = std::min(due, peer.since + m_config.answerTime);
        else if (peer.state == State::Idle)
            due = std::min(due, peer.since + kIdle);
        if (peer.silentSince)
            due = std::min(due, *peer.silentSince + m_config.silence);
    }
    for (const auto& [endpoint, attempt] : m_attempts)
        due = std::min(due, attempt.since + kAttemptLimit);
    if (isLacking() && !m_own.descriptor.empty()) {
        if (std::any_of(m_bootstrap.begin(), m_bootstrap.end(),
                        [this](const Endpoint& endpoint) { return !isLinked(endpoint); }))
            due = std::min(due, std::max(m_nextBegin, now + m_config.contactMin));
        const auto except = busy();
        const Instant soonest = std::max(now + m_config.contactMin, alive() >= kSome ? m_nextFill : now);
        for (const Candidate& candidate : m_passive.all())
            if (!except.contains(candidate.node))
                due = std::min(due, std::max(candidate.nextTry, soonest));
    }
    if (m_armed && *m_armed <= due)
        return;
    m_armed = due;
    m_outputs.emplace_back(ScheduleMembership{std::max(due - now, Duration(0)), {++m_generation}});
}

} // namespace starling::overlay
