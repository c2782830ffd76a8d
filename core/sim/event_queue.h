// SPDX-License-Identifier: Apache-2.0
/// What is still to happen, in the order of time; of two events at one time the one that was said first comes
/// first. Events of the next few milliseconds are in a heap that fits the processor's cache; later ones lie
/// unsorted in buckets of time until their turn comes. What moves is 24 bytes for each; the events themselves
/// stay where they are. Pure.
#pragma once

#include "base/bytes.h"
#include "base/time.h"

#include <map>

namespace starling::sim {

/// A node's number in the simulation.
using NodeIndex = std::uint32_t;

struct Event
{
    enum class What : std::uint8_t {
        Datagram, ///< `bytes` from `from`
        Message, ///< the same by ModelLinks; `first` is the session, `second` the sequence
        /// Of ModelLinks; `first` is the session, `from` the other side. On the way to a link:
        Greet,
        Finish,
        Confirm,
        Goodbye, ///< the end of one
        Resend, ///< what was not taken is due again
        Suspect, ///< no keepalive came
        Idle, ///< for too long
        LinkTimer, ///< `first` is the link, `second` the generation
        OverlayTimer, ///< `first` is what, `second` the generation
        Wake, ///< `first` is the node's own purpose, `second` belongs to it
        Action, ///< of the timeline; `first` is its place there
        Evaluation, ///< of an expectation; `first` is its place, `second` belongs to it
        MembershipTimer, ///< `first` is the generation
    };
    What what{};
    NodeIndex node = 0; ///< whom it happens to
    NodeIndex from = 0;
    /// Timers and wakes: the life of the node that asked for it; a restarted node has another one.
    std::uint32_t life = 0;
    std::uint64_t first = 0, second = 0;
    Bytes bytes;
};

class EventQueue
{
public:
    void push(Instant at, Event&& event);
    bool isEmpty() const { return m_heap.empty(); }
    std::size_t size() const { return m_events.size() - m_free.size(); }
    /// Of the next event; the queue must not be empty.
    Instant nextAt() const { return Instant(Duration(m_heap.front().at)); }
    /// The next event; the queue must not be empty.
    Event pop();
    /// Whom the next event happens to, as far as is known: what a caller may fetch into the cache meanwhile.
    NodeIndex nextNode() const { return m_heap.empty() ? 0 : m_events[m_heap.front().slot].node; }

private:
    struct Entry
    {
        Duration::rep at;
        std::uint64_t sequence;
        std::uint32_t slot;
        bool isBefore(const Entry& other) const
        {
            return at != other.at ? at < other.at : sequence < other.sequence;
        }
    };
    using Entries = std::vector<Entry>;
    /// About 4 ms of events in the heap, and 34 s of them in buckets: longer than the protocols' timers.
    static constexpr int kBucketBits = 22;
    static constexpr std::size_t kBuckets = 8'192;
    static Duration::rep bucketOf(const Entry& entry) { return entry.at >> kBucketBits; }
    Entries& bucket(Duration::rep number) { return m_buckets[static_cast<std::size_t>(number) % kBuckets]; }
    void pushHeap(const Entry& entry);
    void siftDown(Entry entry);
    void refill();

    /// Empty only if all is: everything of bucket m_current and before.
    Entries m_heap;
    std::vector<Entries> m_buckets = std::vector<Entries>(kBuckets); ///< by number modulo kBuckets
    std::size_t m_inBuckets = 0;
    std::map<Duration::rep, Entries> m_far; ///< beyond them, by number
    Duration::rep m_current = 0;
    std::vector<Event> m_events; ///< by slot
    std::vector<std::uint32_t> m_free; ///< slots without an event
    std::uint64_t m_sequence = 0;
};

} // namespace starling::sim
