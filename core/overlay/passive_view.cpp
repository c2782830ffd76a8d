// SPDX-License-Identifier: Apache-2.0
#include "overlay/passive_view.h"

#include <algorithm>
#include <cstring>

namespace starling::overlay {

namespace {

/// Equal for equal bytes, and hardly ever otherwise; who makes it so gains nothing.
std::uint64_t printOf(ByteView bytes)
{
    constexpr std::uint64_t kMultiplier = 0xbf58476d1ce4e5b9; // odd, half of its bits set: SplitMix64's
    std::uint64_t print = bytes.size();
    for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + i, std::min(sizeof word, bytes.size() - i));
        print = (print ^ word) * kMultiplier;
        print ^= print >> 32;
    }
    return print;
}

} // namespace

PassiveView::PassiveView(std::size_t capacity, RandomSource& random)
    : m_capacity(std::max<std::size_t>(capacity, 1))
    , m_random(random)
{
}

Candidate* PassiveView::find(const NodeId& node)
{
    const auto found = std::find_if(m_candidates.begin(), m_candidates.end(),
                                    [&](const Candidate& candidate) { return candidate.node == node; });
    return found == m_candidates.end() ? nullptr : &*found;
}

bool PassiveView::holds(const Contact& contact) const
{
    const std::uint64_t print = printOf(contact.descriptor);
    for (std::size_t i = 0; i < m_prints.size(); ++i)
        if (m_prints[i] == print && m_candidates[i].contact == contact)
            return true;
    return false;
}

void PassiveView::put(std::size_t place, Candidate candidate)
{
    m_prints[place] = printOf(candidate.contact.descriptor);
    m_candidates[place] = std::move(candidate);
}

void PassiveView::add(Candidate candidate)
{
    const auto placeOf = [this](const Candidate* held) {
        return static_cast<std::size_t>(held - m_candidates.data());
    };
    if (const Candidate* held = find(candidate.node)) {
        if (candidate.sequence <= held->sequence)
            return;
        // It may be reached elsewhere now: what was measured and what failed says nothing about that.
        return put(placeOf(held), std::move(candidate));
    }
    if (m_candidates.size() < m_capacity) {
        m_prints.push_back(printOf(candidate.contact.descriptor));
        return m_candidates.push_back(std::move(candidate));
    }
    Candidate* victim = pickAmong([](const Candidate& other) { return other.failures > 0; });
    if (victim == nullptr)
        victim = pickAmong([](const Candidate& other) { return !other.roundTrip; });
    if (victim == nullptr)
        victim = &*std::max_element(
            m_candidates.begin(), m_candidates.end(),
            [](const Candidate& a, const Candidate& b) { return *a.roundTrip < *b.roundTrip; });
    put(placeOf(victim), std::move(candidate));
}

void PassiveView::forgive(Instant now)
{
    for (Candidate& candidate : m_candidates) {
        candidate.nextTry = std::min(candidate.nextTry, now);
        candidate.refusals = 0;
    }
}

void PassiveView::remove(const NodeId& node)
{
    const Candidate* held = find(node);
    if (held == nullptr)
        return;
    const auto place = held - m_candidates.data();
    m_candidates.erase(m_candidates.begin() + place);
    m_prints.erase(m_prints.begin() + place);
}

template <class Filter> Candidate* PassiveView::pickAmong(Filter filter)
{
    Candidate* picked = nullptr;
    std::uint64_t equals = 0;
    for (Candidate& candidate : m_candidates) {
        if (!filter(candidate) || (picked != nullptr && candidate.failures > picked->failures))
            continue;
        if (picked == nullptr || candidate.failures < picked->failures)
            equals = 0;
        // Each of those that are equal is the one with the same probability.
        if (m_random.below(++equals) == 0)
            picked = &candidate;
    }
    return picked;
}

Candidate* PassiveView::pick(Instant now, const std::set<NodeId>& except)
{
    return pickAmong([&](const Candidate& candidate) {
        return candidate.nextTry <= now && !except.contains(candidate.node);
    });
}

Candidate* PassiveView::pickUnmeasured(Instant now, const std::set<NodeId>& except)
{
    return pickAmong([&](const Candidate& candidate) {
        return !candidate.roundTrip && candidate.nextTry <= now && !except.contains(candidate.node);
    });
}

Candidate* PassiveView::pickNearest(Instant now, const std::set<NodeId>& except)
{
    Candidate* nearest = nullptr;
    for (Candidate& candidate : m_candidates)
        if (candidate.roundTrip && candidate.nextTry <= now && !except.contains(candidate.node)
            && (nearest == nullptr || *candidate.roundTrip < *nearest->roundTrip))
            nearest = &candidate;
    return nearest;
}

bool PassiveView::hasOther(const std::set<NodeId>& except) const
{
    return std::any_of(m_candidates.begin(), m_candidates.end(),
                       [&](const Candidate& candidate) { return !except.contains(candidate.node); });
}

std::vector<Contact> PassiveView::sample(std::size_t count, const std::set<NodeId>& except)
{
    std::vector<const Candidate*> others;
    for (const Candidate& candidate : m_candidates)
        if (!except.contains(candidate.node))
            others.push_back(&candidate);
    std::vector<Contact> sampled;
    for (std::size_t i = 0; i < others.size() && i < count; ++i) {
        std::swap(others[i], others[i + m_random.below(others.size() - i)]);
        sampled.push_back(others[i]->contact);
    }
    return sampled;
}

} // namespace starling::overlay
