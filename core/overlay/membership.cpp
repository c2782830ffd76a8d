// SPDX-License-Identifier: Apache-2.0
#include "overlay/membership_impl.h"

namespace starling::overlay {

namespace {

constexpr Duration kBetweenBursts = std::chrono::seconds(1); ///< of probes; guess
constexpr std::size_t kMaxBootstrap = 64; ///< as node's configuration

} // namespace

std::vector<MembershipOutput> Membership::Impl::handle(const MembershipInput& input, Instant now)
{
    if (!std::exchange(m_isStarted, true)) {
        m_unsettled = m_nextBegin = m_nextEviction = now;
        m_nextMeasure = now + about(m_config.youngMeasure);
        m_nextShuffle = now + about(m_config.youngShuffle);
        m_nextReunion = now + about(m_config.reunion);
    }
    std::visit([&](const auto& what) { on(what, now); }, input);
    fill(now);
    arm(now);
    return std::exchange(m_outputs, {});
}

// --- Inputs

void Membership::Impl::on(const OwnContact& input, Instant)
{
    if (std::exchange(m_own, input.contact) == input.contact)
        return;
    // Also finds out which links still hold.
    for (const auto& [link, peer] : m_peers)
        if (peer.state == State::Active)
            send(link, MovedMessage{m_own});
}

void Membership::Impl::on(const Bootstrap& input, Instant now)
{
    m_bootstrap = input.endpoints;
    m_bootstrap.resize(std::min(m_bootstrap.size(), kMaxBootstrap));
    m_nextBegin = now;
    m_begun = 0;
}

void Membership::Impl::on(const Remembered& input, Instant)
{
    for (std::size_t i = 0; i < input.contacts.size() && i < m_config.passive; ++i) {
        const Contact& contact = input.contacts[i];
        const auto info = m_mediator.examineContact(contact.descriptor, contact.certificate);
        if (info && info->node != m_self)
            m_passive.add({info->node, info->sequence, contact, {}, {}, 0, 0});
    }
}

void Membership::Impl::on(const LinkUp& input, Instant now)
{
    auto tried = m_attempts.find(input.endpoint);
    if (tried == m_attempts.end()) // it may have been reached by another way
        tried = std::find_if(m_attempts.begin(), m_attempts.end(),
                             [&](const auto& other) { return other.second.node == input.node; });
    const std::optional<Attempt> attempt =
        tried == m_attempts.end() ? std::nullopt : std::optional(tried->second);
    const bool isLinkedAlready = std::any_of(m_peers.begin(), m_peers.end(), [&](const auto& other) {
        return other.second.node == input.node && !other.second.silentSince && !other.second.isRestricted
            && other.second.state != State::Idle;
    });
    Peer fresh;
    fresh.node = input.node;
    fresh.endpoint = input.endpoint;
    fresh.roundTrip = input.roundTrip;
    fresh.since = now;
    fresh.isRestricted = input.isRestricted;
    auto& peer = *m_peers.emplace(input.link, std::move(fresh)).first;
    if (input.isRestricted) {
        if (attempt)
            m_attempts.erase(tried);
        std::erase_if(m_attempts, [&](const auto& other) { return other.second.node == input.node; });
        m_passive.remove(input.node); // of no use as a neighbour
        if (attempt) // it would not ask
            ask(peer, Role::Random, true, now);
        return;
    }
    if (!attempt)
        return; // it says what it wants
    if (attempt->node && *attempt->node != input.node)
        m_passive.remove(*attempt->node); // another device is there
    if (Candidate* candidate = m_passive.find(input.node)) {
        candidate->failures = 0;
        candidate->roundTrip = input.roundTrip;
        peer.second.contact = candidate->contact;
        peer.second.sequence = candidate->sequence;
    }
    m_attempts.erase(tried);
    std::erase_if(m_attempts, [&](const auto& other) { return other.second.node == input.node; });
    if (isLinkedAlready || m_shunned.contains(input.node))
        return close(input.link);
    switch (attempt->purpose) {
    case Purpose::Begin:
        m_begun = 0;
        if (isLacking())
            return ask(peer, nextRole(), true, now);
        return sendShuffle(peer, kFew, now);
    case Purpose::Fill:
        return isLacking() ? ask(peer, nextRole(), false, now) : close(input.link);
    case Purpose::Measure:
        return considerNear(peer, now);
    }
}

void Membership::Impl::on(const LinkFailed& input, Instant now)
{
    const auto attempt = m_attempts.find(input.endpoint);
    if (attempt == m_attempts.end())
        return;
    const auto node = attempt->second.node;
    m_attempts.erase(attempt);
    const bool hasOtherWay = std::any_of(m_attempts.begin(), m_attempts.end(),
                                         [&](const auto& other) { return other.second.node == node; });
    Candidate* candidate = node && !hasOtherWay ? m_passive.find(*node) : nullptr;
    if (candidate == nullptr)
        return;
    // Whoever has no neighbour, or knows only few nodes, may be the one that is cut off.
    if (alive() > 0 && m_passive.all().size() > m_config.wanted)
        return m_passive.remove(*node);
    candidate->nextTry = now + doubled(kFailed, ++candidate->failures);
}

void Membership::Impl::on(const LinkMoved& input, Instant)
{
    if (const auto found = m_peers.find(input.link); found != m_peers.end())
        found->second.endpoint = input.endpoint;
}

void Membership::Impl::on(const LinkDown& input, Instant now)
{
    const auto found = m_peers.find(input.link);
    if (found == m_peers.end())
        return;
    const Peer peer = std::move(found->second);
    m_peers.erase(found);
    if (peer.state != State::Active)
        return;
    m_outputs.emplace_back(NeighborDown{input.link});
    if (peer.isRestricted)
        return;
    settleAgain(now);
    // It may have restarted.
    remember(peer, kFailed, now);
    m_nextBegin = std::min(m_nextBegin, now + m_config.contactMin);
    m_begun = 0;
}

void Membership::Impl::on(const LinkSilence& input, Instant now)
{
    const auto found = m_peers.find(input.link);
    if (found == m_peers.end())
        return;
    Peer& peer = found->second;
    if (!input.isSilent) {
        peer.silentSince.reset();
        return trim(now);
    }
    if (peer.silentSince)
        return;
    peer.silentSince = now;
    if (peer.isRestricted)
        return;
    if (peer.state == State::Active)
        askAnybody(now);
    // Where one failed, more may have: now is the time to know.
    if (peer.state != State::Active || now - m_lastBurst < kBetweenBursts)
        return;
    m_lastBurst = now;
    for (auto& [link, other] : m_peers)
        if (other.isAlive())
            m_outputs.emplace_back(ProbeLink{link});
}

void Membership::Impl::on(const StrangeMessage& input, Instant now)
{
    const auto found = m_peers.find(input.from);
    if (found == m_peers.end() || found->second.state != State::Idle)
        return;
    // It takes us for its neighbour.
    Peer& peer = found->second;
    if (peer.rebuked && now - *peer.rebuked < m_config.answerTime)
        return;
    peer.rebuked = now;
    send(input.from, DisconnectMessage{});
}

void Membership::Impl::on(const MessageReceived& input, Instant now)
{
    const auto found = m_peers.find(input.from);
    if (found == m_peers.end())
        return;
    const auto message = parseMembership(input.bytes);
    if (message && found->second.isRestricted)
        return onRestricted(*found, *message);
    if (message)
        return std::visit([&](const auto& typed) { on(*found, typed, now); }, *message);
    // One of a later version is no offence.
    if (message.error().code != Errc::UnsupportedFormat)
        misbehave(*found, message.error(), now);
}

void Membership::Impl::on(const MembershipTimer& input, Instant now)
{
    if (input.generation != m_generation)
        return;
    m_armed.reset();
    sweep(now);
    measure(now);
    shuffle(now);
    reunite(now);
}

bool Membership::Impl::isNeighbor(NeighborId link) const
{
    const auto peer = m_peers.find(link);
    return peer != m_peers.end() && peer->second.state == State::Active;
}

std::optional<NodeId> Membership::Impl::nodeOf(NeighborId link) const
{
    const auto peer = m_peers.find(link);
    return peer == m_peers.end() ? std::nullopt : std::optional(peer->second.node);
}

std::vector<Membership::Neighbor> Membership::Impl::neighbors() const
{
    std::vector<Neighbor> all;
    for (const auto& [link, peer] : m_peers)
        if (peer.state == State::Active && !peer.isRestricted)
            all.push_back({peer.role, peer.node, peer.roundTrip});
    return all;
}

std::vector<Contact> Membership::Impl::known() const
{
    std::vector<Contact> contacts;
    for (const auto& [link, peer] : m_peers)
        if (peer.state == State::Active && !peer.contact.descriptor.empty())
            contacts.push_back(peer.contact);
    for (const Candidate& candidate : m_passive.all())
        contacts.push_back(candidate.contact);
    return contacts;
}

Membership::Membership(const NodeId& self, const MembershipConfig& config, const Mediator& mediator,
                       RandomSource& random)
    : m_impl(std::make_unique<Impl>(self, config, mediator, random))
{
}

Membership::~Membership() = default;

std::vector<MembershipOutput> Membership::handle(const MembershipInput& input, Instant now)
{
    return m_impl->handle(input, now);
}

bool Membership::isNeighbor(NeighborId link) const
{
    return m_impl->isNeighbor(link);
}

std::optional<NodeId> Membership::nodeOf(NeighborId link) const
{
    return m_impl->nodeOf(link);
}

std::vector<Membership::Neighbor> Membership::neighbors() const
{
    return m_impl->neighbors();
}

std::vector<Contact> Membership::known() const
{
    return m_impl->known();
}

const PassiveView& Membership::passive() const
{
    return m_impl->passive();
}

} // namespace starling::overlay
