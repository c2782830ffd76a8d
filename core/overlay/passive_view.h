// SPDX-License-Identifier: Apache-2.0
/// The passive view of membership.h: contacts of nodes that may become neighbours, and what is known of how
/// near they are. Every contact in it was signed by its device. Pure.
#pragma once

#include "base/endpoint.h"
#include "overlay/membership_message.h"

#include <set>

namespace starling::overlay {

/// A contact that verified.
struct Candidate
{
    NodeId node;
    std::uint64_t sequence = 0; ///< of its descriptor: the newest wins
    Contact contact;
    std::optional<Duration> roundTrip; ///< once measured
    Instant nextTry; ///< not before
    unsigned failures = 0; ///< since it was last reached
    unsigned refusals = 0; ///< since it last accepted
};

class PassiveView
{
public:
    PassiveView(std::size_t capacity, RandomSource& random);

    /// Takes a candidate in, or the newer contact of one that is there. When full, one that failed makes
    /// room, or one that was not measured, drawn at random; if there are none, the farthest.
    void add(Candidate candidate);
    void remove(const NodeId& node);
    Candidate* find(const NodeId& node);
    /// Whether a candidate has exactly this contact.
    bool holds(const Contact& contact) const;

    /// Of those that may be tried now and are not in `except`: one that failed least, at random.
    Candidate* pick(Instant now, const std::set<NodeId>& except);
    /// The same, but one that was not measured yet.
    Candidate* pickUnmeasured(Instant now, const std::set<NodeId>& except);
    /// The same, but the nearest that was measured.
    Candidate* pickNearest(Instant now, const std::set<NodeId>& except);
    bool isFull() const { return m_candidates.size() >= m_capacity; }
    bool hasOther(const std::set<NodeId>& except) const;
    /// Up to `count` contacts but those of `except`, at random.
    std::vector<Contact> sample(std::size_t count, const std::set<NodeId>& except);

    const std::vector<Candidate>& all() const { return m_candidates; }

private:
    template <class Filter> Candidate* pickAmong(Filter filter);
    void put(std::size_t place, Candidate candidate);

    std::size_t m_capacity;
    RandomSource& m_random;
    std::vector<Candidate> m_candidates;
    std::vector<std::uint64_t> m_prints; ///< of their descriptors: spares most looks at them
};

} // namespace starling::overlay
