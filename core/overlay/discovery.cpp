// SPDX-License-Identifier: Apache-2.0
#include "overlay/discovery.h"

#include "base/assert.h"

#include <algorithm>

namespace starling::overlay {

namespace {

/// Payloads that we provide or want ourselves: one for each URI that a board may hold.
constexpr std::size_t kMaxLocalPayloads = 1'024;
/// Guess: who asked within it hears of another provider at once; twice the longest interval of asking.
constexpr Duration kAskedWindow = std::chrono::minutes(1);
constexpr std::size_t kMaxQuestions = 64; ///< remembered per neighbour; guess
/// Guess: an answer is at most 66 KiB, so 32 of the largest at once and two of them a second after.
constexpr std::uint32_t kAllowanceBurst = 2 * 1024 * 1024;
constexpr std::uint32_t kAllowancePerSecond = 128 * 1024;

ProvidersMessage::Told toldOf(const ProviderRecord& record, Instant now)
{
    // Rounded up: what goes round between nodes must grow older at every step.
    const auto age =
        std::chrono::ceil<std::chrono::seconds>(std::max(now - record.said, Duration(0))).count();
    return {record.isComplete, static_cast<std::uint16_t>(std::min<std::int64_t>(age, UINT16_MAX)),
            record.descriptor};
}

/// A device that is denied, or whose certificate has ended with a root, and not everybody has heard of it, is
/// nobody's fault: deny lists and roots travel on their own.
bool isFault(const Error& error)
{
    return error.code != Errc::WrongEpoch && error.code != Errc::Denied;
}

} // namespace

Discovery::Discovery(const NodeId& self, const Config& config, const Mediator& mediator, RandomSource& random)
    : m_self(self)
    , m_config(config)
    , m_mediator(mediator)
    , m_random(random)
    , m_table(config)
{
}

void Discovery::addNeighbor(NeighborId neighbor, const NodeId& node, Instant now, Postbox& postbox)
{
    m_peers.emplace(neighbor, Peer{node, {}, Allowance(kAllowanceBurst, kAllowancePerSecond, now)});
    for (const auto& [payload, own] : m_own)
        postbox.send(neighbor, HaveMessage{payload, own.isComplete, own.descriptor});
    for (const auto& [payload, wanted] : m_wanted)
        postbox.send(neighbor, WhoHasMessage{payload});
}

void Discovery::removeNeighbor(NeighborId neighbor)
{
    m_peers.erase(neighbor);
}

void Discovery::sendToAll(const Message& message, Postbox& postbox) const
{
    for (const auto& [neighbor, peer] : m_peers)
        postbox.send(neighbor, message);
}

void Discovery::provide(const Provide& input, Postbox& postbox)
{
    STARLING_ASSERT(input.descriptor.size() <= kMaxProviderBytes);
    const Own own{input.descriptor, input.isComplete};
    const auto held = m_own.find(input.payload);
    if (held == m_own.end() ? m_own.size() >= kMaxLocalPayloads : held->second == own)
        return;
    m_own.insert_or_assign(input.payload, own);
    sendToAll(HaveMessage{input.payload, input.isComplete, input.descriptor}, postbox);
}

void Discovery::stopProviding(const InfoHash& payload, Postbox& postbox)
{
    if (m_own.erase(payload) > 0)
        sendToAll(StopHaveMessage{payload}, postbox);
}

Instant Discovery::after(Instant now, Duration interval)
{
    // Between three quarters and five quarters: nodes that began together do not ask together.
    const auto spread = std::max<Duration::rep>(interval.count() / 2, 1);
    const auto drawn = m_random.below(static_cast<std::uint64_t>(spread));
    return now + interval * 3 / 4 + Duration(static_cast<Duration::rep>(drawn));
}

void Discovery::find(const InfoHash& payload, Instant now, Postbox& postbox)
{
    if (m_wanted.contains(payload) || m_wanted.size() >= kMaxLocalPayloads)
        return;
    m_wanted[payload] = {after(now, m_config.askProviders), m_config.askProviders, {}};
    m_table.expire(now);
    m_table.pin(payload);
    for (const auto& [node, record] : m_table.of(payload))
        report(payload, node, postbox);
    sendToAll(WhoHasMessage{payload}, postbox);
}

void Discovery::stopFinding(const InfoHash& payload)
{
    m_wanted.erase(payload);
    m_table.unpin(payload);
}

std::optional<Instant> Discovery::nextQuestion() const
{
    const auto next = std::min_element(m_wanted.begin(), m_wanted.end(), [](const auto& a, const auto& b) {
        return a.second.next < b.second.next;
    });
    return next == m_wanted.end() ? std::nullopt : std::optional(next->second.next);
}

void Discovery::askAgain(Instant now, Postbox& postbox)
{
    for (auto& [payload, wanted] : m_wanted) {
        if (now < wanted.next)
            continue;
        wanted.interval = std::min(wanted.interval * 2, m_config.askProvidersMax);
        wanted.next = after(now, wanted.interval);
        sendToAll(WhoHasMessage{payload}, postbox);
    }
}

void Discovery::refresh(Instant now, Postbox& postbox)
{
    m_table.expire(now);
    // Whoever went and comes again is reported again.
    for (auto& [payload, wanted] : m_wanted) {
        const ProviderTable::Records& known = m_table.of(payload);
        std::erase_if(wanted.reported, [&](const auto& reported) { return !known.contains(reported.first); });
    }
    for (auto& [neighbor, peer] : m_peers)
        std::erase_if(peer.questions, [&](const auto& q) { return now - q.second.asked > kAskedWindow; });
    for (const auto& [payload, own] : m_own)
        sendToAll(HaveMessage{payload, own.isComplete, own.descriptor}, postbox);
}

// The very descriptor that was verified before is not verified again: providers repeat themselves, and
// answers repeat each other.
Result<Discovery::Descriptor> Discovery::identify(const InfoHash& payload, ByteView descriptor) const
{
    for (const auto& [node, record] : m_table.of(payload)) {
        if (std::ranges::equal(record.descriptor, descriptor))
            return Descriptor{node, record.sequence};
    }
    return m_mediator.examineDescriptor(descriptor);
}

Status Discovery::onHave(NeighborId from, const HaveMessage& message, Instant now, Postbox& postbox)
{
    const auto peer = m_peers.find(from);
    if (peer == m_peers.end())
        return {};
    auto info = identify(message.payload, message.descriptor);
    if (!info && !isFault(info.error()))
        return {};
    if (!info)
        return fail(std::move(info.error()), "have");
    if (info->node != peer->second.node)
        return fail(Errc::Malformed, "have in the name of " + info->node.shortHex());
    hear(from, message.payload, info->node, {message.descriptor, info->sequence, message.isComplete, now},
         ProviderTable::Source::Itself, now, postbox);
    return {};
}

void Discovery::onStopHave(NeighborId from, const StopHaveMessage& message)
{
    const auto peer = m_peers.find(from);
    if (peer == m_peers.end())
        return;
    m_table.remove(message.payload, peer->second.node);
    if (const auto wanted = m_wanted.find(message.payload); wanted != m_wanted.end())
        wanted->second.reported.erase(peer->second.node);
}

void Discovery::remember(Peer& peer, const InfoHash& payload, Instant now) const
{
    if (peer.questions.size() >= kMaxQuestions && !peer.questions.contains(payload)) {
        const auto earlier = [](const auto& a, const auto& b) { return a.second.asked < b.second.asked; };
        peer.questions.erase(std::min_element(peer.questions.begin(), peer.questions.end(), earlier));
    }
    peer.questions[payload] = {now, 0};
}

void Discovery::onWhoHas(NeighborId from, const WhoHasMessage& message, Instant now, Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end() || !found->second.allowance.isOpen(now))
        return;
    Peer& peer = found->second;
    remember(peer, message.payload, now);
    m_table.expire(now);
    ProvidersMessage answer{message.payload, {}};
    if (const auto own = m_own.find(message.payload); own != m_own.end())
        answer.providers.push_back({own->second.isComplete, 0, own->second.descriptor});
    std::vector<const ProviderRecord*> others;
    for (const auto& [node, record] : m_table.of(message.payload)) {
        if (node != peer.node)
            others.push_back(&record);
    }
    // The first steps of a Fisher-Yates shuffle: a uniform sample of what there is room for.
    for (std::size_t i = 0; i < others.size() && answer.providers.size() < m_config.maxProvidersPerAnswer;
         ++i) {
        std::swap(others[i], others[i + m_random.below(others.size() - i)]);
        answer.providers.push_back(toldOf(*others[i], now));
    }
    if (!answer.providers.empty())
        peer.allowance.spend(postbox.send(from, answer));
}

