// SPDX-License-Identifier: Apache-2.0
#include "link/paths.h"

#include <algorithm>

namespace starling::link {

namespace {

/// Longer than most round trips; a longer wait would let more be lost.
constexpr Duration kMaxPatience = std::chrono::seconds(1);

Duration patience(Duration timeout)
{
    return std::min(timeout, kMaxPatience);
}

} // namespace

Paths::Paths(RandomSource& random)
    : m_random(&random)
{
}

Paths::Candidate* Paths::find(const Endpoint& endpoint)
{
    const auto found = std::find_if(m_candidates.begin(), m_candidates.end(),
                                    [&](const Candidate& one) { return one.endpoint == endpoint; });
    return found == m_candidates.end() ? nullptr : &*found;
}

void Paths::onCurrent(std::uint64_t counter)
{
    m_newest = std::max(m_newest, counter);
    for (Candidate& candidate : m_candidates)
        candidate.isRefuted =
            candidate.isRefuted || (!isBetter(candidate.endpoint) && counter >= candidate.first);
}

PathChallenge Paths::check(const Endpoint& to, Instant now)
{
    std::erase_if(m_candidates, [&](const Candidate& one) { return now - one.since >= kLifetime; });
    Candidate* candidate = find(to);
    if (candidate == nullptr) {
        if (m_candidates.size() == kMaxChecked)
            m_candidates.erase(m_candidates.begin());
        candidate = &m_candidates.emplace_back();
        candidate->endpoint = to;
        candidate->nonce = m_random->u64();
        candidate->since = now;
    }
    candidate->isChecked = true;
    ++candidate->challenges;
    candidate->asked = now;
    return {candidate->nonce};
}

void Paths::onOther(const Endpoint& from, std::uint64_t counter, std::size_t bytes, Instant now)
{
    std::erase_if(m_candidates, [&](const Candidate& one) { return now - one.since >= kLifetime; });
    Candidate* candidate = find(from);
    if (candidate == nullptr) {
        // What was overtaken by something from the address in use says nothing about where it is now.
        const auto uncalled = std::count_if(m_candidates.begin(), m_candidates.end(),
                                            [](const Candidate& one) { return !one.isChecked; });
        if ((counter < m_newest && !isBetter(from))
            || uncalled >= static_cast<std::ptrdiff_t>(kMaxCandidates))
            return;
        candidate = &m_candidates.emplace_back();
        candidate->endpoint = from;
        candidate->nonce = m_random->u64();
        candidate->first = counter;
        candidate->since = now;
    }
    candidate->newest = std::max(candidate->newest, counter);
    candidate->received += bytes;
}

void Paths::onResponse(const Endpoint& from, const PathResponse& response, Instant now)
{
    Candidate* candidate = find(from);
    const bool isRight = candidate != nullptr && candidate->challenges > 0
        && candidate->nonce == response.nonce && !candidate->answered;
    if (isRight)
        candidate->answered = now;
}

bool Paths::mayRespond(const Endpoint& to)
{
    Candidate* candidate = find(to);
    if (candidate == nullptr)
        return true; // what it asked with was as large
    if (!candidate->maySend())
        return false;
    candidate->sent += kChallengeBytes;
    return true;
}

std::vector<Paths::Ask> Paths::takeDue(Instant now, Duration timeout)
{
    std::erase_if(m_candidates, [&](const Candidate& one) {
        return one.isChecked && !one.answered && now - one.since >= kLifetime;
    });
    std::vector<Ask> asks;
    for (Candidate& candidate : m_candidates) {
        if (!candidate.isToAsk() || (candidate.challenges > 0 && now - candidate.asked < patience(timeout)))
            continue;
        ++candidate.challenges;
        candidate.asked = now;
        candidate.sent += kChallengeBytes;
        asks.push_back({candidate.endpoint, PathChallenge{candidate.nonce}});
    }
    return asks;
}

/// Whether nothing may come any more that speaks against it.
bool Paths::isSettled(const Candidate& candidate, Instant now, Duration timeout) const
{
    return isBetter(candidate.endpoint) || now - candidate.asked >= patience(timeout);
}

std::optional<Paths::Proven> Paths::proven(Instant now, Duration timeout) const
{
    const Candidate* best = nullptr;
    for (const Candidate& candidate : m_candidates) {
        if (!candidate.isToFollow() || !isSettled(candidate, now, timeout))
            continue;
        const auto isLess = [](const Candidate& a, const Candidate& b) {
            return wayOf(a.endpoint) != wayOf(b.endpoint) ? wayOf(a.endpoint) > wayOf(b.endpoint)
                                                          : a.newest < b.newest;
        };
        if (best == nullptr || isLess(*best, candidate))
            best = &candidate;
    }
    if (best == nullptr)
        return std::nullopt;
    Proven proven{best->endpoint, std::nullopt};
    if (best->challenges == 1)
        proven.roundTrip = *best->answered - best->asked;
    return proven;
}

void Paths::follow(const Endpoint& endpoint)
{
    if (const Candidate* candidate = find(endpoint))
        m_newest = std::max(m_newest, candidate->newest);
    forget(endpoint);
    std::erase_if(m_candidates,
                  [this](const Candidate& one) { return one.isChecked || one.newest < m_newest; });
}

void Paths::forget(const Endpoint& endpoint)
{
    std::erase_if(m_candidates, [&](const Candidate& one) { return one.endpoint == endpoint; });
}

std::optional<Instant> Paths::due(Duration timeout) const
{
    std::optional<Instant> nearest;
    for (const Candidate& candidate : m_candidates) {
        if (!candidate.isToAsk() && !candidate.isToFollow())
            continue;
        const bool isNow = candidate.challenges == 0 || (candidate.answered && isBetter(candidate.endpoint));
        const Instant at = isNow ? candidate.since : candidate.asked + patience(timeout);
        nearest = nearest ? std::min(*nearest, at) : at;
    }
    return nearest;
}

} // namespace starling::link
