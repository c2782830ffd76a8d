// SPDX-License-Identifier: Apache-2.0
#include "link/punch.h"

#include "link/ways.h"

#include <algorithm>

namespace starling::link {

bool isCheckable(const Endpoint& endpoint, const std::vector<Endpoint>& own)
{
    if (endpoint.port == 0 || wayOf(endpoint) != Way::Udp)
        return false;
    const auto& bytes = endpoint.address;
    if (endpoint.isLoopback())
        return std::any_of(own.begin(), own.end(), [](const Endpoint& one) { return one.isLoopback(); });
    if (endpoint.isIpv4())
        return bytes[12] != 0 && bytes[12] < 224; // 0.0.0.0/8; multicast, reserved, broadcast
    return bytes[0] != 0xff && bytes[0] != 0; // multicast; unspecified and what else is of ::/8
}

Punch::Punch(bool isFirst)
    : m_isFirst(isFirst)
{
}

void Punch::begin(Instant now)
{
    m_state = State::Resting;
    m_due = isLeading() ? now : now + kPatience;
}

void Punch::stop()
{
    m_state = State::Off;
    m_theirs.clear();
    m_forecast.reset();
    m_rounds = 0;
}

void Punch::hurry(Instant now)
{
    if (m_state != State::Resting)
        return;
    m_rounds = 0;
    m_due = std::min(m_due, now + kRest);
}

std::optional<Instant> Punch::due() const
{
    return m_state == State::Off ? std::nullopt : std::optional(m_due);
}

void Punch::rest(Instant now)
{
    constexpr unsigned kMaxDoublings = 12;
    ++m_round;
    m_state = State::Resting;
    m_due = now + std::min<Duration>(kRest * (1u << std::min(m_rounds++, kMaxDoublings)), kMaxRest);
    if (!isLeading())
        m_due += kPatience;
}

void Punch::offer(Deed& deed, const std::vector<Endpoint>& own, Instant now)
{
    m_state = State::Offering;
    m_offered = now;
    m_due = now + kOfferPause;
    ++m_offers;
    deed.say.emplace_back(Candidates{m_round, false, own});
}

void Punch::take(const Candidates& candidates, const std::vector<Endpoint>& own)
{
    m_theirs.clear();
    std::copy_if(candidates.endpoints.begin(), candidates.endpoints.end(), std::back_inserter(m_theirs),
                 [&](const Endpoint& endpoint) { return isCheckable(endpoint, own); });
    m_forecast = candidates.forecast;
    if (m_forecast && (!m_forecast->last.isIpv4() || !isCheckable(m_forecast->last, own)))
        m_forecast.reset();
}

void Punch::beginChecking(Instant now, Instant due)
{
    m_state = State::Checking;
    m_volleys = 0;
    m_due = due;
    m_isGuessing = m_forecast && (!m_guessed || now - *m_guessed >= kBetweenGuesses);
    if (!m_isGuessing)
        return;
    m_guessed = now;
    ++m_guessedRounds;
}

/// Three of four are ports that come next: some have been given since. The others are those before: the one
/// for us may have been among them, for an attempt without an introducer.
void Punch::guess(std::vector<Endpoint>& check) const
{
    constexpr int kFirstPort = 1'024, kLastPort = 65'535; // RFC 4787 REQ-3
    const std::size_t done = (m_guessedRounds - 1) % kReach * kMaxGuesses + m_volleys * kGuesses;
    for (std::size_t i = done; i < done + kGuesses; ++i) {
        const int group = static_cast<int>(i / 4), place = static_cast<int>(i % 4);
        const int steps = place == 3 ? -group : 3 * group + place + 1;
        const int port = m_forecast->last.port + steps * m_forecast->step;
        if (port < kFirstPort || port > kLastPort)
            continue;
        Endpoint& endpoint = check.emplace_back(m_forecast->last);
        endpoint.port = static_cast<std::uint16_t>(port);
    }
}

Punch::Deed Punch::onCandidates(const Candidates& candidates, const std::vector<Endpoint>& own, Instant now)
{
    Deed deed;
    if (m_state == State::Off)
        return deed;
    if (candidates.isAnswer) {
        if (m_state != State::Offering || candidates.round != m_round)
            return deed;
        take(candidates, own);
        deed.say.emplace_back(Go{m_round});
        beginChecking(now, now + (now - m_offered) / 2); // GO is there then
        return deed;
    }
    // Whose turn it is the round says; a repeated offer is answered again.
    const bool isTheirs = (candidates.round % 2 == 0) != m_isFirst;
    const bool isRepeated = m_state == State::Answered && candidates.round == m_round;
    if (!isTheirs || (!isRepeated && m_taken && now - *m_taken < kBetweenRounds))
        return deed;
    if (!isRepeated)
        m_taken = now;
    m_round = candidates.round;
    take(candidates, own);
    m_state = State::Answered;
    m_due = now + kPatience;
    deed.say.emplace_back(Candidates{m_round, true, own});
    return deed;
}

void Punch::onGo(const Go& go, Instant now)
{
    if (m_state != State::Answered || go.round != m_round)
        return;
    beginChecking(now, now);
}

Punch::Deed Punch::onDue(const std::vector<Endpoint>& own, Instant now)
{
    Deed deed;
    if (m_state == State::Off || now < m_due)
        return deed;
    switch (m_state) {
    case State::Off:
        break;
    case State::Resting:
        m_offers = 0;
        if (isLeading())
            offer(deed, own, now);
        else
            rest(now); // it did not come
        break;
    case State::Offering:
        if (m_offers < kOffers)
            offer(deed, own, now);
        else
            rest(now);
        break;
    case State::Answered:
    case State::Checking:
        if (m_state == State::Answered)
            beginChecking(now, now); // GO was lost
        if (m_volleys == kVolleys) {
            rest(now);
            break;
        }
        deed.check = m_theirs;
        if (m_isGuessing)
            guess(deed.check);
        deed.isVolley = true;
        // Not both: each would follow to another stream.
        if (m_volleys + 1 == kVolleys && isLeading())
            deed.call.assign(m_theirs.begin(),
                             m_theirs.begin()
                                 + static_cast<std::ptrdiff_t>(std::min(m_theirs.size(), kCalls)));
        m_due = now + kVolleyPause * (1u << m_volleys++);
        break;
    }
    return deed;
}

} // namespace starling::link