bool Discovery::isAskedFor(const InfoHash& payload, NeighborId exceptBy, Instant now) const
{
    return std::any_of(m_peers.begin(), m_peers.end(), [&](const auto& peer) {
        const auto question = peer.second.questions.find(payload);
        return peer.first != exceptBy && question != peer.second.questions.end()
            && now - question->second.asked <= kAskedWindow;
    });
}

Status Discovery::onProviders(NeighborId from, const ProvidersMessage& message, Instant now, Postbox& postbox)
{
    if (!m_wanted.contains(message.payload) && !isAskedFor(message.payload, from, now))
        return {};
    for (const ProvidersMessage::Told& told : message.providers) {
        const std::chrono::seconds age(told.ageSeconds);
        if (age >= m_config.providerLifetime)
            continue;
        auto info = identify(message.payload, told.descriptor);
        if (!info && !isFault(info.error()))
            continue;
        if (!info)
            return fail(std::move(info.error()), "providers");
        if (info->node == m_self)
            continue;
        hear(from, message.payload, info->node, {told.descriptor, info->sequence, told.isComplete, now - age},
             ProviderTable::Source::Hearsay, now, postbox);
    }
    return {};
}

void Discovery::hear(NeighborId from, const InfoHash& payload, const NodeId& node, ProviderRecord record,
                     ProviderTable::Source source, Instant now, Postbox& postbox)
{
    if (!m_table.put(payload, node, std::move(record), source))
        return;
    report(payload, node, postbox);
    passOn(from, payload, node, now, postbox);
}

