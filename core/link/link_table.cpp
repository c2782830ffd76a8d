// SPDX-License-Identifier: Apache-2.0
#include "link/link_table.h"

#include "base/assert.h"

#include <algorithm>
#include <utility>

namespace starling::link {

namespace {
/// Guess: longer than an honest FINISH is under way; a later one comes with another HELLO.
constexpr Duration kAnswerLifetime = std::chrono::seconds(10);
} // namespace

LinkTable::LinkTable(Shared& shared, const PacketCodec& codec)
    : m_shared(shared)
    , m_codec(codec)
{
}

LinkTable::Iterator LinkTable::find(LinkId id)
{
    const auto endpoint = m_endpoints.find(id);
    return endpoint == m_endpoints.end() ? m_slots.end() : m_slots.find(endpoint->second);
}

LinkTable::Iterator LinkTable::findUp(LinkId id)
{
    const auto slot = find(id);
    const bool isUp = slot != m_slots.end() && slot->second.link && slot->second.link->id() == id;
    return isUp ? slot : m_slots.end();
}

LinkTable::Iterator LinkTable::findUp(Token own)
{
    const auto id = m_tokens.find(own);
    return id == m_tokens.end() ? m_slots.end() : findUp(id->second);
}

std::optional<LinkTable::Iterator> LinkTable::admit(const Endpoint& endpoint)
{
    const auto slot = m_slots.find(endpoint);
    if (slot != m_slots.end())
        return slot;
    if (!makeRoom())
        return std::nullopt;
    return obtain(endpoint);
}

Duration LinkTable::backoff(unsigned attempts)
{
    Duration delay = m_shared.config.reconnectMin;
    for (unsigned i = 0; i < attempts && delay < m_shared.config.reconnectMax; ++i)
        delay *= 2;
    delay = std::min(delay, m_shared.config.reconnectMax);
    // Between half of it and all: nodes that lost the same neighbour at once do not come back at once.
    const auto half = static_cast<std::uint64_t>(delay.count() / 2);
    return delay - Duration(static_cast<Duration::rep>(m_shared.random.below(half + 1)));
}

void LinkTable::startAttempt(Iterator slot, Instant firstHello, Instant now)
{
    Slot& s = slot->second;
    dropAttempt(s);
    const LinkId id = newId();
    m_endpoints.emplace(id, slot->first);
    s.attempt = std::make_unique<Attempt>(id, slot->first, m_shared, m_codec, firstHello);
    s.attempt->arm(now);
}

void LinkTable::dropAttempt(Slot& slot)
{
    if (slot.attempt)
        m_endpoints.erase(slot.attempt->id());
    slot.attempt.reset();
}

void LinkTable::giveUp(Iterator slot)
{
    dropAttempt(slot->second);
    slot->second.isTarget = false;
    slot->second.attempts = 0;
    m_shared.outputs.push_back(LinkFailed{slot->first});
    dropIfEmpty(slot);
}

void LinkTable::dropIfEmpty(Iterator slot)
{
    const Slot& s = slot->second;
    if (!s.isTarget && !s.link && !s.answer)
        m_slots.erase(slot);
}

void LinkTable::refuse(Iterator slot, const Error& error)
{
    ++m_shared.stats.refusedLinks;
    m_shared.outputs.push_back(LinkRefused{slot->first, error});
}

void LinkTable::takeDown(Slot& slot, Errc reason)
{
    m_shared.outputs.push_back(LinkDown{slot.link->id(), reason});
    m_endpoints.erase(slot.link->id());
    m_tokens.erase(slot.link->own());
    slot.link.reset();
}

/// A link that had moved has ended: where it came up, another one is wanted.
void LinkTable::comeHome(LinkId link, Instant now)
{
    for (auto slot = m_slots.begin(); slot != m_slots.end(); ++slot) {
        Slot& s = slot->second;
        if (s.away != link)
            continue;
        s.away.reset();
        s.attempts = 0;
        startAttempt(slot, now + backoff(0), now);
    }
}

void LinkTable::bringUp(Iterator slot, std::unique_ptr<Session> session, std::optional<Duration> roundTrip,
                        Instant now)
{
    Slot& s = slot->second;
    if (s.link) {
        const LinkId earlier = s.link->id();
        takeDown(s, Errc::Unreachable);
        comeHome(earlier, now);
    }
    dropAttempt(s);
    s.answer.reset();
    s.away.reset();
    s.attempts = 0;
    s.isTarget = s.isTarget && s.tries == 0;
    m_endpoints.emplace(session->id(), slot->first);
    m_tokens.emplace(session->own(), session->id());
    s.link = std::move(session);
    m_shared.outputs.push_back(
        LinkUp{s.link->id(), s.link->node(), slot->first, roundTrip, s.link->peer().credential.isExpired});
}

void LinkTable::endLink(Iterator slot, Errc reason, Instant now)
{
    Slot& s = slot->second;
    const LinkId id = s.link->id();
    takeDown(s, reason);
    comeHome(id, now);
    if (!s.isTarget)
        return dropIfEmpty(slot);
    s.attempts = 0;
    if (!s.attempt)
        startAttempt(slot, now + backoff(0), now);
}

void LinkTable::satisfy(Iterator slot, LinkId link)
{
    Slot& s = slot->second;
    // A handshake that the other side has answered may be up there already, and is ended.
    if (!s.isTarget || !s.attempt || s.attempt->state() != Attempt::State::Greeting)
        return;
    dropAttempt(s);
    s.attempts = 0;
    if (s.tries == 0 && !s.link)
        s.away = link;
    else
        s.isTarget = s.tries == 0;
    dropIfEmpty(slot);
}

void LinkTable::forgetTarget(Iterator slot)
{
    slot->second.isTarget = false;
    dropAttempt(slot->second);
    for (auto it = m_slots.begin(); it != m_slots.end();) {
        const auto home = it++;
        if (home->second.away != slot->second.link->id())
            continue;
        home->second.isTarget = false;
        home->second.away.reset();
        dropIfEmpty(home);
    }
}

LinkTable::Iterator LinkTable::move(Iterator slot, const Endpoint& to)
{
    const auto there = obtain(to);
    Slot& s = slot->second;
    Slot& t = there->second;
    STARLING_ASSERT(s.link && !t.link);
    dropAttempt(s); // the other side has not restarted after all
    dropAttempt(t);
    if (t.isTarget && t.tries != 0) {
        t.isTarget = false;
        m_shared.outputs.push_back(LinkFailed{to}); // it needs no link of its own
    }
    t.attempts = 0;
    t.away.reset();
    t.link = std::move(s.link);
    m_endpoints[t.link->id()] = to;
    if (s.isTarget)
        s.away = t.link->id();
    ++m_shared.stats.moves;
    m_shared.outputs.push_back(LinkMoved{t.link->id(), to});
    dropIfEmpty(slot);
    return there;
}

bool LinkTable::makeRoom()
{
    std::size_t incoming = 0;
    auto oldest = m_slots.end();
    for (auto it = m_slots.begin(); it != m_slots.end(); ++it) {
        const Slot& slot = it->second;
        if (slot.isTarget)
            continue;
        ++incoming;
        if (!slot.link && (oldest == m_slots.end() || slot.answer->since() < oldest->second.answer->since()))
            oldest = it;
    }
    if (incoming < m_shared.config.maxIncomingLinks)
        return true;
    ++m_shared.stats.refusedLinks;
    if (oldest == m_slots.end())
        return false;
    m_slots.erase(oldest);
    return true;
}

void LinkTable::forgetOldAnswers(Instant now)
{
    for (auto it = m_slots.begin(); it != m_slots.end();) {
        const auto slot = it++;
        if (!slot->second.answer || now - slot->second.answer->since() < kAnswerLifetime)
            continue;
        slot->second.answer.reset();
        dropIfEmpty(slot);
    }
}

void LinkTable::clear()
{
    m_slots.clear();
    m_endpoints.clear();
    m_tokens.clear();
}

std::vector<LinkInfo> LinkTable::links() const
{
    std::vector<LinkInfo> all;
    for (const auto& [endpoint, slot] : m_slots) {
        if (slot.link)
            all.push_back(slot.link->info());
        else if (slot.attempt)
            all.push_back(slot.attempt->info());
    }
    return all;
}

std::size_t LinkTable::halfOpen() const
{
    return static_cast<std::size_t>(std::count_if(
        m_slots.begin(), m_slots.end(), [](const auto& slot) { return slot.second.answer != nullptr; }));
}

} // namespace starling::link