void Discovery::report(const InfoHash& payload, const NodeId& node, Postbox& postbox)
{
    const auto wanted = m_wanted.find(payload);
    if (wanted == m_wanted.end())
        return;
    const ProviderRecord& record = m_table.of(payload).at(node);
    const std::pair state(record.sequence, record.isComplete);
    auto& reported = wanted->second.reported;
    if (const auto before = reported.find(node); before != reported.end() && before->second == state)
        return;
    // Providers that the table dropped since are forgotten here too: both stay within the same limit.
    if (reported.size() >= m_config.maxProvidersPerPayload)
        std::erase_if(reported,
                      [&](const auto& known) { return !m_table.of(payload).contains(known.first); });
    reported.insert_or_assign(node, state);
    postbox.put(ProviderFound{payload, {node, record.descriptor, record.isComplete}});
}

void Discovery::passOn(NeighborId from, const InfoHash& payload, const NodeId& node, Instant now,
                       Postbox& postbox)
{
    const ProvidersMessage news{payload, {toldOf(m_table.of(payload).at(node), now)}};
    for (auto& [neighbor, peer] : m_peers) {
        const auto question = peer.questions.find(payload);
        if (neighbor == from || peer.node == node || question == peer.questions.end())
            continue;
        if (now - question->second.asked > kAskedWindow
            || question->second.told >= m_config.maxProvidersPerAnswer)
            continue;
        ++question->second.told;
        peer.allowance.spend(postbox.send(neighbor, news));
    }
}

} // namespace starling::overlay
